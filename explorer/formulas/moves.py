"""Words that move elements about: views, pieces, indexing, padding, and each one's way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any  # a numpy array or a number
Shape = Sequence[int]

__all__ = [
    "add_along", "add_at", "add_chosen", "add_rows", "along", "at", "chosen", "chosen_first", "cleared", "cleared_along", "cut",
    "diagonal", "flip", "item", "joined", "pad", "part", "permute", "put", "put_chosen", "put_diagonal", "put_slice", "reshape", "roll",
    "rows", "spread_to", "stacked", "swap", "take", "tile", "tril", "triu", "unpad", "unpermute", "unroll", "untile",
]  # fmt: skip


def reshape(x: Array, shape: Shape) -> Array:
    return np.reshape(x, shape)


def swap(x: Array, i: int, j: int) -> Array:
    return np.swapaxes(x, i, j) if np.ndim(x) else x


def permute(x: Array, dims: Sequence[int]) -> Array:
    return np.transpose(x, dims)


def unpermute(x: Array, dims: Sequence[int]) -> Array:
    """`permute` undone."""
    return np.transpose(x, np.argsort([dim % len(dims) for dim in dims])) if dims else x


def spread_to(x: Array, shape: Shape) -> Array:
    return np.broadcast_to(x, shape)


def tile(x: Array, repeats: Sequence[int]) -> Array:
    return np.tile(x, repeats)


def untile(x: Array, shape: Shape) -> Array:
    """The sum over all copies that `tile` made."""
    full = (1,) * (np.ndim(x) - len(shape)) + tuple(shape)
    split = [number for size, whole in zip(full, np.shape(x), strict=True) for number in (whole // size if size else 0, size)]
    return np.reshape(x, split).sum(axis=tuple(range(0, len(split), 2))).reshape(shape)


def take(x: Array, dim: int, index: int) -> Array:
    return np.take(x, index, axis=dim)


def put(x: Array, shape: Shape, dim: int, index: int) -> Array:
    """`x` at one place along `dim`, zero elsewhere."""
    result = np.zeros(shape)
    result[(slice(None),) * (dim % len(shape)) + (index,)] = x
    return result


def _slice(shape: Shape, dim: int, start: int | None, end: int | None, step: int) -> tuple[slice, ...]:
    return (slice(None),) * (dim % len(shape)) + (slice(start, end, step),)


def cut(x: Array, dim: int, start: int | None, end: int | None, step: int) -> Array:
    return x[_slice(np.shape(x), dim, start, end, step)]


def put_slice(x: Array, shape: Shape, dim: int, start: int | None, end: int | None, step: int) -> Array:
    """`x` in a slice along `dim`, zero elsewhere."""
    result = np.zeros(shape)
    result[_slice(shape, dim, start, end, step)] = x
    return result


def joined(xs: Sequence[Array], dim: int) -> Array:
    return np.concatenate(xs, axis=dim)


def stacked(xs: Sequence[Array], dim: int) -> Array:
    return np.stack(xs, axis=dim)


def part(x: Array, shapes: Sequence[Shape], dim: int, i: int) -> Array:
    """The i-th piece of what was joined from pieces of these shapes. An old habit of torch lets empty ones of one dimension join in."""
    rank = np.ndim(x)
    sizes = [shape[dim % rank] if len(shape) == rank else 0 for shape in shapes]
    if len(shapes[i]) != rank:
        return np.zeros(shapes[i])
    start = sum(sizes[:i])
    return x[(slice(None),) * (dim % rank) + (slice(start, start + sizes[i]),)]


def item(xs: Sequence[Array], i: int) -> Array:
    return xs[i]


# --- by index ----------------------------------------------------------------------------------------------------------------------------


def _place(indices: Sequence[Array | None]) -> tuple[Any, ...]:
    return tuple(slice(None) if one is None else np.asarray(one) for one in indices)


def at(x: Array, indices: Sequence[Array | None]) -> Array:
    return x[_place(indices)]


def add_at(x: Array, indices: Sequence[Array | None], shape: Shape) -> Array:
    """Every element of `x` added to the place it was taken from."""
    result = np.zeros(shape)
    np.add.at(result, _place(indices), x)
    return result


def cleared(x: Array, indices: Sequence[Array | None]) -> Array:
    """`x` with zeros where it was written to."""
    result = np.array(x)
    result[_place(indices)] = 0
    return result


def chosen(x: Array, dim: int, index: Array) -> Array:
    return np.take(x, np.atleast_1d(index), axis=dim)


def add_chosen(x: Array, dim: int, index: Array, shape: Shape) -> Array:
    """Every slice of `x` added to the place along `dim` it was taken from."""
    return add_at(x, [None] * (dim % len(shape)) + [np.atleast_1d(index)], shape)


def _grid(dim: int, index: Array) -> tuple[Any, ...]:
    """The places that `gather` reads: `index` along one dimension, each element's own place along the others."""
    places: list[Array] = [*np.indices(np.shape(index), sparse=True)]
    places[dim] = index
    return tuple(places)


def along(x: Array, dim: int, index: Array) -> Array:
    return x[_grid(dim, index)]


def add_along(x: Array, dim: int, index: Array, shape: Shape) -> Array:
    """Every element of `x` added to the place that `gather` took it from."""
    result = np.zeros(shape)
    np.add.at(result, _grid(dim, index), x)
    return result


def cleared_along(x: Array, dim: int, index: Array) -> Array:
    """`x` with zeros where `scatter` wrote to."""
    result = np.array(x)
    result[_grid(dim, index)] = 0
    return result


def rows(x: Array, index: Array) -> Array:
    return np.asarray(x)[index]


def add_rows(x: Array, index: Array, shape: Shape, padding: int) -> Array:
    """Each row of `x` added to the row of the table that it is a copy of; the padding's row stays zero."""
    result = np.zeros(shape)
    np.add.at(result, np.asarray(index), x)
    if padding != -1:
        result[padding] = 0
    return result


def put_chosen(x: Array, mask: Array, shape: Shape) -> Array:
    """The elements of `x` at the places where `mask` is true, in their order, zero elsewhere."""
    whole = np.broadcast_shapes(np.shape(mask), shape)
    result = np.zeros(whole)
    result[np.broadcast_to(mask, whole)] = x
    return result


def chosen_first(x: Array, mask: Array, shape: Shape) -> Array:
    """The elements of `x` where `mask` is true, in their order, at the front of a tensor of zeros."""
    result = np.zeros(int(np.prod(shape)))
    found = np.asarray(x)[np.broadcast_to(mask, np.shape(x))]
    result[: found.size] = found
    return result.reshape(shape)


# --- turned, cut off, padded -------------------------------------------------------------------------------------------------------------


def flip(x: Array, dims: Sequence[int]) -> Array:
    return np.flip(x, tuple(dims))


def _shifts(shifts: Sequence[int], sign: int) -> Any:
    return tuple(sign * one for one in (shifts if isinstance(shifts, tuple) else (shifts,)))


def roll(x: Array, shifts: Sequence[int], dims: Sequence[int]) -> Array:
    return np.roll(x, _shifts(shifts, 1), tuple(dims)) if dims else np.roll(x, _shifts(shifts, 1)[0])


def unroll(x: Array, shifts: Sequence[int], dims: Sequence[int]) -> Array:
    """`roll` undone."""
    return roll(x, _shifts(shifts, -1), dims)


def tril(x: Array, k: int) -> Array:
    return np.tril(x, k)


def triu(x: Array, k: int) -> Array:
    return np.triu(x, k)


def diagonal(x: Array, offset: int, i: int, j: int) -> Array:
    return np.diagonal(x, offset, i, j)


def put_diagonal(x: Array, shape: Shape, offset: int, i: int, j: int) -> Array:
    """`x` on a diagonal, zero elsewhere."""
    result = np.zeros(shape)
    moved = np.moveaxis(result, (i, j), (-2, -1))
    length = np.shape(x)[-1]
    along_diagonal = np.arange(length)
    moved[..., along_diagonal + max(-offset, 0), along_diagonal + max(offset, 0)] = x
    return result


def _widths(rank: int, pads: Sequence[int]) -> list[tuple[int, int]]:
    """Elements added before and after, by dimension; torch counts from the last one."""
    pairs = [(pads[k], pads[k + 1]) for k in range(0, len(pads), 2)]
    return [(0, 0)] * (rank - len(pairs)) + pairs[::-1]


def pad(x: Array, pads: Sequence[int], value: float) -> Array:
    """`x` with elements around it; where a number is negative, without some of its own."""
    widths = _widths(np.ndim(x), pads)
    kept = x[tuple(slice(max(-low, 0), size - max(-high, 0)) for size, (low, high) in zip(np.shape(x), widths, strict=True))]
    return np.pad(kept, [(max(low, 0), max(high, 0)) for low, high in widths], constant_values=value)


def unpad(x: Array, pads: Sequence[int]) -> Array:
    """`x` without the elements that `pad` added, with zeros for those it took away."""
    return pad(x, [-one for one in pads], 0)
