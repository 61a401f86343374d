"""Every conformance test starts from the same seed and can read a trace's document; the guard of tests/conftest.py looks after the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer
from explorer.model import Trace


@pytest.fixture(autouse=True)
def same_seed() -> None:
    """The random numbers of a test do not depend on the tests before it."""
    torch.manual_seed(0)


@pytest.fixture
def document(tmp_path: Path) -> Callable[[Trace], dict[str, Any]]:
    """The `.json` document of a trace, as written to disk and read back by a strict parser."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    def written(trace: Trace) -> dict[str, Any]:
        path = tmp_path / "trace.json"
        explorer.export(trace, path)
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
        return loaded

    return written
