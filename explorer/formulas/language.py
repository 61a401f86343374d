r"""The language that rules are written in: Python's expressions, read once, then evaluated, typeset or spelled out with numbers.

One text says what is computed and what is shown, so that the two cannot differ: "g * y * (1 - y)" is evaluated by `evaluate` and shown
as `g \odot y \odot \left(1-y\right)` by `latex`. The functions it may call stand in `explorer.formulas.vocabulary`, what they do in
`explorer.formulas.words`. Loads no numpy: typesetting needs none.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from explorer.formulas.vocabulary import LARGE, NUMBERS, SHAPED, WORDS

__all__ = ["called", "evaluate", "is_scalar", "latex", "named", "parse", "shaped", "spelled", "symbol"]

# Precedence: what stands in something that binds more strongly is put into brackets.
OR, AND, COMPARE, SUM, SUM_SIGN, MINUS, PRODUCT, FRACTION, POWER, ATOM = range(10)

OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
SIGNS: dict[type, tuple[str, str]] = {
    ast.Gt: (">", ">"),
    ast.GtE: (r"\ge ", "≥"),
    ast.Lt: ("<", "<"),
    ast.LtE: (r"\le ", "≤"),
    ast.Eq: ("=", "="),
    ast.NotEq: (r"\ne ", "≠"),
}
OPPOSITE: dict[type, type] = {
    ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
GREEK = "alpha beta gamma delta epsilon lambda mu sigma rho tau Phi".split()
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@cache
def parse(text: str) -> ast.expr:
    """A formula as Python's own tree of it."""
    return ast.parse(text, mode="eval").body


def named(tree: ast.AST) -> frozenset[str]:
    """The symbols whose values a formula reads; those it takes only the shape of are not among them."""
    if isinstance(tree, ast.Name):
        return frozenset({tree.id})
    if isinstance(tree, ast.Call):
        if _word(tree) in SHAPED:
            tree = ast.Tuple(tree.args[1:])
        else:
            tree = ast.Tuple(tree.args)
    return frozenset().union(*(named(child) for child in ast.iter_child_nodes(tree)))


def shaped(tree: ast.AST) -> frozenset[str]:
    """The symbols whose shape a formula reads."""
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and _word(one) in SHAPED]
    return frozenset(one.args[0].id for one in calls if isinstance(one.args[0], ast.Name))


def called(tree: ast.AST) -> frozenset[str]:
    """The words a formula uses."""
    return frozenset(_word(one) for one in ast.walk(tree) if isinstance(one, ast.Call))


def _word(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    return call.func.id


# --- evaluated ---------------------------------------------------------------------------------------------------------------------------


def evaluate(tree: ast.expr, values: Callable[[str], Any], shapes: Callable[[str], Any], words: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of a formula: `values` and `shapes` give those of a symbol, `words` are the functions."""

    def value(part: ast.expr) -> Any:
        match part:
            case ast.Constant():
                return part.value
            case ast.Name():
                return values(part.id)
            case ast.BinOp():
                return OPERATORS[type(part.op)](value(part.left), value(part.right))
            case ast.UnaryOp(op=ast.USub()):
                return -value(part.operand)
            case ast.UnaryOp(op=ast.Not()):
                return ~value(part.operand)
            case ast.Compare():
                sides = [value(one) for one in (part.left, *part.comparators)]
                tests = [OPERATORS[type(op)](a, b) for op, a, b in zip(part.ops, sides, sides[1:], strict=False)]
                return _together(operator.and_, tests)
            case ast.BoolOp():
                return _together(operator.and_ if isinstance(part.op, ast.And) else operator.or_, [value(one) for one in part.values])
            case ast.Call():
                word = _word(part)
                if word in SHAPED and isinstance(part.args[0], ast.Name):
                    return words[word](shapes(part.args[0].id), *map(value, part.args[1:]))
                return words[word](*map(value, part.args))
        raise AssertionError(ast.dump(part))

    return value(tree)


def _together(join: Callable[[Any, Any], Any], tests: list[Any]) -> Any:
    result = tests[0]
    for test in tests[1:]:
        result = join(result, test)
    return result


# --- shown -------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How a formula is written down: as LaTeX or as plain text; `leaf` writes a symbol, `scalars` are symbols that are single numbers."""

    typeset: bool
    leaf: Callable[[str], str]
    scalars: frozenset[str]


def latex(tree: ast.expr, *, scalars: frozenset[str] = frozenset(), leaf: Callable[[str], str] | None = None) -> str:
    """A formula in LaTeX. Between two arrays a product is ⊙, by elements; a number just stands before what it multiplies."""
    return _written(tree, Look(True, leaf or symbol, scalars))[0]


def spelled(tree: ast.expr, leaf: Callable[[str], str]) -> str:
    """A formula as plain text; `leaf` writes a symbol as its name or its value."""
    return _written(tree, Look(False, leaf, frozenset()))[0]


def symbol(name: str) -> str:
    """A symbol in LaTeX: "mu" is \\mu, "y1" has an index, "xhat" a hat, more letters stand upright."""
    if hat := re.fullmatch(r"([a-zA-Z])hat", name):
        return rf"\hat{{{hat[1]}}}"
    letters, digits = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
    if letters in GREEK:
        letters = "\\" + letters
    elif len(letters) > 1:
        letters = rf"\mathrm{{{letters.replace('_', ' ')}}}"
    return f"{letters}_{{{digits}}}" if digits else letters


def _written(tree: ast.expr, look: Look) -> tuple[str, int]:
    """The text of a formula, and how strongly it binds."""
    match tree:
        case ast.Constant():
            return _constant(tree.value, look)
        case ast.Name():
            text = look.leaf(tree.id)
            return text, MINUS if text.startswith(("-", "−")) else ATOM
        case ast.UnaryOp(op=ast.USub()):
            return ("-" if look.typeset else "−") + _within(tree.operand, _last(tree.operand), look), MINUS
        case ast.UnaryOp(op=ast.Not()):
            return (r"\neg " if look.typeset else "¬") + _within(tree.operand, ATOM, look), POWER
        case ast.BinOp():
            return _operation(tree, look)
        case ast.Compare():
            return _comparison(tree, look), COMPARE
        case ast.BoolOp():
            joined = {True: (r" \land ", r" \lor "), False: (" ∧ ", " ∨ ")}[look.typeset][isinstance(tree.op, ast.Or)]
            return joined.join(_within(one, COMPARE, look) for one in tree.values), AND
        case ast.Call():
            return _call(tree, look)
    raise AssertionError(ast.dump(tree))


def _constant(value: Any, look: Look) -> tuple[str, int]:
    """A number as it was written in the formula: none of its digits are left out."""
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    digits, _, exponent = text.partition("e")
    if exponent and look.typeset:
        text = f"10^{{{int(exponent)}}}" if digits == "1" else rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return (text if look.typeset else text.replace("-", "−")), MINUS if text.startswith("-") else ATOM


def _within(tree: ast.expr, least: int, look: Look) -> str:
    """The text of a part, in brackets if it binds less than `least`."""
    text, binds = _written(tree, look)
    if binds >= least:
        return text
    return rf"\left({text}\right)" if look.typeset else f"({text})"


def _operation(tree: ast.BinOp, look: Look) -> tuple[str, int]:
    left, right = tree.left, tree.right
    match tree.op:
        case ast.Add() | ast.Sub():
            sign = "+" if isinstance(tree.op, ast.Add) else "-" if look.typeset else "−"
            return f"{_within(left, SUM, look)} {sign} {_within(right, _last(right), look)}", SUM
        case ast.Div() if look.typeset:
            return rf"\frac{{{_written(left, look)[0]}}}{{{_written(right, look)[0]}}}", FRACTION
        case ast.Div():
            return f"{_within(left, MINUS, look)} / {_within(right, FRACTION, look)}", PRODUCT
        case ast.MatMult():
            return (r" \, " if look.typeset else " @ ").join((_within(left, MINUS, look), _within(right, PRODUCT, look))), PRODUCT
        case ast.Pow():
            if look.typeset:
                return f"{{{_within(left, ATOM, look)}}}^{{{_written(right, look)[0]}}}", POWER
            exponent = _within(right, ATOM, look)
            raised = exponent.translate(SUPERSCRIPTS) if exponent.isdigit() else f"^{exponent}"
            return _within(left, ATOM, look) + raised, POWER
    return _sign_of_product(left, right, look).join((_within(left, MINUS, look), _within(right, _last(right), look))), PRODUCT


def _last(tree: ast.expr) -> int:
    """How strongly the last part of a product or a sum must bind; a sum with its sign may stand there, as it reaches to the end."""
    return SUM_SIGN if isinstance(tree, ast.Call) and _word(tree) in LARGE else PRODUCT


def _sign_of_product(left: ast.expr, right: ast.expr, look: Look) -> str:
    if not look.typeset:
        return " × "
    if not is_scalar(left, look.scalars) and not is_scalar(right, look.scalars):
        return r" \odot "
    return r" \cdot " if isinstance(right, ast.Constant) else r" \, "


def is_scalar(tree: ast.expr, scalars: frozenset[str]) -> bool:
    """Whether a formula is a single number whatever the shapes are."""
    if isinstance(tree, ast.Call):
        return _word(tree) in NUMBERS or all(is_scalar(one, scalars) for one in tree.args)
    if isinstance(tree, ast.BinOp):
        return is_scalar(tree.left, scalars) and is_scalar(tree.right, scalars)
    if isinstance(tree, ast.UnaryOp):
        return is_scalar(tree.operand, scalars)
    return isinstance(tree, ast.Constant) or (isinstance(tree, ast.Name) and tree.id in scalars)


def _comparison(tree: ast.Compare, look: Look) -> str:
    text = _within(tree.left, SUM, look)
    for op, side in zip(tree.ops, tree.comparators, strict=True):
        sign = SIGNS[type(op)][not look.typeset]
        text += f" {sign} {_within(side, SUM, look)}"
    return text


def _call(tree: ast.Call, look: Look) -> tuple[str, int]:
    word = _word(tree)
    if word == "where":
        return _cases(tree.args, look), ATOM
    template = WORDS[word][not look.typeset]
    if template.startswith("^"):
        return _filled(template[1:], [_within(one, ATOM, look) for one in tree.args]), POWER if look.typeset else ATOM
    large = word in LARGE and look.typeset
    parts = [_within(one, PRODUCT if large and not place else OR, look) for place, one in enumerate(tree.args)]
    return _filled(template, parts), SUM_SIGN if large else ATOM


def _filled(template: str, arguments: list[str]) -> str:
    return re.sub(r"@(\d)", lambda match: arguments[int(match[1])], template)


def _cases(arguments: list[ast.expr], look: Look) -> str:
    """`where(condition, a, b)`: both cases with their condition."""
    condition, yes, no = arguments
    opposite = _opposite(condition)
    if look.typeset:
        rows = [f"{_written(one, look)[0]} & {_written(test, look)[0]}" for one, test in ((yes, condition), (no, opposite))]
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
    return f"({_written(yes, look)[0]} if {_written(condition, look)[0]} else {_written(no, look)[0]})"


def _opposite(condition: ast.expr) -> ast.expr:
    """The condition that holds where this one does not (of real numbers: none is NaN)."""
    match condition:
        case ast.Compare():
            sides = [condition.left, *condition.comparators]
            tests: list[ast.expr] = [
                ast.Compare(a, [OPPOSITE[type(op)]()], [b]) for op, a, b in zip(condition.ops, sides, sides[1:], strict=False)
            ]
            return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        case ast.BoolOp(op=ast.And()):
            return ast.BoolOp(ast.Or(), [_opposite(one) for one in condition.values])
        case ast.BoolOp():
            return ast.BoolOp(ast.And(), [_opposite(one) for one in condition.values])
        case ast.UnaryOp(op=ast.Not()):
            return condition.operand
    return ast.UnaryOp(ast.Not(), condition)
