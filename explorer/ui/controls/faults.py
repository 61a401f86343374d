"""Broken programs to diagnose: the code first, then what the findings say, with a way to the line and to the node in the graph.

Settings: `programs`, examples whose recording has a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.model import Finding, Trace
from explorer.steps import steps
from explorer.text import say
from explorer.ui.learn_player import sample_of
from explorer.ui.words import escaped

__all__ = ["draw", "step_of"]


def step_of(trace: Trace, finding: Finding) -> int | None:
    """The step, from 1, in which the node of a finding sends its gradient back; where it never does, the one in which it ran."""
    found = [number for number, step in enumerate(steps(trace), start=1) if step.node == finding.node]
    backward = [number for number in found if steps(trace)[number - 1].phase == "backward"]
    return next(iter(backward or found), None)


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of the program, its code, and its findings once they are asked for."""
    _drawn(tuple(cast("Sequence[str]", settings["programs"])), language, key)


@st.fragment
def _drawn(programs: Sequence[str], language: str, key: str) -> None:
    program = st.segmented_control(
        say("touching.patient", language), programs, default=programs[0], required=True,
        format_func=lambda name: chr(ord("A") + programs.index(name)), key=f"{key}_program_{language}",
    )  # fmt: skip
    trace = sample_of(program)
    source = (
        EXAMPLES[program].path.read_text(encoding="utf-8").rpartition('"""')[2].strip("\n")
    )  # what it says of itself would give it away
    st.code(source, language="python")
    asked: set[str] = st.session_state.setdefault(f"{key}_asked", set())
    if program not in asked:
        st.button(
            say("touching.diagnose", language), icon=":material/stethoscope:", key=f"{key}_show_{program}_{language}",
            on_click=asked.add, args=(program,),
        )  # fmt: skip
        return
    st.markdown(f"**{escaped(EXAMPLES[program].title(language))}**")
    for finding in trace.findings:
        if finding.severity == "info":
            continue
        st.warning(escaped(finding.message[language]), icon=":material/search_insights:")
        st.markdown(say("touching.remedy", language, remedy=escaped(finding.remedy[language])))
        if finding.source is not None:
            st.markdown(say("touching.culprit", language, line=finding.source.line))
            st.code(finding.source.code.strip(), language="python")
        step = step_of(trace, finding)
        if step is not None:
            address = urlencode({"example": program, "step": step, "lang": language})
            st.link_button(say("touching.to_node", language, step=step), f"./?{address}", icon=":material/my_location:")
