"""Which elements of a tensor are held against differences, and where they stand."""

from __future__ import annotations

import random

import torch

from explorer.model import MOST_VALUES

__all__ = ["chosen", "place_of"]

SAMPLE = 8  # elements of a tensor that has more than a Note holds


def place_of(tensor: torch.Tensor, element: int) -> tuple[int, ...]:
    """The index of element number `element`, counted row by row."""
    return tuple(int(place) for place in torch.unravel_index(torch.tensor(element), tensor.shape))


def chosen(first: int, count: int, seed: int) -> list[int]:
    """The elements to check of `count`, that with the largest gradient first."""
    if count <= MOST_VALUES:
        return [first, *(element for element in range(count) if element != first)]
    drawn = random.Random(seed).sample(range(count), SAMPLE)
    return [first, *(element for element in drawn if element != first)][:SAMPLE]
