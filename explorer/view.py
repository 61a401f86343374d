"""Trace -> View: which boxes show, what each stands for, and which arrows run between them.

A View chooses; it does not draw. Modules are open (a cluster) or closed (one box), call by call; a level with too many things on it is
folded into segments of neighbours, and equal modules in a row into a card. In a recording of more than `MOST` nodes leaves and view-like
ops are written into other boxes (`Box.hosts`), and a module that holds one op is drawn as that op (`Box.names`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import compress
from operator import ne
from types import MappingProxyType
from typing import Literal, get_args

from explorer.boxes import Box, Cluster
from explorer.choosing import GRADIENT, brief, chosen_nodes, frames_of, known_node, opened_frames
from explorer.collecting import uncollected
from explorer.errors import RequestError
from explorer.folding import LEVEL, MOST
from explorer.model import Trace
from explorer.places import Places, places_of, remembered
from explorer.showing import Shown, choose

__all__ = ["MOST", "Arrow", "Box", "Cluster", "Flow", "Overlay", "View", "closed", "make_view"]

Direction = Literal["forward", "backward"]
Flow = Literal["down", "right"]
Overlay = Literal["gradient", "value", "time", "memory"]
Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Arrow:
    """What flows from one box to another: `edges` are indices in `Trace.edges`, `values` the number of different tensors."""

    id: str
    source: str
    target: str
    edges: tuple[int, ...]
    values: int


@dataclass(frozen=True, slots=True)
class View:
    """What of a trace is shown, and how.

    `values`, `gradients` and `updated` are the nodes reached so far, `flowed` the edges along which a contribution went; None means all of
    them. `labels` names the modules as they read where they stand, `opened` and `shut` are the modules and segments that a person opened
    or closed against `depth`, by their ids. `compact` says whether boxes may be written into others. `simplified` says that more was asked
    for than can be drawn at once.
    """

    trace: Trace
    boxes: tuple[Box, ...]
    clusters: tuple[Cluster, ...]
    arrows: tuple[Arrow, ...]
    box_of: Mapping[int, str]
    labels: tuple[str, ...]
    depth: int | None
    expand: str | None
    focus: int | None
    hops: int
    between: tuple[int, int] | None
    reaching: int | None
    only: str | None
    direction: Direction
    flow: Flow
    overlay: Overlay | None
    step: int | None
    language: str
    theme: Theme
    opened: frozenset[str] = frozenset()
    shut: frozenset[str] = frozenset()
    compact: bool = False
    values: frozenset[int] | None = None
    gradients: frozenset[int] | None = None
    updated: frozenset[int] | None = None
    flowed: frozenset[int] | None = None
    simplified: bool = False


@uncollected()
def make_view(
    trace: Trace,
    *,
    depth: int | None = None,
    expand: str | None = None,
    focus: int | None = None,
    hops: int = 1,
    between: tuple[int, int] | None = None,
    reaching: int | None = None,
    only: str | None = None,
    direction: Direction = "forward",
    flow: Flow = "down",
    overlay: Overlay | None = None,
    step: int | None = None,
    language: str = "en",
    theme: Theme = "light",
    opened: Collection[str] = (),
    shut: Collection[str] = (),
    compact: bool | None = None,
    values: Collection[int] | None = None,
    gradients: Collection[int] | None = None,
    updated: Collection[int] | None = None,
    flowed: Collection[int] | None = None,
    simplified: bool = False,
) -> View:
    """The view of `trace` that these options ask for.

    `focus` shows the nodes at most `hops` edges around one, `between` those on the paths between two, `reaching` those whose gradient
    reaches one, `only` those in modules of a class, or "gradient": what a gradient flowed through. With several of them shows what all
    let show.

    Without `depth` the deepest level is shown at which at most `MOST` boxes stand; what is in `opened` or `shut` (ids, or paths of
    modules) is open or closed all the same. Without `compact` a recording of more than `MOST` nodes is compact. `step` only labels the
    picture: what was reached by then is given by `values`, `gradients`, `updated` and `flowed` (`explorer.export` takes them from the
    steps).
    Raises RequestError on an option that does not exist.
    """
    _check_options(depth, expand, hops, direction, flow, overlay, step, language, theme)
    if between is not None:
        between = _pair(between)
    named = [number for number in (focus, reaching, *(between or ())) if number is not None]
    alone = frozenset(known_node(trace, number) for number in named)
    places = places_of(trace)
    open_ones, shut_ones = opened_frames(trace, places, opened), frozenset(shut)
    if only is not None and only != GRADIENT and depth is None and expand is None:
        depth, open_ones = 0, open_ones | _around_class(trace, places, only)
    chosen = Shown(
        places=places,
        nodes=chosen_nodes(trace, places, focus=focus, hops=hops, between=between, reaching=reaching, only=only),
        alone=alone,
        depth=math.inf if expand == "all" else depth,
        opened=open_ones,
        shut=shut_ones,
        compact=len(trace.nodes) > MOST if compact is None else compact,
        most=LEVEL if expand == "all" else MOST,
    )
    boxes, clusters = choose(trace, chosen)
    box_of: dict[int, str] = {}
    for box in boxes:
        box_of.update(dict.fromkeys(box.nodes, box.id))
    return View(
        trace=trace,
        boxes=boxes,
        clusters=clusters,
        arrows=_arrows(trace, places, box_of),
        box_of=MappingProxyType(box_of),
        labels=places.labels,
        depth=depth,
        expand=expand,
        focus=focus,
        hops=hops,
        between=between,
        reaching=reaching,
        only=only,
        direction=direction,
        flow=flow,
        overlay=overlay,
        step=step,
        language=language,
        theme=theme,
        opened=chosen.opened,
        shut=chosen.shut,
        compact=chosen.compact,
        values=None if values is None else frozenset(values),
        gradients=None if gradients is None else frozenset(gradients),
        updated=None if updated is None else frozenset(updated),
        flowed=None if flowed is None else frozenset(flowed),
        simplified=simplified,
    )


def closed(view: View) -> View:
    """The same view at the default depth, for when the fuller picture took too long."""
    return make_view(
        view.trace,
        focus=view.focus,
        hops=min(view.hops, 1),
        between=view.between,
        reaching=view.reaching,
        only=view.only,
        direction=view.direction,
        flow=view.flow,
        overlay=view.overlay,
        step=view.step,
        language=view.language,
        theme=view.theme,
        compact=view.compact,
        values=view.values,
        gradients=view.gradients,
        updated=view.updated,
        flowed=view.flowed,
        simplified=True,
    )


def _pair(between: object) -> tuple[int, int]:
    if not isinstance(between, tuple | list) or len(between) != 2:
        raise RequestError("drawing.bad_pair", value=brief(between))
    return between[0], between[1]


def _around_class(trace: Trace, places: Places, only: str) -> frozenset[str]:
    """The modules around those of a class."""
    wanted = frames_of(trace, places, only)
    found: set[str] = set()
    for chain in set(places.chains):
        inside = [length for length, frame in enumerate(chain) if frame in wanted]
        found.update(places.frames[frame].id for frame in chain[: max(inside, default=0)])
    return frozenset(found)


def _check_options(
    depth: int | None,
    expand: str | None,
    hops: int,
    direction: str,
    flow: str,
    overlay: str | None,
    step: int | None,
    language: str,
    theme: str,
) -> None:
    choices: tuple[tuple[str, object, tuple[object, ...]], ...] = (
        ("expand", expand, (None, "all")),
        ("direction", direction, get_args(Direction)),
        ("flow", flow, get_args(Flow)),
        ("overlay", overlay, (None, *get_args(Overlay))),
        ("lang", language, ("en", "ko")),
        ("theme", theme, get_args(Theme)),
    )
    for name, value, known in choices:
        if value not in known:
            listed = ", ".join(str(choice) for choice in known if choice is not None)
            raise RequestError("drawing.bad_choice", option=name, value=brief(value), known=listed)
    for name, number in (("depth", depth), ("hops", hops), ("step", step)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise RequestError("drawing.bad_number", option=name, value=brief(number))


def _arrows(trace: Trace, places: Places, box_of: Mapping[int, str]) -> tuple[Arrow, ...]:
    """One arrow an edge between two nodes shown singly (`x*x` keeps its two), one for all edges where a closed box is at an end."""
    ends = remembered(places, "ends", lambda: ([edge.source for edge in trace.edges], [edge.target for edge in trace.edges]))
    sources, targets = (list(map(box_of.get, end)) for end in ends)
    bundles: dict[tuple[str, str] | int, list[int]] = {}
    for number in compress(range(len(sources)), map(ne, sources, targets)):  # most edges are inside a box
        source, target = sources[number], targets[number]
        if source is not None and target is not None:
            if source[0] == "n" and target[0] == "n":
                bundles[number] = [number]
            elif (bundle := bundles.get((source, target))) is not None:
                bundle.append(number)
            else:
                bundles[source, target] = [number]
    edges = trace.edges
    found = []
    for numbers in bundles.values():
        first = numbers[0]
        values = 1 if len(numbers) == 1 else len({(edges[number].source, edges[number].output) for number in numbers})
        found.append(Arrow(f"e{first}", sources[first] or "", targets[first] or "", tuple(numbers), values))
    return tuple(found)
