"""Trace -> what the player gets, as plain JSON values: everything a person can step to, sent once; each picture of it comes for itself.

The page and an exported file feed the same player. NaN and inf travel as strings, since JSON has none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from explorer.errors import RequestError
from explorer.explained import explained
from explorer.fonts import STYLES, font_data
from explorer.model import Edge, Finding, Node, Note, Source, Trace, Update
from explorer.pages import page_of
from explorer.palette import PALETTE, SCALES, node_measures
from explorer.pictured import drawn_letters, found_places, pictured
from explorer.sketches import sketches
from explorer.steps import Ref, Step, Sum, figure, steps
from explorer.text import LANGUAGES, TEXTS, say
from explorer.unfolding import first_folding
from explorer.updating import update_rule
from explorer.view import View

__all__ = ["MOST_PLAYED", "check_playable", "payload", "recorded"]

MOST_PLAYED = 50_000  # nodes: some 100 MB of data, which a browser takes a few seconds to open
PLAYER = "player."
STATISTICS = ("min", "max", "mean", "std", "norm", "zeros", "nans", "infs")
_statistics = attrgetter(*STATISTICS)
NAMED = "한국어"  # how the language calls itself, whatever the page is in


def check_playable(trace: Trace) -> None:
    """Raise RequestError for a trace with more nodes than the player can hold."""
    if len(trace.nodes) > MOST_PLAYED:
        raise RequestError("drawing.too_many_to_play", nodes=len(trace.nodes), most=MOST_PLAYED)


def payload(trace: Trace, *, view: View, svg: str, width: float, height: float, key: str) -> dict[str, Any]:
    """All that the player shows of `trace`, and the first picture: `trace` drawn as `view`. `key` tells recordings apart.

    Raises RequestError for a trace that is too large.
    """
    check_playable(trace)
    picture = pictured(view, svg=svg, width=width, height=height, key=key, folding=first_folding(trace))
    return {**recorded(trace, view.language, key=key), "picture": picture}


def recorded(trace: Trace, language: str, *, key: str, around: str = "") -> dict[str, Any]:
    """All that the player shows of `trace` but pictures; `key` tells recordings apart, so that the step is kept while it is the same.

    `around` is what the page around it may write: the Hangul in it comes along for readers whose machine has none. Of a trace that is too
    large to be stepped through only what its pictures need comes, and `still`, a sentence that says so; its findings have no node then.
    """
    still, whole, notes = None, trace, _Notes()
    if len(trace.nodes) > MOST_PLAYED:
        still = say("page.still", language, nodes=f"{len(trace.nodes):,}", most=f"{MOST_PLAYED:,}")
        findings = tuple(replace(finding, node=None) for finding in trace.findings)
        empty: dict[str, Any] = dict.fromkeys(("nodes", "edges", "forward", "backward", "updates"), ())
        trace = replace(trace, **empty, tensors={}, checks=None, findings=findings)
    data: dict[str, Any] = {
        "key": key,
        "language": language,
        "still": still,
        "texts": player_texts(language),
        "title": trace.title,
        "partial": trace.partial,
        "loss": _number(trace.loss),
        "loss_text": None if trace.loss is None else figure(trace.loss),
        "made": made_with(trace, language),
        "colors": _colors(),
        "nodes": [_node(node, notes) for node in trace.nodes],
        "edges": [_edge(edge, notes) for edge in trace.edges],
        "steps": [_step(step, language) for step in steps(trace)],
        "updates": [_update(update) for update in trace.updates],
        "sources": dict(trace.sources),
        "findings": [_finding(finding, language) for finding in trace.findings],
        **(found_places(whole) if still is None else {**found_places(whole), "stands": []}),
        "pages": {op: page for op in sorted({node.op for node in trace.nodes if node.op}) if (page := page_of(op)) is not None},
        "sketches": sketches(trace),
        "measures": {name: [_short(number) for number in numbers] for name, numbers in node_measures(trace).items()},
        **explained(trace, language),
    }
    data["fonts"] = _fonts(whole, language, json.dumps(data, ensure_ascii=False) + around)
    return data


def player_texts(language: str) -> dict[str, str]:
    """The words of the player in one language, by what follows "player." in their key."""
    column = LANGUAGES.index(language)
    return {name.removeprefix(PLAYER): both[column] for name, both in TEXTS.items() if name.startswith(PLAYER)}


def made_with(trace: Trace, language: str) -> str:
    """How the trace came about, in a few words."""
    made = trace.made_with
    parts = [made.device, made.dtype, f"torch {made.torch}"]
    if made.seed is not None:
        parts.append(TEXTS["player.seed"][LANGUAGES.index(language)].format(seed=made.seed))
    if trace.passes > 1:
        parts.append(TEXTS["player.pass"][LANGUAGES.index(language)].format(number=trace.number, passes=trace.passes))
    return " · ".join(parts)


def _fonts(trace: Trace, language: str, said: str) -> dict[str, str]:
    """The font of drawings in both weights, with all that a picture of `trace` may write; and for the text around it, all Hangul in it."""
    characters = drawn_letters(trace, language)
    hangul = {*re.findall("[\u3131-\u318e\uac00-\ud7a3]", said), *NAMED}
    pieces = {style: font_data(style, characters) for style in STYLES}
    return {**pieces, "Text": font_data("Regular", "".join(sorted(hangul)))}


def _colors() -> dict[str, Any]:
    """The colours of values and gradients, by which the player finds these numbers in the drawing, and every colour's dark counterpart.

    The drawing is always the light one: the player turns it dark in the browser, where a person may switch at any time.
    """
    light, dark = PALETTE["light"], PALETTE["dark"]
    # Two light colours may be the same where their dark ones differ: the ground is not drawn, so that white is a box.
    pairs = {light[name]: dark[name] for name in sorted(light, key=lambda name: name != "paper")}
    for name, shades in SCALES["light"].items():
        pairs |= zip(shades, SCALES["dark"][name], strict=True)
    return {
        "value": light["value"],
        "gradient": light["gradient"],
        "dark": pairs,
        "scales": {name: [list(SCALES[theme][name]) for theme in ("light", "dark")] for name in SCALES["light"]},
        "bad": [light["bad"], dark["bad"]],
    }


def _number(value: float | None) -> float | str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _short(value: float | None) -> float | str | None:
    """A number for a colour: four figures are enough."""
    return float(f"{value:.4g}") if isinstance(value, float) and math.isfinite(value) else _number(value)


def _values(values: Any) -> Any:
    """Nested tuples as lists; a note holds at most 64 values, so the depth is what the shape says."""
    return [_values(value) for value in values] if isinstance(values, tuple) else _number(values)


class _Notes:
    """Notes as plain values; one that stands in several places, as a gradient does that flows on unchanged, is written out once."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, Any]] = {}  # by id: the trace holds them all

    def __call__(self, note: Note | None) -> dict[str, Any] | None:
        if note is None:
            return None
        found = self._known.get(id(note))
        if found is None:
            found = self._known[id(note)] = _note(note)
        return found


def _note(note: Note) -> dict[str, Any]:
    entry: dict[str, Any] = {"shape": list(note.shape), "dtype": note.dtype, "device": note.device}
    for name, value in zip(STATISTICS, _statistics(note), strict=True):
        if value is not None:
            entry[name] = _number(value)
    if note.values is not None:
        entry["values"] = _values(note.values)
    return entry


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "file": source.file,
        "line": source.line,
        "end_line": source.end_line,
        "code": source.code,
        "column": source.column,
        "end_column": source.end_column,
    }


def _node(node: Node, notes: _Notes) -> dict[str, Any]:
    accumulated = node.accumulated
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "names": list(dict.fromkeys(node.names)),
        "op": node.op,
        "autograd": node.autograd,
        "module": node.module,
        "source": _source(node.source),
        "outputs": list(map(notes, node.outputs)),
        "gradients": list(map(notes, node.gradients)),
        "seeds": list(map(notes, node.seeds)),
        "grad": None if accumulated is None else {"before": notes(accumulated.before), "after": notes(accumulated.after)},
        "status": node.status,
        "reason": node.reason,
        "saved": [
            {
                "name": saved.name,
                "shape": list(saved.shape),
                "dtype": saved.dtype,
                "bytes": saved.bytes,
                "shared_with": saved.shared_with,
                "state": saved.state,
            }
            for saved in node.saved
        ],
        "formula": None if node.formula is None else {"text": node.formula.text, "source": node.formula.source},
    }


def _edge(edge: Edge, notes: _Notes) -> list[Any]:
    return [edge.source, edge.output, edge.target, edge.input, notes(edge.gradient), edge.differentiable]


def _step(step: Step, language: str) -> dict[str, Any]:
    return {
        "phase": step.phase,
        "kind": step.kind,
        "node": step.node,
        "reads": [_ref(ref) for ref in step.reads],
        "writes": [_ref(ref) for ref in step.writes],
        "sums": [_sum(met) for met in step.accumulates],
        "update": step.update,
        "text": step.say(language),
    }


def _ref(ref: Ref) -> list[Any]:
    return [ref.what, ref.node, ref.output, ref.edge]


def _sum(met: Sum) -> dict[str, Any]:
    return {
        "node": met.node,
        "output": met.output,
        "arrived": met.arrived,
        "expected": met.expected,
        "total": _values(met.total),
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "node": update.node,
        "optimizer": update.optimizer,
        "before": _note(update.before),
        "after": _note(update.after),
        "state": {name: _note(note) for name, note in update.state.items()},
        "settings": _settings(update.settings),
        "rule": update_rule(update),
    }


def _settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings that did something, the learning rate first; what is off (0, None, False) is left out."""
    used = {name: value for name, value in settings.items() if name == "lr" or value not in (0, None, False, "", ())}
    order = sorted(used, key=lambda name: name != "lr")
    return {name: f"{used[name]:g}" if isinstance(used[name], float) else str(used[name]) for name in order}


def _finding(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "node": finding.node,
        "source": _source(finding.source),
        "related": [[related.role, _source(related.source)] for related in finding.related],
        "message": finding.message.get(language, finding.message.get("en", "")),
        "remedy": finding.remedy.get(language, finding.remedy.get("en", "")),
    }
