"""The places in a lesson that a link can lead to, and the look of a lesson."""

from __future__ import annotations

import re

import streamlit as st

from explorer.files import assets_folder
from explorer.player import joined
from explorer.text import say
from explorer.ui.state import language

__all__ = ["asset", "displayed", "link_to_part", "look", "show_address"]

KOREAN = """
:is(.st-key-lesson, .st-key-lessons) {word-break: keep-all; overflow-wrap: break-word}
.st-key-lesson :is(code, code span) {font-family: "Source Code Pro", monospace, "Explorer Text" !important}
"""
FORMULA = re.compile(r"^\$\$(.+?)\$\$[ \t]*$", re.MULTILINE)


def asset(name: str) -> str:
    """A file of assets/learn/; a script comes without its exports."""
    text = (assets_folder() / "learn" / name).read_text(encoding="utf-8")
    return text.replace("export function", "function")


_link = st.components.v2.component(
    "autograd_explorer_lesson_part",
    html='\n<div class="part"></div>\n',
    css=asset("part.css"),
    js=joined("dom", "copy") + asset("arrive.js") + asset("reach.js") + asset("part.js"),
)


def link_to_part(lesson: str, part: str) -> None:
    """A button that copies the link to a part of a lesson; whoever comes by that link is brought there."""
    words = {"link": say("learn.copy_link", language()), "link_copied": say("learn.copied", language())}
    words["copy_failed"] = say("learn.copy_failed", language())
    _link(key=f"learn_{lesson}_link_{part}", data={"part": part, "words": words}, width=40)


def show_address(lesson: str | None) -> None:
    """Let the address say what is shown.

    NOTE [address]: a link within one page of Streamlit's (1.67) brings the parameters but leaves the address as it was, and the next run
    has the old ones again. Set by us, they stay.
    """
    if st.session_state.setdefault("learn_at", lesson) != lesson:
        st.session_state.learn_at = lesson
        st.query_params.from_dict({name: value for name, value in st.query_params.items() if lesson or name == "lang"})


def look() -> None:
    """The style of lessons."""
    st.html(f"<style>{asset('lesson.css')}{KOREAN if language() == 'ko' else ''}</style>")


def displayed(text: str) -> str:
    """Markdown in which a formula that has a line to itself is set as one: Streamlit wants its signs on lines of their own."""
    return FORMULA.sub(lambda found: f"$$\n{found[1].strip()}\n$$", text)
