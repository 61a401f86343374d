"""What symbols and values are called in a line of arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures import nested, plain
from explorer.formulas.language import symbol
from explorer.formulas.rules import Rule
from explorer.model import Node

if TYPE_CHECKING:
    from explorer.formulas.numbers import Numbers

__all__ = ["bracketed", "called", "named_symbols", "plain_values", "typeset", "values_text"]

LONGEST = 24


def called(node: Node, output: int = 0) -> str:
    """A node in a formula: the program's variable, else the op that made it with its id ("mul#4")."""
    name = node.name
    if name is None or len(name) > LONGEST or not name.isprintable():
        name = f"{plain(node.op or node.kind)}#{node.id}"
    return name if output == 0 else f"{name}[{output}]"


def named_symbols(numbers: Numbers, node: Node, rule: Rule) -> dict[str, str]:
    """What the symbols of a rule are called at a node."""
    names = {}
    for slot, edges in numbers.slots(node, rule):
        if not slot.listed and edges[0] is not None:
            names[slot.symbol] = called(numbers.trace.nodes[edges[0].source], edges[0].output)
    for number, name in enumerate(rule.outputs):
        names[name] = called(node, number)
    return names


def typeset(name: str | None, otherwise: str = "x") -> str:
    """A name of the program's as one upright word of LaTeX, or the formula's own symbol."""
    if name is None:
        return symbol(otherwise)
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    if not all(char.isalnum() or char in "._[]#" for char in name) or not name.isascii():
        return symbol(otherwise)
    return rf"\mathrm{{{name.replace('_', chr(92) + '_').replace('#', chr(92) + '#')}}}"


def plain_values(value: Any) -> Any:
    """An array as nested tuples of Python's numbers; one element alone as a number."""
    value = np.asarray(value)
    if value.size == 1:
        return value.reshape(()).item()

    def tuples(values: Any) -> Any:
        return tuple(map(tuples, values)) if isinstance(values, list) else values

    return tuples(value.tolist())


def values_text(value: Any) -> str:
    """An array as it stands in a line."""
    return nested(plain_values(value))


def bracketed(text: str, *, first: bool = False) -> str:
    """A number after a sign: in brackets where it has one of its own."""
    return text if first or not text.startswith("−") else f"({text})"
