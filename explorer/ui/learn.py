"""The Learn page: the list of lessons, or the one that the address names."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.lessons import Lesson, lesson_names, lessons_folder, read_lesson
from explorer.text import say
from explorer.ui import fonts
from explorer.ui import learn_progress as progress
from explorer.ui.learn_lesson import lesson_page, link_to_lesson
from explorer.ui.learn_parts import look, show_address
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["page"]


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


def page() -> None:
    """One run of the page."""
    progress.restore()
    asked = st.query_params.get("lesson")
    lessons, broken = [], []
    for name in lesson_names():
        try:
            lessons.append(_read(name))
        except ExplorerError as error:
            broken.append(error)
    names = [lesson.name for lesson in lessons]
    show_address(asked if asked in names else None)
    if asked not in names:
        for one in broken:
            st.error(escaped(one.message(language())), icon=":material/error:")
        if asked is not None:
            st.warning(escaped(_text("not_there", name=asked[:80])), icon=":material/link_off:")
        _list(lessons)
        return
    here = names.index(asked)
    previous = lessons[here - 1] if here else None
    lesson_page(lessons[here], previous=previous, following=lessons[here + 1] if here + 1 < len(lessons) else None)
    progress.keep(asked)


def _list(lessons: list[Lesson]) -> None:
    chosen = language()
    fonts.bring("".join(lesson.tellings[chosen].title + lesson.tellings[chosen].goal for lesson in lessons))
    with st.container(key="lessons"):
        look()
        st.title(_text("title"), anchor=False)
        st.markdown(_text("intro"))
        if not lessons:
            st.info(_text("none"))
        for start in range(0, len(lessons), 2):
            for column, lesson in zip(st.columns(2, gap="medium"), lessons[start : start + 2], strict=False):
                with column:
                    _card(lesson)


def _card(lesson: Lesson) -> None:
    telling = lesson.tellings[language()]
    questions = telling.questions()
    done = sum(question.name in progress.answered(lesson.name) for question in questions)
    with st.container(border=True, key=f"card-{lesson.name}", height="stretch"):
        link_to_lesson(lesson, f"{int(lesson.name[:2])} · {telling.title}")
        st.markdown(telling.goal)
        state = _text("progress", done=done, count=len(questions)) if done else _text("questions", count=len(questions))
        finished = f":material/check_circle: {_text('finished')}"
        st.caption(f"{_text('minutes', minutes=lesson.minutes)} · {finished if done == len(questions) else state}")
        if 0 < done < len(questions):
            st.progress(done / len(questions))


def _read(name: str) -> Lesson:
    folder = lessons_folder() / name
    return _kept(name, max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir())))


@st.cache_resource(show_spinner=False, max_entries=60)
def _kept(name: str, changed: int) -> Lesson:
    return read_lesson(lessons_folder() / name)


if __name__ == "__main__":
    page()
