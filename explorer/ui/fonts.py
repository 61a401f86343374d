"""Hangul for a page without a player, which brings its own, where the reader's machine has no Korean font."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import streamlit as st

from explorer.fonts import font_data
from explorer.text import LANGUAGES, TEXTS
from explorer.ui.state import language

__all__ = ["bring", "bring_for"]

SWITCH = "한국어"  # stands on every page, in whatever language


def bring(more: str | None = None) -> None:
    """Let the page know the font that the theme names second, for all that is said here; and for a text of `more`, which has bold in it."""
    if more is None:
        _face("Explorer Text", SWITCH + _said(language()))
        return
    for style, weights in {"Regular": "100 550", "Bold": "551 900"}.items():
        _face("Explorer Text", SWITCH + _said(language()) + more, style=style, weights=weights)


def bring_for(text: str, *, within: str) -> None:
    """Let Hangul in a text that a model wrote show as well; `within` is the key of the container in which it stands as code."""
    _face("Explorer Written", text)
    st.html(f"<style>[class*='st-key-{within}'] code {{font-family: monospace, 'Explorer Written' !important}}</style>")


def _face(family: str, text: str, *, style: str = "Regular", weights: str = "100 900") -> None:
    letters = "".join(sorted(set(re.findall("[\u3131-\u318e\uac00-\ud7a3]", text))))
    if letters:
        data = _data(style, letters)
        st.html(f"<style>@font-face{{font-family:'{family}';font-weight:{weights};src:url(data:font/woff;base64,{data})}}</style>")


@cache
def _said(chosen: str) -> str:
    return "".join(both[LANGUAGES.index(chosen)] for both in TEXTS.values())


@lru_cache(maxsize=64)
def _data(style: str, letters: str) -> str:
    return font_data(style, letters)
