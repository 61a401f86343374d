"""The error of a central difference over its step width, beside the rounding of the data type: recorded when the sample was verified.

Settings: `programs`, each with the variable whose gradient is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.model import GradientCheck, Trace
from explorer.palette import PALETTE
from explorer.plots import curves
from explorer.text import say
from explorer.ui.learn_player import sample_of

__all__ = ["EPSILON", "check_of", "draw"]

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}


def check_of(trace: Trace, name: str) -> tuple[GradientCheck, str]:
    """What verification recorded of the gradient of a variable, and the data type of the program."""
    found = next(one for one in (trace.checks.gradients if trace.checks else ()) if one.name == name)
    return found, trace.nodes[found.node].outputs[0].dtype


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of the program, the curve, and a slider over the step widths."""
    _drawn(dict(cast("Mapping[str, str]", settings["programs"])), language, key)


@st.fragment
def _drawn(programs: dict[str, str], language: str, key: str) -> None:
    names = list(programs)
    program = st.segmented_control(
        say("touching.program", language), names, default=names[0], required=True,
        format_func=lambda name: EXAMPLES[name].title(language), key=f"{key}_program_{language}",
    )  # fmt: skip
    check, dtype = check_of(sample_of(program), programs[program])
    points = {one.step: one.error for one in check.curve if one.error > 0}
    widths = sorted(points)
    h = st.select_slider(
        say("touching.width", language), widths, value=min(points, key=points.__getitem__), format_func=lambda one: f"{one:.0e}",
        key=f"{key}_h_{program}_{language}",
    )  # fmt: skip
    st.markdown(say("touching.error_at", language, width=f"{h:.0e}", error=f"{points[h]:.1e}", name=programs[program]))
    look = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
    chart = curves(
        {say("touching.error", language): (widths, [points[one] for one in widths])}, colours=[look["gradient"]], logarithmic=(True, True),
        titles=(say("touching.width", language), say("touching.error", language)), mark=h, ink=look["ink"],
        level=(say("touching.rounding", language, dtype=dtype), EPSILON[dtype]),
    )  # fmt: skip
    st.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_chart_{language}")
    st.caption(say("touching.error_how", language, dtype=dtype))
