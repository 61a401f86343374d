"""A level with too many things on it -> segments of neighbours; equal modules in a row -> one card.

NOTE [period]: a loop that was written without modules shows as things that repeat every so many. A segment then holds whole turns of the
loop, cut where the fewest values are alive, so that segments look alike and read "steps 0–29".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import eq

from explorer.model import Trace

__all__ = ["LEVEL", "MOST", "Item", "fold", "stack"]

MOST = 60  # boxes shown unless more are asked for
LEVEL = 80  # things that stand beside each other in one open module: more are folded, also where everything is open
FOLDED = 30  # a level that has too many things is folded into so many segments
SAMPLED = 2000  # things looked at to find the period of a level
LONGEST_PERIOD = 120
KEPT = 12  # things a folded level still shows one by one: the loss, and leaves that many ops read
OPEN = -1  # stands for the frame of an open module
CARD = 4  # so many equal modules in a row are drawn as one card


Inputs = Sequence[Sequence[tuple[int, int]]]  # by node: the tensors that it reads, as (node, output)


@dataclass(slots=True)
class Item:
    """A box being collected: its scope are the ids of the open frames and segments around it."""

    id: str
    scope: tuple[str, ...]
    nodes: list[int]
    frame: int | None = None
    parts: tuple[str, ...] = ()
    steps: tuple[int, int] | None = None
    card: int = 0
    inside: list[Item] = field(default_factory=list)  # of an open module, while levels are folded
    within: tuple[str, ...] = ()  # of a segment: the items in the modules among its parts


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbours that is open: what its frame says."""

    id: str
    scope: tuple[str, ...]
    parts: tuple[str, ...]
    steps: tuple[int, int] | None


def stack(items: list[Item], alike: Callable[[int], object], opened: frozenset[str]) -> list[Item]:
    """The things of a level, with `CARD` or more equal closed modules in a row as one card, unless that card was opened."""
    found: list[Item] = []
    start = 0
    while start < len(items):
        first, end = items[start], start + 1
        if first.frame is not None and not first.inside:
            likeness = alike(first.frame)
            while end < len(items) and _is_closed(items[end]) and alike(items[end].frame or 0) == likeness:
                end += 1
        run = items[start:end]
        nodes = sorted(node for item in run for node in item.nodes) if len(run) >= CARD else []
        name = f"s{nodes[0]}" if nodes else ""
        if nodes and name not in opened:
            found.append(Item(name, first.scope, nodes, None, tuple(item.id for item in run), None, len(run)))
        else:
            found += run
        start = end
    return found


def _is_closed(item: Item) -> bool:
    return item.frame is not None and not item.inside


def fold(
    trace: Trace,
    inputs: Inputs,
    items: list[Item],
    alone: frozenset[int],
    most: int,
    is_open: Callable[[str], bool],
    stacked: Callable[[list[Item]], list[Item]] = list,
) -> tuple[list[Item], dict[str, Segment]]:
    """The items, with each level of more than `most` things folded into segments of neighbours; and the segments that are open.

    An open module is a thing on the level around it. What stands in an open segment is a level of its own. `stacked` makes cards of the
    things on a level before they are counted.
    """
    readers: Counter[int] | None = None
    done: list[Item] = []
    segments: dict[str, Segment] = {}
    taken = {item.id for item in items}
    levels: list[tuple[tuple[str, ...], list[Item]]] = [((), _level(items))]
    while levels:
        scope, things = levels.pop()
        level = stacked(things)
        if len(level) <= most:
            for thing in level:
                thing.scope = scope
                if thing.inside:
                    levels.append(((*scope, thing.id), thing.inside))
                else:
                    done.append(thing)
            continue
        if readers is None:
            readers = Counter(edge.source for edge in trace.edges)
        for thing in level:
            _collect(thing)
        found = {thing.id: thing for thing in level}
        folded = _segments(trace, inputs, level, readers, alone, taken)
        for item in folded:
            item.scope = scope
            if item.id in found:
                levels.append((scope, [item]))
            elif is_open(item.id) and len(item.parts) < len(level):
                segments[item.id] = Segment(item.id, scope, item.parts, item.steps)
                levels.append(((*scope, item.id), [found[part] for part in item.parts]))
            else:
                item.within = tuple(name for part in item.parts for name in _names(found[part]))
                done.append(item)
    return done, segments


def _level(items: list[Item]) -> list[Item]:
    """The things on the outermost level: items, and open modules with what stands in them."""
    level: list[Item] = []
    frames: dict[tuple[str, ...], Item] = {}
    for item in items:
        around = level
        for depth in range(len(item.scope)):
            scope = item.scope[: depth + 1]
            frame = frames.get(scope)
            if frame is None:
                frame = frames[scope] = Item(scope[-1], scope[:-1], [], OPEN)
                around.append(frame)
            around = frame.inside
        around.append(item)
    return level


def _collect(thing: Item) -> None:
    """Give an open module the nodes of what stands in it."""
    if thing.inside and not thing.nodes:
        waiting = [thing]
        while waiting:
            one = waiting.pop()
            waiting += one.inside
            thing.nodes += one.nodes if not one.inside else []
        thing.nodes.sort()


def _names(thing: Item) -> list[str]:
    """The items in an open module, at any depth; or the item itself."""
    found: list[str] = []
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        waiting += one.inside
        if not one.inside:
            found.append(one.id)
            found += one.parts
    return found


def _segments(trace: Trace, inputs: Inputs, level: list[Item], readers: Counter[int], alone: frozenset[int], taken: set[str]) -> list[Item]:
    kept = _kept(trace, level, readers, alone)
    rest = [item for item in level if item.id not in kept]
    folded = []
    for start, end, steps in _runs(trace, inputs, rest):
        run = rest[start:end]
        if len(run) == 1:
            folded += run
            continue
        nodes = sorted(node for item in run for node in item.nodes)
        parts = tuple(item.id for item in run)
        name = next(name for node in nodes if (name := f"s{node}") not in taken)  # a segment within begins with the same node
        taken.add(name)
        folded.append(Item(name, run[0].scope, nodes, None, parts, steps))
    return sorted([*folded, *(item for item in level if item.id in kept)], key=lambda item: item.nodes[0])


def _runs(trace: Trace, inputs: Inputs, items: list[Item]) -> list[tuple[int, int, tuple[int, int] | None]]:
    """Where segments begin and end, and the turns of a loop that each holds."""
    size = max(2, math.ceil(len(items) / FOLDED), math.ceil(math.sqrt(len(items))))
    found = _period(trace, inputs, items)
    if found is None:
        return [(start, min(start + size, len(items)), None) for start in range(0, len(items), size)]
    period, first, last = found
    turns = max(1, math.ceil(size / period))
    runs: list[tuple[int, int, tuple[int, int] | None]] = []
    if first:
        runs += [(start, min(start + size, first), None) for start in range(0, first, size)]
    total = (last - first) // period
    for turn in range(0, total, turns):
        after = min(turn + turns, total)
        runs.append((first + turn * period, first + after * period, (turn, after - 1)))
    end = first + total * period
    runs += [(start, min(start + size, len(items)), None) for start in range(end, len(items), size)]
    return runs


def _period(trace: Trace, inputs: Inputs, items: list[Item]) -> tuple[int, int, int] | None:
    """How many things a turn of the loop has, and where its turns begin and end; None if nothing repeats."""
    tokens = _tokens(trace, inputs, items)
    count = min(len(tokens), SAMPLED)
    best, covered = 0, 0.0
    for period in range(1, min(LONGEST_PERIOD, count // 3) + 1):
        share = sum(map(eq, tokens[: count - period], tokens[period:count])) / (count - period)
        if share > 0.6 and share > covered + 0.02:
            best, covered = period, share
    if not best:
        return None
    first, last = _longest(tokens, best)
    if last - first < max(3 * best, len(tokens) // 2):
        return None
    alive = _alive(inputs, items)
    phase = min(range(best), key=lambda shift: (alive[first + shift], shift))
    return best, first + phase, last


def _tokens(trace: Trace, inputs: Inputs, items: list[Item]) -> list[object]:
    """What an item is and how far before it those stand that it reads: equal in every turn of a loop."""
    place = {node: number for number, item in enumerate(items) for node in item.nodes}
    far: dict[int, list[int]] = {}
    for node, target in place.items():
        for read, _ in inputs[node]:
            source = place.get(read, target)
            if source != target:
                far.setdefault(target, []).append(target - source)
    kinds = [
        trace.nodes[item.nodes[0]].op or trace.nodes[item.nodes[0]].kind if item.frame is None and not item.parts else len(item.nodes)
        for item in items
    ]
    return [(kind, *sorted(far.get(number, ()))) for number, kind in enumerate(kinds)]


def _longest(tokens: list[object], period: int) -> tuple[int, int]:
    """The longest stretch in which each thing equals the one a period later."""
    best, start = (0, 0), 0
    for number in range(len(tokens) - period + 1):
        if number == len(tokens) - period or tokens[number] != tokens[number + period]:
            if number - start > best[1] - best[0]:
                best = (start, number)
            start = number + 1
    first, last = best
    return first, min(last + period, len(tokens))


def _alive(inputs: Inputs, items: list[Item]) -> list[int]:
    """How many values are needed on both sides of the cut before each item."""
    place = {node: number for number, item in enumerate(items) for node in item.nodes}
    last: dict[tuple[int, int], int] = {}
    for reader, target in place.items():
        for key in inputs[reader]:
            source = place.get(key[0])
            if source is not None and target > source and target > last.get(key, 0):
                last[key] = target
    steps = [0] * (len(items) + 2)
    for (node, _), target in last.items():
        steps[place[node] + 1] += 1
        steps[target + 1] -= 1
    alive, total = [], 0
    for step in steps:
        total += step
        alive.append(total)
    return alive


def _kept(trace: Trace, level: list[Item], readers: Counter[int], alone: frozenset[int]) -> frozenset[str]:
    """What is shown for itself even on a folded level: what was asked for, where backward begins, and leaves read by more than one op."""
    wanted = [item for item in level if len(item.nodes) == 1 and item.nodes[0] in alone and not item.parts]
    singles = [item for item in level if item.frame is None and not item.parts]
    wanted += [item for item in singles if any(seed is not None for seed in trace.nodes[item.nodes[0]].seeds)]
    shared = [item for item in singles if trace.nodes[item.nodes[0]].is_leaf and readers[item.nodes[0]] > 1]
    wanted += sorted(shared, key=lambda item: (-readers[item.nodes[0]], item.nodes[0]))
    return frozenset(item.id for item in wanted[:KEPT])
