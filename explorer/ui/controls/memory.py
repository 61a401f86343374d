"""What a recorded program holds after each step: saved tensors and gradients as a curve, and by name at the step that is chosen.

Settings: `programs`, of which a recording ships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.charts import memory_figure
from explorer.figures import label
from explorer.footprint import Memory, amount, memory
from explorer.model import Trace
from explorer.text import say
from explorer.ui.learn_player import sample_of
from explorer.ui.memory import curve_look, step_names

__all__ = ["draw", "held"]


def held(trace: Trace, found: Memory, place: int) -> dict[str, tuple[str, ...]]:
    """The ops that keep tensors after the step at `place`, and how the program's derivative rules call these."""
    begins = len(found.nodes) - len(trace.updates) - len(trace.backward)
    ran = [number for number in found.nodes[: min(place + 1, begins)] if number is not None]
    done = set(found.nodes[begins:place]) if place > begins else set()  # what a step used is let go when it ends
    keeping = [trace.nodes[number] for number in dict.fromkeys(ran) if number not in done]
    return {
        label(node): names for node in keeping if (names := tuple(one.name for one in node.saved if one.storage is not None)) and node.op
    }


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of the program, its curve, and a slider over its steps."""
    _drawn(tuple(cast("Sequence[str]", settings["programs"])), language, key)


@st.fragment
def _drawn(programs: Sequence[str], language: str, key: str) -> None:
    program = st.segmented_control(
        say("touching.program", language), programs, default=programs[0], required=True,
        format_func=lambda name: EXAMPLES[name].title(language), key=f"{key}_program_{language}",
    )  # fmt: skip
    trace = sample_of(program)
    found = memory(trace)
    if found is None:
        return
    names = step_names(trace, found, language)
    begins = len(found.nodes) - len(trace.updates) - len(trace.backward)
    chart = memory_figure(found, names=names, begins=begins, look=curve_look(), language=language)
    st.plotly_chart(chart, key=f"{key}_chart_{program}_{language}", config={"displayModeBar": False})
    step = st.slider(say("touching.step", language), 1, len(found.nodes), found.peak + 1, key=f"{key}_step_{program}_{language}")
    words = {"saved": amount(found.saved[step - 1]), "gradients": amount(found.gradients[step - 1]), "node": names[step - 1]}
    st.markdown(say("touching.held", language, **words))
    kept = held(trace, found, step - 1)
    if kept:
        listed = ", ".join(f"`{name}` ({', '.join(saved)})" for name, saved in list(kept.items())[:12])
        st.caption(say("touching.kept_by", language, names=listed + (" …" if len(kept) > 12 else "")))
    else:
        st.caption(say("touching.nothing_kept", language))
