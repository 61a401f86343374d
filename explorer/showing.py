"""Which modules are open, and so which boxes stand where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from explorer.boxes import Box, Cluster
from explorer.folding import MOST, Item, Segment, fold, stack
from explorer.hosting import Guest, guests
from explorer.model import Trace
from explorer.places import Chain, Places, is_view_like

__all__ = ["Shown", "choose"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is asked for: `nodes` that may show, `alone` those of them that stand by themselves.

    `depth` levels are open (None: as many as fit); what is `opened` or `shut` is so whatever the depth.
    """

    places: Places
    nodes: Collection[int]
    alone: frozenset[int]
    depth: float | None
    opened: frozenset[str]
    shut: frozenset[str]
    compact: bool
    most: int


def choose(trace: Trace, asked: Shown) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    """The boxes and clusters that show, in forward order."""
    if asked.depth is not None:
        return _choose(trace, asked)
    for depth in range(_deepest(trace, asked), -1, -1):
        boxes, clusters = _choose(trace, replace(asked, depth=depth))
        if depth == 0 or sum(not box.hosts for box in boxes) <= MOST:
            return boxes, clusters
    raise AssertionError("unreachable")


def _choose(trace: Trace, asked: Shown) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    places = asked.places
    forced = frozenset(frame for node in asked.alone for frame in places.chains[node])
    tiny = _tiny(asked) if asked.compact else frozenset()
    items = _items(asked, forced | tiny)
    written: Mapping[str, Guest] = {}
    names: dict[str, int] = {}
    marked: frozenset[int] = frozenset()
    if asked.compact:
        marked = _marked(trace, asked.alone)
        written = guests(trace, items, marked)
        names = _collapse(items, written, places)
    standing = [item for item in items if item.id not in written]
    likeness = _likeness(trace, places)
    stacked = (lambda level: stack(level, likeness, asked.opened)) if asked.compact else list
    standing, segments = fold(trace, places.inputs, standing, asked.alone, asked.most, lambda name: _is_open(name, asked), stacked)
    small = {item.id for item in standing if asked.compact and _is_small(trace, item, marked, names)}
    return _boxes(items, standing, segments, written, names, small, places)


def _is_small(trace: Trace, item: Item, marked: frozenset[int], names: Mapping[str, int]) -> bool:
    node = trace.nodes[item.nodes[0]]
    return item.frame is None and not item.parts and item.id not in names and is_view_like(node) and node.id not in marked


def _is_open(name: str, asked: Shown) -> bool:
    return name not in asked.shut and (name in asked.opened or asked.depth == math.inf)


def _marked(trace: Trace, alone: frozenset[int]) -> frozenset[int]:
    """Nodes that stand by themselves: what was asked for, where backward begins, and what a finding speaks of."""
    marked = {finding.node for finding in trace.findings if finding.node is not None and finding.severity != "info"}
    marked |= {check.node for check in trace.checks.nodes if check.verdict == "wrong"} if trace.checks is not None else set()
    marked |= {node.id for node in trace.nodes if any(seed is not None for seed in node.seeds)}
    return frozenset(marked | alone)


# -- modules open and closed ---------------------------------------------------------------------------------------------------------


def _items(asked: Shown, forced: frozenset[int]) -> list[Item]:
    """Every node, or the closed module it disappears into, in forward order of the first node."""
    frames, depth = asked.places.frames, math.inf if asked.depth is None else asked.depth
    shut_at: dict[Chain, int | None] = {}
    scopes: dict[Chain, tuple[str, ...]] = {}
    found: dict[str, Item] = {}
    for number in asked.nodes:
        chain = asked.places.chains[number]
        if chain not in shut_at:
            shut_at[chain] = None
            for level, frame in enumerate(chain):
                name = frames[frame].id
                if (level >= depth and frame not in forced and name not in asked.opened) or name in asked.shut:
                    shut_at[chain] = level
                    break
            scopes[chain] = tuple(frames[frame].id for frame in chain[: shut_at[chain]])
        level_shut = shut_at[chain]
        key = f"n{number}" if level_shut is None else frames[chain[level_shut]].id
        item = found.get(key)
        if item is None:
            found[key] = Item(key, scopes[chain], [number], None if level_shut is None else chain[level_shut])
        else:
            item.nodes.append(number)
    return list(found.values())


def _tiny(asked: Shown) -> frozenset[int]:
    """Frames that hold one op, besides leaves and view-like ops: they are drawn as that op, open or closed."""
    ops: Counter[int] = Counter()
    leaf, view_like = asked.places.leaf, asked.places.view_like
    for number in asked.nodes:
        chain = asked.places.chains[number]
        if chain and not leaf[number] and not view_like[number]:
            ops.update(chain)
    return frozenset(frame for frame, count in ops.items() if count == 1)


def _deepest(trace: Trace, asked: Shown) -> int:
    """The deepest level that is worth trying: one at which not too many boxes stand, counting neither leaves nor view-like ops."""
    chains, leaf, view_like = asked.places.chains, asked.places.leaf, asked.places.view_like
    met: set[Chain] = set()
    lengths: Counter[int] = Counter()
    modules: dict[int, int] = {}
    for number in asked.nodes:
        chain = chains[number]
        if not asked.compact or not (view_like[number] or (leaf[number] and trace.nodes[number].kind != "input")):
            lengths[len(chain)] += 1
        if chain and chain not in met:
            met.add(chain)
            for level, frame in enumerate(chain):
                modules.setdefault(frame, level)
    closed_at = Counter(modules.values())
    singles, best = 0, 0
    for level in range(max(max(lengths, default=0), max(closed_at, default=-1) + 1) + 1):
        singles += lengths[level]
        if singles + (0 if asked.compact else closed_at[level]) <= MOST:
            best = level
    return best


def _collapse(items: list[Item], written: Mapping[str, Guest], places: Places) -> dict[str, int]:
    """Item -> the module that holds nothing else: its frame is left out, and the item stands where the frame stood."""
    inside: Counter[str] = Counter(name for item in items if item.id not in written for name in item.scope)
    module_of = {frame.id: frame.module for frame in places.frames}
    names: dict[str, int] = {}
    gone = {name for name, count in inside.items() if count == 1}
    for item in items:
        if gone and not gone.isdisjoint(item.scope):
            if item.id not in written and item.frame is None:
                names[item.id] = module_of[next(name for name in item.scope if name in gone)]
            elif item.id not in written:
                gone -= set(item.scope)  # a closed module inside: its frames stay
    for item in items:
        if gone and not gone.isdisjoint(item.scope):
            item.scope = tuple(name for name in item.scope if name not in gone)
    return {name: module for name, module in names.items() if module is not None}


def _likeness(trace: Trace, places: Places) -> Callable[[int], object]:
    """Frame -> what it is like: its class and the ops in it, in order."""
    ops: dict[int, list[str]] = {}
    known: dict[int, object] = {}

    def alike(frame: int) -> object:
        if not ops:
            for node in trace.nodes:
                if not places.leaf[node.id]:
                    for around in places.chains[node.id]:
                        ops.setdefault(around, []).append(node.op or "")
        if frame not in known:
            known[frame] = (trace.modules[places.frames[frame].module].class_name, tuple(ops.get(frame, ())))
        return known[frame]

    return alike


# -- the parts of the view -----------------------------------------------------------------------------------------------------------


def _boxes(
    items: list[Item],
    standing: list[Item],
    segments: Mapping[str, Segment],
    written: Mapping[str, Guest],
    names: Mapping[str, int],
    small: Collection[str],
    places: Places,
) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    holder = {part: item for item in standing for part in (*item.parts, *item.within)}
    for item in standing:
        holder[item.id] = item
    for _ in range(2):  # what is in a card may be in a segment in turn
        for part, item in list(holder.items()):
            holder[part] = holder.get(item.id, item)
    hosted: list[tuple[Item, Guest]] = []
    for item in items:
        guest = written.get(item.id)
        if guest is None:
            continue
        hosts = tuple(dict.fromkeys(holder[host].id for host in guest.hosts))
        if len(hosts) == 1 and hosts[0][0] == "s":
            holder[guest.hosts[0]].nodes.extend(item.nodes)  # it disappears with the box that it is written in
        else:
            hosted.append((item, Guest(hosts, guest.place)))
    frames = {frame.id: frame for frame in places.frames}
    clusters: dict[str, Cluster] = {}
    standing.sort(key=lambda item: min(item.nodes))
    found: list[tuple[int, Box]] = []
    for item in standing:
        parent = None
        for name in item.scope:
            key = f"cluster_{name}"
            if key not in clusters:
                segment, frame = segments.get(name), frames.get(name)
                if segment is not None:
                    clusters[key] = Cluster(key, None, parent, 0, segment.parts, segment.steps)
                elif frame is not None:
                    clusters[key] = Cluster(key, frame.module, parent, frame.call)
            parent = key
        nodes = tuple(sorted(item.nodes))
        if item.parts:
            box = Box(item.id, "segment", nodes, None, parent, item.parts, 0, item.card, item.steps)
        elif item.frame is not None:
            frame = places.frames[item.frame]
            box = Box(item.id, "module", nodes, frame.module, parent, (), frame.call)
        else:
            box = Box(item.id, "node", nodes, None, parent, names=names.get(item.id), small=item.id in small)
        found.append((nodes[0], box))
    cluster_of = {box.id: box.cluster for _, box in found}
    for item, guest in hosted:
        found.append(
            (item.nodes[0], Box(item.id, "node", tuple(item.nodes), None, cluster_of[guest.hosts[0]], hosts=guest.hosts, place=guest.place))
        )
    found.sort(key=lambda pair: pair[0])
    return tuple(box for _, box in found), tuple(clusters.values())
