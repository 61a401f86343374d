"""The steps of a recipe as code, for PyTorch and for NumPy; imports neither.

NOTE [lines]: the line that is shown is the line that runs (explorer.capture.bench). It is put together here out of words of the table in
explorer.capture.recipes, names of one letter, and numbers as Python writes them: nothing of a visitor's reaches it as text.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from explorer.capture.recipes import NAMES, TABLE, Recipe, arguments, as_number, index_written
from explorer.files import assets_folder

__all__ = ["Line", "lines", "pictures"]

NO_NUMPY = ("bfloat16",)  # data types that NumPy lacks


@dataclass(frozen=True, slots=True)
class Line:
    """A step as code: `makes` is the name of the new tensor, `of` are those it reads; without `numpy` there is no counterpart."""

    do: str
    makes: str | None
    of: tuple[str, ...]
    torch: str
    numpy: str | None


def lines(recipe: Recipe) -> list[Line]:
    """The code of each step of a checked recipe."""
    found, names = [], 0
    for step in recipe:
        op = TABLE[step["do"]]
        filled = _filled(step)
        name = None if op.writes else NAMES[names]
        names += not op.writes
        front = "" if name is None else f"{name} = "
        lacks = not op.numpy or step.get("dtype") in NO_NUMPY
        of = tuple(step[argument] for argument in ("of", "other") if isinstance(step.get(argument), str) and step[argument] in NAMES)
        numpy = None if lacks else front + op.numpy.format(**filled)
        found.append(Line(op.name, name, of, front + op.torch.format(**filled), numpy))
    return found


def _filled(step: dict[str, Any]) -> dict[str, str]:
    """What stands in the lines of a step, by placeholder."""
    found: dict[str, str] = {}
    if step["do"] == "arange":
        given = [_code(step[name]) for name in ("start", "end", "step")]
        given = given[: 3 if step["step"] != 1 else 2]
        found["range"] = ", ".join(given[1:] if len(given) == 2 and step["start"] == 0 else given)
    for name, kind, _ in arguments(step["do"]):
        value = step[name]
        if kind == "dtype":
            found[name] = f", dtype=torch.{value}" if value else ""
            found["np_dtype"] = f", dtype=np.{'bool_' if value == 'bool' else value}" if value else ""
        elif kind == "flag":
            all_dims = "dim" in step and step["dim"] is None
            found[name] = f"{'dim=None' if all_dims else ''}, {name}=True" if value else ""
            found[f"{name}s"] = f"{'axis=None' if all_dims else ''}, {name}s=True" if value else ""
        elif kind == "shape":
            found[name] = ", ".join(map(str, value)) or "()"
            found[f"{name}_tuple"] = repr(tuple(value))
        elif kind == "index":
            found[name] = index_written(value) or ""
        elif kind == "picture":
            found[name] = repr(pictures()[value])
        elif kind == "dim":
            found[name] = "" if value is None else str(value)
        elif kind in ("values", "number") or (kind == "operand" and not (isinstance(value, str) and value in NAMES)):
            found[name] = _code(value)
        else:
            found[name] = str(value)
    return found


def _code(value: Any) -> str:
    """A nest of numbers as Python writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_code, value))}]"
    number = as_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        return f'float("{value}")'
    if isinstance(number, complex) and not number.real:
        return f"{number.imag:g}j" if number.imag == float(f"{number.imag:g}") else repr(number).strip("()")
    return repr(number).strip("()")


@cache
def pictures() -> dict[str, Any]:
    """The shipped images: grey and colour, as bytes from 0 to 255."""
    found: dict[str, Any] = json.loads((assets_folder() / "tensors" / "pictures.json").read_text(encoding="utf-8"))
    return found
