"""Statistics of tensors that live on an accelerator: computed there, brought to the host in as few copies as can be.

Each copy to the host makes the host wait for the device. So of a whole batch small tensors are put together on the device and copied once,
to be measured by numpy like any other, and large ones are reduced where they are, all their figures copied once. Only where the sums of
some have lost digits, or hold a NaN, an inf or squares that overflowed, a second round with one copy more follows, for those alone.

What is computed is what `explorer.capture.notes.measure` computes, in float64. A device that has no float64 (Apple's, some of Intel's) does
not reduce: its tensors come to the host, in lots. The same code runs on tensors of the CPU, where it is tested; it has not run on a GPU.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import torch

from explorer.capture.notes import SAFE_SQUARES, SMALL_SPREAD, measure
from explorer.model import Note

__all__ = ["figures_on_device", "is_capturing", "stream_of"]

SMALL = 1 << 14  # elements up to which a tensor is copied; by reckoning, not measured: eight kernels cost about what its copy and numpy do
PIECE = 1 << 22  # elements of a large tensor that are looked at together: at most 100 MB of the device's memory while they are
LOT = 1 << 26  # bytes that are copied together

_REDUCED = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128, torch.bool}
_REDUCED |= {torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz}
_REDUCED |= {torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64}
_FIGURES = ("min", "max", "mean", "std", "norm", "zeros", "nans", "infs")

Figures = dict[str, Any]


def figures_on_device(tensors: Sequence[torch.Tensor], *, streams: Sequence[Any] | None = None) -> list[Figures]:
    """For each of these plain tensors (see `notes.is_plain`) the fields of its Note: min, max, mean, std, norm, zeros, nans, infs, values.

    A figure that does not exist (an order among complex numbers, the mean of nothing) is left out; `values` is None above 64 elements. The
    tensors may lie on several devices. `streams` holds what `stream_of` gave for each when it was made, if they were kept since. To be
    called where no dispatch mode of anybody's listens.
    """
    found: list[Figures | None] = [None] * len(tensors)
    if streams is not None:
        _wait(tensors, streams)
    with torch.no_grad(), torch._C.DisableTorchFunction(), torch._C._DisableAutocast():
        by_device: dict[torch.device, list[int]] = {}
        for place, tensor in enumerate(tensors):
            by_device.setdefault(tensor.device, []).append(place)
        for device, places in by_device.items():
            large = [place for place in places if _is_reduced(tensors[place], device)]
            small = [place for place in places if not _is_reduced(tensors[place], device)]
            for place, figures in zip(large, _reduced([_resolved(tensors[place]) for place in large]), strict=True):
                found[place] = figures
            for place, note in zip(small, _copied([_resolved(tensors[place]) for place in small]), strict=True):
                found[place] = _figures_of(note)
    return [figures for figures in found if figures is not None]


def stream_of(tensor: torch.Tensor) -> Any:
    """The stream on which the tensor's values are being computed, if it was made just now; None where there are no streams."""
    if tensor.device.type in ("cpu", "mps"):  # mps has one
        return None
    try:
        return torch.accelerator.current_stream(tensor.device)
    except (RuntimeError, NotImplementedError):
        return None


def is_capturing(tensor: torch.Tensor) -> bool:
    """Whether what happens on the tensor's device is only written down for later (a CUDA graph), so that there is nothing to read."""
    return tensor.device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def _wait(tensors: Sequence[torch.Tensor], streams: Sequence[Any]) -> None:
    """Let what is done now come after what other streams still do; our last copy ends before any of the tensors is let go."""
    for device, stream in {(tensor.device, stream) for tensor, stream in zip(tensors, streams, strict=True) if stream is not None}:
        current = torch.accelerator.current_stream(device)
        if current != stream:
            current.wait_stream(stream)


def _is_reduced(tensor: torch.Tensor, device: torch.device) -> bool:
    return tensor.numel() > SMALL and tensor.dtype in _REDUCED and not tensor._is_zerotensor() and _has_float64(device)


@cache
def _has_float64(device: torch.device) -> bool:
    if device.type == "mps":
        return False
    if device.type == "xpu":
        return bool(getattr(torch.xpu.get_device_properties(device), "has_fp64", False))
    return True


def _resolved(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without a lazy conjugation or sign, out of the graph."""
    return tensor.detach().resolve_conj().resolve_neg()


def _figures_of(note: Note) -> Figures:
    told = {name: value for name in _FIGURES if (value := getattr(note, name)) is not None}
    return {**told, "values": note.values}


# -- small ones: put together, copied once, measured on the host


def _copied(tensors: list[torch.Tensor]) -> Iterator[Note]:
    """The Notes of tensors whose bytes come to the host in lots."""
    lot: list[torch.Tensor] = []
    size = 0
    for tensor in tensors:
        bytes_ = tensor.numel() * tensor.element_size()
        if lot and size + bytes_ > LOT:
            yield from map(measure, _to_host(lot))
            lot, size = [], 0
        lot.append(tensor)
        size += bytes_
    yield from map(measure, _to_host(lot))


def _to_host(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Copies on the host: one copy of all their bytes."""
    if len(tensors) == 1 or any(tensor._is_zerotensor() for tensor in tensors):
        return [tensor.cpu() for tensor in tensors]
    order = sorted(range(len(tensors)), key=lambda place: -tensors[place].element_size())  # each begins at a multiple of its own
    bytes_ = [_bytes(tensors[place]) for place in order]
    together = torch.cat(bytes_).cpu() if bytes_ else torch.empty(0, dtype=torch.uint8)
    host: list[torch.Tensor] = [together] * len(tensors)
    start = 0
    for place, part in zip(order, bytes_, strict=True):
        tensor, size = tensors[place], part.numel()
        flat = together[start : start + size]
        if not size:
            host[place] = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
        elif tensor.is_complex():
            host[place] = torch.view_as_complex(flat.view(_real(tensor.dtype)).view(*tensor.shape, 2))
        else:
            host[place] = flat.view(tensor.dtype).view(tensor.shape)
        start += size
    return host


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return real.contiguous().as_strided((real.numel(),), (1,)).view(torch.uint8)


def _real(dtype: torch.dtype) -> torch.dtype:
    return {torch.complex32: torch.float16, torch.complex64: torch.float32, torch.complex128: torch.float64}[dtype]


# -- large ones: reduced on the device


def _reduced(tensors: list[torch.Tensor]) -> list[Figures]:
    """Figures by reductions on the device; the results of all of a round come in one copy, as bits of int64."""
    first = _fetched([_first(tensor) for tensor in tensors])
    figures = [_read(tensor, row) for tensor, row in zip(tensors, first, strict=True)]
    again = [place for place, found in enumerate(figures) if found.missing]
    for place, row in zip(again, _fetched([_again(tensors[place], figures[place]) for place in again]), strict=True):
        figures[place].complete(row)
    return [found.told for found in figures]


def _fetched(rows: list[torch.Tensor]) -> list[list[int]]:
    """Rows of int64, of any length each, on the host."""
    if not rows:
        return []
    flat = torch.cat(rows).cpu().tolist()
    cut = iter(flat)
    return [[next(cut) for _ in range(row.numel())] for row in rows]


class _Found:
    """What is known of a large tensor; `missing` is what a second look has to find out, by name, in that order."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.told: Figures = {"values": None}
        self.missing: list[str] = []
        self.mean = 0.0
        self.peak = 1.0

    @property
    def share(self) -> float:
        """What to take of every element where a distance is needed: that of two very large numbers overflows, that of halves does not."""
        return 0.5 if math.isfinite(self.peak) and self.peak > sys.float_info.max / 2 else 1.0

    def complete(self, row: list[int]) -> None:
        """Take in the second look."""
        told = self.told
        results = dict(zip(self.missing, row, strict=True))
        if "nans" in results:
            told["nans"], told["infs"] = results["nans"], results["infs"]
        if told["nans"]:
            told.update(dict.fromkeys(("min", "max", "mean", "std") if "min" in told else (), math.nan), norm=math.nan)
            return
        if told["infs"]:
            told["norm"] = math.inf
            return
        if "scaled_mean" in results:
            told["mean"] = _float(results["scaled_mean"])
        if "scaled_norm" in results:
            told["norm"] = self.peak * _float(results["scaled_norm"])
        if "spread" in results:
            told["std"] = _float(results["spread_peak"]) * (_float(results["spread"]) / math.sqrt(self.count)) / self.share


def _first(tensor: torch.Tensor) -> torch.Tensor:
    """One look at every element: smallest, largest, sum, norm, zeros; of integers the sum in two halves, of complex ones norm and zeros."""
    if tensor.is_complex():
        parts = torch.view_as_real(tensor)
        zeros = _over(tensor, lambda piece: (piece == 0).sum(), torch.sum)
        return torch.cat([_bits([_peak(parts), _norm(parts)]), zeros.view(1)])
    if tensor.is_floating_point():
        low, high = _ends(tensor)
        total = _over(tensor, lambda piece: _wide(piece).sum(dtype=torch.float64), torch.sum)
        return torch.cat([_bits([low, high, total, _norm(tensor)]), _zeros(tensor).view(1)])
    whole = tensor.view(torch.uint8) if tensor.dtype is torch.bool else tensor
    low, high = _ends(whole)
    upper = _over(whole, lambda piece: (piece.to(torch.int64) >> 32).sum(), torch.sum)
    lower = _over(whole, lambda piece: (piece.to(torch.int64) & 0xFFFFFFFF).sum(), torch.sum)
    exact = torch.stack([low.to(torch.int64), high.to(torch.int64), upper, lower, _zeros(whole)])
    return torch.cat([exact, _bits([_norm(whole)])])


def _read(tensor: torch.Tensor, row: list[int]) -> _Found:
    """What the first look tells, and what a second must find out."""
    found = _Found(tensor.numel())
    if tensor.is_complex():
        found.peak, norm = _float(row[0]), _float(row[1])
        found.told.update(norm=norm, zeros=row[2], nans=0, infs=0)
        _judge_norm(found, norm)
        return found
    if tensor.is_floating_point():
        low, high, total, norm = map(_float, row[:4])
        zeros, whole = row[4], False
        mean = total / found.count
    else:
        low, high, zeros, norm, whole = float(row[0]), float(row[1]), row[4], _float(row[5]), True
        mean = ((row[2] << 32) + row[3]) / found.count
    if low == high and math.isfinite(low):
        mean = low  # whatever their sum is rounded to
    found.peak, found.mean = max(abs(low), abs(high)), mean
    found.told.update(min=low, max=high, mean=mean, std=math.nan, norm=norm, zeros=zeros, nans=0, infs=0)
    _judge_norm(found, norm)
    if not math.isfinite(mean) and math.isfinite(low) and math.isfinite(high):
        found.missing.append("scaled_mean")  # the sum overflowed, the mean does not
    if low == high and math.isfinite(low):
        found.told["std"] = 0.0
    elif math.isfinite(low) and math.isfinite(high):
        variance = norm * norm / found.count - mean * mean
        if not whole and math.isfinite(mean) and "scaled_norm" not in found.missing and variance > SMALL_SPREAD * mean * mean:
            found.told["std"] = math.sqrt(variance)
        else:
            found.missing += ["spread_peak", "spread"]
    return found


def _judge_norm(found: _Found, norm: float) -> None:
    """Whether the squares were safe; a NaN or inf shows in the norm."""
    if not math.isfinite(found.peak):
        found.missing += ["nans", "infs"]
    elif found.peak and not SAFE_SQUARES[0] < norm * norm < SAFE_SQUARES[1]:
        found.missing.append("scaled_norm")


def _again(tensor: torch.Tensor, found: _Found) -> torch.Tensor:
    """The second look: what `missing` names."""
    parts = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    results: list[torch.Tensor] = []
    mean: torch.Tensor | float = found.mean
    for name in found.missing:
        match name:
            case "nans" | "infs":
                results.append(_over(tensor, partial(_not_finite, name=name), torch.sum).view(1))
            case "scaled_mean":
                mean = _over(parts, lambda piece: (_wide(piece).to(torch.float64) / found.count).sum(), torch.sum)
                mean = mean.clamp(found.told["min"], found.told["max"])
                results.append(_bits([mean]))
            case "scaled_norm":
                results.append(_bits([_norm(parts, scale=found.peak)]))
            case "spread_peak":
                spread_peak = _over(parts, partial(_distance, mean=mean, share=found.share), torch.amax)
                spread_peak = torch.where(spread_peak > 0, spread_peak, 1.0)
                spread = _norm(parts, mean=mean, scale=spread_peak, share=found.share)
                results.append(_bits([spread_peak, spread]))
    return torch.cat(results)


def _not_finite(piece: torch.Tensor, *, name: str) -> torch.Tensor:
    return (piece.isnan() if name == "nans" else piece.isinf()).sum()


def _distance(piece: torch.Tensor, *, mean: torch.Tensor | float, share: float) -> torch.Tensor:
    return (_wide(piece).to(torch.float64) * share - mean * share).abs().amax()


def _norm(
    tensor: torch.Tensor, *, mean: torch.Tensor | float | None = None, scale: torch.Tensor | float | None = None, share: float = 1.0
) -> torch.Tensor:
    """The L2 norm of share · (tensor − mean) / scale, each step in float64."""

    def norm(piece: torch.Tensor) -> torch.Tensor:
        exact = _wide(piece)
        if mean is not None or scale is not None or not exact.is_floating_point():
            exact = exact.to(torch.float64)
        exact = exact if mean is None else exact * share - mean * share
        exact = exact if scale is None else exact / scale
        return torch.linalg.vector_norm(exact, dtype=torch.float64)

    return _over(tensor, norm, torch.linalg.vector_norm)


def _peak(tensor: torch.Tensor) -> torch.Tensor:
    low, high = _ends(tensor)
    return torch.maximum(low.abs(), high.abs())


def _ends(tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The smallest and the largest element; NaN if there is one."""
    ends = [torch.aminmax(_wide(piece)) for piece in _pieces(tensor)]
    if len(ends) == 1:
        return ends[0].min, ends[0].max
    return torch.stack([end.min for end in ends]).amin(), torch.stack([end.max for end in ends]).amax()


def _zeros(tensor: torch.Tensor) -> torch.Tensor:
    return _over(tensor, lambda piece: (_wide(piece) == 0).sum(), torch.sum)


def _over(
    tensor: torch.Tensor, part: Callable[[torch.Tensor], torch.Tensor], whole: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """`part` of every piece, and `whole` of what they gave."""
    results = [part(piece) for piece in _pieces(tensor)]
    return results[0] if len(results) == 1 else whole(torch.stack(results))


def _pieces(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The elements in pieces, in any order, no piece larger than PIECE; views, no copies."""
    waiting = [tensor]
    while waiting:
        part = waiting.pop()
        if part.numel() <= PIECE:
            yield part
        else:
            outer = max((dim for dim in range(part.dim()) if part.shape[dim] > 1), key=part.stride)
            half = part.shape[outer] // 2
            waiting += [part.narrow(outer, 0, half), part.narrow(outer, half, part.shape[outer] - half)]


def _wide(piece: torch.Tensor) -> torch.Tensor:
    """Short floats as float32, which holds them exactly and has every op."""
    return piece.float() if piece.is_floating_point() and piece.element_size() < 4 else piece


def _bits(numbers: list[torch.Tensor]) -> torch.Tensor:
    """Numbers of the device as the bits of float64, so that they can be copied together with counts."""
    return torch.stack([number.to(torch.float64) for number in numbers]).view(torch.int64)


def _float(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])
