"""The curves of a run, its layers over the steps, and what it showed of itself: texts that it wrote, a surface that it formed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.curves import Curve, Pen, curve_figure, heat_figure, ratio_figure
from explorer.errors import ExplorerError
from explorer.palette import PALETTE, SCALES
from explorer.runs import Scalars
from explorer.surfaces import surface_figure
from explorer.text import TEXTS, say
from explorer.ui import fonts, train_graph
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.train_data import Seen, follow, look
from explorer.ui.words import escaped

__all__ = ["BEFORE", "charts", "config", "groups", "layers", "metric_title", "options", "pen"]

BEFORE = ("validation_", "val_", "test_", "train_")  # how the name of a metric begins that belongs beside another
MOST_CHARTS = 6
MOST_TEXTS = 3
LATER = ("learning_rate", "speed")  # metrics about the training, not about the model
HIGH = 340  # pixels of the chart of the loss, and of what stands beside it
LONGEST = 1500  # characters of a text that are shown
CONFIG: dict[str, Any] = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


def options(then: Callable[[], None] = lambda: None) -> None:
    """How curves are drawn, and what `then` adds to the line.

    It stands outside of what is drawn again all the time, so that a drag of the slider is not cut short.
    """
    kept: dict[str, Any] = st.session_state.setdefault("train_look", {"smoothing": 0.0, "log": False, "what": "gradient"})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kept["smoothing"] = st.slider(
            _text("smoothing"), 0.0, 0.99, kept["smoothing"], 0.01, width=220, key=f"train_smoothing_{language()}"
        )
        kept["log"] = st.toggle(_text("log"), kept["log"], key=f"train_log_{language()}")
        formats = ("png", "svg")
        kept["format"] = st.segmented_control(
            _text("picture"), formats, default=kept.get("format", "png"), required=True, format_func=str.upper, help=_text("picture_help"),
            key=f"train_format_{language()}",
        )  # fmt: skip
        then()


@told
def charts(folder: Path, name: str) -> None:
    """All charts of a run."""
    try:
        seen = look(folder)
    except ExplorerError:
        return  # the part above says so
    _charts(seen, name)
    if train_graph.is_asked():
        st.rerun()


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def pen() -> Pen:
    """The colours of the theme: told apart by the colour-blind as well."""
    theme = _theme()
    found = PALETTE[theme]
    curves = tuple(found[one] for one in ("value", "gradient", "parameter_line", "buffer_line", "mark", "warning", "muted"))
    return Pen(curves, found["ink"], found["faint"], SCALES[theme]["gradient"])


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def groups(scalars: Scalars) -> dict[str, list[str]]:
    """Metrics that belong into one chart: `loss` with `validation_loss`. The loss comes first, the learning rate last."""
    found: dict[str, list[str]] = {}
    for name in scalars.metrics:
        base = next((name.removeprefix(word) for word in BEFORE if name.startswith(word)), name)
        found.setdefault(base, []).append(name)
    return dict(sorted(found.items(), key=lambda pair: (pair[0] != "loss", pair[0] in LATER)))


def metric_title(base: str) -> str:
    """A metric as a person calls it."""
    key = f"train.metric.{base}"
    return say(key, language()) if key in TEXTS else base


def _charts(seen: Seen, name: str) -> None:
    if not len(seen.scalars.steps):
        st.caption(_text("no_step_yet"))
        return
    shown = list(groups(seen.scalars).items())[:MOST_CHARTS]
    showings = _showings(seen, name)
    if shown[0][0] == "loss":
        if showings:
            left, right = st.columns([3, 2], gap="medium")
            with left:
                _curves(seen, name, *shown[0], height=HIGH)
            with right:
                _show(showings, name)
        else:
            _curves(seen, name, *shown[0], height=HIGH)
        shown = shown[1:]
    elif showings:
        _show(showings, name)
    for place in range(0, len(shown), 2):
        for column, (base, names) in zip(st.columns(min(2, len(shown)), gap="medium"), shown[place : place + 2], strict=False):
            with column:
                _curves(seen, name, base, names, height=240)


def config() -> dict[str, Any]:
    """What Plotly is told for every chart; the camera saves it in the format that is chosen."""
    return {**CONFIG, "toImageButtonOptions": {"format": st.session_state.train_look.get("format") or "png", "scale": 2}}


def _curves(seen: Seen, name: str, base: str, names: list[str], *, height: int) -> None:
    kept = st.session_state.train_look
    curves = []
    for metric in names:
        steps, values = seen.scalars.of(metric)
        beside = metric != base and any(metric.startswith(word) for word in BEFORE[:3])
        label = metric_title(base) if len(names) == 1 else _text("validation" if beside else "training")
        curves.append(Curve(label, steps, values, dashed=beside))
    is_loss = base == "loss"
    chart = curve_figure(
        curves, pen=pen(), title=metric_title(base), smoothing=kept["smoothing"] if base not in LATER else 0.0, log=kept["log"] and is_loss,
        recorded=[one.step for one in seen.traces] if is_loss else (), language=language(),
    )  # fmt: skip
    chart.update_layout(height=height, hovermode="x", clickmode="event+select", dragmode="zoom", uirevision=f"{name} {kept['log']}")
    chart.update_traces(unselected={"marker": {"opacity": 1}}, selector={"mode": "markers"})
    for trace in chart.data:  # a line alone cannot be chosen: it gets marks that are not seen
        if trace.mode == "lines":
            trace.update(
                mode="lines+markers",
                marker={"size": 6, "opacity": 0},
                selected={"marker": {"opacity": 0}},
                unselected={"marker": {"opacity": 0}},
            )
    at = train_graph.shown_step(name)
    if at is not None:
        chart.add_vline(x=at, line={"color": pen().ink, "width": 1, "dash": "dot"})
    key = f"train_curve_{base}_{name}_{language()}"
    st.plotly_chart(
        chart, key=key, on_select=lambda: _chosen(key, name), selection_mode="points", config=config(),
        alt=_text("curve_alt", name=metric_title(base)),
    )  # fmt: skip


def _chosen(key: str, name: str) -> None:
    points = st.session_state[key].selection.points
    if points:  # of each curve the one nearest to the click; the first curve has every step
        nearest = min(points, key=lambda point: point["curve_number"])
        train_graph.open_near(name, int(nearest["x"]))


@told
def layers(folder: Path, name: str) -> None:
    """The norms of all parameters over the steps, and how far each step moved them."""
    try:
        measures, parameters = follow(folder).norms()
    except ExplorerError:
        return
    if not len(measures.steps) or not parameters:
        return
    ways = {way: _text(f"what.{way}") for way in ("gradient", "weight", "update", "ratio")}
    kept = st.session_state.train_look
    what = st.segmented_control(
        _text("what"),
        ways,
        default=kept["what"],
        required=True,
        format_func=lambda way: _text(f"what.{way}"),
        key=f"train_what_{language()}",
    )
    kept["what"] = what
    left, right = st.columns(2, gap="medium")
    heat = heat_figure(measures, parameters, pen=pen(), what=str(what), language=language())
    heat.update_layout(uirevision=f"{name} {what}")
    ratio = ratio_figure(measures, parameters, pen=pen(), language=language())
    ratio.update_layout(uirevision=f"{name} ratio", height=min(heat.layout.height, 480))
    with left:
        st.plotly_chart(heat, key=f"train_heat_{name}_{language()}", config=config(), alt=_text(f"what.{what}"))
    with right:
        st.plotly_chart(ratio, key=f"train_ratio_{name}_{language()}", config=config(), alt=_text("what.ratio"))


# -- what the model shows of itself --------------------------------------------------------------------------------------------------


def _showings(seen: Seen, name: str) -> dict[str, tuple[int, str]]:
    """The last text of each kind, up to the step that is looked at, and its step."""
    upto = train_graph.shown_step(name) or math.inf
    last: dict[str, tuple[int, str]] = {}
    for step, kind, text in seen.texts:
        if step <= upto or kind not in last:
            last[kind] = (step, text)
    return last


def _show(last: dict[str, tuple[int, str]], name: str) -> None:
    if "surface" in last:
        _surface(last["surface"], last.get("points"), name)
    written = [pair for kind, pair in last.items() if kind not in ("surface", "points")]
    with st.container(key="train_written"):
        for step, text in written[:MOST_TEXTS]:
            st.markdown(f"**{escaped(_text('sample', step=step))}**")
            with st.container(height=HIGH - 50, border=False):
                st.code(text[:LONGEST], language=None, wrap_lines=True)
        fonts.bring_for("".join(text[:LONGEST] for _, text in written[:MOST_TEXTS]), within="train_written")


def _surface(surface: tuple[int, str], points: tuple[int, str] | None, name: str) -> None:
    try:
        told_surface = json.loads(surface[1])
        told_points = json.loads(points[1]) if points is not None else {"points": [], "classes": []}
        chart = surface_figure(
            np.asarray(told_surface["likely"], dtype=np.float64), x=told_surface["x"], y=told_surface["y"],
            points=np.asarray(told_points["points"], dtype=np.float64).reshape(-1, 2), classes=told_points["classes"],
            title=_text("surface", step=surface[0]), pen=pen(), paper=PALETTE[_theme()]["paper"], language=language(),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, IndexError):
        return  # somebody else's text of that name
    st.plotly_chart(chart, key=f"train_surface_{name}_{language()}", config=config(), alt=escaped(_text("surface_help")))
