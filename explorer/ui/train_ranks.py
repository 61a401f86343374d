"""The processes of a run that trains on several: how each stands, what it computed by itself, who is waited for, who is silent."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.curves import Curve, curve_figure, waiting_figure
from explorer.errors import ExplorerError
from explorer.runs import Measures, Run, Status, open_run
from explorer.text import say
from explorer.ui import train_charts
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.train_data import follow, last_loss
from explorer.ui.words import duration, escaped

__all__ = ["Rank", "has_ranks", "panel", "standing"]

BEAT = 2.0  # seconds between two looks while one of them is alive
SILENT = 10.0  # seconds without a word, and as many of its steps, after which a rank is said to be silent
STEPS_OF_SILENCE = 20
MOST_CURVES = 8  # ranks with a curve each; of more the lowest and the highest at each step are drawn
RECENT = 50  # measured steps over which a time is the median
SLOWER = 1.2  # times what the quickest needs, from which on a rank is said to hold the others up


@dataclass(frozen=True, slots=True)
class Rank:
    """How one process stands. `seconds`: of a step; `waited`: of which it waited for others; `silent`: since when it has said nothing."""

    number: int
    status: Status | None
    loss: float | None = None
    seconds: float | None = None
    waited: float | None = None
    silent: float | None = None

    @property
    def own(self) -> float | None:
        """Seconds of a step in which it worked."""
        return None if self.seconds is None or self.waited is None else max(0.0, self.seconds - self.waited)


def has_ranks(run: Run) -> bool:
    """Whether it trains on several processes, or was to."""
    return run.about.ranks > 1 or len(run.ranks) > 1


def panel(folder: Path, name: str, *, alive: bool) -> None:
    """The part of the page about them; nothing for a run of one process."""
    try:
        if not has_ranks(open_run(folder)):
            return
    except ExplorerError:
        return
    st.markdown(f"#### {_text('ranks')}")
    st.fragment(_panel, run_every=BEAT if alive else None, key=f"ranks {name}")(folder, name)


def standing(folder: Path, run: Run) -> list[Rank]:
    """How each of them stands; one that has not begun has no status."""
    found = [_rank(folder, run, number) for number in run.ranks]
    return sorted(found + [Rank(number, None) for number in range(run.about.ranks) if number not in run.ranks], key=lambda one: one.number)


def _rank(folder: Path, run: Run, number: int) -> Rank:
    seen = follow(folder, number).look()
    status, steps = seen.status, seen.scalars
    local = follow(folder, number).local()
    times = _times(steps.steps, steps.at)[1][-RECENT:]
    seconds = float(np.median(times)) if len(times) else None
    waits = local.waited[np.isfinite(local.waited)][-RECENT:]
    quiet = time.time() - run.written(number)
    is_silent = status.state == "running" and quiet > max(SILENT, STEPS_OF_SILENCE * (seconds or 0.0))
    return Rank(number, status, last_loss(steps), seconds, float(np.median(waits)) if len(waits) else None, quiet if is_silent else None)


def _times(steps: Any, at: Any) -> tuple[Any, Any]:
    """Seconds of each step but the first of each stretch."""
    apart = np.diff(steps) == 1
    return steps[1:][apart], np.diff(at)[apart]


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


@told
def _panel(folder: Path, name: str) -> None:
    try:
        run = open_run(folder)
        ranks = standing(folder, run)
        _said(ranks)
        _losses(folder, name, ranks)
        _gradients(folder, name, run)
    except ExplorerError:
        return  # the part above says so
    _table(ranks)


def _said(ranks: list[Rank]) -> None:
    """What stands out: who died, who is silent, who has not begun, who is waited for."""
    dead = [one.number for one in ranks if one.status is not None and one.status.state in ("died", "failed")]
    if dead:
        st.error(escaped(_text("ranks_died", ranks=_numbers(dead))), icon=":material/error:")
    for one in ranks:
        if one.silent is not None:
            told = _text("ranks_silent", rank=one.number, time=duration(one.silent, language()))
            st.warning(escaped(told), icon=":material/hourglass_disabled:")
    absent = [one.number for one in ranks if one.status is None]
    if absent:
        st.warning(escaped(_text("ranks_absent", ranks=_numbers(absent))), icon=":material/hourglass_empty:")
    known = [one for one in ranks if one.own is not None]
    if len(known) > 1:
        slow, quick = max(known, key=lambda one: one.own or 0.0), min(known, key=lambda one: one.own or 0.0)
        if (slow.own or 0.0) > SLOWER * (quick.own or 0.0):
            told = _text("ranks_slowest", rank=slow.number, own=_ms(slow.own), waited=_ms(max(one.waited or 0.0 for one in known)))
            st.info(escaped(told), icon=":material/speed:")


def _losses(folder: Path, name: str, ranks: list[Rank]) -> None:
    """The loss of each rank, and beside it how long each takes for a step."""
    begun = [one.number for one in ranks if one.status is not None]
    curves = []
    for number in begun:
        scalars = follow(folder, number).look().scalars
        if "loss" in scalars.metrics:
            curves.append(Curve(_text("rank", rank=number), *scalars.of("loss")))
    left, right = st.columns([3, 2], gap="medium")
    kept = st.session_state.train_look
    if curves:
        chart = curve_figure(
            _few(curves),
            pen=train_charts.pen(),
            title=_text("ranks_loss"),
            smoothing=kept["smoothing"],
            log=kept["log"],
            language=language(),
        )
        chart.update_layout(height=280, hovermode="x", uirevision=f"{name} ranks {kept['log']}")
        with left:
            st.plotly_chart(chart, key=f"train_ranks_loss_{name}_{language()}", config=train_charts.config(), alt=_text("ranks_loss"))
    timed = [one for one in ranks if one.seconds is not None]
    if timed:
        bars = [(_text("rank", rank=one.number), one.seconds or 0.0, one.waited) for one in timed]
        chart = waiting_figure(bars, pen=train_charts.pen(), language=language())
        chart.update_layout(height=280)
        with right:
            st.plotly_chart(chart, key=f"train_ranks_time_{name}_{language()}", config=train_charts.config(), alt=_text("ranks_time"))


def _few(curves: list[Curve]) -> list[Curve]:
    """The curves, or of many the lowest and the highest of all at each step."""
    if len(curves) <= MOST_CURVES:
        return curves
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    low, high = np.full(len(steps), np.inf), np.full(len(steps), -np.inf)
    for curve in curves:
        places = np.searchsorted(steps, curve.steps)
        low[places], high[places] = np.fmin(low[places], curve.values), np.fmax(high[places], curve.values)
    return [Curve(_text("ranks_lowest", count=len(curves)), steps, low), Curve(_text("ranks_highest", count=len(curves)), steps, high)]


# -- before and after averaging --------------------------------------------------------------------------------------------------------


def _gradients(folder: Path, name: str, run: Run) -> None:
    """The norm of a gradient as each rank had it, and that of the average."""
    locals_ = {number: follow(folder, number).local() for number in run.ranks}
    if not any(len(one.steps) for one in locals_.values()):
        return
    names = [parameter.name for parameter in run.parameters()]
    every = _text("ranks_all_parameters")
    options = [-1, *range(len(names))]
    alike = [number for number in run.ranks if [one.name for one in run.parameters(number)] == names]
    chosen = st.selectbox(
        _text("ranks_parameter"), options, format_func=lambda place: every if place < 0 else names[place], width=340,
        key=f"train_ranks_parameter_{name}_{language()}",
    )  # fmt: skip
    curves = [
        Curve(_text("ranks_before", rank=number), local.steps, _chosen(local.gradient, chosen))
        for number, local in locals_.items()
        if number in alike
    ]
    steps, after = averaged({number: follow(folder, number).norms()[0] for number in alike}, copies(run, len(names)))
    few = _few(curves)
    few.append(Curve(_text("ranks_after"), steps, _chosen(after, chosen), colour=len(train_charts.pen().curves) - 1))
    title = _text("ranks_gradient", name=every if chosen < 0 else names[chosen])
    chart = curve_figure(
        few, pen=train_charts.pen(), title=title, smoothing=st.session_state.train_look["smoothing"], log=True, language=language()
    )
    chart.update_layout(height=280, hovermode="x", uirevision=f"{name} ranks {chosen}")
    st.plotly_chart(chart, key=f"train_ranks_gradient_{name}_{language()}", config=train_charts.config(), alt=title)
    st.caption(_text("ranks_gradient_help"))


def _chosen(norms: Any, place: int) -> Any:
    """The norms of one parameter, or of all together."""
    if place >= 0:
        return norms[:, place].astype(np.float64)
    squares = norms.astype(np.float64) ** 2
    return np.where(np.isnan(squares).all(axis=1), np.nan, np.sqrt(np.nansum(squares, axis=1)))


def copies(run: Run, count: int) -> Any:
    """How many ranks hold the same part of each parameter."""
    begun = [event.told.get("copies") for event in run.events() if event.kind in ("started", "resumed")]
    told = begun[-1] if begun else None
    if isinstance(told, list) and len(told) == count and all(isinstance(one, int) and one > 0 for one in told):
        return np.array(told, dtype=np.float64)
    return np.full(count, float(told) if isinstance(told, int) and told > 0 else float(len(run.ranks)))


def averaged(measures: dict[int, Measures], copies: Any) -> tuple[Any, Any]:
    """The norms of the averaged gradients, put together from the parts that the ranks hold, at the steps that all have measured."""
    steps = next(iter(measures.values())).steps
    for one in measures.values():
        steps = np.intersect1d(steps, one.steps)
    squares = np.zeros((len(steps), len(copies)))
    for one in measures.values():
        squares += one.gradient[np.searchsorted(one.steps, steps)].astype(np.float64) ** 2
    return steps, np.sqrt(squares / copies)


# -- words -----------------------------------------------------------------------------------------------------------------------------


def _table(ranks: list[Rank]) -> None:
    head = [_text(f"ranks_column.{name}") for name in ("rank", "state", "step", "loss", "seconds", "own", "waited")]
    rows = []
    for one in ranks:
        state = _text("ranks_not_begun") if one.status is None else say(f"train.state.{one.status.state}", language())
        step = "–" if one.status is None else f"{one.status.step:,}"
        rows.append([str(one.number), state, step, _number(one.loss), _ms(one.seconds), _ms(one.own), _ms(one.waited)])
    lines = [head, ["---"] * len(head), *rows]
    st.markdown("\n".join("| " + " | ".join(word if word == "---" else escaped(word) for word in line) + " |" for line in lines))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None or not math.isfinite(seconds) else f"{1e3 * seconds:,.1f} ms"


def _numbers(ranks: list[int]) -> str:
    return ", ".join(map(str, ranks))
