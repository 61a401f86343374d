"""The parts of a trace as plain JSON values, as the player reads them. NaN and inf travel as strings, since JSON has none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from explorer.model import Edge, Node, Note, Source, Trace, Update
from explorer.steps import Ref, Step, Sum
from explorer.updating import update_rule

__all__ = ["Entered", "Notes", "edge_entry", "node_entry", "note_entry", "number", "short", "source_entry", "step_entry", "update_entry"]

STATISTICS = ("min", "max", "mean", "std", "norm", "zeros", "nans", "infs")
_statistics = attrgetter(*STATISTICS)


def number(value: float | None) -> float | str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def short(value: float | None) -> float | str | None:
    """A number for a colour: four figures are enough."""
    return float(f"{value:.4g}") if isinstance(value, float) and math.isfinite(value) else number(value)


def _values(values: Any) -> Any:
    """Nested tuples as lists; a note holds at most 64 values, so the depth is what the shape says."""
    return [_values(value) for value in values] if isinstance(values, tuple) else number(values)


class Notes:
    """Notes as plain values; one that stands in several places, as a gradient does that flows on unchanged, is written out once."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, Any]] = {}  # by id: the trace holds them all

    def __call__(self, note: Note | None) -> dict[str, Any] | None:
        if note is None:
            return None
        found = self._known.get(id(note))
        if found is None:
            found = self._known[id(note)] = note_entry(note)
        return found


def note_entry(note: Note) -> dict[str, Any]:
    entry: dict[str, Any] = {"shape": list(note.shape), "dtype": note.dtype, "device": note.device}
    for name, value in zip(STATISTICS, _statistics(note), strict=True):
        if value is not None:
            entry[name] = number(value)
    if note.values is not None:
        entry["values"] = _values(note.values)
    return entry


def source_entry(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "file": source.file,
        "line": source.line,
        "end_line": source.end_line,
        "code": source.code,
        "column": source.column,
        "end_column": source.end_column,
    }


def node_entry(node: Node, notes: Notes) -> dict[str, Any]:
    accumulated = node.accumulated
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "names": list(dict.fromkeys(node.names)),
        "op": node.op,
        "autograd": node.autograd,
        "module": node.module,
        "source": source_entry(node.source),
        "outputs": list(map(notes, node.outputs)),
        "gradients": list(map(notes, node.gradients)),
        "seeds": list(map(notes, node.seeds)),
        "grad": None if accumulated is None else {"before": notes(accumulated.before), "after": notes(accumulated.after)},
        "status": node.status,
        "reason": node.reason,
        "saved": [
            {
                "name": saved.name,
                "shape": list(saved.shape),
                "dtype": saved.dtype,
                "bytes": saved.bytes,
                "shared_with": saved.shared_with,
                "state": saved.state,
            }
            for saved in node.saved
        ],
        "formula": None if node.formula is None else {"text": node.formula.text, "source": node.formula.source},
    }


def edge_entry(edge: Edge, notes: Notes) -> list[Any]:
    return [edge.source, edge.output, edge.target, edge.input, notes(edge.gradient), edge.differentiable]


def step_entry(step: Step, language: str) -> dict[str, Any]:
    """A step, and what it says."""
    return {
        "phase": step.phase,
        "kind": step.kind,
        "node": step.node,
        "reads": [_ref(ref) for ref in step.reads],
        "writes": [_ref(ref) for ref in step.writes],
        "sums": [_sum(met) for met in step.accumulates],
        "update": step.update,
        "text": step.say(language),
    }


def _ref(ref: Ref) -> list[Any]:
    return [ref.what, ref.node, ref.output, ref.edge]


def _sum(met: Sum) -> dict[str, Any]:
    return {
        "node": met.node,
        "output": met.output,
        "arrived": met.arrived,
        "expected": met.expected,
        "total": _values(met.total),
    }


def update_entry(update: Update) -> dict[str, Any]:
    return {
        "node": update.node,
        "optimizer": update.optimizer,
        "before": note_entry(update.before),
        "after": note_entry(update.after),
        "state": {name: note_entry(note) for name, note in update.state.items()},
        "settings": _settings(update.settings),
        "rule": update_rule(update),
    }


def _settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings that did something, the learning rate first; what is off (0, None, False) is left out."""
    used = {name: value for name, value in settings.items() if name == "lr" or value not in (0, None, False, "", ())}
    order = sorted(used, key=lambda name: name != "lr")
    return {name: f"{used[name]:g}" if isinstance(used[name], float) else str(used[name]) for name in order}


class Entered:
    """Looks up what hangs together in a large trace."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._into: dict[int, list[int]] = {}
        self._out: dict[int, list[int]] = {}
        self._updates: dict[int, list[int]] = {}
        for index, edge in enumerate(trace.edges):
            self._into.setdefault(edge.target, []).append(index)
            self._out.setdefault(edge.source, []).append(index)
        for place, update in enumerate(trace.updates):
            self._updates.setdefault(update.node, []).append(place)

    def incoming(self, node: int) -> list[int]:
        return self._into.get(node, [])

    def outgoing(self, node: int) -> list[int]:
        return self._out.get(node, [])

    def updates(self, nodes: Iterable[int]) -> Iterator[tuple[int, Update]]:
        """The updates of these nodes, each with its place among all."""
        for node in nodes:
            for place in self._updates.get(node, ()):
                yield place, self._trace.updates[place]
