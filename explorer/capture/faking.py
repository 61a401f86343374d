"""What a run under the fake mode must leave as it was: real tensors of the user's that took part."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes


class Aside:
    """Copies of the real tensors that ops changed under the fake mode (a buffer that counts batches)."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def keep(self, written: Iterable[torch.Tensor]) -> None:
        """An op is about to change these."""
        for tensor in written:
            if not isinstance(tensor, FakeTensor) and id(tensor) not in self._copies:
                with _disable_current_modes():
                    self._copies[id(tensor)] = tensor, tensor.detach().clone()

    def put_back(self, leaves: Iterable[torch.Tensor]) -> None:
        """After the run: real tensors hold what they held, and leaves that had no gradient have none."""
        with _disable_current_modes(), torch.no_grad():
            for tensor, before in self._copies.values():
                tensor.copy_(before)
        self._copies.clear()
        for leaf in leaves:
            if isinstance(leaf.grad, FakeTensor) and not isinstance(leaf, FakeTensor):
                leaf.grad = None
