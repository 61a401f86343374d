"""Keys for widgets whose value something else than the widget changes too: a preset, undo, the address, a change of language.

NOTE [keys]: what a program puts into the session state of a widget, Streamlit tells the browser once. Where the run ends early because
something else was pressed, the browser never hears of it; and what it sends with that press is the value of before. Either is then taken
for a choice of the person's: three presets pressed within a second left a mixture of two, and a change of language opened the first
example. So such a widget begins with its value as its default, under another key each time that the value is not the one it showed last:
what is still sent for the keys of before is passed over.
"""

from __future__ import annotations

import streamlit as st

__all__ = ["key_for", "take"]


MOST = 500  # widgets that are known; some have names that are used once


def key_for(name: str, value: object) -> str:
    """The key of the widget `name`, which has to begin with `value`; `name` itself until something else changes the value."""
    kept = _kept()
    number, shown = kept.pop(name, (0, value))
    if type(shown) is not type(value) or shown != value:
        number += 1
    kept[name] = (number, value)
    while len(kept) > MOST:
        kept.pop(next(iter(kept)))  # the one that was shown longest ago
    return _key(name, number)


def take(name: str, key: str) -> object:
    """What the person has chosen in the widget `name` just now, for its `on_change`; None from a widget that another has replaced."""
    kept = _kept()
    number, _ = kept.get(name, (0, None))
    if key != _key(name, number):
        return None
    value: object = st.session_state[key]
    kept[name] = (number, value)
    return value


def _kept() -> dict[str, tuple[int, object]]:
    found: dict[str, tuple[int, object]] = st.session_state.setdefault("widgets", {})
    return found


def _key(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name
