"""The Train page: choose a program, start it, watch it learn, and open the graph of any step that was recorded."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.errors import FileError
from explorer.runs import list_folders
from explorer.text import say
from explorer.ui import fonts, train_choices, train_compare, train_graph, train_keys, train_live, train_runs
from explorer.ui.failing import told
from explorer.ui.known import asked_devices
from explorer.ui.state import language
from explorer.ui.train_data import look
from explorer.ui.train_process import all_started, root
from explorer.ui.words import escaped

__all__ = ["page"]

BEAT = 0.5  # seconds between two looks at a training that is just starting


def page() -> None:
    """One run of the page."""
    fonts.bring()
    train_choices.choices()
    if not asked_devices().answered.is_set():
        _wait_for_devices()
    runs = _there()
    name = _chosen(runs)
    wide, narrow = st.columns([3, 1], gap="medium")
    with narrow:
        train_runs.panel(runs, name)
        train_keys.keys(name if len(train_compare.chosen(runs)) < 2 else None)
    with wide:
        _starting()
        compared = train_compare.chosen(runs)
        if len(compared) > 1:
            train_compare.panel(runs, compared)
            return
        shown = _run(runs, name)
    if shown is not None and name is not None:
        train_graph.panel(shown, name)


def _run(runs: dict[str, Path], name: str | None) -> Path | None:
    """The run that is chosen, or why there is none to be seen; its folder where there is."""
    if name is None:
        if not any(one.is_starting for one in all_started().values()):
            st.info(say("train.empty", language()), icon=":material/show_chart:")
        return None
    try:
        train_graph.begin(name, look(runs[name]))
    except FileError as error:
        st.error(escaped(error.message(language())), icon=":material/error:")
        return None
    train_live.panel(runs[name], name)
    return runs[name]


def _there() -> dict[str, Path]:
    """The runs that there are, by the name that stands in the address."""
    place = root()
    return {folder.relative_to(place).as_posix() if folder != place else folder.name: folder for folder in list_folders(place)}


def _chosen(runs: dict[str, Path]) -> str | None:
    """The run that the address names, if it is one of those that are there; else the one that was started here last, or the newest."""
    asked = st.query_params.get("run")
    if asked in runs:
        return asked
    begun = [one for one in all_started().values() if one.is_starting and one.folder.name == asked]
    if asked is not None and not begun and st.session_state.get("run_missing") != asked:
        st.session_state.run_missing = asked
        st.toast(escaped(say("train.not_there", language(), name=asked[:80])), icon=":material/link_off:")
    if begun:
        return None
    return max(runs, key=lambda name: _age(runs[name]), default=None)


def _age(folder: Path) -> float:
    try:
        return (folder / "run.json").stat().st_mtime
    except OSError:
        return 0.0


@st.fragment(run_every=1.0)
@told
def _wait_for_devices() -> None:
    if asked_devices().answered.is_set():
        st.rerun()


def _starting() -> None:
    """A line for each training that has just been started here, until its run is there; and why one did not start."""
    mine = set(st.session_state.get("begun", ()))
    waiting = [one for folder, one in all_started().items() if folder in mine and one.is_starting]
    if waiting:
        _wait_for_start()
    for folder in mine:
        one = all_started().get(folder)
        reason = None if one is None else one.failure(language())
        if one is not None and reason is not None and not (folder / "run.json").is_file():
            st.error(escaped(say("train.not_started", language(), name=folder.name, reason=reason)), icon=":material/error:")


@st.fragment(run_every=BEAT)
@told
def _wait_for_start() -> None:
    mine = set(st.session_state.get("begun", ()))
    waiting = [one for folder, one in all_started().items() if folder in mine and one.is_starting]
    if len(waiting) != st.session_state.setdefault("waiting", len(waiting)) or not waiting:
        st.session_state.pop("waiting", None)
        st.rerun()
    for one in waiting:
        st.info(escaped(say("train.starting", language(), name=one.folder.name)), icon=":material/hourglass_top:")


if __name__ == "__main__":
    page()
