"""Which engine calls a program has made, as far as it matters for whether what it returns still waits for its backward.

A gradient penalty or the residual of an equation calls `autograd.grad` on the way to the loss, which is then still to be differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from explorer.capture.graph import SHALLOW, Graph, edge_of, is_spent


class Calls:
    """The outermost engine calls of a program."""

    def __init__(self) -> None:
        self.accumulated = False  # whether one was a backward, which adds to `.grad`
        self._begun: set[int] = set()  # sequence numbers of the nodes at which the others began

    def note(self, outputs: Iterable[Any], settings: Mapping[str, Any]) -> bool:
        """The engine is called for these outputs with these keywords; whether it is the first backward."""
        if settings.get("accumulate_grad"):
            first, self.accumulated = not self.accumulated, True
            return first
        self._begun.update(edge.node._sequence_nr() for output in outputs if (edge := edge_of(output)) is not None)
        return False

    def leave(self, loss: torch.Tensor | None) -> bool:
        """Whether they leave the backward of `loss` to whoever called the program: nothing began there, and its graph is whole."""
        if self.accumulated:
            return False
        if not self._begun or loss is None:
            return not self._begun
        edge = edge_of(loss)
        if edge is None or edge.node._sequence_nr() in self._begun:
            return False
        graph = Graph([loss], limit=SHALLOW)
        try:
            return not any(is_spent(node) for node in graph.nodes)
        finally:
            graph.release()
