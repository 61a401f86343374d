"""A small training and, from its weights, a second one: started here as on the page Train, with losses and samples as they come.

Settings: `program` and `then`, two training programs of which the second needs the weights of the first; `steps` and `then_steps`;
`settings`, what both have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import streamlit as st

from explorer.capture.programs import TRAININGS
from explorer.errors import ExplorerError
from explorer.palette import PALETTE
from explorer.plots import curves
from explorer.text import say
from explorer.ui.failing import told
from explorer.ui.train_data import Seen, look
from explorer.ui.train_process import Asked, all_started, start
from explorer.ui.words import escaped

__all__ = ["draw"]

BEAT = 1.0  # seconds between two looks at a training that is alive


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """Two buttons, and what the trainings make."""
    folders: list[Path] = st.session_state.setdefault(f"{key}_folders", [])
    alive = any(_alive(folder) for folder in folders)
    st.fragment(told(_drawn), run_every=BEAT if alive else None, key=f"{key}_panel")(dict(settings), language, key, alive=alive)


def _alive(folder: Path) -> bool:
    one = all_started().get(folder)
    return one is not None and one.alive


def _drawn(settings: dict[str, Any], language: str, key: str, *, alive: bool) -> None:
    folders: list[Path] = st.session_state.setdefault(f"{key}_folders", [])
    if alive != any(_alive(folder) for folder in folders):
        st.rerun()
    seen = [found for folder in folders if (found := _look(folder)) is not None]
    first_done = bool(seen) and seen[0].status.state == "finished" and not _alive(folders[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        shared = cast("dict[str, Any]", settings["settings"])
        if st.button(
            say("touching.train_again" if folders else "touching.train", language), icon=":material/play_arrow:", disabled=alive,
            type="secondary" if folders else "primary", key=f"{key}_train_{language}",
        ):  # fmt: skip
            _start(key, [], Asked(str(settings["program"]), steps=int(settings["steps"]), settings=shared))
        if st.button(
            say("touching.tune", language), icon=":material/tune:", disabled=alive or not first_done or len(folders) > 1,
            help=None if first_done else say("touching.tune_later", language), key=f"{key}_tune_{language}",
        ):  # fmt: skip
            program = str(settings["then"])
            chosen = {**TRAININGS[program].settings, **shared, "start_from": str(folders[0])}
            chosen.pop("steps", None)
            _start(key, folders[:1], Asked(program, steps=int(settings["then_steps"]), settings=chosen))
    error: ExplorerError | None = st.session_state.get(f"{key}_error")
    if error is not None:
        st.error(escaped(error.message(language)), icon=":material/error:")
    for folder in folders:
        reason = one.failure(language) if (one := all_started().get(folder)) is not None else None
        if reason is not None:
            st.error(escaped(reason), icon=":material/error:")
    if alive and len(seen) < len(folders):
        st.info(say("touching.beginning", language), icon=":material/hourglass_top:")
    if seen:
        _losses(seen, language, key)
        columns = st.columns(len(seen))
        for place, (column, found) in enumerate(zip(columns, seen, strict=True)):
            with column:
                _run(found, place, language)


def _start(key: str, kept: list[Path], asked: Asked) -> None:
    st.session_state[f"{key}_error"] = None
    try:
        st.session_state[f"{key}_folders"] = [*kept, start(asked)]
    except ExplorerError as error:
        st.session_state[f"{key}_error"] = error
    st.rerun()


def _look(folder: Path) -> Seen | None:
    try:
        return look(folder)
    except ExplorerError:  # it is not there yet
        return None


def _losses(seen: list[Seen], language: str, key: str) -> None:
    lines: dict[str, Any] = {}
    done = 0
    for one, name in zip(seen, ("touching.pretraining", "touching.finetuning"), strict=False):
        for metric in ("loss", "validation_loss"):
            if metric in one.scalars.metrics:
                steps, values = one.scalars.of(metric)
                lines[f"{say(name, language)} · {say(f'touching.{metric}', language)}"] = (steps + done, values)
        done += one.status.step
    if lines:
        theme = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
        titles = (say("touching.turn", language), say("touching.loss", language))
        chart = curves(lines, colours=[theme["value"], theme["ink"], theme["gradient"], theme["mark"]], titles=titles)
        st.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_losses_{language}")


def _run(one: Seen, place: int, language: str) -> None:
    status = one.status
    name = say("touching.finetuning" if place else "touching.pretraining", language)
    loss = "–" if one.loss is None else f"{one.loss:.2f}"
    st.markdown(say("touching.stands", language, name=name, step=status.step, steps=status.steps or "?", loss=loss))
    texts = [(step, text) for step, kind, text in one.texts if kind == "sample"]
    for step, text in [texts[0], texts[-1]] if len(texts) > 1 else texts:
        st.caption(say("touching.wrote", language, step=step))
        st.code(text[:200], language=None, wrap_lines=True)
    address = urlencode({"run": one.run.folder.name, "lang": language})
    st.link_button(say("touching.to_train", language), f"train?{address}", icon=":material/show_chart:")
