"""A rule worked out with numbers: upstream gradients, inputs and outputs in, each input's contribution out. Needs numpy, no torch."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.formulas.language import evaluate, parse
from explorer.formulas.rules import Rule, Slot
from explorer.formulas.words import FUNCTIONS, fit

__all__ = ["Setting", "Unknown"]


class Unknown(Exception):
    """A number that a formula needs is not there; the argument names its symbol."""


class Setting:
    """The numbers a rule is worked out with.

    `inputs` are by schema name: an array, a number, or a list of arrays; `shapes` likewise, and may be there where the values are not.
    `upstream` has an entry per output, None where nothing flowed in.
    """

    def __init__(
        self,
        rule: Rule,
        *,
        upstream: Sequence[Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[Any],
        arguments: Mapping[str, Any],
        shapes: Mapping[str, Any],
        output_shapes: Sequence[tuple[int, ...]],
    ) -> None:
        self.rule = rule
        self._definitions: dict[str, Any] = {}
        self._absent: set[str] = set()
        self._values: dict[str, Any] = {}
        self._shapes: dict[str, Any] = {}
        for slot in rule.slots:
            self._take(slot, inputs, arguments, shapes)
        for plain in rule.arguments:
            self._values[plain.symbol] = arguments.get(plain.name, plain.default)
        for number, name in enumerate(rule.outputs):
            if number < len(outputs) and outputs[number] is not None:
                self._values[name] = outputs[number]
            if number < len(output_shapes):
                self._shapes[name] = output_shapes[number]
        if any(gradient is not None for gradient in upstream):
            flowed = [np.zeros(shape) if one is None else one for one, shape in zip(upstream, output_shapes, strict=False)]
            self._values |= {f"g{number}": gradient for number, gradient in enumerate(flowed)}
            self._values |= {"gs": flowed, "g": flowed[0]}
        self._shapes["g"] = output_shapes[0] if output_shapes else ()

    def _take(self, slot: Slot, inputs: Mapping[str, Any], arguments: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
        if slot.name in inputs:
            self._values[slot.symbol] = inputs[slot.name]
        elif arguments.get(slot.name) is not None:
            self._values[slot.symbol] = arguments[slot.name]
            self._shapes[slot.symbol] = ()
        elif slot.absent is not None and slot.name not in shapes:
            self._values[slot.symbol] = slot.absent
            self._absent.add(slot.symbol)
            self._shapes[slot.symbol] = ()
        if slot.name in shapes:
            self._shapes[slot.symbol] = shapes[slot.name]

    def value(self, symbol: str) -> Any:
        """The value of a symbol, worked out where the rule defines it."""
        if symbol in self.rule.where:
            if symbol not in self._definitions:
                self._definitions[symbol] = self.formula(self.rule.where[symbol])
            return self._definitions[symbol]
        if symbol not in self._values:
            raise Unknown(symbol)
        return self._values[symbol]

    def shape(self, symbol: str) -> tuple[int, ...]:
        """The shape of a symbol's value."""
        if symbol in self._shapes:
            return self._shapes[symbol]
        return np.shape(self.value(symbol))

    def formula(self, text: str) -> Any:
        """The value of one of the rule's formulas."""
        return self.of(parse(text))

    def contribution(self, symbol: str, index: int | None = None) -> Any:
        """What an input gets, in its own shape; `index` chooses from a list."""
        return fit(self.unsummed(symbol, index), self.shape_of(symbol, index))

    def unsummed(self, symbol: str, index: int | None = None) -> Any:
        """What an input gets, before it is summed over the dimensions along which the input was broadcast."""
        if index is not None:
            self._values["i"] = index
        result = np.asarray(self.formula(self.rule.gradients[symbol]))
        return np.broadcast_to(result, np.broadcast_shapes(result.shape, self.shape_of(symbol, index)))

    def shape_of(self, symbol: str, index: int | None = None) -> tuple[int, ...]:
        """The shape of an input, or of one in a list."""
        shape: Any = self.shape(symbol)
        return shape if index is None else shape[index]

    def constants(self) -> dict[str, ast.expr]:
        """What is a number here in place of its symbol: tensor arguments that were left out, and plain numbers."""
        found: dict[str, ast.expr] = {}
        for slot in self.rule.slots:
            if slot.symbol in self._absent:
                found[slot.symbol] = ast.Constant(int(slot.absent or 0))
        for plain in self.rule.arguments:
            value = self._values[plain.symbol]
            if type(value) in (int, float) and math.isfinite(value):
                found[plain.symbol] = ast.Constant(int(value) if value == int(value) else value)
        return found

    def known(self, symbol: str) -> Any:
        """The value of a symbol, or None where it is not there or cannot be worked out."""
        try:
            return self.value(symbol)
        except (Unknown, ValueError, TypeError, IndexError, KeyError):
            return None

    def of(self, tree: ast.expr) -> Any:
        """The value of a part of a formula."""
        with np.errstate(all="ignore"):  # inf and NaN are results like any other
            return evaluate(tree, self.value, self.shape, FUNCTIONS)
