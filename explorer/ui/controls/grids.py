"""Small tables of numbers as coloured cells, for the controls of lessons."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

import streamlit as st

from explorer.palette import PALETTE, SCALES

__all__ = ["figure", "grid", "plain_look"]

Cells = Collection[tuple[int, int]]


def plain_look() -> dict[str, str]:
    """The colours of the theme: of ink and lines, and of cells that are read and written."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    found = PALETTE[theme]
    return {
        "ink": found["ink"], "muted": found["muted"], "line": found["line"], "paper": found["paper"],
        "read": SCALES[theme]["value"][1], "read_line": found["value"],
        "written": SCALES[theme]["gradient"][1], "written_line": found["gradient"],
    }  # fmt: skip


def figure(number: float) -> str:
    """A number as a cell shows it: no more digits than it needs, and a true minus sign."""
    return f"{number + 0:.4g}".replace("-", "−")


def grid(
    rows: Sequence[Sequence[str]], *, label: str, read: Cells = (), written: Cells = (), faint: Cells = (), narrow: bool = False
) -> str:
    """HTML of a table; `label` is what a screen reader says first."""
    look = plain_look()
    room = "min-width:2rem;padding:0.2rem" if narrow else "min-width:2.9rem;padding:0.3rem 0.5rem"
    lines = []
    for i, row in enumerate(rows):
        cells = []
        for j, text in enumerate(row):
            place = (i, j)
            fill, border, width = look["paper"], look["line"], 1
            if place in read:
                fill, border, width = look["read"], look["read_line"], 2
            if place in written:
                fill, border, width = look["written"], look["written_line"], 2
            ink = look["muted" if place in faint else "ink"]
            cells.append(
                f'<td style="{room};text-align:center;color:{ink};background:{fill};'
                f'border:{width}px solid {border};font-variant-numeric:tabular-nums">{html.escape(text)}</td>'
            )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table aria-label="{html.escape(label)}" style="border-collapse:collapse;margin:0">{"".join(lines)}</table>'
