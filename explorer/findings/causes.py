"""Why an op makes NaN or infinity, or its backward does, from what is known of its inputs: the key of a clause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from explorer.findings.flow import Flow
from explorer.model import Node, Note

__all__ = ["UNFILLED", "cause_of_gradient", "cause_of_inf", "cause_of_nan", "largest_of"]

_LARGEST = {"float16": "65504", "bfloat16": "3.39e38", "float32": "3.40e38", "float64": "1.80e308"}
# Ops that give out memory with whatever is in it.
UNFILLED = frozenset("empty new_empty empty_like empty_strided new_empty_strided".split())
_SUMS = frozenset("add sub rsub sum cumsum mean".split())
_PRODUCTS = frozenset("mul mm bmm addmm baddbmm addmv mv dot convolution matmul".split())
_LOGARITHMS = frozenset("log log2 log10 log1p xlogy logit".split())
_ROOTS = frozenset("sqrt rsqrt sqrt_ rsqrt_".split())
_DIVISIONS = frozenset("div div_ reciprocal rsqrt reciprocal_ true_divide fmod remainder".split())
_SPREADS = frozenset("std var std_mean var_mean".split())
_LENGTHS = frozenset("linalg_vector_norm norm _cdist_forward cdist _pdist_forward".split())


def _negative(note: Note) -> bool:
    return note.min is not None and note.min < 0


def _zero(note: Note) -> bool:
    return bool(note.zeros)


def _infinite(note: Note) -> bool:
    return bool(note.infs)


def _given(flow: Flow, node: Node) -> list[Note]:
    """What an op was given, in order."""
    return [flow.trace.nodes[edge.source].outputs[edge.output] for edge in flow.into[node.id]]


def _any(what: Callable[[Note], bool], notes: Sequence[Note]) -> bool:
    return any(map(what, notes))


def cause_of_nan(flow: Flow, node: Node) -> str:
    """Why its result has NaN although nothing it was given had."""
    op, given = node.op or "", _given(flow, node)
    exponent = node.arguments.get("exponent")
    if op in UNFILLED:
        return "unfilled"
    if node.kind != "op":
        return "written_nan"
    if op in _ROOTS and _any(_negative, given):
        return "negative_root"
    if op in _LOGARITHMS and _any(_negative, given):
        return "negative_logarithm"
    if op.startswith("pow") and isinstance(exponent, float) and exponent != int(exponent) and _any(_negative, given):
        return "negative_power"
    if op in ("acos", "asin", "acosh", "atanh"):
        return "outside"
    if op in ("_softmax", "_log_softmax", "softmax", "log_softmax") and any(note.min == -float("inf") for note in given):
        return "masked_row"
    if op in _SPREADS:
        return "one_element"
    if op == "nll_loss_forward" or any(note.numel == 0 for note in given):
        return "mean_of_nothing"
    if op in _DIVISIONS and all(map(_zero, given)) and given:
        return "zero_by_zero"
    if op in _DIVISIONS and _any(_infinite, given):
        return "infinite_by_infinite"
    if op in _PRODUCTS and _any(_infinite, given):
        return "zero_times_infinite"
    if (op in _SUMS or "softmax" in op or "logsumexp" in op) and _any(_infinite, given):
        return "infinite_less_infinite"
    return "new_nan"


def cause_of_inf(flow: Flow, node: Node) -> str:
    """Why its result is infinite although nothing it was given was."""
    op, given = node.op or "", _given(flow, node)
    exponent = node.arguments.get("exponent")
    if op in _LOGARITHMS and _any(_zero, given):
        return "logarithm_of_zero"
    if (op in _DIVISIONS and given and _zero(given[-1])) or (node.arguments.get("other") == 0 and op in _DIVISIONS):
        return "division_by_zero"
    if op.startswith("pow") and isinstance(exponent, int | float) and exponent < 0 and _any(_zero, given):
        return "division_by_zero"
    if node.kind == "op" and given and op not in ("masked_fill", "where", "full", "scatter", "fill_"):
        return "overflow"
    return "new_inf"


def cause_of_gradient(flow: Flow, node: Node) -> str:
    """Why the backward of an op sends what is not finite although what it received had none of the kind."""
    op, given = node.op or "", _given(flow, node)
    exponent = node.arguments.get("exponent")
    if any(note is not None and note.infs for note in node.gradients):
        return "received_infinite"
    if any(note.nans or note.infs for note in (*given, *node.outputs)):
        return "value_not_finite"
    if op in _ROOTS and _any(_zero, given):
        return "root_at_zero"
    if op.startswith("pow") and isinstance(exponent, int | float) and exponent < 1 and _any(_zero, given):
        return "power_at_zero"
    if op in _LOGARITHMS and _any(_zero, given):
        return "logarithm_at_zero"
    if op in _DIVISIONS and given and _zero(given[-1]):
        return "division_at_zero"
    if op in _SPREADS and any(map(_zero, node.outputs)):
        return "spread_of_equals"
    if op in _LENGTHS and any(map(_zero, node.outputs)):
        return "length_of_zero"
    if op in ("acos", "asin", "acosh", "atanh"):
        return "edge_of_range"
    if op == "atan2" and _any(_zero, given):
        return "angle_of_zero"
    return "no_derivative"


def largest_of(node: Node) -> str:
    """The data type of a result, with its largest number."""
    kind = node.outputs[0].dtype if node.outputs else "?"
    return f"{kind}: {_LARGEST[kind]}" if kind in _LARGEST else kind
