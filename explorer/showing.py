"""Which boxes stand where, and what is written in them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

from explorer.boxes import Box, Cluster
from explorer.folding import MOST, Item, Run, Segment, fold
from explorer.model import Trace
from explorer.places import Places, remembered
from explorer.standing import Shown, State, alike_in, deepest, marked_in, state_of

__all__ = ["Shown", "choose"]


def choose(trace: Trace, asked: Shown) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    """The boxes and clusters that show, in forward order."""
    if asked.depth is not None:
        return _choose(trace, asked)
    for depth in range(deepest(trace, asked), -1, -1):
        boxes, clusters = _choose(trace, replace(asked, depth=depth))
        if depth == 0 or sum(not box.hosts for box in boxes) <= MOST:
            return boxes, clusters
    raise AssertionError("unreachable")


def _choose(trace: Trace, asked: Shown) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    state = state_of(trace, asked)
    items, segments = fold(
        trace,
        asked.places,
        state.level,
        alone=asked.alone,
        most=asked.most,
        nodes_of=state.tree.nodes_of,
        is_open=lambda name: name not in asked.shut and (name in asked.opened or asked.depth == math.inf),
        alike=alike_in(trace, asked.places) if asked.compact else None,
        opened=asked.opened,
    )
    return _boxes(items, segments, state, _small(trace, asked), asked.places)


def _small(trace: Trace, asked: Shown) -> Collection[int]:
    """Nodes that stand on their edge as a word, unless they are drawn as a module."""
    if not asked.compact:
        return frozenset()
    places = asked.places
    views = remembered(places, "views", lambda: frozenset([node for node, view_like in enumerate(places.view_like) if view_like]))
    return views - marked_in(trace, places, asked.alone)


def _boxes(
    items: list[Item], segments: Mapping[str, Segment], state: State, small: Collection[int], places: Places
) -> tuple[tuple[Box, ...], tuple[Cluster, ...]]:
    extra, hosted = _hosted(items, state)
    for item in items:
        if item.id in extra:  # it disappears with the box that it is written in
            item.nodes = tuple(sorted([*item.nodes, *extra[item.id]]))
    items.sort(key=lambda item: item.nodes[0])
    clusters = _clusters(items, segments, places)
    found = [_box(item, state, small, places) for item in items]
    if hosted:
        cluster_of = {box.id: box.cluster for box in found}
        for node, hosts in hosted:
            found.append(
                Box(f"n{node}", "node", (node,), None, cluster_of[hosts[0]], hosts=hosts, place=state.written[node].place),
            )
        found.sort(key=lambda box: box.nodes[0])
    return tuple(found), clusters


def _box(item: Item, state: State, small: Collection[int], places: Places) -> Box:
    parent = f"cluster_{item.scope[-1]}" if item.scope else None
    thing = item.thing
    if isinstance(thing, Run):
        return Box(item.id, "segment", item.nodes, None, parent, thing.parts, 0, thing.card, thing.steps)
    if thing < 0:
        frame = places.frames[~thing]
        return Box(item.id, "module", item.nodes, frame.module, parent, (), frame.call)
    names = state.names.get(thing)
    return Box(item.id, "node", item.nodes, None, parent, names=names, small=names is None and thing in small)


def _hosted(items: list[Item], state: State) -> tuple[dict[str, list[int]], list[tuple[int, tuple[str, ...]]]]:
    """Box -> nodes written in it that disappear in it; and the others that are written in boxes, with these."""
    extra: dict[str, list[int]] = {}
    hosted: list[tuple[int, tuple[str, ...]]] = []
    if state.written:
        holder: dict[int, str] = {}
        for item in items:
            if isinstance(item.thing, Run):
                holder.update(dict.fromkeys(item.thing.holds, item.id))
            else:
                holder[item.thing] = item.id
        for node in sorted(state.written):
            hosts = tuple(dict.fromkeys([holder[host] for host in state.written[node].hosts]))
            if len(hosts) == 1 and hosts[0][0] == "s":
                extra.setdefault(hosts[0], []).append(node)
            else:
                hosted.append((node, hosts))
    return extra, hosted


def _clusters(items: list[Item], segments: Mapping[str, Segment], places: Places) -> tuple[Cluster, ...]:
    """The open modules and segments, each before those in it, in the order of what is first in them."""
    frames = remembered(places, "frames", lambda: {frame.id: frame for frame in places.frames})
    clusters: dict[str, Cluster] = {}
    before: tuple[str, ...] = ()
    for item in items:
        if item.scope == before:
            continue
        before, parent = item.scope, None
        for name in item.scope:
            key = f"cluster_{name}"
            if key not in clusters:
                segment = segments.get(name)
                if segment is not None:
                    clusters[key] = Cluster(key, None, parent, 0, segment.parts, segment.steps)
                else:
                    clusters[key] = Cluster(key, frames[name].module, parent, frames[name].call)
            parent = key
    return tuple(clusters.values())
