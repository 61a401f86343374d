"""The memory over the steps, below the player: a curve, its peak, and a way from a point of it to its step."""

from __future__ import annotations

import streamlit as st

from explorer.charts import Look, memory_figure
from explorer.figures import label, plain
from explorer.flops import count_flops, operations
from explorer.footprint import Memory, amount, memory
from explorer.model import Trace
from explorer.palette import PALETTE
from explorer.text import say
from explorer.ui import player
from explorer.ui.failing import told
from explorer.ui.state import Opened, language, opened

__all__ = ["curve_look", "panel", "step_names"]


@st.fragment
@told
def panel() -> None:
    """The closed panel; what stands in it is worked out once it is open. A point that is clicked runs only this again."""
    shown = opened()
    if shown is None:
        return
    key, step, count = st.session_state.get("memory_asked", ("", 0, 0))
    if key == shown.key:
        player.lead(step, count)
    place = st.expander(say("memory.title", language()), icon=":material/memory:", key=f"memory_{language()}", on_change="rerun")
    if not place.open:
        return
    with place:
        found = memory(shown.trace)
        if found is None:
            st.info(say("memory.not_told" if shown.trace.backward else "memory.no_backward", language()))
        else:
            _curve(shown, found)
        _costs(shown.trace)


def _curve(shown: Opened, found: Memory) -> None:
    trace, top, names = shown.trace, found.peak, step_names(shown.trace, found, language())
    words = {"bytes": amount(found.most), "saved": amount(found.saved[top]), "gradients": amount(found.gradients[top])}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            say("memory.most", language(), **words, step=top + 1, steps=len(found.nodes), node=_escaped(names[top])), width="stretch"
        )
        st.button(say("memory.go", language()), icon=":material/my_location:", key="memory_go", on_click=_ask, args=(shown.key, top + 1))
    begins = len(found.nodes) - len(trace.updates) - len(trace.backward) if trace.backward else 0
    chart = memory_figure(found, names=names, begins=begins, look=curve_look(), language=language())
    key = f"memory_chart_{shown.key}_{language()}"
    st.plotly_chart(
        chart, key=key, on_select=lambda: _ask_for_point(shown.key, key), selection_mode="points", config={"displayModeBar": False},
        alt=say("memory.most", language(), **words, step=top + 1, steps=len(found.nodes), node=names[top]).replace("**", ""),
    )  # fmt: skip
    notes = [say("memory.counted", language())]
    if trace.made_with.device == "fake":
        notes.insert(0, say("memory.fake", language()))
    if found.unknown:
        notes.append(say("memory.unknown", language(), count=found.unknown))
    st.caption(" ".join(notes))


def _costs(trace: Trace) -> None:
    counted = count_flops(trace)
    if counted.nodes:
        values = {"forward": operations(counted.forward), "backward": operations(counted.backward)}
        st.markdown(say("memory.flops", language(), **values))
    if counted.unknown:
        st.caption(say("memory.flops_unknown", language(), names=_escaped(", ".join(map(plain, counted.unknown)))))


def step_names(trace: Trace, found: Memory, chosen: str) -> list[str]:
    """What each step is called: its op and module, or the backward or the update of one."""
    last = len(found.nodes) - len(trace.updates)
    first = last - len(trace.backward)
    names = []
    for place, number in enumerate(found.nodes):
        if number is None:
            names.append(say("memory.start", chosen))
            continue
        node = trace.nodes[number]
        name = label(node)
        if node.module and not node.is_leaf:
            name = say("memory.node", chosen, name=name, module=plain(node.module))
        if place >= first:
            name = say("memory.node_update" if place >= last else "memory.node_backward", chosen, name=name)
        names.append(name)
    return names


def _ask(key: str, step: int) -> None:
    count = st.session_state.get("memory_asked", (key, 0, 0))[2] + 1
    st.session_state.memory_asked = (key, step, count)


def _ask_for_point(key: str, chart: str) -> None:
    points = st.session_state[chart].selection.points
    if points:
        _ask(key, int(points[0]["customdata"][0]))


def curve_look() -> Look:
    """The colours of the curve in the theme of now."""
    dark = st.context.theme.type == "dark"
    palette = PALETTE["dark" if dark else "light"]
    return Look(palette["value"], palette["gradient"], palette["ink"], palette["line"])


def _escaped(words: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in words)
