"""What a person opened and closed on the page: the state behind a picture, and what an act makes of it.

NOTE [base]: a view without `depth` opens as many levels as fit, so that opening one module could close the others. The page therefore
says for every module whether it is open: `ids` are the open modules and segments, or, where everything is open, the closed ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from explorer.layout import MOST_VISIBLE
from explorer.model import Trace
from explorer.places import places_of
from explorer.text import say
from explorer.view import Flow, View, make_view

__all__ = ["Folding", "after", "first_folding", "folding_of", "read_folding", "refusal", "remembering", "view_of_folding"]

FRAME = re.compile(r"m\d{1,7}(c\d{1,7})?")
IDS = re.compile(r"[ms]\d{1,7}(c\d{1,7})?")
MOST_IDS = 3_000  # in an address or a request
CLUSTER = "cluster_"

Act = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Folding:
    """Which modules and segments are open, which way the picture flows, and the node around which alone it is drawn."""

    everything: bool = False
    ids: frozenset[str] = frozenset()
    flow: Flow = "down"
    focus: int | None = None
    hops: int = 1

    def plain(self) -> dict[str, Any]:
        """As the page holds it."""
        return {"all": self.everything, "ids": sorted(self.ids), "flow": self.flow, "focus": self.focus, "hops": self.hops}

    def is_open(self, name: str) -> bool:
        """Whether the module or segment of this id is open."""
        return (name in self.ids) != self.everything

    def turned(self, names: Iterable[str], *, opened: bool) -> Folding:
        """The same with these opened, or closed."""
        added = frozenset(names)
        return replace(self, ids=self.ids | added if opened != self.everything else self.ids - added)

    def options(self) -> dict[str, Any]:
        """The options of `make_view` that say the same."""
        drawn: dict[str, Any] = {"flow": self.flow, "focus": self.focus, "hops": self.hops}
        return {**drawn, "expand": "all", "shut": self.ids} if self.everything else {**drawn, "depth": 0, "opened": self.ids}


_remembered: ContextVar[dict[Any, View] | None] = ContextVar("_remembered", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Within it views of one trace are made once: acts tried one after the other look at the same ones again and again."""
    known = _remembered.get()
    token = _remembered.set({} if known is None else known)
    try:
        yield
    finally:
        _remembered.reset(token)


def view_of_folding(trace: Trace, folding: Folding, **options: Any) -> View:
    """The view in which this is open."""
    known = _remembered.get()
    if known is None:
        return make_view(trace, **folding.options(), **options)
    key = (id(trace), folding, *sorted(options.items()))
    if key not in known:
        known[key] = make_view(trace, **folding.options(), **options)
    return known[key]


def first_folding(trace: Trace) -> Folding:
    """What is open before anybody touched anything."""
    return folding_of(make_view(trace))


def folding_of(view: View) -> Folding:
    """What is open in a view, however that was asked for."""
    drawn: dict[str, Any] = {"flow": view.flow, "focus": view.focus, "hops": view.hops}
    if view.expand == "all":
        return Folding(everything=True, ids=view.shut, **drawn)
    return Folding(ids=frozenset(cluster.id.removeprefix(CLUSTER) for cluster in view.clusters), **drawn)


def read_folding(trace: Trace, asked: Any) -> Folding:
    """A folding from an address or from the page, as far as it makes sense for this trace."""
    found = first_folding(trace)
    if not isinstance(asked, Mapping):
        return found
    if isinstance(asked.get("ids"), list):
        ids = frozenset(name for name in asked["ids"][:MOST_IDS] if isinstance(name, str) and IDS.fullmatch(name))
        found = replace(found, everything=asked.get("all") is True, ids=ids)
    if asked.get("flow") in ("down", "right"):
        found = replace(found, flow=asked["flow"])
    return _focused(trace, found, asked.get("focus"), asked.get("hops"))


def after(trace: Trace, folding: Folding, act: Act | None) -> Folding:
    """The folding after an act; what is no act changes nothing.

    {"open": id}, {"close": id}, {"each": id of a card}: with all in it, {"reveal": node or frame id}: with what hides it, {"into": frame
    id}, {"all": true}, {"first": true}, {"flow": "right"}, {"focus": node, "hops": number}.
    """
    match dict(act or {}):
        case {"open": str(name)} if IDS.fullmatch(name):
            return _open(trace, folding, [name])
        case {"each": str(name)} if IDS.fullmatch(name):
            card = next((box for box in view_of_folding(trace, folding).boxes if box.id == name), None)
            return _open(trace, folding, [name, *(card.parts if card is not None else ())])
        case {"close": str(name)} if IDS.fullmatch(name):
            return _kept_apart(trace, folding, folding.turned([name], opened=False), {name})
        case {"reveal": int(node)} if 0 <= node < len(trace.nodes):
            return _reveal(trace, folding, node, None)
        case {"reveal": str(name)} if FRAME.fullmatch(name):
            return _reveal(trace, folding, None, name)
        case {"into": str(name)} if FRAME.fullmatch(name):
            return _open(trace, _reveal(trace, folding, None, name), [name])
        case {"all": True}:
            return replace(folding, everything=True, ids=frozenset())
        case {"first": True}:
            return replace(first_folding(trace), flow=folding.flow)
        case {"flow": ("down" | "right") as flow}:
            return replace(folding, flow=flow)
        case {"focus": focus, **rest}:
            return _focused(trace, folding, focus, rest.get("hops"))
    return folding


def refusal(trace: Trace, view: View, language: str) -> str | None:
    """Why this view cannot be shown on a page, in a sentence; None if it can."""
    standing = sum(not box.hosts for box in view.boxes)
    return None if standing <= MOST_VISIBLE else say("page.too_many_visible", language, count=f"{standing:,}", most=f"{MOST_VISIBLE:,}")


def _focused(trace: Trace, folding: Folding, focus: object, hops: object) -> Folding:
    known = isinstance(focus, int) and not isinstance(focus, bool) and 0 <= focus < len(trace.nodes)
    far = hops if isinstance(hops, int) and not isinstance(hops, bool) and 1 <= hops <= 99 else 1
    return replace(folding, focus=focus if known and isinstance(focus, int) else None, hops=far)


def _open(trace: Trace, folding: Folding, names: list[str]) -> Folding:
    """With these opened; equal modules that stood side by side go on doing so, where opening one of them parts their row."""
    cards = {box.id: box.parts for box in view_of_folding(trace, folding).boxes if box.card}
    if folding.everything:  # a card is then what was closed, side by side
        names = [part for name in names for part in cards.get(name, (name,))]
    opened = {part for name in names for part in cards.get(name, ())}
    return _kept_apart(trace, folding, folding.turned(names, opened=True), opened)


def _kept_apart(trace: Trace, before: Folding, found: Folding, more: set[str]) -> Folding:
    """`found`, with equal modules that stood side by side before, or are among `more`, doing so still; and without what that needs not."""
    if found.everything:
        return found
    stood = {box.id for box in view_of_folding(trace, before).boxes} | more
    for _ in range(4):
        parted = [box.id for box in view_of_folding(trace, found).boxes if box.card and stood.issuperset(box.parts)]
        if not parted:
            break
        found = found.turned(parted, opened=True)
    clusters = {cluster.id.removeprefix(CLUSTER) for cluster in view_of_folding(trace, found).clusters}
    cards = {name for name in found.ids - clusters if name[0] == "s"}  # opened once; whether they still part a row is to be seen
    bare = found.turned(cards, opened=False)
    for _ in range(4):
        needed = cards.intersection(box.id for box in view_of_folding(trace, bare).boxes)
        if not needed:
            return bare
        bare = bare.turned(needed, opened=True)
    return found


def _reveal(trace: Trace, folding: Folding, node: int | None, frame: str | None) -> Folding:
    """With whatever is open that hides a node, or a module."""
    places = places_of(trace)
    if node is None:
        number = next((number for number, one in enumerate(places.frames) if one.id == frame), None)
        node = next((node for node, chain in enumerate(places.chains) if number in chain), None)
        if node is None:
            return folding
    if folding.focus is not None and node not in view_of_folding(trace, folding).box_of:
        folding = replace(folding, focus=None)
    for _ in range(60):
        view = view_of_folding(trace, folding)
        name = view.box_of.get(node)
        box = next((box for box in view.boxes if box.id == name), None)
        if box is None or box.kind == "node" or box.id == frame or f"{CLUSTER}{frame}" in {one.id for one in view.clusters}:
            break
        opened = _open(trace, folding, [box.id])
        if opened == folding:
            break
        folding = opened
    return folding
