"""The numbers of a trace as arrays, and what each rule makes of them: `contributions`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.formulas.evaluation import Setting, Unknown
from explorer.formulas.rules import Rule, Slot
from explorer.formulas.table import rule_for
from explorer.model import Edge, Node, Note, Trace

__all__ = ["Contribution", "Numbers", "contributions"]

MOST_ELEMENTS = 1_000_000  # of what one rule is worked out with

Reason = tuple[str, Mapping[str, Any]]  # the key of a sentence of `explorer.text`, and what it is filled with


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a rule says that flows back along one edge; `reason` says why there is no `value`."""

    edge: Edge
    symbol: str
    index: int | None
    value: Any
    reason: Reason | None


class Numbers:
    """A trace read for its numbers: made once, then asked about any number of nodes.

    `dtype` is what is computed in; the numbers themselves are those of the trace.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._into: dict[int, list[Edge]] = {}
        self._out: dict[int, list[Edge]] = {}
        for edge in trace.edges:
            self._into.setdefault(edge.target, []).append(edge)
            self._out.setdefault(edge.source, []).append(edge)

    def into(self, node: int) -> list[Edge]:
        """The edges that bring a node its arguments, in their order."""
        return sorted(self._into.get(node, ()), key=lambda edge: edge.input)

    def out(self, node: int) -> list[Edge]:
        return self._out.get(node, [])

    def rule(self, node: Node) -> Rule | None:
        """The rule of a node, for the arguments its op was given."""
        return None if node.autograd is None else rule_for(node.autograd, node.arguments)

    def output(self, node: int, number: int) -> Any:
        """An output's values; None where the trace does not have them."""
        return self._whole(f"n{node}.output{number}", self.trace.nodes[node].outputs[number])

    def gradient(self, node: int, number: int) -> Any:
        """What the backward node received for an output."""
        note = self.trace.nodes[node].gradients[number]
        return None if note is None else self._whole(f"n{node}.gradient{number}", note)

    def _whole(self, name: str, note: Note) -> Any:
        found = array(note)
        stored = self.trace.tensors.get(name) if found is None else None
        if stored is None or stored.dtype not in _READABLE or math.prod(stored.shape) > MOST_ELEMENTS:
            return found
        return np.frombuffer(stored.data, _READABLE[stored.dtype]).reshape(stored.shape).astype(_wide(stored.dtype))

    # -- a rule with this trace's numbers -------------------------------------------------------------------------------------------------

    def setting(self, node: Node, rule: Rule, *, upstream: Sequence[Any] | None = None, dtype: Any = np.float64) -> Setting:
        """The rule of a node with the trace's numbers; `upstream` in place of what it received."""
        inputs: dict[str, Any] = {}
        shapes: dict[str, Any] = {}
        for slot, edges in self.slots(node, rule):
            if slot.listed:
                shapes[slot.name] = [self._shape(edge) for edge in edges]
                values = [None if edge is None else self._value(edge, dtype) for edge in edges]
                if not any(value is None and edge is not None for value, edge in zip(values, edges, strict=True)):
                    inputs[slot.name] = values
            elif (edge := edges[0]) is not None:
                shapes[slot.name] = self._shape(edge)
                value = self._value(edge, dtype)
                if value is not None:
                    inputs[slot.name] = value
        if upstream is None:
            upstream = [self.gradient(node.id, number) for number in range(len(node.outputs))]
        return Setting(
            rule,
            upstream=[None if one is None else np.asarray(one, dtype=dtype) for one in upstream],
            inputs=inputs,
            outputs=[_cast(self.output(node.id, number), dtype) for number in range(len(node.outputs))],
            arguments=node.arguments,
            shapes=shapes,
            output_shapes=[_sizes(note) for note in node.outputs],
        )

    def _value(self, edge: Edge, dtype: Any) -> Any:
        return _cast(self.output(edge.source, edge.output), dtype)

    def _shape(self, edge: Edge | None) -> tuple[int, ...] | None:
        return None if edge is None else _sizes(self.trace.nodes[edge.source].outputs[edge.output])

    def slots(self, node: Node, rule: Rule) -> list[tuple[Slot, list[Edge | None]]]:
        """Each tensor argument that was given, with its edge; a list has as many, and None where it holds none."""
        edges: dict[int, Edge] = {edge.input: edge for edge in self.into(node.id)}
        count = max(edges, default=-1) + 1
        given = [slot for slot in rule.slots if slot.listed or slot.name not in node.arguments]
        found: list[tuple[Slot, list[Edge | None]]] = []
        at = 0
        for place, slot in enumerate(given):
            if slot.listed:
                members = node.arguments.get(slot.name)
                if members is None:
                    members = ("tensor",) * (count - at - (len(given) - place - 1))
                numbers = [at + members[:k].count("tensor") if one == "tensor" else None for k, one in enumerate(members)]
                found.append((slot, [None if number is None else edges.get(number) for number in numbers]))
                at += members.count("tensor")
            elif at < count:
                found.append((slot, [edges.get(at)]))
                at += 1
        return found

    def contributions(self, node: Node, setting: Setting | None = None) -> tuple[Contribution, ...]:
        """What the rule of a node says for each edge that its backward sends a gradient along."""
        rule = self.rule(node)
        if rule is None or not rule.is_executable:
            reason: Reason = ("working.no_rule", {"name": node.autograd or node.op or ""})
            return tuple(Contribution(edge, "", None, None, reason) for edge in self.into(node.id) if edge.differentiable)
        setting = setting or self.setting(node, rule)
        found = []
        for slot, edges in self.slots(node, rule):
            for index, edge in enumerate(edges):
                if edge is not None and edge.differentiable and slot.symbol in rule.gradients:
                    found.append(self._contribution(node, setting, edge, slot, index if slot.listed else None))
        matched = {id(one.edge) for one in found}
        for edge in self.into(node.id):
            if edge.differentiable and id(edge) not in matched:
                found.append(Contribution(edge, "", None, None, ("working.unmatched", {})))
        return tuple(sorted(found, key=lambda one: one.edge.input))

    def _contribution(self, node: Node, setting: Setting, edge: Edge, slot: Slot, index: int | None) -> Contribution:
        reason = self.missing(node, setting)
        if reason is not None:
            return Contribution(edge, slot.symbol, index, None, reason)
        try:
            value = setting.contribution(slot.symbol, index)
        except Unknown as unknown:
            return Contribution(edge, slot.symbol, index, None, ("working.not_recorded", {"what": str(unknown)}))
        except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError):  # shapes or arguments that the rule was not written for
            return Contribution(edge, slot.symbol, index, None, ("working.other_use", {}))
        return Contribution(edge, slot.symbol, index, value, None)

    def missing(self, node: Node, setting: Setting) -> Reason | None:
        """Why nothing can be worked out at a node, where that is known beforehand."""
        if any(isinstance(size, str) for note in node.outputs for size in note.shape):
            return "working.symbolic", {}
        upstream = [note for note in node.gradients if note is not None]
        if not upstream and setting.known("g") is None:
            return "working.nothing_flowed", {}
        sizes = [note.numel or 0 for note in node.outputs] + [math.prod(self._shape(edge) or ()) for edge in self.into(node.id)]
        if sum(sizes) > MOST_ELEMENTS:
            return "working.large", {}
        return None


def contributions(trace: Trace | Numbers, node_id: int) -> tuple[Contribution, ...]:
    """What the rule of a node makes of the trace's own numbers: for each edge the contribution, or why it is not known."""
    numbers = trace if isinstance(trace, Numbers) else Numbers(trace)
    return numbers.contributions(numbers.trace.nodes[node_id])


_READABLE = {
    "float64": "<f8", "float32": "<f4", "float16": "<f2", "int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "<i1", "uint8": "<u1",
    "bool": "?",
}  # fmt: skip


def _wide(dtype: str) -> Any:
    return np.float64 if dtype.startswith("float") else np.bool_ if dtype == "bool" else np.int64


def array(note: Note) -> Any:
    """The values of a note as an array of float64, int64 or bool; None where it does not hold them, and for complex numbers."""
    if note.values is None or note.dtype.startswith("complex"):
        return None
    kind = np.bool_ if note.dtype == "bool" else np.int64 if "int" in note.dtype else np.float64
    return np.array(note.values, dtype=kind).reshape(_sizes(note))


def _sizes(note: Note) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else 0 for size in note.shape)


def _cast(value: Any, dtype: Any) -> Any:
    return value.astype(dtype) if value is not None and value.dtype == np.float64 else value
