"""A question in a lesson: the answer is typed or chosen, and what is said about it comes from the answer that torch gave.

NOTE [form]: what is typed is looked at when Enter or a button is pressed, not when the field is left: the way to the hint is no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from explorer.lessons import Computed, Question, Verdict, judge, program_source, read_answer
from explorer.lessons.computed import shown
from explorer.lessons.parts import Quiz
from explorer.text import say
from explorer.ui import learn_progress as progress
from explorer.ui.failing import told
from explorer.ui.learn_parts import displayed, link_to_part
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["ask"]

Pressed = Literal["check", "hint", "show", None]


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


@st.fragment
@told
def ask(computed: Computed, question: Question, *, number: int, count: int) -> None:
    """The question with its field; a touch runs this alone, but an answer that is right runs the lesson once more."""
    lesson, quiz = computed.lesson.name, computed.lesson.quizzes[question.name]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":material/help: **{_text('question', number=number, count=count)}**", width="content")
        link_to_part(lesson, question.name)
    st.markdown(displayed(computed.filled(question.asked)))
    how = progress.answered(lesson).get(question.name)
    if how is None:
        _open(computed, question, quiz, f"learn_{lesson}_q_{question.name}_{language()}")
    else:
        _closed(computed, question, quiz, how)


def _closed(computed: Computed, question: Question, quiz: Quiz, how: str) -> None:
    said = _text("right" if how == "right" else "shown", answer=_said(computed, question, quiz))
    if how == "right":
        st.success(said, icon=":material/check_circle:")
    else:
        st.info(said, icon=":material/lightbulb:")
    st.markdown(displayed(computed.filled(question.why)))
    if how == "shown" and st.button(
        _text("again"), icon=":material/replay:", type="tertiary", key=f"learn_again_{question.name}",
    ):  # fmt: skip
        progress.open_again(computed.lesson.name, question.name)
        st.rerun()


def _said(computed: Computed, question: Question, quiz: Quiz) -> str:
    """The answer as a person reads it, in Markdown."""
    answer = computed.answer(question.name)
    match quiz.kind:
        case "order":
            return " → ".join(f"`{item}`" for item in answer)
        case "line":
            code = dict(_lines(quiz)).get(answer, "").strip()
            return _text("line", line=answer, code=f"`{code}`")
        case "choice":
            return _option(computed, question, answer)
        case "shape":
            return f"`{shown(answer)}`"
    return escaped(shown(answer, quiz.answer.format))


def _open(computed: Computed, question: Question, quiz: Quiz, key: str) -> None:
    tried: tuple[Any, Verdict] | None = st.session_state.get(f"{key}_tried")
    given, pressed = _field(computed, question, quiz, key, can_show=tried is not None)
    if pressed == "check":
        verdict = judge(computed, question.name, given)
        if verdict.right:
            _answered(computed, question, "right")
        if given is not None and tried is not None and not st.session_state.get(f"{key}_hint"):
            st.session_state[f"{key}_hint"] = True  # the second time it comes unasked
        st.session_state[f"{key}_tried"] = (given, verdict)
        if tried is None:
            st.rerun(scope="fragment")  # the button that shows the answer comes with the first try
        tried = given, verdict
    elif pressed == "hint":
        st.session_state[f"{key}_hint"] = True
    elif pressed == "show":
        _answered(computed, question, "shown")
    if tried is not None:
        st.warning(_reaction(computed, question, tried[1]), icon=":material/reply:")
    if st.session_state.get(f"{key}_hint"):
        st.info(displayed(computed.filled(question.hint)), icon=":material/lightbulb:")


def _answered(computed: Computed, question: Question, how: str) -> None:
    progress.note(computed.lesson.name, question.name, how)
    st.rerun()


def _reaction(computed: Computed, question: Question, verdict: Verdict) -> str:
    if verdict.when is not None and verdict.when in question.when:
        return displayed(computed.filled(question.when[verdict.when]))
    return say(verdict.key, language(), **{name: escaped(str(value)) for name, value in verdict.values.items()})


# -- fields --------------------------------------------------------------------------------------------------------------------------


def _field(computed: Computed, question: Question, quiz: Quiz, key: str, *, can_show: bool) -> tuple[Any, Pressed]:
    """What somebody answers, and what was pressed."""
    if quiz.kind == "order":
        return _order(quiz, key), _buttons(st.button, key, can_show=can_show)
    with st.form(f"{key}_form", border=False):
        given = _entered(computed, question, quiz, key, _text(f"answer_{quiz.kind}"))
        return given, _buttons(st.form_submit_button, key, can_show=can_show)


def _entered(computed: Computed, question: Question, quiz: Quiz, key: str, label: str) -> Any:
    if quiz.kind == "line":
        said = _coded(_lines(quiz))
        with st.container(key=f"{key}_lines"):
            return st.radio(label, list(said), index=None, format_func=said.__getitem__, key=f"{key}_field")
    if quiz.kind == "choice":
        options = [_option(computed, question, option) for option in quiz.options]
        chosen = st.radio(label, range(len(options)), index=None, format_func=options.__getitem__, key=f"{key}_field")
        return None if chosen is None else quiz.options[chosen]
    typed = st.text_input(label, key=f"{key}_field", placeholder=_text(f"example_{quiz.kind}"), width=240, max_chars=80)
    return read_answer(quiz.kind, typed)


def _buttons(button: Callable[..., bool], key: str, *, can_show: bool) -> Pressed:
    with st.container(horizontal=True):
        check = button(_text("check"), type="primary", key=f"{key}_check")
        hint = button(_text("hint"), icon=":material/lightbulb:", key=f"{key}_ask_hint")
        show = can_show and button(_text("show"), icon=":material/visibility:", key=f"{key}_show")
    return "check" if check else "hint" if hint else "show" if show else None


def _option(computed: Computed, question: Question, option: Any) -> str:
    written = shown(option, minus="-")
    return computed.filled(question.options[written]) if written in question.options else f"`{written}`"


def _order(quiz: Quiz, key: str) -> tuple[str, ...] | None:
    """Items that are pressed one after the other."""
    chosen: list[str] = st.session_state.setdefault(f"{key}_chosen", [])
    st.markdown(_text("answer_order"))
    with st.container(horizontal=True, key=f"{key}_items"):
        for item in quiz.items:
            st.button(item, key=f"{key}_item_{item}", disabled=item in chosen, on_click=chosen.append, args=(item,))
    so_far = " → ".join(f"`{item}`" for item in chosen) or _text("order_empty")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{_text('order_so_far')}: {so_far}", width="content")
        if chosen:
            st.button(_text("order_back"), icon=":material/undo:", type="tertiary", key=f"{key}_back", on_click=_take_back, args=(chosen,))
            st.button(_text("order_clear"), icon=":material/close:", type="tertiary", key=f"{key}_clear", on_click=chosen.clear)
    return tuple(chosen) if len(chosen) == len(quiz.items) else None


def _take_back(chosen: list[str]) -> None:
    chosen.pop()


def _lines(quiz: Quiz) -> list[tuple[int, str]]:
    """The lines of the program that hold code, after its opening words."""
    source = program_source(quiz.answer.program or "") or ""
    lines = list(enumerate(source.splitlines(), start=1))
    first = next((number for number, line in lines if line.startswith(("class ", "def "))), 1)
    return [(number, line) for number, line in lines if number >= first and line.strip() and not line.strip().startswith("#")]


def _coded(lines: list[tuple[int, str]]) -> dict[int, str]:
    """Each line as code with its number; Markdown keeps no spaces at the ends of code, so they are of the kind that does not break."""
    return {number: f"`{f'{number:3}  {line}'.replace(' ', chr(0xA0))}`" for number, line in lines}
