"""What to train and how: a program, where it runs, its settings, and the button that starts it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.capture.launching import Setting
from explorer.capture.programs import TRAININGS, Example
from explorer.errors import ExplorerError
from explorer.runs import Run, list_runs
from explorer.text import TEXTS, say
from explorer.ui import devices, local, train_compare
from explorer.ui.known import asked_devices
from explorer.ui.state import language
from explorer.ui.train_process import Asked, refuse_too_many, root, start
from explorer.ui.train_settings import MAIN, SHAPE, offered, steps_of
from explorer.ui.words import escaped

__all__ = ["choices", "title"]

FIRST = "moons"
MOST_STEPS = 10_000_000
LARGEST = 100_000  # of any other number
WIDTHS = {"optimizer": 125, "learning_rate": 120, "schedule": 150}


def choices() -> None:
    """The choices, and Start. A link may name a program, and never starts one."""
    program = _program_in_address()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        program = _program(program)
        device, dtype = _device(), None
        dtype = _dtype(device)
        steps = _number(program, "steps", steps_of(program), label=_text("steps"), least=1, most=MOST_STEPS, width=110)
        seed = _number(program, "seed", 0, label=_text("seed"), least=0, most=2**31 - 1, width=92)
        beside = _beside(device, dtype)
        place = st.empty()
    settings, starts = _settings(program)
    needs = TRAININGS[program].needs
    lacking = needs is not None and starts is None
    begin = place.button(
        _text("start_both" if beside else "start"), type="primary", icon=":material/play_arrow:", disabled=lacking, key="train_start"
    )
    kept = f" {_text('kept_in', path=_shown(root()))}" if local.refusal() is None else ""  # a visitor from elsewhere need not know the path
    st.caption(escaped(about(program) + kept))
    if lacking:
        st.info(escaped(_text("nothing_to_start_from", name=title(_first_of(TRAININGS[program])))), icon=":material/info:")
    if st.session_state.get("train_error"):
        st.error(escaped(st.session_state.train_error.message(language())), icon=":material/error:")
    if begin:
        changed = {one.name: settings[one.name] for one in offered(program) if one.name in settings}
        changed |= starts or {}
        told = {"on_nan": _kept(program)["on_nan"], "record_every": _kept(program)["record_every"] or None}
        asked = Asked(program, steps=steps, device=device, dtype=dtype, seed=seed, settings=changed, **told)
        _start([asked] if beside is None else [asked, replace(asked, device=beside[0], dtype=beside[1])])


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


def _start(asked: list[Asked]) -> None:
    """Start one training, or two that are then compared."""
    st.session_state.train_error = None
    folders = []
    try:
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
    key, titles = f"train_program_{language()}", {name: title(name) for name in TRAININGS}
    st.session_state.train_program = kept
    if st.session_state.get(key) != kept:
        st.session_state[key] = kept
    st.selectbox(
        _text("program"), list(titles), format_func=titles.__getitem__, key=key, on_change=_choose_program, args=(key,), width=270,
        placeholder=say("page.choose", language()),
    )  # fmt: skip
    return kept


def _choose_program(key: str) -> None:
    st.session_state.train_program = st.query_params["program"] = st.session_state[key]
    st.session_state.train_error = None


def _kept(program: str) -> dict[str, Any]:
    """What was chosen for a program: it stays when another is looked at, or another page."""
    every: dict[str, dict[str, Any]] = st.session_state.setdefault("train_kept", {})
    return every.setdefault(program, {"on_nan": "mark", "record_every": 0})


def _device() -> str:
    names = [name for name in asked_devices().names if name != "fake"] or ["cpu"]
    kept = st.session_state.get("train_device", names[0])
    chosen = st.selectbox(
        say("page.device", language()), names, index=names.index(kept) if kept in names else 0, help=_device_help(), width=110,
        key=f"train_device_{language()}_{len(names)}",
    )  # fmt: skip
    st.session_state.train_device = chosen
    return str(chosen)


def _beside(device: str, dtype: str | None) -> tuple[str, str] | None:
    """Where the same training runs a second time, for a comparison; most trainings run once."""
    known = asked_devices()
    first = dtype or "float32"
    names = [name for name in known.names if name != "fake"] or ["cpu"]
    pairs = [(name, each) for name in names for each in devices.dtypes_of(known, name) if (name, each) != (device, first)]
    found = {"": None, **{f"{name} · {each}": (name, each) for name, each in pairs}}
    kept = st.session_state.get("train_beside", "")
    chosen = st.selectbox(
        _text("beside"), list(found), index=list(found).index(kept) if kept in found else 0,
        format_func=lambda shown: shown or _text("beside_none"), help=_text("beside_help"), width=170,
        key=f"train_beside_{language()}_{device}_{dtype}_{len(names)}",
    )  # fmt: skip
    st.session_state.train_beside = chosen
    return found[str(chosen)]


def _device_help() -> str:
    absent = devices.device_help(asked_devices(), language()).partition("\n\n")[2]
    return _text("device_help") + (f"\n\n{absent}" if absent else "")


def _dtype(device: str) -> str | None:
    usable = ("", *devices.dtypes_of(asked_devices(), device))
    kept, own = st.session_state.get("train_dtype", ""), say("page.dtype_own", language())
    chosen = st.selectbox(
        say("page.dtype", language()), usable, index=usable.index(kept) if kept in usable else 0,
        format_func=lambda name: name or own, help=devices.dtype_help(asked_devices(), device, language()),
        width=130, key=f"train_dtype_{language()}_{device}",
    )  # fmt: skip
    st.session_state.train_dtype = chosen
    return chosen or None


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
                found[one.name] = _setting(program, one, width=WIDTHS.get(one.name, 112))
        with st.popover(_text("more"), icon=":material/tune:", key=f"train_more_{language()}"):
            for one in known:
                if one.name not in MAIN:
                    found[one.name] = _setting(program, one, width=260)
            _kept(program)["record_every"] = _number(
                program,
                "record_every",
                0,
                label=_text("record_every"),
                least=0,
                most=MOST_STEPS,
                width=260,
                help=_text("record_every_help"),
            )
            ways = {way: _text(f"on_nan.{way}") for way in ("mark", "stop")}
            chosen = st.selectbox(
                _text("on_nan"), list(ways), index=list(ways).index(_kept(program)["on_nan"]), format_func=ways.__getitem__,
                width=260, key=f"train_on_nan_{program}_{language()}",
            )  # fmt: skip
            _kept(program)["on_nan"] = chosen
    return found, starts


def _setting(program: str, one: Setting, *, width: int) -> Any:
    own = f"train.setting.{one.name}"
    label = say(own, language()) if own in TEXTS else one.name
    if one.choices:
        kept = _kept(program).get(one.name, one.default)
        chosen = st.selectbox(
            label,
            one.choices,
            index=one.choices.index(kept) if kept in one.choices else 0,
            width=width,
            key=f"train_{one.name}_{program}_{language()}",
        )
        _kept(program)[one.name] = chosen
        return chosen
    assert isinstance(one.default, int | float)
    help = _text("clip_help") if one.name == "clip_norm" else None
    if isinstance(one.default, float):
        most = 0.99 if one.name == "dropout" else None
        return _number(program, one.name, one.default, label=label, least=0.0, most=most, width=width, help=help)
    return _number(program, one.name, one.default, label=label, least=1, most=LARGEST, width=width, help=help)


def _number(program: str, name: str, default: Any, *, label: str, least: Any, most: Any, width: int, help: str | None = None) -> Any:
    kept = _kept(program)
    is_float = isinstance(default, float)
    key = f"train_{name}_{program}_{language()}"
    value = st.number_input(
        label, min_value=least, max_value=most, value=kept.get(name, default), step=(default / 10 or 0.01) if is_float else 1,
        format="%g" if is_float else "%d", width=width, key=key, help=help,
    )  # fmt: skip
    kept[name] = value
    return value


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
