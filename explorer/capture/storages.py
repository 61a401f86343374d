"""The memory that saved tensors and gradients lie in: each storage once, however many tensors are views of it."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import ref

import torch

NONE = -1  # what lies in no storage (sparse), or in one that is there whether a graph keeps it or not: a leaf's, a buffer's


class Storages:
    """The storages of one pass, numbered as they are met.

    NOTE [weak]: an address may be given to another storage later, so that each has a weak reference beside it: Python's, to the object that
    torch keeps for a storage as long as it lives. Torch's own would keep the C++ object itself, some hundred bytes in the middle of the
    large block that its data left free, which the next large tensor then does not fit into: 80 MB more at the peak of GPT-2 124M.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []  # bytes, by number
        self._numbers: dict[int, tuple[int, ref[torch.UntypedStorage]]] = {}
        self._most = 10_000

    def leave_out(self, tensors: Iterable[torch.Tensor]) -> None:
        """These are the program's own, which it holds anyway."""
        for tensor in tensors:
            try:
                storage = tensor.untyped_storage()
                self._numbers.setdefault(storage._cdata, (NONE, ref(storage)))
            except (NotImplementedError, RuntimeError):
                continue

    def number(self, tensor: torch.Tensor) -> int:
        """The number of the storage of a tensor."""
        try:
            storage = tensor.untyped_storage()
            found = self._numbers.get(storage._cdata)
        except (NotImplementedError, RuntimeError):
            return NONE
        return found[0] if found is not None and found[1]() is storage else self._meet(storage)

    def _meet(self, storage: torch.UntypedStorage) -> int:
        try:
            size = int(storage.nbytes())
        except (RuntimeError, TypeError, ValueError):  # symbolic
            return NONE
        number = len(self.sizes)
        self._numbers[storage._cdata] = number, ref(storage)
        self.sizes.append(size)
        if len(self._numbers) > self._most:
            self._numbers = {address: known for address, known in self._numbers.items() if known[1]() is not None}
            self._most = 2 * len(self._numbers) + 10_000
        return number

    def close(self) -> None:
        """Hold on to nothing any more."""
        self._numbers.clear()
