"""Text as a picture can hold it: numbers and names made short and harmless, and the markup around them.

The same words stand in many boxes, so that what is made of them is kept.
"""

from __future__ import annotations

import functools
import html
import unicodedata

__all__ = ["LONGEST", "bold", "colored", "escaped", "plain", "small"]

LONGEST = 34  # characters of a name in a box


@functools.lru_cache(maxsize=20_000)
def plain(text: str, longest: int = LONGEST) -> str:
    """`text` as a picture can hold it: one line, no control or direction marks, no lone surrogates, its middle left out if too long."""
    if len(text) > 4 * longest:
        text = text[: 2 * longest] + text[-2 * longest :]
    kept = " ".join(text.split())
    if not kept.isprintable():  # what is printable holds nothing of what is left out here
        kept = " ".join("".join(char for char in kept if not _unwritable(char)).split())
    if len(kept) <= longest:
        return kept
    head = (longest - 1) * 2 // 3
    return f"{kept[:head]}…{kept[head + 1 - longest :]}"


def _unwritable(char: str) -> bool:
    """Control characters, marks that turn the direction of text around, surrogates and code points that no XML may hold."""
    kind = unicodedata.category(char)
    return kind in ("Cc", "Cs", "Cn", "Co") or (kind == "Cf" and char not in "\u200c\u200d")


def escaped(text: str) -> str:
    return html.escape(text, quote=True)


@functools.lru_cache(maxsize=5_000)
def bold(text: str) -> str:
    return f"<B>{escaped(text)}</B>"


def colored(markup: str, color: str) -> str:
    return f'<FONT COLOR="{color}">{markup}</FONT>'


@functools.lru_cache(maxsize=5_000)
def small(text: str, color: str) -> str:
    return f'<FONT POINT-SIZE="10" COLOR="{color}">{escaped(text)}</FONT>'
