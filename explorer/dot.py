"""View -> DOT text.

The same view gives the same text, byte for byte. Names in DOT are ours (n12, m3, s40, cluster_m3, e7), never the program's.
"""

from __future__ import annotations

from collections import Counter

import graphviz

from explorer.labels import CUTS, Tips, box_label, cluster_label, cluster_tip, figure, is_start
from explorer.labels import caption as title
from explorer.marks import Marks
from explorer.model import Edge
from explorer.palette import PALETTE, Scale
from explorer.view import Arrow, Box, Cluster, View

__all__ = ["FONT", "HUB", "PALETTE", "arrow_attributes", "box_attributes", "cluster_attributes", "write"]

FONT = "Explorer Sans"
MOST_LABELLED = 60  # contributions are written along the arrows of pictures with at most so many
HUB = 3  # a leaf with more arrows than this does not pull its readers about


def write(view: View, *, caption: bool = True) -> str:
    """The DOT text of a view; `caption` puts title, loss and legend above the picture."""
    colors = PALETTE[view.theme]
    scale = Scale(view)
    graph = graphviz.Digraph("trace")
    marks = Marks(view)
    graph.attr("graph", **_graph_attributes(view, colors, title(view, scale, marks) if caption else None))
    graph.attr("node", fontname=FONT, fontsize="12", fontcolor=colors["ink"], shape="box", style="rounded,filled", margin="0.13,0.07",
               height="0.3", width="0.5", penwidth="1")  # fmt: skip
    graph.attr("edge", fontname=FONT, fontsize="10", arrowsize="0.6", penwidth="1.1", color=colors["line"])
    _place(graph, view, colors, scale, marks)
    readers = Counter(arrow.source for arrow in view.arrows)
    for arrow in view.arrows:
        graph.edge(arrow.source, arrow.target, **arrow_attributes(view, arrow, colors, hub=readers[arrow.source] > HUB))
    return str(graph.source)


def _graph_attributes(view: View, colors: dict[str, str], caption: str | None) -> dict[str, str]:
    attributes = {
        "rankdir": "LR" if view.flow == "right" else "TB", "nodesep": "0.22", "ranksep": "0.34", "pad": "0.2", "bgcolor": colors["paper"],
        "fontname": FONT, "fontsize": "12", "fontcolor": colors["ink"], "outputorder": "edgesfirst", "newrank": "true",
    }  # fmt: skip
    if caption is not None:
        attributes |= {"label": caption, "labelloc": "t", "labeljust": "l"}
    return attributes


def _place(graph: graphviz.Digraph, view: View, colors: dict[str, str], scale: Scale, marks: Marks) -> None:
    """Clusters and boxes, each inside the cluster it stands in; an explicit stack, since modules may be nested deeply."""
    inner: dict[str | None, list[Cluster]] = {}
    standing: dict[str | None, list[Box]] = {}
    for cluster in view.clusters:
        inner.setdefault(cluster.parent, []).append(cluster)
    for box in view.boxes:
        standing.setdefault(box.cluster, []).append(box)
    tips = Tips(view, marks)
    stack: list[tuple[str, Cluster, int] | str] = []

    def enter(name: str | None, level: int) -> None:
        for box in standing.get(name, []):
            graph.node(box.id, **box_attributes(view, box, colors, scale, tips))
        stack.extend(("open", cluster, level) for cluster in reversed(inner.get(name, [])))

    enter(None, 0)
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            graph.body.append(top)
            continue
        _, cluster, level = top
        graph.body.append(f"\tsubgraph {cluster.id} {{\n")
        graph.attr(None, **cluster_attributes(view, cluster, colors, level))
        stack.append("\t}\n")
        enter(cluster.id, level + 1)


# -- boxes ---------------------------------------------------------------------------------------------------------------------------


def box_attributes(view: View, box: Box, colors: dict[str, str], scale: Scale, tips: Tips, *, label: bool = True) -> dict[str, str]:
    """How a box looks and what it says; its label is left out where something else is written in its place."""
    look = _node_look(view, box.nodes[0], colors) if box.kind == "node" else _group_look(box, colors)
    signs = [mark for mark in (tips.marks.severity(box), tips.marks.verdict(box)) if mark is not None]
    look["class"] = " ".join([look["class"], *signs])
    fill = scale.fill(box.id)
    if fill is not None:
        look["fillcolor"] = fill
    return {"id": box.id, "label": box_label(view, box, scale, tips.marks) if label else "", "tooltip": tips.of(box), **look}


def _node_look(view: View, number: int, colors: dict[str, str]) -> dict[str, str]:
    """Shape, fill and line of one node: by kind, then what became of it."""
    node = view.trace.nodes[number]
    shown = view.values is None or number in view.values
    look = {"fillcolor": colors[node.kind], "color": colors["line" if node.kind == "op" else f"{node.kind}_line"]}
    if node.kind in ("input", "constant"):
        look["style"] = "filled"
    if node.kind == "buffer":
        look |= {"shape": "cylinder", "style": "filled"}
    classes = [node.kind, node.status.replace(" ", "-")]
    if node.status == "not executed" or (node.kind == "op" and node.status == "no gradient"):
        look |= {"fillcolor": colors["muted_fill"], "style": _style(look, "dashed")}
    if node.reason in CUTS:
        look |= {"color": colors["mark"], "style": _style(look, "dashed"), "fillcolor": colors["muted_fill"]}
        classes.append("cut")
    if node.kind == "parameter" and node.status == "no gradient":
        look |= {"style": _style(look, "dashed")}
        classes.append("frozen")
    if is_start(node):
        look |= {"fillcolor": colors["loss"], "color": colors["loss_line"], "penwidth": "1.8", "peripheries": "2"}
        classes.append("loss")
    if not shown:
        look |= {"fillcolor": colors["muted_fill"], "color": colors["faint"]}
        classes.append("not-computed")
    if number in (view.focus, view.reaching, *(view.between or ())):
        look |= {"penwidth": "2.6"}
        classes.append("focus")
    return {**look, "class": " ".join(classes)}


def _style(look: dict[str, str], extra: str) -> str:
    return f"{look.get('style', 'rounded,filled')},{extra}"


def _group_look(box: Box, colors: dict[str, str]) -> dict[str, str]:
    if box.kind == "module":
        return {"fillcolor": colors["module"], "color": colors["module_line"], "penwidth": "1.3", "class": "module"}
    return {"fillcolor": colors["segment"], "color": colors["line"], "penwidth": "1.3", "class": "segment"}


# -- clusters and arrows -------------------------------------------------------------------------------------------------------------


def cluster_attributes(view: View, cluster: Cluster, colors: dict[str, str], level: int) -> dict[str, str]:
    return {
        "id": cluster.id,
        "class": "module open",
        "label": cluster_label(view, cluster, colors["muted"]),
        "tooltip": cluster_tip(view, cluster),
        "labeljust": "l",
        "labelloc": "t",
        "style": "rounded,filled",
        "fillcolor": colors["cluster" if level % 2 == 0 else "cluster_inner"],
        "color": colors["cluster_line"],
        "penwidth": "1",
        "margin": "10",
        "fontsize": "11",
    }


def arrow_attributes(view: View, arrow: Arrow, colors: dict[str, str], *, hub: bool) -> dict[str, str]:
    edges = [view.trace.edges[number] for number in arrow.edges]
    sources = [view.trace.nodes[edge.source] for edge in edges]
    look = {"id": arrow.id}
    look |= _forward_look(view, edges, colors) if view.direction == "forward" else _backward_look(view, arrow, edges, colors)
    cut = [view.trace.nodes[edge.target] for edge in edges if not edge.differentiable and view.trace.nodes[edge.target].reason in CUTS]
    if len(cut) == len(edges):  # drawn as a broken line: two bars across it, as in a circuit
        look |= {"color": colors["mark"], "style": "dashed", "dir": "forward", "arrowhead": "teetee", "class": "edge-cut"}
    if all(source.is_leaf for source in sources):
        look |= {"penwidth": "0.8", "weight": "0" if hub else "1"}
    else:
        look |= {"weight": "20"}
    if arrow.values > 1:
        look |= {"label": f" ×{arrow.values}", "fontcolor": colors["muted"], "fontsize": "9"}
    return look


def _forward_look(view: View, edges: list[Edge], colors: dict[str, str]) -> dict[str, str]:
    if view.values is not None and not any(edge.source in view.values for edge in edges):
        return {"color": colors["faint"], "class": "not-computed"}
    if not any(edge.differentiable for edge in edges):
        return {"color": colors["line"], "style": "dashed", "class": "not-differentiable"}
    return {"color": colors["value"], "class": "value"}


def _backward_look(view: View, arrow: Arrow, edges: list[Edge], colors: dict[str, str]) -> dict[str, str]:
    """Gradients flow against the values: the arrow points back, the picture stays where it was."""
    if not any(edge.differentiable for edge in edges):
        return {"color": colors["line"], "style": "dashed", "dir": "none", "class": "not-differentiable"}
    numbers = [number for number in arrow.edges if view.flowed is None or number in view.flowed]
    flowed = [view.trace.edges[number].gradient for number in numbers if view.trace.edges[number].gradient is not None]
    if not flowed:
        return {"color": colors["faint"], "dir": "back", "class": "no-gradient"}
    look = {"color": colors["gradient"], "dir": "back", "class": "gradient"}
    contribution = flowed[0].item if flowed[0] is not None and len(edges) == 1 else None
    if contribution is not None and len(view.arrows) <= MOST_LABELLED:
        look |= {"label": f" {figure(contribution)}", "fontcolor": colors["gradient"]}
    return look
