"""Which modules are open, what is written into what, and so what stands on each level, before levels are folded.

NOTE [states]: this follows from the open modules alone. The last few answers are kept with the trace, so that opening a segment, or the
same module again, begins from them.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from explorer.folding import MOST, Level, seeded
from explorer.hosting import Guest, guests
from explorer.model import Trace
from explorer.places import Chain, Places, remembered

__all__ = ["Shown", "State", "alike_in", "deepest", "marked_in", "state_of"]

MOST_STATES = 6  # kept with a trace
MOST_REMEMBERED = 200_000  # nodes of all kept states together


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


@dataclass(frozen=True, slots=True)
class Tree:
    """What is in each frame, in forward order: nodes, and frames as ~f; None stands for the whole picture."""

    inside: Mapping[int | None, list[int]]
    frames: Mapping[int | None, list[int]]  # those in it alone
    gathered: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def nodes_of(self, frame: int) -> tuple[int, ...]:
        """All nodes in a frame given as ~f, at any depth."""
        found = self.gathered.get(frame)
        if found is None:
            nodes: list[int] = []
            waiting = [~frame]
            while waiting:
                inside = self.inside[waiting.pop()]
                nodes += [thing for thing in inside if thing >= 0]
                waiting += [~thing for thing in inside if thing < 0]
            found = self.gathered[frame] = tuple(sorted(nodes))
        return found


@dataclass(frozen=True, slots=True)
class State:
    """What stands where while these modules are open: `names` has nodes that are drawn as the module which holds nothing else."""

    tree: Tree
    level: Level
    written: Mapping[int, Guest]
    names: Mapping[int, int]


def state_of(trace: Trace, asked: Shown) -> State:
    """The state that is asked for, with levels by `asked.depth`."""
    if not isinstance(asked.nodes, range):
        return _state(trace, asked, _tree(asked.places, asked.nodes))
    states: OrderedDict[object, State] = remembered(asked.places, "states", OrderedDict)
    modules = [frozenset(name for name in names if name[0] == "m") for names in (asked.opened, asked.shut)]
    key = (asked.compact, asked.depth, *modules, asked.alone)
    found = states.pop(key, None)
    if found is None:
        found = _state(trace, asked, remembered(asked.places, "tree", lambda: _tree(asked.places, asked.nodes)))
    states[key] = found
    while len(states) > max(1, min(MOST_STATES, MOST_REMEMBERED // max(1, len(trace.nodes)))):
        states.popitem(last=False)
    return found


def _tree(places: Places, nodes: Collection[int]) -> Tree:
    inside: dict[int | None, list[int]] = {None: []}
    frames: dict[int | None, list[int]] = {None: []}
    before: Chain | None = None
    here: list[int] = []
    for number in nodes:
        chain = places.chains[number]
        if chain is not before:
            before = chain
            around: int | None = None
            for frame in chain:
                if frame not in inside:
                    inside[frame], frames[frame] = [], []
                    inside[around].append(~frame)
                    frames[around].append(frame)
                around = frame
            here = inside[around]
        here.append(number)
    return Tree(inside, frames)


def _state(trace: Trace, asked: Shown, tree: Tree) -> State:
    places = asked.places
    forced = frozenset(frame for node in asked.alone for frame in places.chains[node])
    if asked.compact:
        forced |= _tiny(asked)
    opened, shut = _opened(asked, tree, forced)
    written: Mapping[int, Guest] = {}
    if asked.compact:
        written = guests(trace, places, asked.nodes, _showing(asked, shut), marked_in(trace, places, asked.alone))
    names: dict[int, int] = {}
    levels: dict[int, Level] = {}
    first: dict[int, int] = {}
    for frame in reversed(opened):
        things = tree.inside[frame]
        if written:
            things = [thing for thing in things if thing not in written]
        if tree.frames[frame]:
            things = _without_frames(things, levels, names if asked.compact else None, places)
            things.sort(key=lambda thing: thing if thing >= 0 else first[thing] if thing in first else tree.nodes_of(thing)[0])
        if frame is not None and things:
            one = things[0]
            first[~frame] = one if one >= 0 else first[one] if one in first else tree.nodes_of(one)[0]
            levels[~frame] = Level(things, levels)
        elif frame is not None:
            levels[~frame] = Level((), levels)
    root = Level(things if opened else [], levels)
    return State(tree, root, written, names)


def _without_frames(things: Sequence[int], levels: Mapping[int, Level], names: dict[int, int] | None, places: Places) -> list[int]:
    """The things of a level without empty open frames; with `names`, a frame that holds one node alone is drawn as that node."""
    found = []
    for thing in things:
        inside = levels.get(thing)
        if inside is None:
            found.append(thing)
        elif names is not None and len(inside.things) == 1 and isinstance(one := inside.things[0], int) and one >= 0:
            names[one] = places.frames[~thing].module
            found.append(one)
        elif inside.things:
            found.append(thing)
    return found


def _opened(asked: Shown, tree: Tree, forced: frozenset[int]) -> tuple[list[int | None], frozenset[int]]:
    """The frames that are open, each before those in it; and the closed ones that are met."""
    frames, depth = asked.places.frames, math.inf if asked.depth is None else asked.depth
    opened: list[int | None] = []
    shut: set[int] = set()
    waiting: list[tuple[int | None, int]] = [(None, 0)]
    while waiting:
        around, level = waiting.pop()
        opened.append(around)
        for frame in tree.frames[around]:
            name = frames[frame].id
            if (level >= depth and frame not in forced and name not in asked.opened) or name in asked.shut:
                shut.add(frame)
            else:
                waiting.append((frame, level + 1))
    return opened, frozenset(shut)


def _showing(asked: Shown, shut: frozenset[int]) -> Callable[[int], int | None]:
    """What shows in the place of a node: itself, or the closed frame it is in; None for nodes that may not show."""
    chains = asked.places.chains
    known: dict[int, int | None] = {}  # by innermost frame
    nodes = asked.nodes if isinstance(asked.nodes, range) else frozenset(asked.nodes)

    def thing_of(node: int) -> int | None:
        if node not in nodes:
            return None
        chain = chains[node]
        if not chain or not shut:
            return node
        if chain[-1] not in known:
            known[chain[-1]] = next((~frame for frame in chain if frame in shut), None)
        closed = known[chain[-1]]
        return node if closed is None else closed

    return thing_of


def _tiny(asked: Shown) -> frozenset[int]:
    """Frames that hold one op, besides leaves and view-like ops: they are drawn as that op, open or closed."""

    def found() -> frozenset[int]:
        places = asked.places
        chains = Counter([places.chains[node] for node in asked.nodes if not places.leaf[node] and not places.view_like[node]])
        ops: Counter[int] = Counter()
        for chain, count in chains.items():
            for frame in chain:
                ops[frame] += count
        return frozenset(frame for frame, count in ops.items() if count == 1)

    return remembered(asked.places, "tiny", found) if isinstance(asked.nodes, range) else found()


def deepest(trace: Trace, asked: Shown) -> int:
    """The deepest level that is worth trying: one at which not too many boxes stand, counting neither leaves nor view-like ops."""
    if not isinstance(asked.nodes, range):
        return _deepest(trace, asked)
    return remembered(asked.places, f"deepest {asked.compact}", lambda: _deepest(trace, asked))


def _deepest(trace: Trace, asked: Shown) -> int:
    chains, leaf, view_like, nodes = asked.places.chains, asked.places.leaf, asked.places.view_like, trace.nodes
    lengths: Counter[int] = Counter()
    closed_at: Counter[int] = Counter()
    met: set[Chain] = set()
    frames: set[int] = set()
    before: Chain | None = None
    for number in asked.nodes:
        chain = chains[number]
        if not asked.compact or not (view_like[number] or (leaf[number] and nodes[number].kind != "input")):
            lengths[len(chain)] += 1
        if chain is not before:
            before = chain
            if chain not in met:
                met.add(chain)
                for level, frame in enumerate(chain):
                    if frame not in frames:
                        frames.add(frame)
                        closed_at[level] += 1
    singles, best = 0, 0
    for level in range(max(max(lengths, default=0), max(closed_at, default=-1) + 1) + 1):
        singles += lengths[level]
        if singles + (0 if asked.compact else closed_at[level]) <= MOST:
            best = level
    return best


def marked_in(trace: Trace, places: Places, alone: frozenset[int]) -> frozenset[int]:
    """Nodes that stand by themselves: what was asked for, where backward begins, and what a finding speaks of."""

    def found() -> frozenset[int]:
        marked = {finding.node for finding in trace.findings if finding.node is not None and finding.severity != "info"}
        marked |= {check.node for check in trace.checks.nodes if check.verdict == "wrong"} if trace.checks is not None else set()
        return seeded(trace, places) | marked

    return remembered(places, "marked", found) | alone


def alike_in(trace: Trace, places: Places) -> Callable[[int], object]:
    """Frame -> what it is like: its class and the ops in it, in order, whether they may show or not."""
    tree = remembered(places, "tree", lambda: _tree(places, range(len(trace.nodes))))
    known: dict[int, object] = remembered(places, "likeness", dict)

    def alike(frame: int) -> object:
        if frame not in known:
            ops = tuple(trace.nodes[node].op or "" for node in tree.nodes_of(~frame) if not places.leaf[node])
            known[frame] = (trace.modules[places.frames[frame].module].class_name, ops)
        return known[frame]

    return alike
