"""All five steps of training again and again, for one sample and a learning rate to choose: the loss after each turn.

Settings: `program`, a recording of `SimpleNet` with its loss. It begins with the recorded weights and goes on in double precision here; a
test holds it to torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.model import Trace
from explorer.palette import PALETTE
from explorer.plots import curves
from explorer.text import say
from explorer.ui.learn_player import sample_of

__all__ = ["RATES", "descend", "draw"]

RATES = (0.001, 0.01, 0.1, 1.0)
MOST = 100


def descend(trace: Trace, rate: float, steps: int) -> list[float]:
    """The loss before each of `steps` turns and after the last."""
    names = {name: node for node in trace.nodes for name in node.names}
    w1, b1, w2, b2, x, y = (
        np.array(names[name].outputs[0].values, dtype=np.float64)
        for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "x", "label")
    )
    losses = []
    for _ in range(steps + 1):
        z1 = x @ w1.T + b1
        h = np.maximum(z1, 0)
        a = 1 / (1 + np.exp(-(h @ w2.T + b2)))
        losses.append(float(-(y * np.log(a) + (1 - y) * np.log(1 - a)).mean()))
        d2 = a - y
        d1 = d2 @ w2 * (z1 > 0)
        w2, b2 = w2 - rate * d2.T @ h, b2 - rate * d2[0]
        w1, b1 = w1 - rate * d1.T @ x, b1 - rate * d1[0]
    return losses


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The choice of the learning rate and the number of turns, and the losses."""
    _drawn(str(settings["program"]), language, key)


@st.fragment
def _drawn(program: str, language: str, key: str) -> None:
    left, right = st.columns(2)
    rate = left.select_slider(
        say("touching.rate", language), RATES, value=0.01, format_func=lambda one: f"{one:g}", key=f"{key}_rate_{language}"
    )
    steps = right.slider(say("touching.turns", language), 1, MOST, 20, key=f"{key}_steps_{language}")
    trace = sample_of(program)
    lines: dict[str, tuple[Any, Any]] = {
        f"{one:g}": (range(steps + 1), descend(trace, one, steps)) for one in sorted(RATES, key=lambda one: one == rate)
    }
    losses = lines[f"{rate:g}"][1]
    st.markdown(say("touching.descended", language, steps=steps, first=f"{losses[0]:.4f}", last=f"{losses[-1]:.4f}"))
    look = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
    titles = (say("touching.turn", language), say("touching.loss", language))
    chart = curves(lines, colours=[look["gradient"]], titles=titles, chosen=f"{rate:g}", faint=look["faint"])
    st.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_chart_{language}")
    st.caption(say("touching.descended_how", language))
