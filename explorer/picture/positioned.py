"""A sketch -> DOT text in which everything has its place: `neato -n2` draws the same picture, any reader finds the same graph.

Points count from the bottom left. A box that is written into another is a small node inside it; arrows that are not drawn are there too,
invisible.
"""

from __future__ import annotations

import math

import graphviz

from explorer.dot import FONT, PALETTE
from explorer.labels import caption, guest_label
from explorer.marks import Marks
from explorer.palette import Scale
from explorer.picture.composing import Rect
from explorer.picture.drawing import EDGE, Sketch
from explorer.picture.lines import bends
from explorer.picture.sheets import CHIP
from explorer.view import Box, Cluster

__all__ = ["positioned"]

TURN = 7.0
INCH = 72.0


def positioned(drawn: Sketch) -> str:
    """The DOT text of a sketch."""
    return _Writer(drawn).text()


class _Writer:
    def __init__(self, drawn: Sketch) -> None:
        self.drawn, self.view = drawn, drawn.view
        self.colors = PALETTE[drawn.view.theme]
        self.head = 0.0 if drawn.caption is None else drawn.caption.height
        self.wide = 0.0 if drawn.caption is None else drawn.caption.width
        self.height = drawn.placed.height + self.head + 2 * EDGE
        self.width = max(drawn.placed.width, self.wide) + 2 * EDGE
        self.left = (self.width - drawn.placed.width) / 2 if drawn.placed.width < self.wide else EDGE
        self.graph = graphviz.Digraph("trace")

    def text(self) -> str:
        graph, colors = self.graph, self.colors
        graph.attr(
            "graph", bb=f"0,0,{self.width:.2f},{self.height:.2f}", bgcolor=colors["paper"], fontname=FONT, fontsize="12",
            fontcolor=colors["ink"], outputorder="edgesfirst", rankdir="LR" if self.view.flow == "right" else "TB",
        )  # fmt: skip
        graph.attr("node", fontname=FONT, fontsize="12", fontcolor=colors["ink"], shape="box", style="rounded,filled", fixedsize="true",
                   margin="0,0", penwidth="1")  # fmt: skip
        graph.attr("edge", fontname=FONT, fontsize="10", arrowsize="0.6", penwidth="1.1", color=colors["line"])
        if self.drawn.caption is not None:
            marks = Marks(self.view)
            at = Rect(EDGE, EDGE, self.wide, self.head)
            graph.node("caption", label=caption(self.view, Scale(self.view), marks), shape="plain", style="", **self._place(at))
        self._boxes()
        for number, arrow in enumerate(self.view.arrows):
            if number not in self.drawn.placed.arrows:
                graph.edge(arrow.source, arrow.target, id=arrow.id, style="invis")
                continue
            look = dict(self.drawn.looks[arrow.id])
            if "label" in look and number in self.drawn.placed.labels:
                look["lp"] = self._point(*self._moved(*self.drawn.placed.labels[number]))
            else:
                look.pop("label", None)
            graph.edge(arrow.source, arrow.target, pos=self._way(number, look.get("dir", "forward")), **look)
        return str(graph.source)

    def _boxes(self) -> None:
        """Clusters with what stands in them; an explicit stack, since modules may be nested deeply."""
        inner: dict[str | None, list[Cluster]] = {}
        standing: dict[str | None, list[Box]] = {}
        for cluster in self.view.clusters:
            inner.setdefault(cluster.parent, []).append(cluster)
        for box in self.view.boxes:
            if not box.hosts:
                standing.setdefault(box.cluster, []).append(box)
        for box in standing.get(None, []):
            self._box(box)
        stack: list[Cluster | str] = list(reversed(inner.get(None, [])))
        while stack:
            top = stack.pop()
            if isinstance(top, str):
                self.graph.body.append(top)
                continue
            at = self.drawn.placed.clusters[top.id]
            look = dict(self.drawn.looks[top.id])
            title = self.drawn.titles[top.id]
            x, y = self._moved(*self.drawn.placed.titles[top.id])
            left, low = self._moved(at.x, at.y + at.height)
            right, high = self._moved(at.x + at.width, at.y)
            self.graph.body.append(f"\tsubgraph {top.id} {{\n")
            look |= {"bb": f"{self._point(left, low)},{self._point(right, high)}", "lp": self._point(x + title.width / 2, y)}
            look |= {"lwidth": f"{title.width / INCH:.4f}", "lheight": f"{title.height / INCH:.4f}"}
            self.graph.attr(None, **look)
            for box in standing.get(top.id, []):
                self._box(box)
            stack.append("\t}\n")
            stack.extend(reversed(inner.get(top.id, [])))

    def _box(self, box: Box) -> None:
        at = self.drawn.placed.boxes[box.id]
        look = dict(self.drawn.looks[box.id])
        sheet = self.drawn.sheets[box.id]
        words = look["label"]
        if box.small:
            words, look = guest_label(self.view, box), {**look, "fontsize": f"{CHIP:g}", "style": "", "shape": "plaintext"}
            look["fontcolor"] = self.colors["muted"]
        x, y = self._moved(at.x, at.y)
        if sheet.chips:  # the label stands in a node of its own, above or below what is written into the box
            inner = Rect(x, y + sheet.top, at.width, sum(line.height for line in sheet.lines))
            self.graph.node(box.id, **{**look, "label": "", **self._place(Rect(x, y, at.width, at.height))})
            self.graph.node(
                f"{box.id}_label", label=words, shape="plaintext", style="", fontsize=look.get("fontsize", "12"),
                fontcolor=look.get("fontcolor", self.colors["ink"]), **self._place(inner),
            )  # fmt: skip
        else:
            self.graph.node(box.id, **{**look, "label": words, **self._place(Rect(x, y, at.width, at.height))})
        for number, chip in enumerate(sheet.chips):
            look = self.drawn.looks[chip.box.id]
            leaf = self.view.trace.nodes[chip.box.nodes[0]].is_leaf
            name = chip.box.id if chip.box.hosts[0] == box.id else f"{chip.box.id}_{box.id}_{number}"
            self.graph.node(
                name, id=chip.box.id, label=guest_label(self.view, chip.box), tooltip=look["tooltip"], **{"class": look["class"]},
                fontsize=f"{CHIP:g}", fontcolor=self.colors["muted"], penwidth="0.7", fillcolor=look["fillcolor"], color=look["color"],
                **({"shape": "box", "style": "rounded,filled"} if leaf else {"shape": "plaintext", "style": ""}),
                **self._place(Rect(x + chip.x, y + chip.y, chip.width, chip.height)),
            )  # fmt: skip

    def _moved(self, x: float, y: float) -> tuple[float, float]:
        return x + self.left, y + EDGE + self.head

    def _point(self, x: float, y: float) -> str:
        return f"{x:.2f},{self.height - y:.2f}"

    def _place(self, at: Rect) -> dict[str, str]:
        return {
            "pos": self._point(at.x + at.width / 2, at.y + at.height / 2),
            "width": f"{at.width / INCH:.4f}",
            "height": f"{at.height / INCH:.4f}",
        }

    def _way(self, number: int, way: str) -> str:
        """A line as a spline of Graphviz, with the point of its arrow."""
        points = [self._moved(*point) for point in self.drawn.placed.arrows[number]]
        parts = []
        if way == "back":
            parts.append(f"s,{self._point(*points[0])}")
            points[0] = _toward(points[0], points[1])
        elif way == "forward":
            parts.append(f"e,{self._point(*points[-1])}")
            points[-1] = _toward(points[-1], points[-2])
        return " ".join([*parts, *(self._point(*point) for point in bends(points, TURN))])


def _toward(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    size = math.dist(one, other) or 1.0
    length = min(6.0, size / 2)
    return one[0] + (other[0] - one[0]) * length / size, one[1] + (other[1] - one[1]) * length / size
