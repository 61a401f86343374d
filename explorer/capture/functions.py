"""What custom autograd Functions gave out, where their nodes do not tell: results that carry no gradient, or are no tensors at all."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import BackwardCFunction

from explorer.capture.notes import outline
from explorer.capture.rows import GraphNode
from explorer.capture.values import Values
from explorer.model import Note

MOST = 10_000  # Functions of which this is remembered


class Functions:
    """The custom Functions that were applied in a recording."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._results: dict[int, list[Note | None]] = {}  # sequence number of a node -> outlines of its results, None for no tensor

    def applied(self, result: Any) -> None:
        """A Function gave out `result`: what an op inside it computed of that is what its node gives out."""
        results = [value if isinstance(value, torch.Tensor) else None for value in (result if isinstance(result, tuple) else (result,))]
        node: Any = next((one.grad_fn for one in results if one is not None and one.requires_grad and one._base is None), None)
        if not isinstance(node, BackwardCFunction):
            return
        sequence = node._sequence_nr()
        for number, tensor in enumerate(results):
            place = None if tensor is None else self._values.place(tensor)
            row = None if place is None else self._values.rows[place.row]
            if place is not None and row is not None and row.reason == "custom_function":
                row.results = (*(known for known in row.results if known[0] != place.output), (place.output, sequence, number))
        if any(one is None or not one.requires_grad for one in results):
            self._results[sequence] = [None if one is None else outline(one) for one in results]
            if len(self._results) > MOST:
                del self._results[next(iter(self._results))]

    def complete(self, described: GraphNode) -> None:
        """Put on the description of a Function's node what is known of its results."""
        known = self._results.get(described.sequence, ())
        if known:
            described.undefined = [number for number, note in enumerate(known) if note is None]
            described.outputs = [note for note in known if note is not None]
