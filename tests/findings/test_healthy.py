"""Healthy models and healthy ways of training give nothing above an info, in any of their passes."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import explorer  # noqa: E402
from tests.benchmarks.architectures import architecture  # noqa: E402
from tests.benchmarks.healthy import amiss, recorded  # noqa: E402
from tests.findings.faults import passes, told  # noqa: E402
from tests.findings.healthy_models import HEALTHY  # noqa: E402

importlib.import_module("tests.findings.healthy_ways")
importlib.import_module("tests.findings.healthy_data")


@pytest.mark.parametrize("program", HEALTHY, ids=lambda program: program.__name__)
def test_nothing_is_wrong(program: Callable[[], Any]) -> None:
    """No finding is a warning or an error."""
    for trace in passes(program):
        amiss = [line for line, finding in zip(told(trace), trace.findings, strict=True) if finding.severity != "info"]
        assert not amiss, f"pass {trace.number}: " + "\n".join(amiss)


@pytest.mark.parametrize("name", ["gpt2", "llama", "bert", "vit", "t5", "mixtral", "mamba", "unet"])
def test_nothing_is_wrong_with_known_architectures(name: str) -> None:
    """Models as people use them, from their configuration: no finding is a warning or an error."""
    pytest.importorskip("transformers")
    assert amiss(recorded(architecture(name))) == []


@pytest.mark.parametrize("program", HEALTHY[:12], ids=lambda program: program.__name__)
def test_without_statistics_nothing_is_said_of_values(program: Callable[[], Any]) -> None:
    """A trace without values has the findings that need none, and makes up no others."""
    torch.manual_seed(0)
    with warnings.catch_warnings(), explorer.record(values="none") as recording:
        warnings.simplefilter("ignore")
        result = program()
        if result is not None:
            result.backward()
    for trace in recording.traces:
        assert {finding.kind for finding in trace.findings if finding.severity != "info"} <= {"accumulated_gradient"}


def test_fake_tensors_have_findings_too() -> None:
    """A fake trace has no numbers: cuts and unused parameters are found, nothing else."""

    def program() -> Any:
        w, v = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
        return (w.exp().detach() * v).sum()

    assert [finding.kind for finding in explorer.trace(program, device="fake").findings if finding.severity != "info"] == ["detached"]


def test_there_are_enough() -> None:
    """Models of many kinds, and ways of training."""
    assert len({program.__name__ for program in HEALTHY}) == len(HEALTHY) >= 45
