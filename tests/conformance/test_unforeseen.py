"""Programs nobody foresaw: torch.func, forward mode, parameters read without a graph, custom Functions that detach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import Function, forward_ad
from torch.utils.checkpoint import checkpoint

import explorer
from explorer.model import Trace
from tests.conformance.reading import close, named, op, ops, tensor, whole


def recorded(program: Callable[[], Any]) -> tuple[Any, list[Trace]]:
    """What a program returns, and its passes; run once plain before, with the same seed and the same result."""
    torch.manual_seed(5)
    plain = program()
    torch.manual_seed(5)
    with explorer.record() as recording:
        result = program()
    for a, b in zip(plain, result, strict=True):
        assert torch.equal(a, b)
    for trace in recording.traces:
        whole(trace)
    return result, recording.traces


def test_parameters_read_without_a_graph_keep_their_names() -> None:
    """Under no_grad torch calls a view of a parameter a leaf that requires a gradient; it is a view, and the parameter stands before it."""
    model = nn.Linear(3, 2)
    with explorer.record() as recording:
        x = torch.ones(4, 3)
        with torch.no_grad():
            target = model(x)
        loss = (model(x) - target).square().sum()
        loss.backward()
    trace = whole(recording.trace)
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {"weight", "bias"}
    assert not [node for node in trace.nodes if node.kind == "input"]
    silent = [node for node in ops(trace, "t") if node.reason == "no_grad"]
    assert [trace.nodes[e.source].name for e in trace.edges if e.target == silent[0].id] == ["weight"]


def test_parameters_inside_a_reentrant_checkpoint_keep_their_names() -> None:
    """The first forward of a reentrant checkpoint runs without a graph; the parameters it reads are known all the same."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())

    def program() -> list[torch.Tensor]:
        model.zero_grad()
        x = torch.randn(5, 3, requires_grad=True)
        checkpoint(model, x, use_reentrant=True).mean().backward()
        return [x.grad, *(p.grad for p in model.parameters())]

    _, (trace,) = recorded(program)
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {"0.weight", "0.bias"}


def test_a_backward_inside_a_backward_reaches_its_leaves() -> None:
    """A reentrant checkpoint accumulates by a backward of its own: the leaves were reached, with `.grad` before and after, and updated."""
    model = nn.Linear(3, 2)
    with explorer.record() as recording:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        checkpoint(model, torch.ones(5, 3, requires_grad=True), use_reentrant=True).sum().backward()
        optimizer.step()
    trace = whole(recording.trace)
    for name, parameter in model.named_parameters():
        node = named(trace, name)
        assert (node.status, node.reason) == ("not executed", "inner backward")
        assert node.accumulated is not None
        assert node.accumulated.before is None
        close(node.accumulated.after, parameter.grad)
    assert {trace.nodes[update.node].name for update in trace.updates} == {"weight", "bias"}


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_torch_func_is_recorded() -> None:
    """grad, vmap of grad, jacrev and hessian run as without us; their engine calls are passes, their wrapped tensors have an outline."""
    w, x = torch.randn(3, requires_grad=True), torch.randn(3)

    def program() -> list[torch.Tensor]:
        w.grad = None

        def f(v: torch.Tensor) -> torch.Tensor:
            return (v * w).sin()

        def total(v: torch.Tensor) -> torch.Tensor:
            return f(v).sum()

        single = torch.func.grad(total)(x)
        many = torch.func.vmap(torch.func.grad(total))(x.expand(2, 3))
        loss = single.sum() + many.sum() + torch.func.jacrev(f)(x).sum() + torch.func.hessian(total)(x).sum()
        loss.backward()
        assert w.grad is not None
        return [loss.detach(), w.grad]

    (_, gradient), traces = recorded(program)
    assert len(traces) == 5
    last = named(traces[-1], "w")
    close(last.gradients[0], gradient)
    assert all(node.source is not None for node in traces[-1].nodes if node.kind == "op" and node.status == "executed")


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_forward_mode_is_recorded() -> None:
    """Tangents that were never made are zeros; the graph through primal and tangent is whole, every node with a formula."""
    model = nn.Linear(3, 2)

    def program() -> list[torch.Tensor]:
        model.zero_grad()
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(torch.randn(5, 3), torch.randn(5, 3))
            value, tangent = forward_ad.unpack_dual(model(dual))
            loss = value.mean() + tangent.square().mean()
            loss.backward()
        return [p.grad for p in model.parameters() if p.grad is not None]

    (weight, _), (trace,) = recorded(program)
    close(named(trace, "weight").gradients[0], weight)
    assert all(node.formula is not None for node in trace.nodes if node.kind == "op" and node.status == "executed")


class Local(Function):
    """Builds a graph of its own inside, and asks it for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            inside = x.detach().requires_grad_()
            ctx.inside, ctx.out = inside, inside.tanh()
        return ctx.out.detach()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return torch.autograd.grad(ctx.out, ctx.inside, gradient)


def test_a_detach_inside_a_custom_function_is_no_cut() -> None:
    """What a custom Function detaches in its forward cuts nothing: its own backward carries the gradient on."""
    x = torch.tensor([0.5, -1.0], requires_grad=True)
    with explorer.record() as recording:
        (Local.apply(x) * 3).sum().backward()
    trace = whole(recording.trace)
    assert not [finding for finding in trace.findings if finding.kind == "detached"]
    assert {node.reason for node in ops(trace, "detach")} == {"custom_function"}
    close(named(trace, "x").gradients[0], 3 * (1 - torch.tanh(x.detach()) ** 2))
    assert op(trace, "Local").status == "executed"
    assert tensor(named(trace, "x").outputs[0]).tolist() == [0.5, -1.0]


def test_batched_gradients_are_recorded() -> None:
    """`is_grads_batched=True` runs one backward over many seeds at once; it is the same as without us."""

    def program() -> list[torch.Tensor]:
        x = torch.randn(3, requires_grad=True)
        (jacobian,) = torch.autograd.grad(x * x, x, torch.eye(3), is_grads_batched=True)
        return [jacobian]

    _, (trace,) = recorded(program)
    assert op(trace, "mul").status == "executed"


def test_foreach_steps_count_as_changes() -> None:
    """An optimizer that changes all parameters by one op counts their versions up as without us, so a later pass shows the new values."""
    model = nn.Linear(2, 1)

    def program() -> list[torch.Tensor]:
        torch.nn.init.ones_(model.weight)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, foreach=True)
        versions = []
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 2)).mean().backward()
            optimizer.step()
            versions.append(model.weight._version)
        return [torch.tensor(versions).diff(), model.weight.detach().clone()]

    _, traces = recorded(program)
    for trace, expected in zip(traces, (1.0, 0.9, 0.8), strict=True):
        assert tensor(named(trace, "weight").outputs[0]).tolist() == [[pytest.approx(expected)] * 2]
        assert tensor(trace.updates[0].before).tolist() == [[pytest.approx(expected)] * 2]


def test_a_slice_changed_by_an_operator_is_followed() -> None:
    """`b[1:3] += 5` takes a view, changes it and copies it onto itself; the view that is read again keeps its node."""
    a = torch.arange(4.0, requires_grad=True)
    with explorer.record() as recording:
        b = a * 1
        b[1:3] += 5
        (b * b).sum().backward()
    trace = whole(recording.trace)
    assert all(node.op is not None for node in trace.nodes if node.kind == "op")
    assert "AsStridedBackward0" in {node.autograd for node in ops(trace, "alias")}
    close(named(trace, "a").gradients[0], torch.tensor([0.0, 12.0, 14.0, 6.0]))


class Marked(torch.Tensor):
    """A tensor of the user's own type that leaves dispatch alone."""


def test_tensors_of_a_users_own_type_are_measured() -> None:
    """A subclass without a dispatch of its own lies in memory as any tensor does: it has statistics, values and a loss."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Marked).requires_grad_()
    with explorer.record() as recording:
        loss = (a @ a).sum()
        loss.backward()
    trace = whole(recording.trace)
    assert trace.loss == 54.0
    assert tensor(named(trace, "a").outputs[0]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert tensor(named(trace, "a").gradients[0]).tolist() == [[7.0, 11.0], [9.0, 13.0]]


@pytest.mark.parametrize("where", ["leaf", "loss", "before"])
def test_a_loss_of_a_users_own_type_shows_its_value(where: str) -> None:
    """A subclass gives each result an alias that no op is seen to make; the loss, the root of the pass, shows its value and its name."""
    a = torch.tensor([1.0, 2.0], requires_grad=True)
    x = a.as_subclass(Marked) if where == "leaf" else a
    loss = (x * x).sum().as_subclass(Marked) if where == "before" else None
    with explorer.record() as recording:
        if loss is None:
            loss = (x * x).sum().as_subclass(Marked)
        loss.backward()
    trace = whole(recording.trace)
    assert trace.loss == 5.0
    root = named(trace, "loss")
    assert [root.id] == [node.id for node in trace.nodes if any(node.seeds)]
    assert tensor(root.outputs[0]).tolist() == 5.0 and tensor(root.gradients[0]).tolist() == 1.0
    assert root.op == "alias" and root.autograd == "AliasBackward0"


def test_a_nan_that_is_only_written_down_is_no_error() -> None:
    """`torch.logdet` chooses between the result and a NaN of its own; where the result is taken, there is nothing to find."""
    w = torch.eye(3).mul(2.0).requires_grad_()
    with explorer.record() as recording:
        torch.logdet(w).backward()
    assert not [finding for finding in whole(recording.trace).findings if finding.severity == "error"]
    with explorer.record() as recording:
        torch.logdet(-w).backward()
    assert "nan_forward" in {finding.kind for finding in whole(recording.trace).findings}


def test_room_for_a_backward_is_not_measured() -> None:
    """An LSTM gives out memory for its backward that is filled only in part: no number of it is shown, and two recordings are the same."""
    model = nn.LSTM(5, 7)

    def notes() -> list[str]:
        with explorer.record() as recording:
            model(torch.ones(4, 2, 5))[0].sum().backward()
        return [repr(node.outputs) for node in whole(recording.trace).nodes]

    first = notes()
    for size in (1 << 10, 1 << 14):
        torch.randn(size)  # other bytes in the memory that is used next
    assert notes() == first


@pytest.mark.parametrize("in_place", [True, False])
def test_ops_on_lists_of_tensors(in_place: bool) -> None:
    """`torch._foreach_*_` on results makes a node for each tensor, each an op of its own; not in place it makes one node for the list."""

    def program() -> list[torch.Tensor]:
        leaves = [torch.randn(2, requires_grad=True), torch.randn(3), torch.randn(4, requires_grad=True)]
        results = [leaf * 2 for leaf in leaves]
        others = [torch.ones_like(leaf) for leaf in leaves]
        if in_place:
            torch._foreach_mul_(results, others)
            torch._foreach_add_(results, 1.5)
        else:
            results = list(torch._foreach_add(torch._foreach_mul(results, others), 1.5))
        sum(result.square().sum() for result in results).backward()
        return [leaf.grad for leaf in leaves if leaf.grad is not None] + [result.detach() for result in results]

    (*_, first, _, last), (trace,) = recorded(program)
    adds = [node for node in trace.nodes if (node.op or "").startswith("_foreach_add")]
    assert [node.autograd for node in adds] == (["AddBackward1", None, "AddBackward1"] if in_place else ["ForeachAddBackward1Scalar"])
    notes = [note for node in adds for note in node.outputs]
    assert [tensor(notes[0]).tolist(), tensor(notes[2]).tolist()] == [first.tolist(), last.tolist()]
    assert all(node.op is not None for node in trace.nodes if node.kind == "op")
    assert [sum(edge.target == node.id for edge in trace.edges) for node in adds] == ([1, 1, 1] if in_place else [3])
