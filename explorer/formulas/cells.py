"""One chosen element of an array worked out in full: the sum of products of a matrix product, or the formula at that place."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from explorer.figures import figure, shape_text
from explorer.formulas.evaluation import Setting, Unknown
from explorer.formulas.language import called, named, spelled
from explorer.formulas.vocabulary import BY_ELEMENT

__all__ = ["cell_lines", "shapes_line"]

MOST_TERMS = 8  # of a sum of products are written out


def cell_lines(tree: ast.expr, setting: Setting, value: Any, left: str, name: Callable[[str], str]) -> list[str]:
    """Lines for the element that is largest in size: of an array of one element there is nothing more to say."""
    if value.size < 2:
        return []
    flat = np.abs(np.nan_to_num(value, nan=np.inf)).reshape(-1)
    place = tuple(int(at) for at in np.unravel_index(int(flat.argmax()), value.shape))
    try:
        factors = _factors(tree, setting)
        if factors is not None:
            return _sum_of_products(*factors, setting, value, left, place, name)
        if called(tree) <= BY_ELEMENT:
            return _at_one_place(tree, setting, value, left, place)
    except (Unknown, ValueError, IndexError):
        pass
    return []


def shapes_line(tree: ast.expr, setting: Setting) -> list[str]:
    """Of a product of matrices the shapes: "(5×10) = (5×1) @ (1×10)"; known also where the values are not."""
    factors = _factors(tree, setting)
    if factors is None:
        return []
    a, b = _shape(factors[0], setting), _shape(factors[1], setting)
    if a is None or b is None or len(a) < 2 or len(b) < 1:
        return []
    whole = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], *b[-1:]) if len(b) > 1 else a[:-1]
    return [f"{shape_text(whole)} = {shape_text(a)} @ {shape_text(b)}"]


def _shape(tree: ast.expr, setting: Setting) -> tuple[int, ...] | None:
    if isinstance(tree, ast.Name):
        try:
            return setting.shape(tree.id)
        except (Unknown, ValueError, TypeError):
            return None
    if isinstance(tree, ast.Call) and called(tree) == {"T"}:
        inner = _shape(tree.args[0], setting)
        return None if inner is None else (*inner[:-2], *inner[-1:], *inner[-2:-1]) if len(inner) > 1 else inner
    return None


def _factors(tree: ast.expr, setting: Setting) -> tuple[ast.expr, ast.expr, float] | None:
    """The two matrices of a product, and the number it is scaled by."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
        return tree.left, tree.right, 1.0
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and isinstance(tree.left, ast.Name):
        inner = _factors(tree.right, setting)
        number = setting.known(tree.left.id)
        if inner is not None and number is not None and np.ndim(number) == 0:
            return inner[0], inner[1], inner[2] * float(number)
    return None


def _sum_of_products(
    a: ast.expr, b: ast.expr, scale: float, setting: Setting, value: Any, left: str, place: tuple[int, ...], name: Callable[[str], str]
) -> list[str]:
    """The chosen cell: row times column."""
    x, y = np.asarray(setting.of(a)), np.asarray(setting.of(b))
    if x.ndim < 2:
        return []
    batch, row = place[: x.ndim - 2], place[x.ndim - 2]
    columns = place[x.ndim - 1 :]
    line = np.broadcast_to(x, (*value.shape[: x.ndim - 2], *x.shape[-2:]))[(*batch, row)]
    column = y[..., columns[0]] if columns else y
    column = np.broadcast_to(column, (*value.shape[: x.ndim - 2], y.shape[-2] if columns else y.shape[-1]))[batch] if y.ndim > 1 else y
    at = ",".join(map(str, place))
    leading = "".join(f"{one}," for one in batch)
    cell_of_y = f"[{leading}k{',' + str(columns[0]) if columns else ''}]"
    terms = [f"{figure(float(p))} × {_signed(float(q))}" for p, q in zip(line[:MOST_TERMS], column[:MOST_TERMS], strict=True)]
    more = f" + … ({len(line) - MOST_TERMS})" if len(line) > MOST_TERMS else ""
    factor = "" if scale == 1 else f"{figure(scale)} × "
    spelled_out = f"Σₖ {_named(a, name)}[{leading}{row},k] × {_named(b, name)}{cell_of_y}"
    opened, closed = ("(", ")") if factor else ("", "")
    sum_of = " + ".join(term if not term.startswith("−") or not k else f"({term})" for k, term in enumerate(terms))
    return [f"{left}[{at}] = {factor}{spelled_out} = {factor}{opened}{sum_of}{more}{closed} = {figure(float(value[place]))}"]


def _at_one_place(tree: ast.expr, setting: Setting, value: Any, left: str, place: tuple[int, ...]) -> list[str]:
    """The formula with each symbol's element at the chosen place."""

    def leaf(symbol: str) -> str:
        symbol_value = setting.known(symbol)
        if symbol_value is None:
            raise Unknown(symbol)
        return figure(np.broadcast_to(symbol_value, value.shape)[place].item())

    if len(named(tree)) < 2:
        return []
    at = ",".join(map(str, place))
    return [f"{left}[{at}] = {spelled(tree, leaf)} = {figure(float(value[place]))}"]


def _named(tree: ast.expr, name: Callable[[str], str]) -> str:
    text = spelled(tree, name)
    return text if " " not in text else f"({text})"


def _signed(number: float) -> str:
    text = figure(number)
    return f"({text})" if text.startswith("−") else text
