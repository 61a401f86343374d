"""The graph of the model that is configured, in the player: shipped for the presets, else run with fake tensors when asked for."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError, ProgramError
from explorer.files import assets_folder, load
from explorer.model import Trace
from explorer.sizes import PRESETS, Configuration, as_python
from explorer.text import TEXTS, say
from explorer.ui import player, running
from explorer.ui.failing import told
from explorer.ui.state import Opened, asked_folding, asked_number, language, picture_for_player, recording_for_player
from explorer.ui.words import escaped

__all__ = ["FILE", "panel", "shipped"]

FILE = "my_gpt.py"  # what the program is called that is run
MOST_LAYERS = 200
MOST_KEPT = 4  # graphs that were drawn for a visitor
BEAT = 0.4  # seconds between two looks at a run


def shipped(config: Configuration) -> str | None:
    """The name of the preset whose graph comes with the package, where this is one."""
    return next((name for name, one in PRESETS.items() if one == config), None)


def panel(config: Configuration) -> None:
    """The graph, or the button that draws it."""
    st.markdown(f"#### {_text('graph_title')}")
    st.caption(escaped(_text("graph_about")))
    run: tuple[Configuration, running.Run] | None = st.session_state.get("llm_run")
    shown = _opened(config)
    if shown is None and run is None:
        if config.n_layers > MOST_LAYERS:
            st.info(_text("graph_deep", most=MOST_LAYERS), icon=":material/account_tree:")
        else:
            st.info(_text("graph_other"), icon=":material/account_tree:")
            st.button(_text("graph_draw"), icon=":material/account_tree:", key="llm_draw", on_click=_draw, args=(config,))
    if run is not None:
        _progress()
    error: ExplorerError | None = st.session_state.get("llm_error")
    if error is not None:
        st.error(escaped(error.message(language())), icon=":material/error:")
    if shown is None:
        return
    st.session_state.llm_shown = shown
    try:
        with st.spinner(say("page.drawing", language())):
            recording = recording_for_player(shown)
    except ExplorerError as failed:
        st.error(escaped(failed.message(language())), icon=":material/error:")
        return
    player.show(recording)
    _picture()


def _text(key: str, **values: object) -> str:
    return say(f"llm.{key}", language(), **values)


@st.cache_resource(show_spinner=False)
def _read(name: str) -> Trace:
    return load(assets_folder() / "sizes" / f"{name}.trace")


def _opened(config: Configuration) -> Opened | None:
    """The graph of this configuration, where there is one."""
    name = shipped(config)
    if name is not None and (assets_folder() / "sizes" / f"{name}.trace").is_file():
        return Opened(f"size {name}", f"gpt2-{name}", "run", _read(name))
    kept: dict[Configuration, Opened] = st.session_state.setdefault("llm_graphs", {})
    return kept.get(config)


@st.fragment
@told
def _picture() -> None:
    """The picture of it. Where the player asks for another, only this runs again."""
    shown: Opened | None = st.session_state.get("llm_shown")
    if shown is not None:
        player.hand_over(picture_for_player(shown, *asked_folding(shown)), answers=asked_number())


# -- drawing one that is not shipped -----------------------------------------------------------------------------------------------------


def _draw(config: Configuration) -> None:
    st.session_state.llm_error = None
    target = running.Pasted(as_python(config), name=FILE)
    st.session_state.llm_run = (config, running.start(target, device="fake", dtype=None, seed=0, there=running.visitor()))


@st.fragment(run_every=BEAT)
@told
def _progress() -> None:
    run: tuple[Configuration, running.Run] | None = st.session_state.get("llm_run")
    if run is None:
        return
    config, now = run
    if not now.alive:
        _finish(config, now)
        st.rerun()
    stopping = now.cancelled.is_set()
    key = f"running.phase.{now.phase}"
    words = say(key if key in TEXTS else "running.phase.starting", language())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(now.share or 0.0, text=say("page.stopping", language()) if stopping else f"{words[:1].upper()}{words[1:]} …")
        if st.button(say("page.cancel", language()), icon=":material/stop:", disabled=stopping, key="llm_cancel"):
            now.cancelled.set()
            st.rerun(scope="fragment")


def _finish(config: Configuration, run: running.Run) -> None:
    del st.session_state.llm_run
    if run.trace is not None and run.error is None:
        kept: dict[Configuration, Opened] = st.session_state.setdefault("llm_graphs", {})
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)))
        number = st.session_state["llm_number"] = st.session_state.get("llm_number", 0) + 1
        kept[config] = Opened(f"configuration {number}", "my_gpt", "run", run.trace)
    elif not run.cancelled.is_set():
        st.session_state.llm_error = run.error or ProgramError("page.no_recording", output=run.output)
