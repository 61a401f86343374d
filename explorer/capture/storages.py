"""The memory that saved tensors and gradients lie in: each storage once, however many tensors are views of it."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from explorer.capture.places import is_gone, let_go, storage_of

NONE = -1  # what lies in no storage (sparse), or in one that is there whether a graph keeps it or not: a leaf's, a buffer's


class Storages:
    """The storages of one pass, numbered as they are met. While a weak reference is held no other storage gets the address of one."""

    def __init__(self) -> None:
        self.sizes: list[int] = []  # bytes, by number
        self._numbers: dict[int, int] = {}
        self._most = 10_000

    def leave_out(self, tensors: Iterable[torch.Tensor]) -> None:
        """These are the program's own, which it holds anyway."""
        for tensor in tensors:
            if storage_of(tensor) not in self._numbers:
                try:
                    self._numbers[tensor.untyped_storage()._weak_ref()] = NONE  # type: ignore[index]
                except (NotImplementedError, RuntimeError):
                    continue

    def number(self, tensor: torch.Tensor) -> int:
        """The number of the storage of a tensor."""
        try:
            found = self._numbers.get(tensor.untyped_storage()._cdata)
        except (NotImplementedError, RuntimeError):
            return NONE
        return self._meet(tensor) if found is None else found

    def _meet(self, tensor: torch.Tensor) -> int:
        storage = tensor.untyped_storage()
        try:
            size = int(storage.nbytes())
        except (RuntimeError, TypeError, ValueError):  # symbolic
            return NONE
        numbers, number = self._numbers, len(self.sizes)
        numbers[storage._weak_ref()] = number  # type: ignore[index]  # it says otherwise, and gives a number
        self.sizes.append(size)
        if len(numbers) > self._most:
            for gone in [address for address in numbers if is_gone(address)]:
                del numbers[gone]
                let_go(gone)
            self._most = 2 * len(numbers) + 10_000
        return number

    def close(self) -> None:
        """Hold on to nothing any more."""
        for address in self._numbers:
            let_go(address)
        self._numbers.clear()
