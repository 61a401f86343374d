"""What a reader has answered: in the session, and through a component that shows nothing in the browser's own storage.

NOTE [kept]: the browser hands over once, when a session begins, what it has; from then on the session is right, and each change is
written back. `done[lesson][question]` is how the answer came: "right", or "shown".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.ui.learn_parts import asset

__all__ = ["answered", "bring_back", "can_be_brought_back", "forget", "keep", "note", "open_again", "restore"]

HOW = ("right", "shown")
MOST = 400  # entries that a browser may hand over

_component = st.components.v2.component("autograd_explorer_progress", html="\n<span hidden></span>\n", js=asset("progress.js"))


def restore() -> None:
    """Ask the browser, once a session, what it has kept."""
    if st.session_state.get("learn_restored"):
        return
    stored = _component(key="learn_ask", data={"ask": True}, on_stored_change=lambda: None).get("stored")
    if isinstance(stored, Mapping) and stored.get("given") is True:
        _take(stored.get("lessons"))
        st.session_state.learn_restored = True


def _take(kept: Any) -> None:
    if not isinstance(kept, Mapping):
        return
    mine = _all()
    for lesson, questions in list(kept.items())[:MOST]:
        if isinstance(lesson, str) and isinstance(questions, Mapping):
            known = {str(name): str(how) for name, how in list(questions.items())[:MOST] if how in HOW}
            mine[lesson] = {**known, **mine.get(lesson, {})}


def _all() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = st.session_state.setdefault("learn_done", {})
    return found


def answered(lesson: str) -> Mapping[str, str]:
    """The questions of a lesson that are answered: name -> "right" or "shown"."""
    return _all().get(lesson, {})


def note(lesson: str, question: str, how: str) -> None:
    """A question is answered."""
    _all().setdefault(lesson, {})[question] = how
    st.session_state.pop("learn_forgotten", None)


def open_again(lesson: str, question: str) -> None:
    """A question is asked once more."""
    _all().get(lesson, {}).pop(question, None)
    _clear(f"learn_{lesson}_q_{question}_")


def forget(lesson: str) -> None:
    """Start a lesson over; `bring_back` undoes it."""
    st.session_state.learn_forgotten = (lesson, _all().pop(lesson, {}))
    _clear(f"learn_{lesson}_q_")


def can_be_brought_back(lesson: str) -> bool:
    """Whether this lesson was just started over."""
    return bool(st.session_state.get("learn_forgotten", ("", {}))[0] == lesson)


def bring_back() -> None:
    """Undo the last `forget`."""
    lesson, questions = st.session_state.pop("learn_forgotten")
    _all()[lesson] = dict(questions)


def _clear(start: str) -> None:
    for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(start)]:
        del st.session_state[key]


def keep(lesson: str) -> None:
    """Write what is known of a lesson into the browser's storage."""
    if st.session_state.get("learn_restored"):
        _component(key="learn_write", data={"ask": False, "lessons": {lesson: dict(answered(lesson))}})
