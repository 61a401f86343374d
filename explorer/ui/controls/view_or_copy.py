"""View or copy: an operation on a small matrix, and what becomes of the matrix when a number is written into the result.

Real torch carries it out, in the warm child process of the page Tensors, with NumPy beside it. Settings: none. The child is started when
the control is drawn, and asked once an operation was chosen, so that nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.capture.workbench import Answer, Made, ask, positions, warm
from explorer.errors import ExplorerError
from explorer.text import say
from explorer.ui.controls.grids import figure, grid

__all__ = ["CHOICES", "NEW", "draw", "recipe"]

NEW = 99
MATRIX: list[dict[str, Any]] = [{"do": "arange", "end": 6}, {"do": "reshape", "of": "a", "shape": [2, 3]}]

# What stands on the button, and what is done with b; the last step is the result.
CHOICES: dict[str, list[dict[str, Any]]] = {
    "b.T": [{"do": "T", "of": "b"}],
    "b.reshape(3, 2)": [{"do": "reshape", "of": "b", "shape": [3, 2]}],
    "b[1]": [{"do": "slice", "of": "b", "index": "1"}],
    "b[:, 1]": [{"do": "slice", "of": "b", "index": ":, 1"}],
    "b[[1]]": [{"do": "take", "of": "b", "rows": [1]}],
    "b.T.reshape(6)": [{"do": "T", "of": "b"}, {"do": "reshape", "of": "c", "shape": [6]}],
    "b.T.view(6)": [{"do": "T", "of": "b"}, {"do": "view", "of": "c", "shape": [6]}],
    "b.clone()": [{"do": "clone", "of": "b"}],
    "b + 0": [{"do": "add", "of": "b", "other": 0}],
}


def recipe(choice: str, *, rank: int | None = None) -> list[dict[str, Any]]:
    """The steps of a choice; with the `rank` of its result, writing into that one's first cell as well."""
    steps = [*MATRIX, *CHOICES[choice]]
    if rank is not None:
        index = ", ".join("0" * rank)
        steps.append({"do": "set", "of": "abcdef"[len(steps) - 1], "index": index, "value": NEW})
    return steps


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of an operation, and what came of it."""
    warm()
    _drawn(language, key)


@st.fragment
def _drawn(language: str, key: str) -> None:
    choice = st.pills(say("trying.operation", language), list(CHOICES), format_func=lambda one: f"`{one}`", key=f"{key}_choice_{language}")
    if choice is None:
        with st.container(width="content", gap=None):
            st.markdown("`b`")
            st.html(grid([["0", "1", "2"], ["3", "4", "5"]], label="b"), width="content")
        return
    writes = st.toggle(say("trying.write", language, value=NEW), key=f"{key}_write_{language}")
    try:
        plain = ask(recipe(choice))
        answer = ask(recipe(choice, rank=plain["tensors"][-1]["rank"])) if writes and plain["error"] is None else plain
    except ExplorerError as error:
        st.error(error.message(language), icon=":material/error:")
        return
    _told(choice, plain, answer, language)


def _told(choice: str, plain: Answer, answer: Answer, language: str) -> None:
    matrix = answer["tensors"][1]
    failed = plain["error"]
    with st.container(horizontal=True, gap="large"):
        _table("b", matrix, plain["tensors"][1])
        if failed is None:
            _table(choice, answer["tensors"][-1], plain["tensors"][-1])
    if failed is not None:
        st.error(failed["message"] or "", icon=":material/error:")
        st.markdown(say("trying.no_view", language))
        return
    result = answer["tensors"][-1]
    shares = result["storage"] == matrix["storage"]
    _strip(say("trying.storage", language, name="b", strides=tuple(matrix["strides"])), matrix, plain["tensors"][1])
    if shares:
        st.markdown(say("trying.view", language, strides=tuple(result["strides"]), offset=result["offset"]))
    else:
        st.markdown(say("trying.copy", language))
        _strip(say("trying.storage", language, name=choice, strides=tuple(result["strides"])), result, plain["tensors"][-1])
    if answer is not plain:
        changed = matrix["values"] != plain["tensors"][1]["values"]
        st.markdown(say("trying.changed" if changed else "trying.unchanged", language, value=NEW))
    beside = plain["steps"][-1]["numpy"]
    if beside["line"] and beside["relation"] in ("view", "copy", "new"):
        same = say("trying.numpy_view" if beside["relation"] == "view" else "trying.numpy_copy", language, line=beside["line"])
        st.caption(same)


def _table(name: str, made: Made, before: Made) -> None:
    """A tensor of rank 1 or 2; what has changed since `before` is marked."""
    width = made["shape"][-1]
    values, old = made["values"] or [], before["values"] or []
    rows = [[figure(value) for value in values[start : start + width]] for start in range(0, len(values), width)]
    written = {(place // width, place % width) for place, value in enumerate(values) if value != old[place]}
    with st.container(width="content", gap=None):
        st.markdown(f"`{name}`", width="content")
        st.html(grid(rows, label=name, written=written), width="content")


def _strip(title: str, made: Made, before: Made) -> None:
    """A storage as one row of cells."""
    values, old = _storage(made), _storage(before)
    written = {(0, place) for place, value in enumerate(values) if value != old[place]}
    with st.container(gap=None):
        st.markdown(title)
        st.html(grid([[figure(value) for value in values]], label=title, written=written, narrow=True))


def _storage(made: Made) -> list[float]:
    """The numbers of a storage in memory order, as a tensor shows them that reads all of it."""
    found = dict(zip(positions(made), made["values"] or [], strict=True))
    return [found[place] for place in sorted(found)]
