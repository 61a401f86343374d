"""What to train and how: a program, where it runs, its settings, and the button that starts it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.capture.programs import TRAININGS, Example
from explorer.errors import ExplorerError
from explorer.runs import Run, list_runs
from explorer.text import TEXTS, say
from explorer.ui import local, train_compare, train_own
from explorer.ui.state import is_new_press, language
from explorer.ui.train_fields import MOST_STEPS, beside_field, device_field, dtype_field, kept_of, number_field, setting_field
from explorer.ui.train_process import Asked, refuse_too_many, root, start
from explorer.ui.train_settings import MAIN, SHAPE, offered, steps_of
from explorer.ui.widgets import key_for, take
from explorer.ui.words import escaped

__all__ = ["choices", "title"]

FIRST = "moons"
WIDTHS = {"optimizer": 125, "learning_rate": 120, "schedule": 150}


def choices() -> None:
    """The choices, and Start. A link may name a program, and never starts one."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        train_own.kind_field()
        is_own = train_own.kind() != "example"
        program = known = None
        if not is_own:
            program = _program(_program_in_address())
        elif train_own.kind() == "file":
            train_own.file_field()
        if is_own:
            known = train_own.own()
        key = known.key if known is not None else str(program)
        device = device_field()
        dtype = dtype_field(device)
        steps = _steps(key, steps_of(program) if program is not None else known.steps if known is not None else None)
        seed = number_field(key, "seed", 0, label=_text("seed"), least=0, most=2**31 - 1, width=92)
        beside = beside_field(device, dtype)
        place = st.empty()
    if known is not None:
        settings, starts, lacking = _own_settings(known), None, False
    else:
        assert program is not None
        settings, starts = _settings(program)
        lacking = TRAININGS[program].needs is not None and starts is None
    begin = place.button(
        _text("start_both" if beside else "start"), type="primary", icon=":material/play_arrow:", disabled=lacking, key="train_start"
    )
    kept = _text("kept_in", path=_shown(root())) if local.refusal() is None else ""  # a visitor from elsewhere need not know the path
    train_own.explain()
    st.caption(escaped(f"{about(program)} {kept}" if program is not None else kept))
    begin = train_own.workbench() or begin
    if lacking:
        st.info(escaped(_text("nothing_to_start_from", name=title(_first_of(TRAININGS[str(program)])))), icon=":material/info:")
    if st.session_state.get("train_error"):
        st.error(escaped(st.session_state.train_error.message(language())), icon=":material/error:")
    if begin and is_new_press("start"):
        told = {"on_nan": kept_of(key)["on_nan"], "record_every": kept_of(key)["record_every"] or None}
        options: dict[str, Any] = {
            "steps": steps,
            "device": device,
            "dtype": dtype,
            "seed": seed,
            "settings": settings | (starts or {}),
            **told,
        }
        _start(program, options, beside)


def _steps(key: str, usual: int | None) -> int | None:
    """How many steps; of a program that says itself when it ends, 0 stands for as many as it does."""
    if usual is not None:
        return int(number_field(key, "steps", usual, label=_text("steps"), least=1, most=MOST_STEPS, width=110))
    chosen = number_field(key, "steps", 0, label=_text("steps"), least=0, most=MOST_STEPS, width=110, help=_text("steps_help"))
    return int(chosen) or None


def _own_settings(known: train_own.Own) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        found = train_own.own_settings(known)
        with st.popover(_text("more"), icon=":material/tune:", key=f"train_more_{language()}"):
            _watching(known.key)
    return found


def title(program: str) -> str:
    """What a program is called on this page."""
    own = f"train.title.{program}"
    return say(own, language()) if own in TEXTS else TRAININGS[program].title(language())


def about(program: str) -> str:
    """One sentence that says what it learns."""
    own = f"train.about.{program}"
    return (say(own, language()) if own in TEXTS else TRAININGS[program].description(language())).replace("`", "")


def _shown(path: Path) -> str:
    """A folder as people write it."""
    with contextlib.suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def _start(program: str | None, options: dict[str, Any], beside: tuple[str, str] | None) -> None:
    """Start one training, or two that are then compared. Without a program it is what the visitor brought."""
    st.session_state.train_error = None
    folders = []
    try:
        target, code = (program, None) if program is not None else train_own.wanted()
        asked = [Asked(target, code=code, **options)]
        if beside is not None:
            asked.append(replace(asked[0], device=beside[0], dtype=beside[1]))
        refuse_too_many(len(asked))
        for one in asked:
            folders.append(start(one))
            st.session_state.setdefault("begun", []).append(folders[-1])
    except ExplorerError as error:
        st.session_state.train_error = error
    if folders:
        st.query_params["run"] = folders[0].name
        train_compare.begin([folder.name for folder in folders] if len(folders) > 1 else [])
    st.rerun()


# -- program, device, data type ------------------------------------------------------------------------------------------------------


def _program_in_address() -> str:
    asked = st.query_params.get("program", st.session_state.get("train_program", FIRST))
    return asked if asked in TRAININGS else FIRST


def _program(kept: str) -> str:
    """The choice of the program. A widget knows its options by their words, so that each language has its own."""
    widget, titles = f"train_program_{language()}", {name: title(name) for name in TRAININGS}
    st.session_state.train_program = kept
    key = key_for(widget, kept)
    st.selectbox(
        _text("program"), list(titles), index=list(titles).index(kept), format_func=titles.__getitem__, key=key, on_change=_choose_program,
        args=(widget, key), width=270, placeholder=say("page.choose", language()),
    )  # fmt: skip
    return kept


def _choose_program(widget: str, key: str) -> None:
    chosen = take(widget, key)
    if chosen is not None:
        st.session_state.train_program = st.query_params["program"] = str(chosen)
        st.session_state.train_error = None


# -- settings --------------------------------------------------------------------------------------------------------------------------


def _settings(program: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What was chosen for each setting; and where the weights come from, with the shape of that model, for a program that needs some."""
    example = TRAININGS[program]
    known = [one for one in offered(program) if example.needs is None or one.name not in SHAPE]  # weights decide the shape
    found: dict[str, Any] = {}
    starts: dict[str, Any] | None = None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if example.needs is not None:
            starts = _start_from(program, example)
        for one in known:
            if one.name in MAIN:
                found[one.name] = setting_field(program, one, width=WIDTHS.get(one.name, 112))
        with st.popover(_text("more"), icon=":material/tune:", key=f"train_more_{language()}"):
            for one in known:
                if one.name not in MAIN:
                    found[one.name] = setting_field(program, one, width=260)
            _watching(program)
    return found, starts


def _watching(key: str) -> None:
    """How the training is watched."""
    kept_of(key)["record_every"] = number_field(
        key, "record_every", 0, label=_text("record_every"), least=0, most=MOST_STEPS, width=260, help=_text("record_every_help")
    )
    ways = {way: _text(f"on_nan.{way}") for way in ("mark", "stop")}
    chosen = st.selectbox(
        _text("on_nan"), list(ways), index=list(ways).index(kept_of(key)["on_nan"]), format_func=ways.__getitem__,
        width=260, key=f"train_on_nan_{key}_{language()}",
    )  # fmt: skip
    kept_of(key)["on_nan"] = chosen


def _first_of(example: Example) -> str:
    """The program that learns what this one starts from."""
    return next(
        name for name, other in TRAININGS.items() if other.path == example.path and other.needs is None and _speaks_like(other, example)
    )


def _speaks_like(one: Example, other: Example) -> bool:
    """Whether two texts are in one language: weights know the letters of one."""
    texts = str(one.settings.get("text", "shakespeare")), str(other.settings.get("text", "shakespeare"))
    return texts[0].startswith("korean") == texts[1].startswith("korean")


def _start_from(program: str, example: Example) -> dict[str, Any] | None:
    """The choice of the run whose weights are the beginning: only runs that are listed here, and have some."""
    fitting = {
        str(run.folder): run
        for _, run in list_runs(root())
        if isinstance(run, Run) and run.about.target in TRAININGS and _gives_weights(run, example)
    }
    if not fitting:
        return None
    names = list(fitting)
    chosen = st.selectbox(
        _text("setting.start_from"), names, index=len(names) - 1, width=190, key=f"train_start_from_{program}_{len(names)}"
    )
    run = fitting[str(chosen)]
    shape = {name: run.about.settings[name] for name in SHAPE if name in run.about.settings}
    return {str(example.needs): str(run.folder), **shape}


def _gives_weights(run: Run, example: Example) -> bool:
    other = TRAININGS[str(run.about.target)]
    return other.path == example.path and _speaks_like(other, example) and any(run.folder.glob("checkpoint-*/weights.safetensors"))
