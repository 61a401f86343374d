"""What autograd does to a tracer: which edge goes where, with which contribution (T11, T25, T26, T35, T36)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer
from tests.conformance.reading import close, edge, edges_into, edges_out, named, op, same, tensor, whole


class Scaled(torch.autograd.Function):
    """Takes a number between its two tensors."""

    @staticmethod
    def forward(ctx, w, factor, v):
        ctx.factor = factor
        return w * factor + v

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None, gradient


def test_T11_contribution_is_reduced_over_a_broadcast() -> None:
    """The gradient on the edge to a broadcast operand has the operand's shape, and is what the engine delivered."""
    a = torch.arange(15.0).reshape(3, 5).requires_grad_()
    b = torch.arange(5.0).requires_grad_()
    c = torch.arange(3.0).reshape(3, 1).requires_grad_()
    weight = torch.arange(1.0, 16.0).reshape(3, 5)
    with explorer.record() as recording:
        s = a + b
        p = s * c
        (p * weight).sum().backward()
    trace = whole(recording.trace)
    s_node, p_node = named(trace, "s"), named(trace, "p")
    same(edge(trace, named(trace, "a"), s_node).gradient, a.grad)
    same(edge(trace, named(trace, "b"), s_node).gradient, b.grad)
    assert edge(trace, named(trace, "b"), s_node).gradient.shape == (5,)
    assert edge(trace, named(trace, "c"), p_node).gradient.shape == (3, 1)
    same(edge(trace, named(trace, "c"), p_node).gradient, c.grad)
    close(edge(trace, s_node, p_node).gradient, weight * c.detach())
    assert [e.input for e in edges_into(trace, s_node)] == [0, 1]


def test_T11_contribution_is_cast() -> None:
    """The contribution along an edge to a float32 leaf is float32, although the product was made in float64."""
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, dtype=torch.float64, requires_grad=True)
    with explorer.record() as recording:
        p = a * b
        p.sum().backward()
    trace = whole(recording.trace)
    p_node = named(trace, "p")
    assert p_node.outputs[0].dtype == "float64"
    assert edge(trace, named(trace, "a"), p_node).gradient.dtype == "float32"
    assert edge(trace, named(trace, "b"), p_node).gradient.dtype == "float64"


def test_T25_two_edges_to_one_tensor() -> None:
    """`x*x` has two edges from x, each with its own contribution; their sum is the gradient."""
    x = torch.tensor(3.0, requires_grad=True)
    with explorer.record() as recording:
        y = x * x
        y.backward()
    trace = whole(recording.trace)
    first, second = edges_into(trace, named(trace, "y"))
    assert {first.source, second.source} == {named(trace, "x").id}
    assert (first.input, second.input, first.output, second.output) == (0, 1, 0, 0)
    assert (first.gradient.item, second.gradient.item, named(trace, "x").gradients[0].item) == (3.0, 3.0, 6.0)


def test_T25_two_different_contributions() -> None:
    """`x**2 * x`: the edges carry x*g through the power and x² directly, and meet in 3x²."""
    x = torch.tensor(2.0, requires_grad=True)
    with explorer.record() as recording:
        square = x**2
        cube = square * x
        cube.backward()
    trace = whole(recording.trace)
    node = named(trace, "x")
    assert edge(trace, node, named(trace, "cube")).gradient.item == 4.0
    assert edge(trace, node, named(trace, "square")).gradient.item == 8.0
    assert edge(trace, named(trace, "square"), named(trace, "cube")).gradient.item == 2.0
    assert node.gradients[0].item == 12.0


def test_T25_tied_weights() -> None:
    """A weight shared by two modules is one node with both names, both uses and both contributions."""

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
            self.second.weight = self.first.weight

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(value))

    model, x = Tied(), torch.tensor([[1.0, 2.0]])
    with explorer.record() as recording:
        model(x).sum().backward()
    trace = whole(recording.trace)
    (weight,) = [node for node in trace.nodes if node.kind == "parameter"]
    assert weight.name == "first.weight"
    assert set(weight.names) == {"first.weight", "second.weight"}
    uses = edges_out(trace, weight)
    assert sorted(trace.nodes[e.target].module for e in uses) == ["first", "second"]
    total = sum(tensor(e.gradient) for e in uses)
    torch.testing.assert_close(total, model.first.weight.grad)
    assert not torch.equal(tensor(uses[0].gradient), tensor(uses[1].gradient))
    same(weight.gradients[0], model.first.weight.grad)


def test_T26_slots_are_not_arguments_of_a_function() -> None:
    """`Scaled.apply(p, 3, q)`: the inputs are the tensors p and q, each with its own contribution."""
    p, q = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([5.0, 6.0], requires_grad=True)
    with explorer.record() as recording:
        y = Scaled.apply(p, 3, q)
        z = Scaled.apply(y, 2, y)
        z.sum().backward()
    trace = whole(recording.trace)
    y_node, z_node = named(trace, "y"), named(trace, "z")
    assert (y_node.autograd, z_node.autograd) == ("ScaledBackward", "ScaledBackward")
    same(y_node.outputs[0], y)
    first, second = (e for e in edges_into(trace, y_node) if e.differentiable)
    assert (first.source, first.input) == (named(trace, "p").id, 0)
    assert (second.source, second.input) == (named(trace, "q").id, 1)
    same(first.gradient, torch.tensor([9.0, 9.0]))
    same(second.gradient, torch.tensor([3.0, 3.0]))
    assert [(e.source, e.input, e.gradient.values) for e in edges_into(trace, z_node) if e.differentiable] == [
        (y_node.id, 0, (2.0, 2.0)),
        (y_node.id, 1, (1.0, 1.0)),
    ]


def test_T26_slots_are_not_arguments_of_an_op() -> None:
    """In `where(condition, x, y)` the condition is input 0 and not followed; x and y are inputs 1 and 2."""
    x, y = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        condition = x > 0
        z = torch.where(condition, x, y)
        (z * 2).sum().backward()
    trace = whole(recording.trace)
    by_input = {e.input: e for e in edges_into(trace, named(trace, "z"))}
    assert [by_input[i].source for i in range(3)] == [named(trace, name).id for name in ("condition", "x", "y")]
    assert [by_input[i].differentiable for i in range(3)] == [False, True, True]
    assert by_input[0].gradient is None
    same(by_input[1].gradient, torch.tensor([2.0, 0.0]))
    same(by_input[2].gradient, torch.tensor([0.0, 2.0]))


def test_T26_a_bias_comes_first_in_addmm() -> None:
    """Inputs follow the op's own arguments: in `addmm(bias, x, weight.t())` the bias is input 0."""
    layer, x = nn.Linear(2, 3), torch.ones(1, 2, requires_grad=True)
    with explorer.record() as recording:
        layer(x).sum().backward()
    trace = whole(recording.trace)
    inputs = [trace.nodes[e.source] for e in edges_into(trace, op(trace, "addmm"))]
    assert [node.name or node.op for node in inputs] == ["bias", "x", "t"]


def test_T26_index_outputs_carry_no_gradient() -> None:
    """The indices of `topk` and `max` are outputs without gradient, and what reads them is reached by a broken edge."""
    w = torch.tensor([4.0, 9.0, 1.0, 7.0], requires_grad=True)
    other = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        values, indices = w.topk(2)
        largest, _ = w.max(0)
        picked = other[indices]
        (values * picked).sum().add(largest).backward()
    trace = whole(recording.trace)
    top, biggest, pick = op(trace, "topk"), op(trace, "max"), named(trace, "picked")
    assert [note.dtype for note in top.outputs] == ["float32", "int64"]
    same(top.outputs[1], indices)
    same(top.gradients[0], torch.tensor([2.0, 4.0]))
    assert top.gradients[1] is None
    assert biggest.gradients[1] is None
    assert biggest.gradients[0].item == 1.0
    link = edge(trace, top, pick)
    assert (link.output, link.input, link.differentiable, link.gradient) == (1, 1, False, None)
    same(edge(trace, named(trace, "other"), pick).gradient, torch.tensor([0.0, 9.0, 0.0, 7.0]))
    same(named(trace, "w").gradients[0], torch.tensor([0.0, 3.0, 0.0, 4.0]))


def test_T35_unbind_keeps_output_numbers() -> None:
    """Rows of `unbind` leave one node by their own output number; an unused row has no gradient, not zero."""
    w = torch.arange(6.0).reshape(3, 2).requires_grad_()
    with explorer.record() as recording:
        a, b, c = w.unbind(0)
        y = a + c * 3
        y.sum().backward()
    trace = whole(recording.trace)
    node = op(trace, "unbind")
    assert len(node.outputs) == 3
    assert {"a", "b", "c"} <= set(node.names)
    assert [(e.output, trace.nodes[e.target].op) for e in edges_out(trace, node)] == [(2, "mul"), (0, "add")] or [
        (e.output, trace.nodes[e.target].op) for e in edges_out(trace, node)
    ] == [(0, "add"), (2, "mul")]
    same(node.gradients[0], torch.ones(2))
    assert node.gradients[1] is None
    same(node.gradients[2], torch.full((2,), 3.0))
    same(node.outputs[1], b)


@pytest.mark.parametrize("way", ["split", "chunk", "tensor_split"])
def test_T35_split_keeps_output_numbers(way: str) -> None:
    """Pieces of `split` and `chunk` of one node keep their number, whatever the order they are used in."""
    w = torch.arange(6.0, requires_grad=True)
    with explorer.record() as recording:
        first, second, third = w.split(2) if way == "split" else getattr(w, way)(3)
        loss = (third * 5).sum() + (first * 2).sum() + second.sum()
        loss.backward()
    trace = whole(recording.trace)
    same(named(trace, "w").gradients[0], torch.tensor([2.0, 2.0, 1.0, 1.0, 5.0, 5.0]))
    if way == "tensor_split":
        return
    node = op(trace, "split")
    assert sorted((e.output, e.gradient.values) for e in edges_out(trace, node)) == [(0, (2.0, 2.0)), (1, (1.0, 1.0)), (2, (5.0, 5.0))]
    assert [note.values for note in node.outputs] == [(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)]


def test_T36_input_reaches_output_through_setitem() -> None:
    """`y = zeros; y[0] = x[0]` is connected: x, its row, the assignment, the sum."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with explorer.record() as recording:
        y = torch.zeros(2, 2)
        y[0] = x[0]
        (y * 3).sum().backward()
    trace = whole(recording.trace)
    written = op(trace, "copy_")
    assert written.autograd is not None
    assert written.autograd.endswith("CopySlices")
    assert "y" in written.names
    same(written.outputs[0], torch.tensor([[1.0, 2.0], [0.0, 0.0]]))
    (row,) = [trace.nodes[e.source] for e in edges_into(trace, written) if e.differentiable and e.gradient is not None]
    assert row.autograd == "SelectBackward0"
    same(edge(trace, row, written).gradient, torch.tensor([3.0, 3.0]))
    same(edge(trace, named(trace, "x"), row).gradient, torch.tensor([[3.0, 3.0], [0.0, 0.0]]))
    assert edge(trace, written, op(trace, "mul")).gradient.values == ((3.0, 3.0), (3.0, 3.0))
