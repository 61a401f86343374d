"""Attention weights of a recorded program, a table for each head: who looks at whom, and how much.

Settings: `program`; `of`, the variable that holds the weights, heads × places × places; `words`, what stands at the places.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import cast

import streamlit as st

from explorer.model import Trace
from explorer.palette import PALETTE
from explorer.text import say
from explorer.ui.learn_player import sample_of

__all__ = ["draw", "weights_of"]

Table = Sequence[Sequence[float]]


def weights_of(trace: Trace, name: str) -> Sequence[Table]:
    """The recorded weights, a table for each head."""
    return cast("Sequence[Table]", next(node for node in trace.nodes if name in node.names).outputs[0].values)


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of head and place, and the table."""
    tables = weights_of(sample_of(str(settings["program"])), str(settings["of"]))
    _drawn(tables, cast("Sequence[str]", settings["words"]), language, key)


@st.fragment
def _drawn(tables: Sequence[Table], words: Sequence[str], language: str, key: str) -> None:
    left, right = st.columns(2)
    head = left.segmented_control(
        say("touching.head", language), range(len(tables)), default=0, required=True, format_func=lambda one: str(one + 1),
        key=f"{key}_head_{language}",
    )  # fmt: skip
    places = range(len(words))
    place = right.segmented_control(
        say("touching.looks", language), places, default=len(words) - 2, required=True, format_func=lambda one: f"{one + 1} · {words[one]}",
        key=f"{key}_place_{language}",
    )  # fmt: skip
    st.html(_table(tables[head], words, place, language))
    row = tables[head][place]
    most = max(places, key=row.__getitem__)
    st.markdown(
        say("touching.looks_at", language, place=place + 1, word=words[place], to=most + 1, other=words[most], weight=f"{row[most]:.2f}")
    )
    st.caption(say("touching.heads_how", language))


def _table(table: Table, words: Sequence[str], chosen: int, language: str) -> str:
    look = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
    cell = "min-width:3rem;padding:0.35rem 0.5rem;text-align:center;font-variant-numeric:tabular-nums"
    heads = "".join(f'<th scope="col" style="{cell}">{html.escape(word)}</th>' for word in words)
    lines = [f'<tr><th style="{cell}"></th>{heads}</tr>']
    for i, row in enumerate(table):
        cells = []
        for j, weight in enumerate(row):
            border = f"2px solid {look['gradient']}" if i == chosen else f"1px solid {look['line']}"
            share = f"color-mix(in srgb, {look['value']} {70 * weight:.0f}%, {look['paper']})"
            ink = look["paper"] if weight > 0.6 else look["ink"]
            cells.append(f'<td style="{cell};background:{share};border:{border};color:{ink}">{weight:.2f}</td>' if j <= i else
                         f'<td style="{cell};border:1px solid {look["faint"]};color:{look["muted"]}">0</td>')  # fmt: skip
        lines.append(f'<tr><th scope="row" style="{cell}">{html.escape(words[i])}</th>{"".join(cells)}</tr>')
    name = html.escape(say("touching.heads_table", language))
    return f'<table aria-label="{name}" style="border-collapse:collapse;margin:0">{"".join(lines)}</table>'
