"""Programs made at random: whatever the ops and however they share their inputs, the trace says what plain torch says."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch

import explorer
from tests.conformance.reading import edges_into, same, whole

Tensors = list[torch.Tensor]
Step = tuple[str, tuple[int, ...]]

OPS: dict[str, tuple[int, Callable[..., torch.Tensor]]] = {
    "sin": (1, torch.sin),
    "tanh": (1, torch.tanh),
    "sigmoid": (1, torch.sigmoid),
    "relu": (1, torch.relu),
    "neg": (1, torch.neg),
    "t": (1, torch.t),
    "row": (1, lambda a: a[1:2]),
    "column": (1, lambda a: a[:, 0:1]),
    "sum": (1, lambda a: a.sum(0, keepdim=True)),
    "expand": (1, lambda a: a.expand(3, 3)),
    "detach": (1, lambda a: a.detach()),
    "add": (2, torch.add),
    "mul": (2, torch.mul),
    "sub": (2, torch.sub),
    "mm": (2, torch.mm),
    "cat": (2, lambda a, b: torch.cat([a, b])),
}


def fits(name: str, *inputs: torch.Tensor) -> bool:
    """Whether the op can run on these shapes."""
    shapes = [tuple(tensor.shape) for tensor in inputs]
    if name == "row":
        return shapes[0][0] == 3
    if name == "expand":
        return 1 in shapes[0] and shapes[0][0] in (1, 3)
    if name == "mm":
        return shapes[0][1] == shapes[1][0]
    if name == "cat":
        return shapes[0][1] == shapes[1][1] and shapes[0][0] + shapes[1][0] <= 6
    if name in ("add", "sub", "mul"):
        return all(a == b or 1 in (a, b) for a, b in zip(*shapes, strict=True))
    return True


def invent(seed: int, steps: int) -> list[Step]:
    """A program: each step an op and the numbers of earlier results it reads (0 to 2 are the leaves)."""
    chance, values, program = random.Random(seed), leaves(), []
    while len(program) < steps:
        name = chance.choice(list(OPS))
        arity, function = OPS[name]
        inputs = tuple(chance.randrange(len(values)) for _ in range(arity))
        if fits(name, *(values[i] for i in inputs)):
            program.append((name, inputs))
            with torch.no_grad():
                values.append(function(*(values[i] for i in inputs)))
    return program


def leaves() -> Tensors:
    """Two leaves that require grad and a constant."""
    torch.manual_seed(3)
    return [torch.randn(3, 3, requires_grad=True), torch.randn(1, 3, requires_grad=True), torch.randn(3, 1)]


def run(program: list[Step], *, keep: bool) -> Tensors:
    """Run it, sum up everything that needs gradients, go backward."""
    values = leaves()
    for name, inputs in program:
        values.append(OPS[name][1](*(values[i] for i in inputs)))
        if keep and values[-1].requires_grad:
            values[-1].retain_grad()
    loss = torch.stack([value.sum() for value in values if value.requires_grad]).sum()
    loss.backward()
    return values


@pytest.mark.parametrize("seed", range(25))
def test_random_program(seed: int) -> None:
    """Values, gradients and edges of every step are bit for bit those of plain torch, in the order of the steps."""
    program = invent(seed, 14)
    plain = run(program, keep=True)
    with explorer.record() as recording:
        watched = run(program, keep=False)
    trace = whole(recording.trace)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    steps = [node for node in trace.nodes if node.kind == "op"][: len(program)]
    numbers = {node.id: number for number, node in enumerate(steps, start=3)}
    for node in trace.nodes:
        if node.kind != "op":
            (numbers[node.id],) = [i for i, leaf in enumerate(plain[:3]) if torch.equal(leaf, torch.tensor(node.outputs[0].values))]
    for (name, inputs), node, value in zip(program, steps, plain[3:], strict=True):
        same(node.outputs[0], value)
        assert [(numbers[e.source], e.input) for e in edges_into(trace, node)] == [(i, n) for n, i in enumerate(inputs)], name
        assert [e.differentiable for e in edges_into(trace, node)] == [plain[i].requires_grad and name != "detach" for i in inputs], name
        if value.requires_grad:
            same(node.gradients[0], value.grad)
        else:
            assert (node.status, node.gradients) == ("no gradient", (None,)), name
            cut = name == "detach" and any(plain[i].requires_grad for i in inputs)  # a constant detached is no cut
            assert node.reason == ("detach" if cut else "constant"), name
    for number, leaf in enumerate(plain[:2]):
        (node,) = [node for node in trace.nodes if numbers.get(node.id) == number]
        same(node.gradients[0], leaf.grad)
