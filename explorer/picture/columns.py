"""A tall, slim scope in columns, as in a newspaper: cut between its things, the rest to the right, lines led from foot to head in lanes.

NOTE [lanes]: a line that is cut runs below its column, up the gutter and over the next one. Lines are taken from right to left, each in a
lane further out than the one before; at the head the order turns round. So no two of them cross.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from explorer.picture.geometry import Placement, Point, Spec

__all__ = ["columned"]

TALL, TALL_ROW = 5000.0, 2500.0  # points: a lower scope stays in one piece; one that is a row of frames is cut sooner
ROW = (3, 0.6)  # so many frames that are so much of the height
SLIM = 2.5  # times as high as wide
WANTED = 1.5  # times as wide as high
MOST_CROSSING = 16  # lines through one cut
MOST_COLUMNS = 30
LANE = 5.0
MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class _Column:
    """A stretch of the scope, where it comes to lie, and the lines that leave it at its foot: first of their edges -> u there."""

    start: float
    end: float
    left: float
    right: float
    crossing: tuple[tuple[int, float], ...]


def columned(spec: Spec, found: Placement) -> Placement:
    """The placement in columns where that makes it handier; else as it is."""
    frames = [height for (_, height), frame in zip(spec.sizes, spec.frames, strict=True) if frame is not None]
    is_row = len(frames) >= ROW[0] and sum(frames) > ROW[1] * found.height
    if found.height < (TALL_ROW if is_row else TALL) or found.height < SLIM * found.width:
        return found
    cuts = _cuts(spec, found)
    columns = _columns(spec, found, _chosen(found, cuts))
    return found if len(columns) < 2 else _laid(spec, found, columns)


def _cuts(spec: Spec, found: Placement) -> list[float]:
    """Where no thing stands on both sides, and few lines cross."""
    spans = sorted((v, v + size[1]) for (_, v), size in zip(found.at, spec.sizes, strict=True))
    cuts, reached = [], -math.inf
    for top, bottom in spans:
        if top >= reached + 8 and reached > -math.inf:
            cuts.append((reached + top) / 2)
        reached = max(reached, bottom)
    return [cut for cut in cuts if len(_crossing(spec, found, cut)) <= MOST_CROSSING]


def _crossing(spec: Spec, found: Placement, cut: float) -> list[tuple[int, float]]:
    """The lines through a cut, and where; those of one value at one place count once."""
    seen: dict[tuple[int, int, int], int] = {}
    places = []
    for number, line in enumerate(found.lines):
        if line[0][1] < cut < line[-1][1]:
            u = _at(line, cut)
            edge = spec.edges[number]
            key = (edge.tail, edge.tail_port, round(u))
            if key not in seen:
                seen[key] = number
                places.append((number, u))
    return places


def _at(line: Sequence[Point], v: float) -> float:
    for (u1, v1), (u2, v2) in pairwise(line):
        if v1 <= v <= v2 and v2 > v1:
            return u1 + (u2 - u1) * (v - v1) / (v2 - v1)
    return line[-1][0]


def _chosen(found: Placement, cuts: list[float]) -> list[float]:
    """The cuts that make columns of about equal height, in about the wanted proportion."""
    best, badness = [], math.inf
    for count in range(2, MOST_COLUMNS + 1):
        most = found.height / count
        for limit in (most, most * 1.12, most * 1.3):
            chosen, start = [], 0.0
            while start + limit < found.height:
                place = bisect_right(cuts, start + limit) - 1
                if place < 0 or cuts[place] <= start:
                    place += 1
                if place >= len(cuts):
                    break
                start = cuts[place]
                chosen.append(start)
            heights = [end - begin for begin, end in zip([0.0, *chosen], [*chosen, found.height], strict=True)]
            width = len(heights) * (found.width + 40)
            waste = 1 - sum(heights) / (len(heights) * max(heights))
            score = abs(math.log(width / max(heights) / WANTED)) + waste
            if chosen and score < badness:
                best, badness = chosen, score
    return best


def _columns(spec: Spec, found: Placement, cuts: list[float]) -> list[_Column]:
    columns = []
    for start, end in zip([0.0, *cuts], [*cuts, found.height], strict=True):
        across = [u for (u, v) in found.at if start <= v < end]
        across += [u + size[0] for (u, v), size in zip(found.at, spec.sizes, strict=True) if start <= v < end]
        across += [u for line in found.lines for u, v in line if start <= v <= end]
        for cut in (start, end):
            across += [_at(line, cut) for line in found.lines if line[0][1] < cut < line[-1][1]]
        if start == 0.0:
            across += found.into
        if end == found.height:
            across += found.out
        crossing = sorted(_crossing(spec, found, end), key=lambda pair: -pair[1]) if end < found.height else []
        columns.append(_Column(start, end, min(across, default=0.0), max(across, default=0.0), tuple(crossing)))
    return columns


def _laid(spec: Spec, found: Placement, columns: list[_Column]) -> Placement:
    head = max(MARGIN + LANE * len(column.crossing) for column in columns)
    shifts: list[Point] = []
    across = 0.0
    for column in columns:
        shifts.append((across - column.left, head - column.start))
        across += column.right - column.left + 2 * MARGIN + LANE * max(0, len(column.crossing) - 1)
    width = across - 2 * MARGIN
    height = max(head + column.end - column.start + MARGIN + LANE * len(column.crossing) for column in columns)
    starts = [column.start for column in columns]

    def moved(point: Point) -> Point:
        shift = shifts[max(0, bisect_right(starts, point[1]) - 1)]
        return point[0] + shift[0], point[1] + shift[1]

    lines = tuple(_led(spec, found, number, columns, shifts, head) for number in range(len(found.lines)))
    first = tuple(u + shifts[0][0] for u in found.into)
    lines, last, height = _returned(spec, lines, first, tuple(u + shifts[-1][0] for u in found.out), height)
    labels = tuple(None if label is None else moved(label) for label in found.labels)
    return replace(
        found,
        width=width,
        height=height,
        at=tuple(moved(at) for at in found.at),
        lines=lines,
        labels=labels,
        into=first,
        out=last,
        columns=True,
    )


def _returned(
    spec: Spec, lines: tuple[tuple[Point, ...], ...], into: tuple[float, ...], out: tuple[float, ...], height: float
) -> tuple[tuple[tuple[Point, ...], ...], tuple[float, ...], float]:
    """Lines that leave the scope, led back under the columns to where others come in: what follows then stands below, not further right."""
    if not into or not out:
        return lines, out, height
    order = sorted(range(len(out)), key=lambda port: out[port])
    rank = {port: number for number, port in enumerate(order)}
    targets = tuple(min(into) + 2 * LANE * rank[port] for port in range(len(out)))
    if any(target > u for target, u in zip(targets, out, strict=True)):
        return lines, out, height
    end = height + LANE * (len(out) + 1)
    found = []
    for edge, line in zip(spec.edges, lines, strict=True):
        if edge.head < 0:
            low, target = height + LANE * rank[edge.head_port], targets[edge.head_port]
            line = (*line[:-1], (line[-1][0], low), (target, low), (target, end))
        found.append(line)
    return tuple(found), targets, end


def _led(spec: Spec, found: Placement, number: int, columns: list[_Column], shifts: list[Point], head: float) -> tuple[Point, ...]:
    """A line through the columns that it crosses: straight down to the foot of one, straight down from the head of the next."""
    rest = list(found.lines[number])
    done: list[Point] = []
    for place, column in enumerate(columns):
        shift = shifts[place]
        if rest[0][1] >= column.end and place + 1 < len(columns):
            continue
        if rest[-1][1] <= column.end or place + 1 == len(columns):
            done += [(u + shift[0], v + shift[1]) for u, v in rest]
            break
        inside = [point for point in rest if point[1] < column.end]
        beyond = [point for point in rest[len(inside) :] if point[1] > column.end]
        crossing = _at(rest, column.end)
        lane = _lane(spec, number, crossing, column)
        leaving = inside[-1][0] if inside and _is_free(spec, found, inside[-1], column.end) else crossing
        entering = beyond[0][0] if _is_free(spec, found, beyond[0], column.end) else crossing
        done += [(u + shift[0], v + shift[1]) for u, v in inside]
        foot = column.end + shift[1]
        gutter = column.right + shift[0] + MARGIN + LANE * lane
        low = foot + MARGIN / 2 + LANE * lane
        high = head - MARGIN / 2 - LANE * (len(column.crossing) - 1 - lane)
        start, target = leaving + shift[0], entering + shifts[place + 1][0]
        done += [(start, foot), (start, low), (gutter, low), (gutter, high), (target, high), (target, head)]
        rest = [(entering, column.end), *beyond]
    return tuple(done)


def _is_free(spec: Spec, found: Placement, point: Point, cut: float) -> bool:
    """Whether nothing stands between a corner and the cut above or below it."""
    (u, v) = point
    low, high = min(v, cut) + 0.5, max(v, cut) - 0.5
    return not any(
        left - 2 < u < left + size[0] + 2 and top < high and low < top + size[1]
        for (left, top), size in zip(found.at, spec.sizes, strict=True)
    )


def _lane(spec: Spec, number: int, u: float, column: _Column) -> int:
    edge = spec.edges[number]
    for lane, (other, place) in enumerate(column.crossing):
        first = spec.edges[other]
        if other == number or ((first.tail, first.tail_port) == (edge.tail, edge.tail_port) and abs(place - u) < 1):
            return lane
    return 0
