"""The Learn page: the list of lessons, or the one that the address names."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.errors import ExplorerError
from explorer.lessons import Lesson, lesson_names, lessons_folder, read_lesson
from explorer.text import say
from explorer.ui import fonts
from explorer.ui import learn_progress as progress
from explorer.ui.learn_lesson import lesson_page
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["page"]


def _text(key: str, **values: object) -> str:
    return say(f"learn.{key}", language(), **values)


def page() -> None:
    """One run of the page."""
    fonts.bring()
    progress.restored()
    names = lesson_names()
    asked = st.query_params.get("lesson")
    if asked in names:
        try:
            lesson_page(_read(asked))
        except ExplorerError as error:
            st.error(escaped(error.message(language())), icon=":material/error:")
            return
        progress.give_back(asked)
        return
    if asked is not None:
        st.warning(escaped(_text("not_there", name=asked[:80])), icon=":material/link_off:")
    _list(names)


def _list(names: tuple[str, ...]) -> None:
    st.header(_text("title"), anchor=False)
    st.markdown(_text("intro"))
    if not names:
        st.info(_text("none"))
    for name in names:
        lesson = _read(name)
        telling = lesson.tellings[language()]
        st.page_link(Path(__file__), label=telling.title, query_params={"lesson": name, "lang": language()})


def _read(name: str) -> Lesson:
    folder = lessons_folder() / name
    changed = max(path.stat().st_mtime_ns for path in folder.iterdir())
    return _kept(name, changed)


@st.cache_resource(show_spinner=False, max_entries=40)
def _kept(name: str, changed: int) -> Lesson:
    return read_lesson(lessons_folder() / name)


if __name__ == "__main__":
    page()
