"""Training loops nobody foresaw: closures, steps that raise, recordings inside recordings, more passes than are wanted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer
from explorer.capture.recorder import MOST_PASSES, Recorder
from explorer.errors import ExplorerError
from tests.conformance.reading import named, op, tensor, whole


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS])
def test_a_step_with_a_closure_is_the_optimizers(kind: type[torch.optim.Optimizer]) -> None:
    """`step(closure)` runs the pass inside the step; what it changes is told once per parameter, as that optimizer's."""
    model = nn.Linear(2, 1)
    optimizer = kind(model.parameters(), lr=0.1)  # type: ignore[call-arg]

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(torch.ones(4, 2)).square().mean()
        loss.backward()
        return loss

    with explorer.record() as recording:
        before = model.weight.detach().clone()
        optimizer.step(closure)
    first, last = whole(recording.traces[0]), whole(recording.trace)
    assert torch.equal(tensor(named(first, "weight").outputs[0]), before)
    assert {update.optimizer for update in last.updates} == {kind.__name__}
    assert sorted(last.nodes[update.node].name or "" for update in last.updates) == ["bias", "weight"]
    weight = next(update for update in last.updates if last.nodes[update.node].name == "weight")
    assert torch.equal(tensor(weight.after), model.weight.detach())
    assert weight.settings["lr"] == 0.1
    if kind is torch.optim.Adam:
        assert {"step", "exp_avg", "exp_avg_sq"} <= set(weight.state)


def test_a_step_that_raises_does_not_blind_us() -> None:
    """After an optimizer's step ended with an error that the program catches, its ops and modules are recorded as before."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    class Broken(torch.optim.Optimizer):
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            raise ValueError("not today")

    with explorer.record() as recording:
        model(torch.ones(3, 2)).sum().backward()
        with pytest.raises(ValueError, match="not today"):
            Broken(model.parameters(), {}).step()
        optimizer.zero_grad()
        model(torch.ones(3, 2)).sum().backward()
        optimizer.step()
    trace = whole(recording.trace)
    assert op(trace, "addmm").module == ""
    assert op(trace, "addmm").source is not None
    assert [update.optimizer for update in trace.updates] == ["SGD", "SGD"]


def test_a_recording_inside_a_recording_is_refused() -> None:
    """The inner one is refused in one sentence, and the outer one goes on."""
    x = torch.ones(3, requires_grad=True)
    with explorer.record() as outer:
        y = x * 2
        with pytest.raises(ExplorerError, match="recorded already"), explorer.record():
            pass
        y.sum().backward()
    assert {node.op for node in whole(outer.trace).nodes} >= {"mul", "sum"}


def test_passes_after_the_last_wanted_one_are_only_counted() -> None:
    """A long training keeps no rows of passes that nobody will read; the passes are counted to the end, values stay as without us."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    sizes = []
    with Recorder(wanted=2, to_end=True) as recorder:
        for _ in range(30):
            optimizer.zero_grad()
            model(torch.ones(4, 2)).square().mean().backward()
            optimizer.step()
            sizes.append(len(recorder.rows))
    (trace,) = recorder.traces()
    assert (trace.number, trace.passes) == (2, 30)
    assert len(whole(trace).updates) == 2
    assert sizes[-1] == sizes[4]


def test_record_keeps_the_first_hundred_passes() -> None:
    """`record()` around a long loop has the first passes, each whole, and tells how many there were."""
    w = torch.ones(2, requires_grad=True)
    with explorer.record() as recording:
        for _ in range(MOST_PASSES + 20):
            (w * 2).sum().backward()
    assert len(recording.traces) == MOST_PASSES
    assert recording.trace.passes == MOST_PASSES + 20
    assert recording.trace.number == MOST_PASSES


def test_lazy_modules_become_what_they_are() -> None:
    """Parameters without a shape yet are recorded from the call that gives them one; the loss and the names are as without us."""

    def program() -> tuple[nn.Module, torch.Tensor]:
        torch.manual_seed(3)
        model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2))
        loss = model(torch.randn(5, 3)).mean()
        loss.backward()
        return model, loss.detach()

    _, plain = program()
    with explorer.record() as recording:
        model, loss = program()
    trace = whole(recording.trace)
    assert torch.equal(plain, loss)
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {name for name, _ in model.named_parameters()}
    assert {model.path for model in trace.modules} >= {"", "0", "2"}


def test_a_hook_on_the_finished_gradient_changes_only_grad() -> None:
    """A post-accumulate hook comes after the node: the node received what was sent, `.grad` afterwards is what the hook made."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)

    def double(parameter: torch.Tensor) -> None:
        assert parameter.grad is not None
        parameter.grad.mul_(2)

    w.register_post_accumulate_grad_hook(double)
    with explorer.record() as recording:
        (w * 3 + w * 4).sum().backward()
    node = named(whole(recording.trace), "w")
    assert tensor(node.gradients[0]).tolist() == [7.0, 7.0]
    assert node.accumulated is not None
    assert tensor(node.accumulated.after).tolist() == [14.0, 14.0]
    assert not recording.trace.findings
