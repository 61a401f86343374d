"""Gradients that are another than what flowed: replaced by a hook, averaged over processes, added to an old one."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.findings.flow import Flow
from explorer.findings.wording import Severity, called, finding, listed
from explorer.model import Finding, Node, Note
from explorer.sums import misfits

MODULE_HOOK = "BackwardHookFunctionBackward"


def replaced_gradient(flow: Flow) -> Iterator[Finding]:
    """The gradient a node received is not the sum of what was sent to it; the hooks that saw it on the way are named."""
    trace = flow.trace
    for number in sorted({node for node, _ in misfits(trace)}):
        node = trace.nodes[number]
        variant = {0: "", 1: "by_hook"}.get(len(node.hooks), "by_hooks")
        yield finding("replaced_gradient", "warning", node, variant=variant, hooks=", ".join(node.hooks))
    yield from _by_modules(flow)


def _by_modules(flow: Flow) -> Iterator[Finding]:
    """The node that torch puts before a module with a full backward hook hands on what it received, unless the hook gives another."""
    for node in flow.trace.nodes:
        if node.autograd != MODULE_HOOK or node.status != "executed":
            continue
        for edge in flow.into[node.id]:
            sent, received = edge.gradient, node.gradients[edge.input] if edge.input < len(node.gradients) else None
            if sent is not None and received is not None and sent.norm is not None and _statistics(sent) != _statistics(received):
                yield finding("replaced_gradient", "warning", node, name=node.module, variant="by_module", module=node.module)
                break


def averaged_gradient(flow: Flow) -> Iterator[Finding]:
    """Under DistributedDataParallel `.grad` holds the average over all processes, beside what this process brought."""
    trace = flow.trace
    if not any(module.class_name == "DistributedDataParallel" for module in trace.modules):
        return
    averaged = [node for node in trace.nodes if node.kind == "parameter" and _is_another(node)]
    if averaged:
        yield finding("averaged_gradient", "info", averaged[0], count=len(averaged))


def _statistics(note: Note) -> str:
    """What tells one gradient from another; as text, so that NaN equals NaN."""
    return repr((note.min, note.max, note.mean, note.norm, note.values))


def _is_another(leaf: Node) -> bool:
    """Whether `.grad`, empty before the pass, holds another gradient after it than the leaf received."""
    brought, accumulated = leaf.gradients[0], leaf.accumulated
    if brought is None or accumulated is None or accumulated.before is not None or accumulated.after is None:
        return False
    after = accumulated.after
    return (after.min, after.max, after.mean, after.norm, after.values) != (
        brought.min, brought.max, brought.mean, brought.norm, brought.values
    )  # fmt: skip


def accumulated_gradient(flow: Flow) -> Iterator[Finding]:
    """Leaves had a gradient before the pass, and this pass added to it.

    Where the old one had already served an update and the sum serves another, zero_grad was forgotten. Where no update has used it, and
    there is an optimizer, gradients are most likely added up on purpose; without an optimizer nobody can tell, and it is a warning.
    """
    spent, updated = flow.evidence.spent, {update.node for update in flow.trace.updates}
    ways: dict[str, list[Node]] = {}
    for node in flow.trace.nodes:
        before = node.accumulated.before if node.accumulated else None
        if before is None or node.status != "executed" or before.norm == 0:
            continue
        if node.id in spent:
            way = "spent" if node.id in updated else "left_over"
        else:
            way = "on_purpose" if flow.evidence.has_optimizer else ""
        ways.setdefault(way, []).append(node)
    for way, nodes in ways.items():
        severity: Severity = "warning" if way in ("spent", "") else "info"
        names = listed([called(node) for node in nodes])
        yield finding("accumulated_gradient", severity, nodes[0], source=flow.evidence.backward, variant=way, names=names)
