"""Things one after the other: the one shape that needs no Graphviz.

NOTE [chains]: 18 of the 26 scopes of a ResNet-50 are a convolution, a norm and an activation under each other. Asking for each took a
millisecond, mostly for the question; what Graphviz answers is a column, which is drawn here the same way.
"""

from __future__ import annotations

from itertools import pairwise

from explorer.picture.geometry import Edge, Placement, Point, Spec

__all__ = ["NEAREST", "chained"]

NEAREST = 9.0  # points between the border of a frame with ports and the first thing in it
WIDER = 1.25  # times as wide as its widest thing: a column that steps aside more than that is set straight


def chained(spec: Spec) -> Placement | None:
    """The placement of a scope that is a chain; None for any other."""
    order = _order(spec)
    if order is None:
        return None
    into, out = _doors(spec)
    lefts = _lefts(spec, order, into, out)
    if _width(spec, order, lefts) > WIDER * max(width for width, _ in spec.sizes):
        lefts = [-spec.sizes[thing][0] / 2 for thing in order]
    least = min(lefts)
    at: list[Point] = [(0.0, 0.0)] * len(order)
    v = NEAREST if spec.into else 0.0
    for thing, left in zip(order, lefts, strict=True):
        at[thing] = (left - least, v)
        v += spec.sizes[thing][1] + spec.apart[1]
    height = v - spec.apart[1] + (NEAREST if spec.out else 0.0)
    lines = []
    for edge in spec.edges:
        ends = (at[edge.head][0] + into[edge.head], at[edge.head][1]) if edge.head >= 0 else None
        begins = (at[edge.tail][0] + out[edge.tail], at[edge.tail][1] + spec.sizes[edge.tail][1]) if edge.tail >= 0 else None
        lines.append(_line(edge, begins or ((ends or (0.0, 0.0))[0], 0.0), ends or ((begins or (0.0, 0.0))[0], height)))
    first = tuple(line[0][0] for edge, line in zip(spec.edges, lines, strict=True) if edge.tail < 0)
    last = tuple(line[-1][0] for edge, line in zip(spec.edges, lines, strict=True) if edge.head < 0)
    return Placement(_width(spec, order, lefts), height, tuple(at), tuple(lines), (None,) * len(lines), first, last)


def _order(spec: Spec) -> list[int] | None:
    """The things from first to last, if each but the last leads to the next and nowhere else."""
    count = len(spec.sizes)
    if spec.into > 1 or spec.out > 1 or len(spec.edges) != count - 1 + spec.into + spec.out:
        return None
    after: dict[int, int] = {}
    entered: set[int] = set()
    for edge in spec.edges:
        if edge.label is not None or edge.tail in after or edge.head in entered:
            return None
        after[edge.tail] = edge.head
        entered.add(edge.head)
    if (-1 in after) != bool(spec.into) or (-1 in entered) != bool(spec.out) or after.get(-1) == -1:
        return None
    thing = after[-1] if spec.into else next((thing for thing in range(count) if thing not in entered), -1)
    order: list[int] = []
    while thing >= 0 and len(order) < count:
        order.append(thing)
        thing = after.get(thing, -1)
    return order if len(order) == count else None


def _doors(spec: Spec) -> tuple[list[float], list[float]]:
    """Where a line enters each thing, and where one leaves it, from its left side."""
    into = [width / 2 for width, _ in spec.sizes]
    out = list(into)
    for edge in spec.edges:
        tail, head = (None if thing < 0 else spec.frames[thing] for thing in (edge.tail, edge.head))
        if tail is not None:
            out[edge.tail] = tail.out[edge.tail_port]
        if head is not None:
            into[edge.head] = head.into[edge.head_port]
    return into, out


def _lefts(spec: Spec, order: list[int], into: list[float], out: list[float]) -> list[float]:
    """Where each thing begins: so that the line into it is straight, but equal frames stand under each other."""
    lefts = [0.0]
    for before, thing in pairwise(order):
        alike = spec.frames[thing] is not None and spec.frames[thing] == spec.frames[before] and spec.sizes[thing] == spec.sizes[before]
        lefts.append(lefts[-1] if alike else lefts[-1] + out[before] - into[thing])
    return lefts


def _width(spec: Spec, order: list[int], lefts: list[float]) -> float:
    return max(left + spec.sizes[thing][0] for thing, left in zip(order, lefts, strict=True)) - min(lefts)


def _line(edge: Edge, begins: Point, ends: Point) -> tuple[Point, ...]:
    """A line straight down, or with one step between two things."""
    if abs(begins[0] - ends[0]) < 0.05 or edge.tail < 0 or edge.head < 0:
        return (begins, ends)
    middle = (begins[1] + ends[1]) / 2
    return (begins, (begins[0], middle), (ends[0], middle), ends)
