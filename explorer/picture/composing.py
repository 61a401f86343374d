"""View -> where everything is: each open module laid out alone, then set into the one around it.

Scopes are placed from the inside out; a frame is then a box of fixed size with ports. Pieces of an arrow meet at ports, and become one
line from box to box.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.engine import chosen_engine
from explorer.picture.lines import joined
from explorer.picture.placing import Edge, Frame, Patience, Placement, Point, Spec, place_scope
from explorer.picture.scopes import End, Piece, Scope, scopes_of
from explorer.view import View

__all__ = ["Placed", "Rect", "compose"]

PAD = 10.0  # inside a frame
TITLE = 19.0  # the strip of a frame's title
TITLE_INSET = 8.0
HUB = 6  # a value that more things read does not pull them about
DENSE, LOOSE = (13.0, 17.0), (16.0, 25.0)  # gaps across and along the flow, where boxes are written into others and where not


@dataclass(frozen=True, slots=True)
class Rect:
    """A corner and a size, in points from the top left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where boxes, clusters, titles (left end, middle), arrows (corners) and their labels (middle) are; arrows by number in the view."""

    width: float
    height: float
    boxes: Mapping[str, Rect]
    clusters: Mapping[str, Rect]
    titles: Mapping[str, Point]
    arrows: Mapping[int, tuple[Point, ...]]
    labels: Mapping[int, Point]


@dataclass(frozen=True, slots=True)
class _Framed:
    """A scope with its frame, in the direction of flow: size, where its inside begins, its ports by name, its pieces as placed."""

    inside: Placement
    width: float
    height: float
    u: float
    v: float
    title: Point
    frame: Frame
    into: Mapping[str, int]
    out: Mapping[str, int]
    pieces: Mapping[int, int]  # by id() of the piece


def compose(view: View, sizes: Mapping[str, Point], titles: Mapping[str, float], rooms: Mapping[int, Point]) -> Placed:
    """The places of a view whose boxes have these sizes, whose clusters have titles so wide, and some of whose arrows have labels."""
    chosen_engine()  # refuses a wrong name; an engine that fails later is done without
    scopes = scopes_of(view)
    right = view.flow == "right"
    for number, room in rooms.items():
        if number in scopes.ways:
            piece = scopes.ways[number][-1][1]
            if piece.label is None and piece.arrows == [number]:
                piece.label = (room[1], room[0]) if right else room
    framed: dict[str | None, _Framed] = {}
    patience = Patience()
    for name in [*(cluster.id for cluster in reversed(view.clusters)), None]:
        title = None if name is None else titles[name]
        framed[name] = _frame(scopes.by_id[name], sizes, framed, DENSE if view.compact else LOOSE, title, patience, right=right)
    return _spread(view, scopes.by_id, scopes.ways, sizes, framed, right=right)


def _frame(
    scope: Scope,
    sizes: Mapping[str, Point],
    framed: Mapping[str | None, _Framed],
    apart: Point,
    title: float | None,
    patience: Patience,
    *,
    right: bool,
) -> _Framed:
    """A scope placed, and the frame around it."""
    place = {thing: number for number, thing in enumerate(scope.things)}
    into, out = _numbered(scope, place)
    boxes: list[Point] = []
    frames: list[Frame | None] = []
    for thing in scope.things:
        inner = framed.get(thing)
        if inner is not None:
            boxes.append((inner.width, inner.height))
            frames.append(inner.frame)
        else:
            width, height = sizes[thing]
            boxes.append((height, width) if right else (width, height))
            frames.append(None)

    def end(which: End, own: Mapping[str, int], *, leaving: bool) -> tuple[int, int]:
        thing, port = which
        if thing is None:
            return -1, own[port or ""]
        if port is None:
            return place[thing], 0
        return place[thing], (framed[thing].out if leaving else framed[thing].into)[port]

    readers = Counter(tail for tail, _ in {(piece.tail, piece.head) for piece in scope.pieces.values()})

    def weight(piece: Piece) -> int:
        """How much a line is kept straight and short: not at all where its value goes everywhere."""
        return 0 if readers[piece.tail] > HUB else 1 if piece.light else 3

    edges = [
        (Edge(*end(piece.tail, into, leaving=True), *end(piece.head, out, leaving=False), weight(piece), piece.label), id(piece))
        for piece in scope.pieces.values()
    ]
    edges.sort(key=lambda pair: (pair[0].tail, pair[0].tail_port, pair[0].head, pair[0].head_port))
    whole = any(framed[thing].inside.columns for thing in scope.things if thing in framed)
    inside = place_scope(Spec(tuple(boxes), tuple(frames), len(into), len(out), tuple(edge for edge, _ in edges), apart, whole), patience)
    if whole:
        inside = replace(inside, columns=True)
    pieces = {piece: number for number, (_, piece) in enumerate(edges)}
    if title is None:
        return _Framed(inside, inside.width, inside.height, 0.0, 0.0, (0.0, 0.0), Frame((), ()), {}, {}, pieces)
    return _framed(inside, title, into, out, pieces, right=right)


def _numbered(scope: Scope, place: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The ports at the beginning in the order of what first takes from them, those at the end in that of what they come from."""
    reader: dict[str, int] = {}
    producer: dict[str, int] = {}
    for piece in scope.pieces.values():
        if piece.tail[0] is None and piece.tail[1] is not None:
            number = place.get(piece.head[0] or "", len(place))
            reader[piece.tail[1]] = min(number, reader.get(piece.tail[1], number))
        if piece.head[0] is None and piece.head[1] is not None:
            producer.setdefault(piece.head[1], place.get(piece.tail[0] or "", -1))
    into = sorted(scope.into, key=lambda port: reader.get(port, 0))
    out = sorted(scope.out, key=lambda port: producer.get(port, 0))
    return {port: number for number, port in enumerate(into)}, {port: number for number, port in enumerate(out)}


def _framed(
    inside: Placement, title: float, into: Mapping[str, int], out: Mapping[str, int], pieces: Mapping[int, int], *, right: bool
) -> _Framed:
    """The frame around a placement: its title stands in a strip of its own, where no line enters."""
    if right:
        height = math.ceil(max(inside.height + 2 * PAD, title + 2 * TITLE_INSET))
        u, v = TITLE + 3, (height - inside.height) / 2
        width = math.ceil(u + inside.width + PAD)
        at = (TITLE / 2 + 1, TITLE_INSET)
    else:
        width = math.ceil(max(inside.width + 2 * PAD, title + 2 * TITLE_INSET))
        u = (width - inside.width) / 2
        lines = [u + place for place in inside.into]
        left, more = _clear(lines, width, title)
        if left is None:
            u, width, left = u + more, math.ceil(width + more), TITLE_INSET
        v = TITLE + 3
        height = math.ceil(v + inside.height + PAD)
        at = (left, TITLE / 2 + 1)
    frame = Frame(tuple(round(u + place, 2) for place in inside.into), tuple(round(u + place, 2) for place in inside.out))
    return _Framed(inside, width, height, u, v, at, frame, into, out, pieces)


def _clear(lines: Sequence[float], width: float, title: float) -> tuple[float | None, float]:
    """Where in the strip a title is clear of the lines that come in: its left end; or None, and by how much the frame must widen."""
    for left in (TITLE_INSET, width - TITLE_INSET - title):
        if not any(left - 5 < line < left + title + 5 for line in lines):
            return left, 0.0
    return None, TITLE_INSET + title + 6 - min(lines)


# -- all scopes together -------------------------------------------------------------------------------------------------------------


def _spread(
    view: View,
    scopes: Mapping[str | None, Scope],
    ways: Mapping[int, list[tuple[str | None, Piece]]],
    sizes: Mapping[str, Point],
    framed: Mapping[str | None, _Framed],
    *,
    right: bool,
) -> Placed:
    """Everything in the coordinates of the whole picture."""
    origin: dict[str | None, Point] = {None: (0.0, 0.0)}
    boxes: dict[str, Rect] = {}
    clusters: dict[str, Rect] = {}
    titles: dict[str, Point] = {}
    for name in [None, *(cluster.id for cluster in view.clusters)]:  # a parent comes before its children
        around, (left, top) = framed[name], origin[name]
        for thing, (u, v) in zip(scopes[name].things, around.inside.at, strict=True):
            corner = (left + around.u + u, top + around.v + v)
            inner = framed.get(thing)
            if inner is None:
                width, height = sizes[thing]
                boxes[thing] = Rect(*_turn(corner, right=right), width, height)
            else:
                origin[thing] = corner
                clusters[thing] = Rect(*_turn(corner, right=right), *_turn((inner.width, inner.height), right=right))
                titles[thing] = _turn((corner[0] + inner.title[0], corner[1] + inner.title[1]), right=right)
    arrows: dict[int, tuple[Point, ...]] = {}
    labels: dict[int, Point] = {}
    for number, way in ways.items():
        pieces = [_line(framed[name], origin[name], piece) for name, piece in way]
        arrows[number] = tuple(_turn(point, right=right) for point in joined(pieces))
        name, last = way[-1]
        label = framed[name].inside.labels[framed[name].pieces[id(last)]]
        if label is not None and last.arrows == [number]:
            labels[number] = _turn((origin[name][0] + framed[name].u + label[0], origin[name][1] + framed[name].v + label[1]), right=right)
    whole = framed[None]
    return Placed(*_turn((whole.width, whole.height), right=right), boxes, clusters, titles, arrows, labels)


def _line(around: _Framed, origin: Point, piece: Piece) -> list[Point]:
    """A piece in the coordinates of the picture; where it ends at the scope's own port it goes on to the frame."""
    left, top = origin
    points = [(left + around.u + u, top + around.v + v) for u, v in around.inside.lines[around.pieces[id(piece)]]]
    if piece.tail[0] is None:
        u = left + around.frame.into[around.into[piece.tail[1] or ""]]
        points = [(u, top), (u, points[0][1]), *points[1:]]
    if piece.head[0] is None:
        u = left + around.frame.out[around.out[piece.head[1] or ""]]
        points = [*points[:-1], (u, points[-1][1]), (u, top + around.height)]
    return points


def _turn(point: Point, *, right: bool) -> Point:
    return (point[1], point[0]) if right else point
