"""What is noted of a tensor: a `Note`, exact over all elements, with the tensor left as it was.

The plain figures run in numpy over pieces that fit the cache, in float64 (float64 and int64 in their own type). Where the mean is
large against the spread the standard deviation comes from a second pass around it, because the sum of squares has lost those digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy
import torch

from explorer.model import MOST_VALUES, Note, StoredTensor

PIECE = (
    1 << 15
)  # elements measured at a time: 256 KB as float64, which stays in a core's cache; torch sums no more than these in one thread
SHORT = 1 << 13  # elements up to which a dot product never starts threads
_ONES = numpy.ones(SHORT)
SMALL_SPREAD = 1e-3  # of the squared mean; a smaller variance would lose more than three of float64's sixteen digits to cancellation
SAFE_SQUARES = (1e-200, 1e200)  # sums of squares outside this range may have under- or overflowed in float64

PLAIN_TYPES = frozenset({torch.Tensor, torch.nn.Parameter})  # with these no class of the user's listens in
_UNDISPATCHED = torch.Tensor.__torch_dispatch__
_is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
_is_batched = torch._C._functorch.is_legacy_batchedtensor  # inside `grad(..., is_grads_batched=True)`
_UPCAST = {torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz}


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """`torch.float32` → "float32"."""
    return str(dtype).removeprefix("torch.")


@cache
def device_name(device: torch.device) -> str:
    """`torch.device("cuda", 0)` → "cuda:0"."""
    return str(device)


def shape_of(tensor: torch.Tensor) -> tuple[int | str, ...]:
    """The sizes of a tensor, symbolic ones as text; a nested tensor without regular sizes says so."""
    try:
        return sizes_of(tensor.shape)
    except RuntimeError:  # a strided nested tensor has no shape
        return (str(tensor.size(0)), "*")


def sizes_of(shape: Iterable[Any]) -> tuple[int | str, ...]:
    """Sizes as they are noted: symbolic ones as text."""
    return tuple([size if type(size) is int else _size(size) for size in shape])


def _size(size: Any) -> int | str:
    text = str(size)
    return int(text) if text.isdigit() else text


def outline(tensor: torch.Tensor) -> Note:
    """Shape, data type and device; nothing computed."""
    return Note(shape_of(tensor), dtype_name(tensor.dtype), device_name(tensor.device))


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether the elements can be read as they stand: a real, dense tensor, not a fake, meta, sparse, quantized, nested or wrapped one.

    Subclasses that leave dispatch alone (a Parameter, a tensor with a name of its own) lie in memory as any tensor does.
    """
    return (
        type(tensor).__torch_dispatch__ is _UNDISPATCHED
        and tensor.layout is torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_nested
        and not tensor.is_quantized
        and not _is_wrapped(tensor)
        and not _is_batched(tensor)
        and not isinstance(tensor, torch.nn.UninitializedParameter | torch.nn.UninitializedBuffer)
    )


def version_of(tensor: torch.Tensor) -> int:
    """How often a tensor was written to; 0 for those made in inference mode, which do not count."""
    try:
        return tensor._version
    except RuntimeError:
        return 0


def is_silent_view(tensor: torch.Tensor) -> bool:
    """Whether a view of a leaf was made, and is read, without a graph: torch says of it that it is a leaf which requires a gradient."""
    return not torch.is_grad_enabled() and tensor._base is not None and tensor._base.requires_grad


def measure(tensor: torch.Tensor, *, statistics: bool = True) -> Note:
    """The Note of `tensor`: statistics over all its elements, and every value where there are at most 64.

    Must be called where no dispatch mode sees the reading, with gradients off or not: the tensor is read through a detached alias.
    """
    if not statistics or not is_plain(tensor):
        return outline(tensor)
    with torch._C.DisableTorchFunctionSubclass():
        return measure_plain(tensor)


def measure_plain(tensor: torch.Tensor) -> Note:
    """The same of a tensor that is known to be plain, and of no class of the user's."""
    array = _array(tensor)
    shape = tuple(int(size) for size in tensor.shape)
    values = _values(array) if array.size <= MOST_VALUES else None
    found = figures(array.ravel(order="K")) if array.size else {"zeros": 0, "nans": 0, "infs": 0}
    return Note(shape, dtype_name(tensor.dtype), device_name(tensor.device), values=values, **found)


def scalar(tensor: torch.Tensor) -> float | None:
    """The value of a tensor with one element; None where it cannot be read, or is complex."""
    if not is_plain(tensor) or tensor.is_complex():
        return None
    with torch._C.DisableTorchFunctionSubclass():
        return float(tensor.detach().item())


def store(tensor: torch.Tensor) -> StoredTensor | None:
    """A copy of the whole tensor; None where its elements cannot be read."""
    if not is_plain(tensor):
        return None
    with torch.no_grad():
        raw = tensor.detach()
        if raw._is_zerotensor():
            return StoredTensor(dtype_name(raw.dtype), tuple(raw.shape), bytes(raw.nbytes))
        # a copy always: what numpy looks at could never be resized again
        raw = raw.resolve_conj().resolve_neg().cpu().clone(memory_format=torch.contiguous_format)
        data = raw.reshape(-1).view(torch.uint8).numpy().tobytes() if raw.numel() else b""
    return StoredTensor(dtype_name(tensor.dtype), tuple(int(size) for size in tensor.shape), data)


def _array(tensor: torch.Tensor) -> numpy.ndarray[Any, Any]:
    raw = tensor.detach()
    if raw._is_zerotensor():  # the tangents that forward mode never made
        return numpy.zeros(tuple(raw.shape), torch.empty(0, dtype=raw.dtype).numpy().dtype)
    if raw.dtype in _UPCAST:
        raw = raw.float()
    if raw.is_conj() or raw.is_neg():
        raw = raw.resolve_conj().resolve_neg()
    return numpy.from_dlpack(raw.cpu())  # .numpy() would forbid torch for ever to resize the storage


def _values(array: numpy.ndarray[Any, Any]) -> Any:
    if array.dtype.kind == "c":
        array = numpy.vectorize(str, otypes=[object])(array)
    return _frozen(array.tolist(), array.ndim)


def _frozen(values: Any, depth: int) -> Any:
    """Nested lists of a known depth as tuples, without a look at each value."""
    if depth == 0:
        return values
    return tuple(values) if depth == 1 else tuple([_frozen(part, depth - 1) for part in values])


def figures(flat: numpy.ndarray[Any, Any]) -> dict[str, Any]:
    """Statistics of a non-empty vector; the order of its elements does not matter, so it is read as it lies in memory."""
    kind = flat.dtype.kind
    if kind == "c":
        return _complex_figures(flat)
    if kind == "b":
        flat = flat.view(numpy.uint8)
    low, high, total, squares, zeros = math.inf, -math.inf, 0.0, 0.0, 0
    with numpy.errstate(all="ignore"):
        if kind == "f" and flat.size <= SHORT and (short := _short_figures(flat)) is not None:
            return short
        for piece in _pieces(flat):
            smallest, largest = piece.min(), piece.max()
            low = smallest if smallest < low or smallest != smallest else low
            high = largest if largest > high or largest != largest else high
            exact = piece.astype(numpy.float64, copy=False)
            for start in range(0, exact.size, SHORT):
                part = exact[start : start + SHORT]
                total += float(part.dot(_ONES[: part.size]))
                squares += float(part.dot(part))
            zeros += int(numpy.count_nonzero(piece == 0))
        found: dict[str, Any] = {"min": float(low), "max": float(high), "zeros": zeros, "nans": 0, "infs": 0}
        if not math.isfinite(total) or not math.isfinite(squares):
            found["nans"] = int(numpy.count_nonzero(flat != flat))
            found["infs"] = int(numpy.count_nonzero(numpy.isinf(flat))) if kind == "f" else 0
        if found["nans"]:
            return {**found, "min": math.nan, "max": math.nan, "mean": math.nan, "std": math.nan, "norm": math.nan}
        constant = bool(low == high) and math.isfinite(low)
        mean = float(low) if constant else _mean(flat, total)
        return {
            **found,
            "mean": mean,
            "std": _deviation(flat, mean, squares, constant=constant),
            "norm": _norm(flat, squares, max(abs(low), abs(high))),
        }


def _short_figures(flat: numpy.ndarray[Any, Any]) -> dict[str, Any] | None:
    """The same for a short vector in as few calls as can be; None where the squares are not safe (zeros, NaN, inf, the very large)."""
    exact = flat.astype(numpy.float64)
    squares = float(exact.dot(exact))
    if not SAFE_SQUARES[0] < squares < SAFE_SQUARES[1]:
        return None
    low, high = float(flat.min()), float(flat.max())
    mean = low if low == high else float(exact.sum()) / flat.size  # equal numbers have exactly themselves as their mean
    zeros = flat.size - int(numpy.count_nonzero(flat))
    exact -= mean
    spread = float(exact.dot(exact))
    if low != high and not SAFE_SQUARES[0] < spread < SAFE_SQUARES[1]:
        return None
    found = {"min": low, "max": high, "zeros": zeros, "nans": 0, "infs": 0, "mean": mean}
    return {**found, "std": math.sqrt(spread / flat.size), "norm": math.sqrt(squares)}


def _pieces(flat: numpy.ndarray[Any, Any]) -> list[numpy.ndarray[Any, Any]]:
    return [flat[start : start + PIECE] for start in range(0, flat.size, PIECE)]


def _mean(flat: numpy.ndarray[Any, Any], total: float) -> float:
    if flat.dtype.kind in "iu":
        wide = flat.dtype.itemsize == 8 and max(abs(int(flat.min())), abs(int(flat.max()))) > 1 << 46  # a piece's sum could overflow
        return sum(int((piece.astype(object) if wide else piece).sum()) for piece in _pieces(flat)) / flat.size
    if math.isfinite(total):
        return total / flat.size
    if numpy.isinf(flat).any():
        return total
    # the sum overflowed, the mean lies between the ends
    mean = float(sum(float((piece.astype(numpy.float64) / flat.size).sum()) for piece in _pieces(flat)))
    return min(max(mean, float(flat.min())), float(flat.max()))


def _deviation(flat: numpy.ndarray[Any, Any], mean: float, squares: float, *, constant: bool) -> float:
    """The population standard deviation: from the sums where the spread is not small against the mean, else from a second pass."""
    if not math.isfinite(mean):
        return math.nan
    if constant:
        return 0.0
    variance = squares / flat.size - mean * mean
    if flat.dtype.kind == "f" and SAFE_SQUARES[0] < squares < SAFE_SQUARES[1] and variance > SMALL_SPREAD * mean * mean:
        return math.sqrt(variance)
    spread, scale = 0.0, 1.0
    for piece in _pieces(flat):
        centred = piece.astype(numpy.float64) - mean
        spread += float(numpy.einsum("i,i->", centred, centred))
    part = 1.0
    if not SAFE_SQUARES[0] < spread < SAFE_SQUARES[1]:
        part = 1.0 if math.isfinite(spread) else 0.5  # the distance of two very large numbers overflows, that of their halves does not
        centre = part * mean
        scale = max(float(numpy.abs(part * piece.astype(numpy.float64) - centre).max()) for piece in _pieces(flat)) or 1.0
        spread = sum(float((((part * piece.astype(numpy.float64) - centre) / scale) ** 2).sum()) for piece in _pieces(flat))
    return scale * math.sqrt(spread / flat.size) / part


def _norm(flat: numpy.ndarray[Any, Any], squares: float, largest: Any) -> float:
    peak = float(largest)
    if peak == 0.0 or math.isinf(peak):
        return peak
    if SAFE_SQUARES[0] < squares < SAFE_SQUARES[1]:
        return math.sqrt(squares)
    return peak * math.sqrt(sum(float(((piece.astype(numpy.float64) / peak) ** 2).sum()) for piece in _pieces(flat)))


def _complex_figures(flat: numpy.ndarray[Any, Any]) -> dict[str, Any]:
    """Complex numbers have no order and here no mean: the counts and the norm."""
    with numpy.errstate(all="ignore"):
        nans = int(numpy.count_nonzero(numpy.isnan(flat)))
        infs = int(numpy.count_nonzero(numpy.isinf(flat)))
        parts = flat.astype(numpy.complex128).view(numpy.float64)
        norm = math.nan if nans else _norm(parts, float(numpy.einsum("i,i->", parts, parts)), numpy.abs(parts).max())
    return {"norm": norm, "zeros": int(flat.size - numpy.count_nonzero(flat)), "nans": nans, "infs": infs}
