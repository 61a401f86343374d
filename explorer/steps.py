"""Trace -> Steps: what happens, one op at a time: forward, loss, backward, update.

A step says what is read, what is written and where contributions meet, and in one sentence (both languages) what happens. Steps count
from 1 to n; the picture "after step k" is everything that steps 1 to k wrote, so that going back is leaving out, never undoing.
Every number in a sentence stands in the trace or is a sum of such numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

from explorer.figures import figure, label, nested, only, plain
from explorer.model import Edge, Node, Note, Trace, Update
from explorer.text import say

__all__ = ["PHASES", "Ref", "Sentence", "Step", "Stepper", "Sum", "brief", "each_step", "figure", "label", "steps"]

Phase = Literal["forward", "loss", "backward", "update"]
What = Literal["value", "gradient", "seed", "contribution", "grad", "parameter"]

PHASES: tuple[Phase, ...] = ("forward", "loss", "backward", "update")
MOST_NAMED = 6  # a sentence lists at most so many operands by name
MOST_SHOWN = 4  # and writes out arrays of at most so many elements


@dataclass(frozen=True, slots=True)
class Ref:
    """A number (or array) of the trace: an output's "value", "gradient" or "seed", an edge's "contribution", a leaf's "grad" (the field
    `.grad` after the pass) or "parameter" (its value after the update)."""

    what: What
    node: int
    output: int = 0
    edge: int | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """Contributions to the gradient of one output: `arrived` have met so far, `expected` come in all.

    What backward started with at this output counts as one of them. `total` is their sum where every value is known.
    """

    node: int
    output: int
    arrived: int
    expected: int
    total: Any


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of `explorer.text`; a value may be a sentence itself, or a tuple of them, which are listed."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def say(self, language: str = "en") -> str:
        """The sentence in `language`."""
        return say(self.key, language, **{name: _spoken(value, language) for name, value in self.values.items()})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `node` is None only for kind "initialise", which stands for all leaves at once."""

    phase: Phase
    node: int | None
    kind: Literal["initialise", "op", "loss", "backward", "accumulate", "update"]
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]
    accumulates: tuple[Sum, ...]
    sentences: tuple[Sentence, ...]
    update: int | None = None

    def say(self, language: str = "en") -> str:
        """What happens, in one line of `language`."""
        return " ".join(sentence.say(language) for sentence in self.sentences)


def steps(trace: Trace) -> tuple[Step, ...]:
    """The steps of a trace, in the order in which they happened."""
    return tuple(Stepper(trace))


def each_step(trace: Trace) -> Iterator[Step]:
    """The same steps one after the other; all of a large trace's together would take more room than the trace."""
    return iter(Stepper(trace))


class Stepper:
    """The steps of a trace, each made when it is asked for, in any order; quickest one after the other."""

    def __init__(self, trace: Trace) -> None:
        self.leaves = [node for node in trace.nodes if node.is_leaf and node.outputs]
        self.ops = [id for id in trace.forward if not trace.nodes[id].is_leaf]
        self.seeded = [(node, output, seed) for node in trace.nodes for output, seed in enumerate(node.seeds) if seed is not None]
        self._trace = trace
        self._made: tuple[Callable[[int], Step], ...] = (
            lambda _: _initialise(self.leaves),
            lambda place: _forward(trace, self._incoming, trace.nodes[self.ops[place]]),
            lambda _: _loss(trace, self.seeded),
            lambda place: self._backward.step(trace.nodes[trace.backward[place]]),
            lambda place: _update(trace, place),
        )
        self._ends = list(accumulate((bool(self.leaves), len(self.ops), bool(self.seeded), len(trace.backward), len(trace.updates))))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, place: int) -> Step:
        """The step at `place`, from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        part = bisect_right(self._ends, place)
        return self._made[part](place - (self._ends[part - 1] if part else 0))

    def __iter__(self) -> Iterator[Step]:
        return map(self.__getitem__, range(len(self)))

    @cached_property
    def _incoming(self) -> dict[int, list[int]]:
        return _edges_by(self._trace, "target")

    @cached_property
    def _backward(self) -> _Backward:
        return _Backward(self._trace, self._incoming)


# -- numbers and names, as people read them ------------------------------------------------------------------------------------------


def brief(note: Note | None) -> str:
    """A tensor in a few characters: its value, its few values, or its shape."""
    if note is None:
        return "–"
    if note.values is not None and note.numel == 1:
        return figure(only(note.values))
    if note.values is not None and (note.numel or 0) <= MOST_SHOWN:
        return nested(note.values)
    return "[" + "×".join(str(size) for size in note.shape) + "]"


def _spoken(value: object, language: str) -> object:
    if isinstance(value, Sentence):
        return value.say(language)
    if isinstance(value, tuple):
        return ", ".join(str(_spoken(part, language)) for part in value)
    return value


def _listed(parts: Sequence[Sentence]) -> tuple[Sentence, ...]:
    if len(parts) <= MOST_NAMED:
        return tuple(parts)
    return (*parts[: MOST_NAMED - 1], Sentence("step.more", {"count": len(parts) - MOST_NAMED + 1}))


# -- forward -------------------------------------------------------------------------------------------------------------------------


def _initialise(leaves: Sequence[Node]) -> Step:
    if len(leaves) <= MOST_NAMED:
        parts = tuple(Sentence("step.equals", {"name": label(node), "value": brief(node.outputs[0])}) for node in leaves)
        sentence = Sentence("step.initialise", {"leaves": parts})
    else:
        kinds = Counter(node.kind for node in leaves)
        counts = tuple(Sentence(f"step.count_{kind}", {"count": count}) for kind, count in kinds.items())
        sentence = Sentence("step.initialise", {"leaves": counts})
    writes = tuple(Ref("value", node.id, output) for node in leaves for output in range(len(node.outputs)))
    return Step("forward", None, "initialise", (), writes, (), (sentence,))


def _forward(trace: Trace, incoming: Mapping[int, Sequence[int]], node: Node) -> Step:
    edges = [trace.edges[index] for index in incoming.get(node.id, ())]
    reads = tuple(Ref("value", edge.source, edge.output) for edge in edges)
    writes = tuple(Ref("value", node.id, output) for output, _ in enumerate(node.outputs))
    return Step("forward", node.id, "op", reads, writes, (), (_computes(trace, node, edges),))


def _computes(trace: Trace, node: Node, edges: Sequence[Edge]) -> Sentence:
    results = ", ".join(brief(note) for note in node.outputs) or "–"
    result: object = Sentence("step.equals", {"name": plain(node.name), "value": results}) if node.name else results
    op = plain(node.op or node.autograd or "op")
    if not edges:
        return Sentence("step.makes", {"op": op, "result": result})
    operands = [_operand(trace.nodes[edge.source], edge.output) for edge in edges]
    return Sentence("step.computes", {"op": op, "operands": _listed(operands), "result": result})


def _operand(node: Node, output: int) -> Sentence:
    value = brief(node.outputs[output]) if output < len(node.outputs) else "–"
    return Sentence("step.operand", {"name": label(node), "value": value})


def _loss(trace: Trace, seeded: Sequence[tuple[Node, int, Note]]) -> Step:
    node, output, seed = seeded[0]
    if len(seeded) > 1:
        starts = tuple(Sentence("step.equals", {"name": label(node), "value": brief(seed)}) for node, _, seed in seeded)
        sentence = Sentence("step.seeds", {"count": len(seeded), "seeds": _listed(starts)})
    elif trace.loss is not None and node.outputs[output].numel == 1:
        sentence = Sentence("step.loss", {"loss": figure(trace.loss), "seed": brief(seed)})
    else:
        sentence = Sentence("step.seed", {"name": label(node), "seed": brief(seed)})
    reads = tuple(Ref("value", node.id, output) for node, output, _ in seeded)
    writes = tuple(Ref("seed", node.id, output) for node, output, _ in seeded)
    return Step("loss", node.id, "loss", reads, writes, (), (sentence,))


# -- backward ------------------------------------------------------------------------------------------------------------------------


class _Backward:
    """The steps of the backward pass; what has met at an output so far is worked out from the contributions before."""

    def __init__(self, trace: Trace, incoming: Mapping[int, Sequence[int]]) -> None:
        self._trace = trace
        self._incoming = incoming
        self._outgoing = _edges_by(trace, "source")
        self._expected = _expected(trace)
        self._ran = set(trace.backward)
        self._place: dict[int, int] = {}  # edge -> which contribution it is, of those that meet others
        self._edges: dict[tuple[int, int], list[int]] = {}  # output -> their edges, as they come
        self._met: dict[tuple[int, int], tuple[_Met, int]] = {}  # output -> what had met after so many of them
        for node in (trace.nodes[id] for id in trace.backward):
            for index in () if node.is_leaf else self._sent(node):
                at = trace.edges[index].source, trace.edges[index].output
                if self._expected[at] > 1:
                    edges = self._edges.setdefault(at, [])
                    self._place[index] = len(edges)
                    edges.append(index)

    def step(self, node: Node) -> Step:
        trace = self._trace
        received = tuple(Ref("gradient", node.id, output) for output, note in enumerate(node.gradients) if note is not None)
        if node.is_leaf:
            return _accumulate(node, received)
        sent, writes, sums, told = self._sent(node), [*received], [], []
        for index in sent:
            edge = trace.edges[index]
            place = edge.source, edge.output
            writes.append(Ref("contribution", *place, index))
            met = self._met_with(index, place)
            arrived = 1 if met is None else met.arrived
            if met is not None and arrived > 1:
                sums.append(Sum(*place, arrived, self._expected[place], met.total))
                told.append(_meets(trace, sums[-1], met.terms()))
            if arrived == self._expected[place] and edge.source not in self._ran and _has_gradient(trace.nodes[edge.source], edge.output):
                writes.append(Ref("gradient", *place))  # asked for by torch.autograd.grad: received, never run
        sentences = (_sends(trace, node, sent), *told)
        return Step("backward", node.id, "backward", _used(trace, node, self._outgoing), tuple(writes), tuple(sums), sentences)

    def _sent(self, node: Node) -> list[int]:
        return [index for index in self._incoming.get(node.id, ()) if self._trace.edges[index].gradient is not None]

    def _met_with(self, index: int, at: tuple[int, int]) -> _Met | None:
        """What has come to an output once the contribution of this edge has; None where it is the only one."""
        place = self._place.get(index)
        if place is None:
            return None
        met, known = self._met.get(at, (None, 0))
        if met is None or known > place:
            met, known = _Met(self._trace.nodes[at[0]].seeds[at[1]] if _seeded(self._trace, at) else None), 0
        for other in self._edges[at][known : place + 1]:
            met.add(self._trace.edges[other].gradient)
        self._met[at] = (met, place + 1)
        return met


class _Met:
    """What has come to one output so far. A weight that a long loop reads gets a contribution from each turn: none looks back at all."""

    def __init__(self, seed: Note | None) -> None:
        self.arrived = 0
        self.total: Any = None  # of notes of one shape whose values are all known
        self._shape: tuple[int | str, ...] = ()
        self._first: list[str] = []
        self._last = ""
        if seed is not None:
            self.add(seed)

    def add(self, note: Note | None) -> None:
        self.arrived += 1
        known = None if note is None or note.numel is None else note.values
        shape = () if note is None else note.shape
        if self.arrived == 1:
            self.total, self._shape = known, shape
        elif self.total is not None:
            self.total = None if known is None or shape != self._shape else _added((self.total, known))
        self._last = brief(note)
        if self.arrived <= MOST_NAMED:
            self._first.append(self._last)

    def terms(self) -> str:
        """The sum as people write it, its middle left out where it is long."""
        few = self._first if self.arrived <= MOST_NAMED else [*self._first[: MOST_NAMED - 2], "…", self._last]
        return " + ".join(few).replace("+ −", "− ")


def _expected(trace: Trace) -> Counter[tuple[int, int]]:
    """How many contributions come to each output, backward's own start among them."""
    expected = Counter((edge.source, edge.output) for edge in trace.edges if edge.gradient is not None)
    expected.update((node.id, output) for node in trace.nodes for output, seed in enumerate(node.seeds) if seed is not None)
    return expected


def _seeded(trace: Trace, place: tuple[int, int]) -> bool:
    seeds = trace.nodes[place[0]].seeds
    return place[1] < len(seeds) and seeds[place[1]] is not None


def _used(trace: Trace, node: Node, outgoing: Mapping[int, Sequence[int]]) -> tuple[Ref, ...]:
    """What the backward of a node looks at: the contributions to it, and the forward values it saved."""
    seeds = tuple(Ref("seed", node.id, output) for output, seed in enumerate(node.seeds) if seed is not None)
    edges = [(index, trace.edges[index]) for index in outgoing.get(node.id, ())]
    contributions = tuple(Ref("contribution", node.id, edge.output, index) for index, edge in edges if edge.gradient is not None)
    shared = dict.fromkeys(saved.shared_with for saved in node.saved if saved.shared_with is not None)
    return (*seeds, *contributions, *(Ref("value", other) for other in shared))


def _sends(trace: Trace, node: Node, sent: Sequence[int]) -> Sentence:
    name = plain(node.autograd) if node.autograd else label(node)
    received = ", ".join(brief(note) for note in node.gradients if note is not None)
    targets = _listed(
        [
            Sentence("step.to", {"value": brief(trace.edges[index].gradient), "target": label(trace.nodes[trace.edges[index].source])})
            for index in sent
        ]
    )
    if not received:
        return Sentence("step.sends_only", {"name": name, "targets": targets}) if targets else Sentence("step.runs", {"name": name})
    if not targets:
        return Sentence("step.receives", {"name": name, "received": received})
    return Sentence("step.sends", {"name": name, "received": received, "targets": targets})


def _meets(trace: Trace, met: Sum, terms: str) -> Sentence:
    name, total = label(trace.nodes[met.node]), met.total
    while isinstance(total, tuple) and len(total) == 1:
        (total,) = total
    if isinstance(total, int | float):
        return Sentence("step.meets", {"name": name, "terms": terms, "total": figure(total)})
    return Sentence("step.arrives", {"name": name, "arrived": met.arrived, "expected": met.expected})


def _accumulate(node: Node, gradients: tuple[Ref, ...]) -> Step:
    gradient = node.gradients[0] if node.gradients else None
    values: dict[str, object] = {"name": label(node), "gradient": brief(gradient)}
    if node.accumulated is None:
        return Step("backward", node.id, "accumulate", (), gradients, (), (Sentence("step.gradient_is", values),))
    before, after = node.accumulated.before, node.accumulated.after
    key = "step.grad_first" if before is None else "step.grad_added"
    sentence = Sentence(key, {**values, "before": brief(before), "after": brief(after)})
    return Step("backward", node.id, "accumulate", gradients, (*gradients, Ref("grad", node.id)), (), (sentence,))


# -- update --------------------------------------------------------------------------------------------------------------------------


def _update(trace: Trace, place: int) -> Step:
    node = trace.nodes[trace.updates[place].node]
    reads = Ref("value", node.id), Ref("grad", node.id)
    return Step("update", node.id, "update", reads, (Ref("parameter", node.id),), (), (_changes(node, trace.updates[place]),), place)


def _changes(node: Node, update: Update) -> Sentence:
    values: dict[str, object] = {"name": label(node), "before": brief(update.before), "after": brief(update.after)}
    if update.optimizer is None:
        return Sentence("step.by_hand", values)
    rate = update.settings.get("lr")
    if isinstance(rate, int | float):
        return Sentence("step.update_rate", {**values, "optimizer": update.optimizer, "rate": f"{rate:g}"})
    return Sentence("step.update", {**values, "optimizer": update.optimizer})


# -- looking things up ---------------------------------------------------------------------------------------------------------------


def _edges_by(trace: Trace, end: Literal["source", "target"]) -> dict[int, list[int]]:
    """Indices of the edges at each node, by one of their ends."""
    indices: dict[int, list[int]] = {}
    for index, edge in enumerate(trace.edges):
        indices.setdefault(edge.source if end == "source" else edge.target, []).append(index)
    return indices


def _has_gradient(node: Node, output: int) -> bool:
    return output < len(node.gradients) and node.gradients[output] is not None


def _added(values: Sequence[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(_added(parts) for parts in zip(*values, strict=True))
    return None if any(value is None or isinstance(value, str) for value in values) else sum(values)
