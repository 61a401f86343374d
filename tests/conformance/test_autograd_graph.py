"""What autograd does to a tracer: which node belongs to which op (T2-T7)."""

from __future__ import annotations

import threading
from collections import Counter

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from explorer.model import Trace
from tests.conformance.reading import close, edge, edges_into, named, op, ops, same, whole

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
    assert node.source is not None
    assert node.source.expression == "Product.apply(a, b)"
    same(node.outputs[0], a.detach() @ b.detach())
    first, second = (e for e in edges_into(trace, node) if e.differentiable)
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
    assert node.formula is not None
    assert node.formula.source == "user code"
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
    assert mutated.source is not None
    assert mutated.source.expression == "a[:, 1:3].mul_(3)"
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
    assert torch.equal(plain[0], watched[0])
    assert torch.equal(plain[1], watched[1])
    same(named(trace, "x").gradients[0], plain[1])


def test_T03_two_threads_traced_at_once() -> None:
    """Two threads that record at the same time, step by step, get two correct traces, although their sequence numbers are the same."""
    together = threading.Barrier(2, timeout=30)
    traces: dict[str, list[Trace]] = {}
    sequences: dict[str, list[int]] = {}

    def program(name: str, factor: float) -> None:
        with explorer.record(title=name) as recording:
            x = torch.tensor([factor], requires_grad=True)
            y = x
            numbers = []
            for _ in range(5):
                together.wait()
                y = y * x if name == "left" else (y + x).sin()
                numbers.append(y.grad_fn._sequence_nr())
            loss = y.sum()
            together.wait()
            loss.backward()
            together.wait()
        traces[name], sequences[name] = recording.traces, numbers

    threads = [threading.Thread(target=program, args=("left", 2.0)), threading.Thread(target=program, args=("right", 0.5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sequences["left"], sequences["right"]) == ([0, 1, 2, 3, 4], [1, 3, 5, 7, 9])
    (left,), (right,) = traces["left"], traces["right"]
    assert [node.op for node in whole(left).nodes] == [None, *["mul"] * 5, "sum"]
    assert [node.op for node in whole(right).nodes] == [None, *["add", "sin"] * 5, "sum"]
    assert named(left, "x").gradients[0].item == 6 * 2.0**5
    with torch.enable_grad():
        x = torch.tensor([0.5], requires_grad=True)
        y = x
        for _ in range(5):
            y = (y + x).sin()
        y.sum().backward()
    same(named(right, "x").gradients[0], x.grad)
    assert (left.loss, right.loss) == (2.0**6, y.item())
