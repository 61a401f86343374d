"""Healthy models and healthy ways of training give nothing above an info, in any of their passes."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import explorer  # noqa: E402
from explorer.model import Trace  # noqa: E402
from tests.findings.faults import told  # noqa: E402
from tests.findings.healthy_models import HEALTHY  # noqa: E402

importlib.import_module("tests.findings.healthy_ways")


def passes(program: Callable[[], Any], seed: int = 0) -> list[Trace]:
    """All passes of a program; backward is called on what it returns."""
    torch.manual_seed(seed)
    with warnings.catch_warnings(), explorer.record() as recording:
        warnings.simplefilter("ignore")
        result = program()
        if result is not None:
            result.backward()
    return recording.traces


@pytest.mark.parametrize("program", HEALTHY, ids=lambda program: program.__name__)
def test_nothing_is_wrong(program: Callable[[], Any]) -> None:
    """No finding is a warning or an error."""
    for trace in passes(program):
        amiss = [line for line, finding in zip(told(trace), trace.findings, strict=True) if finding.severity != "info"]
        assert not amiss, f"pass {trace.number}: " + "\n".join(amiss)


def test_there_are_enough() -> None:
    """Models of many kinds, and ways of training."""
    assert len({program.__name__ for program in HEALTHY}) == len(HEALTHY) >= 45
