"""Words of layers: channels and groups, convolution and pooling, what a loss picks, attention, a recurrent layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

Array = Any  # a numpy array or a number
Shape = Sequence[int]
Sizes = Sequence[int]

__all__ = [
    "but_channels", "by_channel", "by_class", "by_group", "conv", "conv_back", "correlate", "enlarged", "hidden", "last", "lstm_back",
    "mean_groups", "picked", "reduced", "regions", "scaling", "sum_channels", "unpool", "unregion", "unwindow", "windows",
]  # fmt: skip


def by_channel(x: Array, shape: Shape) -> Array:
    """A number for each channel, in a shape that goes with the layer's."""
    return np.reshape(x, (-1, *(1,) * (len(shape) - 2))) if np.ndim(x) else x


def but_channels(shape: Shape) -> tuple[int, ...]:
    return (0, *range(2, len(shape)))


def sum_channels(x: Array) -> Array:
    return np.sum(x, axis=but_channels(np.shape(x)))


def last(sizes: Sizes) -> tuple[int, ...]:
    return tuple(range(-len(sizes), 0))


def mean_groups(x: Array, groups: int) -> Array:
    """The mean over each sample's group of channels, at each of its elements."""
    x = np.asarray(x)
    parts = x.reshape(x.shape[0], groups, -1)
    return np.broadcast_to(parts.mean(-1, keepdims=True), parts.shape).reshape(x.shape)


def by_group(x: Array, shape: Shape) -> Array:
    """A number for each sample and group, at each of the group's elements."""
    per_channel = np.repeat(x, shape[1] // np.shape(x)[1], axis=1)
    return per_channel.reshape(*per_channel.shape, *(1,) * (len(shape) - 2))


# --- losses ------------------------------------------------------------------------------------------------------------------------------


def picked(target: Array, shape: Shape, weight: Array, ignored: int) -> Array:
    """The weight of the target's class at its place, zero for every other class and for targets that are ignored."""
    classes = shape[1] if len(shape) > 1 else shape[0]
    target = np.asarray(target)
    per_class = np.broadcast_to(weight, (classes,))
    kept = target != ignored
    safe = np.where(kept, target, 0).astype(int)
    result = np.zeros((*target.shape, classes))
    np.put_along_axis(result, safe[..., None], (per_class[safe] * kept)[..., None], -1)
    return np.moveaxis(result, -1, 1) if len(shape) > 1 else result


def by_class(x: Array) -> Array:
    """A loss of each sample, in a shape that goes with one number for each class."""
    return np.expand_dims(x, 1) if np.ndim(x) else x


# --- convolution -------------------------------------------------------------------------------------------------------------------------


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    return given if len(given) == rank else given * rank


def _taps(x: Shape, y: Shape, kernel: Shape, s: Sizes, p: Sizes, d: Sizes) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each place of the kernel with the places of the padded input that it meets, one for each place of the output."""
    rank = len(kernel)
    s, p, d = _sizes(s, rank), _sizes(p, rank), _sizes(d, rank)
    for place in product(*map(range, kernel)):
        yield place, tuple(slice(at * e, at * e + (n - 1) * t + 1, t) for at, e, n, t in zip(place, d, y, s, strict=True))


def _padded(x: Array, p: Sizes) -> Array:
    rank = np.ndim(x) - 2
    return np.pad(x, [(0, 0), (0, 0), *((one, one) for one in _sizes(p, rank))])


def conv(x: Array, w: Array, s: Sizes, p: Sizes, d: Sizes, groups: int) -> Array:
    """Each output element is the sum over the window of input times weight."""
    kernel = w.shape[2:]
    rank = len(kernel)
    sizes = zip(x.shape[2:], kernel, _sizes(s, rank), _sizes(p, rank), _sizes(d, rank), strict=True)
    y = [(size + 2 * pad - stretch * (k - 1) - 1) // stride + 1 for size, k, stride, pad, stretch in sizes]
    padded, result = _padded(x, p), np.zeros((x.shape[0], w.shape[0], *y))
    for place, met in _taps(x.shape[2:], y, kernel, s, p, d):
        window = padded[(slice(None), slice(None), *met)]
        for a, b, weights in _grouped(w[(slice(None), slice(None), *place)], groups):
            result[:, a] += np.einsum("nc...,oc->no...", window[:, b], weights)
    return result


def conv_back(g: Array, w: Array, shape: Shape, s: Sizes, p: Sizes, d: Sizes, groups: int) -> Array:
    """The transpose of `conv`: each output element hands its gradient to the window it was made from, times the weight."""
    kernel = w.shape[2:]
    pads = _sizes(p, len(kernel))
    # An output padding of a transposed convolution reaches past the last window: its room must be there.
    result = np.zeros((g.shape[0], w.shape[1] * groups, *(size + 2 * pad for size, pad in zip(shape[2:], pads, strict=True))))
    for place, met in _taps(shape[2:], g.shape[2:], kernel, s, p, d):
        for a, b, weights in _grouped(w[(slice(None), slice(None), *place)], groups):
            result[(slice(None), b, *met)] += np.einsum("no...,oc->nc...", g[:, a], weights)
    return result[(slice(None), slice(None), *(slice(pad, pad + size) for size, pad in zip(shape[2:], pads, strict=True)))]


def correlate(x: Array, g: Array, shape: Shape, s: Sizes, p: Sizes, d: Sizes, groups: int) -> Array:
    """For each weight the sum over all windows of the input it met times the gradient of what it made."""
    result: Array = np.zeros(shape)
    padded = _padded(x, p)
    for place, met in _taps(x.shape[2:], g.shape[2:], shape[2:], s, p, d):
        window = padded[(slice(None), slice(None), *met)]
        weights = result[(slice(None), slice(None), *place)]
        for a, b, part in _grouped(weights, groups):
            part += np.einsum("nop,ncp->oc", _flat(g[:, a]), _flat(window[:, b]))
    return result


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:2], -1)


def _grouped(w: Array, groups: int) -> Iterator[tuple[slice, slice, Array]]:
    """For each group its output channels, its input channels and its part of the weights."""
    out, into = w.shape[0] // groups, w.shape[1]
    for k in range(groups):
        yield slice(k * out, (k + 1) * out), slice(k * into, (k + 1) * into), w[k * out : (k + 1) * out]


# --- pooling -----------------------------------------------------------------------------------------------------------------------------


def unpool(g: Array, index: Array, shape: Shape) -> Array:
    """Each gradient at the place of its window's largest element; `index` counts within a channel."""
    rank = max(2, np.ndim(g) - 2)
    lead = tuple(shape[: np.ndim(g) - rank]) if np.ndim(g) > rank else ()
    result = np.zeros((math.prod(lead), math.prod(shape[len(lead) :])))
    rows = np.arange(result.shape[0])[:, None]
    np.add.at(result, (rows, np.reshape(index, (result.shape[0], -1))), np.reshape(g, (result.shape[0], -1)))
    return result.reshape(shape)


def _windows(size: int, out: int, k: int, s: int, p: int) -> list[tuple[int, int, int]]:
    """Start and end of each window within the input, and how many elements it has with the padding counted."""
    found = []
    for at in range(out):
        low = at * s - p
        high = min(low + k, size + p)
        found.append((max(low, 0), min(high, size), high - low))
    return found


def _pooled(
    shape: Shape, y: Shape, k: Sizes, s: Sizes, p: Sizes, count: bool, divisor: int | None
) -> Iterator[tuple[int, int, Any, float]]:
    height, width = _sizes(k, 2)
    down, across = _sizes(s, 2) if s else (height, width)
    top, left = _sizes(p, 2)
    for i, (a, b, n) in enumerate(_windows(shape[-2], y[-2], height, down, top)):
        for j, (c, d, m) in enumerate(_windows(shape[-1], y[-1], width, across, left)):
            number = divisor or (n * m if count else (b - a) * (d - c))
            yield i, j, (..., slice(a, b), slice(c, d)), float(number)


def windows(x: Array, y: Shape, k: Sizes, s: Sizes, p: Sizes, count: bool, divisor: int | None) -> Array:
    """The mean of each window."""
    result = np.zeros(y)
    for i, j, window, number in _pooled(x.shape, y, k, s, p, count, divisor):
        result[..., i, j] = x[window].sum((-2, -1)) / number
    return result


def unwindow(g: Array, shape: Shape, k: Sizes, s: Sizes, p: Sizes, count: bool, divisor: int | None) -> Array:
    """Each gradient shared out evenly over its window."""
    result = np.zeros(shape)
    for i, j, window, number in _pooled(shape, g.shape, k, s, p, count, divisor):
        result[window] += g[..., i, j, None, None] / number
    return result


def _regions(size: int, out: int) -> list[slice]:
    return [slice(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def regions(x: Array, y: Shape) -> Array:
    """The mean of each of as many regions as the output has elements."""
    rows, columns = _regions(x.shape[-2], y[-2]), _regions(x.shape[-1], y[-1])
    return np.stack([np.stack([x[..., a, b].mean((-2, -1)) for b in columns], -1) for a in rows], -2)


def unregion(g: Array, shape: Shape) -> Array:
    """Each gradient shared out evenly over its region."""
    result = np.zeros(shape)
    for i, a in enumerate(_regions(shape[-2], g.shape[-2])):
        for j, b in enumerate(_regions(shape[-1], g.shape[-1])):
            result[..., a, b] += g[..., i, j, None, None] / ((a.stop - a.start) * (b.stop - b.start))
    return result


def _nearest(size: int, out: int, scale: float | None) -> Array:
    return np.minimum((np.arange(out) * (1 / scale if scale else size / out)).astype(int), size - 1)


def enlarged(x: Array, y: Shape, down: float | None, across: float | None) -> Array:
    """Each output element is the nearest input element."""
    return x[..., _nearest(x.shape[-2], y[-2], down)[:, None], _nearest(x.shape[-1], y[-1], across)]


def reduced(g: Array, shape: Shape, down: float | None, across: float | None) -> Array:
    """Each input element gets the sum over all its copies."""
    result: Array = np.zeros(shape)
    rows, columns = _nearest(shape[-2], g.shape[-2], down), _nearest(shape[-1], g.shape[-1], across)
    place: Any = (..., rows[:, None], columns)
    np.add.at(result, place, g)
    return result


# --- attention and recurrence ------------------------------------------------------------------------------------------------------------


def scaling(shape: Shape) -> float:
    """What attention scales by where it is not told: one over the root of the size of a query."""
    return 1 / math.sqrt(shape[-1])


def hidden(q: Shape, k: Shape) -> Array:
    """−inf at every key that comes after its query."""
    return np.where(np.triu(np.ones((q[-2], k[-2])), 1), -np.inf, 0.0)


def lstm_back(
    gy: Array, gh: Array, gc: Array, x: Array, u: Array, w: Array, b: Array, e: Array, h: Array, c: Array, back: bool
) -> tuple[Array, ...]:
    """The gradients of x, U, W, b, e, h and c of an LSTM layer over all its steps; `back`: it reads from the last step to the first.

    A step: a = x Uᵀ + h Wᵀ + b + e in four quarters i, f, u, o; c = σ(f) c + σ(i) tanh(u); h = σ(o) tanh(c).
    """
    steps = range(x.shape[0])[::-1] if back else range(x.shape[0])
    kept = []
    for t in steps:
        i, f, v, o = np.split(x[t] @ u.T + h @ w.T + b + e, 4, axis=-1)
        i, f, v, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(v), 1 / (1 + np.exp(-o))
        before = h, c
        c = f * c + i * v
        h = o * np.tanh(c)
        kept.append((t, i, f, v, o, *before, np.tanh(c)))
    dx, du, dw, db, dh, dc = np.zeros(x.shape), np.zeros(u.shape), np.zeros(w.shape), np.zeros(b.shape), np.array(gh), np.array(gc)
    for t, i, f, v, o, old_h, old_c, tanh_c in reversed(kept):
        dh = dh + gy[t]
        dc = dc + dh * o * (1 - tanh_c**2)
        da = np.concatenate([dc * v * i * (1 - i), dc * old_c * f * (1 - f), dc * i * (1 - v**2), dh * tanh_c * o * (1 - o)], axis=-1)
        dx[t], du, dw, db = da @ u, du + da.T @ x[t], dw + da.T @ old_h, db + da.sum(0)
        dh, dc = da @ w, dc * f
    return dx, du, dw, db, db, dh, dc
