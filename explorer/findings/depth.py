"""Gradients that vanish or explode on their way from the loss to the first layer, and where that begins.

What is compared is the gradient of each layer's result (its L2 norm), in the order the layers ran: a layer is an op that multiplies by a
weight of its own. A loss that is scaled, a bias, an embedding or the kind of a layer make no difference to this ratio, and the
gradient of a weight, which its input scales too, does not hide it. A weight that is used again and again (a recurrence) is one layer at its
largest. Over its uses in time an explosion is told, and that the gradient vanishes where nothing is gated: LSTM and GRU forget by design.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.findings.flow import Flow, is_nonzero, is_zero
from explorer.findings.wording import called, finding
from explorer.model import Finding, Node, Note

__all__ = ["PRODUCTS", "along_depth", "saturated", "underflow", "weight_of"]

PRODUCTS = frozenset("mm addmm bmm baddbmm mv addmv linear convolution matmul mkldnn_rnn_layer dot".split())
# What a weight goes through before it is multiplied by.
ON_THE_WAY = frozenset("t transpose permute view _unsafe_view reshape _to_copy unsqueeze squeeze expand clone select numpy_T".split())
LEAST_LAYERS = 4  # fewer have no depth to speak of
# At their usual initialisation, sound networks of up to 100 layers stay within a factor of 1,000 (LeNet with sigmoids comes close to it).
VANISHED = 1e-4  # of the gradient at the last layers, where every layer takes at least
STEEP = 0.2  # of it away, as sigmoids do (0.15) and plain relu layers do not (0.4)
VANISHED_SLOWLY = 1e-6  # of it, however slowly: what is left is lost in the rounding of float32
EXPLODED = 1e4  # times the gradient at the last layers
LEAST_USES = 10  # of one weight, to speak of a recurrence
GATES = frozenset("sigmoid sigmoid_ hardsigmoid _thnn_fused_lstm_cell _thnn_fused_gru_cell mkldnn_rnn_layer".split())
SATURATED = 1e-4  # of the gradient comes through an activation; the slope of a sigmoid at 0 is 0.25, at ±10 it is 5e-5
LEAST_ELEMENTS = 16  # of an activation, to speak of saturation: fewer can be so by chance
SMALLEST_HALF = 6.2e-5  # the smallest normal number of float16; below it digits are lost, below 6e-8 everything
SQUASHING = frozenset("sigmoid tanh sigmoid_ tanh_".split())
MULTIPLYING = frozenset("_to_copy mul div mean mm addmm bmm".split())


@dataclass(frozen=True, slots=True)
class Layer:
    """An op, the weight it multiplies by, and the norm of the gradient of its result, which is not zero."""

    node: Node
    weight: Node
    norm: float


def weight_of(flow: Flow, node: Node) -> Node | None:
    """The leaf of at least two dimensions that an op multiplies by, and that takes part in backward."""
    nodes, into = flow.trace.nodes, flow.into
    for edge in into[node.id]:
        source = _origin(flow, nodes[edge.source])
        if source.is_leaf and source.status == "executed" and len(source.outputs[0].shape) >= 2:
            return source
    return None


def _origin(flow: Flow, source: Node) -> Node:
    """What a value was before it was turned and cut."""
    for _ in range(4):
        if source.is_leaf or source.op not in ON_THE_WAY or not flow.into[source.id]:
            break
        source = flow.trace.nodes[flow.into[source.id][0].source]
    return source


def _reads_a_result(flow: Flow, layer: Layer) -> bool:
    """Whether a layer multiplies what other ops made, and that gets a gradient from it: what goes round in a recurrence does."""
    sources = (edge.source for edge in flow.into[layer.node.id] if edge.gradient is not None)
    return any(not _origin(flow, flow.trace.nodes[source]).is_leaf for source in sources)


def layers(flow: Flow) -> list[Layer]:
    """The ops that multiply by a weight, in the order they ran."""
    found: list[Layer] = []
    for node in flow.trace.nodes:
        if node.op not in PRODUCTS or node.status != "executed" or not node.gradients or node.gradients[0] is None:
            continue
        norm = node.gradients[0].norm
        if norm is None or norm == 0 or not math.isfinite(norm):
            continue
        weight = weight_of(flow, node)
        if weight is not None:
            found.append(Layer(node, weight, norm))
    return found


def along_depth(flow: Flow) -> Iterator[Finding]:
    """What becomes of the gradient along the layers, and along the uses of one weight in time."""
    found = layers(flow)
    if not found:
        return
    uses: dict[int, list[Layer]] = {}
    for layer in found:
        uses.setdefault(layer.weight.id, []).append(layer)
    deep = sorted((max(one, key=lambda layer: layer.norm) for one in uses.values()), key=lambda layer: layer.node.id)
    if len(deep) >= LEAST_LAYERS:
        yield from vanishing_gradient(deep)
        yield from exploding_gradient(deep)
    gated = sum(node.op in GATES for node in flow.trace.nodes) >= LEAST_USES
    for one in uses.values():
        if len(one) >= LEAST_USES:
            yield from exploding_gradient(one, variant="in_time")
            if not gated and _reads_a_result(flow, one[-1]):
                yield from vanishing_in_time(one)


def vanishing_gradient(found: Sequence[Layer]) -> Iterator[Finding]:
    """Even the largest gradient among the first layers is far below that of the last ones."""
    norms = [layer.norm for layer in found]
    quarter = max(1, len(norms) // 4)
    first, last = max(norms[:quarter]), _median(norms[-quarter:])
    share = first / last
    each = share ** (1 / max(1, len(norms) - quarter))
    if share > VANISHED_SLOWLY and (share > VANISHED or each > STEEP):
        return
    begin, largest = 0, 0.0
    for number, norm in enumerate(norms[:-1]):
        largest = max(largest, norm)
        if largest >= last / 10:
            break
        begin = number
    yield _finding("vanishing_gradient", "", found, found[begin], norms[0] / last)


def vanishing_in_time(found: Sequence[Layer]) -> Iterator[Finding]:
    """Even the largest gradient among the first uses of a weight is lost in the rounding of that of the last ones."""
    norms = [layer.norm for layer in found]
    quarter = len(norms) // 4
    first, last = max(norms[:quarter]), _median(norms[-quarter:])
    if first / last <= VANISHED_SLOWLY:
        yield _finding("vanishing_gradient", "in_time", found, found[-1], norms[0] / last)


def exploding_gradient(found: Sequence[Layer], variant: str = "") -> Iterator[Finding]:
    """The gradient of the first layers is far above even the largest of the last ones."""
    norms = [layer.norm for layer in found]
    quarter = max(1, len(norms) // 4)
    first, last = _median(norms[:quarter]), max(norms[-quarter:])
    if first / last < EXPLODED:
        return
    begin = next((number for number in range(len(norms) - 1, -1, -1) if norms[number] > 10 * last), 0)
    yield _finding("exploding_gradient", variant, found, found[begin], first / last)


def _finding(kind: str, variant: str, found: Sequence[Layer], begin: Layer, ratio: float) -> Finding:
    times = f"{ratio:.1e}"
    return finding(
        kind, "warning", begin.node, name=_place(begin), variant=variant, first=_place(found[0]), last=_place(found[-1]), times=times,
        count=len(found),
    )  # fmt: skip


def _place(layer: Layer) -> str:
    """What a layer is called: its weight."""
    return called(layer.weight)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def saturated(flow: Flow) -> Iterator[Finding]:
    """An activation so far out on its flat side that next to nothing comes through."""
    for node in flow.trace.nodes:
        if node.op not in SQUASHING or node.status != "executed" or not node.gradients or not node.outputs:
            continue
        received, sent = node.gradients[0], next((edge.gradient for edge in flow.into[node.id] if edge.gradient is not None), None)
        if received is None or sent is None or not received.norm or sent.norm is None or (received.numel or 0) < LEAST_ELEMENTS:
            continue
        if math.isfinite(received.norm) and sent.norm / received.norm < SATURATED and not _underflows(received, sent):
            yield finding("vanishing_gradient", "warning", node, variant="saturated", op=node.op, times=f"{sent.norm / received.norm:.1e}")


def underflow(flow: Flow) -> Iterator[Finding]:
    """A gradient that becomes zero as a whole because float16 has no number that small; the first in the order of backward."""
    for number in flow.trace.backward:
        node = flow.trace.nodes[number]
        if node.op not in MULTIPLYING or not node.gradients:
            continue
        received = node.gradients[0]
        given = [flow.trace.nodes[edge.source].outputs[edge.output] for edge in flow.into[number]]
        if received is None or any(is_zero(note) for note in given):
            continue
        if any(edge.gradient is not None and _underflows(received, edge.gradient) for edge in flow.into[number]):
            yield finding("vanishing_gradient", "warning", node, variant="underflow")
            return


def _underflows(received: Note, sent: Note) -> bool:
    """Whether a float16 gradient is zero throughout where a tiny one came in."""
    if sent.dtype != "float16" or not is_zero(sent) or not is_nonzero(received) or received.min is None or received.max is None:
        return False
    return max(abs(received.min), abs(received.max)) < SMALLEST_HALF
