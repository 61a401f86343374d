"""NaN and infinity: where the first of them arose, in the values of the forward pass and in gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.findings.causes import cause_of_gradient, cause_of_inf, cause_of_nan, largest_of
from explorer.findings.flow import Flow
from explorer.findings.wording import finding
from explorer.model import Edge, Finding, Node, Note, Related, Trace

# Ops that give out memory with whatever is in it.
UNFILLED = frozenset("empty new_empty empty_like empty_strided new_empty_strided".split())


def not_finite(flow: Flow) -> Iterator[Finding]:
    """The first NaN and the first infinity of the forward pass, and of the gradients; whichever came first is told first."""
    place = {number: index for index, number in enumerate(flow.trace.backward)}
    yield from sorted((*nan_forward(flow), *inf_forward(flow)), key=lambda found: found.node or 0)
    yield from sorted((*nan_gradient(flow), *inf_gradient(flow)), key=lambda found: place.get(found.node or 0, 0))


def nan_forward(flow: Flow) -> Iterator[Finding]:
    """The op that made the first NaN of the forward pass."""
    yield from _first_value(flow, "nan_forward", lambda note: bool(note.nans))


def inf_forward(flow: Flow) -> Iterator[Finding]:
    """The op that made the first infinity of the forward pass and lies on the way to the loss: masks are filled with it on purpose."""
    yield from _first_value(flow, "inf_forward", lambda note: bool(note.infs))


def _first_value(flow: Flow, kind: str, is_bad: Callable[[Note], bool]) -> Iterator[Finding]:
    trace = flow.trace
    seeded = {node.id for node in trace.nodes if any(node.seeds)}
    spoiled = {node.id for node in trace.nodes if any(map(is_bad, node.outputs))}
    if not spoiled or (kind == "inf_forward" and not seeded & spoiled):
        return
    fed = {edge.target for edge in trace.edges if is_bad(trace.nodes[edge.source].outputs[edge.output])}
    for node in trace.nodes:
        if node.id in spoiled and node.id not in fed:
            if node.op in UNFILLED and not seeded & spoiled:
                continue  # memory as it was found, which the program is about to fill
            where = _left_out(trace, node) if kind == "nan_forward" else None
            if where is not None and node.kind == "constant" and node.op is not None:
                continue  # a NaN that was written down, as torch.logdet does, to be chosen where there is no result
            if where is not None:
                yield finding(kind, "error", node, variant="left_out", related=where)
            else:
                cause = cause_of_nan(flow, node) if kind == "nan_forward" else cause_of_inf(flow, node)
                variant = "overflow" if cause == "overflow" else ""
                why, cure = f"@finding.cause.{cause}", f"@finding.cure.{cause}"
                yield finding(kind, "error", node, variant=variant, why=why, cure=cure, largest=largest_of(node))
            return


def nan_gradient(flow: Flow) -> Iterator[Finding]:
    """The op whose backward made the first NaN."""
    yield from _first_gradient(flow, "nan_gradient", lambda note: bool(note.nans))


def inf_gradient(flow: Flow) -> Iterator[Finding]:
    """The op whose backward made the first infinity."""
    yield from _first_gradient(flow, "inf_gradient", lambda note: bool(note.infs))


def _first_gradient(flow: Flow, kind: str, is_bad: Callable[[Note], bool]) -> Iterator[Finding]:
    trace = flow.trace
    sent = {edge.target for edge in trace.edges if edge.gradient is not None and is_bad(edge.gradient)}
    for number in trace.backward:
        node = trace.nodes[number]
        received = any(note is not None and is_bad(note) for note in node.gradients)
        if number in sent and not received:
            starved = any(note is not None and note.zeros for note in node.gradients)
            where = _left_out(trace, node) if kind == "nan_gradient" and starved else None
            if where is not None:
                yield finding(kind, "error", node, variant="left_out", related=where)
            else:
                cause = cause_of_gradient(flow, node)
                yield finding(kind, "error", node, why=f"@finding.cause.{cause}", cure=f"@finding.cure.{cause}")
            return


def _left_out(trace: Trace, node: Node) -> tuple[Related, ...] | None:
    """The `torch.where` that leaves out what is not finite on the way from `node` to a finite loss; None if there is none."""
    ends = [note for end in trace.nodes if any(end.seeds) for note in end.outputs]
    if not ends or any(note.nans or note.infs for note in ends):
        return None
    outgoing: dict[int, list[Edge]] = {}
    for edge in trace.edges:
        outgoing.setdefault(edge.source, []).append(edge)
    pending, seen = [node.id], {node.id}
    while pending:
        for edge in outgoing.get(pending.pop(), ()):
            target = trace.nodes[edge.target]
            if target.op == "where" and _leaves_out(trace, edge):
                return () if target.source is None else (Related("where", target.source),)
            if edge.differentiable and target.id not in seen:
                seen.add(target.id)
                pending.append(target.id)
    return None


def _leaves_out(trace: Trace, branch: Edge) -> bool:
    """Whether a `torch.where` does not take some element of what `branch` brings to it, by the condition that it was given."""
    given = (edge for edge in trace.edges if edge.target == branch.target and edge.input == 0)
    condition = next((trace.nodes[edge.source].outputs[edge.output] for edge in given), None)
    if condition is None or condition.zeros is None or condition.numel is None:
        return False
    return (branch.input == 1 and condition.zeros > 0) or (branch.input == 2 and condition.zeros < condition.numel)
