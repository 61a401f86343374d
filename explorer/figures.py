"""Numbers and names, as people read them; the player writes them by the same rules (assets/player/format.js)."""

from __future__ import annotations

import math
from typing import Any

from explorer.model import Node

__all__ = ["figure", "label", "nested", "only", "plain", "shape_text"]

LONGEST = 60  # characters of a name


def figure(value: float | int | bool | str) -> str:
    """A number with at least three figures and at most four decimals, the minus sign as printed: -0.089826 is "−0.0898"."""
    if isinstance(value, bool | str):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "−inf"
    if isinstance(value, int) or value == 0 or (value.is_integer() and abs(value) < 1e6):
        return f"{value:.0f}".replace("-", "−") if value else "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 6:
        digits, exponent = f"{value:.2e}".split("e")
        return f"{digits}e{int(exponent)}".replace("-", "−")
    decimals = max(4, 2 - size) if size < 2 else max(0, 5 - size)
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".").replace("-", "−")


def label(node: Node) -> str:
    """What a node is called in a sentence: its variable, else its op."""
    return plain(node.name or node.op or node.autograd or f"#{node.id}")


def plain(name: str) -> str:
    """A name on one line: its middle left out if it is long; what does not print, or turns the direction of text, as Python writes it."""
    if len(name) > LONGEST:
        name = f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 :]}"
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def only(values: Any) -> Any:
    """The one value in nested tuples."""
    while isinstance(values, tuple):
        (values,) = values
    return values


def nested(values: Any) -> str:
    if isinstance(values, tuple):
        return "[" + ", ".join(nested(value) for value in values) + "]"
    return figure(values)


def shape_text(shape: tuple[int | str, ...]) -> str:
    """A shape as it stands in a formula: "(5×10)"."""
    return "(" + "×".join(map(str, shape)) + ")"
