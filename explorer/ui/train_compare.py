"""Runs beside each other: curves over one another, their difference, and a table of results and of the settings that differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.curves import Curve, curve_figure
from explorer.errors import FileError
from explorer.runs import differences
from explorer.text import TEXTS, say
from explorer.ui import train_charts, train_live
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.train_data import Seen, look
from explorer.ui.words import escaped

__all__ = ["begin", "chosen", "end", "mark", "panel"]

BEAT = 2.0  # seconds between two drawings while one of the runs is alive
CALM = 1.0  # between two looks at how they stand
MOST_CARDS = 4  # runs whose progress stands above the curves
LOWER = ("loss",)  # how the names of metrics end that are better the lower they are


def chosen(runs: dict[str, Path]) -> list[str]:
    """The runs that are marked for a comparison, in the order in which they were marked."""
    return [name for name in st.session_state.get("train_marked", []) if name in runs]


def mark(name: str, key: str) -> None:
    """Take what the box of a run says."""
    marked: list[str] = st.session_state.setdefault("train_marked", [])
    if name in marked:
        marked.remove(name)
    if st.session_state[key]:
        marked.append(name)
    st.session_state.train_opened = True


def begin(names: list[str]) -> None:
    """These runs are marked, also before they are there, and no others; the boxes get new keys, so that they show it."""
    st.session_state.train_marked = names
    st.session_state.train_marks = st.session_state.get("train_marks", 0) + 1


def end() -> None:
    """No run is marked any more."""
    begin([])


def panel(runs: dict[str, Path], names: list[str]) -> None:
    """The comparison, drawn again while one of the runs is alive."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{_text('compare', count=len(names))}**", width="content")
        st.button(_text("compare_end"), icon=":material/close:", key="train_compare_end", on_click=end)
    try:
        alive = any(look(runs[name]).status.alive for name in names)
    except FileError as error:
        st.error(escaped(error.message(language())), icon=":material/error:")
        return
    st.fragment(_standing, run_every=CALM if alive else None, key=f"compared standing {names}")({name: runs[name] for name in names}, alive)
    train_charts.options()
    st.fragment(_compared, run_every=BEAT if alive else None, key=f"compared {names}")({name: runs[name] for name in names})


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


@told
def _standing(runs: dict[str, Path], was_alive: bool) -> None:
    """How far each of them is, and what one may ask of all at once."""
    try:
        seen = [look(folder) for folder in runs.values()]
    except FileError:
        return  # the part below says so
    if len(seen) <= MOST_CARDS:
        for column, one, label in zip(st.columns(len(seen), gap="medium"), seen, _labels(seen, list(runs)), strict=True):
            with column:
                train_live.card(one, label)
    alive = {name: one for name, one in zip(runs, seen, strict=True) if one.status.alive}
    if alive:
        with st.container(horizontal=True, gap="small"):
            paused = all(one.status.state == "paused" for one in alive.values())
            for kind, icon in (
                ("resume", ":material/play_arrow:") if paused else ("pause", ":material/pause:"),
                ("stop", ":material/stop:"),
            ):
                st.button(
                    _text(f"{kind}_all"), icon=icon, key=f"train_{kind}_all",
                    on_click=train_live.ask_all, args=(kind, {name: runs[name] for name in alive}),
                )  # fmt: skip
    if bool(alive) != was_alive:
        st.rerun()


@told
def _compared(runs: dict[str, Path]) -> None:
    try:
        seen = [look(folder) for folder in runs.values()]
    except FileError as error:
        st.error(escaped(error.message(language())), icon=":material/error:")
        return
    labels = _labels(seen, list(runs))
    metrics = list(dict.fromkeys(metric for one in seen for metric in one.scalars.metrics))
    if not metrics:
        st.caption(_text("no_step_yet"))
        return
    kept = st.session_state.get("train_compared", "loss")
    titles = {metric: _title(metric) for metric in metrics}
    metric = st.selectbox(
        _text("metric"), metrics, index=metrics.index(kept) if kept in metrics else 0, format_func=titles.__getitem__, width=260,
        key=f"train_metric_{language()}_{len(metrics)}",
    )  # fmt: skip
    st.session_state.train_compared = metric
    _overlay(seen, labels, metric, titles[metric])
    _difference(seen, labels, metric)
    _table(seen, labels, metric)


def _title(metric: str) -> str:
    """`validation_loss` as the page calls it."""
    base = next((metric.removeprefix(word) for word in train_charts.BEFORE if metric.startswith(word)), metric)
    title = train_charts.metric_title(base)
    return title if base == metric else f"{title} ({_text('training' if metric.startswith('train_') else 'validation')})"


def _labels(seen: list[Seen], names: list[str]) -> list[str]:
    """What the runs are called: by their names; where two have the same, by their folders, where they compute differently, by how."""
    given = [one.run.about.name for one in seen]
    found = [name if given.count(name) == 1 else f"{name} ({folder})" for name, folder in zip(given, names, strict=True)]
    places = [f"{one.run.about.device} · {one.run.about.dtype}" for one in seen]
    return found if len(set(places)) == 1 else [f"{name} · {place}" for name, place in zip(found, places, strict=True)]


def _values(one: Seen, metric: str) -> tuple[Any, Any]:
    return one.scalars.of(metric) if metric in one.scalars.metrics else (np.empty(0, dtype=np.int64), np.empty(0))


def _overlay(seen: list[Seen], labels: list[str], metric: str, title: str) -> None:
    look = st.session_state.train_look
    curves = [Curve(label, *_values(one, metric)) for one, label in zip(seen, labels, strict=True)]
    chart = curve_figure(
        curves,
        pen=train_charts.pen(),
        title=title,
        smoothing=look["smoothing"],
        log=look["log"] and metric.endswith(LOWER),
        language=language(),
    )
    chart.update_layout(height=340, hovermode="x", uirevision=f"{metric} {look['log']}")
    st.plotly_chart(chart, key=f"train_overlay_{language()}", config=train_charts.config(), alt=_text("curve_alt", name=title))


def _difference(seen: list[Seen], labels: list[str], metric: str) -> None:
    """Each run minus the first, at the steps that both have."""
    steps, values = _values(seen[0], metric)
    curves, said = [], []
    for number, (one, label) in enumerate(zip(seen[1:], labels[1:], strict=True), start=1):
        own, numbers = _values(one, metric)
        common, here, there = np.intersect1d(steps, own, return_indices=True)
        if not len(common):
            continue
        with np.errstate(invalid="ignore"):
            apart = numbers[there] - values[here]
        curves.append(Curve(label, common, apart, colour=number))
        finite = np.isfinite(apart)
        if not finite.any():
            continue
        if finite.all() and not apart.any():
            said.append(_text("equal", first=labels[0], count=len(common), name=label))
        else:
            place = int(np.argmax(np.where(finite, np.abs(apart), -1)))
            value = f"{apart[place]:+.4g}".replace("-", "−")
            said.append(_text("largest", first=labels[0], value=value, step=int(common[place]), name=label))
    title = _text("difference", name=labels[0])
    if not curves:
        st.caption(escaped(_text("no_common", name=labels[0])))
        return
    chart = curve_figure(
        curves, pen=train_charts.pen(), title=title, smoothing=st.session_state.train_look["smoothing"], language=language()
    )
    chart.update_layout(height=220, hovermode="x", showlegend=True, uirevision=f"{metric} difference")
    st.plotly_chart(chart, key=f"train_difference_{language()}", config=train_charts.config(), alt=title)
    st.caption(escaped(" ".join(said)))


def _table(seen: list[Seen], labels: list[str], metric: str) -> None:
    """Results above, then the settings that are not the same."""
    best = np.min if metric.endswith(LOWER) else np.max
    rows: dict[str, list[str]] = {
        _text("result.state"): [say(f"train.state.{one.status.state}", language()) for one in seen],
        _text("result.step"): [f"{one.status.step:,}" for one in seen],
        _text("result.last"): [_number(_values(one, metric)[1], lambda values: values[-1]) for one in seen],
        _text("result.best" if best is np.min else "result.highest"): [_number(_values(one, metric)[1], best) for one in seen],
        _text("result.speed"): _speeds(seen),
    }
    found = differences([one.run.about for one in seen])
    for each in found:
        own = f"train.setting.{each.setting}"
        name = say(own, language()) if own in TEXTS else each.setting
        rows[name] = [
            "–" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value) for value in each.values
        ]
    st.markdown(f"**{_text('results')}**")
    if not found:
        st.caption(_text("all_same"))
    head = [_text("setting"), *labels]
    lines = [head, ["---"] * len(head), *([name, *values] for name, values in rows.items())]
    st.markdown("\n".join("| " + " | ".join(word if word == "---" else escaped(word) for word in line) + " |" for line in lines))


def _speeds(seen: list[Seen]) -> list[str]:
    """Steps a second, and beside them how many times that of the first run."""
    speeds = [one.status.step / one.status.at if one.status.at > 0 else 0.0 for one in seen]
    return [
        ("–" if not speed else f"{speed:,.1f}") + (f" ({speed / speeds[0]:.2f} ×)" if number and speed and speeds[0] else "")
        for number, speed in enumerate(speeds)
    ]


def _number(values: Any, of: Any) -> str:
    finite = values[np.isfinite(values)]
    if not len(values):
        return "–"
    number = of(values) if of not in (np.min, np.max) else of(finite) if len(finite) else np.nan
    return f"{float(number):.4g}"
