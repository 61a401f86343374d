"""The list of runs: how each stands, and which one is open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from explorer.errors import FileError
from explorer.runs import Status, open_run
from explorer.text import say
from explorer.ui import train_compare, train_edit
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.train_data import last_loss
from explorer.ui.train_live import BADGES, state_word
from explorer.ui.words import escaped

__all__ = ["Line", "lines", "panel"]

BEAT = 3.0  # seconds between two looks at the list
LONGEST = 40  # characters of a name
MOST = 30  # runs that are listed, the newest first


@dataclass(frozen=True, slots=True)
class Line:
    """A run in the list; without a status it cannot be read, and `trouble` says why."""

    name: str
    folder: Path
    shown: str = ""
    created: str = ""
    status: Status | None = None
    loss: float | None = None
    tags: tuple[str, ...] = ()
    trouble: FileError | None = None


def lines(runs: dict[str, Path]) -> list[Line]:
    """The runs, the newest first."""
    return sorted((_line(name, folder) for name, folder in runs.items()), key=lambda line: line.created, reverse=True)


def _line(name: str, folder: Path) -> Line:
    try:
        run = open_run(folder)
        status = run.status()
        last = run.scalars(status.step - 1)
    except FileError as error:
        return Line(name, folder, shown=name, trouble=error)
    return Line(name, folder, run.about.name, run.about.created, status, last_loss(last), run.about.tags)


def panel(runs: dict[str, Path], chosen: str | None) -> None:
    """The runs, with how each stands; a press opens one."""
    st.markdown(f"#### {_text('runs')}")
    train_edit.undo()
    if not runs:
        st.caption(_text("no_runs"))
        return
    alive = any(line.status is not None and line.status.alive for line in lines(runs))
    st.fragment(_list, run_every=BEAT if alive else None, key="train_list")(runs, chosen)


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


@told
def _list(runs: dict[str, Path], chosen: str | None) -> None:
    found = lines(runs)
    for line in found[:MOST]:
        _row(line, is_open=line.name == chosen)
    if len(found) > 1 and len(train_compare.chosen(runs)) < 2:
        st.caption(_text("compare_help"))
    if len(found) > MOST:
        st.caption(_text("more_runs", count=len(found) - MOST))
    if st.session_state.pop("train_opened", False):
        st.rerun()


def _row(line: Line, *, is_open: bool) -> None:
    icon = BADGES[line.status.state][1] if line.status is not None else ":material/help:"
    with st.container(gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            key = f"train_mark_{line.name}_{st.session_state.get('train_marks', 0)}"
            marked = line.name in st.session_state.get("train_marked", [])
            st.checkbox(
                escaped(_text("compare_one", name=line.shown)), marked, key=key, label_visibility="collapsed", disabled=line.status is None,
                on_change=train_compare.mark, args=(line.name, key), width="content",
            )  # fmt: skip
            st.button(
                escaped(line.shown[:LONGEST]), key=f"train_run_{line.name}", icon=icon, type="primary" if is_open else "secondary",
                width="stretch", on_click=_open, args=(line.name,), help=escaped(line.name) if line.shown != line.name else None,
            )  # fmt: skip
        st.caption(escaped(_facts(line)))


def _facts(line: Line) -> str:
    if line.status is None:
        assert line.trouble is not None
        return line.trouble.message(language())
    status = line.status
    words = [state_word(status.state)]
    words.append(_text("step_of", step=status.step, steps=status.steps) if status.steps else _text("step", step=status.step))
    if line.loss is not None:
        words.append(_text("loss_is", loss=f"{line.loss:.4g}"))
    return " · ".join([*words, *(f"#{tag}" for tag in line.tags)])


def _open(name: str) -> None:
    st.query_params["run"] = name
    train_compare.end()
    st.session_state.train_opened = True
