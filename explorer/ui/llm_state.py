"""What is chosen on the LLM page: the values, what they were before, and how they stand in the address."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import streamlit as st

from explorer.errors import RequestError
from explorer.sizes import FIELDS, LIMITS, OPTIMIZERS, PRECISIONS, PRESETS, Configuration, check_count, checked
from explorer.speeds import DEVICES, USUAL_SHARE
from explorer.text import say
from explorer.ui.state import language

__all__ = ["OWN", "RANGES", "SWITCHES", "Chosen", "chosen", "configuration_or_error", "preset_name", "put", "start_from", "undo"]

OWN = "own"  # the device whose numbers a person gives
SWITCHES = ("qkv_bias", "tied")
AROUND: dict[str, Any] = {
    "batch": 8, "optimizer": "adam", "precision": "mixed", "device": "a100", "share": round(100 * USUAL_SHARE), "peak": 100.0,
    "memory": 16.0, "bandwidth": 500.0,
}  # fmt: skip
NAMED = {"optimizer": tuple(OPTIMIZERS), "precision": tuple(PRECISIONS), "device": (*DEVICES, OWN)}
RANGES = {"share": (1, 100), "peak": (0.001, 1e6), "memory": (0.1, 1e6), "bandwidth": (0.1, 1e6)}
MOST_STEPS = 100  # that can be undone
LONGEST = 16  # characters of a number in an address


@dataclass(slots=True)
class Chosen:
    """All values by name, the preset that they are compared with, and the last configuration that could be."""

    base: str = "small"
    values: dict[str, Any] = field(default_factory=lambda: asdict(PRESETS["small"]) | AROUND)
    before: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last: Configuration = PRESETS["small"]
    last_batch: int = AROUND["batch"]

    def configuration(self) -> Configuration:
        """What is asked for; RequestError if that cannot be."""
        check_count("batch", self.values["batch"])
        return checked({name: self.values[name] for name in FIELDS})

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Name -> the preset's value and this one, where they differ."""
        start = asdict(PRESETS[self.base])
        return {name: (start[name], self.values[name]) for name in FIELDS if start[name] != self.values[name]}


def chosen() -> Chosen:
    """What this visitor has chosen; what the address says, when the page is come to."""
    found: Chosen = st.session_state.setdefault("llm", Chosen())
    taken: set[str] = st.session_state.setdefault("taken", set())
    if "llm" not in taken:
        taken.add("llm")
        _take_from_address(found)
    return found


def preset_name(name: str) -> str:
    """A preset as it is called in a sentence."""
    return say(f"llm.preset_name.{name}", language())


def put(values: dict[str, Any]) -> None:
    """Choose these values; the ones before can be had again."""
    found = chosen()
    if all(found.values[name] == value and type(found.values[name]) is type(value) for name, value in values.items()):
        return
    _remember(found)
    found.values.update(values)
    _keep_in_address(found)


def start_from(name: str) -> None:
    """Choose a preset: its configuration, with everything around it as it is."""
    found = chosen()
    _remember(found)
    found.base = name
    found.values.update(asdict(PRESETS[name]))
    _keep_in_address(found)


def undo() -> None:
    """Take back the last change."""
    found = chosen()
    if found.before:
        found.base, found.values = found.before.pop()
        _keep_in_address(found)


def _remember(found: Chosen) -> None:
    found.before.append((found.base, dict(found.values)))
    del found.before[:-MOST_STEPS]


# -- the address -------------------------------------------------------------------------------------------------------------------------


def _keep_in_address(found: Chosen) -> None:
    start = asdict(PRESETS[found.base]) | AROUND
    wanted = {} if found.base == "small" else {"model": found.base}
    for name, value in found.values.items():
        if value != start[name]:
            wanted[name] = str(int(value)) if name in SWITCHES else f"{value:.12g}" if isinstance(value, float) else str(value)
    for name in ("model", *start):
        if name not in wanted:
            st.query_params.pop(name, None)
    for name, text in wanted.items():
        st.query_params[name] = text


def _take_from_address(found: Chosen) -> None:
    """What the address says and can be read; what it does not say is as in its preset. Nothing is started by it."""
    asked = {name: st.query_params[name] for name in ("model", *found.values) if name in st.query_params}
    if not asked:
        _keep_in_address(found)
        return
    found.base = asked["model"] if asked.get("model") in PRESETS else "small"
    found.values = asdict(PRESETS[found.base]) | AROUND
    for name, text in asked.items():
        value = _read(name, text)
        if value is not None:
            found.values[name] = value


def _read(name: str, text: str) -> Any:
    """The value in an address, or None where there is none; a number that cannot be is one, and the page says why."""
    if name in NAMED:
        return text if text in NAMED[name] else None
    if name in SWITCHES:
        return {"0": False, "1": True}.get(text)
    if name not in (*LIMITS, *RANGES) or len(text) > LONGEST:
        return None
    try:
        number = float(text) if name in ("drop_rate", "peak", "memory", "bandwidth") else int(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if name in RANGES:
        low, high = RANGES[name]
        return min(max(number, type(number)(low)), type(number)(high)) if name != "share" else min(max(int(number), 1), 100)
    return number


def configuration_or_error(found: Chosen) -> tuple[Configuration, int, RequestError | None]:
    """The configuration and the batch to show: what is asked for, or the last that could be and why this cannot."""
    try:
        found.last, found.last_batch = found.configuration(), found.values["batch"]
    except RequestError as error:
        return found.last, found.last_batch, error
    return found.last, found.last_batch, None
