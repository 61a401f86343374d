"""LaTeX as MathML, which a browser shows without a network and without a script.

`latex2mathml` does the work: pure Python, no dependencies, maintained since 2016. Each formula is converted once.
"""

from __future__ import annotations

from functools import cache

__all__ = ["mathml"]


@cache
def mathml(latex: str, *, block: bool = False) -> str:
    """A `<math>` element that shows `latex`; `block` gives it a line of its own."""
    from latex2mathml.converter import convert

    # It knows `aligned`, which is right inside a formula, only by the name that stands alone.
    return convert(latex.replace("{aligned}", "{align*}"), display="block" if block else "inline")
