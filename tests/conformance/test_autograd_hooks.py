"""What autograd does to a tracer: Python Functions, hooks in any order, cycles, checkpoints, double backward (T12-T16, T20, T21, T34)."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from explorer.capture.assemble import assemble
from explorer.capture.rows import Circumstances, GraphNode, Owners, Pass
from explorer.document import from_document, to_document
from explorer.model import MadeWith, Note
from tests.conformance.reading import edge, named, same, tensor, whole


class Keeper(torch.autograd.Function):
    """Keeps one tensor by save_for_backward, others as attributes of ctx, in a list and as a number."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a)
        ctx.kept = a * b
        ctx.several = [b, (a, "text")]
        ctx.number = 3
        return a * b

    @staticmethod
    def backward(ctx, gradient):
        (a,) = ctx.saved_tensors
        return gradient * ctx.several[0], gradient * a


def test_T12_hooks_are_not_skipped_and_nothing_is_called_again() -> None:
    """Recording calls no node itself: the user's hook and backward run once, `.grad` from before is added to once, bit for bit."""
    calls: list[str] = []

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 3

        @staticmethod
        def backward(ctx, gradient):
            calls.append("backward")
            return gradient * 3

    x = torch.tensor([0.1, 0.2], requires_grad=True)
    x.grad = torch.tensor([0.7, 0.8])
    x.register_hook(lambda gradient: calls.append("hook"))
    with explorer.record() as recording:
        Counted.apply(x).sum().backward()
    whole(recording.trace)
    assert calls == ["backward", "hook"]
    assert torch.equal(x.grad, torch.tensor([0.7, 0.8]) + torch.tensor([3.0, 3.0]))


def test_T13_apply_and_saved_tensors_of_a_python_function() -> None:
    """The node of a Python Function: the op is its `apply`, its saved tensors are accounted for, its rule is the user's own backward."""
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        c = Keeper.apply(a, b)
        c.sum().backward(retain_graph=True)
    trace = whole(recording.trace)
    node = named(trace, "c")
    assert (node.op, node.autograd, node.status) == ("Keeper", "KeeperBackward", "executed")
    assert node.source is not None and node.source.expression == "Keeper.apply(a, b)"
    (saved,) = [saved for saved in node.saved if saved.name.startswith("tensors")]
    assert (saved.shape, saved.dtype, saved.bytes, saved.state) == ((2,), "float32", 8, "kept")
    assert saved.shared_with == named(trace, "a").id
    same(edge(trace, named(trace, "a"), node).gradient, torch.tensor([3.0, 4.0]))
    same(edge(trace, named(trace, "b"), node).gradient, torch.tensor([1.0, 2.0]))


def test_T13_tensors_kept_as_attributes_are_accounted_for() -> None:
    """Tensors kept as ctx attributes, alone and in lists and tuples, stand among the saved ones by their attribute; numbers do not."""
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        c = Keeper.apply(a, b)
        c.sum().backward()
    trace = whole(recording.trace)
    saved = {saved.name: saved for saved in named(trace, "c").saved}
    assert list(saved) == ["tensors[0]", "ctx.kept", "ctx.several[0]", "ctx.several[1][0]"]
    assert [one.bytes for one in saved.values()] == [8] * 4
    assert saved["ctx.several[0]"].shared_with == named(trace, "b").id
    assert saved["ctx.several[1][0]"].shared_with == named(trace, "a").id
    assert [one.state for one in saved.values()] == ["freed", "kept", "kept", "kept"]  # torch frees only what it was given to save


def test_T14_the_hook_is_named_in_the_finding() -> None:
    """What the recorder learned of hooks stands on the node and in the finding; one hook did it, of several at least one."""
    parts = [
        GraphNode(0, "MulBackward0", 1, [(1, 0)], [Note((), "float32")], received=[Note((), "float32", values=1.0)]),
        GraphNode(1, "MulBackward0", 0, [], [Note((), "float32")], received=[Note((), "float32", values=2.5)]),
    ]
    parts[0].sent = [Note((), "float32", values=5.0)]
    here = Pass(1, 0, 0, nodes=parts, roots=[(0, 0, Note((), "float32", values=1.0))], order=[0, 1], started=True)
    about = Circumstances("hooked", MadeWith("0", "0", "0", "cpu", "float32", None))
    for hooks, words in (
        ([], "a hook replaced it"),
        (["halve"], "its hook halve replaced it"),
        (["look", "<lambda>"], "(look, <lambda>) at least one"),
    ):
        parts[1].hooks = hooks
        trace = assemble([], here, Owners(), about)
        (finding,) = [finding for finding in trace.findings if finding.kind == "replaced_gradient"]
        assert words in finding.message["en"]
        assert all(hook in finding.message["ko"] for hook in hooks)
        (node,) = [node for node in trace.nodes if node.id == finding.node]
        assert node.hooks == tuple(hooks)
        assert node.gradients[0] is not None and node.gradients[0].item == 2.5
        assert from_document(to_document(trace)).nodes == trace.nodes


def test_T14_the_users_hook_is_named() -> None:
    """A hook by its function's name, a lambda as Python calls it; ours and those that only look at what left the node are not named."""

    def halve(gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 0.5

    x = torch.tensor(1.0, requires_grad=True)
    with explorer.record() as recording:
        h = x * 3
        h.register_hook(halve)
        i = h * 2
        i.register_hook(lambda gradient: gradient * 0.5)
        loss = i * 5
        loss.grad_fn.register_hook(lambda sent, received: None)
        loss.backward()
    trace = whole(recording.trace)
    assert (named(trace, "h").hooks, named(trace, "i").hooks, named(trace, "loss").hooks) == (("halve",), ("<lambda>",), ())
    messages = {finding.node: finding.message["en"] for finding in trace.findings if finding.kind == "replaced_gradient"}
    assert "its hook halve" in messages[named(trace, "h").id]
    assert "its hook <lambda>" in messages[named(trace, "i").id]


@pytest.mark.parametrize("how", ["data", "in place", "returned", "looks"])
@pytest.mark.parametrize("other", [False, True])
def test_T14_a_pre_hook_of_a_node_that_changes_what_it_is_given(how: str, other: bool) -> None:
    """The edge before the node carries what was sent along it, the node received what its pre-hook made of it, and the hook is named."""

    def tripled(gradients: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if how == "data":
            gradients[0].data.mul_(3)
        elif how == "in place":
            gradients[0].mul_(3)
        return (gradients[0] * 3,) if how == "returned" else None

    def program() -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = x * 3
        if other:
            y.register_hook(lambda gradient: None)
        y.grad_fn.register_prehook(tripled)
        z = y * 5
        z.sum().backward()
        return x, y

    x, _ = program()
    with explorer.record() as recording:
        torch.ones(2, requires_grad=True).mul(2).sum().backward()  # a pass in which there is none
        again, _ = program()
    trace = whole(recording.trace)
    factor = 1.0 if how == "looks" else 3.0
    assert again.grad.tolist() == x.grad.tolist() == [15 * factor] * 2
    node, product = named(trace, "y"), named(trace, "z")
    assert tensor(edge(trace, node, product).gradient).tolist() == [5.0, 5.0]
    assert tensor(node.gradients[0]).tolist() == [5 * factor] * 2
    assert tensor(edge(trace, named(trace, "x"), node).gradient).tolist() == [15 * factor] * 2
    assert node.hooks == (("<lambda>", "tripled") if other else ("tripled",))
    assert [finding.node for finding in trace.findings if finding.kind == "replaced_gradient"] == [node.id] * (how != "looks")
    assert not [finding for finding in recording.traces[0].findings if finding.kind == "replaced_gradient"]
    assert all(not node.hooks for node in recording.traces[0].nodes)


def test_T15_edges_show_what_flowed_after_the_hook() -> None:
    """The edge that a post-hook of the user's rewrote carries what it was rewritten to, and nobody is said to have replaced anything."""
    x = torch.tensor(1.0, requires_grad=True)
    with explorer.record() as recording:
        h = x * 3
        loss = h * 5
        loss.grad_fn.register_hook(lambda sent, received: (sent[0] * 100, *sent[1:]))
        loss.backward()
    trace = whole(recording.trace)
    assert edge(trace, named(trace, "h"), named(trace, "loss")).gradient.item == 500.0
    assert named(trace, "loss").gradients[0].item == 1.0
    assert "replaced_gradient" not in {finding.kind for finding in trace.findings}


@pytest.mark.parametrize("when", ["before", "inside", "between"])
def test_T16_hooks_registered_at_any_time(when: str) -> None:
    """A hook of the user's that was there before the recording, or comes in it, or between two passes, sees and does as without us."""

    def program(recording: object = None) -> tuple[list[float], list[torch.Tensor]]:
        seen: list[float] = []

        def scale(gradient: torch.Tensor) -> torch.Tensor:
            seen.append(gradient.item())
            return gradient * 10

        x = torch.tensor(2.0, requires_grad=True)
        y = x * 3
        gradients = []
        if when == "before":
            y.register_hook(scale)
        with recording or contextlib.nullcontext():
            if when == "inside":
                y.register_hook(scale)
            for _ in range(2):
                (gradient,) = torch.autograd.grad(y * 5, x, retain_graph=True)
                gradients.append(gradient)
                if when == "between" and not seen and len(gradients) == 1:
                    y.register_hook(scale)
        (after,) = torch.autograd.grad(y * 5, x)
        return seen, [*gradients, after]

    plain = program()
    recording = explorer.record()
    watched = program(recording)
    assert watched == plain
    assert len(recording.traces) == 2
    for trace in recording.traces:
        trace.check()
    assert [trace.nodes[trace.backward[0]].autograd for trace in recording.traces] == ["MulBackward0"] * 2


def test_T20_the_trace_holds_nothing_and_leaves_nothing() -> None:
    """After `del trace` and gc the trace itself is gone, its graph, and what a checkpoint and a hook of the user's held."""
    with explorer.record() as recording:
        model, x = nn.Sequential(nn.Linear(2, 2), nn.Tanh()), torch.ones(1, 2, requires_grad=True)
        hidden = checkpoint(model, x, use_reentrant=False)
        hidden.register_hook(lambda gradient: gradient * 2)
        loss = hidden.sum()
        loss.backward(retain_graph=True)
    trace = whole(recording.trace)
    watched = [weakref.ref(thing) for thing in (model, model[0].weight, x, hidden, loss, recording)]
    nodes = [weakref.ref(node) for node in trace.nodes[:1]] if hasattr(trace.nodes[0], "__weakref__") else []
    del model, x, hidden, loss, recording, trace
    gc.collect()
    assert [reference() for reference in (*watched, *nodes)] == [None] * (6 + len(nodes))
    assert gc.garbage == []


def test_T21_reading_the_structure_recomputes_nothing() -> None:
    """`explorer.trace(loss)` of a checkpointed graph runs the user's forward not once more, and neither does drawing it."""
    calls: list[int] = []

    def block(value: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return value.sin().exp()

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    loss = checkpoint(block, x, use_reentrant=False).sum()
    trace = whole(explorer.trace(loss))
    assert len(calls) == 1
    assert [node.autograd for node in trace.nodes if node.kind == "op"] == ["SinBackward0", "ExpBackward0", "SumBackward0"]
    loss.backward()
    assert len(calls) == 2


def test_T34_double_backward_is_a_pass_of_its_own() -> None:
    """d/dx of (d/dx x³)² at 2: pass 2 goes through the ops of the first backward, and brings 2 * 3x² * 6x = 288."""
    x = torch.tensor(2.0, requires_grad=True)
    with explorer.record() as recording:
        y = x**3
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        penalty = slope**2
        penalty.backward()
    first, second = map(whole, recording.traces)
    assert (first.number, second.number, first.passes, second.passes) == (1, 2, 2, 2)
    assert [node.autograd for node in first.nodes] == ["AccumulateGrad", "PowBackward0"]
    assert first.nodes[first.backward[0]].name == "y"
    assert named(first, "x").gradients[0].item == 12.0
    assert x.grad is not None and named(second, "x").gradients[0].item == x.grad.item() == 288.0
    made = [node for node in second.nodes if node.source is not None and "autograd.grad" in node.source.expression]
    assert {"pow", "mul"} <= {node.op for node in made}
    assert all(node.status == "executed" for node in made if node.autograd)
    assert named(second, "slope").outputs[0].item == 12.0
    assert named(second, "slope").gradients[0].item == 24.0
    assert not [node for node in second.nodes if node.name == "y"]
