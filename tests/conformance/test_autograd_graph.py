"""What autograd does to a tracer, first part: which node belongs to which op, and which edge goes where (T2-T7, T11, T25, T26, T35, T36)."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from tests.conformance.reading import close, edge, edges_into, edges_out, named, op, ops, same, tensor, whole
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer

GRU_OPS = {
    "AddBackward0": {"add", "add_"},
    "AddmmBackward0": {"addmm"},
    "MulBackward0": {"mul", "mul_"},
    "SigmoidBackward0": {"sigmoid", "sigmoid_"},
    "SubBackward0": {"sub", "rsub"},
    "SumBackward0": {"sum"},
    "TBackward0": {"t"},
    "TanhBackward0": {"tanh", "tanh_"},
    "UnsafeSplitBackward0": {"unsafe_split"},
}


def node_names(loss: torch.Tensor) -> Counter[str]:
    """How often each node name occurs in a graph of torch, AccumulateGrad left out."""
    seen, stack = set(), [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack.extend(following for following, _ in node.next_functions)
    return Counter(node.name() for node in seen if not node.name().endswith("AccumulateGrad"))


class Product(torch.autograd.Function):
    """A matrix product whose forward runs a traced op."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, gradient):
        a, b = ctx.saved_tensors
        return gradient @ b.T, a.T @ gradient


class Scaled(torch.autograd.Function):
    """Takes a number between its two tensors."""

    @staticmethod
    def forward(ctx, w, factor, v):
        ctx.factor = factor
        return w * factor + v

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None, gradient


def test_T02_reused_ids_give_separate_nodes() -> None:
    """Ten temporaries whose grad_fn had one and the same id are ten products and ten sines, each with its own numbers."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        total = torch.zeros(())
        for i in range(1, 11):
            total = total + (x * i).sin().sum()
        total.backward()
    trace = whole(recording.trace)
    products, sines = ops(trace, "mul"), ops(trace, "sin")
    assert len(products) == len(sines) == 10
    for i, (product, sine) in enumerate(zip(products, sines, strict=True), start=1):
        assert (product.autograd, sine.autograd) == ("MulBackward0", "SinBackward0")
        same(product.outputs[0], x * i)
        same(sine.outputs[0], (x * i).sin())
        close(edge(trace, product, sine).gradient, (x * i).cos())
        close(edge(trace, named(trace, "x"), product).gradient, (x * i).cos() * i)
    same(named(trace, "x").gradients[0], x.grad)


def test_T03_two_threads_at_once() -> None:
    """Sequence numbers count per thread and start alike; ops of another thread are not mixed into this one's nodes."""
    import threading

    x = torch.tensor([2.0], requires_grad=True)
    results: list[torch.Tensor] = []

    def other() -> None:
        v = torch.tensor([5.0], requires_grad=True)
        (v.exp() * 3).sum().backward()
        results.append(v.grad)

    with explorer.record() as recording:
        y = x * x
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        y.sum().backward()
    trace = whole(recording.traces[-1])
    assert op(trace, "mul").autograd == "MulBackward0"
    same(op(trace, "mul").outputs[0], torch.tensor([4.0]))
    same(named(trace, "x").gradients[0], torch.tensor([4.0]))
    assert results[0].tolist() == (3 * torch.tensor([5.0]).exp()).tolist()


def test_T04_custom_function_blame() -> None:
    """The node of a custom Function belongs to its `apply`, not to the matmul inside its forward."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = torch.tensor([[5.0], [6.0]], requires_grad=True)
    with explorer.record() as recording:
        c = Product.apply(a, b)
        c.sum().backward()
    trace = whole(recording.trace)
    node = named(trace, "c")
    assert node.autograd == "ProductBackward"
    assert [n.autograd for n in trace.nodes if n.autograd and n.autograd.startswith("Mm")] == []
    assert node.source is not None and node.source.expression == "Product.apply(a, b)"
    same(node.outputs[0], a.detach() @ b.detach())
    first, second = edges_into(trace, node)
    assert (first.source, first.input, second.source, second.input) == (named(trace, "a").id, 0, named(trace, "b").id, 1)
    same(first.gradient, torch.tensor([[5.0, 6.0], [5.0, 6.0]]))
    same(second.gradient, torch.tensor([[4.0], [6.0]]))
    assert edge(trace, node, op(trace, "sum")).output == 0


def test_T04_custom_function_formula() -> None:
    """The rule of a custom Function is the user's own backward."""
    a = torch.ones(2, 2, requires_grad=True)
    with explorer.record() as recording:
        Product.apply(a, a).sum().backward()
    (node,) = [n for n in whole(recording.trace).nodes if n.autograd == "ProductBackward"]
    assert node.formula is not None and node.formula.source == "user code"
    assert "gradient @ b.T, a.T @ gradient" in node.formula.text


def test_T04_reentrant_checkpoint_blame() -> None:
    """A reentrant checkpoint is one node between its input and what follows; its inside runs as often as without us."""
    calls: list[int] = []

    def block(value: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return value.sin() * 2

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    with explorer.record() as recording:
        y = checkpoint(block, x, use_reentrant=True)
        y.sum().backward()
    assert len(calls) == 2
    trace = whole(recording.trace)
    node = named(trace, "y")
    assert node.autograd == "CheckpointFunctionBackward"
    same(node.outputs[0], x.detach().sin() * 2)
    assert edge(trace, node, op(trace, "sum")).differentiable
    same(edge(trace, named(trace, "x"), node).gradient, x.grad)
    assert recording.trace.passes == 1


def test_T05_in_place_op_that_saves_its_old_self() -> None:
    """In a GRUCell every node belongs to an op that can make it; none belongs to the clone that saves the old value."""
    torch.manual_seed(1)
    cell, x, h = nn.GRUCell(2, 3), torch.randn(1, 2), torch.randn(1, 3)
    plain = cell(x, h).sum()
    with explorer.record() as recording:
        loss = cell(x, h).sum()
        loss.backward()
    trace = whole(recording.trace)
    made = [node for node in trace.nodes if node.kind == "op" and node.autograd is not None]
    assert Counter(node.autograd for node in made) == node_names(plain)
    assert [(node.op, node.autograd) for node in made if node.op not in GRU_OPS[node.autograd]] == []
    assert {node.names for node in trace.nodes if node.kind == "parameter"} == {(name,) for name, _ in cell.named_parameters()}
    with torch.no_grad():
        from_x = (x @ cell.weight_ih.T + cell.bias_ih).chunk(3, 1)
        from_h = (h @ cell.weight_hh.T + cell.bias_hh).chunk(3, 1)
        r, z = (from_x[0] + from_h[0]).sigmoid(), (from_x[1] + from_h[1]).sigmoid()
        candidate = (from_x[2] + r * from_h[2]).tanh()
    gate, step = [node for node in made if node.autograd == "MulBackward0"]
    close(gate.outputs[0], r * from_h[2])
    close(step.outputs[0], (h - candidate) * z)


def test_T06_copy_slices_belongs_to_the_mutation() -> None:
    """`a[:, 1:3].mul_(3)`: CopySlices belongs to `mul_`, and the value shown is `a` after the mutation."""
    x = torch.arange(8.0).reshape(2, 4).requires_grad_()
    with explorer.record() as recording:
        a = x * 2
        a[:, 1:3].mul_(3)
        a.sum().backward()
    trace = whole(recording.trace)
    (mutated,) = [node for node in trace.nodes if node.autograd is not None and node.autograd.endswith("CopySlices")]
    assert mutated.op == "mul_"
    assert mutated.source is not None and mutated.source.expression == "a[:, 1:3].mul_(3)"
    same(mutated.outputs[0], torch.tensor([[0.0, 6.0, 12.0, 6.0], [8.0, 30.0, 36.0, 14.0]]))
    assert mutated.name == "a"
    product = op(trace, "mul")
    same(product.outputs[0], x.detach() * 2)
    same(edge(trace, product, mutated).gradient, torch.tensor([[1.0, 3.0, 3.0, 1.0]] * 2))
    same(mutated.gradients[0], torch.ones(2, 4))
    same(named(trace, "x").gradients[0], torch.tensor([[2.0, 6.0, 6.0, 2.0]] * 2))


def test_T07_reading_a_view_changes_nothing() -> None:
    """A view whose base changes gives the same graph and gradient with us as without us."""

    def program() -> tuple[torch.Tensor, torch.Tensor, str]:
        x = torch.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
        a = x * 1
        v = a[0]
        a.mul_(3)
        loss = (v * v).sum() + a.sum()
        loss.backward()
        return loss, x.grad, v.grad_fn.name()

    plain = program()
    with explorer.record() as recording:
        watched = program()
    trace = whole(recording.trace)
    assert watched[2] == plain[2] == "AsStridedBackward0"
    assert torch.equal(plain[0], watched[0]) and torch.equal(plain[1], watched[1])
    same(named(trace, "x").gradients[0], plain[1])


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
    """`Scaled.apply(w, 3, v)`: the inputs are the tensors w and v, each with its own contribution."""
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([5.0, 6.0], requires_grad=True)
    with explorer.record() as recording:
        y = Scaled.apply(w, 3, v)
        z = Scaled.apply(y, 2, y)
        z.sum().backward()
    trace = whole(recording.trace)
    y_node, z_node = named(trace, "y"), named(trace, "z")
    first, second = edges_into(trace, y_node)
    assert (first.source, first.input) == (named(trace, "w").id, 0)
    assert (second.source, second.input) == (named(trace, "v").id, 1)
    same(first.gradient, torch.tensor([9.0, 9.0]))
    same(second.gradient, torch.tensor([3.0, 3.0]))
    assert [(e.source, e.input, e.gradient.values) for e in edges_into(trace, z_node)] == [
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
    assert top.gradients[1] is None and biggest.gradients[1] is None
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
    assert written.autograd is not None and written.autograd.endswith("CopySlices")
    assert "y" in written.names
    same(written.outputs[0], torch.tensor([[1.0, 2.0], [0.0, 0.0]]))
    (row,) = [trace.nodes[e.source] for e in edges_into(trace, written) if e.differentiable and e.gradient is not None]
    assert row.autograd == "SelectBackward0"
    same(edge(trace, row, written).gradient, torch.tensor([3.0, 3.0]))
    same(edge(trace, named(trace, "x"), row).gradient, torch.tensor([[3.0, 3.0], [0.0, 0.0]]))
    assert edge(trace, written, op(trace, "mul")).gradient.values == ((3.0, 3.0), (3.0, 3.0))
