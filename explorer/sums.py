"""Each gradient is the sum of what its edges brought, plus the seed where backward began.

Compared value by value where all values are known, else by the sum over all elements (mean times count: a sum of tensors has the sum of
their sums). A node whose gradient a hook replaced says so by the finding `replaced_gradient` and is left out.

NOTE [tolerance] The engine adds in the tensor's own type: n terms are off by at most n roundings of the largest partial sum, which the
sum of magnitudes bounds. Where that bound reaches the type's largest number the engine may have overflowed, and anything not finite
is believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from explorer.errors import InvalidTrace
from explorer.model import Note, Trace

__all__ = ["check_sums", "misfits"]

# relative rounding step, smallest normal and largest number
_PRECISION = {
    "float64": (2.3e-16, 2.3e-308, 1.79e308),
    "complex128": (2.3e-16, 2.3e-308, 1.79e308),
    "float32": (1.2e-7, 1.2e-38, 3.40e38),
    "complex64": (1.2e-7, 1.2e-38, 3.40e38),
    "bfloat16": (7.9e-3, 1.2e-38, 3.38e38),
    "float16": (9.8e-4, 6.2e-5, 65504.0),
}
_COARSEST = (0.25, 0.02, 448.0)  # the eight-bit types, and whatever comes after them
_STATISTICS = 1e-12  # relative accuracy of a mean that was computed in float64 over all elements


def check_sums(trace: Trace) -> None:
    """Raise InvalidTrace at the first gradient that its edges and seed do not add up to."""
    replaced = {finding.node for finding in trace.findings if finding.kind == "replaced_gradient"}
    for node, output, gradient, terms in _sums(trace):
        if node not in replaced:
            _check_sum(gradient, terms, node, output)


def misfits(trace: Trace) -> Iterator[tuple[int, int]]:
    """(node, output) of each gradient that is not the sum of what was sent to it."""
    for node, output, gradient, terms in _sums(trace):
        try:
            _check_sum(gradient, terms, node, output)
        except InvalidTrace:
            yield node, output


def _sums(trace: Trace) -> Iterator[tuple[int, int, Note, list[Note]]]:
    """Each gradient with what its edges and its seed brought."""
    brought: dict[tuple[int, int], list[Note]] = {}
    for edge in trace.edges:
        if edge.differentiable and edge.gradient is not None:
            brought.setdefault((edge.source, edge.output), []).append(edge.gradient)
    for node in trace.nodes:
        for output, (gradient, seed) in enumerate(zip(node.gradients, node.seeds, strict=True)):
            if gradient is not None:
                terms = brought.get((node.id, output), [])
                yield node.id, output, gradient, terms if seed is None else [*terms, seed]


def _check_sum(gradient: Note, terms: Sequence[Note], node: int, output: int) -> None:
    if not terms:
        raise InvalidTrace("trace.sum_source", node=node, output=output)
    if len(terms) == 1 and terms[0] is gradient:
        return
    if any(term.shape != gradient.shape for term in terms):
        raise InvalidTrace("trace.sum_shape", node=node, output=output)
    if gradient.values is not None and all(term.values is not None for term in terms):
        error = _values_error(gradient, terms)
    else:
        error = _statistics_error(gradient, terms)
    if error:
        raise InvalidTrace("trace.sum", node=node, output=output, error=error)


def _precision(gradient: Note, terms: Sequence[Note]) -> tuple[float, float, float]:
    """The coarsest of the types involved."""
    return max((_PRECISION.get(note.dtype, _COARSEST) for note in (gradient, *terms)), key=lambda steps: steps[0])


def _values_error(gradient: Note, terms: Sequence[Note]) -> float:
    """The largest difference beyond the tolerance, 0 where all agree. See NOTE [tolerance]."""
    rounding, smallest, largest = _precision(gradient, terms)
    columns = zip(*(_numbers(term.values) for term in terms), strict=True)
    worst = 0.0
    for got, parts in zip(_numbers(gradient.values), columns, strict=True):
        total, magnitude = sum(parts), sum(map(abs, parts))
        if got == total:
            continue
        tolerance = len(parts) * (rounding * magnitude + smallest) if magnitude < math.inf else 0.0
        worst = max(worst, _difference(got, total, tolerance, overflow=largest <= magnitude < math.inf))
    return worst


def _difference(got: complex, total: complex, tolerance: float, *, overflow: bool) -> float:
    """How far `got` is from `total`; 0 within the tolerance, for equal infinities, for NaN and NaN, and for a possible overflow."""
    if got == total or (got != got and total != total):
        return 0.0
    if overflow and not _finite(got):
        return 0.0
    error = abs(got - total)
    return 0.0 if error <= tolerance else math.inf if math.isnan(error) else error


def _statistics_error(gradient: Note, terms: Sequence[Note]) -> float:
    """The difference of the sums over all elements beyond the tolerance; 0 where statistics are missing."""
    numel = gradient.numel
    notes = (gradient, *terms)
    if not numel or any(note.mean is None or note.norm is None or note.min is None or note.max is None for note in notes):
        return 0.0
    rounding, smallest, largest = _precision(gradient, terms)
    means = [note.mean or 0.0 for note in terms]
    peak = sum(max(abs(term.min or 0.0), abs(term.max or 0.0)) for term in terms) if all(map(math.isfinite, means)) else math.inf
    got, total = numel * (gradient.mean or 0.0), numel * sum(means)
    if peak == math.inf and not math.isfinite(got):
        return 0.0  # inf and NaN in the terms: which elements they met in is not known
    size = math.sqrt(numel) * sum(note.norm or 0.0 for note in notes if math.isfinite(note.norm or 0.0))
    tolerance = (len(terms) * rounding + _STATISTICS) * size + len(terms) * numel * smallest
    return _difference(got, total, tolerance, overflow=peak >= largest)


def _finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)


def _numbers(values: Any) -> Sequence[complex]:
    """The nested values one after the other; complex ones are strings."""
    flat = values if isinstance(values, tuple) else (values,)
    while flat and isinstance(flat[0], tuple):
        flat = tuple(chain.from_iterable(flat))
    return [complex(value) if isinstance(value, str) else value for value in flat]
