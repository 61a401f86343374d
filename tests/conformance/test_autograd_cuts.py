"""What autograd does to a tracer: where no gradient flows, and why (T23, T32, T37, T40)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import explorer
from explorer.model import Trace
from tests.conformance.reading import edge, edges_into, edges_out, named, op, ops, same, whole


def kinds(trace: Trace) -> set[str]:
    """The kinds of the findings of a trace."""
    return {finding.kind for finding in trace.findings}


def test_T23_nodes_that_did_not_run() -> None:
    """After `autograd.grad(loss, w)` the branch of v did not run: it says so and has no gradient, not zero."""
    w, v = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    with explorer.record() as recording:
        left = w * 5
        right = v * 7
        loss = left * right
        (brought,) = torch.autograd.grad(loss, w)
    trace = whole(recording.trace)
    assert brought.item() == 105.0
    for name in ("right", "v"):
        node = named(trace, name)
        assert node.status == "not executed", name
        assert node.gradients == (None,), name
        assert node.id not in trace.backward
    assert edge(trace, named(trace, "v"), named(trace, "right")).gradient is None
    assert edge(trace, named(trace, "v"), named(trace, "right")).differentiable
    assert edge(trace, named(trace, "left"), named(trace, "loss")).gradient.item == 21.0
    assert edge(trace, named(trace, "w"), named(trace, "left")).gradient.item == 105.0
    assert named(trace, "w").gradients[0] is not None
    assert named(trace, "w").gradients[0].item == 105.0
    assert w.grad is None
    assert v.grad is None
    for name in ("w", "v"):
        accumulated = named(trace, name).accumulated
        assert accumulated is None or (accumulated.before, accumulated.after) == (None, None)


def test_T23_backward_for_chosen_inputs() -> None:
    """`backward(inputs=[w])` runs w's branch alone; the rest says "not executed"."""
    w, v = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    with explorer.record() as recording:
        loss = (w * 5) * (v * 7)
        loss.backward(inputs=[w])
    trace = whole(recording.trace)
    assert named(trace, "w").status == "executed"
    assert named(trace, "w").gradients[0].item == 105.0
    assert named(trace, "v").status == "not executed"
    assert named(trace, "v").gradients == (None,)
    assert v.grad is None


def test_T23_a_branch_the_loss_does_not_use() -> None:
    """A branch that leads nowhere is part of the record, was not executed, and is not reached."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        unused = w.exp()  # noqa: F841
        loss = (w * 2).sum()
        loss.backward()
    trace = whole(recording.trace)
    node = named(trace, "unused")
    assert node.status in ("not executed", "no gradient")
    assert node.reason == "not reached"
    assert node.gradients == (None,)
    assert edge(trace, named(trace, "w"), node).gradient is None
    same(named(trace, "w").gradients[0], w.grad)


def test_T32_forward_that_raises() -> None:
    """A forward that raises gives a partial trace that ends at the failing line; nothing stays installed (the guard looks)."""
    x, layer = torch.ones(1, 2), nn.Linear(2, 3)

    def program() -> None:
        activated = layer(x).relu()
        wrong = activated @ torch.ones(5, 2)
        wrong.exp().sum().backward()

    with pytest.raises(RuntimeError, match="shapes"), explorer.record() as recording:
        program()
    trace = whole(recording.trace)
    assert trace.partial
    assert "activated" in {name for node in trace.nodes for name in node.names}
    assert ops(trace, "exp") == []
    assert trace.backward == ()
    assert all(gradient is None for node in trace.nodes for gradient in node.gradients)
    (error,) = [finding for finding in trace.findings if finding.kind == "user_error"]
    assert error.severity == "error"
    assert error.source is not None
    assert error.source.expression == "activated @ torch.ones(5, 2)"
    assert "shapes" in error.message["en"]
    assert error.message["ko"]


def test_T32_module_stack_stays_balanced() -> None:
    """After a module raised inside its forward and the user went on, later ops stand in their own modules."""

    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = nn.Linear(2, 2), nn.Linear(2, 1)
            self.bad = nn.Linear(5, 1)

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            try:
                self.bad(value)
            except RuntimeError:
                pass
            return self.outer(self.inner(value))

    model = Fragile()
    with explorer.record() as recording:
        loss = model(torch.ones(1, 2)).sum()
        loss.backward()
    trace = whole(recording.trace)
    assert [node.module for node in ops(trace, "addmm") if node.status == "executed"] == ["inner", "outer"]
    assert op(trace, "sum").module == ""
    assert not trace.partial


def test_T32_nothing_stays_after_an_error_in_a_hidden_module() -> None:
    """A recording that ended in an error does not change the next one."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(RuntimeError), explorer.record():
        model(torch.ones(1, 2))
    good = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with explorer.record() as recording:
        good(torch.ones(1, 2)).sum().backward()
    trace = whole(recording.trace)
    assert [node.module for node in ops(trace, "addmm", "relu")] == ["0", "1", "2"]


def test_T37_detach_is_a_cut() -> None:
    """`b = a.detach() * a`: the edge into detach is broken, detach says so, and only the other factor brings a gradient."""
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    with explorer.record() as recording:
        b = a.detach() * a
        b.sum().backward()
    trace = whole(recording.trace)
    cut, product = op(trace, "detach"), named(trace, "b")
    assert (cut.status, cut.reason, cut.autograd) == ("no gradient", "detach", None)
    assert cut.source is not None
    assert cut.source.expression == "a.detach()"
    broken = edge(trace, named(trace, "a"), cut)
    assert (broken.differentiable, broken.gradient) == (False, None)
    links = {e.input: e for e in edges_into(trace, product)}
    assert (links[0].source, links[0].differentiable, links[0].gradient) == (cut.id, False, None)
    same(links[1].gradient, torch.tensor([2.0, 3.0]))
    same(named(trace, "a").gradients[0], torch.tensor([2.0, 3.0]))


def test_T37_no_grad_region() -> None:
    """Ops under `no_grad` have no autograd node and the reason "no_grad"; those outside are not touched by it."""
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    with explorer.record() as recording:
        with torch.no_grad():
            scale = a * 10
            factor = scale.exp()
        c = a * 4
        (c * factor).sum().backward()
    trace = whole(recording.trace)
    for name in ("scale", "factor"):
        node = named(trace, name)
        assert (node.status, node.reason, node.autograd, node.gradients) == ("no gradient", "no_grad", None, (None,))
    assert not edge(trace, named(trace, "a"), named(trace, "scale")).differentiable
    assert not edge(trace, named(trace, "scale"), named(trace, "factor")).differentiable
    assert named(trace, "c").status == "executed"
    assert "no_grad" in kinds(trace) or "detached" not in kinds(trace)


def test_T37_item_and_long_are_cuts() -> None:
    """`.item()` and `.long()` break the flow; each is shown, with its reason, where it happens."""
    a = torch.tensor([2.5, 3.5], requires_grad=True)
    with explorer.record() as recording:
        whole_numbers = a.long()
        scale = a.sum().item()
        b = a * whole_numbers * scale
        b.sum().backward()
    trace = whole(recording.trace)
    cast = named(trace, "whole_numbers")
    assert (cast.status, cast.reason, cast.gradients) == ("no gradient", "integer", (None,))
    assert cast.source is not None
    assert cast.source.expression == "a.long()"
    assert not edge(trace, named(trace, "a"), cast).differentiable
    (read,) = [node for node in trace.nodes if node.source is not None and node.source.expression == "a.sum().item()"]
    assert read.op in ("item", "_local_scalar_dense")
    assert read.status == "no gradient"
    assert read.reason is not None
    same(read.outputs[0], torch.tensor(6.0))
    (into,) = edges_into(trace, read)
    assert not into.differentiable
    assert trace.nodes[into.source].op == "sum"
    same(named(trace, "a").gradients[0], a.grad)


def test_T37_argmax_and_comparison_are_integer_cuts() -> None:
    """`argmax` and `>` give integers and booleans: no gradient, reason "integer"."""
    a = torch.tensor([2.5, 3.5], requires_grad=True)
    with explorer.record() as recording:
        best = a.argmax()
        mask = a > 3
        (a[best] + (a * mask).sum()).backward()
    trace = whole(recording.trace)
    for name in ("best", "mask"):
        node = named(trace, name)
        assert (node.status, node.reason) == ("no gradient", "integer"), name
        assert not edge(trace, named(trace, "a"), node).differentiable
    same(named(trace, "a").gradients[0], torch.tensor([0.0, 2.0]))


def test_T40_inner_detach_is_not_a_cut() -> None:
    """exp, sigmoid, tanh, sqrt, softmax and relu keep their result by an inner detach; that is nobody's cut."""
    x = torch.tensor([0.5, 1.5], requires_grad=True)
    with explorer.record() as recording:
        y = F.relu(x).exp().sigmoid().tanh().sqrt().softmax(0).log_softmax(0)
        y.sum().backward()
    trace = whole(recording.trace)
    assert ops(trace, "detach", "alias") == []
    assert "detached" not in kinds(trace)
    assert [node.op for node in trace.nodes if node.reason == "detach"] == []
    assert [node.op for node in trace.nodes if node.kind == "op"] == [
        "relu",
        "exp",
        "sigmoid",
        "tanh",
        "sqrt",
        "_softmax",
        "_log_softmax",
        "sum",
    ]


def test_T40_healthy_relu_network_has_no_detached() -> None:
    """A plain ReLU network with softmax loss has no cut and no warning about one."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 2))
    with explorer.record() as recording:
        F.cross_entropy(model(torch.randn(5, 3)), torch.tensor([0, 1, 0, 1, 1])).backward()
    trace = whole(recording.trace)
    assert kinds(trace) & {"detached", "integer_cut", "no_grad"} == set()
    assert ops(trace, "detach") == []


def test_T40_data_is_a_cut() -> None:
    """`(w*2).data * v` cuts w off: the finding `detached` names the line, and w gets nothing, not zero."""
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        y = (w * 2).data * v
        y.sum().backward()
    trace = whole(recording.trace)
    cut = op(trace, "detach")
    assert (cut.status, cut.reason) == ("no gradient", "detach")
    (finding,) = [f for f in trace.findings if f.kind == "detached"]
    assert finding.severity == "warning"
    assert finding.source is not None
    assert finding.source.expression == "(w * 2).data"
    (product,) = [trace.nodes[e.source] for e in edges_into(trace, cut)]
    assert product.op == "mul"
    assert product.autograd in ("MulBackward0", None)
    assert product.status == "not executed"
    w_node = named(trace, "w")
    assert w_node.status == "not executed"
    assert w_node.gradients == (None,)
    assert w.grad is None
    assert [e.gradient for e in edges_out(trace, w_node)] == [None]
    same(named(trace, "v").gradients[0], v.grad)


@pytest.mark.xfail(
    strict=True,
    reason="torch.detach called by the very instruction that just ran the op looks exactly like the op keeping its own result",
)
def test_T40_detach_in_a_loop_over_functions() -> None:
    """A cut that is called from the very line that called relu before it is the user's cut all the same."""
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    with explorer.record() as recording:
        value = x
        for function in (torch.relu, torch.detach):
            value = function(value)
        (x * value).sum().backward()
    trace = whole(recording.trace)
    cut = op(trace, "detach")
    assert (cut.status, cut.reason) == ("no gradient", "detach")
    assert not edge(trace, op(trace, "relu"), cut).differentiable
    same(named(trace, "x").gradients[0], torch.tensor([1.0, 0.0]))
