"""A large recording in parts, for the player: what it needs of every node, as columns, and the rest a sheet at a time, as one comes by.

NOTE [columns]: the player must know at once where each step leads, when each thing is written and what hangs together, for the slider, the
picture and the lights. These are a few numbers a node. A column of numbers travels as the differences from one to the next, which are
mostly small. Names, numbers, sentences and arithmetic are a kilobyte a step: they come with the `SHEET` steps around the one in sight.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from explorer.entries import Entered, Notes, node_entry, short, step_entry, update_entry
from explorer.explained import explained_nodes
from explorer.figures import label
from explorer.formulas import Numbers
from explorer.model import Node, Note, Trace
from explorer.palette import node_measures
from explorer.places import places_of, remembered
from explorer.sketches import sketches
from explorer.steps import Stepper

__all__ = ["SHEET", "Sheets", "columns", "sheets_of"]

SHEET = 100  # steps
MOST_FETCHED = 12  # sheets, or nodes, in one answer
MOST_LISTED = 300  # leaves listed where a person stands at the first step
MOST_HEADED = 12  # gradients named above everything
MOST_BROUGHT = 200  # contributions to one node that are told apart
LETTERS = {"op": "o", "parameter": "p", "input": "i", "constant": "c", "buffer": "b"}


def sheets_of(trace: Trace) -> Sheets:
    """The sheets of a trace; remembered while its places are."""
    return remembered(places_of(trace), "sheets", lambda: Sheets(trace))


def columns(trace: Trace) -> dict[str, Any]:
    """What the player must know of every node, edge and step from the beginning."""
    return remembered(places_of(trace), "columns", lambda: _columns(trace, sheets_of(trace).stepper))


def _columns(trace: Trace, stepper: Stepper) -> dict[str, Any]:
    with collector_paused():
        sources: dict[Any, int] = {}
        ran = set(trace.backward)
        received = [
            [edge.source, edge.output, edge.target]
            for edge in trace.edges
            if edge.gradient is not None and edge.source not in ran and _received(trace, edge.source, edge.output)
        ]
        return {
            "sheet": SHEET,
            "kinds": "".join([LETTERS[node.kind] for node in trace.nodes]),
            "line": differences([0 if node.source is None else sources.setdefault(node.source, len(sources) + 1) for node in trace.nodes]),
            "lines": [[one.file, one.line, one.end_line, one.code, one.column, one.end_column] for one in sources],
            "graded": _marks(any(note is not None for note in node.gradients) for node in trace.nodes),
            "from": differences([edge.source for edge in trace.edges]),
            "output": differences([edge.output for edge in trace.edges]),
            "to": differences([edge.target for edge in trace.edges]),
            "carries": _marks(edge.gradient is not None for edge in trace.edges),
            "initialise": bool(stepper.leaves),
            "forward": differences(stepper.ops),
            "loss": stepper.seeded[0][0].id if stepper.seeded else None,
            "backward": differences(trace.backward),
            "updates": [update.node for update in trace.updates],
            "received": received,
            "grads": [node.id for node in trace.nodes if node.accumulated is not None],
            "numbered": [update.node for update in trace.updates if update.after.values is not None and update.after.numel == 1],
            "leaves": [node.id for node in trace.nodes if node.is_leaf][:MOST_LISTED],
            "headed": _headed(trace),
        }


class Sheets:
    """Reads parts of a large trace as they are asked for."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._numbers: Numbers | None = None
        self._entered: Entered | None = None
        self.stepper = Stepper(trace)

    def answer(self, asked: Any, language: str) -> dict[str, Any]:
        """What a page asks for: {"sheets": numbers from 0, "nodes": ids, "names": true, "measures": true}; no nonsense is answered."""
        found: dict[str, Any] = {"sheets": [], "names": None, "measures": None}
        last = (max(1, len(self.stepper)) - 1) // SHEET
        with collector_paused():
            for number in _whole(asked.get("sheets"), last):
                found["sheets"].append(self.sheet(number, language))
            nodes = _whole(asked.get("nodes"), len(self._trace.nodes) - 1)
            if nodes:
                found["sheets"].append({"number": None, "first": 0, "steps": [], **self._about(nodes, (), language)})
            if asked.get("names") is True:
                found["names"] = self._names()
            if asked.get("measures") is True:
                found["measures"] = self._measures()
        return found

    def sheet(self, number: int, language: str) -> dict[str, Any]:
        """The steps of one sheet, and all that is told of the nodes in them."""
        first = number * SHEET
        found = [self.stepper[place] for place in range(first, min(first + SHEET, len(self.stepper)))]
        initial = [node.id for node in self.stepper.leaves[:MOST_LISTED]] if number == 0 else []
        nodes = dict.fromkeys([*initial, *(step.node for step in found if step.node is not None)])
        told = [step_entry(step, language) for step in found]
        if number == 0 and self.stepper.leaves:
            told[0]["writes"] = []  # every leaf: the columns say so
        sent = [ref[3] for step in told for ref in step["writes"] if ref[3] is not None]
        return {"number": number, "first": first + 1, "steps": told, **self._about(nodes, sent, language)}

    def _about(self, nodes: Iterable[int], sent: Sequence[int], language: str) -> dict[str, Any]:
        trace, entered = self._trace, self._entries()
        nodes, notes = list(nodes), Notes()
        edges = set(sent)
        near: set[int] = {trace.edges[edge].source for edge in sent}
        for node in nodes:
            brought = [edge for edge in entered.outgoing(node) if trace.edges[edge].gradient is not None][:MOST_BROUGHT]
            edges.update(brought)
            near.update(trace.edges[edge].target for edge in brought)
            near.update(trace.edges[edge].source for edge in entered.incoming(node))
            near.update(saved.shared_with for saved in trace.nodes[node].saved if saved.shared_with is not None)
        updates: dict[int, list[Any]] = {}
        for place, update in entered.updates(nodes):
            updates.setdefault(update.node, []).append([place, update_entry(update)])
        return {
            "nodes": [node_entry(trace.nodes[node], notes) for node in nodes],
            "near": [_near(trace.nodes[node], notes) for node in sorted(near - set(nodes))],
            "edges": [[edge, notes(trace.edges[edge].gradient)] for edge in sorted(edges)],
            "updates": list(updates.items()),
            "sketches": sketches(trace, set(nodes)),
            **explained_nodes(self._read_numbers(), nodes, language),
        }

    def _entries(self) -> Entered:
        if self._entered is None:
            self._entered = Entered(self._trace)
        return self._entered

    def _read_numbers(self) -> Numbers:
        if self._numbers is None:
            self._numbers = Numbers(replace(self._trace, tensors={}))
        return self._numbers

    def _names(self) -> dict[str, Any]:
        """For the search: what is said of nodes, each once, and which of it is said of which node."""
        known: dict[Any, int] = {}
        of = [
            known.setdefault(
                (node.name, node.names, node.op, node.autograd, node.module, tuple([note.shape for note in node.outputs])), len(known)
            )
            for node in self._trace.nodes
        ]
        stands = [chain[-1] if chain else -1 for chain in places_of(self._trace).chains]
        return {"said": [[*one[:5], one[5]] for one in known], "of": differences(of), "stands": differences(stands)}

    def _measures(self) -> dict[str, Any]:
        """For the colours of nodes and the thickness of edges."""
        found: dict[str, Any] = {name: [short(number) for number in numbers] for name, numbers in node_measures(self._trace).items()}
        return {**found, "edges": [short(_size(edge.gradient)) for edge in self._trace.edges]}


def _near(node: Node, notes: Notes) -> dict[str, Any]:
    """What is told of a node beside those of a sheet: how it is called, and what travels from it."""
    return {"id": node.id, "name": node.name, "op": node.op, "autograd": node.autograd, "outputs": list(map(notes, node.outputs))}


def _headed(trace: Trace) -> dict[str, Any]:
    """The gradients that stand above everything: how many, and the first."""
    found = [node for node in trace.nodes if node.accumulated is not None and node.gradients and node.gradients[0] is not None]
    notes = Notes()
    return {"count": len(found), "first": [[node.id, label(node), notes(node.gradients[0])] for node in found[:MOST_HEADED]]}


def _received(trace: Trace, node: int, output: int) -> bool:
    gradients = trace.nodes[node].gradients
    return output < len(gradients) and gradients[output] is not None


def _size(note: Note | None) -> float | None:
    """How much flowed along an edge, by which it is drawn thicker; None for nothing."""
    if note is None or note.norm is None or not math.isfinite(note.norm) or note.norm <= 0:
        return None
    return note.norm / math.sqrt(max(1, note.numel or 1))


def _marks(found: Iterable[bool]) -> str:
    return "".join(["1" if one else "0" for one in found])


def _whole(asked: Any, most: int) -> list[int]:
    """The numbers up to `most` in a list that a page sent."""
    numbers = asked[:MOST_FETCHED] if isinstance(asked, list) else []
    return list(dict.fromkeys(one for one in numbers if isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= most))


def differences(numbers: Iterable[int]) -> list[int]:
    """Each number less the one before it."""
    found, before = [], 0
    for number in numbers:
        found.append(number - before)
        before = number
    return found


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python's cycle collector off: where a trace is large it would walk all of it again and again, and finds nothing in it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
