"""One scope through Graphviz: fixed boxes, frames with ports, edges between them -> where everything is.

Everything here is in the direction of flow: u runs across it, v along it, in points, from the top left. Graphviz sees no text and no
font, so that scopes of equal structure are the same text and are laid out once. Where it gives no answer in time, `column` places the
things under each other: there is always a picture.

NOTE [ports]: an open frame is an HTML-like table of three rows, whose first and last are cells of fixed width with a port at each place
where a line crosses the border. `shape=plain` and `fixedsize=false` let the table be the node.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from explorer.engine import place
from explorer.errors import ExplorerError
from explorer.picture.buses import buses_of, with_buses
from explorer.picture.chains import NEAREST, chained
from explorer.picture.columns import columned
from explorer.picture.fallback import column
from explorer.picture.geometry import Edge, Frame, Placement, Point, Spec
from explorer.picture.lines import around, beside_twins, crossed, crosses, stepped

__all__ = ["Edge", "Frame", "Patience", "Placement", "Point", "Spec", "forget", "place_scope"]

SECONDS = 2.0  # for one scope; a scope has at most some hundred things
MOST_ASKED = 300  # things and ports in one call
TALLEST = 60_000  # points: Graphviz ignores a table row that is higher
INCH = 72.0
PORT = 4.0
NEAR = 4.0  # points: what is so little aside is straightened
REMEMBERED = 4000  # placements


@dataclass
class _Memory:
    """Placements by spec, the latest used last; shared by all threads."""

    known: OrderedDict[Spec, Placement] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_memory = _Memory()


def forget() -> None:
    """Drop all placements."""
    with _memory.lock:
        _memory.known.clear()


@dataclass
class Patience:
    """How often Graphviz may still fail in one picture: each time may take `SECONDS`."""

    left: int = 2


def place_scope(spec: Spec, patience: Patience) -> Placement:
    """The placement of a scope; remembered, unless Graphviz failed."""
    with _memory.lock:
        found = _memory.known.get(spec)
        if found is not None:
            _memory.known.move_to_end(spec)
            return found
    before = patience.left
    found = _ask(spec, patience)
    if found is None:
        found = column(spec)
    elif not spec.whole:
        found = columned(spec, found)
    if patience.left < before or not before:
        return found
    with _memory.lock:
        _memory.known[spec] = found
        while len(_memory.known) > REMEMBERED:
            _memory.known.popitem(last=False)
    return found


def _ask(spec: Spec, patience: Patience) -> Placement | None:
    """What Graphviz says; None if it is not to be asked, or fails."""
    if not spec.edges and len(spec.sizes) <= 1:
        return None
    if (chain := chained(spec)) is not None:
        return chain
    if not patience.left or len(spec.sizes) + spec.into + spec.out > MOST_ASKED:
        return None
    try:
        if (buses := buses_of(spec)) is not None:
            found = with_buses(spec, buses, _answer(buses.rest))
            if found is not None:
                return found
        return _answer(spec)
    except (ExplorerError, ValueError, KeyError, IndexError):
        patience.left -= 1
        return None


def _answer(spec: Spec) -> Placement:
    return _read(spec, place(_text(spec), "plain-ext", seconds=SECONDS).decode())


# -- what Graphviz is asked ----------------------------------------------------------------------------------------------------------


def _text(spec: Spec) -> str:
    across, along = spec.apart
    lines = [
        f"digraph{{graph[nodesep={across / INCH:.4f} ranksep={along / INCH:.4f} splines=polyline newrank=true]",
        'node[shape=box fixedsize=true label="" width=.03 height=.03]edge[arrowhead=none]',
    ]
    for number, ((width, height), frame) in enumerate(zip(spec.sizes, spec.frames, strict=True)):
        if frame is None:
            lines.append(f"n{number}[width={width / INCH:.5f} height={height / INCH:.5f}]")
        else:
            lines.append(f"n{number}[shape=plain fixedsize=false margin=0 label=<{_table(width, height, frame)}>]")
    for name, count, rank in (("i", spec.into, "source"), ("o", spec.out, "sink")):
        if count:
            lines.append(f"{{rank={rank} {' '.join(f'{name}{number}' for number in range(count))}}}")
    for edge in spec.edges:
        tail = f"i{edge.tail_port}" if edge.tail < 0 else _end(spec, edge.tail, "o", edge.tail_port, "s")
        head = f"o{edge.head_port}" if edge.head < 0 else _end(spec, edge.head, "i", edge.head_port, "n")
        looks = f"weight={edge.weight}"
        if edge.label is not None:
            width, height = edge.label
            looks += f' label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{_cell(width, height)}</TR></TABLE>>'
        lines.append(f"{tail}->{head}[{looks}]")
    for one, other in zip(range(len(spec.sizes)), range(1, len(spec.sizes)), strict=False):
        if spec.frames[one] is not None and spec.frames[one] == spec.frames[other] and spec.sizes[one] == spec.sizes[other]:
            lines.append(f"n{one}->n{other}[style=invis weight=20]")
    if spec.out:  # rank=sink alone leaves ports above a thing that leads nowhere
        leading = {edge.tail for edge in spec.edges}
        lines += [f"n{number}->o0[style=invis weight=0]" for number in range(len(spec.sizes)) if number not in leading]
    return "\n".join([*lines, "}\n"])


def _end(spec: Spec, number: int, side: str, port: int, compass: str) -> str:
    return f"n{number}" if spec.frames[number] is None else f"n{number}:{side}{port}:{compass}"


def _table(width: float, height: float, frame: Frame) -> str:
    rows = [_ports(frame.into, "i", width), *_body(width, height - 2), _ports(frame.out, "o", width)]
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(f"<TR>{row}</TR>" for row in rows)}</TABLE>'


def _body(width: float, height: float) -> list[str]:
    pieces = max(1, -(-int(height) // TALLEST))
    return [_cell(width, height / pieces)] * pieces


def _ports(places: Sequence[float], side: str, width: float) -> str:
    if not places:
        return _cell(width, 1)
    cells, end = [], 0.0
    for number, u in sorted(enumerate(places), key=lambda pair: pair[1]):
        start = max(end, u - PORT / 2)
        if start - end >= 1:
            cells.append(_cell(start - end, 1))
        cells.append(_cell(PORT, 1, f' PORT="{side}{number}"'))
        end = max(end, start) + PORT
    if width - end >= 1:
        cells.append(_cell(width - end, 1))
    return f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{"".join(cells)}</TR></TABLE></TD>'


def _cell(width: float, height: float, more: str = "") -> str:
    return f'<TD{more} FIXEDSIZE="TRUE" WIDTH="{round(width)}" HEIGHT="{max(1, round(height))}"></TD>'


# -- what it answers -----------------------------------------------------------------------------------------------------------------


def _read(spec: Spec, answer: str) -> Placement:
    at: list[Point | None] = [None] * len(spec.sizes)
    into, out = [0.0] * spec.into, [0.0] * spec.out
    waiting: dict[tuple[str, str], list[int]] = {}
    for number, edge in enumerate(spec.edges):
        tail = f"i{edge.tail_port}" if edge.tail < 0 else f"n{edge.tail}" + (f":o{edge.tail_port}:s" if spec.frames[edge.tail] else "")
        head = f"o{edge.head_port}" if edge.head < 0 else f"n{edge.head}" + (f":i{edge.head_port}:n" if spec.frames[edge.head] else "")
        waiting.setdefault((tail, head), []).append(number)
    lines: list[tuple[Point, ...] | None] = [None] * len(spec.edges)
    labels: list[Point | None] = [None] * len(spec.edges)
    width = height = 0.0
    for row in answer.splitlines():
        words = row.split(" ")
        if words[0] == "graph":
            width, height = float(words[2]) * INCH, float(words[3]) * INCH
        elif words[0] == "node":
            u, v = float(words[2]) * INCH, height - float(words[3]) * INCH
            number = int(words[1][1:])
            if words[1][0] == "n":
                at[number] = (u - spec.sizes[number][0] / 2, v - spec.sizes[number][1] / 2)
            else:
                (into if words[1][0] == "i" else out)[number] = u
        elif words[0] == "edge" and "invis" not in words:
            numbers = waiting[(words[1].replace('"', ""), words[2].replace('"', ""))]
            number = numbers.pop(0)
            count = int(words[3])
            values = [float(word) * INCH for word in words[4 : 4 + 2 * count]]
            points = [(values[place], height - values[place + 1]) for place in range(0, 2 * count, 2)]
            lines[number] = tuple(points[::3])
            rest = words[4 + 2 * count :]
            if spec.edges[number].label is not None:
                labels[number] = (float(rest[-4]) * INCH, height - float(rest[-3]) * INCH)
    things = [one for one in at if one is not None]
    ways = [one for one in lines if one is not None]
    if len(things) < len(at) or len(ways) < len(lines):
        raise ValueError("an answer without all things")
    things = _aligned(spec, things)
    boxes = [(u, v, u + size[0], v + size[1]) for (u, v), size in zip(things, spec.sizes, strict=True)]
    way = [(edge.tail, edge.tail_port, edge.head, edge.head_port) for edge in spec.edges]
    ways = beside_twins(way, _snapped(spec, things, ways, boxes, _grain(height)), boxes, [{edge.tail, edge.head} for edge in spec.edges])
    found = Placement(width, height, tuple(things), tuple(ways), tuple(labels), tuple(into), tuple(out))
    return _cropped(spec, _widened(spec, found))


def _widened(spec: Spec, found: Placement) -> Placement:
    """The placement with room for frames that were moved beyond its sides."""
    left = min([0.0, *(u for u, _ in found.at)])
    right = max([found.width, *(u + size[0] for (u, _), size in zip(found.at, spec.sizes, strict=True))])
    if left == 0.0 and right == found.width:
        return found
    return Placement(
        right - left,
        found.height,
        tuple((u - left, v) for u, v in found.at),
        tuple(tuple((u - left, v) for u, v in line) for line in found.lines),
        tuple(None if label is None else (label[0] - left, label[1]) for label in found.labels),
        tuple(u - left for u in found.into),
        tuple(u - left for u in found.out),
    )


def _aligned(spec: Spec, at: list[Point]) -> list[Point]:
    """Frames moved by a point or two, so that a line from frame to frame is straight: ports are set to whole points."""
    moved = list(at)
    for edge in sorted(spec.edges, key=lambda edge: (-edge.weight, edge.head, edge.tail)):
        if edge.tail < 0 or edge.head < 0 or moved[edge.head] != at[edge.head]:
            continue
        tail, head = spec.frames[edge.tail], spec.frames[edge.head]
        if tail is not None and head is not None:
            off = moved[edge.tail][0] + tail.out[edge.tail_port] - at[edge.head][0] - head.into[edge.head_port]
            if abs(off) < NEAR:
                moved[edge.head] = (at[edge.head][0] + off, at[edge.head][1])
    return moved


def _cropped(spec: Spec, found: Placement) -> Placement:
    """The placement without the ranks of its ports, which are empty: lines reach the border a little before the first thing."""
    top = min((v for _, v in found.at), default=0.0)
    first = top - NEAREST if spec.into else min(top, 0.0)
    last = max((v + size[1] for (_, v), size in zip(found.at, spec.sizes, strict=True)), default=found.height) + NEAREST
    last = min(last, found.height) if spec.out else max(last - NEAREST, found.height)
    first = max(first, min(top, 0.0))
    beyond = [v for line in found.lines for _, v in line[1:-1]]  # a line that has turned there keeps its room
    beyond += [label[1] for label in found.labels if label is not None]
    first, last = min([first, *(v - 2 for v in beyond)]), max([last, *(v + 2 for v in beyond)])
    first = max(first, min(top, 0.0))
    lines = tuple(tuple((u, min(max(v, first), last) - first) for u, v in line) for line in found.lines)
    at = tuple((u, v - first) for u, v in found.at)
    labels = tuple(None if label is None else (label[0], label[1] - first) for label in found.labels)
    boxes = [(u, v, u + size[0], v + size[1]) for (u, v), size in zip(at, spec.sizes, strict=True)]
    lines = stepped(lines, boxes, fixed=[label is not None for label in labels])
    lines = around(lines, boxes)
    width = max([found.width, *(u + 2 for line in lines for u, _ in line)])
    return Placement(width, last - first, at, lines, labels, found.into, found.out)


def _grain(height: float) -> float:
    """How far off a place may be in so high a scope: Graphviz writes inches with five digits."""
    return 0.0 if height < INCH else 0.5 * INCH * 10 ** (math.floor(math.log10(height / INCH)) - 4)


def _snapped(
    spec: Spec, at: Sequence[Point], lines: Sequence[tuple[Point, ...]], boxes: Sequence[tuple[float, float, float, float]], grain: float
) -> list[tuple[Point, ...]]:
    """The lines with their ends exactly at the ports of frames, and on the first or last side of boxes."""
    found = []
    for edge, line in zip(spec.edges, lines, strict=True):
        points = list(line)
        ends = [(edge.tail, True, edge.tail_port), (edge.head, False, edge.head_port)]
        for number, leaving, port in sorted(ends, key=lambda end: end[0] < 0 or spec.frames[end[0]] is None):  # ports are fixed
            if number < 0:
                continue
            points = points if leaving else points[::-1]
            left, top, right, bottom = boxes[number]
            frame, side = spec.frames[number], bottom if leaving else top
            if frame is not None:
                points[0] = (at[number][0] + (frame.out if leaving else frame.into)[port], side)
                if len(points) > 2 and abs(points[1][0] - points[0][0]) < NEAR:
                    points[1] = (points[0][0], points[1][1])
            else:
                points[0] = _on_side(points[0], points[1], left, right, side, boxes, number, grain)
            points = points if leaving else points[::-1]
        found.append(tuple(points))
    return found


def _on_side(
    end: Point,
    following: Point,
    left: float,
    right: float,
    side: float,
    boxes: Sequence[tuple[float, float, float, float]],
    number: int,
    grain: float,
) -> Point:
    """The end of a line at a box: below what follows if that is nearly so, and never on a flank of the box if it can be helped."""
    inset = min(8.0, (right - left) / 4)
    u = min(max(end[0], left + inset), right - inset)
    if abs(following[0] - u) < NEAR and left < following[0] < right:
        u = following[0]
    moved = (u, side)
    if abs(end[0] - u) < 0.01 and abs(end[1] - side) < 0.5:
        return moved
    if (following[1] - side) * (end[1] - side) > 0 and abs(following[1] - side) < abs(end[1] - side) + 2:
        return end  # what follows is beside the box
    if any(place != number for place in crossed(moved, following, boxes, grain)):
        return end
    inside = (
        left + 1,
        min(side, 0.5 * (boxes[number][1] + boxes[number][3])) + 1,
        right - 1,
        max(side, 0.5 * (boxes[number][1] + boxes[number][3])) - 1,
    )
    return end if crosses(moved, following, inside, 0.0) else moved
