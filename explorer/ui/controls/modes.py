"""What a whole Jacobian costs in forward and in reverse mode, for a network of n inputs, 64 hidden cells and m outputs.

Settings: `inputs` and `outputs`, where the sliders begin. Operations are those of the matrix products that torch carries out; a test
counts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import streamlit as st

from explorer.flops import operations
from explorer.palette import PALETTE
from explorer.plots import bars
from explorer.text import say

__all__ = ["HIDDEN", "SIZES", "cost", "draw"]

HIDDEN = 64
SIZES = (1, 2, 5, 10, 50, 100, 500, 1000, 10_000, 100_000, 1_000_000)


def cost(inputs: int, outputs: int) -> tuple[int, int, int]:
    """Operations of the function itself, of its Jacobian in forward mode, and of it in reverse mode.

    A forward pass carries value and derivative of one input: twice the function. A backward pass costs as much as the function, which has
    to be computed once before.
    """
    function = 2 * HIDDEN * (inputs + outputs)
    return function, 2 * function * inputs, function + function * outputs


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """Two sliders, a sentence, two bars."""
    _drawn(cast("int", settings["inputs"]), cast("int", settings["outputs"]), language, key)


@st.fragment
def _drawn(inputs: int, outputs: int, language: str, key: str) -> None:
    left, right = st.columns(2)
    n = left.select_slider(say("touching.inputs", language), SIZES, value=inputs, format_func="{:,}".format, key=f"{key}_n_{language}")
    m = right.select_slider(say("touching.outputs", language), SIZES, value=outputs, format_func="{:,}".format, key=f"{key}_m_{language}")
    _, forward, reverse = cost(n, m)
    st.markdown(say("touching.passes", language, forward=f"{n:,}", reverse=f"{m:,}"))
    look = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
    amounts = {say("touching.forward_mode", language): float(forward), say("touching.reverse_mode", language): float(reverse)}
    chart = bars(
        amounts, colours=[look["value"], look["gradient"]], title=say("touching.operations", language), logarithmic=True,
        texts=[operations(forward), operations(reverse)],
    )  # fmt: skip
    st.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_chart_{language}")
    if forward == reverse:
        told = "touching.same_cost"
    else:
        told = "touching.reverse_wins" if reverse < forward else "touching.forward_wins"
    ratio = max(forward, reverse) / min(forward, reverse)
    st.markdown(say(told, language, times=f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"))
    st.caption(say("touching.counted", language, hidden=HIDDEN))
