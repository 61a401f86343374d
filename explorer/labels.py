"""What is written in boxes, above the picture and in tooltips: escaped markup of Graphviz's HTML-like labels.

Everything a program chose (names, paths, sizes) goes through `plain`, which drops what no picture can hold and shortens what no box can
hold, and is then escaped: it stays text.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import graphviz

from explorer.figures import figure
from explorer.marks import COLORS, SIGNS, Marks
from explorer.markup import LONGEST, bold, colored, escaped, plain, small
from explorer.model import Node, Note, Source
from explorer.palette import Scale
from explorer.places import places_of
from explorer.text import TEXTS, say
from explorer.view import Box, Cluster, View

__all__ = ["CUTS", "Tips", "box_label", "caption", "cluster_label", "cluster_tip", "figure", "guest_label", "is_start", "plain"]

LONGEST_TIP = 300  # characters of a line in a tooltip
MOST_VALUES = 4  # a box shows all values of a tensor with at most so many
TIED = "↔"
MOST_TIPS = 12  # lines of a tooltip
CUTS = frozenset({"detach", "item", "integer"})


def box_label(view: View, box: Box, scale: Scale, marks: Marks) -> str:
    """The label of a box: its lines, the first with the signs that mark it."""
    lines = _node_lines(view, box, scale) if box.kind == "node" else _group_lines(view, box, scale)
    if severity := marks.severity(box):
        lines[0] = f"{_sign(severity, scale)} {lines[0]}"
    if box.kind == "node" and is_tied(view.trace.nodes[box.nodes[0]]):
        lines[0] = f"{lines[0]} {colored(f'<B>{TIED}</B>', scale.text('muted'))}"
    if verdict := marks.verdict(box):
        lines[0] = f"{lines[0]} {_sign(verdict, scale)}"
    return f"<{'<BR/>'.join(lines)}>"


def _sign(mark: str, scale: Scale) -> str:
    return colored(f"<B>{SIGNS[mark]}</B>", scale.text(COLORS[mark]))


def _node_lines(view: View, box: Box, scale: Scale) -> list[str]:
    """The lines of a node: its name and op, what it is, its shape, and its numbers where there is one number."""
    node = view.trace.nodes[box.nodes[0]]
    muted, words = scale.text("muted"), []
    name = bold(plain(view.labels[box.names])) if box.names is not None else bold(_local_name(node)) if node.name else ""
    op = "" if not node.op or (name and node.kind != "op") else escaped(plain(node.op)) if name else bold(plain(node.op))
    if not name and not op:
        op = bold(_word(view, node.kind) if node.is_leaf else plain(node.autograd) if node.autograd else _word(view, "unknown_op"))
    first = f"{name} {colored(op, muted)}" if name and op else name or op
    if node.is_leaf and (node.name or node.op):
        words.append(_word(view, node.kind))
    words += _state_words(view, node)
    lines = [first]
    if words:
        lines.append(small(" · ".join(words), muted))
    if len(set(node.names)) > 1:
        others = sorted(set(node.names) - {node.name})
        lines.append(small(say("drawing.also", view.language, name=plain(others[0])), muted))
    return [*lines, *_number_lines(view, node, scale)]


def _state_words(view: View, node: Node) -> list[str]:
    words = []
    if is_start(node):
        scalar = view.trace.loss is not None and len(node.outputs) == 1
        words.append(_word(view, "loss" if scalar and node.name != "loss" else "starts"))
    if node.status == "not executed" and node.reason != "not reached":
        words.append(_word(view, "not_executed"))
    elif node.kind == "parameter" and node.status == "no gradient":
        words.append(_word(view, "frozen"))
    if node.reason and (node.kind == "op" or node.reason in CUTS):
        key = f"drawing.reason.{node.reason}"
        words.append(say(key, view.language) if key in TEXTS else plain(node.reason))
    elif node.kind == "op" and node.status == "no gradient":
        words.append(_word(view, "no_gradient"))
    return words


def _number_lines(view: View, node: Node, scale: Scale) -> list[str]:
    """Value and gradient where they are few numbers; else the shape. What is not reached yet says so instead of showing a number."""
    muted = scale.text("muted")
    note = node.outputs[0] if node.outputs else None
    lines: list[str] = []
    if note is None:
        return lines
    if view.values is not None and node.id not in view.values:
        return [small(_word(view, "not_computed"), muted)]
    more = f" {say('drawing.more', view.language, count=len(node.outputs) - 1)}" if len(node.outputs) > 1 else ""
    few = _few(note)
    if few is None:
        lines.append(small(_shape(view, note) + more, muted))
        lines += _not_finite(view, note, "not_finite_value", scale)
    else:
        lines.append(small(say("drawing.value", view.language, figure=few) + more, scale.text("value")))
    gradient = node.gradients[0] if node.gradients else None
    few = None if gradient is None else _few(gradient)
    if view.gradients is not None and node.id not in view.gradients:
        lines += [] if few is None else [small(_word(view, "no_gradient_yet"), muted)]
    elif few is not None:
        lines.append(small(say("drawing.gradient", view.language, figure=few), scale.text("gradient")))
    elif gradient is not None:
        lines += _not_finite(view, gradient, "not_finite_gradient", scale)
    return lines + _update_lines(view, node, muted)


def _few(note: Note) -> str | None:
    """The values themselves where there are few: "2.42", "[0, 1, 2]"."""
    if note.values is None or (note.numel or MOST_VALUES + 1) > MOST_VALUES:
        return None
    return figure(note.item) if note.item is not None and note.dtype != "bool" else _nested(note.values)


def _nested(values: Any) -> str:
    if isinstance(values, tuple):
        return f"[{', '.join(_nested(value) for value in values)}]"
    return plain(str(values)) if isinstance(values, str | bool) else figure(float(values))


def _not_finite(view: View, note: Note, word: str, scale: Scale) -> list[str]:
    """A line that says how many NaN and inf there are, if any."""
    count = (note.nans or 0) + (note.infs or 0)
    return [small(say(f"drawing.{word}", view.language, count=count), scale.text("mark"))] if count else []


def _update_lines(view: View, node: Node, muted: str) -> list[str]:
    if node.is_leaf and (view.updated is None or node.id in view.updated):
        for update in view.trace.updates:
            few = _few(update.after) if update.node == node.id else None
            if few is not None:
                return [small(say("drawing.updated", view.language, figure=few), muted)]
    return []


def _group_lines(view: View, box: Box, scale: Scale) -> list[str]:
    """The lines of a closed module (name, class, size), of a segment or a card (its first and last part, size)."""
    muted = scale.text("muted")
    ops = _ops(view, box)
    size = _count_words(view, ops, len(box.nodes))
    if box.module is not None:
        kind = plain(view.trace.modules[box.module].class_name)
        return [bold(_module_name(view, box.module, box.call)), small(f"{kind} · {size}", muted)]
    lines = [bold(_segment_name(view, box.parts, box.steps))]
    if box.card:
        lines[0] += f" {bold(f'×{box.card}')}"
        kind = plain(view.trace.modules[int(box.parts[0][1:].partition("c")[0])].class_name)
        return [
            *lines,
            small(f"{kind} · {say('drawing.each', view.language, ops=_count_words(view, ops // box.card, ops // box.card))}", muted),
        ]
    if any(part[0] == "m" for part in box.parts):
        size = say("drawing.parts", view.language, count=len(box.parts), ops=size)
    return [*lines, small(size, muted)]


def _segment_name(view: View, parts: tuple[str, ...], steps: tuple[int, int] | None) -> str:
    """What a run of neighbours is called: the turns of a loop, or its first and last part."""
    if steps is not None:
        first, last = steps
        return (
            say("drawing.turn", view.language, first=first)
            if first == last
            else say("drawing.turns", view.language, first=first, last=last)
        )
    first_name, last_name = (_part_name(view, part) for part in (parts[0], parts[-1]))
    return f"{first_name} … {last_name}"


def _module_name(view: View, module: int, call: int, longest: int = LONGEST) -> str:
    """The module as it reads where it stands, and which call of it this is, from the second on."""
    name = plain(view.labels[module], longest)
    return name if not call else f"{name} {say('drawing.call', view.language, number=call + 1)}"


def guest_label(view: View, box: Box) -> str:
    """The word for what is written into another box: a leaf by its name, a change of shape by its op."""
    node = view.trace.nodes[box.nodes[0]]
    if node.is_leaf:
        name = plain(_local_name(node) if node.name else (node.op or _word(view, node.kind)).strip("_"), 20)
        return f"{name} {TIED}" if is_tied(node) else name
    return plain((node.op or "").strip("_"), 20)


def _part_name(view: View, part: str) -> str:
    if part[0] == "m":
        module, _, call = part[1:].partition("c")
        return _module_name(view, int(module), int(call or 0), 16)
    node = view.trace.nodes[int(part[1:])]
    return plain(_local_name(node) if node.name else node.op or node.autograd or _word(view, "unknown_op"), 16)


def _local_name(node: Node) -> str:
    """The node's name; of a parameter its last part: the modules around it say the rest."""
    name = node.name or ""
    return plain(name.rpartition(".")[2] if node.kind in ("parameter", "buffer") else name)


def is_tied(node: Node) -> bool:
    """Whether a parameter stands in several places of the model, so that what reads it there shares it."""
    return len(node.names) > 1 and node.kind == "parameter" and len(set(node.names)) > 1


def is_start(node: Node) -> bool:
    """Whether backward began at this node."""
    return bool(node.seeds) and any(seed is not None for seed in node.seeds)


def cluster_label(view: View, cluster: Cluster, color: str) -> str:
    """Name and class of an open module, or the name of an open segment."""
    if cluster.module is None:
        return f"<{bold(_segment_name(view, cluster.parts, cluster.steps))}>"
    kind = colored(escaped(plain(view.trace.modules[cluster.module].class_name)), color)
    return f"<{bold(_module_name(view, cluster.module, cluster.call))} {kind}>"


def cluster_tip(view: View, cluster: Cluster) -> str:
    """Path and class of an open module, in full."""
    if cluster.module is None:
        return _tip([_segment_name(view, cluster.parts, cluster.steps)])
    module = view.trace.modules[cluster.module]
    return _tip([module.path, module.class_name])


# -- caption, legend, tooltips -------------------------------------------------------------------------------------------------------


def caption(view: View, scale: Scale, marks: Marks) -> str:
    """Title, loss, what the arrows mean, and what is not as asked for; under it what signs and colours mean."""
    trace, language, colors = view.trace, view.language, scale.palette
    starts = {node.id for node in trace.nodes if is_start(node)}
    reached = view.values is None or (bool(starts) and starts <= view.values)
    parts = [] if trace.loss is None or not reached else [say("drawing.loss_is", language, figure=figure(trace.loss))]
    parts.append(_count_words(view, sum(not node.is_leaf for node in trace.nodes), len(trace.nodes)))
    parts += [plain(trace.made_with.device), plain(trace.made_with.dtype)]
    if trace.passes > 1:
        parts.append(say("drawing.pass", language, number=trace.number, passes=trace.passes))
    if view.step is not None:
        parts.append(say("drawing.step", language, step=view.step))
    parts += _choices(view)
    notes = [_word(view, "empty")] if not trace.nodes else [_word(view, view.direction)]
    notes += [_word(view, word) for word, wanted in (("partial", trace.partial), ("simplified", view.simplified)) if wanted]
    direction = colors["value" if view.direction == "forward" else "gradient"]
    rows = [
        f'<FONT POINT-SIZE="15"><B>{escaped(plain(trace.title, 60))}</B></FONT>',
        small(" · ".join(parts), colors["muted"]),
        small(notes[0], direction if trace.nodes else colors["muted"]),
        *(small(note, colors["mark"]) for note in notes[1:]),
        *_signs(view, scale, marks),
    ]
    cells = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{cells}{_legend(view, scale)}<TR><TD> </TD></TR></TABLE>>'


def _choices(view: View) -> Iterator[str]:
    """Which part of the trace is shown, if not all of it."""
    language = view.language
    if view.focus is not None:
        yield say("drawing.focus", language, name=_part_name(view, f"n{view.focus}"))
    if view.between is not None:
        first, second = (_part_name(view, f"n{node}") for node in sorted(view.between))
        yield say("drawing.between", language, first=first, second=second)
    if view.reaching is not None:
        yield say("drawing.reaching", language, name=_part_name(view, f"n{view.reaching}"))
    if view.only == "gradient":
        yield _word(view, "only_gradient")
    elif view.only is not None:
        yield say("drawing.only_class", language, name=plain(view.only))


def _signs(view: View, scale: Scale, marks: Marks) -> list[str]:
    """A line of the caption that says what the signs on boxes mean, where there are any."""
    words = [f"{_sign(mark, scale)} {small(_word(view, f'sign.{mark}'), scale.palette['muted'])}" for mark in SIGNS if mark in marks.met]
    if any(is_tied(view.trace.nodes[box.nodes[0]]) for box in view.boxes if box.kind == "node"):
        words.append(f"{colored(f'<B>{TIED}</B>', scale.palette['muted'])} {small(_word(view, 'sign.tied'), scale.palette['muted'])}")
    return ["  ".join(words)] if words else []


def _legend(view: View, scale: Scale) -> str:
    """Rows of the caption that say what the colours mean."""
    if not scale.colors:
        return ""
    colors = scale.palette
    numbers = scale.numbers.values()
    cells = [small(say(f"drawing.overlay.{view.overlay}", view.language), colors["muted"]), small(figure(scale.low), colors["muted"])]
    steps = scale.colors if scale.high > scale.low else scale.colors[:1]
    cells += ["".join(_swatch(color, color) for color in steps), small(figure(scale.high), colors["muted"])]
    for word, color, wanted in (
        ("unknown", colors["paper"], any(number is None for number in numbers)),
        ("not_finite", colors["bad"], any(number is not None and not math.isfinite(number) for number in numbers)),
    ):
        if wanted:
            cells += [_swatch(color, colors["line"]), small(say(f"drawing.overlay.{word}", view.language), colors["muted"])]
    row = "".join(cell if cell.startswith("<TD") else f"<TD>{cell}</TD>" for cell in cells)
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="1"><TR>{row}</TR></TABLE>'
    return f'<TR><TD ALIGN="LEFT">{table}</TD></TR>'


def _swatch(color: str, line: str) -> str:
    return f'<TD BGCOLOR="{color}" BORDER="1" COLOR="{line}" WIDTH="22" HEIGHT="10" FIXEDSIZE="TRUE"></TD>'


class Tips:
    """What a box says when pointed at: names in full, where it stands, shapes, the line it comes from, findings."""

    def __init__(self, view: View, marks: Marks) -> None:
        self.view = view
        self.marks = marks
        self._places: dict[int, str] = {}  # by id() of a source, which many nodes share

    def of(self, box: Box) -> str:
        """The tooltip of a box, as a DOT string."""
        lines = list(self._node(self.view.trace.nodes[box.nodes[0]]) if box.kind == "node" else self._group(box))
        lines += [finding.message.get(self.view.language, "") for finding in self.marks.findings(box)]
        return _tip(lines[:MOST_TIPS])

    def _node(self, node: Node) -> Iterator[str]:
        yield " · ".join(word for word in (*node.names, node.op, node.autograd) if word)
        if is_tied(node):
            yield f"{TIED} {_word(self.view, 'sign.tied')}"
        if node.module:
            yield node.module
        for note in node.outputs:
            yield f"{_sizes(note.shape) or _word(self.view, 'scalar')} {note.dtype} {note.device}"
        if node.source is not None:
            yield self._place(node.source)

    def _place(self, source: Source) -> str:
        found = self._places.get(id(source))
        if found is None:
            found = self._places[id(source)] = f"{source.file}:{source.line}: {source.expression}"
        return found

    def _group(self, box: Box) -> Iterator[str]:
        if box.module is not None:
            module = self.view.trace.modules[box.module]
            yield f"{module.path} · {module.class_name}"
        ops = _ops(self.view, box)
        yield _count_words(self.view, ops, len(box.nodes))


# -- text ----------------------------------------------------------------------------------------------------------------------------


def _tip(lines: list[str]) -> str:
    r"""Lines of a tooltip as an escString, in which \n breaks the line and any other backslash is doubled."""
    return graphviz.nohtml("\\n".join(plain(line, LONGEST_TIP).replace("\\", "\\\\") for line in lines if line))


def _word(view: View, word: str) -> str:
    return _known_word(word, view.language)


@functools.lru_cache(maxsize=1_000)
def _known_word(word: str, language: str) -> str:
    return say(f"drawing.{word}", language)


def _shape(view: View, note: Note) -> str:
    return f"[{plain(_sizes(note.shape))}]" if note.shape else _word(view, "scalar")


@functools.lru_cache(maxsize=5_000)
def _sizes(shape: tuple[int | str, ...]) -> str:
    return "×".join(map(str, shape))


def _ops(view: View, box: Box) -> int:
    """How many of the nodes that a box stands for compute something."""
    return len(box.nodes) - sum(map(places_of(view.trace).leaf.__getitem__, box.nodes))


def _count_words(view: View, ops: int, nodes: int) -> str:
    if ops == 0:
        return say("drawing.leaves", view.language, count=nodes)
    return _word(view, "one_op") if ops == 1 else say("drawing.ops", view.language, count=ops)
