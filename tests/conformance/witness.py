"""A second witness of a program's numbers, independent of the recorder: it copies every tensor at the moment it flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.model import Note, Trace

__all__ = ["Witness", "agree"]


class Witness(TorchDispatchMode):
    """Around a forward pass: what ops read and gave out, by shape; `backward` runs the engine and copies what flows through each node."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[tuple[int, ...], list[torch.Tensor]] = defaultdict(list)
        self.flowed: list[tuple[str, list[torch.Tensor], list[torch.Tensor | None]]] = []  # name, received, sent; in the engine's order

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        self._see(args)
        result = func(*args, **(kwargs or {}))
        self._see((result, *args))
        return result

    def _see(self, values: Iterable[Any]) -> None:
        for value in values:
            if isinstance(value, torch.Tensor):
                for tensor in (value, value._base):
                    if tensor is not None:
                        self.seen[tuple(tensor.shape)].append(tensor.detach().clone())
            elif isinstance(value, list | tuple):
                self._see(value)

    def backward(self, loss: torch.Tensor) -> None:
        """`loss.backward()`, watched by hooks that come after the program's own."""
        assert loss.grad_fn is not None
        pending, nodes = [loss.grad_fn], set()
        while pending:
            node = pending.pop()
            if node not in nodes:
                nodes.add(node)
                pending += [following for following, _ in node.next_functions if following is not None]
        for node in nodes:
            self._watch(node)
        loss.backward()

    def _watch(self, node: Any) -> None:
        received: list[torch.Tensor] = []

        def before(gradients: Sequence[torch.Tensor]) -> None:
            received[:] = [gradient.clone() for gradient in gradients]

        def after(gradients: Sequence[torch.Tensor | None], _: Any) -> None:
            sent = [None if gradient is None else gradient.clone() for gradient in gradients]
            self.flowed.append((node.name().removeprefix("torch::autograd::"), list(received), sent))

        node.register_prehook(before)
        node.register_hook(after)


def agree(trace: Trace, witness: Witness) -> None:
    """Every number of the trace is one that the witness saw: outputs among those of their shape, gradients at their place in the order."""
    for node in trace.nodes:
        for note in node.outputs:
            seen = witness.seen[tuple(int(size) for size in note.shape)]
            assert any(is_of(note, tensor) for tensor in seen), f"nobody saw {note} of node {node.id}: {node.kind} {node.op}"
    assert [trace.nodes[number].autograd for number in trace.backward] == [name for name, *_ in witness.flowed]
    for number, (name, received, sent) in zip(trace.backward, witness.flowed, strict=True):
        node = trace.nodes[number]
        assert len(received) == 1, name
        assert is_of(node.gradients[0], received[0]), f"into {name}: {node.gradients[0]} instead of {received[0]}"
        for edge in trace.edges:
            if edge.target == number and edge.gradient is not None:
                assert any(gradient is not None and is_of(edge.gradient, gradient) for gradient in sent), f"out of {name}: {edge.gradient}"


def is_of(note: Note | None, tensor: torch.Tensor) -> bool:
    """Whether the figures of a note are those of a tensor, reckoned here once more in float64; a note without figures is of none."""
    if note is None or note.min is None or note.mean is None or note.std is None or note.norm is None:
        return False
    exact = tensor.detach().double().numpy().ravel()
    found = (float(note.min), float(note.max or 0.0), note.zeros)
    if tuple(note.shape) != tuple(tensor.shape) or found != (exact.min(), exact.max(), int((exact == 0).sum())):
        return False
    if note.values is not None and not torch.equal(torch.tensor(note.values, dtype=tensor.dtype), tensor.detach()):
        return False
    size = float(numpy.linalg.norm(exact))
    close = [note.norm, note.mean, note.std] == pytest.approx([size, exact.mean(), exact.std()], rel=1e-9, abs=1e-11 * size)
    return bool(close) and (note.values is not None) == (exact.size <= 64)
