"""Names: what the program's variables call a tensor."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import explorer  # noqa: E402

pytestmark = pytest.mark.torch


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inner: Any) -> Any:
        ctx.save_for_backward(inner)
        return inner * inner

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        (inner,) = ctx.saved_tensors
        return 2 * inner * upstream


def _first(x: Any, *rest: Any) -> Any:
    return x.exp().sum() + rest[0].sum()


def _kept(given: Any) -> Any:
    own = given
    return own.sum()


def test_a_leaf_is_called_what_its_maker_calls_it() -> None:
    """A function's name for an argument stands behind, although the function ends before its caller does."""
    w, v, u, z = (torch.ones(3, requires_grad=True) for _ in range(4))
    with explorer.record() as recording:
        loss = _first(w, u) + Squared.apply(v).sum() + _kept(z)
        loss.backward()
    leaves = [node.names for node in recording.trace.nodes if node.is_leaf]
    assert sorted(leaves) == [("own", "z", "given"), ("u", "rest[0]"), ("v", "inner"), ("w", "x")]


def test_an_argument_without_another_name_gives_its_own() -> None:
    """Nobody else holds the tensor by a name of theirs."""
    with explorer.record() as recording:
        (lambda w: (w * w).sum().backward())(torch.ones(2, requires_grad=True))
    (leaf,) = [node for node in recording.trace.nodes if node.is_leaf]
    assert leaf.names == ("w",)
