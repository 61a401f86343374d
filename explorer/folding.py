"""A level with too many things on it -> segments of neighbours."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from explorer.model import Trace

__all__ = ["MOST", "Item", "fold"]

MOST = 60  # boxes shown unless more are asked for
FOLDED = 30  # a level that has too many things is folded into so many segments
SAMPLED = 2000  # things looked at to find the period of a level
KEPT = 12  # things a folded level still shows one by one: the loss, and leaves that many ops read


@dataclass(slots=True)
class Item:
    """A box being collected: its scope is the chain of open modules around it."""

    id: str
    scope: tuple[int, ...]
    nodes: list[int]
    module: int | None = None
    parts: tuple[str, ...] = ()


def fold(trace: Trace, items: list[Item], focus: int | None) -> list[Item]:
    """The items, with each level of more than `MOST` of them folded into segments of neighbours."""
    scopes: dict[tuple[int, ...], list[Item]] = {}
    for item in items:
        scopes.setdefault(item.scope, []).append(item)
    if all(len(level) <= MOST for level in scopes.values()):
        return items
    readers = Counter(edge.source for edge in trace.edges)
    return [part for level in scopes.values() for part in (_segments(trace, level, readers, focus) if len(level) > MOST else level)]


def _segments(trace: Trace, level: list[Item], readers: Counter[int], focus: int | None) -> list[Item]:
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
        folded.append(Item(f"s{nodes[0]}", run[0].scope, nodes, None, tuple(item.id for item in run)))
    return sorted([*folded, *(item for item in level if item.id in kept)], key=lambda item: item.nodes[0])


def _size(trace: Trace, items: list[Item]) -> int:
    """How many neighbours make a segment: a multiple of the level's period, if it has one, so that segments look alike."""
    size = math.ceil(len(items) / FOLDED)
    sample = items[:SAMPLED]
    tokens = [trace.nodes[item.nodes[0]].op if item.module is None else trace.modules[item.module].class_name for item in sample]
    for period in range(1, min(size, len(tokens) // 3) + 1):
        same = sum(one == other for one, other in zip(tokens, tokens[period:], strict=False))
        if same >= 0.9 * (len(tokens) - period):
            return math.ceil(size / period) * period
    return size


def _kept(trace: Trace, level: list[Item], readers: Counter[int], focus: int | None) -> frozenset[str]:
    """What is shown for itself even on a folded level: the focus, where backward begins, and leaves read by more than one op."""
    wanted = [item for item in level if focus is not None and item.id == f"n{focus}"]
    singles = [item for item in level if item.module is None]
    wanted += [item for item in singles if any(seed is not None for seed in trace.nodes[item.nodes[0]].seeds)]
    shared = [item for item in singles if trace.nodes[item.nodes[0]].is_leaf and readers[item.nodes[0]] > 1]
    wanted += sorted(shared, key=lambda item: (-readers[item.nodes[0]], item.nodes[0]))
    return frozenset(item.id for item in wanted[:KEPT])
