"""A run as it goes: how it stands, what one may ask of it, and its curves, drawn again while it is alive."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from explorer.errors import ExplorerError
from explorer.runs import request
from explorer.text import say
from explorer.ui import train_charts, train_edit, train_graph, train_histograms, train_ranks
from explorer.ui.failing import told
from explorer.ui.state import is_new_press, language
from explorer.ui.train_data import Seen, look
from explorer.ui.train_process import all_started, go_on, target_of
from explorer.ui.words import duration, escaped

__all__ = ["BADGES", "ask_all", "card", "panel", "state_word"]

BEAT = 0.5  # seconds between two looks at a run that is alive
SLOWER = 1.5  # between two drawings of its curves: a browser without a graphics card takes half a second for them
SLOWEST = 5.0  # between two drawings of its layers
PATIENCE = 20.0  # seconds that something asked for may take, before it can be asked for again
BADGES = {
    "running": ("blue", ":material/play_circle:"),
    "paused": ("gray", ":material/pause_circle:"),
    "finished": ("green", ":material/check_circle:"),
    "stopped": ("gray", ":material/stop_circle:"),
    "failed": ("orange", ":material/error:"),
    "died": ("orange", ":material/error:"),
}
DONE_WHEN = {"pause": ("paused",), "resume": ("running",), "stop": ("stopped",)}


def panel(folder: Path, name: str) -> None:
    """The run `name`: a part that is looked at twice a second, and its curves less often, as long as it is alive."""
    seen = look(folder)
    alive = _goes_on(seen)
    every = BEAT if alive else None
    st.fragment(_standing, run_every=every, key=f"standing {name}")(folder, name, alive)
    train_charts.options(lambda: train_edit.buttons(seen, name))
    st.fragment(train_charts.charts, run_every=SLOWER if alive else None, key=f"charts {name}")(folder, name)
    train_ranks.panel(folder, name, alive=alive)
    st.fragment(train_charts.layers, run_every=SLOWEST if alive else None, key=f"layers {name}")(folder, name)
    st.fragment(train_histograms.panel, run_every=SLOWEST if alive else None, key=f"histograms {name}")(folder, name)


def _goes_on(seen: Seen) -> bool:
    """Whether it is alive, or was taken up again a moment ago."""
    mine = all_started().get(seen.run.folder)
    return seen.status.alive or (mine is not None and mine.alive)


def state_word(state: str) -> str:
    """A state as a person says it."""
    return say(f"train.state.{state}", language())


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


@told
def _standing(folder: Path, name: str, was_alive: bool) -> None:
    try:
        seen = look(folder)
    except ExplorerError as error:
        st.error(escaped(error.message(language())), icon=":material/error:")
        return
    _show(seen, name)
    if _goes_on(seen) != was_alive or train_graph.is_asked() or train_graph.has_more(name, seen):
        st.rerun()


def _show(seen: Seen, name: str) -> None:
    status = seen.status
    color, icon = BADGES[status.state]
    asked = _asked(name, seen)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{escaped(seen.run.about.name)}**", width="content")
        waits = not status.alive and _goes_on(seen)
        word = _text(f"asked.{asked}") if asked else _text("asked.resume") if waits else state_word(status.state)
        st.badge(word, icon=icon, color=color)  # type: ignore[arg-type]
        st.markdown(escaped(_facts(seen)), width="content")
    if status.steps:
        st.progress(min(1.0, status.step / status.steps), text=escaped(_progress(seen)))
    else:
        st.caption(escaped(_progress(seen)))
    _buttons(seen, name, asked)
    _trouble(seen, name)


def card(seen: Seen, label: str) -> None:
    """One run among several: what it is called, how it stands, how far and how fast it is."""
    color, icon = BADGES[seen.status.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{escaped(label)}**", width="content")
        st.badge(state_word(seen.status.state), icon=icon, color=color)  # type: ignore[arg-type]
    if seen.status.steps:
        st.progress(min(1.0, seen.status.step / seen.status.steps), text=escaped(_progress(seen)))
    else:
        st.caption(escaped(_progress(seen)))


def _facts(seen: Seen) -> str:
    """What is trained where, in a line."""
    about = seen.run.about
    words = []
    if about.target:
        words.append(about.target)
    if about.device:
        words.append(_text("on", device=about.device, dtype=about.dtype or "–"))
    if about.parameters:
        words.append(_text("parameters", count=about.parameters))
    return " · ".join(words)


def _progress(seen: Seen) -> str:
    """How far it is, how fast, and how long it will take."""
    status = seen.status
    words = [_text("step_of", step=status.step, steps=status.steps) if status.steps else _text("step", step=status.step)]
    if seen.loss is not None:
        words.append(_text("loss_is", loss=f"{seen.loss:.4g}"))
    if seen.speed is not None:
        words.append(_text("speed", speed=f"{seen.speed:,.1f}" if seen.speed < 100 else f"{seen.speed:,.0f}"))
    if status.state == "running" and seen.left is not None:
        words.append(_text("left", time=duration(seen.left, language())))
    else:
        words.append(_text("took", time=duration(status.at, language())))
    return " · ".join(words)


# -- what one may ask of it ----------------------------------------------------------------------------------------------------------


def _asked(name: str, seen: Seen) -> str | None:
    """What was asked for and has not happened yet."""
    kind, when = st.session_state.get("train_asked", {}).get(name, (None, 0.0))
    if kind is None or not seen.status.alive or seen.status.state in DONE_WHEN[kind] or time.monotonic() - when > PATIENCE:
        return None
    return str(kind)


def _buttons(seen: Seen, name: str, asked: str | None) -> None:
    status, folder = seen.status, seen.run.folder
    running, paused = status.state == "running", status.state == "paused"
    with st.container(horizontal=True, gap="small"):
        if status.alive:
            if paused:
                _button("resume", ":material/play_arrow:", folder, name, disabled=bool(asked))
            else:
                _button("pause", ":material/pause:", folder, name, disabled=bool(asked) or not running)
            _button("stop", ":material/stop:", folder, name, disabled=asked == "stop")
            _button("record", ":material/fiber_smart_record:", folder, name, disabled=not running or asked == "stop")
        elif _can_go_on(seen):
            st.button(_text("go_on"), icon=":material/restart_alt:", key=f"train_go_on_{name}", on_click=_go_on, args=(seen,))


def _button(kind: str, icon: str, folder: Path, name: str, *, disabled: bool) -> None:
    st.button(_text(kind), icon=icon, key=f"train_{kind}_{name}", disabled=disabled, on_click=_ask, args=(kind, folder, name))


def _ask(kind: str, folder: Path, name: str) -> None:
    if not is_new_press(f"{kind} {folder}"):
        return
    try:
        request(folder, kind)
    except ExplorerError as error:
        st.session_state.train_error = error
        return
    if kind == "record":
        st.toast(_text("record_asked"), icon=":material/fiber_smart_record:")
    else:
        st.session_state.setdefault("train_asked", {})[name] = (kind, time.monotonic())


def ask_all(kind: str, runs: dict[str, Path]) -> None:
    """Ask the same of several."""
    for name, folder in runs.items():
        _ask(kind, folder, name)


def _can_go_on(seen: Seen) -> bool:
    """Whether there is something to go on from: a checkpoint of a program that has steps left and may run."""
    status, about = seen.status, seen.run.about
    left = status.steps is None or status.step < status.steps
    mine = all_started().get(seen.run.folder)
    return (
        target_of(seen.run.folder, about.target) is not None
        and left
        and (mine is None or not mine.alive)
        and any(seen.run.folder.glob("checkpoint-*/state.json"))
    )


def _go_on(seen: Seen, record_at: int | None = None) -> None:
    folder = seen.run.folder
    if not is_new_press(f"go on {folder}"):
        return
    try:
        go_on(folder, str(target_of(folder, seen.run.about.target)), record_at=record_at)
    except ExplorerError as error:
        st.session_state.train_error = error
    else:
        st.session_state.train_resumed = seen.run.folder


# -- what went wrong -----------------------------------------------------------------------------------------------------------------


def _trouble(seen: Seen, name: str) -> None:
    status = seen.status
    if status.nan is not None:
        _not_finite(seen, name, status.nan)
    if status.state == "died":
        st.error(_text("died"), icon=":material/error:")
    if status.state == "failed":
        errors = [event for event in seen.run.events() if event.kind == "failed"]
        error = str(errors[-1].told.get("error", "")) if errors else ""
        st.error(escaped(_text("failed", step=status.step, error=error)), icon=":material/error:")
        mine = all_started().get(seen.run.folder)
        report = "" if mine is None else mine.traceback()
        if report.strip():
            with st.expander(_text("traceback")):
                st.code(report, language="python")
    mine = all_started().get(seen.run.folder)
    if mine is not None and status.state not in ("failed", "died"):
        reason = mine.failure(language())
        if reason is not None:
            st.error(escaped(reason), icon=":material/error:")


def _not_finite(seen: Seen, name: str, step: int) -> None:
    """Where the loss was not finite: the step that explains it, or the way to have it recorded."""
    own = next((one for one in seen.traces if one.step == step), None)
    later = next((one for one in seen.traces if one.step > step and one.reason in ("nan", "failed")), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(_text("nan", step=step), icon=":material/warning:")
        for one, words in ((own, "nan_open"), (later if own is None else None, "nan_later")):
            if one is not None:
                st.button(
                    _text(words, step=one.step), icon=":material/search_insights:", key=f"train_{words}_{name}",
                    on_click=train_graph.open_step, args=(name, one.step),
                )  # fmt: skip
        if own is None and not _goes_on(seen) and target_of(seen.run.folder, seen.run.about.target) is not None:
            st.button(
                _text("nan_again", step=step), icon=":material/replay:", key=f"train_nan_again_{name}", on_click=_go_on, args=(seen, step),
                help=_text("nan_again_help"),
            )  # fmt: skip
