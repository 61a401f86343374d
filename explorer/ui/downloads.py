"""The pictures and files that a recording can be taken home as, each made when its button is pressed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.export import export
from explorer.text import say
from explorer.ui.state import Opened, Seen, language, seen

__all__ = ["FORMATS", "downloads"]

FORMATS = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "dot": "text/vnd.graphviz",
    "html": "text/html",
    "json": "application/json",
    "trace": "application/octet-stream",
}
PICTURES = ("svg", "png", "pdf", "dot", "html")


def downloads(shown: Opened) -> None:
    """A button a format; pictures are of what is open when the button is pressed."""
    name = "".join(char if char.isalnum() or char in "-_" else "_" for char in shown.name)[:60] or "trace"
    for suffix, kind in FORMATS.items():
        st.download_button(
            say(f"page.download_{suffix}", language()),
            data=_maker(shown, suffix, language(), seen()),
            file_name=f"{name}.{suffix}",
            mime=kind,
            key=f"download_{suffix}",
            on_click="ignore",
            width="stretch",
        )


def _maker(shown: Opened, suffix: str, chosen: str, seen: Seen) -> Callable[[], bytes]:
    def make() -> bytes:
        view: dict[str, Any] = {}
        if suffix in PICTURES:
            view = {**seen.folding.options(), "overlay": seen.overlay} if seen.folding is not None and seen.key == shown.key else {}
            view["language"] = chosen
        with tempfile.TemporaryDirectory(prefix="autograd-explorer-") as folder:
            path = Path(folder) / f"picture.{suffix}"
            export(shown.trace, path, **view)
            return path.read_bytes()

    return make
