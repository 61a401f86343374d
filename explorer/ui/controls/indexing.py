"""Rank and indexing: a tensor of rank 0 to 4 as cells; each index that is chosen takes one dimension away.

Settings: `rank`, the one that is shown first.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, cast

import numpy as np
import streamlit as st

from explorer.text import say
from explorer.ui.controls.grids import grid

__all__ = ["SHAPES", "draw", "tensor"]

SHAPES: tuple[tuple[int, ...], ...] = ((), (4,), (3, 4), (2, 3, 4), (2, 2, 3, 4))
ALL = ":"


def tensor(rank: int) -> Any:
    """The numbers 0, 1, 2, … in the shape of that rank; 7 alone for rank 0."""
    shape = SHAPES[rank]
    return np.arange(np.prod(shape, dtype=int)).reshape(shape) if shape else np.array(7)


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of a rank, one choice for each dimension, and the cells that are left."""
    _drawn(int(cast("int", settings.get("rank", 2))), language, key)


@st.fragment
def _drawn(first: int, language: str, key: str) -> None:
    rank = st.segmented_control(
        say("trying.rank", language), range(len(SHAPES)), default=first, required=True,
        format_func=lambda one: say(f"trying.rank_{one}", language), key=f"{key}_rank_{language}",
    )  # fmt: skip
    values = tensor(rank)
    chosen: list[int | None] = []
    if rank:
        with st.container(horizontal=True):
            for dimension, size in enumerate(values.shape):
                picked = st.segmented_control(
                    say("trying.index", language, dimension=dimension), [ALL, *range(size)], default=ALL, required=True,
                    key=f"{key}_{rank}_{dimension}_{language}", width="content",
                )  # fmt: skip
                chosen.append(None if picked == ALL else cast("int", picked))
    st.html(cells(values, chosen, label=say("trying.cells", language)))
    left = values[tuple(slice(None) if one is None else one for one in chosen)]
    st.markdown(said(values, chosen, left, language))


def said(values: Any, chosen: list[int | None], left: Any, language: str) -> str:
    """What the chosen part is in Python, and its rank and shape."""
    while chosen and chosen[-1] is None:
        chosen = chosen[:-1]
    code = f"t[{', '.join(ALL if one is None else str(one) for one in chosen)}]" if chosen else "t"
    words = {"code": code, "rank": left.ndim, "shape": list(left.shape), "count": left.size}
    line = say("trying.part", language, **words)
    return line + (" " + say("trying.one_number", language, value=int(left)) if left.ndim == 0 else "")


def cells(values: Any, chosen: list[int | None], *, label: str) -> str:
    """All cells, those of the chosen part marked: rank 3 is tables side by side, rank 4 rows of them."""
    if values.ndim < 2:
        row = values.reshape(1, -1)
        marked = {(0, j) for j in range(row.shape[1]) if not chosen or chosen[0] in (None, j)}
        return grid([[str(one) for one in row[0]]], label=label, read=marked)
    outer = values.shape[:-2]
    tables = []
    for place in product(*map(range, outer)):
        inside = all(want in (None, at) for want, at in zip(chosen, place, strict=False))
        rows, columns = chosen[-2:]
        marked = {
            (i, j)
            for i, j in np.ndindex(values.shape[-2:])
            if inside and rows in (None, i) and columns in (None, j)
        }  # fmt: skip
        text = [[str(one) for one in row] for row in values[place]]
        name = f"{label} {list(place)}" if place else label
        tables.append(f"<div>{grid(text, label=name, read=marked, narrow=True)}</div>")
    across = outer[-1] if outer else 1
    style = "display:inline-grid;gap:0.75rem;max-width:100%;overflow-x:auto"
    return f'<div style="{style};grid-template-columns:repeat({across},auto)">{"".join(tables)}</div>'
