"""The gradient of a single number as one expression in the program's own names, for small graphs of single numbers.

The expression is the sum over all paths of the products of local derivatives, each as its rule has it: neither multiplied out nor
cancelled, so that every factor can be found again in the graph.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from explorer.formulas.language import called as words_of
from explorer.formulas.language import evaluate, latex, parse, spelled
from explorer.formulas.names import called, typeset
from explorer.formulas.numbers import Numbers, array
from explorer.formulas.rules import Rule
from explorer.formulas.simplify import ONE, replaced, simplified, singular
from explorer.formulas.vocabulary import BY_ELEMENT
from explorer.formulas.words import FUNCTIONS
from explorer.model import Edge, Node

__all__ = ["Symbolic", "symbolic"]

LONGEST = 600  # characters, above which an expression explains nothing
MOST_STEPS = 60  # on all paths together
DEEPEST = 20  # ops without a name that a value is made of

Way = tuple[tuple[int, int], tuple[tuple[Edge, int], ...]]


@dataclass(frozen=True, slots=True)
class Symbolic:
    """An expression as LaTeX and as plain text, what its names stand for ("a = σ(z)"), and its value with the trace's numbers."""

    latex: str
    text: str
    definitions: tuple[str, ...]
    value: float


class _No(Exception):
    """Something on the way is no single number, or has no formula of single numbers."""


def symbolic(numbers: Numbers, ways: list[list[Any]], start: tuple[int, int]) -> Symbolic | None:
    """The gradient of `start` over these paths as one expression; None where it is not about single numbers, or long."""
    if sum(len(way[1]) for way in ways) > MOST_STEPS:
        return None
    try:
        names = _Names(numbers)
        terms = [names.product(way[0], way[1]) for way in ways]
    except _No:
        return None
    whole = terms[0]
    for term in terms[1:]:
        whole = ast.BinOp(whole, ast.Add(), term)
    text = spelled(whole, names.shown)
    if len(text) > LONGEST:
        return None
    left = called(numbers.trace.nodes[start[0]], start[1])
    return Symbolic(
        latex=rf"\frac{{\partial L}}{{\partial {typeset(left)}}} = {latex(whole, scalars=frozenset(names.places), leaf=names.typeset)}",
        text=f"∂L/∂{left} = {text}",
        definitions=tuple(names.definitions(whole)),
        value=float(evaluate(whole, names.value, lambda _: (), FUNCTIONS)),
    )


def _number(value: Any) -> ast.expr:
    return ast.Constant(int(value) if isinstance(value, float) and value.is_integer() else value)


class _Names:
    """Symbols for the values of a trace: "v12_0" stands for output 0 of node 12 in the expressions made here."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.places: dict[str, tuple[int, int]] = {}
        self.depth = 0

    def of(self, node: Node, output: int) -> ast.expr:
        """A value by its name; one without a name by the formula that made it, or as a number."""
        note = node.outputs[output]
        if note.numel != 1:
            raise _No
        if node.name is None and node.kind == "op" and (formula := self.forward(node)) is not None:
            return formula
        if node.name is None and note.item is not None:
            return ast.Constant(note.item)
        name = f"v{node.id}_{output}"
        self.places[name] = (node.id, output)
        return ast.Name(name)

    def forward(self, node: Node) -> ast.expr | None:
        """The op of a node as an expression."""
        rule = self.numbers.rule(node)
        if rule is None or rule.forward is None:
            return None
        if self.depth > DEEPEST:
            raise _No
        self.depth += 1
        try:
            return self.filled(node, rule, rule.forward, {})
        finally:
            self.depth -= 1

    def product(self, root: tuple[int, int], edges: tuple[tuple[Edge, int], ...]) -> ast.expr:
        """The local derivatives of one path, each put into the next one down as its upstream gradient."""
        seed = array(self.numbers.trace.nodes[root[0]].seeds[root[1]])  # type: ignore[arg-type]
        if seed is None or seed.size != 1:
            raise _No
        upstream: ast.expr = ONE if seed.reshape(()).item() == 1 else ast.Constant(seed.reshape(()).item())
        for edge, output in edges:
            node = self.numbers.trace.nodes[edge.target]
            rule = self.numbers.rule(node)
            if rule is None or output != 0 or len(node.outputs) != 1:
                raise _No
            slots = self.numbers.slots(node, rule)
            symbol = next((slot.symbol for slot, found in slots if not slot.listed and found[0] is edge), None)
            if symbol is None:
                raise _No
            upstream = self.filled(node, rule, rule.gradients[symbol], {"g": upstream})
        return upstream

    def filled(self, node: Node, rule: Rule, text: str, known: dict[str, ast.expr]) -> ast.expr:
        """A formula of a rule with the node's own values in it."""
        tree = parse(text)
        for name, definition in reversed([*rule.where.items()]):
            tree = replaced(tree, {name: parse(definition)})
        parts = dict(known)
        for slot, edges in self.numbers.slots(node, rule):
            if not slot.listed and edges[0] is not None:
                parts[slot.symbol] = self.of(self.numbers.trace.nodes[edges[0].source], edges[0].output)
        for slot in rule.slots:
            if slot.symbol not in parts:
                number = node.arguments.get(slot.name)
                parts[slot.symbol] = _number(slot.absent if number is None else number)
        for plain in rule.arguments:
            parts[plain.symbol] = _number(node.arguments.get(plain.name, plain.default))
        tree = singular(tree)
        if rule.outputs[0] in {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}:
            parts[rule.outputs[0]] = self.of(node, 0)
        tree = simplified(replaced(tree, parts))
        if not words_of(tree) <= BY_ELEMENT or any(isinstance(one, ast.Constant) and one.value is None for one in ast.walk(tree)):
            raise _No
        return tree

    def definitions(self, tree: ast.expr) -> list[str]:
        """A line for each name in an expression that an op made, and for the names in those lines."""
        lines, seen = {}, set()
        waiting = [one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id in self.places]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            node = self.numbers.trace.nodes[self.places[name][0]]
            if node.kind != "op":
                continue
            try:
                formula = self.forward(node)
            except _No:
                continue
            if formula is not None:
                lines[node.id] = f"{self.shown(name)} = {spelled(formula, self.shown)}"
                waiting += [one.id for one in ast.walk(formula) if isinstance(one, ast.Name) and one.id in self.places]
        return [lines[number] for number in sorted(lines, reverse=True)]

    def shown(self, name: str) -> str:
        node, output = self.places[name]
        return called(self.numbers.trace.nodes[node], output)

    def typeset(self, name: str) -> str:
        return typeset(self.shown(name))

    def value(self, name: str) -> Any:
        found = self.numbers.output(*self.places[name])
        if found is None:
            raise _No
        return found.reshape(()).item()
