"""Trace -> View: which boxes show, what each stands for, and which arrows run between them.

A View chooses; it does not draw. Modules are open (a cluster) or closed (one box), call by call; a level with too many things on it is
folded into segments of neighbours, and equal modules in a row into a card. In a recording of more than `MOST` nodes leaves and view-like
ops are written into other boxes (`Box.hosts`), and a module that holds one op is drawn as that op (`Box.names`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from explorer.boxes import Box, Cluster
from explorer.errors import RequestError
from explorer.folding import LEVEL, MOST
from explorer.model import Trace
from explorer.places import places_of
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


def make_view(
    trace: Trace,
    *,
    depth: int | None = None,
    expand: str | None = None,
    focus: int | None = None,
    hops: int = 1,
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

    Without `depth` the deepest level is shown at which at most `MOST` boxes stand; what is in `opened` or `shut` is open or closed all the
    same. Without `compact` a recording of more than `MOST` nodes is compact. `step` only labels the picture: what was reached by
    then is given by `values`, `gradients`, `updated` and `flowed` (`explorer.export` takes them from the steps).
    Raises RequestError on an option that does not exist.
    """
    _check_options(trace, depth, expand, focus, hops, direction, flow, overlay, step, language, theme)
    places = places_of(trace)
    chosen = Shown(
        places=places,
        nodes=range(len(trace.nodes)) if focus is None else _neighbourhood(trace, focus, hops),
        focus=focus,
        depth=math.inf if expand == "all" else depth,
        opened=frozenset(opened),
        shut=frozenset(shut),
        compact=len(trace.nodes) > MOST if compact is None else compact,
        most=LEVEL if expand == "all" else MOST,
    )
    boxes, clusters = choose(trace, chosen)
    box_of = {node: box.id for box in boxes for node in box.nodes}
    return View(
        trace=trace,
        boxes=boxes,
        clusters=clusters,
        arrows=_arrows(trace, box_of),
        box_of=MappingProxyType(box_of),
        labels=places.labels,
        depth=depth,
        expand=expand,
        focus=focus,
        hops=hops,
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


def _check_options(
    trace: Trace,
    depth: int | None,
    expand: str | None,
    focus: int | None,
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
            raise RequestError("drawing.bad_choice", option=name, value=_brief(value), known=listed)
    for name, number in (("depth", depth), ("hops", hops), ("step", step)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise RequestError("drawing.bad_number", option=name, value=_brief(number))
    if focus is not None and not (isinstance(focus, int) and not isinstance(focus, bool) and 0 <= focus < len(trace.nodes)):
        if not trace.nodes:
            raise RequestError("drawing.no_focus_at_all", focus=_brief(focus))
        raise RequestError("drawing.no_focus", focus=_brief(focus), last=len(trace.nodes) - 1)


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _neighbourhood(trace: Trace, focus: int, hops: int) -> list[int]:
    """Nodes at most `hops` edges away from `focus`, in either direction."""
    near: dict[int, list[int]] = {}
    for edge in trace.edges:
        near.setdefault(edge.source, []).append(edge.target)
        near.setdefault(edge.target, []).append(edge.source)
    found, border = {focus}, [focus]
    for _ in range(hops):
        border = sorted({other for node in border for other in near.get(node, ())} - found)
        if not border:
            break
        found.update(border)
    return sorted(found)


def _arrows(trace: Trace, box_of: Mapping[int, str]) -> tuple[Arrow, ...]:
    """One arrow an edge between two nodes shown singly (`x*x` keeps its two), one for all edges where a closed box is at an end."""
    bundles: dict[tuple[str, str, int | None], list[int]] = {}
    for number, edge in enumerate(trace.edges):
        source, target = box_of.get(edge.source), box_of.get(edge.target)
        if source is None or target is None or source == target:
            continue
        single = source[0] == "n" and target[0] == "n"
        bundles.setdefault((source, target, number if single else None), []).append(number)
    return tuple(
        Arrow(f"e{edges[0]}", source, target, tuple(edges), len({(trace.edges[e].source, trace.edges[e].output) for e in edges}))
        for (source, target, _), edges in bundles.items()
    )
