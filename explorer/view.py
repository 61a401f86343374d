"""Trace -> View: which boxes show, what each stands for, and which arrows run between them.

A View chooses; it does not draw. Modules are open (a cluster) or closed (one box); a level with more than `MOST` things on it is folded
into segments of neighbours. Modules that can never be called (ModuleList and its like) are looked through: their children read "h.3".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from explorer.errors import RequestError
from explorer.folding import MOST, Item, fold
from explorer.model import Trace

__all__ = ["MOST", "Arrow", "Box", "Cluster", "View", "closed", "make_view"]

Direction = Literal["forward", "backward"]
Flow = Literal["down", "right"]
Overlay = Literal["gradient", "value", "time", "memory"]
Theme = Literal["light", "dark"]

NEVER_CALLED = frozenset({"ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in the picture: a node ("n12"), a closed module ("m3"), or a run of neighbours ("s40", after its first node).

    `nodes` are the nodes it stands for, `parts` the ids of the things folded into a segment, `cluster` the open module around it.
    """

    id: str
    kind: Literal["node", "module", "segment"]
    nodes: tuple[int, ...]
    module: int | None = None
    cluster: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open module: `module` is its index in `Trace.modules`, `parent` the cluster around it."""

    id: str
    module: int
    parent: str | None


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
    them. `labels` names the modules as they read where they stand. `simplified` says that a fuller picture was asked for and took too long.
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
    values: Collection[int] | None = None,
    gradients: Collection[int] | None = None,
    updated: Collection[int] | None = None,
    flowed: Collection[int] | None = None,
    simplified: bool = False,
) -> View:
    """The view of `trace` that these options ask for.

    Without `depth` the deepest level is shown at which at most `MOST` boxes show. `step` only labels the picture: what was reached by
    then is given by `values`, `gradients`, `updated` and `flowed` (`explorer.export` takes them from the steps).
    Raises RequestError on an option that does not exist.
    """
    _check_options(trace, depth, expand, focus, hops, direction, flow, overlay, step, language, theme)
    places = _places(trace)
    shown = range(len(trace.nodes)) if focus is None else _neighbourhood(trace, focus, hops)
    chains = _chains(trace, shown, places)
    forced = frozenset(chains[focus]) if focus is not None else frozenset()
    level = _depth(chains, forced) if depth is None else depth
    items = _items(chains, math.inf if expand == "all" else level, forced)
    if expand != "all":
        items = fold(trace, items, focus)
    boxes, clusters = _boxes(items, places)
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


# -- where things stand --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Places:
    """The tree of modules once those never called, and the root, are looked through; indices are those of `Trace.modules`."""

    chains: Mapping[str, tuple[int, ...]]  # module path -> the modules around a node there, outermost first
    labels: tuple[str, ...]


def _places(trace: Trace) -> _Places:
    index = {module.path: number for number, module in enumerate(trace.modules)}
    chains: dict[str, tuple[int, ...]] = {"": ()}
    labels = [module.path for module in trace.modules]
    for module in trace.modules:
        waiting = []
        path: str | None = module.path
        while path is not None and path not in chains:  # an explicit stack: paths may be deep, and parents may come later
            waiting.append(path)
            path = trace.modules[index[path]].parent if path in index else None
            if path in waiting:
                break
        chain = chains.get(path or "", ())
        for known in reversed(waiting):
            number = index.get(known)
            if number is not None and trace.modules[number].class_name not in NEVER_CALLED:
                around = trace.modules[chain[-1]].path if chain else ""
                labels[number] = _label(known, around)
                chain = (*chain, number)
            chains[known] = chain
    return _Places(MappingProxyType(chains), tuple(labels))


def _label(path: str, around: str) -> str:
    """The path as it reads inside the module `around`; a bare number, as in a Sequential, keeps the word before it."""
    inside = path[len(around) + 1 :] if around and path.startswith(around + ".") else path
    return ".".join(path.split(".")[-2:]) if inside.isdecimal() else inside


def _chains(trace: Trace, shown: Iterable[int], places: _Places) -> dict[int, tuple[int, ...]]:
    """Node -> the modules around it. A parameter or buffer is at home where its name says, a constant without a name where it is read."""
    readers: dict[int, list[int]] = {}
    for edge in trace.edges:
        if trace.nodes[edge.source].kind == "constant":
            readers.setdefault(edge.source, []).append(edge.target)
    chains = {}
    for number in shown:
        node = trace.nodes[number]
        chain = places.chains.get(node.module, ())
        if not chain and node.kind in ("parameter", "buffer") and node.name:
            chain = places.chains.get(node.name.rpartition(".")[0], ())
        elif not chain and node.kind == "constant" and not node.name:
            chain = _common([places.chains.get(trace.nodes[reader].module, ()) for reader in readers.get(number, ())])
        chains[number] = chain
    return chains


def _common(chains: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The modules that are around all of these."""
    if not chains:
        return ()
    shared = 0
    while all(len(chain) > shared and chain[shared] == chains[0][shared] for chain in chains):
        shared += 1
    return chains[0][:shared]


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


def _depth(chains: Mapping[int, tuple[int, ...]], forced: frozenset[int]) -> int:
    """The deepest level at which at most `MOST` boxes show, or 0 if there is none."""
    modules = {module: level for chain in set(chains.values()) for level, module in enumerate(chain)}
    closed_at = Counter(level for module, level in modules.items() if module not in forced)
    lengths = Counter(len(chain) for chain in chains.values())
    singles, best = 0, 0
    for level in range(max(lengths, default=0) + 1):
        singles += lengths[level]
        if singles + closed_at[level] <= MOST:
            best = level
    return best


def _items(chains: Mapping[int, tuple[int, ...]], depth: float, forced: frozenset[int]) -> list[Item]:
    """Every node, or the closed module it disappears into, in forward order of the first node."""
    found: dict[str, Item] = {}
    for number, chain in chains.items():
        level = next((level for level, module in enumerate(chain) if level >= depth and module not in forced), None)
        key, scope, module = (f"n{number}", chain, None) if level is None else (f"m{chain[level]}", chain[:level], chain[level])
        if key not in found:
            found[key] = Item(key, scope, [], module)
        found[key].nodes.append(number)
    return list(found.values())


# -- the parts of the view -----------------------------------------------------------------------------------------------------------


def _boxes(items: list[Item], places: _Places) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    boxes = []
    clusters: dict[str, Cluster] = {}
    for item in items:
        parent = None
        for module in item.scope:
            name = f"cluster_m{module}"
            clusters.setdefault(name, Cluster(name, module, parent))
            parent = name
        kind: Literal["node", "module", "segment"] = "segment" if item.parts else "node" if item.module is None else "module"
        boxes.append(Box(item.id, kind, tuple(item.nodes), item.module, parent, item.parts))
    return tuple(boxes), tuple(clusters.values())


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
