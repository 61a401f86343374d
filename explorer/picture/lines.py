"""Lines with corners: joined from pieces, straightened, stepped where they would run nearly level, rounded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["around", "bends", "beside_twins", "crossed", "crosses", "joined", "rounded", "shortened", "stepped"]

Point = tuple[float, float]

SAME = 1.6  # points: closer than this two places are one; Graphviz sets ports to whole points
LEVEL = 46.0  # a slope over a shorter way along the flow is a step
STEEP = 0.8
ASIDE = 6.0  # points beside a box: where a line led around it runs
GAPS = (4.0, 7.0, 11.0, 16.0, 24.0, 40.0)  # how far after its beginning and before its end it turns
GRAZE = 1.0  # points inside the border of a box: a line so near it may stay


def joined(pieces: Sequence[Sequence[Point]]) -> list[Point]:
    """One line from pieces that follow each other, without corners that are none."""
    points: list[Point] = []
    for piece in pieces:
        start = 0
        if points and abs(points[-1][0] - piece[0][0]) < SAME and abs(points[-1][1] - piece[0][1]) < SAME:
            start = 1  # the end of the piece before is the exact port
        points.extend(piece[start:])
    return _straight(points)


def _straight(points: list[Point]) -> list[Point]:
    """Without places that are the same as the one before, or lie on the line between their neighbours."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(kept[-1][0] - point[0]) < 0.05 and abs(kept[-1][1] - point[1]) < 0.05:
            continue
        while len(kept) >= 2 and _off(kept[-2], kept[-1], point) < 0.7 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _off(one: Point, middle: Point, other: Point) -> float:
    """How far `middle` is from the line through the two others."""
    length = math.hypot(other[0] - one[0], other[1] - one[1])
    if length < 1e-9:
        return math.hypot(middle[0] - one[0], middle[1] - one[1])
    return abs((other[0] - one[0]) * (one[1] - middle[1]) - (one[0] - middle[0]) * (other[1] - one[1])) / length


def _between(one: Point, middle: Point, other: Point) -> bool:
    return (middle[0] - one[0]) * (other[0] - middle[0]) + (middle[1] - one[1]) * (other[1] - middle[1]) >= 0


def stepped(
    lines: Sequence[tuple[Point, ...]], boxes: Sequence[tuple[float, float, float, float]], *, fixed: Sequence[bool]
) -> tuple[tuple[Point, ...], ...]:
    """The lines, those parts that run nearly level between two ranks as steps, each at a height of its own, unless a box is in the way.

    `boxes` are (left, top, right, bottom); `fixed` lines stay as they are: a label stands beside them.
    A line from v to v + 17 that goes 200 across would else graze the frames beside it.
    """
    found = []
    taken: list[tuple[float, float, float]] = []  # from u, to u, at v
    for line, stays in zip(lines, fixed, strict=True):
        if stays and _clear(line, boxes):
            found.append(line)
            continue
        points = [line[0]]
        for one, other in pairwise(line):
            height = _height(one, other, boxes, taken)
            if height is not None:
                points += [(one[0], height), (other[0], height)]
            elif crossed(one, other, boxes):  # a corner grazed: around it
                ways = ([(other[0], one[1])], [(one[0], other[1])])
                points += next((way for way in ways if _clear([one, *way, other], boxes)), [])
            points.append(other)
        found.append(tuple(_straight(points)))
    return tuple(found)


def around(lines: Sequence[tuple[Point, ...]], boxes: Sequence[tuple[float, float, float, float]]) -> tuple[tuple[Point, ...], ...]:
    """The lines, those that still run through a box led around all of them: down, across, down a free lane, across, down.

    Graphviz now and then routes a line straight through a frame.
    """
    found = list(lines)
    lanes = sorted({u for box in boxes for u in (box[0] - ASIDE, box[2] + ASIDE) if u > 0})
    for number, line in enumerate(lines):
        if _clear(line, boxes):
            continue
        (u1, v1), (u2, v2) = line[0], line[-1]
        near = sorted(lanes, key=lambda u: (abs(u - u1) + abs(u - u2), u))
        ways = (
            ((u1, v1), (u1, v1 + down), (u, v1 + down), (u, v2 - up), (u2, v2 - up), (u2, v2))
            for u in near
            for down in GAPS
            for up in GAPS
            if v1 + down <= v2 - up
        )
        found[number] = next((way for way in ways if _clear(way, boxes)), line)
    return tuple(found)


def beside_twins(
    ways: Sequence[object], lines: Sequence[tuple[Point, ...]], boxes: Sequence[tuple[float, float, float, float]], own: Sequence[set[int]]
) -> list[tuple[Point, ...]]:
    """The lines, those that run through a foreign box beside one of the same way that does not.

    Graphviz routes the first of several lines from one thing to another, and moves its copies aside without looking.
    """

    def clear(number: int, line: Sequence[Point]) -> bool:
        return all(own[number].issuperset(crossed(one, other, boxes)) for one, other in pairwise(line))

    found = list(lines)
    twins = {way for way, count in Counter(ways).items() if count > 1}
    good: dict[object, tuple[Point, ...]] = {}
    bad = []
    for number, way in enumerate(ways):
        if way in twins:
            if clear(number, lines[number]):
                good.setdefault(way, lines[number])
            else:
                bad.append(number)
    for number in bad:
        if (line := good.get(ways[number])) is not None:
            beside = [tuple((u + aside, v) for u, v in line) for aside in (4.0, -4.0, 8.0, -8.0)]
            found[number] = next((one for one in beside if clear(number, one)), line)
    return found


def _height(
    one: Point, other: Point, boxes: Sequence[tuple[float, float, float, float]], taken: list[tuple[float, float, float]]
) -> float | None:
    """Where along the flow a level part may run; None if it is steep enough, or nothing is free."""
    along, across = other[1] - one[1], abs(other[0] - one[0])
    if not 4 < along < LEVEL or across <= STEEP * along or across < 6:
        return None
    left, right = sorted((one[0], other[0]))
    for share in (0.5, 0.35, 0.65, 0.25, 0.75, 0.42, 0.58):
        v = one[1] + along * share
        clear = not any(u1 - 3 < right and left < u2 + 3 and v1 - 2 < v < v2 + 2 for u1, v1, u2, v2 in boxes)
        clear = clear and not any(u1 - 3 < one[0] < u2 + 3 and v1 - 2 < v and one[1] + 1 < v2 and v1 + 1 < v for u1, v1, u2, v2 in boxes)
        clear = clear and not any(u1 - 3 < other[0] < u2 + 3 and v2 > v + 1 and v1 < other[1] - 1 for u1, v1, u2, v2 in boxes)
        if clear and not any(u1 - 3 < right and left < u2 + 3 and abs(v - at) < 2.5 for u1, u2, at in taken):
            taken.append((left, right, v))
            return v
    return None


def _clear(points: Sequence[Point], boxes: Sequence[tuple[float, float, float, float]]) -> bool:
    return not any(crossed(one, other, boxes) for one, other in pairwise(points))


def crossed(one: Point, other: Point, boxes: Sequence[tuple[float, float, float, float]], inset: float = GRAZE) -> list[int]:
    """The numbers of the boxes that a stretch runs through."""
    left, right = (one[0], other[0]) if one[0] < other[0] else (other[0], one[0])
    top, bottom = (one[1], other[1]) if one[1] < other[1] else (other[1], one[1])
    return [
        number
        for number, box in enumerate(boxes)  # most are far away
        if box[1] < bottom and top < box[3] and box[0] < right and left < box[2] and crosses(one, other, box, inset)
    ]


def crosses(one: Point, other: Point, box: tuple[float, float, float, float], inset: float = GRAZE) -> bool:
    """Whether a stretch runs through a box, so far inside its border (Liang and Barsky)."""
    start, end = 0.0, 1.0
    sides = ((one[0], other[0], box[0] + inset, box[2] - inset), (one[1], other[1], box[1] + inset, box[3] - inset))
    for begin, finish, low, high in sides:
        way = finish - begin
        if abs(way) < 1e-9:
            if not low < begin < high:
                return False
            continue
        near, far = sorted(((low - begin) / way, (high - begin) / way))
        start, end = max(start, near), min(end, far)
    return start < end


def shortened(points: Sequence[Point], length: float) -> list[Point]:
    """The line without its last `length`: an arrowhead stands there."""
    kept = list(points)
    while len(kept) >= 2:
        (x1, y1), (x2, y2) = kept[-2], kept[-1]
        size = math.hypot(x2 - x1, y2 - y1)
        if size > length:
            share = (size - length) / size
            kept[-1] = (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
            return kept
        if len(kept) == 2:
            return kept
        length -= size
        kept.pop()
    return kept


def rounded(points: Sequence[Point], radius: float) -> str:
    """The line as the data of an SVG path, its corners rounded."""
    parts = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        found = _turn(before, corner, after, radius)
        if found is None:
            parts.append(f"L{corner[0]:.1f},{corner[1]:.1f}")
            continue
        (x1, y1), (x2, y2) = found
        parts.append(f"L{x1:.1f},{y1:.1f}Q{corner[0]:.1f},{corner[1]:.1f} {x2:.1f},{y2:.1f}")
    parts.append(f"L{points[-1][0]:.1f},{points[-1][1]:.1f}")
    return "".join(parts)


def bends(points: Sequence[Point], radius: float) -> list[Point]:
    """The line with rounded corners as cubic curves that follow each other: one point, then three for each."""
    found = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        turn = _turn(before, corner, after, radius) or (corner, corner)
        (x1, y1), (x2, y2) = turn
        found += [found[-1], (x1, y1), (x1, y1)]
        if turn[0] != turn[1]:
            found += [((x1 + 2 * corner[0]) / 3, (y1 + 2 * corner[1]) / 3), ((x2 + 2 * corner[0]) / 3, (y2 + 2 * corner[1]) / 3), (x2, y2)]
    return [*found, found[-1], points[-1], points[-1]]


def _turn(before: Point, corner: Point, after: Point, radius: float) -> tuple[Point, Point] | None:
    """Where the rounding of a corner begins and ends; None if there is no room for one."""
    one, other = math.dist(before, corner), math.dist(corner, after)
    size = min(radius, one / 2, other / 2)
    if size < 0.5:
        return None
    return (
        (corner[0] + (before[0] - corner[0]) * size / one, corner[1] + (before[1] - corner[1]) * size / one),
        (corner[0] + (after[0] - corner[0]) * size / other, corner[1] + (after[1] - corner[1]) * size / other),
    )
