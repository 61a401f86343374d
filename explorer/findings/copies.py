"""Numbers that leave the graph and come back as a new tensor, which no edge of a trace shows: found by the numbers themselves.

`torch.tensor(h.tolist())`, a round trip through numpy, `loss * weight.item()`: the new tensor has the values that a tensor of the graph
had, to the last bit. Only numbers that are no common ones count: 0, 1, 0.5 and their like are everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from explorer.findings.flow import Flow
from explorer.model import Node, Note

COMMON = 2**10  # a multiple of 1/1024 may well be there by chance
NUMBERS = re.compile(r"numpy|\bnp\.|tensor\(|as_tensor|Tensor\(")
LEAVING = ("detach", "item")

# By the node of the unreached part whose numbers leave: the node to blame, whose numbers they are, where they come back.
Copies = dict[int, tuple[Node, Node, Node | None]]


def copies(flow: Flow) -> Copies:
    """Tensors made of numbers that the unreached part has, and ops that were given such a number."""
    nodes = flow.trace.nodes
    region = _region(flow)
    whole = {_signature(note): node for node in region for note in node.outputs[:1] if _signature(note) is not None}
    single = {note.item: node for node in region for note in node.outputs[:1] if _is_telling(note.item)}
    written = _items_by_line(region)
    found: Copies = {}
    for node in nodes:
        if node.id not in flow.useful:
            continue
        if node.arguments and (single or written):
            for value in _plain_numbers(node.arguments.values()):
                origin = single.get(value) or _written_in(node, value, written)
                if origin is not None and origin.op == "item" and origin.id < node.id:
                    found[origin.id] = (origin, _read_by(flow, origin), node)
        if not node.is_leaf or flow.into[node.id] or not node.outputs:
            continue
        origin = whole.get(_signature(node.outputs[0])) or next((single[v] for v in _values(node.outputs[0].values) if v in single), None)
        if origin is not None and origin.id != node.id and (origin.id < node.id or origin.is_leaf):
            if node.kind == "parameter" and origin.kind == "parameter":
                continue  # a model and its copy: the target network of Q-learning, an average of weights
            found.setdefault(origin.id, (node, _read_by(flow, origin), None))
    return found


def exits(flow: Flow, known: set[int]) -> Copies:
    """Where values of an unreached part are taken out as numbers, and a tensor made of numbers there or further down."""
    nodes = flow.trace.nodes
    made = [node for node in nodes if node.kind in ("constant", "input") and node.op is None and node.id in flow.useful and node.source]
    found: Copies = {}
    for node in _region(flow):
        if node.reason not in LEAVING or node.id in known or node.id in flow.useful or node.source is None:
            continue
        here = node.source
        for other in made:
            there = other.source
            if there is None or there.file != here.file or other.id < node.id:
                continue
            same_line = there.line == here.line
            below = there.function == here.function and there.line > here.line and NUMBERS.search(there.code) is not None
            if same_line or (below and other.outputs[0].shape == node.outputs[0].shape):
                found[node.id] = (node, _read_by(flow, node), other)
                break
    return found


def round_trips(flow: Flow) -> Copies:
    """Values that leave the graph as numbers and come back as a new tensor on the same line, of what gets a gradient by another way."""
    made: dict[tuple[str, int], list[Node]] = {}
    for node in flow.trace.nodes:
        if node.kind in ("constant", "input") and node.op is None and node.id in flow.useful and node.source is not None:
            made.setdefault((node.source.file, node.source.line), []).append(node)
    found: Copies = {}
    for node in flow.trace.nodes:
        if node.reason != "detach" or node.id in flow.useful or node.source is None or not NUMBERS.search(node.source.code):
            continue
        back = next((one for one in made.get((node.source.file, node.source.line), ()) if one.id > node.id), None)
        if back is not None and flow.into[node.id] and flow.into[node.id][0].source not in flow.unreached:
            found[node.id] = (node, _read_by(flow, node), back)
    return found


def _items_by_line(region: list[Node]) -> dict[tuple[str, int], list[Node]]:
    found: dict[tuple[str, int], list[Node]] = {}
    for node in region:
        if node.op == "item" and node.source is not None and node.outputs:
            found.setdefault((node.source.file, node.source.line), []).append(node)
    return found


def _written_in(node: Node, value: float, items: Mapping[tuple[str, int], list[Node]]) -> Node | None:
    """The item() that stands in the very expression of `node` and gave this number, however common the number is."""
    around = node.source
    if around is None or around.end_line is not None:
        return None
    for item in items.get((around.file, around.line), ()):
        inner = item.source
        if item.outputs[0].item != value or inner is None or inner.end_line is not None or inner == around:
            continue
        if around.column <= inner.column and inner.end_column <= around.end_column:
            return item
    return None


def _region(flow: Flow) -> list[Node]:
    """The nodes that backward did not reach, and what takes their values out of the graph."""
    region = [flow.trace.nodes[number] for number in sorted(flow.unreached)]
    outside = {edge.target for node in region for edge in flow.out_of[node.id]} - flow.unreached
    return region + [flow.trace.nodes[number] for number in sorted(outside) if flow.trace.nodes[number].status == "no gradient"]


def _read_by(flow: Flow, node: Node) -> Node:
    """Whose value a node that only takes it out of the graph has."""
    if node.reason in LEAVING and flow.into[node.id]:
        return flow.trace.nodes[flow.into[node.id][0].source]
    return node


def _signature(note: Note) -> tuple[Any, ...] | None:
    """What tells a tensor of several elements from another by its numbers, whatever its shape and type."""
    if note.min is None or note.max is None or note.norm is None or note.numel is None or note.numel < 2 or note.min == note.max:
        return None
    if not (_is_telling(note.min) or _is_telling(note.max)):
        return None
    return note.numel, note.min, note.max, note.zeros, float(f"{note.norm:.6g}")


def _is_telling(value: float | None) -> bool:
    """Whether it is a number that is hardly there by chance."""
    return value is not None and value == value and abs(value) != float("inf") and value * COMMON != round(value * COMMON)


def _values(values: Any) -> Iterator[float]:
    if isinstance(values, tuple):
        for value in values:
            yield from _values(value)
    elif isinstance(values, float):
        yield values


def _plain_numbers(values: Any) -> Iterator[float]:
    for value in values:
        if isinstance(value, float):
            yield value
        elif isinstance(value, tuple | list):
            yield from _plain_numbers(value)
        elif isinstance(value, Mapping):
            yield from _plain_numbers(value.values())
