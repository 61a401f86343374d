"""What a model takes each place of a plane for -> a Plotly figure, with the points that it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as graphics

from explorer.curves import Pen
from explorer.text import say

__all__ = ["surface_figure"]

SYMBOLS = ("circle", "diamond")  # classes differ in form as well as in colour


def surface_figure(
    likely: npt.NDArray[np.float64],
    *,
    x: Sequence[float],
    y: Sequence[float],
    points: npt.NDArray[np.float64],
    classes: Sequence[int],
    pen: Pen,
    paper: str,
    title: str = "",
    language: str = "en",
) -> Any:
    """`likely` is how likely the second of two classes is on a grid, by rows of growing y; `x` and `y` say from where to where it lies."""
    if likely.ndim != 2 or min(likely.shape) < 2 or not np.isfinite([*x, *y]).all():
        raise ValueError("no grid")
    first, second = pen.curve(0), pen.curve(1)
    across, up = np.linspace(x[0], x[1], likely.shape[1]), np.linspace(y[0], y[1], likely.shape[0])
    chart = graphics.Figure()
    chart.add_contour(
        z=likely, x=across, y=up, zmin=0, zmax=1, colorscale=[[0, first], [0.5, paper], [1, second]], opacity=0.45, showscale=False,
        contours={"start": 0.1, "end": 0.9, "size": 0.1, "showlines": False}, hoverinfo="skip",
    )  # fmt: skip
    chart.add_contour(
        z=likely, x=across, y=up, contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"}, showscale=False,
        line={"color": pen.ink, "width": 2}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    kinds = np.asarray(classes, dtype=np.int64)
    for kind, color in enumerate((first, second)):
        mine = points[kinds == kind]
        chart.add_scatter(
            x=mine[:, 0], y=mine[:, 1], mode="markers", name=say("train.class", language, number=kind),
            marker={"color": color, "symbol": SYMBOLS[kind], "size": 6, "line": {"color": paper, "width": 1}},
            hovertemplate="(%{x:.2f}, %{y:.2f})<extra></extra>",
        )  # fmt: skip
    chart.update_layout(
        height=340, margin={"l": 8, "r": 8, "t": 56, "b": 8}, font={"color": pen.ink}, uirevision="surface",
        title={"text": title, "x": 0, "xanchor": "left", "y": 0.98, "yanchor": "top", "font": {"size": 14}},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"showgrid": False, "zeroline": False, "range": list(x)}, yaxis={"showgrid": False, "zeroline": False, "range": list(y)},
    )  # fmt: skip
    return chart
