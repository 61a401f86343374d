"""Why the numbers are what they are, for the player: rules, arithmetic, gradients by hand, and what verification said.

What is the same in every language stands apart from sentences, which are numbered, so that an exported file holds it once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from explorer.checking import plain
from explorer.formulas import Numbers, by_hand, explain, mathml, rule_for
from explorer.model import Checks, GradientCheck, Node, Trace
from explorer.text import say
from explorer.verdicts import reason_text

__all__ = ["MOST_BY_HAND", "MOST_EXPLAINED", "explained", "explained_nodes", "verified"]


MOST_EXPLAINED = 1_000  # executed nodes of which the arithmetic is sent: some 0.1 ms and 250 bytes each
MOST_BY_HAND = 100  # nodes: every gradient is worked out along all its paths, so this grows with the square
MOST_STORED = 4_000_000  # bytes of whole tensors (--values all) that the arithmetic is worked out with
MOST_WRITTEN = 20_000  # characters of one node's arithmetic

# Raised where a file that we did not write gives an op arguments or shapes that no op could have had.
CONTRADICTIONS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def explained(trace: Trace, language: str) -> dict[str, Any]:
    """What the payload holds of it: rules in maths and in words, the number of each node's rule, arithmetic, verdicts and reasons."""
    numbers = Numbers(trace if sum(len(one.data) for one in trace.tensors.values()) <= MOST_STORED else replace(trace, tensors={}))
    rules, tables = _rules(trace.nodes, language)
    return {
        **tables,
        "rules": rules,
        **_arithmetic(numbers, language),
        "hand": _by_hand(numbers, language),
        **verified(trace, language),
    }


def explained_nodes(numbers: Numbers, nodes: Sequence[int], language: str) -> dict[str, Any]:
    """The rules and the arithmetic of these nodes alone, of a trace of any size."""
    told = [numbers.trace.nodes[id] for id in nodes]
    rules, tables = _rules(told, language)
    notes: dict[str, int] = {}
    arithmetic = {str(node.id): _worked(numbers, node, language, notes) for node in told if _has_arithmetic(numbers, node)}
    arithmetic = {node: worked for node, worked in arithmetic.items() if worked != []}
    return {**tables, "rules": rules, "arithmetic": arithmetic, "notes": list(notes)}


def verified(trace: Trace, language: str) -> dict[str, Any]:
    """What verification said, and why some things are not told of a large trace."""
    reasons = list(dict.fromkeys(_reasons(trace.checks)))
    return {
        "too_many": say("player.too_many_explained", language, most=MOST_EXPLAINED),
        "too_many_by_hand": say("player.too_many_by_hand", language, most=MOST_BY_HAND),
        "checks": _checks(trace.checks, {reason: number for number, reason in enumerate(reasons)}),
        "reasons": [reason_text(reason, language) for reason in reasons],
    }


def _rules(nodes: Iterable[Node], language: str) -> tuple[list[int | None], dict[str, Any]]:
    """The number of each node's rule, and the rules in maths and in words."""
    rules = [None if node.autograd is None else rule_for(node.autograd, node.arguments) for node in nodes]
    used = {rule.key: rule for rule in rules if rule is not None}
    number = {key: place for place, key in enumerate(used)}
    maths = [mathml(rule.latex, block=True) for rule in used.values()]
    words = [rule.words[language] for rule in used.values()]
    return [None if rule is None else number[rule.key] for rule in rules], {"maths": maths, "rule_words": words}


# -- arithmetic


def _arithmetic(numbers: Numbers, language: str) -> dict[str, Any]:
    """The lines of each executed node with a rule, and the sentences that they are compared with; None for a trace of too many nodes."""
    nodes = [node for node in numbers.trace.nodes if _has_arithmetic(numbers, node)]
    if len(nodes) > MOST_EXPLAINED:
        return {"arithmetic": None, "notes": []}
    notes: dict[str, int] = {}
    found = {str(node.id): _worked(numbers, node, language, notes) for node in nodes}
    return {"arithmetic": {node: worked for node, worked in found.items() if worked != []}, "notes": list(notes)}


def _has_arithmetic(numbers: Numbers, node: Node) -> bool:
    return node.status == "executed" and numbers.rule(node) is not None


def _worked(numbers: Numbers, node: Node, language: str, notes: dict[str, int]) -> list[Any] | None:
    """The arithmetic of one node; None where it is too long, nothing where the file contradicts itself. Sentences go to `notes`."""
    try:
        one = explain(numbers, node.id, language)
    except CONTRADICTIONS:
        return []
    inputs = [[way.source, way.name, list(way.lines), way.verdict, notes.setdefault(way.note, len(notes))] for way in one.inputs]
    written = [list(one.received), list(one.definitions), inputs]
    return written if len(str(written)) <= MOST_WRITTEN else None


def _by_hand(numbers: Numbers, language: str) -> dict[str, Any] | None:
    """Each gradient by hand, by "node.output"; None for a trace of too many nodes."""
    trace = numbers.trace
    if len(trace.nodes) > MOST_BY_HAND:
        return None
    return {
        f"{node.id}.{output}": _hand(numbers, node.id, output, language)
        for node in trace.nodes
        for output, gradient in enumerate(node.gradients)
        if gradient is not None
    }


def _hand(numbers: Numbers, node: int, output: int, language: str) -> dict[str, Any]:
    try:
        found = by_hand(numbers, node, output=output, language=language)
    except CONTRADICTIONS:
        return {"total": None, "note": say("player.contradicts", language)}
    symbolic = found.symbolic
    return {
        "paths": [[list(path.nodes), path.text, [factor.text for factor in path.factors]] for path in found.paths],
        "hidden": found.hidden,
        "total": plain(found.total),
        "difference": plain(found.difference),
        "verdict": found.verdict,
        "note": found.note,
        "symbolic": None if symbolic is None else [mathml(symbolic.latex, block=True), list(symbolic.definitions)],
    }


# -- verification


def _reasons(checks: Checks | None) -> Iterator[str]:
    for check in () if checks is None else checks.each():
        if check.reason is not None:
            yield check.reason


def _checks(checks: Checks | None, reasons: dict[str, int]) -> dict[str, Any] | None:
    """Verdicts by node, how many of each, and the gradients that were held against differences; None where nothing was verified."""
    if checks is None:
        return None
    counts: dict[str, int] = {}
    nodes: dict[str, list[Any]] = {}
    for check in checks.nodes:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
        nodes[str(check.node)] = [check.verdict, plain(check.max_abs_error), None if check.reason is None else reasons[check.reason]]
    wrong = sum(check.verdict == "wrong" for check in checks.gradients)
    return {
        "nodes": nodes,
        "counts": counts,
        "wrong_gradients": wrong,
        "gradients": [_gradient(check, reasons) for check in checks.gradients],
    }


def _gradient(check: GradientCheck, reasons: dict[str, int]) -> dict[str, Any]:
    return {
        "node": check.node,
        "output": check.output,
        "numeric": plain(check.numeric),
        "checked": check.checked,
        "size": math.prod(check.shape),
        "verdict": check.verdict,
        "error": plain(check.max_abs_error),
        "reason": None if check.reason in (None, "sample") else reasons[check.reason],  # how many were checked says as much
        "curve": [[plain(point.step), plain(point.error)] for point in check.curve],
    }
