"""A run renamed, tagged, deleted and brought back; its metrics taken home."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import streamlit as st

from explorer.errors import ExplorerError
from explorer.runs import delete, open_run, read_about, rename, restore
from explorer.runs.tables import write_table
from explorer.text import say
from explorer.ui.state import is_new_press, language
from explorer.ui.train_data import Seen
from explorer.ui.words import escaped

__all__ = ["buttons", "undo"]

LONGEST = 80  # characters of a name or a tag
MOST_TAGS = 10
MIMES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def buttons(seen: Seen, name: str) -> None:
    """What one may do with a run, beside training it."""
    folder = seen.run.folder
    with st.popover(_text("edit"), icon=":material/edit:", key=f"train_edit_{name}_{language()}"):
        keys = f"train_name_{name}", f"train_tags_{name}"
        about = seen.run.about  # as `value`: what is only in the session state is lost to a field that was not open yet
        st.text_input(_text("name"), about.name, key=keys[0], max_chars=LONGEST, on_change=_rename, args=(folder, *keys))
        st.text_input(
            _text("tags"), ", ".join(about.tags), key=keys[1], max_chars=LONGEST * MOST_TAGS, on_change=_rename, args=(folder, *keys)
        )
        alive = seen.status.alive
        st.button(
            _text("delete"), icon=":material/delete:", key=f"train_delete_{name}", disabled=alive, on_click=_delete, args=(folder, name),
            help=_text("delete_alive") if alive else None,
        )  # fmt: skip
    with st.popover(_text("export"), icon=":material/download:", key=f"train_export_{name}_{language()}"):
        file = "".join(char if char.isalnum() or char in "-_" else "_" for char in seen.run.about.name)[:60] or "run"
        for suffix, mime in MIMES.items():
            st.download_button(
                _text(f"export_{suffix}"), data=partial(_written, folder, suffix), file_name=f"{file}.{suffix}", mime=mime,
                key=f"train_export_{suffix}_{name}", on_click="ignore", width="stretch",
            )  # fmt: skip
        st.caption(_text("export_pictures"))


def undo() -> None:
    """A line for the run that was deleted last, and the way to bring it back."""
    kept: list[tuple[str, Path]] = st.session_state.get("train_deleted", [])
    if not kept:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(escaped(_text("deleted", name=kept[-1][0])), width="content")
        st.button(_text("undo"), icon=":material/undo:", key="train_undo", on_click=_restore)


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def _rename(folder: Path, name_key: str, tags_key: str) -> None:
    name = str(st.session_state[name_key]).strip()
    tags = tuple(dict.fromkeys(tag for word in str(st.session_state[tags_key]).split(",") if (tag := word.strip()[:LONGEST])))[:MOST_TAGS]
    try:
        rename(folder, name=name or read_about(folder).name, tags=tags)
    except ExplorerError as error:
        st.session_state.train_error = error


def _delete(folder: Path, name: str) -> None:
    if not is_new_press(f"delete {folder}"):
        return
    try:
        shown = read_about(folder).name
        st.session_state.setdefault("train_deleted", []).append((shown, delete(folder)))
    except ExplorerError as error:
        st.session_state.train_error = error
    else:
        if st.query_params.get("run") == name:
            del st.query_params["run"]


def _restore() -> None:
    if not is_new_press("restore"):
        return
    _, place = st.session_state.train_deleted.pop()
    try:
        folder = restore(place)
    except ExplorerError as error:
        st.session_state.train_error = error
    else:
        st.session_state.train_restored = folder


def _written(folder: Path, suffix: str) -> bytes:
    stream = io.BytesIO()
    write_table([open_run(folder)], stream, f".{suffix}")
    return stream.getvalue()
