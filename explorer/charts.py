"""Numbers over steps -> Plotly figures, with words and colours handed in; only the memory of one pass so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as graphics

from explorer.footprint import Memory, amount, unit_of
from explorer.text import say

__all__ = ["MOST_POINTS", "memory_figure", "thinned"]

MOST_POINTS = 1500  # in a chart; of more steps the fullest of each group is drawn
MOST_MARKED = 60  # points that are marked as well as joined


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one theme, as CSS has them."""

    saved: str
    gradients: str
    ink: str
    line: str


def memory_figure(found: Memory, *, names: Sequence[str], begins: int, look: Look, language: str = "en") -> Any:
    """What is held after each step, saved tensors below and gradients on top, with the peak named; `names` has one for each step.

    Each point's `customdata` begins with the number of its step. Backward `begins` after the step of that number; 0: it never did.
    """
    places = thinned(found)
    unit, size = unit_of(found.most)
    data = [
        (
            place + 1,
            names[place],
            amount(found.saved[place]),
            amount(found.gradients[place]),
            amount(found.saved[place] + found.gradients[place]),
        )
        for place in places
    ]
    hover = say("memory.hover", language, step="%{customdata[0]}", node="%{customdata[1]}", saved="%{customdata[2]}",
                gradients="%{customdata[3]}", total="%{customdata[4]}") + "<extra></extra>"  # fmt: skip
    chart = graphics.Figure()
    steps = [place + 1 for place in places]
    saved = [found.saved[place] / size for place in places]
    total = [(found.saved[place] + found.gradients[place]) / size for place in places]
    marker = {"size": 5} if len(places) <= MOST_MARKED else {"size": 5, "opacity": 0}  # without markers nothing could be chosen
    shown = {"marker": {"opacity": 1 if len(places) <= MOST_MARKED else 0}}
    kept = {"x": steps, "y": saved, "hoverinfo": "skip", "line": {"color": look.saved, "width": 1.5}}
    chart.add_scatter(**kept, name=say("memory.saved", language), fill="tozeroy", mode="lines")
    chart.add_scatter(
        x=steps, y=total, customdata=data, name=say("memory.gradients", language), fill="tonexty", hovertemplate=hover,
        line={"color": look.gradients, "width": 1.5}, mode="lines+markers", marker=marker, selected=shown, unselected=shown,
    )  # fmt: skip
    chart.add_scatter(**kept, mode="lines", showlegend=False)  # once more, over the other where there are no gradients
    top = found.peak
    chart.add_scatter(
        x=[top + 1], y=[found.most / size], mode="markers", name=say("memory.peak", language), hoverinfo="skip",
        marker={"size": 11, "symbol": "diamond", "color": look.ink},
    )  # fmt: skip
    left = top + 1 > len(found.nodes) * 0.6
    side = {"xanchor": "right", "xshift": -8} if left else {"xanchor": "left", "xshift": 8}
    chart.add_annotation(
        x=top + 1, y=found.most / size, text=say("memory.peak_at", language, bytes=amount(found.most), node=_short(names[top])),
        showarrow=False, yanchor="bottom", yshift=4, font={"color": look.ink}, **side,
    )  # fmt: skip
    if begins:
        chart.add_vline(x=begins + 0.5, line={"color": look.line, "width": 1, "dash": "dot"})
        chart.add_annotation(
            x=begins + 0.5, y=1, yref="y domain", text=say("memory.backward", language), showarrow=False, xanchor="left", yanchor="top",
            xshift=4, font={"color": look.ink, "size": 11},
        )  # fmt: skip
    edge = max(0.5, len(found.nodes) / 80)  # room for a mark at the end
    chart.update_layout(
        height=320,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        hovermode="x",
        clickmode="event+select",
        dragmode="zoom",
        xaxis={"title": say("memory.step", language), "range": [1 - edge, len(found.nodes) + edge], "showgrid": False},
        yaxis={"title": unit, "range": [0, found.most / size * 1.25 or 1], "rangemode": "tozero"},
    )
    return chart


def thinned(found: Memory, most: int = MOST_POINTS) -> list[int]:
    """The places of the steps to draw: all, or of each group of neighbours the fullest, with both ends and the peak."""
    count = len(found.nodes)
    if count <= most:
        return list(range(count))
    totals = [saved + gradients for saved, gradients in zip(found.saved, found.gradients, strict=True)]
    edges = [group * count // most for group in range(most + 1)]
    chosen = {max(range(start, end), key=totals.__getitem__) for start, end in pairwise(edges)}
    return sorted(chosen | {0, count - 1, found.peak})


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"…{name[-39:]}"
