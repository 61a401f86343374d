"""The chain rule under a slider: y = f(g(x)) with its tangent, the two local slopes and their product.

Settings: `pairs`, names of `explorer.tangents.PAIRS`; `first`, the one that is chosen at first; `x`, where the slider begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import streamlit as st

from explorer.palette import PALETTE
from explorer.tangents import PAIRS, Pair, Slope, tangent_figure
from explorer.text import say

__all__ = ["draw", "worked_out"]


def worked_out(pair: Pair, here: Slope) -> list[str]:
    """Lines of LaTeX: the value that the outer function receives, both slopes, and the product."""
    g, g_slope, _, f_slope = pair.written
    return [
        rf"u = g(x) = {g} = {here.u:.4g}",
        rf"g'(x) = {_with_value(g_slope, here.inner)}",
        rf"f'(u) = {_with_value(f_slope, here.outer)}",
        rf"\frac{{dy}}{{dx}} = f'(u)\cdot g'(x) = {_factor(here.outer)} \times {_factor(here.inner)} = \mathbf{{{here.total + 0:.4g}}}",
    ]


def _with_value(written: str, value: float) -> str:
    shown = f"{value + 0:.4g}"
    return shown if written == shown else f"{written} = {shown}"


def _factor(number: float) -> str:
    return f"({number:.4g})" if number < 0 else f"{number + 0:.4g}"


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of functions, the slider, the picture, and the sums beside it."""
    pairs = cast("Sequence[str]", settings["pairs"])
    _drawn(pairs, str(settings.get("first", pairs[0])), float(cast("float", settings.get("x", 1.0))), language, key)


@st.fragment
def _drawn(pairs: Sequence[str], first: str, x: float, language: str, key: str) -> None:
    name = st.segmented_control(
        say("trying.functions", language), pairs, default=first, required=True, format_func=lambda one: f"y = {PAIRS[one].whole}",
        key=f"{key}_pair_{language}",
    )  # fmt: skip
    pair = PAIRS[name]
    here = pair.at(st.slider("x", pair.low, pair.high, min(max(x, pair.low), pair.high), 0.05, key=f"{key}_x_{name}_{language}"))
    colours = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
    picture, sums = st.columns([3, 2], vertical_alignment="center")
    names = (say("trying.curve", language), say("trying.tangent", language))
    chart = tangent_figure(
        pair, here.x, curve=colours["value"], tangent=colours["gradient"], ink=colours["ink"], line=colours["faint"], names=names
    )
    alt = say("trying.chart", language, x=f"{here.x:.4g}", y=f"{here.y:.4g}", slope=f"{here.total + 0:.4g}")
    picture.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_chart_{language}", alt=alt)
    with sums:
        for line in worked_out(pair, here):
            st.markdown(f"${line}$")
        if pair is PAIRS["relu of line"]:
            st.caption(say("trying.kink", language))
