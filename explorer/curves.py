"""A run on disk -> Plotly figures: curves of metrics, layers × steps, update ratios, histograms. Words and colours are handed in.

However long a run, a curve gets at most `MOST` points: of each group of neighbours the lowest and the highest, so that no spike is lost.
NaN and infinity leave a gap, and a mark on the edge of the chart says where and which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as graphics

from explorer.runs import Distribution, Measures, Parameter
from explorer.text import say

__all__ = [
    "MOST",
    "Curve",
    "Pen",
    "curve_figure",
    "heat_figure",
    "histogram_figure",
    "ratio_figure",
    "smoothed",
    "thinned_curve",
    "waiting_figure",
]

MOST = 2000  # points of a curve, columns of a heat map
MOST_LINES = 12  # of parameters in one chart
USUAL = 1e-3  # the ratio of update to weight that is often called healthy
_MARKS = {"nan": "x-thin", "inf": "triangle-up", "-inf": "triangle-down", "low": "triangle-down-open"}

Floats = npt.NDArray[np.floating[Any]]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pen:
    """Colours of one theme, as CSS has them: those of curves in turn, of text, of lines, and a scale from little to much."""

    curves: tuple[str, ...]
    ink: str
    line: str
    scale: tuple[str, ...]

    def curve(self, number: int) -> str:
        return self.curves[number % len(self.curves)]


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over the steps, as it is called in the legend; `dashed` sets a validation beside its training."""

    name: str
    steps: Steps
    values: Floats
    dashed: bool = False
    colour: int | None = None  # which of the pen's; None: its place among the curves


def thinned_curve(steps: Steps, values: Floats, most: int = MOST) -> tuple[Steps, Floats]:
    """At most `most` points with the lowest and the highest of each group of neighbours, in order; a gap (NaN) where one was in it."""
    if len(steps) <= most:
        return steps, np.where(np.isfinite(values), values, np.nan)
    finite = np.isfinite(values)
    groups = np.linspace(0, len(steps), max(1, most // 3) + 1).astype(np.int64)
    starts = groups[:-1]
    lows = _places(np.where(finite, values, np.inf), groups, np.minimum)
    highs = _places(np.where(finite, values, -np.inf), groups, np.maximum)
    some = np.logical_or.reduceat(finite, starts)
    gaps = np.flatnonzero(~np.logical_and.reduceat(finite, starts))
    broken = np.array(
        [start + int(np.argmin(finite[start:end])) for start, end in zip(starts[gaps], groups[1:][gaps], strict=True)], dtype=int
    )
    places = np.unique(np.concatenate([lows[some], highs[some], broken, [0, len(steps) - 1]]))
    kept = values[places]
    return steps[places], np.where(np.isfinite(kept), kept, np.nan)


def _places(values: Floats, groups: Steps, extreme: Any) -> Steps:
    """Where in each group its extreme first is."""
    best = np.repeat(extreme.reduceat(values, groups[:-1]), np.diff(groups))
    hits = np.flatnonzero(values == best)
    numbers = np.searchsorted(groups, hits, side="right") - 1
    _, first = np.unique(numbers, return_index=True)
    return hits[first]


def smoothed(values: Floats, weight: float) -> Floats:
    """The exponential mean with this weight on the past, without the pull to 0 at the beginning; what is not finite is passed over."""
    found = np.full(len(values), np.nan)
    mean = known = 0.0
    for place, value in enumerate(values.tolist()):
        if np.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            known = weight * known + (1 - weight)
            found[place] = mean / known
    return found


def curve_figure(
    curves: Sequence[Curve],
    *,
    pen: Pen,
    title: str = "",
    smoothing: float = 0.0,
    log: bool = False,
    recorded: Sequence[int] = (),
    language: str = "en",
) -> Any:
    """Curves over the steps. With `smoothing` each is faint and its exponential mean strong; `recorded` steps are ticked at the bottom."""
    chart = graphics.Figure()
    drawn = [thinned_curve(curve.steps, curve.values) for curve in curves]
    low, high = _span([values for _, values in drawn], log=log)
    for number, (curve, (steps, values)) in enumerate(zip(curves, drawn, strict=True)):
        colour = pen.curve(number if curve.colour is None else curve.colour)
        line = {
            "color": colour,
            "dash": "dash" if curve.dashed else "dot" if number >= len(pen.curves) else "solid",  # the colours go round
            "width": 1.6,
        }
        hover = say("curves.hover", language, name=curve.name, step="%{x}", value="%{y:.6g}") + "<extra></extra>"
        lone = len(steps) == 1 or curve.dashed  # a validation has few points: they are marked
        common = {
            "x": steps,
            "mode": "lines+markers" if lone else "lines",
            "marker": {"size": 4},
            "hovertemplate": hover,
            "connectgaps": curve.dashed,
        }
        if smoothing and not curve.dashed and len(steps) > 2:  # a mean of the few points of a validation would mislead
            chart.add_scatter(**common, y=values, line={**line, "width": 1}, opacity=0.3, showlegend=False, name=curve.name)
            whole = thinned_curve(curve.steps, smoothed(curve.values, smoothing))
            chart.add_scatter(**{**common, "x": whole[0]}, y=whole[1], line=line, name=curve.name)
        else:
            chart.add_scatter(**common, y=values, line=line, name=curve.name)
        _mark_broken(chart, curve, low=low, high=high, log=log, ink=colour, language=language)
    if recorded:
        places = np.array(sorted(recorded)[:MOST])
        chart.add_scatter(
            x=places, y=np.full(len(places), low), mode="markers", name=say("curves.recorded", language),
            marker={"symbol": "line-ns-open", "size": 9, "color": pen.ink}, customdata=places,
            hovertemplate=say("curves.recorded_hover", language, step="%{x}") + "<extra></extra>",
        )  # fmt: skip
    _lay_out(chart, title=title, pen=pen, language=language)
    chart.update_yaxes(type="log" if log else "linear", range=_room(low, high, log=log))
    return chart


def _span(drawn: Sequence[Floats], *, log: bool) -> tuple[float, float]:
    """The lowest and the highest value that can be drawn."""
    fine = [values[np.isfinite(values) & ((values > 0) | (not log))] for values in drawn]
    whole = np.concatenate(fine) if fine else np.empty(0)
    if not len(whole):
        return (0.1, 1.0) if log else (0.0, 1.0)
    return float(whole.min()), float(whole.max())


def _room(low: float, high: float, *, log: bool) -> list[float]:
    """The axis from a little below to a little above; Plotly wants exponents for a logarithmic one."""
    if log:
        low, high = float(np.log10(low)), float(np.log10(high))
    room = (high - low) * 0.06 or abs(high) * 0.06 or 0.5
    return [low - room, high + room]


def _mark_broken(chart: Any, curve: Curve, *, low: float, high: float, log: bool, ink: str, language: str) -> None:
    """A mark for each value that cannot be drawn, on the edge of the chart; of many neighbours one."""
    values = curve.values
    kinds = {"nan": np.isnan(values), "inf": values == np.inf, "-inf": values == -np.inf}
    if log:
        kinds["low"] = np.isfinite(values) & (values <= 0)
    for kind, where in kinds.items():
        places = np.flatnonzero(where)
        if not len(places):
            continue
        every = -(-len(places) // MOST)
        told = say(f"curves.broken.{kind}", language)
        chart.add_scatter(
            x=curve.steps[places[::every]], y=np.full(len(places[::every]), low if kind in ("-inf", "low") else high), mode="markers",
            marker={"symbol": _MARKS[kind], "size": 9, "color": ink, "line": {"width": 2, "color": ink}},
            name=f"{curve.name}: {told}",
            hovertemplate=say("curves.hover", language, name=curve.name, step="%{x}", value=told) + "<extra></extra>",
        )  # fmt: skip


def heat_figure(measures: Measures, parameters: Sequence[Parameter], *, pen: Pen, what: str = "gradient", language: str = "en") -> Any:
    """Parameters × steps, coloured by the logarithm of "gradient", "weight", "update" or "ratio"; a cell without a colour was not there."""
    values = np.asarray(getattr(measures, what), dtype=np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(np.isfinite(values) & (values > 0), np.log10(values), np.nan)
    names = [parameter.name for parameter in parameters]
    if len(set(names)) < len(names):  # a row is known by its name
        names = [f"{number} {name}" for number, name in enumerate(names)]
    chart = graphics.Figure()
    chart.add_heatmap(
        z=powers, x=measures.steps, y=names, colorscale=_scale(pen), customdata=values.astype(np.float32),
        hovertemplate=say("curves.heat_hover", language, name="%{y}", step="%{x}", value="%{customdata:.4g}") + "<extra></extra>",
        colorbar={"title": {"text": say(f"curves.heat.{what}", language), "side": "right"}, "thickness": 12, **_decades(powers)},
    )  # fmt: skip
    rows, columns = np.nonzero(~np.isfinite(values) & ~np.isnan(measures.weight.T))
    bad = [(row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if np.isinf(values[row, column])]
    if bad:
        chart.add_scatter(
            x=measures.steps[[column for _, column in bad[:MOST]]], y=[names[row] for row, _ in bad[:MOST]], mode="markers",
            marker={"symbol": "x-thin", "size": 6, "line": {"width": 1.5, "color": pen.ink}},
            name="inf", hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    _lay_out(chart, title=say(f"curves.heat_title.{what}", language), pen=pen, language=language)
    every = max(1, -(-len(names) // 40))
    chart.update_yaxes(
        type="category",
        autorange="reversed",
        tickmode="array",
        tickvals=names[::every],
        ticktext=[_short(name) for name in names[::every]],
        showgrid=False,
    )
    chart.update_layout(height=max(320, min(900, 60 + 16 * len(names))))
    return chart


def ratio_figure(measures: Measures, parameters: Sequence[Parameter], *, pen: Pen, language: str = "en") -> Any:
    """Update to weight of each parameter over the steps, on a logarithmic axis, with the ratio that is often called healthy.

    Of many parameters those are drawn that end highest and lowest.
    """
    ratios = np.asarray(measures.ratio, dtype=np.float64)
    ends = np.array([column[np.isfinite(column)][-1] if np.isfinite(column).any() else np.nan for column in ratios.T])
    order = [place for place in np.argsort(ends).tolist() if np.isfinite(ends[place])]
    if len(order) > MOST_LINES:
        order = order[: MOST_LINES // 2] + order[-MOST_LINES // 2 :]
    curves = [Curve(_short(parameters[place].name), measures.steps, ratios[:, place]) for place in sorted(order)]
    chart = curve_figure(curves, pen=pen, title=say("curves.ratio_title", language), log=True, language=language)
    chart.add_hline(y=USUAL, line={"color": pen.line, "width": 1, "dash": "dot"})
    chart.add_annotation(
        xref="paper",
        x=1,
        y=float(np.log10(USUAL)),
        text=_power(-3),
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        font={"color": pen.ink, "size": 11},
    )
    low, high = _span([curve.values for curve in curves], log=True)
    chart.update_traces(showlegend=False, selector={"mode": "markers"})  # the marks of zeros say at the pointer what they are
    chart.update_layout(legend={"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top", "font": {"size": 11}}, height=360)
    chart.update_yaxes(range=_room(min(low, USUAL), max(high, USUAL), log=True))
    return chart


def histogram_figure(found: Distribution, *, pen: Pen, language: str = "en") -> Any:
    """How the values of a gradient, weight or activation are spread; says so where only some of them were counted."""
    chart = graphics.Figure()
    if found.low is not None and found.high is not None and len(found.counts):
        edges = np.linspace(found.low, found.high, len(found.counts) + 1)
        width = (edges[1] - edges[0]) or 1.0
        chart.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=found.counts.astype(np.int64), width=width,
            marker={"color": pen.curve(0), "line": {"width": 0}},
            hovertemplate="%{x:.4g}: %{y}<extra></extra>",
        )  # fmt: skip
    told = say(f"curves.distribution.{found.what}", language, name=found.name, step=found.step)
    if found.counted < found.elements:
        told += say("curves.counted", language, counted=found.counted, elements=found.elements)
    if found.broken:
        told += say("curves.not_finite", language, count=found.broken)
    _lay_out(chart, title=told, pen=pen, language=language)
    chart.update_layout(height=220, bargap=0, showlegend=False, xaxis={"title": None}, yaxis={"rangemode": "tozero"})
    return chart


def waiting_figure(ranks: Sequence[tuple[str, float, float | None]], *, pen: Pen, language: str = "en") -> Any:
    """Of each rank (name, seconds of a step, of which it waited) a bar in milliseconds: own work, then waiting, where that is known."""
    chart = graphics.Figure()
    names = [name for name, _, _ in ranks]
    known = any(waited is not None for _, _, waited in ranks)
    parts = {
        "own" if known else "whole": [1e3 * (seconds - min(waited or 0.0, seconds)) for _, seconds, waited in ranks],
        "waited": [1e3 * min(waited or 0.0, seconds) for _, seconds, waited in ranks],
    }
    for number, (part, values) in enumerate(parts.items()):
        if part != "waited" or known:
            said = say(f"curves.waiting.{part}", language)
            chart.add_bar(
                y=names, x=values, name=said, orientation="h", marker={"color": pen.line if number else pen.curve(0), "line": {"width": 0}},
                hovertemplate=f"%{{y}} · {said}: <b>%{{x:.4g}} ms</b><extra></extra>",
            )  # fmt: skip
    _lay_out(chart, title=say("curves.waiting.title", language), pen=pen, language=language)
    chart.update_layout(
        barmode="stack", bargap=0.35, legend={"traceorder": "normal"}, xaxis={"title": say("curves.waiting.axis", language)}
    )
    chart.update_xaxes(gridcolor=pen.line, showgrid=True, griddash="dot", rangemode="tozero")
    chart.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return chart


def _decades(powers: Floats) -> dict[str, Any]:
    """Ticks of a colour bar at whole powers of ten."""
    fine = powers[np.isfinite(powers)]
    if not len(fine):
        return {}
    low, high = int(np.floor(fine.min())), int(np.ceil(fine.max()))
    ticks = list(range(low, high + 1, max(1, -(-(high - low) // 8))))
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [_power(tick) for tick in ticks]}


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _lay_out(chart: Any, *, title: str, pen: Pen, language: str) -> None:
    chart.update_layout(
        height=320,
        title={"text": title, "x": 0, "xanchor": "left", "y": 0.98, "yanchor": "top", "font": {"size": 14}},
        margin={"l": 8, "r": 8, "t": 56 if title else 28, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        font={"color": pen.ink},
        hovermode="closest",
        uirevision="run",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": say("curves.step", language), "showgrid": False, "linecolor": pen.line, "automargin": True, "zeroline": False},
        yaxis={"gridcolor": pen.line, "griddash": "dot", "zeroline": False, "automargin": True, "exponentformat": "power"},
    )


def _scale(pen: Pen) -> list[list[Any]]:
    last = max(1, len(pen.scale) - 1)
    return [[number / last, colour] for number, colour in enumerate(pen.scale)]


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"…{name[-27:]}"
