"""Small Plotly charts for the controls of lessons: losses over steps, errors over a step width, amounts as bars.

Words and colours are handed in; all numbers are drawn as they come.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as graphics

__all__ = ["bars", "curves"]

MARGIN = {"l": 8, "r": 12, "t": 12, "b": 8}


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, colours: Sequence[str], titles: tuple[str, str], chosen: str = "",
    logarithmic: tuple[bool, bool] = (False, False), mark: float | None = None, level: tuple[str, float] | None = None, ink: str = "",
    faint: str = "",
) -> Any:  # fmt: skip
    """Lines by their names; the one that is `chosen` is drawn strong. `mark` is a place on the x axis, `level` a named height."""
    chart = graphics.Figure()
    for number, (name, (x, y)) in enumerate(lines.items()):
        strong = not chosen or name == chosen
        look = {"color": colours[number % len(colours)] if strong else faint, "width": 2.5 if strong else 1}
        chart.add_scatter(x=list(x), y=list(y), name=name, mode="lines+markers" if len(x) < 30 else "lines", line=look)
    if mark is not None:
        chart.add_vline(x=mark, line={"color": ink, "width": 1, "dash": "dot"})
    if level is not None:
        name, height = level
        chart.add_hline(y=height, line={"color": ink, "width": 1, "dash": "dash"})
        chart.add_annotation(
            x=0, xref="paper", y=math.log10(height) if logarithmic[1] else height, text=name, showarrow=False, xanchor="left",
            yanchor="bottom", font={"color": ink},
        )  # fmt: skip
    axes = [
        {"title": title, "type": "log" if log else "linear", "exponentformat": "power", **({"dtick": 2} if log else {})}
        for title, log in zip(titles, logarithmic, strict=True)
    ]
    chart.update_layout(
        height=300, margin=MARGIN, xaxis=axes[0], yaxis=axes[1], legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        showlegend=len(lines) > 1, dragmode=False,
    )  # fmt: skip
    return chart


def bars(amounts: Mapping[str, float], *, colours: Sequence[str], title: str, logarithmic: bool = False, texts: Sequence[str] = ()) -> Any:
    """Lying bars, the first at the top; `texts` stand at their ends."""
    names = list(amounts)
    colour = [colours[place % len(colours)] for place in range(len(names))]
    chart = graphics.Figure()
    chart.add_bar(
        x=list(amounts.values()), y=names, orientation="h", marker={"color": colour},
        text=list(texts) or None, textposition="auto", hoverinfo="y+text" if texts else "x+y", cliponaxis=False,
    )  # fmt: skip
    chart.update_layout(
        height=60 + 38 * len(names), margin=MARGIN, dragmode=False, yaxis={"autorange": "reversed", "automargin": True},
        xaxis={"title": title, **({"type": "log", "exponentformat": "power", "dtick": 1} if logarithmic else {"tickformat": "~s"})},
    )  # fmt: skip
    return chart
