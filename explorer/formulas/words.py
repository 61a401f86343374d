"""What the words of `explorer.formulas.vocabulary` do: numpy functions of the same names. Computes in the type it is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explorer.formulas import moves, windows

Array = Any  # a numpy array or a number

__all__ = ["FUNCTIONS", "fit"]

_erf = np.vectorize(math.erf, otypes=[float])


def erf(x: Array) -> Array:
    return _erf(x)


def sign(x: Array) -> Array:
    """−1, 0 or 1; 0 also of NaN, as torch has it."""
    return np.nan_to_num(np.sign(x))


def sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -np.asarray(x, dtype=float)))


def softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def fit(x: Array, shape: Sequence[int]) -> Array:
    """Summed over every dimension along which `shape` was broadcast to that of `x`."""
    x = np.asarray(x)
    extra = x.ndim - len(shape)
    if extra > 0:
        x = x.sum(axis=tuple(range(extra)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and x.shape[i] != 1)
    return x.sum(axis=stretched, keepdims=True) if stretched else x


# --- sums over dimensions, and back ------------------------------------------------------------------------------------------------------


def axes(shape: Sequence[int], dim: Any) -> tuple[int, ...]:
    """Dimensions as torch takes them: a number, several, or None or none for all."""
    if dim is None or dim == ():
        return tuple(range(len(shape)))
    return tuple(one % max(len(shape), 1) for one in (dim if isinstance(dim, tuple | list) else (dim,)) if len(shape))


def spread(x: Array, shape: Sequence[int], dim: Any = None, keepdim: bool = False) -> Array:
    """What was summed over `dim`, repeated to the shape it had before."""
    x = np.asarray(x)
    if not keepdim and x.ndim < len(shape):
        x = np.expand_dims(x, axes(shape, dim))
    return np.broadcast_to(x, shape)


def total(x: Array) -> Array:
    return np.sum(x)


def summed(x: Array, dim: Any) -> Array:
    return np.sum(x, axis=axes(np.shape(x), dim), keepdims=True)


def averaged(x: Array, dim: Any) -> Array:
    return np.mean(x, axis=axes(np.shape(x), dim), keepdims=True)


def count(shape: Sequence[int]) -> int:
    return math.prod(shape)


def size(shape: Sequence[int], dim: Any) -> int:
    """How many elements go into one sum over `dim`."""
    return math.prod(shape[one] for one in axes(shape, dim))


def how_many(x: Array, dim: Any = None) -> Array:
    return np.sum(x, axis=axes(np.shape(x), dim), keepdims=dim is not None)


def product(x: Array, dim: Any = None) -> Array:
    return np.prod(x, axis=axes(np.shape(x), dim), keepdims=dim is not None)


def others(x: Array, dim: Any = None) -> Array:
    """For each element the product of all others, zeros among them or not."""
    x = np.asarray(x)
    flat = x.reshape(1, -1) if dim is None else np.moveaxis(x, dim, -1)
    before = np.cumprod(np.concatenate([np.ones_like(flat[..., :1]), flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([np.ones_like(flat[..., :1]), flat[..., :0:-1]], -1), -1)[..., ::-1]
    return (before * after).reshape(x.shape) if dim is None else np.moveaxis(before * after, -1, dim)


def sums_until(x: Array, dim: int) -> Array:
    return np.cumsum(x, axis=dim) if np.ndim(x) else x


def sums_from(x: Array, dim: int) -> Array:
    return np.flip(np.cumsum(np.flip(x, dim), axis=dim), dim) if np.ndim(x) else x


def softmax(x: Array) -> Array:
    shifted = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def scatter(x: Array, index: Array, shape: Sequence[int], dim: int, keepdim: bool) -> Array:
    """Each element at the place along `dim` that was chosen, zero elsewhere."""
    result = np.zeros(shape)
    x, index = np.asarray(x), np.asarray(index)
    if not shape:
        return x.reshape(())
    if not keepdim:
        x, index = np.expand_dims(x, dim), np.expand_dims(index, dim)
    np.put_along_axis(result, index, x, dim)
    return result


def transposed(x: Array) -> Array:
    return np.swapaxes(x, -1, -2) if np.ndim(x) > 1 else x


def shape(x: Any) -> Any:
    """The word takes the shape of its symbol; that is its value."""
    return x


def pi() -> float:
    return math.pi


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": sign,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "erf": erf,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "max": np.maximum,
    "min": np.minimum,
    "where": np.where,
    "pi": pi,
    "fit": fit,
    "T": transposed,
    "outer": np.outer,
    "spread": spread,
    "total": total,
    "sum": summed,
    "mean": averaged,
    "count": count,
    "size": size,
    "how_many": how_many,
    "product": product,
    "others": others,
    "sums_until": sums_until,
    "sums_from": sums_from,
    "softmax": softmax,
    "scatter": scatter,
    "shape": shape,
    **{name: getattr(moves, name) for name in moves.__all__},
    **{name: getattr(windows, name) for name in windows.__all__},
}
