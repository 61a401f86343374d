"""What one visitor has open: the recording, the run in progress, the language. Lives in Streamlit's session state."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.errors import ExplorerError, FileError
from explorer.files import assets_folder, load
from explorer.layout import picture
from explorer.model import Trace
from explorer.payload import MOST_WHOLE, outlined, recorded
from explorer.pictured import pictured
from explorer.text import LANGUAGES, TEXTS, say
from explorer.unfolding import Folding, after, first_folding, read_folding, refusal, view_of_folding
from explorer.view import Overlay

__all__ = [
    "FIRST",
    "Opened",
    "Seen",
    "asked_folding",
    "asked_number",
    "choose_example",
    "first",
    "follow_address",
    "is_new_press",
    "language",
    "load_upload",
    "open_example",
    "open_recorded",
    "opened",
    "picture_for_player",
    "recording_for_player",
    "said_around",
    "same_pass",
    "sample",
    "seen",
    "shared",
]

FIRST = "logistic_neuron"
MOST_RECORDINGS = 6  # kept a visitor: both languages of the last few
MOST_PICTURES = 40
TWICE = 2.0  # seconds within which two presses of the same button are one
MOST_SHARED = 8  # files read for all visitors together
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Opened:
    """The recording on screen. `key` is new for every recording, so that the player knows when to start over."""

    key: str
    name: str
    origin: Literal["sample", "run", "file"]
    trace: Trace


@dataclass(slots=True)
class Seen:
    """What of the recording `key` the picture shows; changes under the buttons that take it home."""

    key: str = ""
    folding: Folding | None = None
    overlay: Overlay | None = None


def is_new_press(what: str) -> bool:
    """Whether this press was not taken a moment ago: Streamlit may tell each of the parts that are due to run anew of one press."""
    now = time.monotonic()
    last, when = st.session_state.get("pressed", ("", 0.0))
    st.session_state.pressed = what, now
    return bool(what != last or now - when >= TWICE)


def seen() -> Seen:
    """What this visitor sees."""
    found: Seen = st.session_state.setdefault("seen", Seen())
    return found


def language() -> str:
    """The language in the address, else English."""
    asked = st.query_params.get("lang", "en")
    return asked if asked in LANGUAGES else "en"


def first() -> str:
    """The example in the address if there is such a one, else the first. A link selects nothing but a shipped example."""
    asked = st.query_params.get("example", FIRST)
    return asked if asked in EXAMPLES else FIRST


def sample(name: str) -> Path | None:
    """The recorded example that is shipped, where there is one."""
    path = assets_folder() / "samples" / f"{name}.trace"
    return path if name in EXAMPLES and path.is_file() else None


def opened() -> Opened | None:
    """What is open; at first the file named by `serve`, else the recorded example."""
    if "opened" not in st.session_state:
        st.session_state.opened = None
        _open_addressed()
    found: Opened | None = st.session_state.opened
    return found


def _open_addressed() -> None:
    """Open what the address says."""
    named = os.environ.get("AUTOGRAD_EXPLORER_OPEN")
    st.session_state.addressed = st.query_params.get("example")
    if named and st.query_params.get("example") not in EXAMPLES:
        try:
            open_recorded(shared(Path(named)), name=Path(named).stem, origin="file")
        except ExplorerError as error:
            st.session_state.error = error
    else:
        open_example(first())


def choose_example(name: str) -> None:
    """Open an example, as the next entry of the browser's history. What the address said of the one before goes."""
    kept = {key: st.query_params[key] for key in ("lang", "device", "dtype") if key in st.query_params}
    st.query_params.from_dict({**kept, "example": name})  # at once: each change by itself would be an entry
    st.session_state.addressed = name
    open_example(name)


def follow_address() -> bool:
    """Where the browser went back or forth to another example: open that, as the address says; whether that was so.

    NOTE [back]: another example is an entry of the browser's history, and so is a language. A step or a folding is not, but changes the
    entry that one is at: nobody wants to press Back two hundred times to leave a program, and U takes back what was opened. So Back leads
    to the example before, at the step and with the modules open at which it was left. A run and an uploaded file are in no address.
    """
    asked = st.query_params.get("example")
    if "opened" not in st.session_state or asked == st.session_state.get("addressed"):
        return False
    _open_addressed()
    st.session_state.seen = Seen()
    st.session_state.passed_over = asked_number()  # what the page asked of a picture before
    return True


def open_example(name: str) -> None:
    """Show the shipped recording of an example, or nothing where none is shipped."""
    path = sample(name)
    st.session_state.error = None
    st.session_state.opened = None
    if path is not None:
        try:
            open_recorded(shared(path), name=name, origin="sample")
        except ExplorerError as error:
            st.session_state.error = error


def shared(path: Path) -> Trace:
    """The recording in a file of the server's: read once for all visitors, anew when the file changes. Nothing changes a recording."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading it says what is wrong
    return _read(str(path), changed)


@st.cache_resource(show_spinner=False, max_entries=MOST_SHARED)
def _read(path: str, changed: int) -> Trace:
    return _spared(load(Path(path)))


def _spared(trace: Trace) -> Trace:
    """A large trace that Python's cycle collector goes past: it finds nothing in it, and each time takes a quarter of a second to."""
    if len(trace.nodes) > MOST_WHOLE:
        gc.collect(1)
        gc.freeze()
    return trace


def load_upload(name: str, content: bytes) -> Trace:
    """The recording in an uploaded file. It is read from a folder of its own, of which no message speaks."""
    with tempfile.TemporaryDirectory(prefix="autograd-explorer-") as folder:
        path = Path(folder) / "upload.trace"
        path.write_bytes(content)
        try:
            return _spared(load(path))
        except FileError as error:
            raise FileError(error.key, **{**error.values, "path": name}) from error


def open_recorded(trace: Trace, *, name: str, origin: Literal["sample", "run", "file"]) -> None:
    """Show `trace`."""
    key = f"sample {name}" if origin == "sample" else f"{origin} {next(_numbers)}"
    if same_pass(trace):
        key = st.session_state.opened.key
        for kept in ("recordings", "pictures"):
            known = st.session_state.setdefault(kept, {})
            for place in [place for place in known if place[0] == key]:
                del known[place]
    st.session_state.opened = Opened(key, name, origin, trace)
    st.session_state.error = None


def same_pass(trace: Trace) -> bool:
    """Whether `trace` is what is open with nothing new in it but its verification: the player then stays at its step."""
    shown: Opened | None = st.session_state.opened
    if shown is None or trace.checks is None or trace.partial:
        return False
    looked_at = ("title", "made_with", "loss", "forward", "backward", "passes")
    return all(getattr(shown.trace, name) == getattr(trace, name) for name in looked_at)


def said_around(chosen: str) -> str:
    """Whatever the page may say in a language."""
    column = LANGUAGES.index(chosen)
    return "".join(both[column] for both in TEXTS.values())


def recording_for_player(shown: Opened) -> dict[str, Any]:
    """What the player gets of the recording; made once a recording and language."""
    kept: dict[tuple[str, str], dict[str, Any]] = st.session_state.setdefault("recordings", {})
    place = (shown.key, language())
    if place not in kept:
        while len(kept) >= MOST_RECORDINGS:
            kept.pop(next(iter(kept)))
        if len(shown.trace.nodes) <= MOST_WHOLE:
            kept[place] = recorded(shown.trace, language(), key=shown.key, around=said_around(language()))
        else:
            kept[place] = outlined(shown.trace, language(), key=shown.key, step=_linked_step(), around=said_around(language()))
        kept[place]["linked"] = shown.origin != "file" and shown.name in EXAMPLES  # a link selects nothing but a shipped example
        if shown.origin != "file":
            kept[place]["texts"]["not_verified"] = say("page.not_verified", language())
    return kept[place]


def picture_for_player(shown: Opened, folding: Folding, act: Any = None) -> dict[str, Any]:
    """The picture after `act`, or the one before it and a sentence where it shows too much; drawn once a folding and language."""
    kept: dict[tuple[str, str, Folding], dict[str, Any]] = st.session_state.setdefault("pictures", {})
    wanted = after(shown.trace, folding, act)
    place = (shown.key, language(), wanted)
    if place not in kept:
        view = view_of_folding(shown.trace, wanted, language=language())
        said = refusal(shown.trace, view, language())
        if said is not None:
            return {**picture_for_player(shown, folding if act else first_folding(shown.trace)), "said": said}
        drawn = picture(view)
        while len(kept) >= MOST_PICTURES:
            kept.pop(next(iter(kept)))
        kept[place] = pictured(drawn.view, svg=drawn.svg, width=drawn.width, height=drawn.height, key=shown.key, folding=wanted)
    now = seen()
    now.key, now.folding = shown.key, wanted
    return kept[place]


def asked_folding(shown: Opened) -> tuple[Folding, Any]:
    """What the page asks to see of `shown`: what was open, and what the person did. A link says it for what is open first."""
    asked = st.session_state.get("picture", {}).get("asked")
    now = seen()
    now.overlay = None
    if isinstance(asked, Mapping) and asked.get("key") == shown.key and asked_number() != st.session_state.get("passed_over"):
        now.overlay = asked["overlay"] if asked.get("overlay") in get_args(Overlay) else None
        return read_folding(shown.trace, asked.get("folding")), asked.get("act")
    if now.folding is not None and now.key == shown.key:
        return now.folding, None
    return read_folding(shown.trace, _linked() if now.folding is None else None), None


def asked_number() -> int:
    """Which request of the page is answered next; the page counts them from 1."""
    asked = st.session_state.get("picture", {}).get("asked")
    number = asked.get("number") if isinstance(asked, Mapping) else None
    return number if isinstance(number, int) else 0


def _linked_step() -> int:
    """The step in the address."""
    text = st.query_params.get("step", "")
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _linked() -> dict[str, Any]:
    """What a link says of the picture: `open=m3.m7`, or `open=all` without what follows it; `flow`, `focus`, `hops`."""
    names = st.query_params["open"].split(".") if "open" in st.query_params else []
    numbers = {name: int(text) for name in ("focus", "hops") if (text := st.query_params.get(name, "")).isdecimal() and len(text) < 9}
    every = names[:1] == ["all"]
    opened = {"all": every, "ids": names[1:] if every else names} if names else {}
    return {**opened, "flow": st.query_params.get("flow"), **numbers}
