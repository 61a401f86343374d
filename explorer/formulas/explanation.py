"""The arithmetic of one node with this trace's own numbers, as lines to read: `explain`.

Every line's last number is worked out here, by the rule, and stands beside what torch delivered: equal, close (rounding accounts for the
difference), or different by how much. Where a number is not in the trace the line says so; nothing is made up.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explorer.figures import figure, label, shape_text
from explorer.formulas.cells import cell_lines, shapes_line
from explorer.formulas.evaluation import Setting
from explorer.formulas.language import latex, named, parse, spelled
from explorer.formulas.names import bracketed, named_symbols, plain_values, typeset, values_text
from explorer.formulas.numbers import Contribution, Numbers, array
from explorer.formulas.rounding import compared
from explorer.formulas.rules import Rule
from explorer.formulas.simplify import replaced, simplified
from explorer.model import MOST_VALUES, Node, Trace
from explorer.text import say

__all__ = ["Explanation", "Working", "explain"]

Verdict = Literal["equal", "close", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Working:
    """How one input's contribution comes about.

    `input`, `source` and `output` are those of its edge, `name` is what the source is called. `latex` is the formula with the program's
    own names, `lines` the arithmetic. `result` is what the rule gives and `delivered` what torch delivered (nested tuples, None where not
    known or not small), `difference` the largest between them; `note` says in words how they compare, or why nothing is known.
    """

    input: int
    source: int
    output: int
    name: str
    latex: str
    lines: tuple[str, ...]
    result: Any
    delivered: Any
    difference: float | None
    verdict: Verdict
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the gradients of a node's inputs are what they are.

    `latex` and `words` are the rule's; where we wrote none, `text` is torch's own line or the source of the user's backward, and `source`
    says whose it is. `received` says how the node's own gradient came together, `definitions` work out what the formulas share.
    """

    node: int
    name: str
    latex: str | None
    words: str
    text: str
    source: str
    received: tuple[str, ...]
    definitions: tuple[str, ...]
    inputs: tuple[Working, ...]


def explain(trace: Trace | Numbers, node_id: int, language: str = "en") -> Explanation:
    """The rule of a node and its arithmetic; for many nodes of one trace give `Numbers(trace)`, so that it is read once."""
    numbers = trace if isinstance(trace, Numbers) else Numbers(trace)
    node = numbers.trace.nodes[node_id]
    rule = numbers.rule(node)
    formula = node.formula
    definitions: tuple[str, ...] = ()
    inputs: tuple[Working, ...] = ()
    if node.is_leaf:
        definitions = tuple(_accumulated(node))
    else:
        setting = None if rule is None or not rule.is_executable else numbers.setting(node, rule)
        names = {} if rule is None else named_symbols(numbers, node, rule)
        if setting is not None and rule is not None and node.status == "executed":
            definitions = tuple(_definitions(rule, setting if numbers.missing(node, setting) is None else None, names))
        found = numbers.contributions(node, setting)
        inputs = tuple(_working(numbers, node, rule, setting, one, names, language) for one in found)
    return Explanation(
        node=node_id,
        name=label(node),
        latex=None if rule is None else rule.latex,
        words=_words(node, rule, language),
        text="" if formula is None else formula.text,
        source="explorer" if rule is not None else "" if formula is None else formula.source,
        received=tuple(_received(numbers, node, language)),
        definitions=definitions,
        inputs=inputs,
    )


def _words(node: Node, rule: Rule | None, language: str) -> str:
    if rule is not None:
        return rule.words[language]
    if node.formula is None:
        return say("working.no_formula", language)
    return say("working.users" if node.formula.source == "user code" else "working.torchs", language)


def _received(numbers: Numbers, node: Node, language: str) -> list[str]:
    """How the gradient of each output came together: from which node how much, and the seed where backward began."""
    lines = []
    for number, gradient in enumerate(node.gradients):
        if gradient is None:
            continue
        terms, names = [], []
        if (seed := node.seeds[number]) is not None:
            terms.append(array(seed))
            names.append(say("working.seed", language))
        for edge in numbers.out(node.id):
            if edge.output == number and edge.gradient is not None and edge.differentiable:
                terms.append(array(edge.gradient))
                names.append(label(numbers.trace.nodes[edge.target]))
        known = array(gradient)
        start = "g" if len(node.outputs) == 1 else f"g{number}"
        if known is None or any(term is None for term in terms):
            lines.append(say("working.received_shape", language, start=start, shape=shape_text(gradient.shape), names=", ".join(names)))
        else:
            parts = [
                f"{bracketed(values_text(term), first=not k)} ({name})" for k, (term, name) in enumerate(zip(terms, names, strict=True))
            ]
            end = f" = {values_text(known)}" if len(parts) > 1 else ""
            lines.append(f"{start} = {' + '.join(parts)}{end}" if parts else f"{start} = {values_text(known)}")
    return lines


def _accumulated(node: Node) -> list[str]:
    """What a leaf's backward does: the gradient is added to what `.grad` held before."""
    if node.accumulated is None or node.accumulated.after is None or node.gradients[0] is None:
        return []
    before, after, brought = node.accumulated.before, array(node.accumulated.after), array(node.gradients[0])
    held = None if before is None else array(before)
    if after is None or brought is None or (before is not None and held is None):
        return []
    first = "" if before is None else f"{values_text(held)} + "
    return [f".grad = {first}{bracketed(values_text(brought), first=not first)}" + (f" = {values_text(after)}" if first else "")]


# --- one input --------------------------------------------------------------------------------------------------------------------------


def _definitions(rule: Rule, setting: Setting | None, names: dict[str, str]) -> list[str]:
    """A line for each symbol that the rule defines, worked out where all it needs is known."""
    lines = []
    for name, text in rule.where.items():
        line = f"{name} = {spelled(_shown(text, setting), lambda one: names.get(one, one))}"
        value = None if setting is None else setting.known(name)
        if value is not None and np.size(value) <= MOST_VALUES and not isinstance(value, tuple):
            line += f" = {values_text(value)}"
        lines.append(line)
    return lines


def _shown(text: str, setting: Setting | None) -> ast.expr:
    """A formula without the arguments that this op was not given."""
    tree = parse(text)
    constants = {} if setting is None else setting.constants()
    return simplified(replaced(tree, constants)) if constants.keys() & named(tree) else tree


def _working(
    numbers: Numbers, node: Node, rule: Rule | None, setting: Setting | None, one: Contribution, names: dict[str, str], language: str
) -> Working:
    """The lines of one input."""
    edge, note = one.edge, one.edge.gradient
    source = numbers.trace.nodes[edge.source]
    shown, lines = "", []
    if rule is not None and one.symbol in rule.gradients:
        left = names.get(one.symbol, f"{one.symbol}[{one.index}]")
        tree = _shown(rule.gradients[one.symbol], setting)
        right = latex(tree, scalars=rule.scalars, leaf=lambda name: typeset(names.get(name), name))
        shown = rf"\frac{{\partial L}}{{\partial {typeset(names.get(one.symbol), one.symbol)}}} = {right}"
        lines = _lines(setting, one, tree, f"∂L/∂{left}", names, language)
    computed = None if one.value is None else np.asarray(one.value)
    difference, verdict, words = _compared(numbers, node, rule, one, names, language)
    return Working(
        input=edge.input,
        source=edge.source,
        output=edge.output,
        name=label(source),
        latex=shown,
        lines=tuple(lines),
        result=None if computed is None or computed.size > MOST_VALUES else plain_values(computed),
        delivered=None if note is None else note.values,
        difference=difference,
        verdict=verdict,
        note=words,
    )


def _lines(setting: Setting | None, one: Contribution, tree: ast.expr, left: str, names: dict[str, str], language: str) -> list[str]:
    """The formula in the program's names, then in numbers; of a product of matrices the shapes and one cell."""
    written = spelled(tree, lambda name: names.get(name, name))
    first = f"{left} = {written}"
    if setting is None:
        return [first]
    shapes = shapes_line(tree, setting)
    if one.value is None:
        return [first, *shapes]
    whole, value = setting.unsummed(one.symbol, one.index), np.asarray(one.value)
    cells = cell_lines(tree, setting, whole, left, lambda name: names.get(name, name))
    summed = []
    if whole.shape != value.shape:
        before, after = shape_text(whole.shape), shape_text(value.shape)
        end = f" = {values_text(value)}" if value.size <= MOST_VALUES else ""
        summed = [say("working.summed", language, left=left, before=before, after=after) + end]
    if whole.size > MOST_VALUES:
        return [first, *shapes, *cells, *summed]
    in_numbers, result = spelled(tree, _leaf(setting, names)), values_text(whole)
    line = first + (f" = {in_numbers}" if in_numbers != written else "") + (f" = {result}" if result != in_numbers else "")
    return [line, *shapes, *cells, *summed]


def _leaf(setting: Setting, names: dict[str, str]) -> Callable[[str], str]:
    """Writes a symbol as its value where that is small, else as its name."""

    def leaf(name: str) -> str:
        value = setting.known(name)
        if value is None or isinstance(value, list | tuple) or np.size(value) > MOST_VALUES:
            return names.get(name, name)
        return values_text(value)

    return leaf


def _compared(
    numbers: Numbers, node: Node, rule: Rule | None, one: Contribution, names: dict[str, str], language: str
) -> tuple[float | None, Verdict, str]:
    if one.value is None or rule is None:
        key, values = one.reason or ("working.no_rule", {"name": node.autograd or ""})
        if "what" in values:
            values = {"what": names.get(values["what"], values["what"])}
        return None, "unknown", say(key, language, **values)
    note = one.edge.gradient
    if note is None:
        return None, "unknown", say("working.not_delivered", language)
    delivered = array(note)
    if delivered is None:
        return None, "unknown", say("working.too_many", language, shape=shape_text(note.shape))
    difference, verdict = compared(numbers, node, rule, one, delivered, note.dtype)
    return difference, verdict, say(f"working.{verdict}", language, difference=figure(difference), dtype=note.dtype)
