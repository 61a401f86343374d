"""Trace -> what the player gets, as plain JSON values: everything a person can step to, sent once; each picture of it comes for itself.

The page and an exported file feed the same player. NaN and inf travel as strings, since JSON has none.
"""

from __future__ import annotations

import json
import re
from typing import Any

from explorer.entries import Notes, edge_entry, node_entry, number, short, source_entry, step_entry, update_entry
from explorer.errors import RequestError
from explorer.explained import explained, verified
from explorer.fonts import STYLES, font_data
from explorer.model import Finding, Trace
from explorer.pages import page_of
from explorer.palette import PALETTE, SCALES, node_measures
from explorer.pictured import drawn_letters, found_places, pictured
from explorer.sheets import SHEET, columns, sheets_of
from explorer.sketches import sketches
from explorer.steps import figure, steps
from explorer.text import LANGUAGES, TEXTS
from explorer.unfolding import first_folding
from explorer.view import View

__all__ = ["MOST_PLAYED", "MOST_WHOLE", "check_playable", "outlined", "payload", "recorded"]

MOST_PLAYED = 50_000  # nodes in a file, which brings all of them: some 100 MB of data, which a browser takes a few seconds to open
MOST_WHOLE = 2_000  # nodes that a page gets at once: some 3 MB
PLAYER = "player."
NAMED = "한국어"  # how the language calls itself, whatever the page is in


def check_playable(trace: Trace) -> None:
    """Raise RequestError for a trace with more nodes than a file with the player can hold."""
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

    `around` is what the page around it may write: the Hangul in it comes along for readers whose machine has none.
    """
    notes = Notes()
    data = {
        **_about(trace, language, key),
        "nodes": [node_entry(node, notes) for node in trace.nodes],
        "edges": [edge_entry(edge, notes) for edge in trace.edges],
        "steps": [step_entry(step, language) for step in steps(trace)],
        "updates": [update_entry(update) for update in trace.updates],
        **found_places(trace),
        "sketches": sketches(trace),
        "measures": {name: [short(number) for number in numbers] for name, numbers in node_measures(trace).items()},
        **explained(trace, language),
    }
    data["fonts"] = _fonts(trace, language, json.dumps(data, ensure_ascii=False) + around)
    return data


def outlined(trace: Trace, language: str, *, key: str, step: int, around: str = "") -> dict[str, Any]:
    """The same of a trace of more than `MOST_WHOLE` nodes: columns, and the sheet with `step`; others are asked for as they are needed."""
    sheets = sheets_of(trace)
    data = {
        **_about(trace, language, key),
        "columns": columns(trace),
        "frames": found_places(trace)["frames"],
        "sheets": [sheets.sheet(max(0, min(step, len(sheets.stepper)) - 1) // SHEET, language)],
        **verified(trace, language),
    }
    data["fonts"] = _fonts(trace, language, json.dumps(data, ensure_ascii=False) + drawn_letters(trace, language) + around)
    return data


def _about(trace: Trace, language: str, key: str) -> dict[str, Any]:
    """What is told of a recording as a whole."""
    return {
        "key": key,
        "language": language,
        "texts": player_texts(language),
        "title": trace.title,
        "partial": trace.partial,
        "loss": number(trace.loss),
        "loss_text": None if trace.loss is None else figure(trace.loss),
        "made": made_with(trace, language),
        "colors": _colors(),
        "sources": dict(trace.sources),
        "findings": [_finding(finding, language) for finding in trace.findings],
        "pages": {op: page for op in sorted({node.op for node in trace.nodes if node.op}) if (page := page_of(op)) is not None},
    }


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


def _finding(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "node": finding.node,
        "source": source_entry(finding.source),
        "related": [[related.role, source_entry(related.source)] for related in finding.related],
        "message": finding.message.get(language, finding.message.get("en", "")),
        "remedy": finding.remedy.get(language, finding.remedy.get("en", "")),
    }
