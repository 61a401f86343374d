"""A drawn view -> what the player needs to know of it: which box stands for which node, what can be opened and closed, what it is called.

The recording says which modules there are and where each node stands; a picture refers to them by their ids.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from explorer.fonts import STYLES, font_data, letters
from explorer.labels import plain
from explorer.model import Trace
from explorer.places import places_of, remembered
from explorer.text import LANGUAGES, TEXTS
from explorer.unfolding import Folding, first_folding
from explorer.view import Box, Cluster, View

__all__ = ["drawn_letters", "found_places", "pictured"]

WRITTEN = "".join(map(chr, range(0x20, 0x7F))) + "−×…·–✓✗≈⚠↔"  # so that most English drawings share one cut of the font
LABEL = 24  # characters: what is longer stands in messages, not in boxes


def pictured(view: View, *, svg: str, width: float, height: float, key: str, folding: Folding, said: str | None = None) -> dict[str, Any]:
    """A picture of the recording `key` in which `folding` is open; `said` is why it is not the one that was asked for."""
    foldable: list[Box | Cluster] = [*(box for box in view.boxes if box.kind != "node"), *view.clusters]
    return {
        "key": key,
        "language": view.language,
        "svg": svg,
        "width": width,
        "height": height,
        "folding": folding.plain(),
        "first": folding == first_folding(view.trace),
        "said": said,
        # box and how many nodes in a row it stands for: they mostly stand together
        "boxes": [[box, len(list(run))] for box, run in groupby(view.box_of.get(node.id) for node in view.trace.nodes)],
        "arrows": [[arrow.id, list(arrow.edges)] for arrow in view.arrows],
        "foldable": [[one.id, plain(_name(view, one.parts, one.module, one.call)), list(one.parts)] for one in foldable],
        "cards": [box.id for box in view.boxes if box.card],
        **_more_fonts(view.trace, view.language, svg),
    }


def _name(view: View, parts: tuple[str, ...], module: int | None, call: int) -> str:
    if module is not None:
        return view.labels[module] + (f" ({call + 1})" if call else "")
    ends = [_part_name(view, part) for part in (parts[0], parts[-1])]
    return " … ".join(ends)


def _part_name(view: View, part: str) -> str:
    if part[0] == "m":
        return view.labels[int(part[1:].partition("c")[0])]
    node = view.trace.nodes[int(part[1:])]
    return node.name or node.op or node.kind


def found_places(trace: Trace) -> dict[str, Any]:
    """The calls of modules, as [id, path, class, name where it stands, index of the one around it], and the innermost around each node."""
    places = places_of(trace)
    around = {chain[length]: chain[length - 1] if length else None for chain in set(places.chains) for length in range(len(chain))}
    frames = []
    for number, frame in enumerate(places.frames):
        module = trace.modules[frame.module]
        frames.append([frame.id, module.path, module.class_name, places.labels[frame.module], around.get(number)])
    return {"frames": frames, "stands": [chain[-1] if chain else None for chain in places.chains]}


def drawn_letters(trace: Trace, language: str) -> str:
    """Every character that a picture of `trace` may write."""
    return remembered(places_of(trace), f"letters {language}", lambda: _letters(trace, language))


def _letters(trace: Trace, language: str) -> str:
    found = set(WRITTEN)
    column = LANGUAGES.index(language)
    for key, both in TEXTS.items():
        if key.startswith("drawing.") and len(both[column]) < LABEL:
            found.update(both[column])
    names: set[str | None] = set()  # of many nodes mostly the same
    for node in trace.nodes:
        names.update((node.name, node.op, node.autograd, node.reason), node.names)
        for note in node.outputs:
            if note is not None:
                names.update(size for size in note.shape if isinstance(size, str))
    for name in names:
        found.update(name or "")
    for module in trace.modules:
        found.update(module.path, module.class_name)
    return "".join(sorted(found))


def _more_fonts(trace: Trace, language: str, svg: str) -> dict[str, Any]:
    """The font once more where a picture writes what nobody foresaw."""
    known = set(drawn_letters(trace, language))
    written = letters(svg)
    if all(known.issuperset(characters) for characters in written.values()):
        return {}
    return {"fonts": {style: font_data(style, "".join(sorted(known | set(written[style])))) for style in STYLES}}
