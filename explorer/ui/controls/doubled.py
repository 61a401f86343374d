"""The smallest control, to begin another from: a slider, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer.figures import figure
from explorer.text import say

__all__ = ["draw"]


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """`low`, `high`: the ends of the slider."""
    low, high = float(str(settings.get("low", 0))), float(str(settings.get("high", 1)))
    x = st.slider(say("learn.example_control", language), low, high, key=f"{key}_x")
    st.markdown(say("learn.example_square", language, x=figure(x), twice=figure(2 * x)))
