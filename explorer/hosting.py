"""What needs no box of its own: leaves stand as lines in the op that reads them, view-like ops as words on their edge.

NOTE [guests]: of the 77 nodes of one block of GPT-2, 20 compute something; the rest are parameters, masks and changes of shape. A guest
keeps its id and can be clicked, coloured and reached like a box; only its place is inside another. A recording of up to `MOST` nodes, as
in a lesson, has no guests: there every step is the point.

NOTE [things]: what may stand in a picture is a number: a node n, or, as ~f, a closed frame f. A view of 10,000 nodes is then made of
numbers, and only what shows in the end becomes an object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Literal

from explorer.model import Trace
from explorer.places import Chain, Places, remembered

__all__ = ["Guest", "guests"]

FEW_READERS = 3  # a leaf with more readers stands as a chip in each of them

Place = Literal["before", "line", "after"]


@dataclass(frozen=True, slots=True)
class Guest:
    """Where a node is written instead of standing by itself: in which things, and where there."""

    hosts: tuple[int, ...]
    place: Place


def guests(
    trace: Trace, places: Places, nodes: Collection[int], thing_of: Callable[[int], int | None], marked: frozenset[int]
) -> Mapping[int, Guest]:
    """Node -> where it is written; nodes that stand by themselves, and all that are `marked`, are left out.

    `thing_of` answers what shows in the place of a node: itself, a closed frame, or nothing.
    """
    return _Guests(trace, places, thing_of, marked).found(nodes)


class _Guests:
    """The guests of one view, while they are being found."""

    def __init__(self, trace: Trace, places: Places, thing_of: Callable[[int], int | None], marked: frozenset[int]) -> None:
        self.trace, self.places, self.thing_of, self.marked = trace, places, thing_of, marked
        self.readers = remembered(places, "readers", lambda: _readers(trace, places))
        self.settled: dict[int, Guest] = {}
        self.known: dict[int, dict[int, None]] = {}  # by node: the things that read it, which may be many
        self.chained: dict[int, bool] = {}

    def found(self, nodes: Collection[int]) -> Mapping[int, Guest]:
        places = self.places
        if isinstance(nodes, range):  # all of them
            views, leaves = list(compress(nodes, places.view_like)), list(compress(nodes, places.leaf))
        else:
            views, leaves = [node for node in nodes if places.view_like[node]], [node for node in nodes if places.leaf[node]]
        for node, before, after in remembered(places, "weights", lambda: _weights(self.trace, places, self.readers)):
            if (
                node not in self.marked
                and self.thing_of(node) == node
                and self.thing_of(before) == before
                and self.thing_of(after) == after
            ):
                self.settled[node] = Guest((after,), "line")
                if len(self.readers[before]) == 1 or len(self.out(before)) == 1:
                    self.settled[before] = Guest((after,), "line")
        for node in views:  # in forward order: what a chain begins with is settled before the rest of it
            if node not in self.settled and self._is_chained(node):
                self._settle_view(node)
        for node in leaves:
            if self.trace.nodes[node].kind != "input" and node not in self.marked and self.thing_of(node) == node:
                self._settle_leaf(node)
        return self.settled

    def _is_chained(self, node: int) -> bool:
        """Whether a node shows, and only changes the shape of one thing."""
        found = self.chained.get(node)
        if found is None:
            shows = self.places.view_like[node] and node not in self.marked and self.thing_of(node) == node
            found = self.chained[node] = shows and len(self.into(node)) == 1
        return found

    def into(self, node: int) -> dict[int, None]:
        """The things that a node reads."""
        things = [self.thing_of(source) for source, _ in self.places.inputs[node]]
        return {thing: None for thing in things if thing is not None and thing != node}

    def out(self, node: int) -> dict[int, None]:
        """The things that read a node."""
        found = self.known.get(node)
        if found is None:
            things = [self.thing_of(reader) for reader in self.readers.get(node, ())]
            found = self.known[node] = {thing: None for thing in things if thing is not None and thing != node}
        return found

    def scope(self, thing: int) -> Chain:
        """The frames around a thing."""
        if thing >= 0:
            return self.places.chains[thing]
        return remembered(self.places, "around", lambda: _around(self.places))[~thing]

    def _settle_view(self, node: int) -> None:
        """A change of shape stands behind the op whose result it alone takes, or, at the door of a module, before the op it is made for."""
        (before,) = self.into(node)
        scope = self.scope(node)
        if before >= 0 and not self.places.leaf[before] and self.scope(before) == scope and len(self.out(before)) == 1:
            host = self.settled.get(before)
            if host is None or host.place == "after":
                self.settled[node] = Guest(host.hosts if host is not None else (before,), "after")
            return
        if self.scope(before) == scope:
            return
        chain, last = [node], node
        while len(readers := self.out(last)) == 1:
            (last,) = readers
            if last < 0 or not self._is_chained(last) or self.scope(last) != scope:
                break
            chain.append(last)
        if last < 0 or self._is_chained(last) or self.scope(last) != scope or len(self.out(chain[-1])) != 1:
            return
        others = [one for one in self.into(last) if one not in self.settled and not (one >= 0 and self.places.leaf[one])]
        if others == [chain[-1]] and last not in self.settled:
            for one in chain:
                self.settled[one] = Guest((last,), "before")

    def _settle_leaf(self, node: int) -> None:
        if node in self.settled:
            return
        readers: list[int] = []
        for reader in self.out(node):
            guest = self.settled.get(reader)
            readers += guest.hosts if guest is not None else [reader]
        hosts = tuple(dict.fromkeys(readers))
        scopes = {self.scope(host) for host in hosts}
        if hosts and ((len(hosts) == 1 and scopes == {self.scope(node)}) or len(hosts) > FEW_READERS or len(scopes) > 1):
            self.settled[node] = Guest(hosts, "line")


def _readers(trace: Trace, places: Places) -> dict[int, list[int]]:
    """The readers of leaves, of changes of shape, and of what those read: nobody asks for others."""
    leaf, view_like = places.leaf, places.view_like
    asked = {source for inputs in compress(places.inputs, view_like) for source, _ in inputs}
    found: dict[int, list[int]] = {}
    for edge in trace.edges:
        source = edge.source
        if leaf[source] or view_like[source] or source in asked:
            found.setdefault(source, []).append(edge.target)
    return found


def _weights(trace: Trace, places: Places, readers: Mapping[int, list[int]]) -> list[tuple[int, int, int]]:
    """Transposed weights, as of a linear layer, each with its weight and the op that alone reads it: it stands there, if all show."""
    found = []
    for node in compress(range(len(places.view_like)), places.view_like):
        sources, after = {source for source, _ in places.inputs[node]}, set(readers.get(node, ()))
        if len(sources) == 1 and len(after) == 1:
            (before,), (reader,) = sources, after
            leaf = places.leaf[before] and trace.nodes[before].kind != "input"
            if leaf and not places.view_like[reader] and places.chains[reader] == places.chains[node]:
                found.append((node, before, reader))
    return found


def _around(places: Places) -> dict[int, Chain]:
    """Frame -> the frames around it."""
    return {frame: chain[:level] for chain in set(places.chains) for level, frame in enumerate(chain)}
