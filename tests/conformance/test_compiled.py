"""T9: what torch.compile was to compile runs op by op while it is recorded, and never crashes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer
from tests.conformance.reading import close, named, whole

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Using `torch.compile:UserWarning")]


@pytest.mark.parametrize("fullgraph", [False, True])
def test_T09_compiled_programs_are_recorded(fullgraph: bool) -> None:
    """A compiled model and a compiled function, first called while recording, show their ops; afterwards they compile as ever."""
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=fullgraph)

    @torch.compile(backend="aot_eager", fullgraph=fullgraph)
    def total(x: torch.Tensor) -> torch.Tensor:
        return (x * 2).sin().sum()

    x = torch.ones(5, 3)
    with explorer.record() as recording:
        loss = compiled(x).mean() + total(model[0].weight)
        loss.backward()
    trace = whole(recording.trace)
    assert {"tanh", "sin", "addmm"} <= {node.op for node in trace.nodes}
    close(named(trace, "_orig_mod.0.weight").gradients[0], model[0].weight.grad)
    after = compiled(x)
    assert after.grad_fn.name() == "CompiledFunctionBackward"
    torch.testing.assert_close(after.mean() + total(model[0].weight), loss)
    torch._dynamo.reset()


@pytest.mark.parametrize("way", ["module", "function"])
def test_T09_what_was_compiled_is_said(way: str) -> None:
    """One finding says that the compiled region ran op by op, where, and that unwatched it is one CompiledFunctionBackward."""
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    function = model if way == "module" else lambda x: (x * 2).sin()
    compiled = torch.compile(function, backend="aot_eager")
    for region, expected in ((function, 0), (compiled, 1)):
        x = torch.ones(5, 3, requires_grad=True)
        with explorer.record() as recording:
            (x * 1).sum().backward()
            region(x).mean().backward()
        before, trace = map(whole, recording.traces)
        found = [[f for f in one.findings if f.kind == "changed_by_watching"] for one in (before, trace)]
        assert [len(findings) for findings in found] == [0, expected]
    (finding,) = found[1]
    assert finding.severity == "info"
    assert finding.source is not None and finding.source.file.endswith("test_compiled.py")
    assert "CompiledFunctionBackward" in finding.message["en"] and "CompiledFunctionBackward" in finding.message["ko"]
    torch._dynamo.reset()
