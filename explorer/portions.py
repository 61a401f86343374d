"""A whole and what it is made of -> Plotly figures: a treemap, and bars whose pieces add up. Words and colours are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as graphics

__all__ = ["Bar", "Portion", "Tint", "bars_figure", "treemap_figure"]


@dataclass(frozen=True, slots=True)
class Tint:
    """A fill and the line around it, as CSS has them."""

    fill: str
    line: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A piece of the whole, within the piece `parent` ("" for the whole itself). `hover` is HTML of ours, `label` the words in it."""

    id: str
    parent: str
    label: str
    amount: int
    hover: str
    tint: Tint


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar by its name, the amount of each of its pieces, what stands at its end; `chosen` is the one the page speaks of."""

    name: str
    amounts: tuple[float, ...]
    total: str
    chosen: bool = False


def treemap_figure(portions: Sequence[Portion], *, ink: str, height: int = 380) -> Any:
    """Areas as amounts: each piece within its parent, in the order given."""
    # Plotly adds up in double precision and draws nothing where children come to more than their parent: below 2**53 sums are exact.
    shift = max(0, max((one.amount for one in portions), default=0).bit_length() - 53)
    chart = graphics.Figure()
    chart.add_treemap(
        ids=[one.id for one in portions], parents=[one.parent for one in portions], labels=[one.label for one in portions],
        values=[one.amount >> shift for one in portions], branchvalues="total", text=[one.hover for one in portions],
        texttemplate="%{label}", hovertemplate="%{text}<extra></extra>", sort=False, maxdepth=4, tiling={"pad": 2, "packing": "squarify"},
        marker={
            "colors": [one.tint.fill for one in portions],
            "line": {"color": [one.tint.line for one in portions], "width": 1},
            "pad": {"t": 22, "l": 3, "r": 3, "b": 3},
            "cornerradius": 3,
        },
        textfont={"color": ink, "size": 13}, insidetextfont={"color": ink}, outsidetextfont={"color": ink}, root={"color": "rgba(0,0,0,0)"},
        pathbar={"visible": False},
    )  # fmt: skip
    chart.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, paper_bgcolor="rgba(0,0,0,0)", uirevision="portions",
        uniformtext={"minsize": 10, "mode": "hide"},
    )  # fmt: skip
    return chart


def bars_figure(
    bars: Sequence[Bar],
    *,
    pieces: Sequence[tuple[str, Tint]],
    unit: tuple[str, float],
    limit: tuple[float, str] | None,
    ink: str,
    line: str,
    paper: str,
) -> Any:
    """Stacked bars, the first on top; `unit` is its name and its size, `limit` an amount that is marked, with its words."""
    chart = graphics.Figure()
    names = [f"<b>{bar.name}</b>" if bar.chosen else bar.name for bar in bars]
    most = max([sum(bar.amounts) for bar in bars] + ([limit[0]] if limit and _is_near(limit[0], bars) else []))
    for place, (name, tint) in enumerate(pieces):
        amounts = [bar.amounts[place] / unit[1] for bar in bars]
        if not any(amounts):
            continue
        chart.add_bar(
            y=names, x=amounts, name=name, orientation="h", hovertemplate=f"{name}: %{{x:.3g}} {unit[0]}<extra>%{{y}}</extra>",
            marker={"color": tint.fill, "line": {"color": tint.line, "width": 1}, "opacity": [0.85 if bar.chosen else 0.4 for bar in bars]},
        )  # fmt: skip
    for name, bar in zip(names, bars, strict=True):
        end = sum(bar.amounts)
        if limit is not None and end <= limit[0] < end + 0.1 * most:
            end = limit[0]  # the mark would go through the words
        chart.add_annotation(
            x=end / unit[1], y=name, text=f"<b>{bar.total}</b>" if bar.chosen else bar.total, showarrow=False,
            xanchor="left", xshift=6, font={"color": ink, "size": 13}, bgcolor=paper, borderpad=1,
        )  # fmt: skip
    if limit is not None and _is_near(limit[0], bars):
        chart.add_vline(x=limit[0] / unit[1], line={"color": ink, "width": 1.5, "dash": "dash"})
        chart.add_annotation(
            x=limit[0] / unit[1],
            y=0,
            yref="paper",
            yanchor="top",
            yshift=-24,
            text=limit[1],
            showarrow=False,
            font={"color": ink, "size": 12},
        )
    chart.update_layout(
        barmode="stack", height=84 + 44 * len(bars) + 40, bargap=0.35, margin={"l": 8, "r": 8, "t": 48, "b": 52}, font={"color": ink},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"range": [0, most / unit[1] * 1.28], "showgrid": True, "gridcolor": line, "zeroline": False, "ticksuffix": f" {unit[0]}",
               "nticks": 6, "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "ticks": "", "tickfont": {"color": ink, "size": 13}},
    )  # fmt: skip
    return chart


def _is_near(limit: float, bars: Sequence[Bar]) -> bool:
    """Whether the mark can stand in the chart without making the bars too small to be read."""
    return limit <= 3 * max(sum(bar.amounts) for bar in bars)
