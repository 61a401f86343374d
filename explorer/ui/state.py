"""What one visitor has open: the recording, the run in progress, the language. Lives in Streamlit's session state."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.errors import ExplorerError, FileError
from explorer.files import assets_folder, load
from explorer.layout import picture
from explorer.model import Trace
from explorer.payload import payload
from explorer.text import LANGUAGES, say
from explorer.view import make_view

__all__ = [
    "FIRST",
    "Opened",
    "data_for_player",
    "first",
    "language",
    "load_upload",
    "open_example",
    "open_recorded",
    "opened",
    "same_pass",
    "sample",
]

FIRST = "logistic_neuron"
MOST_PICTURES = 6  # kept a visitor: both languages of the last few recordings
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Opened:
    """The recording on screen. `key` is new for every recording, so that the player knows when to start over."""

    key: str
    name: str
    origin: Literal["sample", "run", "file"]
    trace: Trace


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
        named = os.environ.get("AUTOGRAD_EXPLORER_OPEN")
        if named and st.query_params.get("example") not in EXAMPLES:
            try:
                open_recorded(load(Path(named)), name=Path(named).stem, origin="file")
            except ExplorerError as error:
                st.session_state.error = error
        else:
            open_example(first())
    found: Opened | None = st.session_state.opened
    return found


def open_example(name: str) -> None:
    """Show the shipped recording of an example, or nothing where none is shipped."""
    path = sample(name)
    st.session_state.error = None
    st.session_state.opened = None
    if path is not None:
        try:
            open_recorded(load(path), name=name, origin="sample")
        except ExplorerError as error:
            st.session_state.error = error


def load_upload(name: str, content: bytes) -> Trace:
    """The recording in an uploaded file. It is read from a folder of its own, of which no message speaks."""
    with tempfile.TemporaryDirectory(prefix="autograd-explorer-") as folder:
        path = Path(folder) / "upload.trace"
        path.write_bytes(content)
        try:
            return load(path)
        except FileError as error:
            raise FileError(error.key, **{**error.values, "path": name}) from error


def open_recorded(trace: Trace, *, name: str, origin: Literal["sample", "run", "file"]) -> None:
    """Show `trace`."""
    key = f"sample {name}" if origin == "sample" else f"{origin} {next(_numbers)}"
    if same_pass(trace):
        key = st.session_state.opened.key
        for language in LANGUAGES:
            st.session_state.setdefault("pictures", {}).pop((key, language), None)
    st.session_state.opened = Opened(key, name, origin, trace)
    st.session_state.error = None


def same_pass(trace: Trace) -> bool:
    """Whether `trace` is what is open with nothing new in it but its verification: the player then stays at its step."""
    shown: Opened | None = st.session_state.opened
    if shown is None or trace.checks is None or trace.partial:
        return False
    looked_at = ("title", "made_with", "loss", "forward", "backward", "passes")
    return all(getattr(shown.trace, name) == getattr(trace, name) for name in looked_at)


def data_for_player(shown: Opened) -> dict[str, Any]:
    """What the player gets; drawn once a recording and language."""
    kept: dict[tuple[str, str], dict[str, Any]] = st.session_state.setdefault("pictures", {})
    place = (shown.key, language())
    if place not in kept:
        drawn = picture(make_view(shown.trace, language=language()))
        while len(kept) >= MOST_PICTURES:
            kept.pop(next(iter(kept)))
        kept[place] = payload(shown.trace, view=drawn.view, svg=drawn.svg, width=drawn.width, height=drawn.height, key=shown.key)
        if shown.origin != "file":
            kept[place]["texts"]["not_verified"] = say("page.not_verified", language())
    return kept[place]
