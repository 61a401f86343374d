"""The controls of the LLM page: presets, every number of the configuration with a sentence on it, and what surrounds a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.errors import RequestError
from explorer.sizes import OPTIMIZERS, PRECISIONS, PRESETS, Configuration, parameters
from explorer.text import say
from explorer.ui.llm_state import Chosen, preset_name, put, start_from, undo
from explorer.ui.state import language
from explorer.ui.widgets import key_for, take
from explorer.ui.words import escaped

__all__ = ["controls", "number", "presets", "setting", "trouble"]

STEPS = {"vocab_size": 1, "context_length": 128, "emb_dim": 64, "drop_rate": 0.05}
PAIRS = (("emb_dim", "n_heads"), ("n_layers", "context_length"), ("vocab_size", "ff_multiple"), ("drop_rate", "batch"))


def _text(key: str, **values: object) -> str:
    return say(f"llm.{key}", language(), **values)


def presets(found: Chosen) -> None:
    """The four sizes, what differs from the one that was taken, and the way back."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="llm_presets"):
        widget, now = f"llm_preset_{language()}", chosen_preset() or None
        key = key_for(widget, now)
        st.segmented_control(
            _text("preset"), list(PRESETS), default=now, format_func=lambda name: _text(f"preset.{name}"), key=key, on_change=_start,
            args=(widget, key), wrap=True,
        )  # fmt: skip
        st.button(_text("undo"), icon=":material/undo:", key="llm_undo", on_click=undo, disabled=not found.before)


def _start(widget: str, key: str) -> None:
    name = take(widget, key)
    if name in PRESETS:  # otherwise the one that was chosen was pressed again
        start_from(str(name))


def chosen_preset() -> str:
    """The preset that the page stands at."""
    found: Chosen = st.session_state.llm
    return "" if found.changes() else found.base


def changes(found: Chosen) -> str:
    """What differs from the preset, in a sentence."""
    differing = found.changes()
    preset = escaped(preset_name(found.base))
    if not differing:
        return _text("unchanged", preset=preset)
    listed = [
        _text("change", name=f"`{name}`", before=_shown(before), after=f"**{_shown(after)}**")
        for name, (before, after) in differing.items()
    ]
    return _text("changed", preset=preset, changes=" · ".join(listed))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _text("yes" if value else "no")
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def trouble(error: RequestError) -> None:
    """Why the configuration cannot be, and what would do instead, each a press away."""
    st.error(escaped(error.message(language())), icon=":material/error:")
    proposed: dict[str, int] = {}
    if error.key == "sizes.heads":
        proposed = {"n_heads": int(str(error.values["fewer"])), "emb_dim": int(str(error.values["wider"]))}
    elif "low" in error.values:
        proposed = {str(error.values["name"]): int(str(error.values["low"]))}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for name, value in proposed.items():
            st.button(_text("use", name=name, value=f"{value:,}"), key=f"llm_use_{name}", on_click=put, args=({name: value},))
        st.caption(_text("still"))


def controls(found: Chosen, config: Configuration) -> None:
    """Every control, with what it means and what it changes."""
    words = _words(config)
    st.markdown(f"#### {_text('model')}")
    for pair in PAIRS[:3]:
        for column, name in zip(st.columns(2, gap="medium"), pair, strict=True):
            with column:
                number(found, name, step=STEPS.get(name, 1))
                st.caption(escaped(_text(f"help.{name}", **words)))
    left, right = st.columns(2, gap="medium")
    with left:
        number(found, "drop_rate", step=STEPS["drop_rate"])
        st.caption(escaped(_text("help.drop_rate")))
    with right:
        for name in ("tied", "qkv_bias"):
            _switch(found, name)
            st.caption(escaped(_text(f"help.{name}", **words)))
    st.markdown(f"#### {_text('training')}")
    left, right = st.columns(2, gap="medium")
    with left:
        number(found, "batch", step=1)
        st.caption(escaped(_text("help.batch")))
    with right:
        setting(found, "optimizer", {name: _text(f"optimizer.{name}") for name in OPTIMIZERS})
        st.caption(escaped(_text("help.optimizer")))
    setting(found, "precision", {name: _text(f"precision.{name}") for name in PRECISIONS}, pills=True)
    st.caption(escaped(_text("help.precision")))


def _words(config: Configuration) -> dict[str, str]:
    block = parameters(replace(config, n_layers=2)) - parameters(replace(config, n_layers=1))
    return {
        "head_dim": f"{config.head_dim:,}",
        "emb_dim": f"{config.emb_dim:,}",
        "block": f"{block:,}",
        "hidden_dim": f"{config.hidden_dim:,}",
        "bias": f"{3 * config.n_layers * config.emb_dim:,}",
        "head": f"{config.vocab_size * config.emb_dim:,}",
    }


# -- one control -------------------------------------------------------------------------------------------------------------------------


def number(found: Chosen, name: str, *, step: float, low: float | None = None, high: float | None = None) -> None:
    """A number; an impossible one can be typed, as the page says what is wrong with it."""
    widget, value = _controlled(found, name)
    key, whole = key_for(widget, value), not isinstance(value, float)
    low, high = None if low is None else min(low, value), None if high is None else max(high, value)
    st.number_input(
        _text(f"name.{name}"), min_value=low, max_value=high, value=value, step=step, format="%d" if whole else "%g", key=key,
        on_change=_take, args=(name, widget, key),
    )  # fmt: skip


def setting(found: Chosen, name: str, options: Mapping[str, str], *, pills: bool = False) -> None:
    """A choice of one of several."""
    widget, value = _controlled(found, name)
    key = key_for(widget, value)
    common: dict[str, Any] = {"format_func": options.__getitem__, "key": key, "on_change": _take, "args": (name, widget, key)}
    if pills:
        st.segmented_control(_text(f"name.{name}"), list(options), default=value, required=True, **common)
    else:
        st.selectbox(_text(f"name.{name}"), list(options), index=list(options).index(value), **common)


def _switch(found: Chosen, name: str) -> None:
    widget, value = _controlled(found, name)
    key = key_for(widget, value)
    st.toggle(_text(f"name.{name}"), value, key=key, on_change=_take, args=(name, widget, key))


def _controlled(found: Chosen, name: str) -> tuple[str, Any]:
    """The widget for a value, and the value. Each language has a widget of its own, as its words differ."""
    return f"llm_{name}_{language()}", found.values[name]


def _take(name: str, widget: str, key: str) -> None:
    value = take(widget, key)
    if value is not None:  # an emptied field changes nothing
        put({name: value})
