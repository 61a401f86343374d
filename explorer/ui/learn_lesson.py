"""One lesson on the page: its text with the numbers that torch computed, players, controls, code and questions."""

from __future__ import annotations

import streamlit as st

from explorer.lessons import Computed, Lesson, Question, program_source
from explorer.lessons.parts import Block, Code, Player, Summary, Text, Try
from explorer.text import say
from explorer.ui import controls
from explorer.ui import learn_progress as progress
from explorer.ui.failing import told
from explorer.ui.learn_player import lesson_player, sample_of
from explorer.ui.learn_questions import ask
from explorer.ui.state import language

__all__ = ["lesson_page"]


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


def lesson_page(lesson: Lesson) -> None:
    """The whole lesson."""
    computed = Computed(lesson, sample_of)
    telling = lesson.tellings[language()]
    questions = telling.questions()
    done = progress.answered(lesson.name)
    with st.container(key="lesson"):
        st.header(telling.title, anchor=False)
        st.markdown(f"**{_text('goal')}** {telling.goal}")
        answered = sum(question.name in done for question in questions)
        st.caption(f"{_text('minutes', minutes=lesson.minutes)} · {_text('progress', done=answered, count=len(questions))}")
        numbers = {question.name: number for number, question in enumerate(questions, start=1)}
        for section in telling.sections:
            if section.title:
                st.subheader(section.title, anchor=f"s{section.line}")
            for block in section.blocks:
                _block(computed, block, numbers)


def _block(computed: Computed, block: Block, numbers: dict[str, int]) -> None:
    match block:
        case Text(text=text):
            st.markdown(computed.filled(text))
        case Summary(text=text):
            st.success(f"**{_text('summary')}**  \n{computed.filled(text)}", icon=":material/bookmark:")
        case Code(program=program):
            st.code(program_source(program) or "", language="python", line_numbers=True)
        case Player(name=name):
            _player(computed, name)
        case Try(name=name):
            _control(computed, name)
        case Question(name=name):
            ask(computed, block, number=numbers[name], count=len(numbers))


def _player(computed: Computed, name: str) -> None:
    asked = st.query_params.get("step", "") if st.query_params.get("part") == name else ""
    with st.container(key=f"part-{name}"):
        lesson_player(computed, name, start=int(asked) if asked.isdecimal() and len(asked) < 8 else None)


@st.fragment
@told
def _control(computed: Computed, name: str) -> None:
    control = computed.lesson.controls[name]
    with st.container(border=True, key=f"part-{name}"):
        st.markdown(f"###### :material/touch_app: {_text('try')}")
        controls.draw(control.control, control.settings, language(), key=f"learn_{computed.lesson.name}_{name}")
