"""The Explore page: choose a program, run it, step through what happened."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from explorer.capture.devices import limits
from explorer.capture.programs import EXAMPLES
from explorer.errors import ExplorerError, ProgramError
from explorer.text import TEXTS, say
from explorer.ui import beside, devices, memory, player, running, source
from explorer.ui.downloads import downloads
from explorer.ui.failing import told
from explorer.ui.known import asked_devices
from explorer.ui.state import (
    Opened,
    asked_folding,
    asked_number,
    choose_example,
    first,
    follow_address,
    language,
    load_upload,
    open_recorded,
    opened,
    picture_for_player,
    recording_for_player,
    same_pass,
)
from explorer.ui.widgets import key_for, take

BEAT = 0.4  # seconds between two looks at a run


def page() -> None:
    """One run of the page."""
    if follow_address():
        st.session_state.example = first()
    shown = opened()
    _choices(shown)
    if source.kind() == "example" and (shown is None or shown.origin != "file"):
        shipped = f" {_text('shipped')}" if shown is not None and shown.origin == "sample" else ""
        st.caption(EXAMPLES[st.session_state.example].description(language()).replace("`", "") + shipped)  # code is too pale in a caption
    source.explain()
    source.workbench()
    if not asked_devices().answered.is_set():
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
        source.choice(busy=busy)
        kind = source.kind()
        example = _example(busy=busy) if kind == "example" else st.session_state.setdefault("example", first())
        if kind == "file":
            source.field(busy=busy)
        device = _device(only_fake=kind == "example" and EXAMPLES[example].fake_only, busy=busy)
        dtype = _dtype(device=device, busy=busy)
        seed = st.number_input(_text("seed"), min_value=0, max_value=2**31 - 1, value=0, step=1, disabled=busy, width=92, key="seed")
        run = st.button(_text("run"), type="primary", icon=":material/play_arrow:", disabled=busy)
        fake = device == "fake"
        help = _text("verify_fake" if fake else "verify_help")
        verify = st.button(_text("verify"), icon=":material/fact_check:", disabled=busy or fake, help=help)
        run = st.session_state.pop("run_asked", False) or run
        if (run or verify) and not busy:
            source.launch(running.start, device=device, dtype=dtype, seed=int(seed), check=verify)
        with st.popover(
            _text("open"), icon=":material/folder_open:", disabled=busy, key=f"open_{st.session_state.setdefault('uploads', 0)}"
        ):
            _upload()
        if shown is not None:
            place = st.popover(_text("download"), icon=":material/download:", key=f"download_{language()}", on_change="rerun")
            if place.open:  # which step it is the page knows once it is run anew
                with place, st.container(width=300):
                    downloads(shown)
    if dtype is not None:
        st.caption(f"{dtype}: {limits(dtype, device.partition(':')[0], language())}")


def _example(*, busy: bool) -> str:
    """The choice of the example. The widget knows it by its title, so each language has a widget of its own, and the name is kept apart."""
    chosen, names = language(), list(EXAMPLES)
    kept, widget = st.session_state.setdefault("example", first()), f"example_{chosen}"
    key = key_for(widget, kept)
    st.selectbox(
        _text("example"),
        names,
        index=names.index(kept),
        format_func=lambda name: EXAMPLES[name].title(chosen),
        key=key,
        on_change=_choose_example,
        args=(widget, key),
        placeholder=_text("choose"),
        disabled=busy,
        width=300,
    )
    return str(kept)


def _choose_example(widget: str, key: str) -> None:
    name = take(widget, key)
    if name is not None:
        st.session_state.example = str(name)
        choose_example(str(name))


def _device(*, only_fake: bool, busy: bool) -> str:
    """The choice of the device; the address may name one that is here."""
    names = ("fake",) if only_fake else asked_devices().names
    widget = "device_fake" if only_fake else "device"
    _take_from_address("device", names)
    kept = st.session_state.get("device_kept")
    kept = kept if kept in names else names[0]
    key, label, hint = key_for(widget, kept), _text("device"), devices.device_help(asked_devices(), language())
    st.selectbox(
        label, names, index=names.index(kept), key=key, on_change=_keep, args=("device", widget, key), help=hint,
        placeholder=_text("choose"), disabled=busy or only_fake, width=100,
    )  # fmt: skip
    return str(kept)


def _dtype(*, device: str, busy: bool) -> str | None:
    """The choice of the data type; None is what the program itself takes. Each language has a widget of its own, as for the example."""
    usable = ("", *devices.dtypes_of(asked_devices(), device))
    _take_from_address("dtype", usable)
    kept, own, widget = st.session_state.get("dtype_kept", ""), _text("dtype_own"), f"dtype_{language()}"
    if kept not in usable:  # another device was chosen since
        st.session_state.dtype_kept = kept = ""
        st.query_params.pop("dtype", None)
    key = key_for(widget, kept)
    st.selectbox(
        _text("dtype"), usable, index=usable.index(kept), format_func=lambda name: name or own, key=key, on_change=_keep,
        args=("dtype", widget, key), help=devices.dtype_help(asked_devices(), device, language()), placeholder=_text("choose"),
        disabled=busy, width=125,
    )  # fmt: skip
    return kept or None


def _take_from_address(name: str, known: tuple[str, ...]) -> None:
    """Take a choice from the address once, as soon as it is known to be one."""
    taken: set[str] = st.session_state.setdefault("taken", set())
    asked = st.query_params.get(name)
    if name not in taken and asked in known:
        taken.add(name)
        st.session_state[f"{name}_kept"] = asked


def _keep(name: str, widget: str, key: str) -> None:
    """Keep what was chosen, in the address as well."""
    chosen = take(widget, key)
    if chosen is None:
        return
    st.session_state.setdefault("taken", set()).add(name)
    st.session_state[f"{name}_kept"] = chosen = str(chosen)
    if chosen:
        st.query_params[name] = chosen
    else:
        st.query_params.pop(name, None)


@st.fragment(run_every=1.0)
@told
def _wait_for_devices() -> None:
    if asked_devices().answered.is_set():
        st.rerun()


def _upload() -> None:
    """A field for a file; once it was read, a new field in a new, closed popover takes its place."""
    number = st.session_state.uploads
    file = st.file_uploader(_text("open_label"), type=["trace"], key=f"upload_{number}", help=_text("open_help"))
    if file is None:
        return
    st.session_state.uploads = number + 1
    try:
        open_recorded(load_upload(file.name, file.getvalue()), name=file.name.removesuffix(".trace"), origin="file")
        st.query_params.pop("step", None)
    except ExplorerError as error:
        st.session_state.error = error
    st.rerun()


# -- a run in progress, and what went wrong --------------------------------------------------------------------------------------------


@st.fragment(run_every=BEAT)
@told
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
    key = f"running.phase.{run.phase}"
    words = say(key if key in TEXTS else "running.phase.starting", language())
    words = f"{run.side}: {words}" if run.side else words[:1].upper() + words[1:]
    if run.total:
        return f"{words}: {run.done} / {run.total}"
    return f"{words}: {run.done}" if run.done else f"{words} …"


def _finish(run: running.Run) -> None:
    del st.session_state.run
    if run.side is not None and run.error is not None:
        run.trace = None  # what one side left when it failed is no comparison
    if run.trace is not None and not same_pass(run.trace):
        st.query_params.pop("step", None)
    if run.trace is not None:
        open_recorded(replace(run.trace, tensors={}) if run.second else run.trace, name=run.target, origin="run")
        if run.second is not None:
            beside.keep(run.trace, run.second)
        if run.error is None and run.target == running.PASTED:
            st.session_state.fold_away = True
    st.session_state.printed = run.output
    if run.cancelled.is_set():
        if run.trace is None:
            st.toast(_text("cancelled"))
    elif run.error is not None:
        st.session_state.error = run.error
        st.session_state.failed_on = run.side
    elif run.trace is None:
        st.session_state.error = ProgramError("page.no_recording", output=run.output)


def _error() -> None:
    error: ExplorerError | None = st.session_state.get("error")
    if error is None:
        return
    side = st.session_state.get("failed_on")
    st.error(_plain(f"{side}: " if side else "") + _plain(error.message(language())), icon=":material/error:")
    if isinstance(error, ProgramError) and error.report:
        with st.expander(_text("traceback")):
            st.code(error.report, language="python")
    if isinstance(error, ProgramError) and error.output:
        with st.expander(_text("output")):
            st.code(error.output, language=None)


def _printed() -> None:
    """What a program printed that did not fail: a failed one tells it beside its error."""
    output: str = st.session_state.get("printed", "")
    if output and st.session_state.get("error") is None:
        with st.expander(say("code.printed", language()), icon=":material/terminal:"):
            st.code(output, language=None)


def _plain(words: str) -> str:
    """`words` with everything escaped that Markdown would read as more than text."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", words)


# -- the player ----------------------------------------------------------------------------------------------------------------------


def _player(shown: Opened) -> None:
    try:
        with st.spinner(_text("drawing")):
            recording = recording_for_player(shown)
    except ExplorerError as error:
        st.error(_plain(error.message(language())), icon=":material/error:")
        return
    player.show(recording, shown.trace)
    _picture()
    _printed()
    memory.panel()
    beside.panel()


@st.fragment
@told
def _picture() -> None:
    """The picture of what is open. Where the player asks for another, only this runs again."""
    shown = opened()
    if shown is not None:
        player.hand_over(picture_for_player(shown, *asked_folding(shown)), answers=asked_number())


if __name__ == "__main__":
    page()
