"""A matrix product cell by cell: choose a cell of the result, see the row and the column that meet in it, and their sum.

Settings: `a` and `b`, the two matrices; `names`, how the two and their product are called, in LaTeX. Cells that were not chosen yet keep
their number to themselves, so that it can be guessed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import streamlit as st

from explorer.text import say
from explorer.ui.controls.grids import figure, grid

__all__ = ["draw", "product", "sum_of"]

Matrix = Sequence[Sequence[float]]


def product(a: Matrix, b: Matrix) -> list[list[float]]:
    """`a @ b`."""
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def sum_of(a: Matrix, b: Matrix, i: int, j: int) -> str:
    """The sum that makes one cell, in LaTeX: "1 \\cdot 3 + 2 \\cdot (-4) = -5"."""
    terms = [f"{_factor(x)} \\cdot {_factor(y)}" for x, y in zip(a[i], [row[j] for row in b], strict=True)]
    return f"{' + '.join(terms)} = {product(a, b)[i][j]:.4g}"


def _factor(number: float) -> str:
    return f"({number:.4g})" if number < 0 else f"{number:.4g}"


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The three tables and the choice of a cell."""
    _drawn(cast("Matrix", settings["a"]), cast("Matrix", settings["b"]), cast("Sequence[str]", settings["names"]), language, key)


@st.fragment
def _drawn(a: Matrix, b: Matrix, names: Sequence[str], language: str, key: str) -> None:
    result = product(a, b)
    rows, columns = len(a), len(b[0])
    places = {f"{i + 1}, {j + 1}": (i, j) for i in range(rows) for j in range(columns)}
    chosen = st.segmented_control(
        say("trying.cell", language), list(places), default=next(iter(places)), required=True, key=f"{key}_cell_{language}"
    )
    i, j = places[chosen]
    seen: set[tuple[int, int]] = st.session_state.setdefault(f"{key}_seen", set())
    seen.add((i, j))
    inner = range(len(b))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _table(a, names[0], read={(i, k) for k in inner})
        st.markdown("×", width="content")
        _table(b, names[1], read={(k, j) for k in inner})
        st.markdown("=", width="content")
        hidden = {place for place in places.values() if place not in seen}
        _table(result, names[2], written={(i, j)}, hidden=hidden)
    st.latex(sum_of(a, b, i, j))
    if hidden:
        st.caption(say("trying.cells_left", language, count=len(hidden)))


def _table(matrix: Matrix, name: str, *, hidden: Any = (), **marks: Any) -> None:
    texts = [["?" if (i, j) in hidden else figure(number) for j, number in enumerate(row)] for i, row in enumerate(matrix)]
    with st.container(width="content", gap=None):
        st.markdown(f"${name}$", width="content")
        st.html(grid(texts, label=name, faint=hidden, **marks), width="content")
