"""One value that many things read one after the other, as the turns of a loop do: a line down the side, from which each takes.

NOTE [buses]: Graphviz finds a way of its own for each of these lines, past everything between: thirty lines beside each other, and 220 of
the 230 ms that an open segment of an LSTM of 500 steps took. Readers that come after other readers of the value are therefore left out of
what Graphviz is asked, and reached from a lane beside all things. Where a lane cannot be drawn, Graphviz does it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explorer.picture.geometry import Edge, Placement, Point, Spec
from explorer.picture.lines import crossed

__all__ = ["Buses", "buses_of", "with_buses"]

FEWEST = 4  # readers on a bus
BEFORE = 10.0  # points before a reader: where its branch turns
AFTER = 5.0  # points after the producer: where the line turns to the lane
LANE = 8.0  # points beside the things, and between two lanes
HIGHER = 4  # how often a branch is tried above what is in its way

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Buses:
    """The numbers of the edges on each bus, and the scope without them."""

    edges: tuple[tuple[int, ...], ...]
    rest: Spec
    kept: tuple[int, ...]


def buses_of(spec: Spec) -> Buses | None:
    """The buses of a scope; None if it has none."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, edge in enumerate(spec.edges):
        if edge.head >= 0:
            groups.setdefault((edge.tail, edge.tail_port), []).append(number)
    groups = {way: numbers for way, numbers in groups.items() if len(numbers) > FEWEST}
    if not groups:
        return None
    led = {number for numbers in groups.values() for number in numbers}
    after = _after(spec, [edge for number, edge in enumerate(spec.edges) if number not in led])
    found = []
    for numbers in groups.values():
        bus: list[int] = []
        last = -1
        for number in sorted(numbers, key=lambda number: spec.edges[number].head):
            head = spec.edges[number].head
            if last < 0 or after[last] >> head & 1:  # each after the one before: what stands side by side is better left to Graphviz
                bus += [number] if last >= 0 else []
                last = head
        if len(bus) >= FEWEST:
            found.append(tuple(bus))
    taken = {number for bus in found for number in bus}
    kept = tuple(number for number in range(len(spec.edges)) if number not in taken)
    return Buses(tuple(found), replace(spec, edges=tuple(spec.edges[number] for number in kept)), kept) if found else None


def _after(spec: Spec, edges: Sequence[Edge]) -> list[int]:
    """Thing -> the things that come after it, as bits."""
    readers: list[list[int]] = [[] for _ in spec.sizes]
    for edge in edges:
        if edge.head > edge.tail >= 0:
            readers[edge.tail].append(edge.head)
    after = [0] * len(readers)
    for thing in range(len(readers) - 1, -1, -1):
        for reader in readers[thing]:
            after[thing] |= after[reader] | 1 << reader
    return after


def with_buses(spec: Spec, buses: Buses, found: Placement) -> Placement | None:
    """The placement of the scope without its buses, with them; None where something is in the way."""
    lines: list[tuple[Point, ...]] = [()] * len(spec.edges)
    labels: list[Point | None] = [None] * len(spec.edges)
    for place, number in enumerate(buses.kept):
        lines[number], labels[number] = found.lines[place], found.labels[place]
    boxes = [(u, v, u + size[0], v + size[1]) for (u, v), size in zip(found.at, spec.sizes, strict=True)]
    words = [(label, spec.edges[number].label) for number, label in enumerate(labels)]
    taken = [(at[0] - size[0] / 2, at[1] - size[1] / 2, at[0] + size[0] / 2, at[1] + size[1] / 2) for at, size in words if at and size]
    lane = max([*(box[2] for box in [*boxes, *taken]), *(u for line in found.lines for u, _ in line)])
    for order, bus in enumerate(buses.edges):
        lane += LANE + max([size[0] + 4 for number in bus if (size := spec.edges[number].label) is not None], default=0.0)
        for number in bus:
            line = _branch(spec, found, spec.edges[number], lane, order, boxes, taken)
            if line is None:
                return None
            lines[number] = line
            if (room := spec.edges[number].label) is not None:
                labels[number] = (lane - 3 - room[0] / 2, line[-2][1] - room[1] / 2)
    return replace(found, width=max(found.width, lane + 2), lines=tuple(lines), labels=tuple(labels))


def _branch(
    spec: Spec, found: Placement, edge: Edge, lane: float, order: int, boxes: Sequence[Box], taken: Sequence[Box]
) -> tuple[Point, ...] | None:
    """The line from a producer to the lane, along it, and to a reader."""
    start, turn = _start(spec, found, edge, boxes)
    left, top, right, _ = boxes[edge.head]
    frame = spec.frames[edge.head]
    u = left + frame.into[edge.head_port] if frame is not None else right - min(10.0, (right - left) / 4)
    leaving = ((start[0], turn), (lane, turn))
    if crossed(start, leaving[0], boxes, 0.0) or crossed(*leaving, boxes, 0.0):
        return None
    before = top - BEFORE - 4 * order
    for _ in range(HIGHER):
        around = [*boxes, *taken]
        met = crossed((u, before), (lane, before), around, 0.0)
        if not met:
            break
        before = min(around[number][1] for number in met) - BEFORE - 4 * order
    else:
        return None
    if before <= turn or crossed((u, before), (u, top), boxes, 0.0):
        return None
    return (start, *leaving, (lane, before), (u, before), (u, top))


def _start(spec: Spec, found: Placement, edge: Edge, boxes: Sequence[Box]) -> tuple[Point, float]:
    """Where a bus leaves its producer, and where it turns to the lane."""
    if edge.tail < 0:
        return (found.into[edge.tail_port], 0.0), AFTER
    left, _, right, bottom = boxes[edge.tail]
    frame = spec.frames[edge.tail]
    u = left + frame.out[edge.tail_port] if frame is not None else right - min(10.0, (right - left) / 4)
    return (u, bottom), bottom + AFTER
