"""The pictures and files that a recording can be taken home as, each made when its button is pressed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.export import export, view_of
from explorer.moments import READABLE, Moments, key_steps, zoom_of
from explorer.steps import each_step
from explorer.text import say
from explorer.ui.state import Opened, Seen, language, picture_for_player, seen

__all__ = ["FORMATS", "downloads"]

FORMATS = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "step_svg": "image/svg+xml",
    "step_png": "image/png",
    "gif": "image/gif",
    "dot": "text/vnd.graphviz",
    "html": "text/html",
    "json": "application/json",
    "trace": "application/octet-stream",
}
PICTURES = ("svg", "png", "pdf", "step_svg", "step_png", "gif", "dot", "html")


def downloads(shown: Opened) -> None:
    """A button a format. Pictures are of what is open when the button is pressed, those of a step of the step where the list was opened."""
    name = "".join(char if char.isalnum() or char in "-_" else "_" for char in shown.name)[:60] or "trace"
    count = sum(1 for _ in each_step(shown.trace))
    step = _step(count)
    for format, kind in FORMATS.items():
        if format in ("step_svg", "step_png", "gif") and not count:
            continue
        too_large = _too_large(shown, count) if format == "gif" else None
        st.download_button(
            _label(format, step=step, count=count),
            data=_maker(shown, format, language(), seen(), step),
            file_name=f"{name}-{step}.{format[5:]}" if format.startswith("step_") else f"{name}.{format}",
            mime=kind,
            key=f"download_{format}",
            on_click="ignore",
            disabled=too_large is not None,
            help=too_large,
            width="stretch",
        )
        if too_large is not None:
            st.caption(too_large)


def _step(count: int) -> int:
    """The step that the address names: the player writes it there. Without one, the first."""
    asked = st.query_params.get("step", "")
    return max(1, min(count, int(asked))) if asked.isdecimal() and len(asked) < 9 else 1


def _label(format: str, *, step: int, count: int) -> str:
    frames = len(key_steps(count)) if format == "gif" else count
    key = "page.download_gif_some" if frames < count else f"page.download_{format}"
    return say(key, language(), step=step, count=f"{count:,}", frames=frames)


def _too_large(shown: Opened, count: int) -> str | None:
    """Why there can be no animation of what is open, in a sentence."""
    now = seen()
    if now.folding is None or now.key != shown.key:
        return None
    drawn = picture_for_player(shown, now.folding)
    frames = len(key_steps(count))
    if zoom_of(drawn["width"], drawn["height"], frames=frames) >= READABLE:
        return None
    return say("drawing.gif_too_large", language(), width=round(drawn["width"]), height=round(drawn["height"]), frames=frames)


def _maker(shown: Opened, format: str, chosen: str, seen: Seen, step: int) -> Callable[[], bytes]:
    def make() -> bytes:
        view: dict[str, Any] = {}
        if format in PICTURES:
            view = {**seen.folding.options(), "overlay": seen.overlay} if seen.folding is not None and seen.key == shown.key else {}
            view["language"] = chosen
        if format.startswith("step_"):
            moments = Moments(view_of(shown.trace, **view))
            return moments.file(step) if format == "step_svg" else moments.png(step)
        with tempfile.TemporaryDirectory(prefix="autograd-explorer-") as folder:
            path = Path(folder) / f"picture.{format}"
            export(shown.trace, path, **view)
            return path.read_bytes()

    return make
