"""Why the numbers are what they are, for the player: the rule of each node, and what verification said of it and of each gradient."""

from __future__ import annotations

from typing import Any

from explorer.checking import plain
from explorer.formulas import Rule, mathml, rule_for
from explorer.model import Checks, GradientCheck, NodeCheck, Trace
from explorer.text import TEXTS, say

__all__ = ["rules", "verified"]


def rules(trace: Trace, language: str) -> tuple[list[dict[str, str]], list[int | None]]:
    """Each rule that the trace needs, once, in maths and in words; and for each node the number of its rule, None where we have none."""
    found: dict[str, int] = {}
    written: list[dict[str, str]] = []
    numbers: list[int | None] = []
    for node in trace.nodes:
        rule = None if node.autograd is None else rule_for(node.autograd, node.arguments)
        if rule is not None and rule.key not in found:
            found[rule.key] = len(written)
            written.append(_rule(rule, language))
        numbers.append(None if rule is None else found[rule.key])
    return written, numbers


def _rule(rule: Rule, language: str) -> dict[str, str]:
    return {"maths": mathml(rule.latex, block=True), "words": rule.words[language]}


def verified(trace: Trace, language: str) -> dict[str, Any] | None:
    """Verdicts by node, how many of each, and the gradients that were held against differences; None where nothing was verified."""
    checks = trace.checks
    if checks is None:
        return None
    return {
        "nodes": {str(check.node): _node(check, language) for check in checks.nodes},
        "counts": _counts(checks),
        "gradients": [_gradient(check, language) for check in checks.gradients],
    }


def _counts(checks: Checks) -> dict[str, int]:
    counts: dict[str, int] = {}
    for check in checks.nodes:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
    return counts


def _node(check: NodeCheck, language: str) -> list[Any]:
    return [check.verdict, plain(check.max_abs_error), _reason(check.reason, language)]


def _gradient(check: GradientCheck, language: str) -> dict[str, Any]:
    size = 1
    for length in check.shape:
        size *= length
    return {
        "node": check.node,
        "output": check.output,
        "autograd": plain(check.autograd),
        "numeric": plain(check.numeric),
        "checked": check.checked,
        "size": size,
        "verdict": check.verdict,
        "error": plain(check.max_abs_error),
        "relative": plain(check.max_rel_error),
        "reason": _reason(check.reason, language),
        "curve": [[plain(point.step), plain(point.error)] for point in check.curve],
    }


def _reason(reason: str | None, language: str) -> str | None:
    """The sentence of a reason: a word, and after a colon what it is about."""
    if reason is None:
        return None
    word, _, about = reason.partition(":")
    key = f"check.reason.{word.strip()}"
    return say(key, language, what=about.strip()) if key in TEXTS else reason
