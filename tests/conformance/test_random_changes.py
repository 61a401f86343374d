"""Programs made at random that change tensors in place while others look at them: every number in the trace is one that truly flowed."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest
import torch

import explorer
from explorer.model import Trace
from tests.conformance.reading import whole
from tests.conformance.test_unforeseen_changes import in_place, through_data, through_numpy
from tests.conformance.witness import Witness, agree

Step = tuple[str, int, int]


def write_numpy(a: torch.Tensor) -> None:
    array = a.detach().numpy()
    array *= 0.75


MAKE: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": lambda a, b: a + b.sum(),
    "mul": lambda a, b: a * 1.5,
    "sub": lambda a, b: b.mean() - a,
    "t": lambda a, b: a.t(),
    "view": lambda a, b: a.reshape(b.shape),
    "row": lambda a, b: a[:1] + torch.zeros_like(b),
    "part": lambda a, b: torch.cat([a[1:], a[:1] * 2]),
    "clone": lambda a, b: a.clone(),
    "sin": lambda a, b: a.sin(),
}
CHANGE: dict[str, Callable[[torch.Tensor], object]] = {
    "mul_": lambda a: a.mul_(1.25),
    "add_": lambda a: a.add_(0.5),
    "setitem": lambda a: a.__setitem__(0, 3.0),
    "column": lambda a: a[:, 1].neg_(),
    "zero_": lambda a: a[1:2].zero_(),
    "data": lambda a: a.data.mul_(0.5),
    "detached": lambda a: a.detach().sub_(1.0),
    "numpy": write_numpy,
}
HOOK = {"hook_in_place": in_place, "hook_data": through_data, "hook_numpy": through_numpy, "hook_new": lambda gradient: gradient * 2}


def invent(seed: int, steps: int) -> list[Step]:
    """Steps: a name and the numbers of the earlier results it concerns (0 and 1 are copies of leaves)."""
    chance, count, program = random.Random(seed), 2, []
    for _ in range(steps):
        name = chance.choice([*MAKE] * 2 + [*CHANGE] + [*HOOK])
        if name in MAKE:
            program.append((name, chance.randrange(count), chance.randrange(count)))
            count += 1
        elif name in CHANGE:
            program.append((name, chance.randrange(count), 0))
        elif program and program[-1][0] in MAKE:  # a hook on what was changed in place can crash torch itself
            program.append((name, count - 1, 0))
    return program


def run(program: list[Step], size: int, backward: Callable[[torch.Tensor], None]) -> list[torch.Tensor]:
    """The leaves after one pass."""
    torch.manual_seed(3)
    leaves = [torch.randn(size, size, requires_grad=True), torch.randn(size, size, requires_grad=True)]
    values = [leaf.clone() for leaf in leaves]
    for name, first, second in program:
        if name in MAKE:
            values.append(MAKE[name](values[first], values[second]))
        elif name in CHANGE:
            CHANGE[name](values[first])
        else:
            values[first].register_hook(HOOK[name])
    backward(torch.stack([value.sum() for value in values]).sum())
    return leaves


def attempt(program: list[Step], size: int, backward: Callable[[torch.Tensor], None]) -> tuple[list[torch.Tensor], str | None]:
    """The gradients of the leaves, or what torch said against the program."""
    try:
        return [leaf.grad for leaf in run(program, size, backward) if leaf.grad is not None], None
    except RuntimeError as error:
        return [], str(error)


@pytest.mark.parametrize("size", [4, 12])  # with all values, and without
@pytest.mark.parametrize("seed", range(40))
def test_random_changes(seed: int, size: int) -> None:
    """Outputs, gradients and contributions are those that were there when they flowed, and the program's results those of plain torch."""
    program = invent(seed, 16)
    plain, refusal = attempt(program, size, torch.Tensor.backward)
    traces: list[Trace] = []
    for values in ("stats", "none"):
        with explorer.record(values=values) as recording:
            watched, said = attempt(program, size, torch.Tensor.backward)
        assert said == refusal
        assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
        traces.append(whole(recording.trace))
    assert [(node.op, node.autograd, node.status) for node in traces[0].nodes] == [(n.op, n.autograd, n.status) for n in traces[1].nodes]
    if refusal is None:
        witness = Witness()
        with witness:
            _, said = attempt(program, size, partial(outside, witness))
        assert said is None
        agree(traces[0], witness)


def outside(witness: Witness, loss: torch.Tensor) -> None:
    """Backward with the witness's mode off, as it is with the recorder's."""
    witness.__exit__(None, None, None)
    try:
        witness.backward(loss)
    finally:
        witness.__enter__()


def test_enough_of_them_run() -> None:
    """More than half of the programs are ones that torch runs to the end, else little would be compared."""
    refused = [seed for seed in range(40) if attempt(invent(seed, 16), 4, torch.Tensor.backward)[1] is not None]
    assert len(refused) < 20, refused
