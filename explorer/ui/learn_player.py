"""The player inside a lesson: a shipped recording with the pictures that a reader most likely wants, and no server behind it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.files import assets_folder
from explorer.foldings import brought, packed
from explorer.layout import picture
from explorer.lessons import Computed
from explorer.lessons.opened import folding_with
from explorer.model import Trace
from explorer.payload import recorded
from explorer.pictured import pictured
from explorer.player import joined_script, style
from explorer.ui.learn_parts import asset
from explorer.ui.state import language, said_around, shared
from explorer.unfolding import view_of_folding

__all__ = ["lesson_player", "sample_of"]

MANY = 300  # nodes: beyond that the pictures that may follow take seconds to draw, and only the first comes along

HTML = """
<div class="player waiting"></div>
"""

_component = st.components.v2.component(
    "autograd_explorer_lesson_player",
    html=HTML,
    css=style() + asset("player.css"),
    js=joined_script() + asset("arrive.js") + asset("player.js"),
)


def sample_of(program: str) -> Trace:
    """The shipped recording of a program, read once for all visitors."""
    return shared(assets_folder() / "samples" / f"{program}.trace")


def lesson_player(computed: Computed, name: str, *, asked: int | None = None) -> int:
    """The player of this name in a lesson, at its step or at the one that is asked for; the step."""
    at = computed.lesson.players[name]
    step = asked or computed.step(at)
    fixed = _fixed(at.program, at.opened, language())
    data = {**fixed, "start": step, "name": name}
    _component(key=f"learn_{computed.lesson.name}_p_{name}", data=data)
    return step


@st.cache_resource(show_spinner=False, max_entries=40)
def _fixed(program: str, opened: tuple[str, ...], chosen: str) -> dict[str, Any]:
    """All of it but where it stands: the same for all visitors."""
    trace = sample_of(program)
    view = view_of_folding(trace, folding := folding_with(trace, opened), language=chosen)
    if len(trace.nodes) > MANY:
        drawn = picture(view)
        made = pictured(drawn.view, svg=drawn.svg, width=drawn.width, height=drawn.height, key=program, folding=folding)
        pictures = [{**made, "ways": {}}]
    else:
        pictures = brought(view, key=program)
    return {
        "recording": recorded(trace, chosen, key=program, around=said_around(chosen)),
        "picture": pictures[0],
        "pictures": packed(pictures),
    }
