"""NaN and infinity: where the first of them arose, in the values of the forward pass and in gradients."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.findings.causes import UNFILLED, cause_of_gradient, cause_of_inf, cause_of_nan, largest_of, sent_by
from explorer.findings.flow import Flow
from explorer.findings.origins import first_reader, leading, makers, origins, spoiled_ends, what_of, where_of
from explorer.findings.wording import Severity, finding
from explorer.model import Edge, Finding, Node, Note, Related, Trace


def not_finite(flow: Flow) -> Iterator[Finding]:
    """The first NaN and the first infinity of the forward pass, and of the gradients; whichever came first is told first."""
    place = {number: index for index, number in enumerate(flow.trace.backward)}
    yield from sorted((*nan_forward(flow), *inf_forward(flow)), key=lambda found: found.node or 0)
    yield from sorted((*nan_gradient(flow), *inf_gradient(flow)), key=lambda found: place.get(found.node or 0, 0))


def nan_forward(flow: Flow) -> Iterator[Finding]:
    """Where the first NaN came from that spoils the loss or a gradient; if there is none that does, a NaN that spoils nothing is a note."""
    spoiling = _spoiling(flow)
    first = origins(flow, _has_nan)
    for node in first:
        if node.id in spoiling:
            yield _first_nan(flow, node)
            return
    yield from [_of_tensor(flow, node, "nan_forward", "info", "unread") for node in first if _is_of_note(flow, node)][:1]


def _spoiling(flow: Flow) -> set[int]:
    """The nodes whose NaN goes on to the loss, or into the op in whose backward it makes the first NaN."""
    return leading(flow, spoiled_ends(flow, _has_nan) | {node.id for node in makers(flow, _has_nan)}, _has_nan)


def _first_nan(flow: Flow, node: Node) -> Finding:
    if node.kind != "op" and node.op is None:
        variant = "learned" if node.kind in ("parameter", "buffer") else "given"
        return _of_tensor(flow, node, "nan_forward", "error", variant)
    where = _left_out(flow.trace, node)
    if where is not None:
        return finding("nan_forward", "error", node, variant="left_out", related=where)
    cause = cause_of_nan(flow, node)
    return finding("nan_forward", "error", node, why=f"@finding.cause.{cause}", cure=f"@finding.cure.{cause}")


def _is_of_note(flow: Flow, node: Node) -> bool:
    """Whether a NaN that spoils nothing is worth a word: not what torch itself leaves behind or chooses where there is no result."""
    if node.op in UNFILLED or (node.kind != "op" and node.op is not None and _left_out(flow.trace, node) is not None):
        return False
    reader = node if node.source else first_reader(flow, node)
    return reader is not None and not flow.is_by_library(reader)


def _of_tensor(flow: Flow, node: Node, kind: str, severity: Severity, variant: str) -> Finding:
    """What is said of a tensor that no op of the pass made, or that nothing reads: its line, and how much of it is not finite."""
    note = next(filter(_has_nan if kind == "nan_forward" else _has_inf, node.outputs))
    line, what, count = where_of(flow, node), what_of(flow, node), note.nans if kind == "nan_forward" else note.infs
    return finding(kind, severity, node, variant=variant, source=line, what=what, count=count, numel=note.numel)


def inf_forward(flow: Flow) -> Iterator[Finding]:
    """Where the first infinity came from that reached the loss, or became a NaN that is told: masks are filled with it on purpose."""
    reached = spoiled_ends(flow, _has_inf) if flow.seeded else set()
    spoiling = leading(flow, reached | set(_through_infinity(flow)), _has_inf)
    for node in origins(flow, _has_inf):
        if node.id in spoiling:
            yield _first_infinity(flow, node)
            return


def _through_infinity(flow: Flow) -> Iterator[int]:
    """The nodes that make a NaN, in their result or in their backward, out of an infinity."""
    spoiling = _spoiling(flow)
    nan = next((node for node in origins(flow, _has_nan) if node.id in spoiling), None)
    if nan is not None and cause_of_nan(flow, nan) in ("infinite_by_infinite", "zero_times_infinite", "infinite_less_infinite"):
        yield nan.id
    for is_bad in (_has_nan, _has_inf):
        for node in makers(flow, is_bad)[:1]:
            if cause_of_gradient(flow, node, infinite=is_bad is _has_inf) == "value_not_finite" and _starved_by(flow, node) is None:
                yield node.id


def _first_infinity(flow: Flow, node: Node) -> Finding:
    if node.kind != "op" and node.op is None:
        return _of_tensor(flow, node, "inf_forward", "error", "learned" if node.kind in ("parameter", "buffer") else "given")
    cause, bad = cause_of_inf(flow, node), next(filter(_has_inf, node.outputs))
    variant, largest = "overflow" if cause == "overflow" else "", largest_of(bad.dtype)
    why, cure = f"@finding.cause.{cause}", f"@finding.cure.{cause}"
    return finding("inf_forward", "error", node, variant=variant, why=why, cure=cure, largest=largest)


def nan_gradient(flow: Flow) -> Iterator[Finding]:
    """The op whose backward made the first NaN."""
    for node in makers(flow, _has_nan)[:1]:
        where = _starved_by(flow, node)
        if where is not None:
            yield finding("nan_gradient", "error", node, variant="left_out", related=where)
        else:
            yield _first_gradient(flow, "nan_gradient", node)


def inf_gradient(flow: Flow) -> Iterator[Finding]:
    """The op whose backward made the first infinity."""
    yield from (_first_gradient(flow, "inf_gradient", node) for node in makers(flow, _has_inf)[:1])


def _starved_by(flow: Flow, node: Node) -> tuple[Related, ...] | None:
    """The `torch.where` that sends back 0 to `node` because it leaves out its result; None if there is none."""
    return _left_out(flow.trace, node) if any(note is not None and note.zeros for note in node.gradients) else None


def _first_gradient(flow: Flow, kind: str, node: Node) -> Finding:
    cause = cause_of_gradient(flow, node, infinite=kind == "inf_gradient")
    variant, largest = "overflow" if cause.endswith("_overflow") else "", largest_of(sent_by(flow, node))
    return finding(kind, "error", node, variant=variant, why=f"@finding.cause.{cause}", cure=f"@finding.cure.{cause}", largest=largest)


def _has_nan(note: Note) -> bool:
    return bool(note.nans)


def _has_inf(note: Note) -> bool:
    return bool(note.infs)


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
