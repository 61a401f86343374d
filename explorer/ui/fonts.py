"""Hangul for a page without a player, which brings its own, where the reader's machine has no Korean font."""

from __future__ import annotations

from functools import cache

import streamlit as st

from explorer.fonts import font_data
from explorer.text import LANGUAGES, TEXTS
from explorer.ui.state import language

__all__ = ["bring"]

SWITCH = "한국어"  # stands on every page, in whatever language


def bring() -> None:
    """Let the page know the font that the theme names second."""
    st.html(
        f"<style>@font-face{{font-family:'Explorer Text';font-weight:100 900;src:url(data:font/woff;base64,{_data(language())})}}</style>"
    )


@cache
def _data(chosen: str) -> str:
    said = SWITCH + "".join(both[LANGUAGES.index(chosen)] for both in TEXTS.values())
    return font_data("Regular", "".join(sorted({char for char in said if "\u1100" <= char <= "\ud7a3" and not char.isascii()})))
