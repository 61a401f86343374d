"""A trace as a file: one function a format, the suffix decides. Written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import signature
from itertools import islice
from pathlib import PurePath
from typing import Any

from explorer import layout, player
from explorer.errors import OutputError, RequestError
from explorer.files import open_output, save
from explorer.fonts import embed
from explorer.model import Trace
from explorer.moments import animation
from explorer.payload import check_playable
from explorer.steps import each_step
from explorer.text import LANGUAGES
from explorer.view import View, make_view

__all__ = ["FORMATS", "OPTIONS", "export", "html_text", "notebook_text", "svg_text", "view_of"]

# What a caller may ask of a picture; the sets of nodes reached follow from `step`.
OPTIONS = tuple(
    name for name in signature(make_view).parameters if name not in ("trace", "values", "gradients", "updated", "flowed", "simplified")
)


def export(trace: Trace, path: str | os.PathLike[str], **options: Any) -> None:
    """Write `trace` to `path` in the format its suffix names; `options` as `make_view` takes them, for pictures.

    Raises OutputError for a suffix that cannot be written or a place that cannot be written to, RequestError for an option that does
    not exist.
    """
    if not isinstance(trace, Trace):
        raise RequestError("file.no_trace_given", kind=type(trace).__name__)
    name = os.fspath(path)
    suffix = PurePath(name).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError("drawing.unknown_suffix", name=PurePath(name).name, known=" ".join(FORMATS))
    FORMATS[suffix](trace, name, options)


def svg_text(trace: Trace, **options: Any) -> str:
    """The picture of `trace` as SVG that carries its font, for a page or a notebook."""
    return embed(layout.draw(view_of(trace, **options), "svg")).decode()


def html_text(trace: Trace, **options: Any) -> str:
    """A page with the player in it that needs nothing else, in the language asked for, switchable to the others.

    It opens at `step`. Without `theme` it is light or dark as the reader's machine is.
    """
    check_playable(trace)
    view_of(trace, **options)  # refuses what cannot be drawn
    drawn = {name: value for name, value in options.items() if name not in ("step", "theme", "language")}
    spoken = sorted(LANGUAGES, key=lambda language: language != options.get("language", "en"))
    views = [make_view(trace, **drawn, language=language) for language in spoken]
    return player.document(views, start=options.get("step"), theme=options.get("theme"))


def notebook_text(trace: Trace) -> str:
    """The player for a notebook, in a frame of its own."""
    return player.framed(html_text(trace))


def view_of(trace: Trace, **options: Any) -> View:
    """The view that `options` ask for; with `step` only what the first so many steps reached counts as computed."""
    if "lang" in options:  # as on the command line
        options["language"] = options.pop("lang")
    for name in options:
        if name not in OPTIONS:
            raise RequestError("drawing.unknown_option", option=name, known=", ".join(OPTIONS))
    view = make_view(trace, **options)
    return view if view.step is None else make_view(trace, **options, **_reached(trace, view.step))


def _reached(trace: Trace, step: int) -> dict[str, Any]:
    """What the first `step` steps wrote: nodes with a value, with a gradient, with an updated value; edges a contribution went along."""
    found: dict[str, set[int]] = {"values": set(), "gradients": set(), "updated": set(), "flowed": set()}
    kinds = {"value": "values", "gradient": "gradients", "grad": "gradients", "seed": "gradients", "parameter": "updated"}
    taken = 0
    for taken, one in enumerate(islice(each_step(trace), step), start=1):  # noqa: B007  # counts on after the loop
        for ref in one.writes:
            if ref.what in kinds:
                found[kinds[ref.what]].add(ref.node)
            if ref.edge is not None:
                found["flowed"].add(ref.edge)
    if step > taken:
        raise RequestError("drawing.no_step", step=step, last=taken)
    return found


# -- one function a format -----------------------------------------------------------------------------------------------------------


def _svg(trace: Trace, path: str, options: dict[str, Any]) -> None:
    _write(path, svg_text(trace, **options).encode())


def _png(trace: Trace, path: str, options: dict[str, Any]) -> None:
    _write(path, layout.draw(view_of(trace, **options), "png"))


def _pdf(trace: Trace, path: str, options: dict[str, Any]) -> None:
    _write(path, layout.draw(view_of(trace, **options), "pdf"))


def _gif(trace: Trace, path: str, options: dict[str, Any]) -> None:
    """The steps one after the other, up to `step`."""
    whole = {name: value for name, value in options.items() if name != "step"}
    _write(path, animation(view_of(trace, **whole), until=options.get("step")))


def _dot(trace: Trace, path: str, options: dict[str, Any]) -> None:
    _write(path, layout.dot_text(view_of(trace, **options)).encode())


def _html(trace: Trace, path: str, options: dict[str, Any]) -> None:
    _write(path, html_text(trace, **options).encode())


def _document(trace: Trace, path: str, options: dict[str, Any]) -> None:
    """`.trace` and `.json` hold the whole record; a view does not change it, but a wrong one is refused all the same."""
    view_of(trace, **options)
    save(trace, path)


def _write(path: str, data: bytes) -> None:
    with open_output(path) as stream:
        stream.write(data)


FORMATS: dict[str, Callable[[Trace, str, dict[str, Any]], None]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".gif": _gif,
    ".dot": _dot,
    ".html": _html,
    ".json": _document,
    ".trace": _document,
}
