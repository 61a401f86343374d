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
