"""Where the flow of gradients is cut, by the line that cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.findings.wording import called, finding
from explorer.model import Finding, Node, Trace


def detached(trace: Trace) -> Iterator[Finding]:
    """A value that could carry a gradient is detached on its way to something that backward started from."""
    yield from _cuts(trace, "detached", lambda node: node.reason == "detach")


def integer_cut(trace: Trace) -> Iterator[Finding]:
    """A value that could carry a gradient is cast to integers and still reaches the loss; a mask made by comparing is no cast."""
    yield from _cuts(trace, "integer_cut", lambda node: node.reason == "integer" and node.op == "_to_copy")


def _cuts(trace: Trace, kind: str, is_cut: Callable[[Node], bool]) -> Iterator[Finding]:
    useful = _reaches_loss(trace)
    could = {node.id for node in trace.nodes if node.status in ("executed", "not executed")}
    sources: dict[int, int] = {}
    for edge in trace.edges:
        if edge.source in could:
            sources.setdefault(edge.target, edge.source)
    for node in trace.nodes:
        if is_cut(node) and node.id in useful and node.id in sources:
            yield finding(kind, "warning", node, name=called(trace.nodes[sources[node.id]]))


def _reaches_loss(trace: Trace) -> set[int]:
    """Nodes from which a value flows, by any edge, into a node that backward started from."""
    reach = {node.id for node in trace.nodes if any(seed is not None for seed in node.seeds)}
    incoming: dict[int, list[int]] = {}
    for edge in trace.edges:
        incoming.setdefault(edge.target, []).append(edge.source)
    pending = sorted(reach)
    while pending:
        for source in incoming.get(pending.pop(), ()):
            if source not in reach:
                reach.add(source)
                pending.append(source)
    return reach


def no_grad(trace: Trace) -> Iterator[Finding]:
    """Part of the forward pass kept no graph on purpose."""
    silent = [node for node in trace.nodes if node.reason in ("no_grad", "inference_mode")]
    if silent:
        yield finding("no_grad", "info", silent[0], count=len(silent))
