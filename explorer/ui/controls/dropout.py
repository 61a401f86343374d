"""Dropout on and off: the activations before and after it and the gradients that come back, from two recordings with the same weights.

Settings: `on` and `off`, the two programs; `before` and `after`, their variables around the dropout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import streamlit as st

from explorer.model import Trace
from explorer.text import say
from explorer.ui.controls.grids import grid
from explorer.ui.learn_player import sample_of

__all__ = ["draw", "rows_of"]

Rows = Sequence[Sequence[float]]


def rows_of(trace: Trace, before: str, after: str) -> tuple[Rows, Rows, Rows]:
    """The activations before and after dropout, and the gradient of those before."""
    names = {name: node for node in trace.nodes for name in node.names}
    gradient = names[before].gradients[0]
    assert gradient is not None
    return cast("tuple[Rows, Rows, Rows]", (names[before].outputs[0].values, names[after].outputs[0].values, gradient.values))


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The switch and the three tables."""
    _drawn({name: str(value) for name, value in settings.items()}, language, key)


@st.fragment
def _drawn(settings: dict[str, str], language: str, key: str) -> None:
    on = st.toggle(say("touching.dropout", language), True, key=f"{key}_on_{language}")
    trace = sample_of(settings["on" if on else "off"])
    before, after, gradient = rows_of(trace, settings["before"], settings["after"])
    zero = {(i, j) for i, row in enumerate(after) for j, value in enumerate(row) if value == 0}
    tables = {"touching.before": (before, ()), "touching.after": (after, zero), "touching.came_back": (gradient, zero)}
    for name, (rows, marked) in tables.items():
        st.markdown(say(name, language))
        texts = [
            [f"{value:.3f}".replace("-", "−") if (i, j) not in marked else "0" for j, value in enumerate(row)] for i, row in enumerate(rows)
        ]
        with st.container(horizontal=True):
            st.html(f'<div style="overflow-x:auto">{grid(texts, label=say(name, language), written=marked)}</div>')
    count = sum(len(row) for row in after)
    words = {"zeros": len(zero), "count": count, "loss": f"{trace.loss:.4f}"}
    st.caption(say("touching.dropout_on" if on else "touching.dropout_off", language, **words))
