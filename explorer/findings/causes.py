"""Why an op makes NaN or infinity, or its backward does, from what is known of its inputs: the key of a clause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from explorer.findings.flow import Flow
from explorer.model import Node, Note

__all__ = ["UNFILLED", "cause_of_gradient", "cause_of_inf", "cause_of_nan", "largest_of", "sent_by"]

_INFINITY = float("inf")
_LARGEST = {"float16": "65504", "bfloat16": "3.39e38", "float32": "3.40e38", "float64": "1.80e308"}
# Ops that give out memory with whatever is in it.
UNFILLED = frozenset("empty new_empty empty_like empty_strided new_empty_strided".split())
_SUMS = frozenset("add sub rsub sum cumsum mean".split())
_PRODUCTS = frozenset("mul mm bmm addmm baddbmm addmv mv dot convolution matmul".split())
_LOGARITHMS = frozenset("log log2 log10 xlogy".split())
_ROOTS = frozenset("sqrt rsqrt".split())
_DIVISIONS = frozenset("div reciprocal rsqrt true_divide fmod remainder".split())
_SPREADS = frozenset("std var std_mean var_mean".split())
_LENGTHS = frozenset("linalg_vector_norm norm _cdist_forward cdist _pdist_forward".split())
_FILLS = frozenset("masked_fill where full scatter fill".split())
# The ops that go to infinity, or whose slope does, at the ends of the range that they are defined on; it is NaN beyond (lgamma apart).
_RANGES = {
    "acos": (-1.0, 1.0),
    "asin": (-1.0, 1.0),
    "acosh": (1.0, _INFINITY),
    "atanh": (-1.0, 1.0),
    "erfinv": (-1.0, 1.0),
    "logit": (0.0, 1.0),
    "log1p": (-1.0, _INFINITY),
    "lgamma": (0.0, _INFINITY),
    "digamma": (0.0, _INFINITY),
    "polygamma": (0.0, _INFINITY),
}
# Ops whose derivative is finite wherever what they saved is: what is not finite after all is a product, or a sum, that is too large.
_SMOOTH = _SUMS | _PRODUCTS | _DIVISIONS | _LOGARITHMS | _ROOTS | _RANGES.keys() | frozenset(
    "_to_copy to exp expm1 exp2 pow square neg abs relu tanh sigmoid gelu silu softplus elu leaky_relu hardtanh clamp sin cos logsumexp "
    "_softmax _log_softmax softmax log_softmax mse_loss smooth_l1_loss nll_loss_forward addcmul addcdiv lerp index embedding gather "
    "index_select select expand cat stack repeat cumsum linear einsum native_layer_norm where masked_fill".split()
)  # fmt: skip


def _plain(node: Node) -> str:
    """The name of an op without the mark of one that works in place."""
    op = node.op or ""
    return op.removesuffix("_")


def _at_end(op: str, note: Note) -> bool:
    """Whether some value lies at an end of an op's range, or beyond."""
    low, high = _RANGES.get(op, (-_INFINITY, _INFINITY))
    return note.min is not None and note.max is not None and (-_INFINITY < note.min <= low or _INFINITY > note.max >= high)


def _beyond(op: str, note: Note) -> bool:
    low, high = _RANGES.get(op, (-_INFINITY, _INFINITY))
    return note.min is not None and note.max is not None and (note.min < low or note.max > high)


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
    op, given = _plain(node), _given(flow, node)
    if op in UNFILLED:
        return "unfilled"
    if node.kind != "op":
        return "written_nan"
    if op in _ROOTS and _any(_negative, given):
        return "negative_root"
    if op in _LOGARITHMS and _any(_negative, given):
        return "negative_logarithm"
    if op == "pow" and _base_is(_negative, node, given):
        return "negative_power"
    if op == "log1p" and any(_beyond(op, note) for note in given):
        return "negative_logarithm"
    if any(_beyond(op, note) for note in given):
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
    if op in _PRODUCTS and (_any(_infinite, given) or node.arguments.get("other") in (_INFINITY, -_INFINITY)):
        return "zero_times_infinite"
    if (op in _SUMS or "softmax" in op or "logsumexp" in op) and _any(_infinite, given):
        return "infinite_less_infinite"
    return "new_nan"


def cause_of_inf(flow: Flow, node: Node) -> str:
    """Why its result is infinite although nothing it was given was."""
    op, given = _plain(node), _given(flow, node)
    if op in _LOGARITHMS and _any(_zero, given):
        return "logarithm_of_zero"
    if (op in _DIVISIONS and given and _zero(given[-1])) or (node.arguments.get("other") == 0 and op in _DIVISIONS):
        return "division_by_zero"
    if op == "pow" and _base_is(_zero, node, given) and _least_exponent(node, given) < 0:
        return "division_by_zero"
    if any(_at_end(op, note) for note in given):
        return "pole"
    if op in _FILLS or node.kind != "op":
        return "written_inf"
    return "overflow" if given else "new_inf"


def cause_of_gradient(flow: Flow, node: Node, *, infinite: bool) -> str:
    """Why the backward of an op sends NaN (or what is `infinite`) although what it received had none of the kind."""
    op, given = _plain(node), _given(flow, node)
    if any(note is not None and note.infs for note in node.gradients):
        return "received_infinite"
    if any(note.infs or (note.nans and not infinite) for note in _needed(flow, node)):
        return "value_not_finite"
    special = _slope(node, given)
    if special is not None:
        return special
    made_nan = not infinite and any(note.nans for note in node.outputs) and not any(note.nans for note in given)
    cause = cause_of_nan(flow, node) if made_nan else "new_nan"
    if cause != "new_nan":
        return cause
    keeps_result = any(saved.shared_with == node.id or saved.name == "result" for saved in node.saved)
    if keeps_result and any(note.infs or (note.nans and not infinite) for note in node.outputs):
        return "value_not_finite"
    if not _is_smooth(op):
        return "no_derivative"
    return "gradient_overflow" if sent_by(flow, node) == "float16" else "wide_overflow"


def _slope(node: Node, given: Sequence[Note]) -> str | None:
    """Why the derivative of an op is not finite at what it was given, where that is known of the op."""
    op = _plain(node)
    if op in _ROOTS and _any(_zero, given):
        return "root_at_zero"
    if op == "pow" and _base_is(_zero, node, given) and _least_exponent(node, given) < 1:
        return "power_at_zero"
    if op == "pow" and len(given) > 1 and _base_is(_negative, node, given) and not any(note.nans for note in node.outputs):
        return "negative_logarithm"  # that of the base, in the derivative by the exponent
    if op in _LOGARITHMS and _any(_zero, given):
        return "logarithm_at_zero"
    if op in _DIVISIONS and ((given and _zero(given[-1])) or node.arguments.get("other") == 0):
        return "division_at_zero"
    if op in _SPREADS and any(map(_zero, node.outputs)):
        return "spread_of_equals"
    if op in _LENGTHS and any(map(_zero, node.outputs)):
        return "length_of_zero"
    if any(_beyond(op, note) for note in given) and any(note.nans for note in node.outputs):
        return "outside"
    if any(_at_end(op, note) for note in given):
        return "edge_of_range"
    return "angle_of_zero" if op == "atan2" and _any(_zero, given) else None


def _needed(flow: Flow, node: Node) -> list[Note]:
    """What the backward of an op needs of what other ops gave out: what it saved. Where that is not known, all that it was given."""
    makers = {saved.shared_with for saved in node.saved if saved.name != "result"}
    unknown = None in makers or not (node.saved or _is_smooth(_plain(node)))
    others = [note for number in makers - {None, node.id} for note in flow.trace.nodes[number or 0].outputs]
    return [*others, *(_given(flow, node) if unknown else ())]


def _is_smooth(op: str) -> bool:
    return op in _SMOOTH or op.startswith("_scaled_dot_product")


def _base_is(what: Callable[[Note], bool], node: Node, given: Sequence[Note]) -> bool:
    """Whether some base of a power is so; a base that is a number stands in the arguments."""
    base = node.arguments.get("self")
    if isinstance(base, int | float):
        return base < 0 if what is _negative else base == 0
    return bool(given) and what(given[0])


def _least_exponent(node: Node, given: Sequence[Note]) -> float:
    exponent = node.arguments.get("exponent")
    if isinstance(exponent, int | float):
        return exponent
    least = given[-1].min if given else None
    return _INFINITY if least is None else least


def sent_by(flow: Flow, node: Node) -> str:
    """The data type of the gradient that the backward of an op sends and that is not finite."""
    sent = (edge.gradient for edge in flow.into[node.id] if edge.gradient is not None)
    return next((note.dtype for note in sent if note.infs or note.nans), "?")


def largest_of(dtype: str) -> str:
    """A data type with its largest number."""
    return f"{dtype}: {_LARGEST[dtype]}" if dtype in _LARGEST else dtype
