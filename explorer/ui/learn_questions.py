"""A question in a lesson: the answer is typed or chosen, and what is said about it comes from the answer that torch gave."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.lessons import Computed, Question, Verdict, judge, program_source, read_answer
from explorer.lessons.computed import shown
from explorer.lessons.parts import Quiz
from explorer.text import say
from explorer.ui import learn_progress as progress
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["ask"]


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


@st.fragment
@told
def ask(computed: Computed, question: Question, *, number: int, count: int) -> None:
    """The question with its field; a touch runs this alone, but the answer that is right runs the lesson once more."""
    lesson, name = computed.lesson.name, question.name
    key = f"learn_{lesson}_{name}"
    with st.container(border=True, key=f"part-{name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"###### :material/help: {_text('question', number=number, count=count)}", width="content")
        st.markdown(computed.filled(question.asked))
        how = progress.answered(lesson).get(name)
        quiz = computed.lesson.quizzes[name]
        if how is None:
            _open(computed, question, quiz, key)
        else:
            _closed(computed, question, quiz, how)


def _closed(computed: Computed, question: Question, quiz: Quiz, how: str) -> None:
    right = how == "right"
    said = _text("right" if right else "shown", answer=_said(computed, question, quiz, computed.answer(question.name)))
    (st.success if right else st.info)(said, icon=":material/check_circle:" if right else ":material/lightbulb:")
    st.markdown(computed.filled(question.why))


def _said(computed: Computed, question: Question, quiz: Quiz, answer: Any) -> str:
    """The answer as a person reads it, in Markdown."""
    match quiz.kind:
        case "order":
            return " → ".join(f"`{item}`" for item in answer)
        case "line":
            line = dict(_lines(computed, quiz)).get(answer, "")
            return _text("line", line=answer, code=f"`{line.strip()}`")
        case "choice":
            return _option(computed, question, answer)
        case "shape":
            return f"`{shown(answer)}`"
    return escaped(shown(answer, quiz.answer.format))


def _open(computed: Computed, question: Question, quiz: Quiz, key: str) -> None:
    lesson, name = computed.lesson.name, question.name
    tried: tuple[Any, Verdict] | None = st.session_state.get(f"{key}_tried")
    given, asked = _field(computed, question, quiz, key)
    with st.container(horizontal=True):
        pressed = st.button(_text("check"), type="primary", key=f"{key}_check") or asked
        hinted = st.button(_text("hint"), icon=":material/lightbulb:", key=f"{key}_hint_button")
        if tried is not None and st.button(_text("show"), key=f"{key}_show"):
            progress.note(lesson, name, "shown")
            st.rerun()
    if hinted:
        st.session_state[f"{key}_hint"] = True
    if pressed:
        verdict = judge(computed, name, given)
        if verdict.right:
            progress.note(lesson, name, "right")
            st.rerun()
        st.session_state[f"{key}_tried"] = (given, verdict)
        st.session_state[f"{key}_hint"] = st.session_state.get(f"{key}_hint", False) or (given is not None and tried is not None)
        if tried is None:
            st.rerun(scope="fragment")  # for the button that shows the answer
        tried = given, verdict
    if tried is not None:
        st.warning(_reaction(computed, question, tried[1]), icon=":material/reply:")
    if st.session_state.get(f"{key}_hint"):
        st.info(computed.filled(question.hint), icon=":material/lightbulb:")


def _reaction(computed: Computed, question: Question, verdict: Verdict) -> str:
    if verdict.when is not None and verdict.when in question.when:
        return computed.filled(question.when[verdict.when])
    return say(verdict.key, language(), **{name: escaped(str(value)) for name, value in verdict.values.items()})


# -- fields --------------------------------------------------------------------------------------------------------------------------


def _field(computed: Computed, question: Question, quiz: Quiz, key: str) -> tuple[Any, bool]:
    """What somebody answers, and whether Enter asks for it to be checked."""
    label = _text(f"answer_{quiz.kind}")
    match quiz.kind:
        case "order":
            return _order(quiz, key, label), False
        case "line":
            lines = _lines(computed, quiz)
            chosen = st.radio(
                label, [number for number, _ in lines], index=None, format_func=lambda number: _coded(number, lines), key=f"{key}_field"
            )
            return chosen, False
        case "choice":
            chosen = st.radio(
                label, range(len(quiz.options)), index=None, key=f"{key}_field",
                format_func=lambda index: _option(computed, question, quiz.options[index]),
            )  # fmt: skip
            return None if chosen is None else quiz.options[chosen], False
    entered = f"{key}_entered"
    typed = st.text_input(
        label, key=f"{key}_field", placeholder=_text(f"example_{quiz.kind}"), width=220, max_chars=80,
        on_change=lambda: st.session_state.__setitem__(entered, True),
    )  # fmt: skip
    return read_answer(quiz.kind, typed), bool(st.session_state.pop(entered, False) and typed.strip())


def _option(computed: Computed, question: Question, option: Any) -> str:
    written = shown(option, minus="-")
    return computed.filled(question.options[written]) if written in question.options else f"`{written}`"


def _order(quiz: Quiz, key: str, label: str) -> tuple[str, ...] | None:
    chosen: list[str] = st.session_state.setdefault(f"{key}_chosen", [])
    st.caption(label)
    with st.container(horizontal=True, key=f"{key}_items"):
        for item in quiz.items:
            st.button(item, key=f"{key}_item_{item}", disabled=item in chosen, on_click=chosen.append, args=(item,))
    so_far = " → ".join(f"`{item}`" for item in chosen) or _text("order_empty")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{_text('order_so_far')}: {so_far}", width="content")
        if chosen:
            st.button(_text("order_back"), icon=":material/undo:", type="tertiary", key=f"{key}_back", on_click=_take_back, args=(chosen,))
    return tuple(chosen) if len(chosen) == len(quiz.items) else None


def _take_back(chosen: list[str]) -> None:
    chosen.pop()


def _lines(computed: Computed, quiz: Quiz) -> list[tuple[int, str]]:
    """The lines of the program that hold code, after its opening words."""
    source = program_source(quiz.answer.program or "") or ""
    lines = list(enumerate(source.splitlines(), start=1))
    first = next((number for number, line in lines if line.startswith(("class ", "def "))), 1)
    return [(number, line) for number, line in lines if number >= first and line.strip() and not line.strip().startswith("#")]


def _coded(number: int, lines: list[tuple[int, str]]) -> str:
    line = dict(lines)[number]
    inside = len(line) - len(line.lstrip())
    return f"`{number:>3} {chr(0xA0) * inside}{line.strip()}`".replace("`  ", "`\u00a0\u00a0").replace("` ", "`\u00a0")
