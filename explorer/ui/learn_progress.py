"""What a reader has answered: in the session, and through a component that shows nothing in the browser's own storage.

NOTE [kept]: the browser hands over once, when a session begins, what it has; from then on the session is right, and each change is
written back. `done[lesson][question]` is how the answer came: "right", or "shown". Nothing of it ever leaves the reader's machine but to
the server that shows the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.files import assets_folder

__all__ = ["answered", "bring_back", "forget", "give_back", "note", "restored"]

HOW = ("right", "shown")
MOST = 400  # entries that a browser may hand over

_script = (assets_folder() / "learn" / "progress.js").read_text(encoding="utf-8")
_component = st.components.v2.component("autograd_explorer_progress", html="\n<span hidden></span>\n", js=_script)


def restored() -> bool:
    """Ask the browser once what it has kept; True from the run on in which it has answered."""
    if not st.session_state.get("learn_restored"):
        result = _component(key="learn_ask", data={"ask": True}, on_stored_change=lambda: None)
        stored = result.get("stored") if isinstance(result, Mapping) else None
        if isinstance(stored, Mapping) and stored.get("given") is True:
            _take(stored.get("lessons"))
            st.session_state.learn_restored = True
    return bool(st.session_state.get("learn_restored"))


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


def forget(lesson: str) -> None:
    """Start a lesson over; `bring_back` undoes it."""
    st.session_state.learn_forgotten = (lesson, _all().pop(lesson, {}))
    _clear_inputs(lesson)


def bring_back() -> None:
    """Undo the last `forget`."""
    lesson, questions = st.session_state.pop("learn_forgotten")
    _all()[lesson] = dict(questions)


def _clear_inputs(lesson: str) -> None:
    for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(f"learn_{lesson}_")]:
        del st.session_state[key]


def give_back(lesson: str) -> None:
    """Write what is known of a lesson into the browser's storage."""
    if st.session_state.get("learn_restored"):
        _component(key="learn_write", data={"ask": False, "lessons": {lesson: dict(answered(lesson))}})
