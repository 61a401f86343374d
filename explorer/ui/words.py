"""Words as Streamlit shows them."""

from __future__ import annotations

import re

from explorer.text import say

__all__ = ["duration", "escaped"]


PLAIN = re.compile(r"[^\W_]+(?:[_ .-][^\W_]+)*", re.ASCII)


def escaped(words: str) -> str:
    """`words` with everything escaped that Markdown would read as more than text.

    Plain names stay as they are: a label is read out as it is written.
    """
    if PLAIN.fullmatch(words):
        return words
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in words)


def duration(seconds: float, language: str) -> str:
    """A time as a person says it."""
    if 0 < seconds < 9.95:
        return say("train.time.seconds", language, seconds=f"{seconds:.1f}")
    whole = max(0, round(seconds))
    if whole < 60:
        return say("train.time.seconds", language, seconds=whole)
    if whole < 3600:
        return say("train.time.minutes", language, minutes=whole // 60, seconds=whole % 60)
    return say("train.time.hours", language, hours=whole // 3600, minutes=whole % 3600 // 60)
