"""The picture as it stands at a step, and all steps as one animation: what the page shows while one steps through it.

NOTE [one layout] A picture of `--step K` is laid out for what is there after K steps, so that its boxes are as small as they can be. Here
everything keeps its place from the first step to the last: the picture is laid out once, whole, and of each moment fades what was not
reached yet, leaves out what was not computed yet, and marks what this step reads and writes, as the player does (assets/player/scene.js).
"""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from explorer import layout
from explorer.errors import RequestError
from explorer.figures import plain
from explorer.fonts import embed
from explorer.palette import PALETTE
from explorer.picture.writing import width_of
from explorer.steps import Ref, Step, steps
from explorer.text import say
from explorer.view import View

__all__ = ["MOST_FRAMES", "READABLE", "Moments", "animation", "key_steps", "zoom_of"]

MOST_FRAMES = 200
MOST_PIXELS = 90_000_000  # of all frames together
LONGEST, WIDEST = 1400, 1000  # pixels of a frame
READABLE = 0.55  # of the size on the page: below, nobody reads the numbers
SVG = "http://www.w3.org/2000/svg"
MARGIN, SIZE, LEADING, MOST_LINES = 14.0, 12.0, 17.0, 3
NARROWEST = 340.0

ElementTree.register_namespace("", SVG)


class Moments:
    """A view drawn once; `svg(step)` is the picture at a step, counted from 1."""

    def __init__(self, view: View) -> None:
        drawn = layout.picture(view)
        self.view, self.trace = drawn.view, drawn.view.trace
        self.steps = steps(self.trace)
        self.width, self.height = max(drawn.width, NARROWEST), drawn.height
        self.footer = MARGIN + LEADING * (1 + MOST_LINES)
        self._whole = ElementTree.fromstring(drawn.svg.encode())
        self._colors = PALETTE[self.view.theme]
        self._at = _first_steps(self.steps)
        self._edges = {edge: arrow.id for arrow in self.view.arrows for edge in arrow.edges}
        self._updated = {update.node for update in self.trace.updates if update.after.item is not None}  # its last line says so
        self._nodes: dict[str, list[int]] = {}
        for node in self.trace.nodes:
            box = self.view.box_of.get(node.id)
            if box is not None:
                self._nodes.setdefault(box, []).append(node.id)

    def svg(self, step: int) -> str:
        """The picture at a step. Raises RequestError where there is no such step."""
        if not 1 <= step <= len(self.steps):
            raise RequestError("drawing.no_step", step=step, last=len(self.steps))
        root = copy.deepcopy(self._whole)
        groups = {element.get("id"): element for element in root.iter(f"{{{SVG}}}g") if element.get("id")}
        for name, nodes in self._nodes.items():
            if name in groups:
                self._box(groups[name], name, nodes, step)
        for arrow in self.view.arrows:
            if arrow.id in groups:
                self._arrow(groups[arrow.id], arrow.edges, step)
        self._mark(groups, self.steps[step - 1])
        self._foot(root, step)
        return ElementTree.tostring(root, encoding="unicode")

    def file(self, step: int) -> bytes:
        """The picture at a step as SVG that carries its font."""
        return embed(self.svg(step).encode())

    def png(self, step: int, *, zoom: float | None = None) -> bytes:
        """The picture at a step in pixels."""
        return layout.pixels(self.svg(step), self.width, self.height + self.footer, zoom=zoom)

    def _box(self, group: Any, name: str, nodes: Sequence[int], step: int) -> None:
        if min(self._at.get(("value", node, 0), math.inf) for node in nodes) > step:
            group.set("opacity", "0.5")
        if name[0] != "n":
            return
        texts, node = list(group.iter(f"{{{SVG}}}text")), nodes[0]
        for what in ("value", "gradient"):
            if self._at.get((what, node, 0), math.inf) > step:
                _hide(text for text in texts if text.get("fill") == self._colors[what])
        if node in self._updated and self._at.get(("parameter", node, 0), math.inf) > step:
            _hide(texts[-1:])

    def _arrow(self, group: Any, edges: Sequence[int], step: int) -> None:
        ends = [self.trace.edges[edge] for edge in edges]
        if min(self._at.get(("value", end.source, end.output), math.inf) for end in ends) > step:
            group.set("opacity", "0.35")
        if min(self._at.get(("contribution", edge, 0), math.inf) for edge in edges) <= step:
            _paint(group, self._colors["gradient"])

    def _mark(self, groups: Mapping[Any, Any], step: Step) -> None:
        """What this step reads and writes, and where it stands."""
        backward = step.phase == "backward"
        for ref in step.reads:
            _outline(groups.get(self._box_of(ref)), self._colors["value"], 2.0)
        for ref in step.writes:
            _outline(groups.get(self._box_of(ref)), self._colors["value" if ref.what in ("value", "parameter") else "gradient"], 2.0)
            if ref.edge is not None:
                _paint(groups.get(self._edges.get(ref.edge)), self._colors["gradient"], width=2.6)
        if step.node is not None:
            now = self.view.box_of.get(step.node)
            _outline(groups.get(now), self._colors["gradient" if backward or step.phase == "loss" else "value"], 3.0)
            if step.kind == "op":
                for number, edge in enumerate(self.trace.edges):
                    if edge.target == step.node:
                        _paint(groups.get(self._edges.get(number)), self._colors["value"], width=2.6)

    def _box_of(self, ref: Ref) -> str | None:
        node = self.trace.edges[ref.edge].source if ref.what == "contribution" and ref.edge is not None else ref.node
        return self.view.box_of.get(node)

    def _foot(self, root: Any, step: int) -> None:
        """Below the picture: which step it is, and what happens in it."""
        language, one = self.view.language, self.steps[step - 1]
        width, height = self.width, self.height + self.footer
        root.set("width", f"{width:g}")
        root.set("height", f"{height:g}")
        root.set("viewBox", f"0 0 {width:g} {height:g}")
        ground = ElementTree.Element(f"{{{SVG}}}rect", width=f"{width:g}", height=f"{height:g}", fill=self._colors["paper"])
        root.insert(0, ground)
        phase = say(f"player.phase_{one.kind if one.kind in ('initialise', 'loss') else one.phase}", language)
        place = say("player.step_of", language, step=step, total=len(self.steps))
        lines = _wrapped(one.say(language), width - 2 * MARGIN)
        heads = [(f"{plain(self.trace.title)} · {phase} · {place}", "muted"), *((line, "ink") for line in lines)]
        for number, (text, color) in enumerate(heads):
            at = {
                "x": f"{MARGIN:g}",
                "y": f"{self.height + LEADING * (number + 1):g}",
                "font-size": f"{SIZE:g}",
                "fill": self._colors[color],
            }
            element = ElementTree.SubElement(root, f"{{{SVG}}}text", at)
            element.text = text


def key_steps(count: int) -> list[int]:
    """Every step, or as many as there may be frames, evenly spread from the first to the last."""
    most = MOST_FRAMES
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(place * (count - 1) / (most - 1)) for place in range(most)})


def zoom_of(width: float, height: float, *, frames: int) -> float:
    """How large the frames of an animation can be drawn; below `READABLE` they are not."""
    return min(1.5, WIDEST / width, LONGEST / height, math.sqrt(MOST_PIXELS / (frames * width * height)))


def animation(view: View, *, until: int | None = None) -> bytes:
    """The steps one after the other as a GIF, at most `MOST_FRAMES` of them; up to the step `until`.

    Without steps it is the picture alone. Raises RequestError where the picture is too large to be read in it.
    """
    from PIL import Image

    moments = Moments(view)
    last = len(moments.steps) if until is None else max(1, until)
    if not moments.steps and not until:
        stream = io.BytesIO()
        Image.open(io.BytesIO(layout.draw(view, "png"))).convert("RGB").save(stream, "GIF")
        return stream.getvalue()
    if last > len(moments.steps):
        raise RequestError("drawing.no_step", step=last, last=len(moments.steps))
    chosen = key_steps(last)
    width, height = moments.width, moments.height + moments.footer
    zoom = zoom_of(width, height, frames=len(chosen))
    if zoom < READABLE:
        raise RequestError("drawing.gif_too_large", width=round(width), height=round(height), frames=len(chosen))
    images = [Image.open(io.BytesIO(moments.png(step, zoom=zoom))).convert("RGB") for step in chosen]
    colors = _colors_of([images[0], images[len(images) // 2], images[-1]])
    frames = [image.quantize(palette=colors, dither=Image.Dither.NONE) for image in images]
    beat = max(120, min(1100, 60_000 // len(frames)))  # thousandths of a second
    stream = io.BytesIO()
    pauses = [beat] * (len(frames) - 1) + [3_000]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=False)
    return stream.getvalue()


def _colors_of(images: Sequence[Any]) -> Any:
    """One palette for all frames, so that nothing flickers."""
    from PIL import Image

    width, height = max(image.width for image in images), sum(image.height for image in images)
    together = Image.new("RGB", (width, height), "white")
    top = 0
    for image in images:
        together.paste(image, (0, top))
        top += image.height
    return together.quantize(colors=255)


def _first_steps(all_steps: Sequence[Step]) -> dict[tuple[str, int, int], int]:
    """The step, from 1, in which each number is first there; a contribution under its edge."""
    found: dict[tuple[str, int, int], int] = {}
    for number, step in enumerate(all_steps, start=1):
        for ref in step.writes:
            if ref.what == "contribution" and ref.edge is not None:
                found.setdefault(("contribution", ref.edge, 0), number)
            else:
                found.setdefault(("gradient" if ref.what == "seed" else ref.what, ref.node, ref.output), number)
    return found


def _hide(elements: Any) -> None:
    for element in elements:
        element.set("opacity", "0")


def _shapes(group: Any) -> Iterator[Any]:
    for element in group:
        if element.tag in (f"{{{SVG}}}path", f"{{{SVG}}}polygon"):
            yield element


def _outline(group: Any, color: str, width: float) -> None:
    if group is None:
        return
    group.attrib.pop("opacity", None)
    for number, shape in enumerate(_shapes(group)):
        shape.set("stroke", color)
        if number == 0:  # a loss has a second line inside, which stays thin
            shape.set("stroke-width", f"{width:g}")


def _paint(group: Any, color: str, *, width: float | None = None) -> None:
    if group is None:
        return
    for shape in _shapes(group):
        shape.set("stroke", color)
        if shape.tag.endswith("polygon"):
            shape.set("fill", color)
        elif width is not None:
            shape.set("stroke-width", f"{width:g}")


def _wrapped(text: str, width: float) -> list[str]:
    """The text in lines so wide; what does not fit into the last is left out, and says so."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, SIZE) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > MOST_LINES:
        lines = lines[:MOST_LINES]
        lines[-1] += " …"
    for number, line in enumerate(lines):
        while width_of(line, SIZE) > width and len(line) > 2:
            line = line[:-2].rstrip(" …") + "…"
        lines[number] = line
    return lines
