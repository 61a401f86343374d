"""View -> scopes: what stands in each open module, and the pieces of arrows between these things.

NOTE [ports]: an arrow from one module into another is cut where it crosses a frame. Each open module is then a picture of its own, with a
port on its border for each value that crosses it; a value that is read five times inside crosses once. Where more than `MOST_PORTS` values
cross one side of a frame, those that come from (or go to) the same neighbour cross together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from explorer.view import Arrow, View

__all__ = ["End", "Piece", "Scope", "scopes_of", "stands_in"]

MOST_PORTS = 16

# One end of a piece: a thing in the scope and the port of it that is meant (None for a box), or (None, port) for a port of the scope.
End = tuple[str | None, str | None]


@dataclass(slots=True)
class Piece:
    """A line in one scope, and the arrows that run along it. `label` is the room for text beside it."""

    tail: End
    head: End
    arrows: list[int] = field(default_factory=list)
    light: bool = True
    label: tuple[float, float] | None = None


@dataclass(slots=True)
class Scope:
    """An open module, or the whole picture (id None): its things in forward order, its ports, its pieces."""

    id: str | None
    things: list[str] = field(default_factory=list)
    into: dict[str, None] = field(default_factory=dict)
    out: dict[str, None] = field(default_factory=dict)
    pieces: dict[tuple[End, End, int], Piece] = field(default_factory=dict)


@dataclass(slots=True)
class Scopes:
    """All scopes by id, and for each drawn arrow its pieces from end to end."""

    by_id: dict[str | None, Scope]
    ways: dict[int, list[tuple[str | None, Piece]]]


def scopes_of(view: View) -> Scopes:
    """The scopes of a view."""
    chains = _chains(view)
    by_id: dict[str | None, Scope] = {None: Scope(None)}
    for cluster in view.clusters:
        by_id[cluster.id] = Scope(cluster.id)
    placed: set[str] = set()
    standing = {box.id: box for box in view.boxes if not box.hosts}
    for box in standing.values():  # clusters come in the order of what is first in them
        chain = (*chains[box.cluster], box.id)
        for around, thing in zip((None, *chain), chain, strict=False):
            if thing not in placed:
                placed.add(thing)
                by_id[around].things.append(thing)
    stands = stands_in(view)
    ways = []
    for number, arrow in enumerate(view.arrows):
        source, target = stands[arrow.source], stands[arrow.target]
        if source is not None and target is not None and source != target:
            ways.append((number, source, target, chains[standing[source].cluster], chains[standing[target].cluster]))
    return Scopes(by_id, _pieces(view, by_id, ways))


def stands_in(view: View) -> dict[str, str | None]:
    """The box that is drawn where each box is; None for what is written in several. An arrow is drawn if it leads from one to another."""
    return {box.id: box.id if not box.hosts else box.hosts[0] if len(box.hosts) == 1 else None for box in view.boxes}


def _chains(view: View) -> dict[str | None, tuple[str, ...]]:
    chains: dict[str | None, tuple[str, ...]] = {None: ()}
    for cluster in view.clusters:  # a parent comes before its children
        chains[cluster.id] = (*chains[cluster.parent], cluster.id)
    return chains


Way = tuple[int, str, str, tuple[str, ...], tuple[str, ...]]


def _pieces(view: View, by_id: dict[str | None, Scope], ways: list[Way]) -> dict[int, list[tuple[str | None, Piece]]]:
    shared = {}
    for number, _, _, one, other in ways:
        length = 0
        for mine, theirs in zip(one, other, strict=False):
            if mine != theirs:
                break
            length += 1
        shared[number] = length
    crowded_out, crowded_in = _crowded(ways, shared)
    found: dict[int, list[tuple[str | None, Piece]]] = {}
    for number, source, target, up, down in ways:
        common = shared[number]
        leaving = (*up, source)[common]
        entering = (*down, target)[common]
        out = f"to {entering}" if not crowded_out.isdisjoint(up[common:]) else source
        into = f"from {leaving}" if not crowded_in.isdisjoint(down[common:]) else source
        way: list[tuple[str | None, Piece]] = []
        end: End = (source, None)
        for level in range(len(up), common, -1):
            scope = by_id[up[level - 1]]
            scope.out.setdefault(out)
            way.append((scope.id, _piece(scope, end, (None, out), 0)))
            end = (up[level - 1], out)
        below = down[common:]
        for level, frame in enumerate(below):
            scope = by_id[below[level - 1] if level else down[common - 1] if common else None]
            way.append((scope.id, _piece(scope, end, (frame, into), 0)))
            by_id[frame].into.setdefault(into)
            end = (None, into)
        scope = by_id[down[-1] if down else None]
        twin = 0
        if end == (source, None):  # two uses of one value stay two lines
            while (known := scope.pieces.get((end, (target, None), twin))) is not None and known.arrows:
                twin += 1
        way.append((scope.id, _piece(scope, end, (target, None), twin)))
        light = _is_light(view, view.arrows[number])
        for _, piece in way:
            piece.arrows.append(number)
            piece.light = piece.light and light
        found[number] = way
    return found


def _piece(scope: Scope, tail: End, head: End, twin: int) -> Piece:
    key = (tail, head, twin)
    piece = scope.pieces.get(key)
    if piece is None:
        piece = scope.pieces[key] = Piece(tail, head)
    return piece


def _is_light(view: View, arrow: Arrow) -> bool:
    return all(view.trace.nodes[view.trace.edges[edge].source].is_leaf for edge in arrow.edges[:8])


def _crowded(ways: Iterable[Way], shared: dict[int, int]) -> tuple[frozenset[str], frozenset[str]]:
    """The frames out of which, and into which, too many values go."""
    out: dict[str, set[str]] = {}
    into: dict[str, set[str]] = {}
    for number, source, _, up, down in ways:
        for frame in up[shared[number] :]:
            out.setdefault(frame, set()).add(source)
        for frame in down[shared[number] :]:
            into.setdefault(frame, set()).add(source)
    return tuple(frozenset(frame for frame, values in ports.items() if len(values) > MOST_PORTS) for ports in (out, into))  # type: ignore[return-value]
