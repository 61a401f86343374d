"""The fields of the Train page in which a person says where and how to train. What was chosen stays when another page is looked at."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.capture.launching import Setting
from explorer.text import TEXTS, say
from explorer.ui import devices
from explorer.ui.known import asked_devices
from explorer.ui.state import language

__all__ = ["LARGEST", "MOST_STEPS", "beside_field", "device_field", "dtype_field", "kept_of", "number_field", "setting_field"]

MOST_STEPS = 10_000_000
LARGEST = 100_000  # of any other number


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def kept_of(program: str) -> dict[str, Any]:
    """What was chosen for a program: it stays when another is looked at, or another page."""
    every: dict[str, dict[str, Any]] = st.session_state.setdefault("train_kept", {})
    return every.setdefault(program, {"on_nan": "mark", "record_every": 0})


def device_field() -> str:
    names = [name for name in asked_devices().names if name != "fake"] or ["cpu"]
    kept = st.session_state.get("train_device", names[0])
    chosen = st.selectbox(
        say("page.device", language()), names, index=names.index(kept) if kept in names else 0, help=_device_help(), width=110,
        key=f"train_device_{language()}_{len(names)}",
    )  # fmt: skip
    st.session_state.train_device = chosen
    return str(chosen)


def beside_field(device: str, dtype: str | None) -> tuple[str, str] | None:
    """Where the same training runs a second time, for a comparison; most trainings run once."""
    known = asked_devices()
    first = dtype or "float32"
    names = [name for name in known.names if name != "fake"] or ["cpu"]
    pairs = [(name, each) for name in names for each in devices.dtypes_of(known, name) if (name, each) != (device, first)]
    found = {"": None, **{f"{name} · {each}": (name, each) for name, each in pairs}}
    kept, none = st.session_state.get("train_beside", ""), _text("beside_none")
    chosen = st.selectbox(
        _text("beside"), list(found), index=list(found).index(kept) if kept in found else 0,
        format_func=lambda shown: shown or none, help=_text("beside_help"), width=170,
        key=f"train_beside_{language()}_{device}_{dtype}_{len(names)}",
    )  # fmt: skip
    st.session_state.train_beside = chosen
    return found[str(chosen)]


def _device_help() -> str:
    absent = devices.device_help(asked_devices(), language()).partition("\n\n")[2]
    return _text("device_help") + (f"\n\n{absent}" if absent else "")


def dtype_field(device: str) -> str | None:
    usable = ("", *devices.dtypes_of(asked_devices(), device))
    kept, own = st.session_state.get("train_dtype", ""), say("page.dtype_own", language())
    chosen = st.selectbox(
        say("page.dtype", language()), usable, index=usable.index(kept) if kept in usable else 0,
        format_func=lambda name: name or own, help=devices.dtype_help(asked_devices(), device, language()),
        width=130, key=f"train_dtype_{language()}_{device}",
    )  # fmt: skip
    st.session_state.train_dtype = chosen
    return chosen or None


def setting_field(program: str, one: Setting, *, width: int, own: bool = False) -> Any:
    """The field of one setting; of a visitor's `own` program any value of its kind is possible."""
    word = f"train.setting.{one.name}"
    label = say(word, language()) if word in TEXTS else one.name
    kept, key = kept_of(program), f"train_{one.name}_{program}_{language()}"
    if one.choices:
        now = kept.get(one.name, one.default)
        kept[one.name] = st.selectbox(label, one.choices, index=one.choices.index(now) if now in one.choices else 0, width=width, key=key)
        return kept[one.name]
    if isinstance(one.default, bool):
        kept[one.name] = st.checkbox(label, kept.get(one.name, one.default), key=key)
        return kept[one.name]
    if isinstance(one.default, str):
        kept[one.name] = st.text_input(label, kept.get(one.name, one.default), width=width, key=key)
        return kept[one.name]
    help = _text("clip_help") if one.name == "clip_norm" else None
    if own:
        return number_field(program, one.name, one.default, label=label, least=None, most=None, width=width, help=help)
    if isinstance(one.default, float):
        most = 0.99 if one.name == "dropout" else None
        return number_field(program, one.name, one.default, label=label, least=0.0, most=most, width=width, help=help)
    return number_field(program, one.name, one.default, label=label, least=1, most=LARGEST, width=width, help=help)


def number_field(program: str, name: str, default: Any, *, label: str, least: Any, most: Any, width: int, help: str | None = None) -> Any:
    kept = kept_of(program)
    is_float = isinstance(default, float)
    key = f"train_{name}_{program}_{language()}"
    value = st.number_input(
        label, min_value=least, max_value=most, value=kept.get(name, default), step=(abs(default) / 10 or 0.01) if is_float else 1,
        format="%g" if is_float else "%d", width=width, key=key, help=help,
    )  # fmt: skip
    kept[name] = value
    return value
