"""What autograd does to a tracer: results of custom Functions that carry no gradient, or are no tensors (T13, T26)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.autograd import Function

import explorer
from tests.conformance.reading import close, edge, named, op, same, tensor, whole


class Mixed(Function):
    """Gives out a number, a word, nothing, what carries no gradient, and what does."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> Any:
        values, places = x.max(0)
        mask = x > 1
        ctx.mark_non_differentiable(places, mask)
        ctx.places, ctx.size = places, x.numel()
        return 7, values, places, "word", mask, None, x.sum(0, keepdim=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> torch.Tensor:
        assert [gradient is None for gradient in gradients] == [True, False, False, True, False, True, False]
        here = gradients[6].expand(ctx.size).clone()
        here[ctx.places] += gradients[1]
        return here


def mixed(x: torch.Tensor) -> torch.Tensor:
    number, values, places, _, mask, _, total = Mixed.apply(x)
    return (values * number + mask.sum() + places + total * 2).sum()


@pytest.mark.parametrize("values", ["stats", "none"])
def test_T26_results_that_are_no_tensors_are_no_outputs(values: str) -> None:
    """Only tensors are outputs of a Function, each with its own shape, type and value; edges and gradients count in the same way."""
    x = torch.tensor([1.0, 4.0, 2.0], requires_grad=True)
    mixed(x).backward()
    plain, x.grad = x.grad, None
    with explorer.record(values=values) as recording:
        mixed(x).backward()
    assert torch.equal(x.grad, plain)
    trace = whole(recording.trace)
    node = op(trace, "Mixed")
    assert [(note.shape, note.dtype) for note in node.outputs] == [((), "float32"), ((), "int64"), ((3,), "bool"), ((1,), "float32")]
    assert [note is not None for note in node.gradients] == [True, False, False, True]
    if values == "stats":
        assert [tensor(note).tolist() for note in node.outputs] == [4.0, 1, [False, True, True], [7.0]]
        assert [tensor(node.gradients[0]).tolist(), tensor(node.gradients[3]).tolist()] == [7.0, [2.0]]
    assert node.names[0] == "values" and set(node.names) == {"values", "places", "mask", "total"}
    used = {trace.nodes[one.target].op: (one.output, one.differentiable) for one in trace.edges if one.source == node.id}
    assert used["sum"] == (2, False)
    assert sorted(one.output for one in trace.edges if one.source == node.id) == [0, 1, 2, 3]


class Pair(Function):
    """Gives back what it was given, and a constant of the program's as its second result."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, constant: torch.Tensor) -> Any:
        ctx.mark_non_differentiable(constant)
        return x * 2, constant

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, _: torch.Tensor) -> Any:
        return gradient * 2, None


def test_T26_what_is_only_handed_through_stays_what_it_was() -> None:
    """A constant that a Function gives back keeps its own node; the Function's second output has its shape and type."""
    x, constant = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3, 4, 5])
    with explorer.record() as recording:
        doubled, again = Pair.apply(x, constant)
        (doubled.sum() * again.sum()).backward()
    trace = whole(recording.trace)
    node = op(trace, "Pair")
    assert [(note.shape, note.dtype) for note in node.outputs] == [((2,), "float32"), ((3,), "int64")]
    same(named(trace, "x").gradients[0], torch.tensor([24.0, 24.0]))
    assert named(trace, "constant").kind == "constant"


def test_T26_apply_is_torchs_own_again() -> None:
    """`Function.apply` is what it was after a recording, also one that fails, and a bound one that was kept goes on to work."""
    before = vars(Function)["apply"]
    x = torch.tensor([1.0, 4.0, 2.0], requires_grad=True)
    kept = []

    def failing() -> None:
        with explorer.record():
            kept.append(Mixed.apply)
            raise ValueError

    with pytest.raises(ValueError):
        failing()
    assert vars(Function)["apply"] is before and "apply" not in vars(Mixed)
    assert kept[0](x)[0] == 7
    with explorer.record() as recording:
        kept[0](x)[1].backward()
    close(named(whole(recording.trace), "x").gradients[0], torch.tensor([0.0, 1.0, 0.0]))
    assert edge(recording.trace, named(recording.trace, "x"), op(recording.trace, "Mixed")).differentiable
