"""View -> picture: SVG, PNG, PDF or DOT, all of one sketch.

NOTE [picture]: each open module is laid out alone by Graphviz (`placing`; a mere chain without it), under a limit of time and with a way
out, so that a picture of thousands of boxes takes a fraction of a second; text, lines and shapes are ours (`drawing`). A PNG is that SVG
through resvg, a PDF is it through `pdf`: neither needs anything but what pip installs. Where resvg is not there, or a name holds letters
that our font lacks, Graphviz draws them from the positioned DOT text, with the fonts of the system.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from dataclasses import dataclass
from typing import Literal

from explorer.engine import COVERED, SYSTEM_FONTS, engine, fonts_folder, place
from explorer.picture.drawing import sketch, svg
from explorer.picture.pdf import pdf
from explorer.picture.positioned import positioned
from explorer.view import View, closed

__all__ = ["Picture", "dot_text", "draw", "engine", "picture", "pixels", "png", "render"]

Format = Literal["svg", "png", "pdf"]

MOST_PLACED = 20_000  # boxes of a picture in a file
MOST_VISIBLE = 3_000  # boxes that a browser moves smoothly
ZOOM = 2.0  # pixels of a PNG for a point
MOST_PIXELS = 32_000_000  # some three seconds, nearly all of it in filling and packing them
LONGEST_SIDE = 30_000  # pixels


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the page. In `svg` each box, cluster and arrow is the `<g>` whose id is its id in `view`."""

    svg: str
    width: float
    height: float
    view: View


def picture(view: View) -> Picture:
    """The view as SVG, with title and legend only where an overlay needs one; collapsed (see `Picture.view`) if it shows too much."""
    view = _within(view, MOST_VISIBLE)
    text, width, height = svg(sketch(view, caption=view.overlay is not None))
    return Picture(text, width, height, view)


def draw(view: View, format: Format) -> bytes:
    """The view with title and legend as "svg", "png" or "pdf"; collapsed if it shows too much."""
    drawn = sketch(_within(view, MOST_PLACED), caption=True)
    text, width, height = svg(drawn)
    if format == "svg":
        return text.encode()
    covered = COVERED.fullmatch(text) is not None
    if format == "pdf" and covered:
        return pdf(text)
    if format == "png" and _has_resvg():
        return _png(text, width, height, covered=covered)
    return place(positioned(drawn), format)


def png(view: View, *, width: int) -> bytes:
    """The view with title and legend as a PNG so many pixels wide. Needs resvg."""
    text, wide, height = svg(sketch(_within(view, MOST_PLACED), caption=True))
    return _png(text, wide, height, covered=COVERED.fullmatch(text) is not None, zoom=width / wide)


def pixels(svg: str, width: float, height: float, *, zoom: float | None = None) -> bytes:
    """An SVG of ours as a PNG. Needs resvg."""
    return _png(svg, width, height, covered=COVERED.fullmatch(svg) is not None, zoom=ZOOM if zoom is None else zoom)


def dot_text(view: View) -> str:
    """The view with title and legend as DOT text in which everything has its place."""
    return positioned(sketch(_within(view, MOST_PLACED), caption=True))


def render(dot_text: str, format: str) -> bytes:
    """`dot_text` drawn by the engine. Raises RequestError if it takes longer than `LIMIT`, OutputError if the engine cannot do it."""
    return place(dot_text, format)


def _within(view: View, most: int) -> View:
    return view if sum(not box.hosts for box in view.boxes) <= most else closed(view)


@functools.cache
def _has_resvg() -> bool:
    return importlib.util.find_spec("resvg_py") is not None


def _png(text: str, width: float, height: float, *, covered: bool, zoom: float = ZOOM) -> bytes:
    """The SVG in pixels; smaller where it would be too large to hold."""
    import resvg_py

    zoom = min(zoom, math.sqrt(MOST_PIXELS / (width * height)), LONGEST_SIDE / max(width, height))
    fonts = [str(path) for path in sorted(fonts_folder().glob("*.otf"))]
    others = None if covered else [folder for folder in SYSTEM_FONTS if folder.startswith("/")]
    return bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=zoom, font_files=fonts, font_dirs=others, skip_system_fonts=covered))
