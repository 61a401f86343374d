"""Each fault program is found: the right kind and severity, the right line, the leaf that it starves."""

from __future__ import annotations

import importlib

import pytest

torch = pytest.importorskip("torch")

from tests.findings.faults import FAULTS, Fault, recorded, told  # noqa: E402

for name in ("cuts", "errors", "values", "data", "depth", "unseen"):
    importlib.import_module(f"tests.findings.faults_{name}")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_where_it_is(fault: Fault) -> None:
    """The finding has the kind, the severity, the line and the names that it should have, in both languages."""
    trace = recorded(fault.program, number=fault.number)
    assert not fault.line or len(fault.lines) >= 1, "the line is not marked"
    found = fault.found_in(trace)
    assert found, "\n".join(told(trace))
    for finding in found:
        assert finding.message["ko"] != finding.message["en"]
        assert finding.remedy["en"] and finding.remedy["ko"]
    trace.check()


def test_there_are_enough() -> None:
    """Seventy-eight programs."""
    assert len(FAULTS) >= 78
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
