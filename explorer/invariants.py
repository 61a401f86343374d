"""What is true of every Trace: `check` states all of it, `check_structure` what a reader needs so as not to stumble.

Each function raises InvalidTrace at the first contradiction. All of it is linear in the size of the trace.
"""

from __future__ import annotations

import re
from typing import Any

from explorer.errors import InvalidTrace
from explorer.model import MOST_VALUES, Node, Note, Trace
from explorer.sums import check_sums

__all__ = ["check", "check_structure"]

MOST_LEVELS = 200  # modules within modules; torch's own walk through them ends at Python's limit of recursion
_LONGEST = 120  # characters of a name in a sentence
_TENSOR_NAME = re.compile(r"n(\d+)\.(?:output|gradient)(\d+)")


def check(trace: Trace) -> None:
    """Everything: the structure, and that each gradient is the sum of what its edges brought."""
    check_structure(trace)
    check_sums(trace)


def check_structure(trace: Trace) -> None:
    """Ids, edges, orders, modules, references and notes; nothing that depends on the accuracy of a number."""
    _check_modules(trace)
    _check_nodes(trace)
    _check_edges(trace)
    _check_order(trace, "forward", trace.forward)
    _check_order(trace, "backward", trace.backward)
    _check_references(trace)
    _check_notes(trace)


def _check_modules(trace: Trace) -> None:
    parents: dict[str, str | None] = {}
    for module in trace.modules:
        if module.path in parents:
            raise InvalidTrace("trace.module_twice", module=_brief(module.path))
        parents[module.path] = module.parent
    levels: dict[str | None, int] = {None: 0}
    for path in parents:
        way: dict[str, None] = {}
        here: str | None = path
        while here is not None and here not in levels:
            if here in way:
                raise InvalidTrace("trace.module_circle", module=_brief(here))
            way[here] = None
            parent = parents[here]
            if parent is not None and parent not in parents:
                raise InvalidTrace("trace.module_parent", module=_brief(here), parent=_brief(parent))
            here = parent
        for level, below in enumerate(reversed(way), start=levels[here] + 1):
            if level > MOST_LEVELS:
                raise InvalidTrace("trace.module_depth", module=_brief(below), most=MOST_LEVELS)
            levels[below] = level


def _check_nodes(trace: Trace) -> None:
    paths = {"", *(module.path for module in trace.modules)}
    for place, node in enumerate(trace.nodes):
        if node.id != place:
            raise InvalidTrace("trace.node_id", place=place, id=node.id)
        if not len(node.outputs) == len(node.gradients) == len(node.seeds):
            counts = {"outputs": len(node.outputs), "gradients": len(node.gradients), "seeds": len(node.seeds)}
            raise InvalidTrace("trace.outputs", node=place, **counts)
        if trace.modules and node.module not in paths:
            raise InvalidTrace("trace.node_module", node=place, module=_brief(node.module))


def _check_edges(trace: Trace) -> None:
    nodes = trace.nodes
    taken: set[tuple[int, int]] | None = None  # only where the edges do not come in the order of where they end
    before = (-1, -1)
    for place, edge in enumerate(trace.edges):
        if not (0 <= edge.source < len(nodes) and 0 <= edge.target < len(nodes)):
            raise InvalidTrace("trace.edge_nowhere", edge=place, source=edge.source, target=edge.target)
        if edge.source >= edge.target:
            raise InvalidTrace("trace.edge_backwards", edge=place, source=edge.source, target=edge.target)
        outputs = len(nodes[edge.source].outputs)
        if not 0 <= edge.output < outputs:
            raise InvalidTrace("trace.edge_output", edge=place, output=edge.output, source=edge.source, count=outputs)
        if edge.input < 0:
            raise InvalidTrace("trace.edge_input", edge=place, input=edge.input, target=edge.target)
        here = (edge.target, edge.input)
        if taken is None and here <= before:
            taken = {(other.target, other.input) for other in trace.edges[:place]}
        if taken is not None:
            if here in taken:
                raise InvalidTrace("trace.edge_twice", input=edge.input, target=edge.target)
            taken.add(here)
        before = here


def _check_order(trace: Trace, order: str, ids: tuple[int, ...]) -> None:
    seen = bytearray(len(trace.nodes))
    for node in ids:
        if not 0 <= node < len(trace.nodes):
            raise InvalidTrace("trace.order_missing", order=order, node=node)
        if seen[node]:
            raise InvalidTrace("trace.order_twice", order=order, node=node)
        seen[node] = 1


def _check_references(trace: Trace) -> None:
    count, storages = len(trace.nodes), len(trace.storages)
    for node in trace.nodes:
        for saved in node.saved:
            if saved.shared_with is not None and not 0 <= saved.shared_with < count:
                raise InvalidTrace("trace.saved_node", node=node.id, shared=saved.shared_with)
            if saved.storage is not None and not 0 <= saved.storage < storages:
                raise InvalidTrace("trace.storage", place=f"nodes[{node.id}]", storage=saved.storage)
        for storage in node.received:
            if storage is not None and not 0 <= storage < storages:
                raise InvalidTrace("trace.storage", place=f"nodes[{node.id}]", storage=storage)
    for place, edge in enumerate(trace.edges):
        if edge.storage is not None and not 0 <= edge.storage < storages:
            raise InvalidTrace("trace.storage", place=f"edges[{place}]", storage=edge.storage)
    for place, finding in enumerate(trace.findings):
        if finding.node is not None and not 0 <= finding.node < count:
            raise InvalidTrace("trace.finding_node", finding=place, node=finding.node)
    for place, check in enumerate(() if trace.checks is None else trace.checks.each()):
        if not 0 <= check.node < count:
            raise InvalidTrace("trace.check_node", check=place, node=check.node)
    for place, update in enumerate(trace.updates):
        if not 0 <= update.node < count:
            raise InvalidTrace("trace.update_node", update=place, node=update.node)
    for name in trace.tensors:
        match = _TENSOR_NAME.fullmatch(name)
        if match is None or int(match[1]) >= count or int(match[2]) >= len(trace.nodes[int(match[1])].outputs):
            raise InvalidTrace("trace.tensor_node", tensor=name)


def _check_notes(trace: Trace) -> None:
    for node in trace.nodes:
        before: Note | None = None
        for note in _notes_of(node):
            if note is not None and note is not before:
                _check_note(note, ("nodes", node.id))
                before = note
    for place, edge in enumerate(trace.edges):
        if edge.gradient is not None and edge.gradient is not trace.nodes[edge.source].gradients[edge.output]:
            _check_note(edge.gradient, ("edges", place))
    for place, update in enumerate(trace.updates):
        for note in (update.before, update.gradient, update.after, *update.state.values()):
            if note is not None:
                _check_note(note, ("updates", place))


def _notes_of(node: Node) -> tuple[Note | None, ...]:
    leaf = node.accumulated
    return (*node.outputs, *node.gradients, *node.seeds, *(() if leaf is None else (leaf.before, leaf.after)))


def _check_note(note: Note, place: tuple[str, int]) -> None:
    numel, known = 1, True
    for size in note.shape:
        if isinstance(size, str):
            known = False
        elif size < 0:
            raise InvalidTrace("trace.note_shape", place=_named(place))
        else:
            numel *= size
    numel = numel if known else -1
    zeros, nans, infs = note.zeros or 0, note.nans or 0, note.infs or 0
    if min(zeros, nans, infs) < 0 or zeros + nans + infs > numel >= 0:
        raise InvalidTrace("trace.note_counts", place=_named(place))
    if numel == 0 and not note.min is note.max is note.mean is note.std is note.norm is None:
        raise InvalidTrace("trace.note_empty", place=_named(place))
    if note.values is not None and (numel > MOST_VALUES or not _fits(note.values, note.shape)):
        raise InvalidTrace("trace.note_values", place=_named(place), shape=_brief(str(list(note.shape))))


def _fits(values: Any, shape: tuple[int | str, ...]) -> bool:
    """Whether the nested tuples have the sizes of `shape`; a symbolic size admits any."""
    if not shape:
        return not isinstance(values, tuple)
    if not isinstance(values, tuple) or (isinstance(shape[0], int) and len(values) != shape[0]):
        return False
    return all(_fits(entry, shape[1:]) for entry in values)


def _named(place: tuple[str, int]) -> str:
    return f"{place[0]}[{place[1]}]"


def _brief(text: str) -> str:
    """Fit for a sentence, whoever chose it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
