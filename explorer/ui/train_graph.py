"""The graph of a recorded step of a run, in the player, on the same page; and the way to it from a curve or a slider."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.errors import ExplorerError
from explorer.files import load
from explorer.runs import Recorded
from explorer.text import TEXTS, say
from explorer.ui import player
from explorer.ui.failing import told
from explorer.ui.state import Opened, asked_folding, asked_number, language, picture_for_player, recording_for_player
from explorer.ui.train_data import Seen, look
from explorer.ui.widgets import key_for, take
from explorer.ui.words import escaped

__all__ = ["begin", "has_more", "is_asked", "move", "open_near", "open_step", "panel", "shown_step"]

MOST_NAMED = 12  # recorded steps that are listed by number


def shown_step(name: str) -> int | None:
    """The step of the run that somebody looks at."""
    at: int | None = st.session_state.get("train_at", {}).get(name)
    return at


def open_near(name: str, step: int) -> None:
    """Look at this step, and open the graph that was recorded nearest to it."""
    st.session_state.setdefault("train_at", {})[name] = step
    st.session_state.train_open = name
    st.session_state.train_go = True


def open_step(name: str, step: int) -> None:
    """Open the graph of a step that was recorded."""
    open_near(name, step)


def move(name: str, *, by: int = 0, to: str = "") -> None:
    """Look at a step further on or back, at the "first" or the "last", or the recorded one "before" or "after"; an open graph follows."""
    steps, last = st.session_state.get("train_steps", {}).get(name, ((), 0))
    if not last:
        return
    now = shown_step(name) or (steps[-1] if steps else last)
    found = {
        "first": 1, "last": last, "before": max((step for step in steps if step < now), default=now),
        "after": min((step for step in steps if step > now), default=now),
    }.get(to, now + by)  # fmt: skip
    st.session_state.setdefault("train_at", {})[name] = min(max(1, found), last)


def begin(name: str, seen: Seen) -> None:
    """The page is built anew: what was asked for is about to be shown, and these are the recordings that there are."""
    st.session_state.pop("train_go", None)
    st.session_state.setdefault("train_traces", {})[name] = len(seen.traces)
    recorded = tuple(one.step for one in seen.traces)
    st.session_state.setdefault("train_steps", {})[name] = (recorded, max(seen.status.step, *recorded, 0))


def is_asked() -> bool:
    """Whether a graph was asked for by a part of the page that cannot show it; asked once, it is no more."""
    return bool(st.session_state.pop("train_go", False))


def has_more(name: str, seen: Seen) -> bool:
    """Whether a step was recorded since the page was built, so that the panel should be built anew."""
    known = st.session_state.setdefault("train_traces", {}).get(name)
    return known is not None and known != len(seen.traces)


def panel(folder: Path, name: str) -> None:
    """The slider over the steps, and below it the graph, once one was asked for."""
    try:
        seen = look(folder)
    except ExplorerError:
        return
    st.markdown(f"#### {_text('graph')}")
    if not seen.traces:
        st.caption(_text("none_recorded"))
        return
    steps = [one.step for one in seen.traces]
    named = ", ".join(f"{step:,}" for step in steps[:MOST_NAMED]) + (" …" if len(steps) > MOST_NAMED else "")
    st.caption(escaped(_text("recorded", count=len(steps), steps=named)))
    at = min(max(1, shown_step(name) or steps[-1]), max(seen.status.step, steps[-1]))
    nearest = min(seen.traces, key=lambda one: (abs(one.step - at), one.step))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if max(seen.status.step, steps[-1]) > 1:
            _slider(name, at, max(seen.status.step, steps[-1]))
        if st.session_state.get("train_open") != name:
            st.button(
                _text("open", step=nearest.step),
                icon=":material/account_tree:",
                key=f"train_open_{name}",
                on_click=open_near,
                args=(name, at),
            )
        else:
            st.button(_text("close"), icon=":material/close:", key=f"train_close_{name}", on_click=_close)
    if st.session_state.get("train_open") == name:
        _graph(seen, name, nearest)


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def _slider(name: str, at: int, last: int) -> None:
    widget = f"train_scrub_{name}_{last}"
    key = key_for(widget, at)
    st.slider(_text("scrub"), 1, last, at, key=key, on_change=_scrubbed, args=(name, widget, key), width=420)


def _scrubbed(name: str, widget: str, key: str) -> None:
    step = take(widget, key)
    if isinstance(step, int):
        open_near(name, step)


def _close() -> None:
    st.session_state.pop("train_open", None)
    st.session_state.train_at = {}


def _graph(seen: Seen, name: str, found: Recorded) -> None:
    """The player with this recording."""
    place = f"{seen.run.about.created} {found.path}"
    kept: tuple[str, Opened] | None = st.session_state.get("train_graph")
    if kept is None or kept[0] != place:
        try:
            with st.spinner(say("page.drawing", language())):
                trace = load(found.path)
        except ExplorerError as error:
            st.error(escaped(error.message(language())), icon=":material/error:")
            return
        kept = st.session_state.train_graph = (place, Opened(f"run {place}", f"{seen.run.about.name}-{found.step}", "run", trace))
    shown = kept[1]
    reason = f"train.reason.{found.reason}"
    why = say(reason if reason in TEXTS else "train.reason.other", language())
    st.markdown(escaped(_text("shown", step=found.step, name=seen.run.about.name, reason=why)))
    try:
        player.show(recording_for_player(shown), shown.trace)
    except ExplorerError as error:
        st.error(escaped(error.message(language())), icon=":material/error:")
        return
    _picture()


@st.fragment
@told
def _picture() -> None:
    """The picture of it. Where the player asks for another, only this runs again."""
    kept: tuple[str, Opened] | None = st.session_state.get("train_graph")
    if kept is not None:
        player.hand_over(picture_for_player(kept[1], *asked_folding(kept[1])), answers=asked_number())
