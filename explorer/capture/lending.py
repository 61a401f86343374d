"""Memory whose content torch does not answer for: shared with something outside (an array of numpy's), or not filled yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from explorer.capture.notes import version_of
from explorer.capture.places import storage_of
from explorer.capture.rows import Row
from explorer.model import Note

if TYPE_CHECKING:
    from explorer.capture.measuring import Ticket

OFTEN = 1 << 16  # elements up to which such data is looked at whenever it is read


def is_lent(tensor: torch.Tensor) -> bool:
    """Whether the memory of a tensor came from numpy, or was given to it: torch never resizes such a storage."""
    try:
        return not tensor.untyped_storage().resizable()
    except (NotImplementedError, RuntimeError):
        return False


def is_unfilled(tensor: torch.Tensor) -> bool:
    """Whether nobody wrote to what `torch.empty` or its like gave out, as far as one sees: it holds what lay in memory."""
    return version_of(tensor) == 0 and not is_lent(tensor)


class Lent:
    """Data that was measured before and is read again; `note` measures it at once, `known` tells what a ticket stands for."""

    def __init__(self, note: Callable[[torch.Tensor], Note], known: Callable[[Ticket | Note], Note]) -> None:
        self._note, self._known = note, known
        self._looked: dict[int, int] = {}  # row of large data -> start of the pass in which it was last looked at
        self._exposed: set[int] = set()  # storages of parameters that the program detached, as it must to get at an array

    def expose(self, tensor: torch.Tensor) -> None:
        """The program takes hold of a tensor's data, and may go on to an array of it."""
        if isinstance(tensor, torch.nn.Parameter):
            self._exposed.add(storage_of(tensor))

    def changed(self, tensor: torch.Tensor, row: Row, *, start: int) -> bool:
        """Whether `tensor` is another now than when `row` was written; large data is looked at once in the pass that starts at `start`.

        Of the parameters only those are looked at whose data the program took hold of: they are read often, and may lie in memory that a
        file was mapped to.
        """
        if row.kind == "parameter" and (not self._exposed or storage_of(tensor) not in self._exposed):
            return False
        if not is_lent(tensor):
            return False
        known = self._known(row.outputs[0])
        if known.norm is None:  # there is nothing to compare; but it may have been filled since
            return row.unfilled and self._note(tensor).norm is not None
        if tensor.numel() > OFTEN:
            if self._looked.get(row.index) == start:
                return False
            self._looked[row.index] = start
        return repr(self._note(tensor)) != repr(known)  # in which NaN is NaN
