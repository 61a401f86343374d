"""A trace in a few lines, as a debugger or a terminal prints it: what it is, its parameters, what was found, and what to do with it."""

from __future__ import annotations

from explorer.findings.wording import called
from explorer.model import Node, Trace
from explorer.text import say

__all__ = ["summary"]

MOST_LEAVES = 12
MOST_FINDINGS = 5


def summary(trace: Trace, language: str = "en") -> str:
    """The lines, joined."""
    lines = [trace.outline()]
    leaves = [node for node in trace.nodes if node.kind in ("parameter", "input") and node.outputs]
    lines += [f"  {_leaf(node, language)}" for node in leaves[:MOST_LEAVES]]
    if len(leaves) > MOST_LEAVES:
        lines.append("  " + say("summary.more_leaves", language, count=len(leaves) - MOST_LEAVES))
    if trace.checks is not None:
        counts = {
            verdict: sum(check.verdict == verdict for check in trace.checks.nodes) for verdict in ("equal", "close", "wrong", "skipped")
        }
        told = ", ".join(f"{count} {say(f'check.verdict.{verdict}', language)}" for verdict, count in counts.items() if count)
        lines.append("  " + say("summary.checks", language, counts=told or "0"))
    lines += [
        "  " + say(f"check.finding.{finding.severity}", language, message=finding.message[language])
        for finding in trace.findings[:MOST_FINDINGS]
        if finding.severity != "info"
    ]
    if not trace.backward and trace.nodes:
        lines.append("  " + say("summary.structure", language))
    lines.append("  " + say("summary.next", language))
    return "\n".join(lines)


def _leaf(node: Node, language: str) -> str:
    note = node.outputs[0]
    shape = "×".join(map(str, note.shape)) or "1"
    gradient = node.gradients[0] if node.gradients and node.gradients[0] is not None else None
    if gradient is None and node.accumulated is not None:
        gradient = node.accumulated.after
    key = "summary.leaf" if gradient is not None and gradient.norm is not None else "summary.leaf_without"
    norm = "" if gradient is None or gradient.norm is None else f"{gradient.norm:.4g}"
    return say(key, language, name=called(node), shape=shape, dtype=note.dtype, norm=norm)
