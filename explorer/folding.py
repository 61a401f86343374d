"""A level with too many things on it -> segments of neighbours; equal modules in a row -> one card.

NOTE [period]: a loop that was written without modules shows as things that repeat every so many. A segment then holds whole turns of the
loop, cut where the fewest values are alive, so that segments look alike and read "steps 0–29".

NOTE [levels]: which segments a level falls into does not depend on which of them are open. A `Level` therefore remembers it, and opening
one segment of a chain of 10,000 looks at the things in that segment alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import eq

from explorer.model import Trace
from explorer.places import Places, remembered

__all__ = ["LEVEL", "MOST", "Item", "Level", "Run", "Segment", "fold", "id_of", "seeded"]

MOST = 60  # boxes shown unless more are asked for
LEVEL = 80  # things that stand beside each other in one open module: more are folded, also where everything is open
FOLDED = 30  # a level that has too many things is folded into so many segments
SAMPLED = 2000  # things looked at to find the period of a level
LONGEST_PERIOD = 120
KEPT = 12  # things a folded level still shows one by one: the loss, and leaves that many ops read
CARD = 4  # so many equal modules in a row are drawn as one card


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Neighbours as one thing: a segment, or a card of `card` equal modules. `holds` are the nodes and closed frames anywhere in it."""

    id: str
    parts: tuple[str, ...]
    things: tuple[Thing, ...]
    nodes: tuple[int, ...]
    holds: tuple[int, ...]
    card: int = 0
    steps: tuple[int, int] | None = None


Thing = int | Run  # a node n, a frame f as ~f: see NOTE [things] in explorer/hosting.py; or several in a row


@dataclass(slots=True, eq=False)
class Level:
    """Things beside each other, in forward order; `inside` are the levels in those that are open frames."""

    things: Sequence[Thing]
    inside: dict[int, Level]
    rows: list[Thing] | None = None  # with cards, once they were looked for
    folded: dict[object, list[Thing]] = field(default_factory=dict)
    below: dict[Run, Level] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """A thing that shows, with the ids of the open frames and segments around it."""

    thing: Thing
    id: str
    scope: tuple[str, ...]
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbours that is open: what its frame says."""

    id: str
    parts: tuple[str, ...]
    steps: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What folding looks at."""

    trace: Trace
    places: Places
    alone: frozenset[int]
    nodes_of: Callable[[int], Sequence[int]]  # of a closed frame


def seeded(trace: Trace, places: Places) -> frozenset[int]:
    """Where backward begins."""
    return remembered(
        places,
        "seeded",
        lambda: frozenset([node.id for node in trace.nodes if node.seeds and any(seed is not None for seed in node.seeds)]),
    )


def id_of(places: Places, thing: Thing) -> str:
    """The id of the box, or of the frame, that a thing is."""
    return thing.id if isinstance(thing, Run) else f"n{thing}" if thing >= 0 else places.frames[~thing].id


def fold(
    trace: Trace,
    places: Places,
    level: Level,
    *,
    alone: frozenset[int],
    most: int,
    nodes_of: Callable[[int], Sequence[int]],
    is_open: Callable[[str], bool],
    alike: Callable[[int], object] | None,
    opened: frozenset[str],
) -> tuple[list[Item], dict[str, Segment]]:
    """The things that show, with each level of more than `most` folded into segments of neighbours; and the segments that are open.

    What stands in an open segment is a level of its own. With `alike` equal modules in a row are a card, unless it is among `opened`.
    """
    ground = _Ground(trace, places, alone, nodes_of)
    done: list[Item] = []
    segments: dict[str, Segment] = {}
    levels: list[tuple[tuple[str, ...], Level]] = [((), level)]
    while levels:
        scope, level = levels.pop()
        things, cards = _with_cards(ground, level, alike, opened)
        count = 0
        if len(things) > most:
            taken = frozenset(name for name in scope if name[0] == "s")
            key = (most, cards, taken)
            if key not in level.folded:
                level.folded[key] = _segments(ground, level, things, taken)
            things, count = level.folded[key], len(things)
        for thing in things:
            if isinstance(thing, int):
                inside = level.inside.get(thing)
                if inside is not None:
                    levels.append(((*scope, id_of(places, thing)), inside))
                else:
                    done.append(Item(thing, id_of(places, thing), scope, (thing,) if thing >= 0 else tuple(nodes_of(thing))))
            elif not thing.card and is_open(thing.id) and len(thing.parts) < count:
                segments[thing.id] = Segment(thing.id, thing.parts, thing.steps)
                if thing not in level.below:
                    level.below[thing] = Level(thing.things, level.inside)
                levels.append(((*scope, thing.id), level.below[thing]))
            else:
                done.append(Item(thing, thing.id, scope, thing.nodes))
    return done, segments


# -- equal modules in a row ----------------------------------------------------------------------------------------------------------


def _with_cards(
    ground: _Ground, level: Level, alike: Callable[[int], object] | None, opened: frozenset[str]
) -> tuple[Sequence[Thing], frozenset[str]]:
    """The things of a level, with `CARD` or more equal closed modules in a row as one card unless it was opened; and those that were."""
    if alike is None:
        return level.things, frozenset()
    if level.rows is None:
        level.rows = _rows(ground, level, alike)
    cards = frozenset(thing.id for thing in level.rows if isinstance(thing, Run) and thing.card and thing.id in opened)
    if not cards:
        return level.rows, cards
    return [one for thing in level.rows for one in (thing.things if isinstance(thing, Run) and thing.id in cards else (thing,))], cards


def _rows(ground: _Ground, level: Level, alike: Callable[[int], object]) -> list[Thing]:
    things = list(level.things)
    if not any(isinstance(thing, int) and thing < 0 for thing in things):
        return things
    likeness = [alike(~thing) if isinstance(thing, int) and thing < 0 and thing not in level.inside else None for thing in things]
    found: list[Thing] = []
    start = 0
    while start < len(things):
        end = start + 1
        if likeness[start] is not None:
            while end < len(things) and likeness[end] == likeness[start]:
                end += 1
        run = things[start:end]
        found += run if len(run) < CARD else [_run(ground, level, run, card=len(run))]
        start = end
    return found


# -- segments ------------------------------------------------------------------------------------------------------------------------


def _run(
    ground: _Ground,
    level: Level,
    things: Sequence[Thing],
    taken: frozenset[str] = frozenset(),
    *,
    card: int = 0,
    steps: tuple[int, int] | None = None,
) -> Run:
    """Neighbours as one; named after the first of their nodes after which nothing around it or in it is named."""
    singles = _singles(things)
    if len(singles) == len(things):
        nodes, holds, parts = singles, singles, [f"n{node}" for node in singles]
    else:
        nodes = [node for thing in things for node in _nodes(ground, level, thing)]
        holds = [one for thing in things for one in _holds(level, thing)]
        parts = [id_of(ground.places, thing) for thing in things]
        taken |= {thing.id for thing in things if isinstance(thing, Run)}
    nodes.sort()
    name = next(name for node in nodes if (name := f"s{node}") not in taken)
    return Run(name, tuple(parts), tuple(things), tuple(nodes), tuple(holds), card, steps)


def _singles(things: Sequence[Thing]) -> list[int]:
    return [thing for thing in things if type(thing) is int and thing >= 0]


def _nodes(ground: _Ground, level: Level, thing: Thing) -> Sequence[int]:
    """The nodes that a thing stands for; of an open frame those of what stands in it."""
    if isinstance(thing, Run):
        return thing.nodes
    return [node for one in _holds(level, thing) for node in ((one,) if one >= 0 else ground.nodes_of(one))]


def _holds(level: Level, thing: Thing) -> Sequence[int]:
    """The nodes and closed frames in a thing, at any depth."""
    if isinstance(thing, Run):
        return thing.holds
    found, waiting = [], [thing]
    while waiting:
        one = waiting.pop()
        inside = level.inside.get(one)
        if inside is None:
            found.append(one)
        else:
            waiting += [each for each in inside.things if isinstance(each, int)]
    return found


def _segments(ground: _Ground, level: Level, things: Sequence[Thing], taken: frozenset[str]) -> list[Thing]:
    kept = _kept(ground, things)
    rest = [thing for thing in things if thing not in kept] if kept else things
    folded: list[tuple[int, Thing]] = [(node, node) for node in kept]
    for start, end, steps in _runs(ground, level, rest):
        if end - start == 1:
            folded.append((min(_nodes(ground, level, rest[start])), rest[start]))
            continue
        run = _run(ground, level, rest[start:end], taken, steps=steps)
        folded.append((run.nodes[0], run))
    folded.sort(key=lambda pair: pair[0])
    return [thing for _, thing in folded]


def _runs(ground: _Ground, level: Level, things: Sequence[Thing]) -> list[tuple[int, int, tuple[int, int] | None]]:
    """Where segments begin and end, and the turns of a loop that each holds."""
    size = max(2, math.ceil(len(things) / FOLDED), math.ceil(math.sqrt(len(things))))
    found = _period(ground, level, things)
    if found is None:
        return [(start, min(start + size, len(things)), None) for start in range(0, len(things), size)]
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
    runs += [(start, min(start + size, len(things)), None) for start in range(end, len(things), size)]
    return runs


def _period(ground: _Ground, level: Level, things: Sequence[Thing]) -> tuple[int, int, int] | None:
    """How many things a turn of the loop has, and where its turns begin and end; None if nothing repeats."""
    singles = _singles(things)
    place = dict(zip(singles, range(len(singles)), strict=True)) if len(singles) == len(things) else {}
    if not place:
        for number, thing in enumerate(things):
            place.update(dict.fromkeys(_nodes(ground, level, thing), number))
    tokens = _tokens(ground, level, things, place)
    count = min(len(tokens), SAMPLED)
    equal = _comparer(tokens[:count])
    best, covered = 0, 0.0
    for period in range(1, min(LONGEST_PERIOD, count // 3) + 1):
        share = equal(period) / (count - period)
        if share > 0.6 and share > covered + 0.02:
            best, covered = period, share
    if not best:
        return None
    first, last = _longest(tokens, best)
    if last - first < max(3 * best, len(tokens) // 2):
        return None
    if best == 1:
        return best, first, last
    alive = _alive(ground, place, first, first + best)
    phase = min(range(best), key=lambda shift: (alive[shift], shift))
    return best, first + phase, last


def _comparer(tokens: list[int]) -> Callable[[int], int]:
    """What tells how many tokens equal the one a period later."""
    if max(tokens, default=0) > 255:
        return lambda period: sum(map(eq, tokens, tokens[period:]))
    row = bytes(tokens)  # a byte each, all compared at once
    return lambda period: (
        (int.from_bytes(row[:-period], "big") ^ int.from_bytes(row[period:], "big")).to_bytes(len(row), "big").count(0) - period
    )


def _tokens(ground: _Ground, level: Level, things: Sequence[Thing], place: dict[int, int]) -> list[int]:
    """What a thing is and how far before it those stand that it reads: one number for what is equal in every turn of a loop."""
    inputs = ground.places.inputs
    kinds = remembered(ground.places, "kinds", lambda: [node.op or node.kind for node in ground.trace.nodes])
    numbers: dict[object, int] = {}
    found = []
    for target, thing in enumerate(things):
        if isinstance(thing, int) and thing >= 0:
            kind: object = kinds[thing]
            reads = inputs[thing]
            if len(reads) == 1:  # nearly all of them, in a long chain
                read = reads[0][0]
                key = (kind, target - place[read]) if read in place else (kind,)
                found.append(numbers.setdefault(key, len(numbers)))
                continue
            far = [target - place[read] for read, _ in reads if read in place]
        else:
            inside = _nodes(ground, level, thing)
            kind = len(inside)
            far = [target - place[read] for node in inside for read, _ in inputs[node] if place.get(read, target) != target]
        if len(far) > 1:
            far.sort()
        found.append(numbers.setdefault((kind, *far), len(numbers)))
    return found


def _longest(tokens: list[int], period: int) -> tuple[int, int]:
    """The longest stretch in which each thing equals the one a period later."""
    best, start = (0, 0), 0
    different = [number for number, same in enumerate(map(eq, tokens, tokens[period:])) if not same]
    for number in chain(different, [len(tokens) - period]):
        if number - start > best[1] - best[0]:
            best = (start, number)
        start = number + 1
    first, last = best
    return first, min(last + period, len(tokens))


def _alive(ground: _Ground, place: dict[int, int], start: int, end: int) -> list[int]:
    """How many values are needed on both sides of the cut before each thing from `start` to before `end`."""
    inputs = ground.places.inputs
    before = {node for node, number in place.items() if number < end}
    last: dict[tuple[int, int], int] = {}
    for reader, target in place.items():
        if target >= start:
            for key in inputs[reader]:
                if key[0] in before and target > last.get(key, 0):
                    last[key] = target
    return [sum(place[node] < cut <= target for (node, _), target in last.items()) for cut in range(start, end)]


def _kept(ground: _Ground, things: Sequence[Thing]) -> frozenset[int]:
    """What is shown for itself even on a folded level: what was asked for, where backward begins, and leaves read by more than one op."""
    trace, leaf = ground.trace, ground.places.leaf
    starts = seeded(trace, ground.places)
    singles = _singles(things)
    wanted = [node for node in singles if node in ground.alone] if ground.alone else []
    wanted += [node for node in singles if node in starts]
    leaves = [node for node in singles if leaf[node]]
    if leaves:
        readers = remembered(ground.places, "reads", lambda: Counter([edge.source for edge in trace.edges]))
        wanted += sorted([node for node in leaves if readers[node] > 1], key=lambda node: (-readers[node], node))
    return frozenset(wanted[:KEPT])
