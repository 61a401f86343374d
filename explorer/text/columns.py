"""How wide words are on a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["width_of"]


def width_of(words: str) -> int:
    """Columns on a terminal: letters of Korean take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in words)
