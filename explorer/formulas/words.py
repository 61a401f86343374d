"""What the words of `explorer.formulas.vocabulary` do: numpy functions of the same names. Computes in the type it is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any  # a numpy array or a number

__all__ = ["FUNCTIONS", "fit"]

_erf = np.vectorize(math.erf, otypes=[float])


def erf(x: Array) -> Array:
    return _erf(x)


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


def pi() -> float:
    return math.pi


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
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
}
