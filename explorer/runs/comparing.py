"""Settings in which runs differ, as a table: what one wants to know before comparing curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer.runs.folder import About

__all__ = ["Difference", "differences"]

_FIRST = ("target", "device", "dtype", "seed", "steps", "parameters", "ranks")


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting and its value in each run, in the runs' order; None where a run does not have it."""

    setting: str
    values: tuple[Any, ...]


def differences(abouts: Sequence[About]) -> list[Difference]:
    """The settings that are not the same in all runs; device, data type and versions count as settings."""
    tables = [_table(about) for about in abouts]
    names = list(dict.fromkeys(name for table in tables for name in table))
    found = [Difference(name, tuple(table.get(name) for table in tables)) for name in names]
    return [one for one in found if len({json.dumps(value, sort_keys=True) for value in one.values}) > 1]


def _table(about: About) -> dict[str, Any]:
    return {
        **{name: getattr(about, name) for name in _FIRST},
        **about.settings,
        **{f"made_with.{name}": version for name, version in about.made_with.items()},
    }
