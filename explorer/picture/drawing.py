"""A placed view -> SVG: frames, arrows, boxes with what is written into them, and the caption above.

Each box, cluster and arrow is the `<g>` whose id is its id in the view; classes and colours are those of the DOT text. All text says how
wide it is in our font: a reader without it fits another into the same place.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from explorer.collecting import uncollected
from explorer.dot import FONT, HUB, PALETTE, arrow_attributes, box_attributes, cluster_attributes
from explorer.labels import Tips, guest_label
from explorer.marks import Marks
from explorer.palette import Scale
from explorer.picture.captions import Caption
from explorer.picture.composing import Placed, Rect, compose
from explorer.picture.lines import rounded, shortened
from explorer.picture.scopes import stands_in
from explorer.picture.sheets import CHIP, STACK, Chip, Sheet, sheet_of
from explorer.picture.writing import Line, lines_of, width_of
from explorer.view import Box, View

__all__ = ["FAMILIES", "Sketch", "sketch", "svg"]

FAMILIES = (
    f"'{FONT}', Pretendard, Inter, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', "
    "'Segoe UI', Helvetica, Arial, sans-serif"
)
EDGE = 14.4  # around the picture
CORNER = 5.0  # radius of boxes
TURN = 7.0  # radius of lines
HEAD = (6.5, 2.4)  # length and half width of an arrowhead
ASCENT = 0.93  # from the top of a line of text to where it stands, in sizes


@dataclass(frozen=True, slots=True)
class Sketch:
    """A view with everything that its pictures need: looks and labels by id, and where things are."""

    view: View
    looks: Mapping[str, dict[str, str]]
    sheets: Mapping[str, Sheet]
    titles: Mapping[str, Line]
    placed: Placed
    caption: Caption | None


@uncollected()
def sketch(view: View, *, caption: bool) -> Sketch:
    """The view laid out; with title and legend on request."""
    colors, scale, marks = PALETTE[view.theme], Scale(view), Marks(view)
    tips = Tips(view, marks)
    looks = {box.id: box_attributes(view, box, colors, scale, tips, label=not (box.hosts or box.small)) for box in view.boxes}
    written: dict[str, list[Box]] = {}
    for box in view.boxes:
        for host in box.hosts:
            written.setdefault(host, []).append(box)
    sheets = {}
    for box in view.boxes:
        if not box.hosts:
            lines = _small_lines(view, box, colors) if box.small else lines_of(looks[box.id]["label"], 12.0, colors["ink"])
            sheets[box.id] = sheet_of(view, box, lines, written.get(box.id, []), ring="peripheries" in looks[box.id])
    titles = {}
    levels: dict[str, int] = {}
    for cluster in view.clusters:
        levels[cluster.id] = 0 if cluster.parent is None else levels[cluster.parent] + 1
        looks[cluster.id] = cluster_attributes(view, cluster, colors, levels[cluster.id])
        titles[cluster.id] = lines_of(looks[cluster.id]["label"], 11.0, colors["ink"])[0]
    readers = Counter([arrow.source for arrow in view.arrows])
    stands = stands_in(view)
    rooms = {}
    for number, arrow in enumerate(view.arrows):
        if (source := stands[arrow.source]) is None or (target := stands[arrow.target]) is None or source == target:
            continue
        look = looks[arrow.id] = arrow_attributes(view, arrow, colors, hub=readers[arrow.source] > HUB)
        if "label" in look:
            size = float(look.get("fontsize", "10"))
            rooms[number] = (width_of(look["label"].strip(), size) + 6, size + 3)
    sizes = {name: (sheet.width, sheet.height) for name, sheet in sheets.items()}
    placed = compose(view, sizes, {name: line.width for name, line in titles.items()}, rooms)
    return Sketch(view, looks, sheets, titles, placed, Caption(view, scale, marks) if caption else None)


def _small_lines(view: View, box: Box, colors: dict[str, str]) -> tuple[Line, ...]:
    return lines_of(f"<{escape(guest_label(view, box))}>", CHIP, colors["muted"])


@uncollected()
def svg(drawn: Sketch) -> tuple[str, float, float]:
    """The SVG of a sketch, its width and height."""
    view, placed, colors = drawn.view, drawn.placed, PALETTE[drawn.view.theme]
    head = drawn.caption.height if drawn.caption is not None else 0.0
    wide = drawn.caption.width if drawn.caption is not None else 0.0
    width = math.ceil(max(placed.width, wide) + 2 * EDGE)
    height = math.ceil(placed.height + head + 2 * EDGE)
    opening = (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FAMILIES}" role="img">\n<g id="graph0" class="graph">\n'
    )
    ground = f'<polygon fill="{colors["paper"]}" stroke="none" points="0,0 {width},0 {width},{height} 0,{height}"/>\n'
    parts = [opening, ground]
    if drawn.caption is not None:
        parts += drawn.caption.svg(EDGE, EDGE)
    left, top = (width - placed.width) / 2 if placed.width < wide else EDGE, EDGE + head
    for cluster in view.clusters:
        parts += _cluster(drawn, cluster.id, left, top)
    for number, arrow in enumerate(view.arrows):
        if number in placed.arrows:
            parts.append(_arrow(drawn, number, arrow.id, left, top))
    for box in view.boxes:
        if not box.hosts:
            parts += _box(drawn, box, left, top)
    parts += _shared(drawn, left, top)
    parts.append("</g>\n</svg>\n")
    return "".join(parts), float(width), float(height)


# -- one thing each ------------------------------------------------------------------------------------------------------------------


def _cluster(drawn: Sketch, name: str, left: float, top: float) -> Iterator[str]:
    look, at = drawn.looks[name], _moved(drawn.placed.clusters[name], left, top)
    x, y = drawn.placed.titles[name]
    line = drawn.titles[name]
    yield f'<g id="{name}" class="cluster {look["class"]}">{_tip(look)}'
    yield f'<path fill="{look["fillcolor"]}" stroke="{look["color"]}" d="{_round(at, CORNER + 2)}"/>'
    yield from _line(line, x + left, y + top - line.height / 2)
    yield "</g>\n"


def _box(drawn: Sketch, box: Box, left: float, top: float) -> list[str]:
    look, at, sheet = drawn.looks[box.id], _moved(drawn.placed.boxes[box.id], left, top), drawn.sheets[box.id]
    small = " small" if box.small else ""
    parts = [f'<g id="{box.id}" class="node {look["class"]}{small}">{_tip(look)}']
    if box.card:
        at = Rect(at.x, at.y, at.width - STACK, at.height - STACK)
        for step in (STACK, STACK / 2):
            parts.append(f'<path fill="{look["fillcolor"]}" stroke="{look["color"]}" d="{_round(_moved(at, step, step), CORNER)}"/>')
    ground = look["fillcolor"] if drawn.view.overlay is not None else _ground(drawn, box)
    parts.append(_outline(look, at, ground, small=box.small))
    y, middle = at.y + sheet.top, at.x + at.width / 2
    for line in sheet.lines:
        parts += _line(line, middle - line.width / 2, y)
        y += line.height
    parts.append("</g>\n")
    for chip in sheet.chips:
        if len(chip.box.hosts) == 1:
            shape, text = _chip(drawn, chip, at, ground if box.small else look["fillcolor"])
            look_of = drawn.looks[chip.box.id]
            parts.append(f'<g id="{chip.box.id}" class="node chip {look_of["class"]}">{_tip(look_of)}{shape}{text}</g>\n')
    return parts


def _ground(drawn: Sketch, box: Box) -> str:
    """The colour of what a box stands on."""
    return PALETTE[drawn.view.theme]["paper"] if box.cluster is None else drawn.looks[box.cluster]["fillcolor"]


def _outline(look: dict[str, str], at: Rect, ground: str, *, small: bool) -> str:
    if small:
        return f'<path fill="{ground}" stroke="none" d="{_round(at, CORNER)}"/>'
    style = look.get("style", "rounded,filled")
    dashes = ' stroke-dasharray="4,2.5"' if "dashed" in style else ""
    wide = f' stroke-width="{look["penwidth"]}"' if "penwidth" in look else ""
    radius = CORNER if "rounded" in style else 1.0
    way = _cylinder(at) if look.get("shape") == "cylinder" else _round(at, radius)
    shape = f'<path fill="{look["fillcolor"]}" stroke="{look["color"]}"{dashes}{wide} d="{way}"/>'
    if "peripheries" not in look:
        return shape
    inner = Rect(at.x + 3, at.y + 3, at.width - 6, at.height - 6)
    return f'{shape}<path fill="none" stroke="{look["color"]}" d="{_round(inner, max(1.0, radius - 2))}"/>'


def _chip(drawn: Sketch, chip: Chip, host: Rect, around: str) -> tuple[str, str]:
    """Shape and text of what is written into a box: a leaf as a small tile, a change of shape as a word."""
    look, node = drawn.looks[chip.box.id], drawn.view.trace.nodes[chip.box.nodes[0]]
    colors = PALETTE[drawn.view.theme]
    at = Rect(host.x + chip.x, host.y + chip.y, chip.width, chip.height)
    word = guest_label(drawn.view, chip.box)
    color = colors["ink"] if drawn.view.overlay is not None else colors["muted"]
    if node.is_leaf:
        dashes = ' stroke-dasharray="3,2"' if "dashed" in look.get("style", "") else ""
        shape = f'<path fill="{look["fillcolor"]}" stroke="{look["color"]}" stroke-width="0.7"{dashes} d="{_round(at, 3.0)}"/>'
    else:
        fill = look["fillcolor"] if drawn.view.overlay is not None else around
        shape = f'<path fill="{fill}" stroke="none" d="{_round(at, 3.0)}"/>'
    width = width_of(word, CHIP)
    return shape, _text(word, at.x + (at.width - width) / 2, at.y + (at.height - CHIP) / 2 + 0.84 * CHIP, CHIP, color, width, bold=False)


def _shared(drawn: Sketch, left: float, top: float) -> Iterator[str]:
    """Boxes that are written into several others: one group, so that all its tiles light up together."""
    found: dict[str, list[tuple[str, str]]] = {}
    boxes: dict[str, Box] = {}
    for name, sheet in drawn.sheets.items():
        for chip in sheet.chips:
            if len(chip.box.hosts) > 1:
                at = _moved(drawn.placed.boxes[name], left, top)
                found.setdefault(chip.box.id, []).append(_chip(drawn, chip, at, drawn.looks[name]["fillcolor"]))
                boxes[chip.box.id] = chip.box
    for name, tiles in found.items():
        look = drawn.looks[name]
        inner = "".join(f'{shape}<g class="node chip">{_hidden(shape)}{text}</g>' for shape, text in tiles)
        yield f'<g id="{name}" class="chips {look["class"]}">{_tip(look)}{inner}</g>\n'


def _hidden(shape: str) -> str:
    """The same shape, not drawn: what says to the player where the text of a tile has its middle."""
    return re.sub(r'fill="[^"]*" stroke="[^"]*"( stroke-[a-z]+="[^"]*")*', 'fill="none" stroke="none"', shape)


def _arrow(drawn: Sketch, number: int, name: str, left: float, top: float) -> str:
    look = drawn.looks[name]
    points = [(x + left, y + top) for x, y in drawn.placed.arrows[number]]
    if len(points) < 2:
        return ""
    way = look.get("dir", "forward")
    dashes = ' stroke-dasharray="4,2.5"' if "dashed" in look.get("style", "") else ""
    color, wide = look["color"], look.get("penwidth", "1.1")
    heads = ""
    if look.get("arrowhead") == "teetee":
        heads = "".join(_bar(points, at, color) for at in (3.0, 6.0))
    elif way == "forward":
        heads, points = _head(points, color), shortened(points, HEAD[0] - 1)
    elif way == "back":
        heads, points = _head(points[::-1], color), shortened(points[::-1], HEAD[0] - 1)[::-1]
    label = ""
    if "label" in look and number in drawn.placed.labels:
        size, word = float(look.get("fontsize", "10")), look["label"].strip()
        x, y = drawn.placed.labels[number]
        width = width_of(word, size)
        label = _text(word, x + left - width / 2, y + top + 0.36 * size, size, look.get("fontcolor", color), width, bold=False)
    line = f'<path fill="none" stroke="{color}" stroke-width="{wide}"{dashes} d="{rounded(points, TURN)}"/>'
    return f'<g id="{name}" class="edge {look["class"]}">{line}{heads}{label}</g>\n'


def _head(points: list[tuple[float, float]], color: str) -> str:
    """An arrowhead at the end of a line."""
    (x1, y1), (x2, y2) = points[-2], points[-1]
    size = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / size, (y2 - y1) / size
    length, half = HEAD
    back = (x2 - dx * length, y2 - dy * length)
    sides = f"{back[0] - dy * half:.1f},{back[1] + dx * half:.1f} {back[0] + dy * half:.1f},{back[1] - dx * half:.1f}"
    return f'<polygon fill="{color}" stroke="{color}" points="{x2:.1f},{y2:.1f} {sides}"/>'


def _bar(points: list[tuple[float, float]], back: float, color: str) -> str:
    """A bar across the end of a line that is cut."""
    (x1, y1), (x2, y2) = points[-2], points[-1]
    size = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / size, (y2 - y1) / size
    x, y = x2 - dx * back, y2 - dy * back
    ends = ((x - 4 * dy, y + 4 * dx), (x + 4 * dy, y - 4 * dx))
    return f'<polygon fill="{color}" stroke="{color}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in ends)}"/>'


# -- shapes and text -----------------------------------------------------------------------------------------------------------------


def _moved(at: Rect, x: float, y: float) -> Rect:
    return Rect(at.x + x, at.y + y, at.width, at.height)


def _round(at: Rect, radius: float) -> str:
    """A rectangle with round corners, as the data of a path."""
    around, r = _corners(at.width, at.height, radius)
    return f"M{at.x + r:.1f},{at.y:.1f}{around}"


@functools.lru_cache(maxsize=5_000)
def _corners(width: float, height: float, radius: float) -> tuple[str, float]:
    """The way around a rectangle from where its upper side begins, and the radius that there is room for."""
    r = min(radius, width / 2, height / 2)
    across, along, turn = f"{width - 2 * r:.1f}", f"{height - 2 * r:.1f}", f"{r:.1f}"
    right = f"h{across}q{turn},0 {turn},{turn}v{along}q0,{turn} -{turn},{turn}"
    left = f"h-{across}q-{turn},0 -{turn},-{turn}v-{along}q0,-{turn} {turn},-{turn}z"
    return right + left, r


def _cylinder(at: Rect) -> str:
    x, y, right, low, bow, middle = at.x, at.y, at.x + at.width, at.y + at.height, 3.5, at.x + at.width / 2
    return (
        f"M{x:.1f},{y + bow:.1f}Q{middle:.1f},{y - bow:.1f} {right:.1f},{y + bow:.1f}V{low - bow:.1f}"
        f"Q{middle:.1f},{low + bow:.1f} {x:.1f},{low - bow:.1f}V{y + bow:.1f}"
        f"Q{middle:.1f},{y + 3 * bow:.1f} {right:.1f},{y + bow:.1f}"
    )


def _line(line: Line, x: float, y: float) -> Iterator[str]:
    for run in line.runs:
        yield _text(run.text, x, y + (line.height - run.size) / 2 + ASCENT * run.size, run.size, run.color, run.width, bold=run.bold)
        x += run.width + line.gap


def _text(text: str, x: float, y: float, size: float, color: str, width: float, *, bold: bool) -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}"{_words(text, size, color, width, bold)}'


@functools.lru_cache(maxsize=20_000)
def _words(text: str, size: float, color: str, width: float, bold: bool) -> str:
    """What does not depend on where a text stands: most of them stand in many places."""
    weight = ' font-weight="bold"' if bold else ""
    looks = f'font-size="{size:.2f}"{weight} fill="{color}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f" {looks}>{escape(text, quote=False)}</text>"


def _tip(look: dict[str, str]) -> str:
    """The tooltip, out of DOT's escString: a backslash and an n break the line, any other backslash is doubled."""
    tip = look.get("tooltip", "")
    if "\\\\" in tip:
        tip = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], tip, flags=re.DOTALL)
    else:
        tip = tip.replace("\\n", "\n").replace("\\", "")
    return f"<title>{escape(tip, quote=False)}</title>" if tip else ""
