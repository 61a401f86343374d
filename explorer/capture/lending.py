"""Memory whose content torch does not answer for: shared with something outside (an array of numpy's), or not filled yet."""

from __future__ import annotations

from collections.abc import Callable

import torch

from explorer.capture.notes import version_of
from explorer.capture.rows import Row
from explorer.model import Note

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
    """Data that was measured before and is read again; `note` measures it."""

    def __init__(self, note: Callable[[torch.Tensor], Note]) -> None:
        self._note = note
        self._looked: dict[int, int] = {}  # row of large data -> start of the pass in which it was last looked at

    def changed(self, tensor: torch.Tensor, row: Row, *, start: int) -> bool:
        """Whether `tensor` is another now than when `row` was written; large data is looked at once in the pass that starts at `start`.

        Parameters are not looked at: they are read often, and may lie in memory that a file was mapped to.
        """
        known = row.outputs[0]
        if row.kind == "parameter" or type(known) is not Note or not is_lent(tensor):
            return False
        if known.norm is None:  # there is nothing to compare; but it may have been filled since
            return row.unfilled and self._note(tensor).norm is not None
        if tensor.numel() > OFTEN:
            if self._looked.get(row.index) == start:
                return False
            self._looked[row.index] = start
        return repr(self._note(tensor)) != repr(known)  # in which NaN is NaN
