"""What a rule is: the formulas of one derivative, by the names that torch gives its backward node."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from explorer.formulas.language import is_scalar, latex, named, parse, shaped, symbol
from explorer.text import LANGUAGES, say

__all__ = ["Plain", "Rule", "Slot", "rule"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A tensor argument of the op: its symbol in the formulas, its name in the op's schema, and what stands for it where it is left out.

    A `listed` one is a list of tensors.
    """

    symbol: str
    name: str
    absent: float | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """An argument that is no tensor: its symbol in the formulas, its name in the op's schema, its default there."""

    symbol: str
    name: str
    default: Any = None


@dataclass(frozen=True)
class Rule:
    """The derivative of an op: from the upstream gradient `g` (`g0`, `g1` … of several outputs) to each input's contribution.

    `slots` are the tensor arguments in the order of the op's schema, `arguments` the plain ones with their defaults. `where` defines
    symbols that the formulas after it use. `gradients` has a formula per symbol of an input; what it gives is summed over the dimensions
    that the input was broadcast along. `forward` is the op itself. `when` says which values of plain arguments the rule is for. `text`
    is LaTeX in place of that of the formulas; nodes that torch writes by hand have nothing else.
    """

    key: str
    autograd: tuple[str, ...]
    slots: tuple[Slot, ...] = ()
    arguments: tuple[Plain, ...] = ()
    outputs: tuple[str, ...] = ("y",)
    forward: str | None = None
    where: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    gradients: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))
    text: str = ""

    @cached_property
    def latex(self) -> str:
        """The rule in LaTeX: the op, the definitions, then a line for each input."""
        if self.text:
            return self.text
        lines = [] if self.forward is None else [f"{symbol(self.outputs[0])} &= {self.typeset(self.forward)}"]
        lines += [f"{symbol(name)} &= {self.typeset(formula)}" for name, formula in self.where.items() if not self.is_number(name)]
        lines += [f"{self.derivative(name)} &= {self.typeset(formula)}" for name, formula in self.gradients.items()]
        return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"

    @cached_property
    def words(self) -> dict[str, str]:
        """What the rule says, in a sentence, by language."""
        return {language: say(f"formula.{self.key}", language) for language in LANGUAGES}

    @property
    def is_executable(self) -> bool:
        return bool(self.gradients)

    def derivative(self, name: str) -> str:
        """The left-hand side for an input, in LaTeX."""
        listed = any(slot.listed and slot.symbol == name for slot in self.slots)
        return rf"\frac{{\partial L}}{{\partial {symbol(name)}{'_i' if listed else ''}}}"

    def typeset(self, formula: str) -> str:
        """One of the rule's formulas in LaTeX."""
        return latex(parse(formula), scalars=self.scalars)

    @cached_property
    def scalars(self) -> frozenset[str]:
        """The symbols that are single numbers."""
        found = {one.symbol for one in self.arguments}
        for name, formula in self.where.items():
            if is_scalar(parse(formula), frozenset(found)):
                found.add(name)
        return frozenset(found)

    def is_number(self, name: str) -> bool:
        """Whether a definition only counts elements; what it is called says so without a line."""
        return self.where[name].startswith(("count(", "size("))

    def reads(self, name: str) -> tuple[frozenset[str], frozenset[str]]:
        """The symbols that the contribution to an input needs, definitions followed: of which the values, and of which the shape."""
        values: set[str] = set()
        shapes: set[str] = set()
        waiting = [self.gradients[name]]
        while waiting:
            tree = parse(waiting.pop())
            shapes |= shaped(tree)
            new = named(tree) - values
            values |= new
            waiting += [self.where[one] for one in new if one in self.where]
        return frozenset(values - self.where.keys()), frozenset(shapes)

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the rule is for an op that was given these plain arguments."""
        defaults = {one.name: one.default for one in self.arguments}
        return all(arguments.get(name, defaults.get(name)) in values for name, values in self.when.items())


def rule(
    key: str,
    autograd: str,
    signature: str,
    *,
    forward: str | None = None,
    outputs: str = "y",
    where: Mapping[str, str] | None = None,
    when: Mapping[str, tuple[Any, ...]] | None = None,
    text: str = "",
    gradients: Mapping[str, str] | None = None,
    **by_symbol: str,
) -> Rule:
    """A line of a table. `signature` names the tensor arguments, then the plain ones with their defaults: "a=self b=other; alpha=1".

    "w=weight?1" may be left out, and counts as 1 then; "xs=tensors[]" is a list; "n:exponent=2" gives an argument a symbol of its own.
    """
    tensors, _, plain = signature.partition(";")
    return Rule(
        key=key,
        autograd=tuple(autograd.split()),
        slots=tuple(_slot(word) for word in tensors.split()),
        arguments=tuple(_plain(word) for word in plain.split()),
        outputs=tuple(outputs.split()),
        forward=forward,
        where=MappingProxyType(dict(where or {})),
        gradients=MappingProxyType({**(gradients or {}), **by_symbol}),
        when=MappingProxyType(dict(when or {})),
        text=text,
    )


def _plain(word: str) -> Plain:
    name, _, default = word.partition("=")
    short, _, schema = name.partition(":")
    return Plain(short, schema or short, ast.literal_eval(default))


def _slot(word: str) -> Slot:
    name, _, schema = word.partition("=")
    schema, _, absent = schema.partition("?")
    listed = schema.endswith("[]")
    return Slot(name, schema.removesuffix("[]"), float(absent) if absent else None, listed)
