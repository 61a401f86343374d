"""A number in each data type: what a tensor of that type really holds of it, and how many bytes it takes.

Settings: `number`, the one that stands there at first. NumPy keeps numbers as torch does; bfloat16, which it has not, is rounded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import numpy as np
import streamlit as st

from explorer.text import say

__all__ = ["FLOATS", "INTEGERS", "bfloat16", "draw", "kept"]

FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int8", "uint8")
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int8": 1, "uint8": 1, "bool": 1}
DIGITS = {"float64": 17, "float32": 9, "float16": 5, "bfloat16": 4}  # so many tell each number of the type from its neighbours
MOST = 1e9  # of the numbers that can be tried


def bfloat16(number: float) -> float:
    """The nearest bfloat16: the upper half of a float32, ties to even."""
    bits = int(np.array(number, dtype=np.float32).view(np.uint32))
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return float(np.array(bits, dtype=np.uint32).view(np.float32))


def kept(number: float, dtype: str) -> float | int | bool | None:
    """What `torch.tensor(number).to(dtype)` holds; None where the language leaves it open what a number too large becomes.

    A whole number counts as an int: it wraps around. Of another one the decimals are cut off.
    """
    if dtype == "bool":
        return number != 0
    if dtype == "bfloat16":
        return bfloat16(number)
    if dtype in FLOATS:
        with np.errstate(over="ignore"):
            return float(np.dtype(dtype).type(number))
    whole = int(number)
    limits = np.iinfo(dtype)
    if not float(number).is_integer() and not limits.min <= whole <= limits.max:
        return None
    return int(np.array(whole, dtype=np.int64).astype(dtype))


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The field for a number, and the table."""
    _drawn(float(cast("float", settings.get("number", 0.1))), language, key)


@st.fragment
def _drawn(first: float, language: str, key: str) -> None:
    number: Any = st.number_input(
        say("trying.number", language), -MOST, MOST, first, step=None, format="%.10g", key=f"{key}_number_{language}", width=260
    )
    heads = [say(f"trying.{one}", language) for one in ("dtype", "bytes", "kept", "off_by")]
    lines = [f"| {' | '.join(heads)} |", "|---|---:|---:|---:|"]
    for dtype in (*FLOATS, *INTEGERS, "bool"):
        found = kept(float(number), dtype)
        lines.append(f"| `{dtype}` | {BYTES[dtype]} | {_shown(found, dtype)} | {_off(found, float(number))} |")
    st.markdown("\n".join(lines))
    st.caption(say("trying.types_note", language))


def _shown(found: float | bool | None, dtype: str) -> str:
    if found is None:
        return "–"
    if isinstance(found, (bool, int)):
        return str(found).replace("-", "−")
    return f"{found:.{DIGITS[dtype]}g}".replace("-", "−")


def _off(found: float | bool | None, number: float) -> str:
    if found is None or isinstance(found, bool) or np.isinf(found):
        return "–"
    off = Decimal(found) - Decimal(repr(number))  # of what was typed, which a float64 may miss as well
    return "0" if off == 0 else f"{float(off):.2g}".replace("-", "−")
