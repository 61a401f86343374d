"""Functions of functions, y = f(g(x)): their values, both local slopes, and a Plotly figure of the curve with its tangent.

The slopes are written down, as in a table of derivatives; a test holds them to autograd.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as graphics

__all__ = ["PAIRS", "Pair", "Slope", "tangent_figure"]

POINTS = 400


@dataclass(frozen=True, slots=True)
class Slope:
    """What is known at one x: u = g(x), y = f(u), the slopes g'(x) and f'(u), and their product."""

    x: float
    u: float
    y: float
    inner: float
    outer: float

    @property
    def total(self) -> float:
        return self.outer * self.inner


@dataclass(frozen=True, slots=True)
class Pair:
    """An inner function and an outer one with their derivatives, how all four are written in LaTeX, and where to look at them."""

    inner: Callable[[float], float]
    inner_slope: Callable[[float], float]
    outer: Callable[[float], float]
    outer_slope: Callable[[float], float]
    written: tuple[str, str, str, str]  # g(x), g'(x), f(u), f'(u)
    whole: str  # f(g(x)), as a text that can be read out
    low: float
    high: float

    def at(self, x: float) -> Slope:
        """Value and slopes at one place."""
        u = self.inner(x)
        return Slope(x, u, self.outer(u), self.inner_slope(x), self.outer_slope(u))


def _sigmoid(u: float) -> float:
    return 1 / (1 + math.exp(-u))


PAIRS: dict[str, Pair] = {
    "square of line": Pair(
        lambda x: 3 * x + 1, lambda x: 3.0, lambda u: u * u, lambda u: 2 * u,
        ("3x + 1", "3", "u^2", "2u"), "(3x + 1)²", -2.0, 2.0,
    ),
    "sine of square": Pair(
        lambda x: x * x, lambda x: 2 * x, math.sin, math.cos,
        ("x^2", "2x", r"\sin u", r"\cos u"), "sin(x²)", -3.0, 3.0,
    ),
    "sigmoid of line": Pair(
        lambda x: 4 * x - 2, lambda x: 4.0, _sigmoid, lambda u: _sigmoid(u) * (1 - _sigmoid(u)),
        ("4x - 2", "4", r"\sigma(u)", r"\sigma(u)\,(1 - \sigma(u))"), "σ(4x − 2)", -2.0, 3.0,
    ),
    "relu of line": Pair(
        lambda x: 3 * x - 6, lambda x: 3.0, lambda u: max(0.0, u), lambda u: float(u > 0),
        ("3x - 6", "3", r"\mathrm{ReLU}(u)", r"[\,u > 0\,]"), "ReLU(3x − 6)", -1.0, 5.0,
    ),
}  # fmt: skip


def tangent_figure(pair: Pair, x: float, *, curve: str, tangent: str, ink: str, line: str, names: tuple[str, str]) -> Any:
    """The curve with its tangent at `x`, in these colours; `names` are what the legend calls the two."""
    across = np.linspace(pair.low, pair.high, POINTS)
    up = np.array([pair.at(float(one)).y for one in across])
    here = pair.at(x)
    bottom, top = float(up.min()), float(up.max())
    room = 0.12 * (top - bottom)
    chart = graphics.Figure()
    chart.add_scatter(x=across, y=up, mode="lines", name=names[0], line={"color": curve, "width": 2.5}, hoverinfo="skip")
    ends = np.array([pair.low, pair.high])
    chart.add_scatter(
        x=ends, y=here.y + here.total * (ends - x), mode="lines", name=names[1], line={"color": tangent, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )  # fmt: skip
    chart.add_scatter(
        x=[x], y=[here.y], mode="markers", showlegend=False, marker={"color": tangent, "size": 11, "line": {"color": ink, "width": 1}},
        hovertemplate="(%{x:.3g}, %{y:.4g})<extra></extra>",
    )  # fmt: skip
    axis = {"gridcolor": line, "zerolinecolor": ink, "zerolinewidth": 1, "fixedrange": True}
    chart.update_layout(
        height=320, margin={"l": 46, "r": 8, "t": 8, "b": 40}, font={"color": ink}, uirevision="tangent",
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis={**axis, "range": [pair.low, pair.high], "title": "x"}, yaxis={**axis, "range": [bottom - room, top + room], "title": "y"},
    )  # fmt: skip
    return chart
