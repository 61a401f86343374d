"""The Tensors page: build a tensor, do something with it, and see which places of memory it reads, beside what NumPy does.

The browser keeps what is typed and undone and asks for a recipe; the workbench carries it out. The address holds the recipe, so that a
link opens the same tensors: it selects from the table of explorer.capture.recipes and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.capture.recipe_text import literal, read, steps, written
from explorer.capture.recipes import Recipe, checked
from explorer.capture.workbench import ask, warm
from explorer.errors import RequestError
from explorer.text import say
from explorer.ui import fonts, tensors_view
from explorer.ui.known import asked_devices
from explorer.ui.state import language

__all__ = ["page"]

LONGEST_LINK = 2_000  # characters of a recipe in the address
LONGEST_ASKED = 8_000  # characters of one literal


def page() -> None:
    """One run of the page."""
    fonts.bring()
    state = _asked()
    problem = state["problem"]
    answer = tensors_view.recorded(state["recipe"])
    if answer is None:
        try:
            with st.spinner(say("tensors.working", language())):
                answer = ask(state["recipe"])
        except RequestError as error:
            problem = problem or error.message(language())
    text = written(state["recipe"])
    linked = len(text) <= LONGEST_LINK
    if linked:
        if st.query_params.get("do") != text:
            st.query_params["do"] = text
    else:
        st.query_params.pop("do", None)
    devices = [name for name in asked_devices().names if name in ("cuda", "mps", "xpu")]
    tensors_view.show(state["recipe"], answer, problem=problem, linked=linked, devices=["cpu", "meta", *devices], number=state["number"])
    warm()


def _asked() -> dict[str, Any]:
    """The recipe to carry out: the one that the page asks for, else what it was, else that of the address, else the first sample."""
    state: dict[str, Any] = st.session_state.setdefault("tensors", {"recipe": None, "number": 0, "problem": None})
    if state["recipe"] is None:
        state["recipe"], state["problem"] = _linked()
    asked = st.session_state.get(tensors_view.KEY, {}).get("asked")
    if isinstance(asked, Mapping) and isinstance(asked.get("number"), int) and asked["number"] != state["number"]:
        state["number"], state["problem"] = asked["number"], None
        try:
            state["recipe"] = checked([step for one in asked.get("recipe", ()) for step in _steps(one)])
        except RequestError as error:
            state["problem"] = error.message(language())
    return state


def _linked() -> tuple[Recipe, str | None]:
    """The recipe in the address; where there is none, or none that can be followed, the first sample, and why."""
    text = st.query_params.get("do")
    first = read(tensors_view.SAMPLES["view_or_copy"])
    if text is None:
        return first, None
    try:
        if len(text) > 2 * LONGEST_LINK:
            raise RequestError("tensors.bad.letters", most=2 * LONGEST_LINK)
        return read(text), None
    except RequestError as error:
        return first, say("tensors.bad_link", language(), reason=error.message(language()))


def _steps(asked: object) -> list[object]:
    """What the page sends of a step: one that it was given comes back as text, in a new one numbers come as they were typed.

    JavaScript does not tell 1.0 from 1, and torch does.
    """
    if isinstance(asked, str):
        return [*steps(asked)]
    if isinstance(asked, Mapping):
        return [{name: _typed(value) for name, value in asked.items()}]
    return [asked]


def _typed(value: object) -> object:
    if isinstance(value, Mapping):
        text = str(value.get("text", ""))
        if len(text) > LONGEST_ASKED:
            raise RequestError("tensors.bad.letters", most=LONGEST_ASKED)
        return literal(text)
    return value


if __name__ == "__main__":
    page()
