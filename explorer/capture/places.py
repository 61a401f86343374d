"""Where values are found again: by the tensor as long as it lives, and by its storage."""

from __future__ import annotations

import weakref
from typing import NamedTuple

import torch


class Place(NamedTuple):
    """Where the value of a tensor comes from: output `output` of row `row`. Counts only while `tensor()` is that very tensor."""

    tensor: weakref.ref[torch.Tensor]
    row: int
    output: int


place_of = Place._make

is_gone = torch.UntypedStorage._expired
let_go = torch.UntypedStorage._free_weak_ref


def storage_of(tensor: torch.Tensor) -> int:
    """The address of a tensor's storage object; 0 where it has none."""
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return 0
