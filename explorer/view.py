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
from explorer.model import Trace

__all__ = ["MOST", "Arrow", "Box", "Cluster", "View", "closed", "make_view"]

Direction = Literal["forward", "backward"]
Flow = Literal["down", "right"]
Overlay = Literal["gradient", "value", "time", "memory"]
Theme = Literal["light", "dark"]

MOST = 60  # boxes shown unless more are asked for
FOLDED = 30  # a level that has too many things is folded into so many segments
SAMPLED = 2000  # things looked at to find the period of a level
KEPT = 12  # things a folded level still shows one by one: the loss, and leaves that many ops read
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
        items = _fold(trace, items, focus)
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
                labels[number] = known[len(around) + 1 :] if around and known.startswith(around + ".") else known
                chain = (*chain, number)
            chains[known] = chain
    return _Places(MappingProxyType(chains), tuple(labels))


def _chains(trace: Trace, shown: Iterable[int], places: _Places) -> dict[int, tuple[int, ...]]:
    return {number: places.chains.get(trace.nodes[number].module, ()) for number in shown}


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


@dataclass(slots=True)
class _Item:
    """A box being collected: its scope is the chain of open modules around it."""

    id: str
    scope: tuple[int, ...]
    nodes: list[int]
    module: int | None = None
    parts: tuple[str, ...] = ()


def _items(chains: Mapping[int, tuple[int, ...]], depth: float, forced: frozenset[int]) -> list[_Item]:
    """Every node, or the closed module it disappears into, in forward order of the first node."""
    found: dict[str, _Item] = {}
    for number, chain in chains.items():
        level = next((level for level, module in enumerate(chain) if level >= depth and module not in forced), None)
        key, scope, module = (f"n{number}", chain, None) if level is None else (f"m{chain[level]}", chain[:level], chain[level])
        if key not in found:
            found[key] = _Item(key, scope, [], module)
        found[key].nodes.append(number)
    return list(found.values())


# -- folding -------------------------------------------------------------------------------------------------------------------------


def _fold(trace: Trace, items: list[_Item], focus: int | None) -> list[_Item]:
    """The items, with each level of more than `MOST` of them folded into segments of neighbours."""
    scopes: dict[tuple[int, ...], list[_Item]] = {}
    for item in items:
        scopes.setdefault(item.scope, []).append(item)
    if all(len(level) <= MOST for level in scopes.values()):
        return items
    readers = Counter(edge.source for edge in trace.edges)
    return [part for level in scopes.values() for part in (_segments(trace, level, readers, focus) if len(level) > MOST else level)]


def _segments(trace: Trace, level: list[_Item], readers: Counter[int], focus: int | None) -> list[_Item]:
    kept = _kept(trace, level, readers, focus)
    rest = [item for item in level if item.id not in kept]
    size = _size(trace, rest)
    folded = []
    for start in range(0, len(rest), size):
        run = rest[start : start + size]
        if len(run) == 1:
            folded += run
            continue
        nodes = sorted(node for item in run for node in item.nodes)
        folded.append(_Item(f"s{nodes[0]}", run[0].scope, nodes, None, tuple(item.id for item in run)))
    return sorted([*folded, *(item for item in level if item.id in kept)], key=lambda item: item.nodes[0])


def _size(trace: Trace, items: list[_Item]) -> int:
    """How many neighbours make a segment: a multiple of the level's period, if it has one, so that segments look alike."""
    size = math.ceil(len(items) / FOLDED)
    sample = items[:SAMPLED]
    tokens = [trace.nodes[item.nodes[0]].op if item.module is None else trace.modules[item.module].class_name for item in sample]
    for period in range(1, min(size, len(tokens) // 3) + 1):
        same = sum(one == other for one, other in zip(tokens, tokens[period:], strict=False))
        if same >= 0.9 * (len(tokens) - period):
            return math.ceil(size / period) * period
    return size


def _kept(trace: Trace, level: list[_Item], readers: Counter[int], focus: int | None) -> frozenset[str]:
    """What is shown for itself even on a folded level: the focus, where backward begins, and leaves read by more than one op."""
    wanted = [item for item in level if focus is not None and item.id == f"n{focus}"]
    singles = [item for item in level if item.module is None]
    wanted += [item for item in singles if any(seed is not None for seed in trace.nodes[item.nodes[0]].seeds)]
    shared = [item for item in singles if trace.nodes[item.nodes[0]].is_leaf and readers[item.nodes[0]] > 1]
    wanted += sorted(shared, key=lambda item: (-readers[item.nodes[0]], item.nodes[0]))
    return frozenset(item.id for item in wanted[:KEPT])


# -- the parts of the view -----------------------------------------------------------------------------------------------------------


def _boxes(items: list[_Item], places: _Places) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
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
