"""Trace -> Flops: the floating-point operations of each op and of its backward, by the rules of `torch.utils.flop_counter`.

Counted are products: of matrices, convolutions, attention; a multiplication and an addition are two operations. Elementwise ops and
reductions are not counted, as is the custom. What a product costs in backward is as much again for each factor that gets a gradient; fused
attention works its scores out anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from explorer.model import Node, Trace

__all__ = ["Flops", "count_flops", "flops_of_nodes", "operations"]

Shape = tuple[int, ...]
_SIZES = ((10**18, "E"), (10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
Rule = Callable[[Mapping[int, Shape], Shape, Mapping[str, Any]], int]

# Ops that multiply and add in ways that no rule here counts, by their names: recurrent layers, transforms, solvers, other libraries' ops.
_UNKNOWN = re.compile(r"rnn|lstm|gru|fft|linalg|cholesky|svd|solve|cdist|trilinear|attention|::")


@dataclass(frozen=True, slots=True)
class Flops:
    """Operations of the whole trace; `nodes` are those with a count, (forward, backward) each, backward None where it did not run.

    `unknown` names the ops that do products which no rule counts: the sums are then too small.
    """

    forward: int
    backward: int
    nodes: Mapping[int, tuple[int, int | None]]
    unknown: tuple[str, ...]


def count_flops(trace: Trace) -> Flops:
    """The operations of a trace, as far as they are known."""
    counted = flops_of_nodes(trace)
    others = (node for node in trace.nodes if not node.is_leaf and node.id not in counted and node.status != "no gradient")
    unknown = sorted({node.op or node.autograd or "" for node in others if _is_unknown(node)})
    forward = sum(one for one, _ in counted.values())
    return Flops(forward, sum(two or 0 for _, two in counted.values()), counted, tuple(unknown))


def operations(count: int) -> str:
    """A number of operations as people read it: "3.51 TFLOP"."""
    size, unit = next(((size, unit) for size, unit in _SIZES if count >= size), (1, ""))
    return f"{count} FLOP" if size == 1 else f"{count / size:.3g} {unit}FLOP" if count < 999.5 * size else f"{count / size:.0f} {unit}FLOP"


def flops_of_nodes(trace: Trace) -> dict[int, tuple[int, int | None]]:
    """Node -> operations of its op and of its backward (None where that did not run), for the nodes that a rule counts."""
    inputs: dict[int, dict[int, Shape]] = {node.id: {} for node in trace.nodes if node.op in _RULES and node.outputs}
    learned: dict[int, set[int]] = {}
    for edge in trace.edges:
        if edge.target in inputs:
            shape = _sizes(trace.nodes[edge.source].outputs[edge.output].shape)
            if shape is not None:
                inputs[edge.target][edge.input] = shape
            if edge.gradient is not None:
                learned.setdefault(edge.target, set()).add(edge.input)
    counted: dict[int, tuple[int, int | None]] = {}
    for number, shapes in inputs.items():
        node = trace.nodes[number]
        rule, factors = _RULES[node.op or ""]
        made = _sizes(node.outputs[0].shape)
        if made is None:
            continue
        try:
            forward = rule(shapes, made, node.arguments)
            back = _backward(node, forward, shapes, factors, learned.get(number, set()))
        except (LookupError, ValueError):  # an input that nobody saw, or of a shape that the op does not take
            continue
        counted[number] = (forward, back)
    return counted


def _backward(node: Node, forward: int, shapes: Mapping[int, Shape], factors: Iterable[int], learned: set[int]) -> int | None:
    if node.status != "executed":
        return None
    if node.op in _ATTENTION:
        return _attention_backward(shapes)
    return forward * sum(factor in learned for factor in factors)


def _is_unknown(node: Node) -> bool:
    own = node.formula is not None and node.formula.source == "user code"
    return own or _UNKNOWN.search(node.op or "") is not None


def _sizes(shape: tuple[int | str, ...]) -> Shape | None:
    sizes = tuple(size for size in shape if isinstance(size, int))
    return sizes if len(sizes) == len(shape) else None


# -- rules -------------------------------------------------------------------------------------------------------------------------------


def _product(left: int, right: int) -> tuple[Rule, tuple[int, int]]:
    """Matrices, or batches of them, at these places of the arguments; the second may be a vector."""

    def rule(shapes: Mapping[int, Shape], made: Shape, arguments: Mapping[str, Any]) -> int:
        return 2 * prod(shapes[left]) * (shapes[right][-1] if len(shapes[right]) > 1 else 1)

    return rule, (left, right)


def _linear(shapes: Mapping[int, Shape], made: Shape, arguments: Mapping[str, Any]) -> int:
    return 2 * prod(shapes[0]) * (shapes[1][0] if len(shapes[1]) > 1 else 1)


def _convolution(shapes: Mapping[int, Shape], made: Shape, arguments: Mapping[str, Any]) -> int:
    """Each place of the result (of the input, if transposed) meets every number of the filter, once for each sample."""
    read, weight = shapes[0], shapes[1]
    places = read if arguments.get("transposed") is True else made
    batched = len(read) == len(weight)
    return 2 * (read[0] if batched else 1) * prod(places[2 if batched else 1 :]) * prod(weight)


def _attention(shapes: Mapping[int, Shape], made: Shape, arguments: Mapping[str, Any]) -> int:
    """Queries by keys, and the weights that come of it by values; no smaller where it is causal, as torch counts."""
    (*queries, size), (*_, keys, _), (*_, width) = shapes[0], shapes[1], shapes[2]
    return 2 * prod(queries) * keys * (size + width)


def _attention_backward(shapes: Mapping[int, Shape]) -> int:
    """The scores once more, and two products each for the scores and the values."""
    (*queries, size), (*_, keys, _), (*_, width) = shapes[0], shapes[1], shapes[2]
    return 2 * prod(queries) * keys * (3 * size + 2 * width)


_ATTENTION = tuple(f"_scaled_dot_product_{kind}" for kind in (
    "flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention", "fused_attention_overrideable",
))  # fmt: skip
_RULES: dict[str, tuple[Rule, tuple[int, ...]]] = {
    "mm": _product(0, 1),
    "bmm": _product(0, 1),
    "mv": _product(0, 1),
    "dot": _product(0, 1),
    "addmm": _product(1, 2),
    "addmv": _product(1, 2),
    "baddbmm": _product(1, 2),
    "addbmm": _product(1, 2),
    "linear": (_linear, (0, 1)),
    "convolution": (_convolution, (0, 1)),
    **dict.fromkeys(_ATTENTION, (_attention, ())),
}
