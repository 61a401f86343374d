"""One program recorded twice, on two devices or in two data types: which values and gradients differ, by how much, and where that begins.

A difference is the largest of all elements, |a − b|; relative is that over the largest magnitude of both tensors. Of a tensor that was
not kept whole only statistics are known. They bound the difference from below (|max a − max b|, |mean a − mean b|, … are never larger
than it), and a row says so: it is `bounded`.

NOTE [parting] Nodes are compared in pairs, in forward order, for as long as both programs did the same: the same op, on the same
results. From where they part on, only leaves of the same name are still the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from explorer.formulas.numbers import array
from explorer.model import Node, Note, Trace
from explorer.steps import each_step

__all__ = ["TOLERANCES", "Contrast", "Row", "coarser", "contrast", "in_order", "written"]

# Of the coarser of two data types: relative tolerances of torch.testing.assert_close. What is not here has to be equal.
TOLERANCES = {"float64": 1e-7, "float32": 1.3e-6, "bfloat16": 1.6e-2, "float16": 1e-3, "float8_e4m3fn": 0.125, "float8_e5m2": 0.25}

What = Literal["value", "gradient"]


@dataclass(frozen=True, slots=True)
class Row:
    """A value or a gradient of node `node` in the first recording and `other` in the second, at output `output`.

    `step` is where the first recording's player shows it. `difference` and `relative` are None where nothing is to be compared: `why`
    says so ("shape", "missing", "no_values", "kind"). `tolerance` is relative.
    """

    what: What
    node: int
    other: int
    output: int
    step: int | None
    first: Note | None
    second: Note | None
    difference: float | None
    relative: float | None
    bounded: bool
    tolerance: float
    why: str | None = None

    @property
    def above(self) -> bool:
        """Whether it differs by more than the tolerance, or cannot be the same for its shape or its absence."""
        return self.why in ("shape", "missing") or (self.relative is not None and not self.relative <= self.tolerance)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two recordings beside each other. `rows` stand in the order in which things were computed; `parted` is the first node of the first
    recording at which the programs no longer do the same, the number of its nodes where the second has more, None where they never part."""

    first: Trace
    second: Trace
    rows: tuple[Row, ...]
    parted: int | None

    def at(self, tolerance: float) -> Contrast:
        """The same with one relative tolerance for all numbers with a fraction."""
        return replace(self, rows=tuple(replace(row, tolerance=tolerance if row.tolerance else 0.0) for row in self.rows))

    @property
    def begins(self) -> Row | None:
        """Where the first difference above tolerance arises: all that was computed before it agrees."""
        return next((row for row in self.rows if row.above), None)

    @property
    def largest(self) -> Row | None:
        """The row with the largest relative difference."""
        known = [row for row in self.rows if row.relative is not None]
        return max(known, key=lambda row: row.relative or 0.0, default=None)


def contrast(first: Trace, second: Trace) -> Contrast:
    """Compare what was recorded on two devices or in two data types."""
    pairs, parted = _pairs(first, second)
    steps = _steps(first)
    rows = []
    for what, node, output in in_order(first):
        if node not in pairs:
            continue
        a, b = first.nodes[node], second.nodes[pairs[node]]
        notes = (a.outputs, b.outputs) if what == "value" else (a.gradients, b.gradients)
        mine, theirs = (side[output] if output < len(side) else None for side in notes)
        if mine is None and theirs is None:
            continue
        name = "output" if what == "value" else "gradient"
        a_whole, b_whole = _whole(first, f"n{node}.{name}{output}", mine), _whole(second, f"n{pairs[node]}.{name}{output}", theirs)
        found = _compared(mine, theirs, a_whole, b_whole)
        rows.append(Row(what, node, pairs[node], output, steps.get((what, node, output)), mine, theirs, *found))
    return Contrast(first, second, tuple(rows), parted)


def in_order(trace: Trace) -> Iterator[tuple[What, int, int]]:
    """Every value and every gradient of a trace, in the order in which they were there: leaves, forward, backward."""
    for node in trace.nodes:
        for output in range(len(node.outputs)):
            yield "value", node.id, output
    ran = dict.fromkeys(trace.backward)
    for number in [*ran, *(node.id for node in trace.nodes if node.id not in ran)]:
        for output in range(len(trace.nodes[number].gradients)):
            yield "gradient", number, output


def coarser(one: str, two: str) -> float:
    """The tolerance for two data types; 0 where they have to be equal."""
    return max(TOLERANCES.get(one, 0.0), TOLERANCES.get(two, 0.0))


def written(found: Contrast) -> list[dict[str, Any]]:
    """The rows as plain values, for a file."""
    return [
        {
            "what": row.what,
            "node": row.node,
            "output": row.output,
            "name": found.first.nodes[row.node].name,
            "op": found.first.nodes[row.node].op,
            "module": found.first.nodes[row.node].module,
            "first": _plain(row.first),
            "second": _plain(row.second),
            "difference": _number(row.difference),
            "relative": _number(row.relative),
            "at_least": row.bounded,
            "tolerance": row.tolerance,
            "above": row.above,
            "why": row.why,
        }
        for row in found.rows
    ]


def _plain(note: Note | None) -> dict[str, Any] | None:
    if note is None:
        return None
    return {
        "shape": list(note.shape),
        "dtype": note.dtype,
        "device": note.device,
        **{name: _number(getattr(note, name)) for name in ("min", "max", "mean", "std", "norm")},
    }


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


# -- which node is which: NOTE [parting]


def _pairs(first: Trace, second: Trace) -> tuple[dict[int, int], int | None]:
    """Node of the first -> node of the second, and where they part."""
    reads = [_reads(trace) for trace in (first, second)]
    same = 0
    for one, two in zip(first.nodes, second.nodes, strict=False):
        if _kind(one) != _kind(two) or reads[0].get(one.id) != reads[1].get(two.id):
            break
        same += 1
    pairs = {number: number for number in range(same)}
    if same == len(first.nodes) == len(second.nodes):
        return pairs, None
    named = {node.name: node.id for node in second.nodes[same:] if node.is_leaf and node.name}
    pairs |= {node.id: named[node.name] for node in first.nodes[same:] if node.is_leaf and node.name in named}
    return pairs, same


def _kind(node: Node) -> tuple[Any, ...]:
    return node.kind, node.op, node.module, node.name if node.is_leaf else None, len(node.outputs)


def _reads(trace: Trace) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for edge in trace.edges:
        found.setdefault(edge.target, []).append((edge.input, edge.source, edge.output))
    for edges in found.values():
        edges.sort()
    return found


def _steps(trace: Trace) -> dict[tuple[What, int, int], int]:
    """The step, from 1, that writes each value and each gradient first."""
    found: dict[tuple[What, int, int], int] = {}
    for number, step in enumerate(each_step(trace), start=1):
        for ref in step.writes:
            if ref.what in ("value", "gradient"):
                found.setdefault((ref.what, ref.node, ref.output), number)
            elif ref.what == "seed":
                found.setdefault(("gradient", ref.node, ref.output), number)
    return found


# -- how far apart

Found = tuple[float | None, float | None, bool, float, "str | None"]


def _compared(one: Note | None, two: Note | None, a: Any, b: Any) -> Found:
    """Difference, relative difference, whether these are bounds from below, the tolerance, and why there is none."""
    if one is None or two is None:
        return None, None, False, 0.0, "missing"
    tolerance = coarser(one.dtype, two.dtype)
    if one.shape != two.shape:
        return None, None, False, tolerance, "shape"
    if one.norm is None or two.norm is None:
        complex_or_empty = one.numel == 0 or "complex" in one.dtype
        if a is None or b is None:
            return None, None, False, tolerance, "kind" if complex_or_empty else "no_values"
    if a is not None and b is not None:
        return *_of_elements(a.reshape(-1), b.reshape(-1)), False, tolerance, None
    return *_of_statistics(one, two), True, tolerance, None


_STORED = {
    "float64": "<f8", "float32": "<f4", "float16": "<f2", "int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "<i1", "uint8": "<u1",
    "bool": "?",
}  # fmt: skip


def _whole(trace: Trace, name: str, note: Note | None) -> Any:
    """All elements as float64; None where they were not kept."""
    if note is None:
        return None
    found = array(note)
    stored = trace.tensors.get(name) if found is None else None
    if stored is not None and stored.dtype == "bfloat16":
        found = (np.frombuffer(stored.data, "<u2").astype(np.uint32) << 16).view(np.float32)
    elif stored is not None and stored.dtype in _STORED:
        found = np.frombuffer(stored.data, _STORED[stored.dtype])
    return None if found is None else np.asarray(found, np.float64)


def _of_elements(a: Any, b: Any) -> tuple[float, float]:
    if a.size == 0:
        return 0.0, 0.0
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    if alike.all():
        return 0.0, 0.0
    if not (np.isfinite(a[~alike]).all() and np.isfinite(b[~alike]).all()):
        return math.inf, math.inf
    difference = float(np.abs(a[~alike] - b[~alike]).max())
    scale = max((float(np.abs(side[np.isfinite(side)]).max(initial=0.0)) for side in (a, b)), default=0.0)
    return difference, difference / scale


def _of_statistics(one: Note, two: Note) -> tuple[float, float]:
    """A bound from below. What is not finite is left out of min, max, mean, std and norm, so that its counts have to agree first."""
    if (one.nans, one.infs) != (two.nans, two.infs):
        return math.inf, math.inf
    known = [(getattr(one, name), getattr(two, name)) for name in ("min", "max", "mean", "std")]
    bounds = [abs(a - b) for a, b in known if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)]
    if one.norm is not None and two.norm is not None and one.numel and math.isfinite(one.norm) and math.isfinite(two.norm):
        bounds.append(abs(one.norm - two.norm) / math.sqrt(one.numel))
    difference = max(bounds, default=0.0)
    ends = [abs(value) for note in (one, two) for value in (note.min, note.max) if value is not None and math.isfinite(value)]
    scale = max(ends, default=0.0)
    return difference, difference / scale if scale else difference and math.inf
