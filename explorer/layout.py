"""DOT text -> a placed picture, and the clean-up of SVG.

The engine works under a time limit (`explorer.engine`); a picture that takes too long is drawn collapsed instead.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree

from explorer import dot
from explorer.engine import engine, fonts_folder, place
from explorer.errors import RequestError
from explorer.view import View, closed

__all__ = ["FORMATS", "Picture", "draw", "engine", "picture", "render"]

Format = Literal["svg", "png", "pdf", "json", "plain"]

FORMATS = ("svg", "png", "pdf", "json", "plain")
MOST_PLACED = 20_000  # boxes: no engine places half as many within its limit of time
FAMILIES = (
    f"'{dot.FONT}', Pretendard, Inter, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', "
    "'Segoe UI', Helvetica, Arial, sans-serif"
)
SVG = "http://www.w3.org/2000/svg"
TIP = "{http://www.w3.org/1999/xlink}title"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the page. In `svg` each box, cluster and arrow is the `<g>` whose id is its id in `view`."""

    svg: str
    width: float
    height: float
    view: View


def picture(view: View) -> Picture:
    """The view as SVG, with title and legend only where an overlay needs one; collapsed (see `Picture.view`) if it took too long."""
    data, drawn = _draw(view, "svg", caption=view.overlay is not None)
    root = ElementTree.fromstring(data)
    return Picture(data.decode(), float(root.get("width", "0")), float(root.get("height", "0")), drawn)


def draw(view: View, format: Format) -> bytes:
    """The view with title and legend as "svg", "png", "pdf", "json" or "plain"; collapsed if it took too long."""
    return _draw(view, format, caption=True)[0]


def _draw(view: View, format: Format, *, caption: bool) -> tuple[bytes, View]:
    if len(view.boxes) <= MOST_PLACED:
        try:
            return render(dot.write(view, caption=caption), format), view
        except RequestError as error:
            if error.key != "drawing.too_large":
                raise
    simpler = closed(view)
    return render(dot.write(simpler, caption=caption), format), simpler


def render(dot_text: str, format: Format) -> bytes:
    """`dot_text` drawn by the engine. Raises RequestError if it takes longer than `LIMIT`, OutputError if the engine cannot do it."""
    data = place(dot_text, format)
    return _clean(data) if format == "svg" else data


# -- SVG -----------------------------------------------------------------------------------------------------------------------------


def _clean(data: bytes) -> bytes:
    """The engine's SVG without doctype, comments and links; sizes in pixels, tooltips as `<title>`, one list of fonts for all text."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(data)
    for side in ("width", "height"):
        root.set(side, root.get(side, "0").removesuffix("pt"))
    root.set("font-family", FAMILIES)
    root.set("role", "img")
    for group in root.iter(f"{{{SVG}}}g"):
        _retitle(group)
        _fit(group)
        _settle(group)
    _raise_titles(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _raise_titles(root: ElementTree.Element) -> None:
    """Titles of clusters stand above the arrows, each on a piece of its cluster's ground; Graphviz draws arrows across them."""
    for graph in root.iter(f"{{{SVG}}}g"):
        clusters = [group for group in graph if group.get("class", "").startswith("cluster")]
        nodes = [number for number, group in enumerate(graph) if group.get("class", "").startswith("node")]
        place = nodes[0] if nodes else len(graph)
        for group in clusters:
            texts = group.findall(f"{{{SVG}}}text")
            ground = next((shape.get("fill") for shape in group if shape.tag in (f"{{{SVG}}}path", f"{{{SVG}}}polygon")), None)
            if not texts or ground is None:
                continue
            title = ElementTree.Element(f"{{{SVG}}}g", {"class": "title"})
            title.append(ElementTree.Element(f"{{{SVG}}}polygon", {"fill": ground, "stroke": "none", "points": _around(texts)}))
            for text in texts:
                group.remove(text)
                title.append(text)
            graph.insert(place, title)


def _around(texts: list[ElementTree.Element]) -> str:
    """The corners of a box around one line of text."""
    size = max(float(text.get("font-size", "0")) for text in texts)
    base = float(texts[0].get("y", "0"))
    lefts = [float(text.get("x", "0")) for text in texts]
    ends = [left + float(text.get("textLength", size * len(text.text or "") * 0.6)) for left, text in zip(lefts, texts, strict=True)]
    left, right, top, bottom = min(lefts) - 2, max(ends) + 2, base - size, base + 0.3 * size
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)))


def _fit(group: ElementTree.Element) -> None:
    """Text says how wide it is in our font: a reader without it fits another into the same place. Text of blanks goes."""
    for text in group.findall(f"{{{SVG}}}text"):
        text.attrib.pop("font-family", None)
        words = text.text or ""
        width = _width(words, bold=text.get("font-weight") == "bold")
        if not words.strip():
            group.remove(text)
        elif width:
            text.set("textLength", f"{width * float(text.get('font-size', '0')):.1f}")
            text.set("lengthAdjust", "spacingAndGlyphs")


def _settle(group: ElementTree.Element) -> None:
    """Set the pieces of each line anew, by their width in our font: around the middle of a box, or from where a title begins.

    Engines round widths, and graphviz-pure measures another font.
    """
    kind = group.get("class", "").split(" ")[0]
    shape = next((found for found in group.iter() if found.get("d") or found.get("points")), None)
    if kind not in ("node", "cluster") or shape is None:
        return
    across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", shape.get("d") or shape.get("points") or "")]
    rows: dict[str, list[ElementTree.Element]] = {}
    for text in group.iter(f"{{{SVG}}}text"):
        rows.setdefault(text.get("y", ""), []).append(text)
    for pieces in rows.values():
        widths = [float(piece.get("textLength", "0")) for piece in pieces]
        apart = all((piece.text or "").strip() == piece.text for piece in pieces)  # what is between them was blank and is gone
        gap = 0.25 * float(pieces[0].get("font-size", "0")) if apart else 0.0
        total = sum(widths) + gap * (len(pieces) - 1)
        if not all(widths):
            continue
        squeezed = min(1.0, (max(across) - min(across) - 8) / total)
        x = (min(across) + max(across) - total * squeezed) / 2 if kind == "node" else float(pieces[0].get("x", "0"))
        for piece, width in zip(pieces, widths, strict=True):
            piece.set("text-anchor", "start")
            piece.set("x", f"{x:.2f}")
            piece.set("textLength", f"{width * squeezed:.1f}")
            x += (width + gap) * squeezed


def _width(text: str, *, bold: bool) -> float | None:
    """How wide our font writes `text`, in units of its size; None if it lacks a character."""
    widths = _widths()["Bold" if bold else "Regular"]
    found = [widths["hangul"] if "가" <= char <= "힣" else widths["others"].get(char) for char in text]
    return None if None in found else sum(width for width in found if width is not None) / 1000


@functools.cache
def _widths() -> dict[str, Any]:
    return dict(json.loads((fonts_folder() / "widths.json").read_text(encoding="utf-8")))


def _retitle(group: ElementTree.Element) -> None:
    """Graphviz names a `<g>` in `<title>` and puts its tooltip on a link inside; here the tooltip is the title and the link goes."""
    title = group.find(f"{{{SVG}}}title")
    wrapper = next((child for child in group if child.get("id", "").startswith("a_")), None)
    link = None if wrapper is None else wrapper.find(f"{{{SVG}}}a")
    if title is not None:
        if link is not None and link.get(TIP):
            title.text = link.get(TIP)
        else:
            group.remove(title)
    if wrapper is not None and link is not None:
        place = list(group).index(wrapper)
        group.remove(wrapper)
        for offset, child in enumerate(list(link)):
            group.insert(place + offset, child)
