"""Why the numbers are what they are, for the player: the rule of each node, and what verification said of it and of each gradient.

What is the same in every language stands apart from sentences, which are numbered, so that an exported file holds it once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from explorer.checking import plain
from explorer.formulas import mathml, rule_for
from explorer.model import Checks, GradientCheck, Trace
from explorer.text import TEXTS, say

__all__ = ["explained"]


def explained(trace: Trace, language: str) -> dict[str, Any]:
    """What the payload holds of it: rules in maths and in words, the number of each node's rule, verdicts and their reasons."""
    rules = [None if node.autograd is None else rule_for(node.autograd, node.arguments) for node in trace.nodes]
    used = {rule.key: rule for rule in rules if rule is not None}
    number = {key: place for place, key in enumerate(used)}
    reasons = list(dict.fromkeys(_reasons(trace.checks)))
    return {
        "maths": [mathml(rule.latex, block=True) for rule in used.values()],
        "rule_words": [rule.words[language] for rule in used.values()],
        "rules": [None if rule is None else number[rule.key] for rule in rules],
        "checks": _checks(trace.checks, {reason: number for number, reason in enumerate(reasons)}),
        "reasons": [_reason(reason, language) for reason in reasons],
    }


# -- verification


def _reasons(checks: Checks | None) -> Iterator[str]:
    for check in () if checks is None else checks.each():
        if check.reason is not None:
            yield check.reason


def _reason(reason: str, language: str) -> str:
    """The sentence of a reason: a word, and after a colon what it is about."""
    word, _, about = reason.partition(":")
    key = f"check.reason.{word.strip()}"
    return say(key, language, what=about.strip()) if key in TEXTS else reason


def _checks(checks: Checks | None, reasons: dict[str, int]) -> dict[str, Any] | None:
    """Verdicts by node, how many of each, and the gradients that were held against differences; None where nothing was verified."""
    if checks is None:
        return None
    counts: dict[str, int] = {}
    nodes: dict[str, list[Any]] = {}
    for check in checks.nodes:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
        nodes[str(check.node)] = [check.verdict, plain(check.max_abs_error), None if check.reason is None else reasons[check.reason]]
    return {"nodes": nodes, "counts": counts, "gradients": [_gradient(check, reasons) for check in checks.gradients]}


def _gradient(check: GradientCheck, reasons: dict[str, int]) -> dict[str, Any]:
    return {
        "node": check.node,
        "output": check.output,
        "numeric": plain(check.numeric),
        "checked": check.checked,
        "size": math.prod(check.shape),
        "verdict": check.verdict,
        "error": plain(check.max_abs_error),
        "reason": None if check.reason is None else reasons[check.reason],
        "curve": [[plain(point.step), plain(point.error)] for point in check.curve],
    }
