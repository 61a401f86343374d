"""A visitor's own training: pasted code, or a file with a function in it. Both only where `explorer.ui.local` allows it.

What it offers as settings is read from its source; nothing of it runs before Start is pressed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.capture.launching import Setting, program_in, settings_of
from explorer.capture.targets import find
from explorer.errors import ExplorerError, RequestError
from explorer.text import say
from explorer.ui import local
from explorer.ui.editor import code, editor
from explorer.ui.source import KINDS, LONGEST, Kind
from explorer.ui.state import language
from explorer.ui.train_fields import setting_field
from explorer.ui.train_process import PASTED
from explorer.ui.widgets import key_for, take
from explorer.ui.words import escaped

__all__ = ["Own", "explain", "file_field", "kind", "kind_field", "own", "own_settings", "wanted", "workbench"]

START = """\
import torch
from torch import nn


def train(*, run, device="cpu", seed=0, steps=500, width=16, learning_rate=0.01):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)

    run.register(model, optimizer)
    for step in range(run.start, steps):
        x = 6 * torch.rand(32, 1, device=device) - 3
        loss = (model(x) - torch.sin(x)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield {"loss": loss}
"""


@dataclass(frozen=True, slots=True)
class Own:
    """A program that somebody brought: its name for what was chosen, its settings, its steps (None: it says when it ends)."""

    key: str
    settings: tuple[Setting, ...] = ()
    steps: int | None = None


def kind() -> Kind:
    """The kind that is chosen; a program that comes with this one wherever nothing else may run."""
    chosen: Kind = st.session_state.setdefault("train_kind", KINDS[0])
    return chosen if chosen in KINDS and local.refusal() is None else KINDS[0]


def kind_field() -> None:
    """The kinds to choose from; those that may not run are not to be pressed, and `explain` says why."""
    allowed = local.refusal() is None
    names = {one: say(f"code.kind_{one}", language()) for one in KINDS}
    widget = f"train_kind_{language()}_{'all' if allowed else 'examples'}"
    key = key_for(widget, kind())
    with st.container(horizontal=True, gap=None, vertical_alignment="bottom", width="content", key="kinds"):
        st.segmented_control(
            _text("kind"), KINDS if allowed else KINDS[:1], default=kind(), format_func=names.__getitem__, key=key, on_change=_choose,
            args=(widget, key), required=True,
        )  # fmt: skip
        if not allowed:
            st.segmented_control(
                say("code.refused_label", language()), KINDS[1:], format_func=names.__getitem__, key=f"{key}_refused", disabled=True,
                label_visibility="hidden",
            )  # fmt: skip


def _choose(widget: str, key: str) -> None:
    if (chosen := take(widget, key)) in KINDS:
        st.session_state.train_kind = chosen
        st.session_state.train_error = None


def file_field() -> None:
    """The field for a file and a function in it."""
    st.text_input(
        say("code.file", language()), st.session_state.get("train_file", ""), key="train_file_field", on_change=_keep_file,
        placeholder="train.py:train", help=_text("file_help"), width=270,
    )  # fmt: skip


def _keep_file() -> None:
    st.session_state.train_file = st.session_state.train_file_field


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def explain() -> None:
    """What is chosen, and why something cannot be, in a sentence each."""
    match kind():
        case "code":
            st.caption(_text("code_about"))
        case "file":
            st.caption(escaped(_text("file_about", folder=os.getcwd())))
    refused = local.refusal()
    if refused is not None:
        st.caption(say(refused, language()))


def workbench() -> bool:
    """The editor, where code is to be pasted; whether somebody asks from within it to train."""
    if kind() != "code":
        return False
    with st.expander(say("code.title", language()), icon=":material/code:", expanded=True):
        return editor("train_code", START)


def own() -> Own:
    """What is known of the program that was brought, by its source."""
    if kind() == "code":
        name, settings, steps = program_in(_code())
        key = f"code {name} {[(one.name, one.default) for one in settings]}"
    else:
        named = _file()
        try:
            settings, steps = settings_of(named) if named else ([], None)
            name = named.rpartition(":")[2] if settings or steps is not None else None
        except ExplorerError:
            settings, steps, name = [], None, None
        key = f"file {named} {[(one.name, one.default) for one in settings]}"
    return Own(key, tuple(settings), steps if name is not None else None)


def _code() -> str:
    return code("train_code", START)


def _file() -> str:
    return str(st.session_state.get("train_file", "")).strip()


def own_settings(known: Own) -> dict[str, Any]:
    """The fields for its settings, and what they hold."""
    return {one.name: setting_field(known.key, one, width=150, own=True) for one in known.settings}


def wanted() -> tuple[str, str | None]:
    """The TARGET to train, and the code that is to stand in its file. Raises `ExplorerError` where there is nothing, or it may not run."""
    refused = local.refusal()
    if refused is not None:
        raise RequestError(refused)
    if kind() == "file":
        if not _file():
            raise RequestError("code.no_file_named")
        find(_file(), training=True)
        return _file(), None
    text = _code()
    if not text.strip():
        raise RequestError("code.empty")
    if len(text) > LONGEST:
        raise RequestError("code.too_long", most=LONGEST)
    name = program_in(text)[0]
    return (PASTED if name is None else f"{PASTED}:{name}"), text
