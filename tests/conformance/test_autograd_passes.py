"""What autograd does to a tracer: hooks, seeds, repeated passes, and state that must stay (T12, T14-T21, T24, T39, T41, T42)."""

from __future__ import annotations

import copy
import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from tests.conformance.reading import edge, edges_out, named, op, ops, same, whole

PACKAGE = str(Path(explorer.__file__).parent)


def our_frames(run: Callable[[], object]) -> list[str]:
    """The functions of our package that run while `run` does."""
    seen: list[str] = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            seen.append(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return seen


def test_T12_recording_leaves_grad_bit_for_bit() -> None:
    """`.grad` after a recorded run has the same bits as after an unrecorded one."""

    def program() -> list[torch.Tensor]:
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        model(torch.randn(5, 4)).square().mean().backward()
        return [parameter.grad for parameter in model.parameters()]

    plain = program()
    with explorer.record() as recording:
        watched = program()
    whole(recording.trace)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_T14_tensor_hook_of_the_user() -> None:
    """`h.register_hook(lambda g: g * .5)`: the edge brings 5.0, the node receives 2.5, and the finding says who halved it."""
    x = torch.tensor(1.0, requires_grad=True)
    with explorer.record() as recording:
        h = x * 3
        h.register_hook(lambda gradient: gradient * 0.5)
        loss = h * 5
        loss.backward()
    trace = whole(recording.trace)
    h_node = named(trace, "h")
    assert edge(trace, h_node, named(trace, "loss")).gradient.item == 5.0
    assert h_node.gradients[0].item == 2.5
    assert named(trace, "x").gradients[0].item == x.grad.item() == 7.5
    (finding,) = [f for f in trace.findings if f.kind == "replaced_gradient"]
    assert finding.node == h_node.id


def test_T15_post_hook_of_the_user_that_replaces_gradients() -> None:
    """A post-hook that replaces what a node sends: the record shows what actually arrived."""
    x = torch.tensor(1.0, requires_grad=True)
    with explorer.record() as recording:
        h = x * 3
        loss = h * 5
        loss.grad_fn.register_hook(lambda sent, received: (sent[0] * 100, *sent[1:]))
        loss.backward()
    trace = whole(recording.trace)
    assert x.grad.item() == 1500.0
    assert named(trace, "h").gradients[0].item == 500.0
    assert named(trace, "x").gradients[0].item == 1500.0


def test_T16_hooks_of_the_user_work_beside_ours() -> None:
    """Hooks on tensors, nodes, modules and parameters run as often, in the same order and with the same values as without us."""

    def program() -> list[tuple[str, list[float]]]:
        torch.manual_seed(1)
        seen: list[tuple[str, list[float]]] = []
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        model[0].register_forward_hook(lambda m, i, o: seen.append(("forward", o.flatten().tolist())))
        model[2].register_full_backward_hook(lambda m, i, o: seen.append(("module backward", o[0].flatten().tolist())))
        model[0].weight.register_post_accumulate_grad_hook(lambda p: seen.append(("accumulated", p.grad.flatten().tolist())))
        out = model(torch.tensor([[1.0, -2.0]]))
        out.register_hook(lambda g: seen.append(("tensor", g.flatten().tolist())))
        out.grad_fn.register_prehook(lambda g: seen.append(("before", g[0].flatten().tolist())))
        out.grad_fn.register_hook(lambda sent, g: seen.append(("after", g[0].flatten().tolist())))
        out.sum().backward()
        return seen

    plain = program()
    with explorer.record() as recording:
        watched = program()
    whole(recording.trace)
    assert watched == plain
    assert len(plain) == 6


def test_T17_recorded_numbers_do_not_change_later() -> None:
    """Changing `p.grad`, p or a result in place after the recording does not change what was recorded."""
    p = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with explorer.record() as recording:
        flat = p.view(-1)
        y = flat * 2
        y.sum().backward()
        p.grad.mul_(100)
        with torch.no_grad():
            y.zero_()
    p.grad.mul_(100)
    with torch.no_grad():
        p.fill_(9)
    trace = whole(recording.trace)
    same(named(trace, "p").gradients[0], torch.full((2, 2), 2.0))
    same(named(trace, "p").accumulated.after, torch.full((2, 2), 2.0))
    same(named(trace, "p").outputs[0], torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    same(edge(trace, named(trace, "flat"), op(trace, "mul")).gradient, torch.full((4,), 2.0))
    same(op(trace, "mul").outputs[0], torch.tensor([2.0, 4.0, 6.0, 8.0]))


def test_T17_mutation_in_forward_does_not_reach_back() -> None:
    """The value noted for an op is the one it had when it was made, whatever is done to it later in the same pass."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        base = x + 0
        view = base.view(2, 1)
        base.mul_(10)
        view.add_(1)
        base.sum().backward()
    trace = whole(recording.trace)
    assert ops(trace, "add")[0].outputs[0].values == (1.0, 2.0)
    assert ops(trace, "view")[0].outputs[0].values == ((1.0,), (2.0,))
    assert op(trace, "mul_").outputs[0].values == (10.0, 20.0)
    assert op(trace, "add_").outputs[0].values == (11.0, 21.0)
    same(named(trace, "x").gradients[0], x.grad)


def test_T18_no_hook_stays_after_four_runs() -> None:
    """After four recorded passes over one model nothing of ours runs any more, although the graph and its nodes live on."""
    model, x = nn.Linear(3, 2), torch.ones(1, 3)
    gc.disable()
    try:
        held = model(x).sum()  # keeps the AccumulateGrad nodes of the parameters alive across all runs
        kept = []
        for _ in range(4):
            with explorer.record() as recording:
                loss = model(x).sum()
                loss.backward(retain_graph=True)
            whole(recording.trace)
            kept.append(loss)
        assert our_frames(lambda: model(x)) == []
        assert our_frames(lambda: held.backward()) == []
        assert [our_frames(loss.backward) for loss in kept] == [[]] * 4
    finally:
        gc.enable()
    for owner in (*model.parameters(), x):
        assert not owner._backward_hooks
        assert not getattr(owner, "_post_accumulate_grad_hooks", None)
    assert not model._forward_hooks
    assert not model._forward_pre_hooks
    assert not model._backward_hooks


def test_T19_accumulate_grad_held_weakly() -> None:
    """A parameter's gradient is recorded in every pass although nobody else holds its AccumulateGrad."""
    model, x = nn.Linear(2, 1), torch.ones(1, 2)
    with explorer.record() as recording:
        for _ in range(2):
            gc.collect()
            model(x).sum().backward()
            gc.collect()
    assert len(recording.traces) == 2
    for trace in map(whole, recording.traces):
        assert [node.status for node in trace.nodes if node.kind == "parameter"] == ["executed"] * 2


def test_T20_nothing_is_kept_alive() -> None:
    """Once the user's own names are gone, models and tensors are gone, even while the trace is kept."""
    with explorer.record() as recording:
        model, x = nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
        hidden = model(x)
        loss = hidden.sum()
        loss.backward()
    trace = whole(recording.trace)
    watched = [weakref.ref(thing) for thing in (model, model.weight, x, hidden, loss)]
    del model, x, hidden, loss, recording
    gc.collect()
    assert [reference() for reference in watched] == [None] * 5
    assert trace.nodes


def test_T21_checkpoint_forward_runs_as_often_as_without_us() -> None:
    """Under a non-reentrant checkpoint the user's forward runs twice, with us as without us."""
    calls: list[int] = []

    def block(value: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return value.sin().exp()

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    with explorer.record() as recording:
        y = checkpoint(block, x, use_reentrant=False)
        y.sum().backward()
    assert len(calls) == 2
    trace = whole(recording.trace)
    same(named(trace, "x").gradients[0], x.grad)
    assert [node.autograd for node in trace.nodes if node.kind == "op" and node.status == "executed"] == [
        "SinBackward0",
        "ExpBackward0",
        "SumBackward0",
    ]


def test_T24_backward_twice_accumulates() -> None:
    """`(a+1).sum()` backward twice is two passes; each brings 1, the second finds 1 in `.grad` and leaves 2."""
    a = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        loss = (a + 1).sum()
        loss.backward()
        loss.backward()
    first, second = map(whole, recording.traces)
    assert (first.number, second.number, first.passes, second.passes) == (1, 2, 2, 2)
    one, two = torch.ones(2), torch.full((2,), 2.0)
    assert named(first, "a").accumulated.before is None
    same(named(first, "a").accumulated.after, one)
    same(named(second, "a").accumulated.before, one)
    same(named(second, "a").accumulated.after, two)
    for trace in (first, second):
        same(named(trace, "a").gradients[0], one)
        assert [node.autograd for node in trace.nodes if node.kind == "op"] == ["AddBackward0", "SumBackward0"]
    assert "accumulated_gradient" not in {finding.kind for finding in first.findings}
    assert recording.trace == second


def test_T39_batch_norm_and_random_state() -> None:
    """A recorded training pass leaves running statistics, dropout masks and random state as one unrecorded pass does."""

    def program() -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)).train()
        loss = model(torch.randn(6, 3)).square().mean()
        loss.backward()
        return copy.deepcopy(model.state_dict()), loss.detach(), torch.get_rng_state(), [p.grad for p in model.parameters()]

    plain = program()
    with explorer.record() as recording:
        watched = program()
    trace = whole(recording.trace)
    assert all(torch.equal(plain[0][key], watched[0][key]) for key in plain[0])
    assert watched[0]["1.num_batches_tracked"].item() == 1
    assert torch.equal(plain[1], watched[1])
    assert torch.equal(plain[2], watched[2])
    assert all(torch.equal(a, b) for a, b in zip(plain[3], watched[3], strict=True))
    buffers = {name for node in trace.nodes if node.kind == "buffer" for name in node.names}
    assert {"1.running_mean", "1.running_var"} <= buffers


def test_T41_a_seed_counts_beside_an_edge() -> None:
    """backward([u, v]) with u = 3a, v = 5u: u receives its seed 1 and 5 along the edge from v; a gets 18."""
    a = torch.tensor(2.0, requires_grad=True)
    with explorer.record() as recording:
        u = a * 3
        v = u * 5
        torch.autograd.backward([u, v])
    trace = whole(recording.trace)
    u_node, v_node = named(trace, "u"), named(trace, "v")
    assert (u_node.seeds[0].item, v_node.seeds[0].item) == (1.0, 1.0)
    assert edge(trace, u_node, v_node).gradient.item == 5.0
    assert (u_node.gradients[0].item, v_node.gradients[0].item) == (6.0, 1.0)
    assert named(trace, "a").gradients[0].item == a.grad.item() == 18.0
    assert named(trace, "a").seeds == (None,)


def test_T41_same_output_seeded_twice() -> None:
    """backward([u, u]) with gradients 2 and 3 starts with 5 at u."""
    a = torch.tensor(2.0, requires_grad=True)
    with explorer.record() as recording:
        u = a * 3
        torch.autograd.backward([u, u], [torch.tensor(2.0), torch.tensor(3.0)])
    trace = whole(recording.trace)
    assert named(trace, "u").gradients[0].item == 5.0
    assert named(trace, "u").seeds[0].item == 5.0
    assert named(trace, "a").gradients[0].item == 15.0


def test_T42_gradient_from_before_the_run() -> None:
    """A `.grad` from before: the pass brought its own, and before and after are both shown."""
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    w.grad = torch.tensor([10.0, 20.0])
    with explorer.record() as recording:
        loss = (w * 3).sum()
        loss.backward()
    trace = whole(recording.trace)
    node = named(trace, "w")
    same(node.gradients[0], torch.tensor([3.0, 3.0]))
    same(node.accumulated.before, torch.tensor([10.0, 20.0]))
    same(node.accumulated.after, torch.tensor([13.0, 23.0]))
    same(edges_out(trace, node)[0].gradient, torch.tensor([3.0, 3.0]))
    (finding,) = [f for f in trace.findings if f.kind == "accumulated_gradient"]
    assert finding.node == node.id
