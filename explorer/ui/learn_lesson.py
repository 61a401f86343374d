"""One lesson on the page: its text with the numbers that torch computed, players, controls, code and questions.

NOTE [text first]: a player takes a moment when the first reader of all opens it. So the whole lesson is written first, with a place for
each player, and the places are filled afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.lessons import Computed, Lesson, Question, lessons_folder, program_source
from explorer.lessons.parts import Block, Code, Player, Summary, Text, Try
from explorer.text import say
from explorer.ui import controls, fonts
from explorer.ui import learn_progress as progress
from explorer.ui.failing import told
from explorer.ui.learn_parts import displayed, link_to_part, look
from explorer.ui.learn_player import lesson_player, sample_of
from explorer.ui.learn_questions import ask
from explorer.ui.state import language

__all__ = ["PAGE", "lesson_page", "link_to_lesson"]

PAGE = Path(__file__).with_name("learn.py")
EXPLORE = Path(__file__).with_name("explore.py")


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


def link_to_lesson(lesson: Lesson, label: str, *, icon: str | None = None) -> None:
    """A link to a lesson, in the language of now."""
    st.page_link(PAGE, label=label, icon=icon, query_params={"lesson": lesson.name, "lang": language()})


def lesson_page(lesson: Lesson, *, previous: Lesson | None, following: Lesson | None) -> None:
    """The whole lesson, between ways to the others."""
    computed = Computed(lesson, sample_of)
    telling = lesson.tellings[language()]
    numbers = {question.name: number for number, question in enumerate(telling.questions(), start=1)}
    later: list[Callable[[], None]] = []
    with st.container(key="lesson"):
        look()
        _head(computed, numbers)
        for section in telling.sections:
            if section.title:
                st.header(section.title, anchor=f"section-{telling.sections.index(section)}")
            for block in section.blocks:
                _block(computed, block, numbers, later)
        _tail(lesson, numbers, previous, following)
    fonts.bring((lessons_folder() / lesson.name / f"{language()}.md").read_text(encoding="utf-8"))
    for fill in later:
        fill()


def _head(computed: Computed, numbers: dict[str, int]) -> None:
    lesson = computed.lesson
    telling = lesson.tellings[language()]
    done = sum(name in progress.answered(lesson.name) for name in numbers)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="over"):
        st.page_link(PAGE, label=_text("all"), icon=":material/arrow_back:", query_params={"lang": language()})
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            st.caption(f"{_text('minutes', minutes=lesson.minutes)} · {_text('progress', done=done, count=len(numbers))}", width="content")
            if done:
                st.button(
                    _text("start_over"), icon=":material/restart_alt:", type="tertiary", on_click=progress.forget, args=(lesson.name,),
                    key="learn_start_over",
                )  # fmt: skip
    if progress.can_be_brought_back(lesson.name):
        with st.container(horizontal=True, vertical_alignment="center", key="forgotten"):
            st.markdown(_text("cleared"), width="content")
            st.button(_text("undo"), icon=":material/undo:", on_click=progress.bring_back, key="learn_undo")
    if done:
        st.progress(done / len(numbers))
    st.title(telling.title, anchor=False)
    with st.container(key="goal"):
        st.markdown(computed.filled(telling.goal))


def _tail(lesson: Lesson, numbers: dict[str, int], previous: Lesson | None, following: Lesson | None) -> None:
    if all(name in progress.answered(lesson.name) for name in numbers):
        st.markdown(f"**{_text('done')}**", help=None)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="turn"):
        if previous is not None:
            link_to_lesson(previous, f"{_text('previous')}: {previous.tellings[language()].title}", icon=":material/arrow_back:")
        if following is not None:
            link_to_lesson(following, f"{_text('next')}: {following.tellings[language()].title}", icon=":material/arrow_forward:")


def _block(computed: Computed, block: Block, numbers: dict[str, int], later: list[Callable[[], None]]) -> None:
    match block:
        case Text(text=text):
            st.markdown(displayed(computed.filled(text)))
        case Summary(text=text):
            st.success(f"**{_text('summary')}**  \n{computed.filled(text)}", icon=":material/bookmark:")
        case Code(program=program):
            st.code(program_source(program) or "", language="python", line_numbers=True)
        case Player(name=name):
            place = st.container(key=f"part-player-{name}")
            later.append(lambda: _player(computed, name, place))
        case Try(name=name):
            with st.container(border=True, key=f"part-try-{name}"):
                _control(computed, name)
        case Question(name=name):
            with st.container(border=True, key=f"part-question-{name}"):
                ask(computed, block, number=numbers[name], count=len(numbers))


def _player(computed: Computed, name: str, place: st.delta_generator.DeltaGenerator) -> None:
    asked = st.query_params.get("step", "") if st.query_params.get("part") == name else ""
    program = computed.lesson.players[name].program
    with place:
        step = lesson_player(computed, name, asked=int(asked) if asked.isdecimal() and len(asked) < 8 else None)
        with st.container(horizontal=True, horizontal_alignment="right"):
            address = {"example": program, "step": str(step), "lang": language()}
            st.page_link(EXPLORE, label=_text("in_explore"), icon=":material/open_in_new:", query_params=address)


@st.fragment
@told
def _control(computed: Computed, name: str) -> None:
    control = computed.lesson.controls[name]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":material/touch_app: **{_text('try')}**", width="content")
        link_to_part(computed.lesson.name, name)
    controls.draw(control.control, control.settings, language(), key=f"learn_{computed.lesson.name}_t_{name}")
