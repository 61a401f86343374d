"""What is to run: an example, pasted code, or a file with a function in it. The two latter only where `explorer.ui.local` allows it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal, get_args

import streamlit as st

from explorer.errors import RequestError
from explorer.text import say
from explorer.ui import local, running
from explorer.ui.editor import code, editor
from explorer.ui.running import Pasted
from explorer.ui.state import language
from explorer.ui.widgets import key_for, take

__all__ = ["LONGEST", "Kind", "choice", "explain", "field", "kind", "launch", "wanted", "workbench"]

Kind = Literal["example", "code", "file"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 500_000  # characters of pasted code


def kind() -> Kind:
    """The kind that is chosen; an example wherever nothing else may run."""
    chosen: Kind = st.session_state.setdefault("kind", KINDS[0])
    return chosen if chosen in KINDS and local.refusal() is None else KINDS[0]


def choice(*, busy: bool) -> None:
    """The kinds to choose from. What may not run is shown greyed out; `explain` says why."""
    allowed = local.refusal() is None
    names = {one: _text(f"kind_{one}") for one in KINDS}
    # A widget knows its options by their words, so that each language has its own.
    widget = f"kind_{language()}_{'all' if allowed else 'examples'}"
    key = key_for(widget, kind())
    with st.container(horizontal=True, gap=None, vertical_alignment="bottom", width="content", key="kinds"):
        offered = KINDS if allowed else KINDS[:1]
        st.segmented_control(
            _text("program"), offered, default=kind(), format_func=names.__getitem__, key=key, on_change=_choose, args=(widget, key),
            required=True, disabled=busy,
        )  # fmt: skip
        if not allowed:
            st.segmented_control(
                _text("refused_label"),
                KINDS[1:],
                format_func=names.__getitem__,
                key=f"{key}_refused",
                disabled=True,
                label_visibility="hidden",
            )


def _choose(widget: str, key: str) -> None:
    if (chosen := take(widget, key)) in KINDS:
        st.session_state.kind = chosen
        st.session_state.error = None


def field(*, busy: bool) -> None:
    """The field for a file and a function in it."""
    st.text_input(
        _text("file"),
        st.session_state.get("file", ""),
        key="file_field",
        on_change=_keep_file,
        placeholder="train.py:loss",
        help=_text("file_help"),
        disabled=busy,
        width=300,
    )


def _keep_file() -> None:
    st.session_state.file = st.session_state.file_field


def explain() -> None:
    """What is chosen, and why something cannot be, in a sentence each."""
    match kind():
        case "code":
            st.caption(_text("code_about"))
        case "file":
            st.caption(_text("file_about", folder=_plain(os.getcwd())))
    refused = local.refusal()
    if refused is not None:
        st.caption(say(refused, language()))


def workbench() -> None:
    """The editor, where code is to be pasted; it folds away once what it holds was recorded."""
    if kind() != "code":
        return
    key = f"workbench_{language()}"  # a panel is another under another title
    st.session_state.setdefault(key, st.session_state.get("workbench", True))
    if st.session_state.pop("fold_away", False):
        st.session_state[key] = st.session_state.workbench = False
    with st.expander(_text("title"), icon=":material/code:", key=key, on_change=_keep_workbench, args=(key,)):
        if editor() and "run" not in st.session_state:
            st.session_state.run_asked = True
            st.rerun()


def _keep_workbench(key: str) -> None:
    st.session_state.workbench = st.session_state[key]


def launch(begin: Callable[..., running.Run], **options: Any) -> None:
    """Run what is chosen, by `running.start` or `running.compare`; what stands in the way is the page's error."""
    st.session_state.error = st.session_state.failed_on = None
    st.session_state.printed = ""
    try:
        st.session_state.run = begin(wanted(str(st.session_state.example)), **options, there=running.visitor())
    except RequestError as error:
        st.session_state.error = error
    st.rerun()


def wanted(example: str) -> str | Pasted:
    """What is to run now. Raises RequestError where there is nothing, or where it may not run."""
    chosen = st.session_state.get("kind", KINDS[0])
    if chosen not in ("code", "file"):
        return example
    refused = local.refusal()
    if refused is not None:
        raise RequestError(refused)
    if chosen == "file":
        named = str(st.session_state.get("file", "")).strip()
        if not named:
            raise RequestError("code.no_file_named")
        return named
    text = code()
    if not text.strip():
        raise RequestError("code.empty")
    if len(text) > LONGEST:
        raise RequestError("code.too_long", most=LONGEST)
    return Pasted(text)


def _text(key: str, **values: object) -> str:
    return say(f"code.{key}", language(), **values)


def _plain(words: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in words)
