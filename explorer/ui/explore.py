"""The Explore page: choose a program, run it, step through what happened."""

from __future__ import annotations

import re
from typing import Literal

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.errors import ExplorerError, ProgramError
from explorer.text import TEXTS, say
from explorer.ui import devices, player, running
from explorer.ui.downloads import downloads
from explorer.ui.state import Opened, data_for_player, first, language, load_upload, open_example, open_recorded, opened

BEAT = 0.4  # seconds between two looks at a run


def page() -> None:
    """One run of the page."""
    shown = opened()
    _choices(shown)
    if not _asked_devices().answered.is_set():
        _wait_for_devices()
    if "run" in st.session_state:
        _progress()
    _error()
    shown = opened()
    if shown is not None:
        _player(shown)
    elif st.session_state.get("error") is None:
        st.info(say("page.not_recorded", language()))


def _text(key: str, **values: object) -> str:
    return say(f"page.{key}", language(), **values)


# -- choosing and running ------------------------------------------------------------------------------------------------------------


def _choices(shown: Opened | None) -> None:
    busy = "run" in st.session_state
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _text("example"),
            list(EXAMPLES),
            index=list(EXAMPLES).index(first()),
            format_func=lambda name: EXAMPLES[name].title(language()),
            key="example",
            on_change=_choose_example,
            disabled=busy,
            width=330,
        )
        fake = EXAMPLES[st.session_state.example].fake_only
        names = ("fake",) if fake else _asked_devices().names
        device = st.selectbox(_text("device"), names, help=_text("device_help"), disabled=busy or fake, width=110)
        seed = st.number_input(_text("seed"), min_value=0, max_value=2**31 - 1, value=0, step=1, disabled=busy, width=120)
        if st.button(_text("run"), type="primary", icon=":material/play_arrow:", disabled=busy):
            st.session_state.error = None
            st.session_state.run = running.start(st.session_state.example, device=device, dtype=None, seed=int(seed))
            st.rerun()
        with st.popover(_text("open"), icon=":material/folder_open:", disabled=busy):
            _upload()
        if shown is not None:
            with st.popover(_text("download"), icon=":material/download:"):
                downloads(shown)


def _choose_example() -> None:
    st.query_params["example"] = st.session_state.example
    st.query_params.pop("step", None)
    open_example(st.session_state.example)


@st.cache_resource(show_spinner=False)
def _asked_devices() -> devices.Devices:
    return devices.ask()


@st.fragment(run_every=1.0)
def _wait_for_devices() -> None:
    if _asked_devices().answered.is_set():
        st.rerun()


def _upload() -> None:
    file = st.file_uploader(_text("open_label"), type=["trace"], key="upload", help=_text("open_help"))
    if file is not None and st.session_state.get("uploaded") != file.file_id:
        st.session_state.uploaded = file.file_id
        try:
            open_recorded(load_upload(file.name, file.getvalue()), name=file.name.removesuffix(".trace"), origin="file")
            st.query_params.pop("step", None)
        except ExplorerError as error:
            st.session_state.error = error
        st.rerun()


# -- a run in progress, and what went wrong --------------------------------------------------------------------------------------------


@st.fragment(run_every=BEAT)
def _progress() -> None:
    run: running.Run | None = st.session_state.get("run")
    if run is None:
        return
    if not run.alive:
        _finish(run)
        st.rerun()
    stopping = run.cancelled.is_set()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(run.share or 0.0, text=_text("stopping") if stopping else _phase(run))
        if st.button(_text("cancel"), icon=":material/stop:", disabled=stopping):
            run.cancelled.set()
            st.rerun(scope="fragment")


def _phase(run: running.Run) -> str:
    key = f"page.phase_{run.phase}"
    words = say(key if key in TEXTS else "page.phase_start", language())
    return f"{words} {run.done} / {run.total}" if run.total else words


def _finish(run: running.Run) -> None:
    del st.session_state.run
    st.query_params.pop("step", None)
    if run.trace is not None:
        open_recorded(run.trace, name=run.target, origin="run")
    if run.error is not None and not run.cancelled.is_set():
        st.session_state.error = run.error
    if run.cancelled.is_set():
        st.toast(_text("cancelled"))


def _error() -> None:
    error: ExplorerError | None = st.session_state.get("error")
    if error is None:
        return
    st.error(_plain(error.message(language())), icon=":material/error:")
    if isinstance(error, ProgramError) and error.report:
        with st.expander(_text("traceback")):
            st.code(error.report, language="python")
    if isinstance(error, ProgramError) and error.output:
        with st.expander(_text("output")):
            st.code(error.output, language=None)


def _plain(words: str) -> str:
    """`words` with everything escaped that Markdown would read as more than text."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", words)


# -- the player ----------------------------------------------------------------------------------------------------------------------


def _player(shown: Opened) -> None:
    theme: Literal["light", "dark"] = "dark" if st.context.theme.type == "dark" else "light"
    try:
        with st.spinner(_text("drawing")):
            data = data_for_player(shown, theme)
    except ExplorerError as error:
        st.error(_plain(error.message(language())), icon=":material/error:")
        return
    player.show(data)


if __name__ == "__main__":
    page()
