"""Units of a layer that are off for every sample of a batch, so that nothing comes back through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from explorer.findings.depth import PRODUCTS, weight_of
from explorer.findings.flow import Flow, is_nonzero
from explorer.findings.wording import finding
from explorer.model import Finding, Node, Note

__all__ = ["dead_units"]

RELUS = frozenset("relu relu_ threshold threshold_ clamp_min clamp_min_ clamp clamp_ hardtanh hardtanh_".split())
NORMS = frozenset("native_batch_norm _native_batch_norm_legit cudnn_batch_norm native_layer_norm native_group_norm".split())
BETWEEN = NORMS | frozenset("view _unsafe_view reshape add add_".split())  # what may stand between a layer's product and its relu
# In a batch of a few samples many units are off by chance: one in two for a single sample.
LEAST_SAMPLES = 16
# Deep relu networks send all samples nearly the same way, and then about half of the units of a layer are off for all of them.
DEAD = 0.9  # of the units of a layer


def dead_units(flow: Flow) -> Iterator[Finding]:
    """A layer of relus of which nearly all give zero for all samples of this batch, and let no gradient through."""
    for node in flow.trace.nodes:
        if node.op not in RELUS or node.status != "executed" or not node.outputs or not node.gradients or not _begins_at_zero(node):
            continue
        note = node.outputs[0]
        if (
            len(note.shape) < 2
            or note.zeros is None
            or not note.numel
            or note.zeros < DEAD * note.numel
            or not is_nonzero(node.gradients[0])
        ):
            continue
        layer = _layer(flow, node)
        if layer is None:
            continue
        axis = 1 if layer[0].op == "convolution" else len(note.shape) - 1
        units = note.shape[axis]
        if not isinstance(units, int) or note.numel < LEAST_SAMPLES * units:
            continue
        dead = _dead(flow, note, layer, units, axis)
        if dead is not None and dead >= DEAD * units:
            yield finding("dead_units", "warning", node, dead=dead, units=units, samples=note.numel // units)


def _begins_at_zero(node: Node) -> bool:
    """Whether it is a relu: what is below zero becomes zero."""
    op = (node.op or "").rstrip("_")
    lowest = {"threshold": "value", "clamp_min": "min", "clamp": "min", "hardtanh": "min_val"}.get(op)
    return lowest is None or node.arguments.get(lowest) == 0


def _layer(flow: Flow, node: Node) -> tuple[Node, list[Node]] | None:
    """The op that multiplies by a weight just before a relu, and what stands between."""
    between: list[Node] = []
    for _ in range(4):
        edges = flow.into[node.id]
        if not edges:
            return None
        node = flow.trace.nodes[edges[0].source]
        if node.op in PRODUCTS:
            return None if weight_of(flow, node) is None else (node, between)
        if node.op not in BETWEEN:
            return None
        if (node.op or "").startswith("add") and not any(flow.trace.nodes[edge.source].is_leaf for edge in edges[1:]):
            return None  # a sum of two results is no layer with its bias
        between.append(node)
    return None


def _dead(flow: Flow, note: Note, layer: tuple[Node, list[Node]], units: int, axis: int) -> int | None:
    """How many units are zero for all samples; None where that cannot be told.

    All of them, if everything is zero. Else by the values, where they are known; else by the gradient of a bias, which has one element a
    unit, and is zero for those that are off for all samples.
    """
    if note.zeros == note.numel:
        return units
    if note.values is not None and len(note.shape) == 2 and axis == 1:
        rows: tuple[tuple[Any, ...], ...] = note.values
        return sum(all(row[unit] == 0 for row in rows) for unit in range(units))
    for node in (*layer[1], layer[0]):
        for edge in flow.into[node.id]:
            leaf = flow.trace.nodes[edge.source]
            gradient = leaf.gradients[0] if leaf.is_leaf and leaf.gradients else None
            if gradient is not None and gradient.shape == (units,) and gradient.zeros is not None and _is_used_once(flow, leaf):
                return gradient.zeros
    return None


def _is_used_once(flow: Flow, leaf: Node) -> bool:
    """Whether the gradient of a leaf comes from one op alone."""
    return sum(edge.gradient is not None for edge in flow.out_of[leaf.id]) == 1
