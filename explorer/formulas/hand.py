"""The chain rule by hand: a gradient as the sum over all paths from the loss, each a product of local derivatives: `by_hand`.

Nothing of autograd's own backward is used but what it started with: each step is worked out by its rule from the values that the forward
pass left in the trace, so that the result is independent of what torch delivered, and can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.figures import figure, shape_text
from explorer.formulas.language import parse, spelled
from explorer.formulas.names import bracketed, called, named_symbols, plain_values, values_text
from explorer.formulas.numbers import Numbers, Reason, array
from explorer.formulas.rounding import COARSEST, ROUNDINGS, STEPS, largest_difference
from explorer.formulas.simplify import ONE, replaced, simplified
from explorer.formulas.symbolic import Symbolic, symbolic
from explorer.model import MOST_VALUES, Edge, Node, Trace
from explorer.text import say

__all__ = ["ByHand", "Factor", "Path", "by_hand"]

MOST_PATHS = 12  # are shown one by one; all are in the sum
MOST_NODES = 2_000  # between a node and the loss

Place = tuple[int, int]  # a node and the number of its output


@dataclass(frozen=True, slots=True)
class Factor:
    """One step down a path, from the op `node` to its argument number `input`.

    `local` is the derivative itself where both are single numbers; `text` says how it comes about; `partial` is the product so far.
    """

    node: int
    input: int
    source: int
    text: str
    local: float | None
    partial: Any


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the loss to the node: `nodes` from the loss down, the `seed` backward starts with, a factor for each step."""

    nodes: tuple[int, ...]
    seed: Any
    factors: tuple[Factor, ...]
    result: Any
    text: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """A gradient by hand. `paths` are the first ones, `hidden` counts the others; `total` is the sum over all of them.

    `autograd` is what torch has, `difference` the largest between the two, `verdict` and `note` say what that means. Where the sum cannot
    be worked out `total` is None and `note` says why. `symbolic` is the whole as one expression, for small graphs of single numbers.
    """

    node: int
    output: int
    name: str
    paths: tuple[Path, ...]
    hidden: int
    total: Any
    autograd: Any
    difference: float | None
    verdict: str
    note: str
    symbolic: Symbolic | None


class _Stop(Exception):
    """The sum cannot be worked out; holds the reason."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def by_hand(trace: Trace | Numbers, node_id: int, *, output: int = 0, language: str = "en") -> ByHand:
    """The gradient of a node's output, path by path and in sum, from the trace's own values.

    Raises ValueError where a file that no program wrote gives a value and its gradient different shapes.
    """
    numbers = trace if isinstance(trace, Numbers) else Numbers(trace)
    node = numbers.trace.nodes[node_id]
    start = (node_id, output)
    note = node.gradients[output]
    delivered = None if note is None else array(note)
    try:
        between = _between(numbers, start)
        total, magnitude = _sums(numbers, between)[start]
        count = _count(numbers, between)[start]
        paths = [_path(numbers, edges) for edges, _ in zip(_edges(numbers, start, between), range(MOST_PATHS), strict=False)]
    except _Stop as stop:
        key, values = stop.reason
        reason = say(key, language, **values)
        return ByHand(node_id, output, called(node, output), (), 0, None, note and note.values, None, "unknown", reason, None)
    difference, verdict, words = _compared(total, magnitude, delivered, "" if note is None else note.dtype, len(between), language)
    return ByHand(
        node=node_id,
        output=output,
        name=called(node, output),
        paths=tuple(paths),
        hidden=count - len(paths),
        total=plain_values(total),
        autograd=None if note is None else note.values,
        difference=difference,
        verdict=verdict,
        note=words,
        symbolic=symbolic(numbers, [list(edges) for edges in _edges(numbers, start, between)], start) if count <= MOST_PATHS else None,
    )


# --- what lies between -------------------------------------------------------------------------------------------------------------------


def _between(numbers: Numbers, start: Place) -> list[int]:
    """The nodes on any path from `start` to where backward began, `start` among them, in forward order."""
    found, waiting = {start[0]}, [start[0]]
    while waiting:
        node = waiting.pop()
        for edge in numbers.out(node):
            if (node != start[0] or edge.output == start[1]) and _carries(edge) and edge.target not in found:
                found.add(edge.target)
                waiting.append(edge.target)
        if len(found) > MOST_NODES:
            raise _Stop(("working.long_way", {"count": MOST_NODES}))
    if not any(seed is not None for node in found for seed in numbers.trace.nodes[node].seeds):
        raise _Stop(("working.nothing_flowed", {}))
    return sorted(found)


def _carries(edge: Edge) -> bool:
    return edge.differentiable and edge.gradient is not None


def _seed(numbers: Numbers, place: Place) -> Any:
    note = numbers.trace.nodes[place[0]].seeds[place[1]]
    if note is None:
        return None
    value = array(note)
    if value is None:
        raise _Stop(("working.not_recorded", {"what": "g"}))
    return value


def _step(numbers: Numbers, node: Node, upstream: Mapping[int, Any]) -> dict[tuple[int, int, int], Any]:
    """What the rule of a node sends along each edge, by source, output and input, for these upstream gradients."""
    rule = numbers.rule(node)
    if rule is None or not rule.is_executable:
        raise _Stop(("working.no_rule", {"name": node.autograd or node.op or ""}))
    given = [upstream.get(number) for number in range(len(node.outputs))]
    sent = {}
    for one in numbers.contributions(node, numbers.setting(node, rule, upstream=given)):
        if one.value is None:
            key, values = one.reason or ("working.unmatched", {})
            if "what" in values:
                names = named_symbols(numbers, node, rule)
                values = {"what": names.get(values["what"], values["what"])}
            raise _Stop((key, values))
        sent[one.edge.source, one.edge.output, one.edge.input] = np.asarray(one.value, dtype=np.float64)
    return sent


def _sums(numbers: Numbers, between: list[int]) -> dict[Place, tuple[Any, float]]:
    """The gradient of every place on the way, from the loss down, and the sum of the sizes of what was added up in it."""
    sums: dict[Place, tuple[Any, float]] = {}
    first = between[0]
    for number in reversed(between):
        node = numbers.trace.nodes[number]
        for output in range(len(node.outputs)):
            seed = _seed(numbers, (number, output))
            if seed is not None:
                _add(sums, (number, output), seed)
        if number == first or not node.autograd or node.is_leaf:
            continue
        upstream = {output: sums[number, output][0] for output in range(len(node.outputs)) if (number, output) in sums}
        if not upstream:
            continue
        for (source, output, _), value in _step(numbers, node, upstream).items():
            _add(sums, (source, output), value)
    return sums


def _add(sums: dict[Place, tuple[Any, float]], place: Place, value: Any) -> None:
    size = float(np.abs(value[np.isfinite(value)]).max(initial=0.0))
    before = sums.get(place)
    sums[place] = (value, size) if before is None else (before[0] + value, before[1] + size)


def _count(numbers: Numbers, between: list[int]) -> dict[Place, int]:
    """How many paths lead from each place to where backward began."""
    counts: dict[Place, int] = {}
    inside = set(between)
    for number in reversed(between):
        node = numbers.trace.nodes[number]
        for output in range(len(node.outputs)):
            ways = sum(
                sum(counts[edge.target, at] for at in range(len(numbers.trace.nodes[edge.target].outputs)))
                for edge in numbers.out(number)
                if edge.output == output and _carries(edge) and edge.target in inside
            )
            counts[number, output] = ways + (node.seeds[output] is not None)
    return counts


# --- path by path ------------------------------------------------------------------------------------------------------------------------


def _edges(numbers: Numbers, start: Place, between: list[int]) -> Iterator[tuple[Place, tuple[tuple[Edge, int], ...]]]:
    """Each path as where backward began, then its edges from there down, each with the output of its target that the path comes from."""
    inside = set(between)
    waiting: list[tuple[Place, tuple[tuple[Edge, int], ...]]] = [(start, ())]
    while waiting:
        (number, output), path = waiting.pop()
        node = numbers.trace.nodes[number]
        following = [
            ((edge.target, at), ((edge, at), *path))
            for edge in numbers.out(number)
            if edge.output == output and _carries(edge) and edge.target in inside
            for at in range(len(numbers.trace.nodes[edge.target].outputs))
            if node.id != edge.target
        ]
        waiting += reversed(following)
        if node.seeds[output] is not None:
            yield (number, output), path


def _path(numbers: Numbers, way: tuple[Place, tuple[tuple[Edge, int], ...]]) -> Path:
    """One path worked out: the seed, then the rule of each node on the way, with what came down this path alone."""
    root, edges = way
    seed = partial = _seed(numbers, root)
    factors = []
    for edge, output in edges:
        node = numbers.trace.nodes[edge.target]
        place = (edge.source, edge.output, edge.input)
        single = partial.size == 1 and numbers.trace.nodes[edge.source].outputs[edge.output].numel == 1
        local = float(_step(numbers, node, {output: np.ones_like(partial)})[place].reshape(())) if single else None
        partial = _step(numbers, node, {output: partial})[place]
        factors.append(_factor(numbers, node, output, edge, local, partial))
    return Path(
        nodes=(root[0], *(edge.source for edge, _ in edges)),
        seed=plain_values(seed),
        factors=tuple(factors),
        result=plain_values(partial),
        text=_product(seed, factors, partial),
    )


def _factor(numbers: Numbers, node: Node, output: int, edge: Edge, local: float | None, partial: Any) -> Factor:
    rule = numbers.rule(node)
    assert rule is not None
    symbol = next(slot.symbol for slot, edges in numbers.slots(node, rule) if any(one is edge for one in edges))
    names = named_symbols(numbers, node, rule)
    source = called(numbers.trace.nodes[edge.source], edge.output)
    tree = replaced(parse(rule.gradients[symbol]), numbers.setting(node, rule).constants())
    if local is not None:
        left = f"∂{called(node, output)}/∂{source}"
        without = simplified(replaced(tree, {"g": ONE}))
        text = f"{left} = {spelled(without, lambda name: names.get(name, name))}"
        text += "" if text.endswith(f" = {figure(local)}") else f" = {figure(local)}"
    else:
        formula = spelled(simplified(tree), lambda name: names.get(name, name))
        end = f" = {values_text(partial)}" if partial.size <= MOST_VALUES else f" {shape_text(partial.shape)}"
        text = f"∂L/∂{source} = {formula}{end}"
    return Factor(node.id, edge.input, edge.source, text, local, plain_values(partial))


def _product(seed: Any, factors: list[Factor], result: Any) -> str:
    """ "1 × (−1.0889) × 0.075 × 1.1 = −0.0898" where every factor is a number; else the products one after the other."""
    if np.size(seed) == 1 and all(one.local is not None for one in factors):
        terms = [figure(float(seed.reshape(()))), *(bracketed(figure(one.local or 0.0)) for one in factors)]
        return f"{' × '.join(terms)} = {figure(float(result.reshape(())))}"
    return " → ".join(
        values_text(value) for value in (seed, *(np.asarray(one.partial) for one in factors)) if np.size(value) <= MOST_VALUES
    )


def _compared(total: Any, magnitude: float, delivered: Any, dtype: str, nodes: int, language: str) -> tuple[float | None, str, str]:
    if delivered is None:
        return None, "unknown", say("working.not_delivered" if not dtype else "working.too_many_here", language)
    if np.shape(total) != np.shape(delivered):
        raise ValueError(f"a gradient of shape {np.shape(delivered)} for a value of shape {np.shape(total)}: not what any op gave")
    difference = largest_difference(total, delivered)
    if difference == 0:
        return 0.0, "equal", say("working.equal", language)
    allowed = ROUNDINGS * STEPS.get(dtype, COARSEST) * max(1.0, nodes / 8) * magnitude
    verdict = "close" if difference <= allowed else "differs"
    return difference, verdict, say(f"working.{verdict}", language, difference=figure(difference), dtype=dtype)
