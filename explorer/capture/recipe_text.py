"""A recipe as text, the way it stands in an address, and numbers as a person types them; read by their form, never run."""

from __future__ import annotations

import ast
import json
import math
from typing import Any

from explorer.capture.recipes import NAMES, TABLE, Recipe, arguments, as_number, checked, is_nest
from explorer.errors import RequestError

__all__ = ["literal", "read", "steps", "written"]

MOST_LETTERS = 100_000


def written(recipe: Recipe) -> str:
    """A recipe that is `checked`, as it stands in an address."""
    found = []
    for step in recipe:
        words = []
        for name, kind, default in arguments(step["do"]):
            value = step[name]
            if value == default and kind not in ("tensor", "operand"):
                continue
            text = value if kind in ("tensor", "operand") and isinstance(value, str) and value in NAMES else _text(value)
            words.append(text if kind in ("tensor", "operand") else f"{name}={text}")
        found.append(f"{step['do']}({','.join(words)})")
    return ";".join(found)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return repr(value) if isinstance(value, bool | str) or value is None else json.dumps(value)


def read(text: str) -> Recipe:
    """The recipe that `written` wrote, or a person: `arange(0,12);reshape(a,[3,4])`. Raises RequestError."""
    return checked(steps(text))


def steps(text: str) -> Recipe:
    """The steps in a text, of which nothing is checked yet but their form."""
    recipe: Recipe = []
    for statement in _parsed(text, "exec").body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id=do), args=given, keywords=named)):
                names = [name for name, _, _ in arguments(do)] if do in TABLE else []
                if do == "arange" and len(given) == 1:
                    names = ["end"]  # as Python counts
                if len(given) > len(names) or any(one.arg is None for one in named):
                    raise RequestError("tensors.bad.recipe")
                step = {"do": do} | {name: _value(one) for name, one in zip(names, given, strict=False)}
                recipe.append(step | {str(one.arg): _value(one.value) for one in named})
            case _:
                raise RequestError("tensors.bad.recipe")
    return recipe


def literal(text: str) -> Any:
    """The numbers in a text like `[[1, 2], [3, nan]]`; raises RequestError. Nothing in it is run."""
    values = _value(_parsed(text.strip(), "eval").body)
    if not is_nest(values):
        raise RequestError("tensors.bad.literal")
    return values


def _parsed(text: str, mode: str) -> Any:
    if len(text) > MOST_LETTERS:
        raise RequestError("tensors.bad.letters", most=MOST_LETTERS)
    try:
        return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RequestError("tensors.bad.literal" if mode == "eval" else "tensors.bad.recipe") from None


def _value(node: ast.expr) -> Any:
    """Numbers, lists, and words in quotes or not; a NaN, an infinity and a complex number become text."""
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Constant(value=bool() | int() | str() | None as value):
            return value
        case ast.Constant(value=float() | complex() as value):
            return _plain(value)
        case ast.Name(id=name):
            return name.removeprefix("np.") if name not in ("true", "false") else name == "true"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = as_number(_value(operand))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            value = as_number(_value(right))
            first = as_number(_value(left))
            if isinstance(value, complex) and isinstance(first, int | float):
                return _plain(first - value if isinstance(sign, ast.Sub) else first + value)
            raise RequestError("tensors.bad.literal")
        case _:
            raise RequestError("tensors.bad.literal")
    if not isinstance(value, int | float | complex):
        raise RequestError("tensors.bad.literal")
    return _plain(-value if isinstance(sign, ast.USub) else value)


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return repr(value).strip("()")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
