"""The pictures that an exported file brings along: those a person most likely wants next, found by opening and closing from the first.

NOTE [brought]: a file has no server to draw for it. It holds the first picture, everything open where that is not too much, each card
and each module opened from there, the other direction of flow; then what follows from these, as far as the room goes. Nearly all of their
text is the same, so that packed they take a few kilobytes each.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

from explorer.layout import picture
from explorer.pictured import pictured
from explorer.unfolding import CLUSTER, Act, Folding, after, folding_of, refusal, remembering, view_of_folding
from explorer.view import View

__all__ = ["brought", "packed"]

MOST_BROUGHT = 20  # pictures
MOST_BOXES = 1_000  # in all of them together
MOST_TRIED = 400_000  # nodes looked at to find them, so that a large recording brings fewer


def brought(view: View, *, key: str) -> list[dict[str, Any]]:
    """Pictures of the trace of `view` in its language, its own first; `ways` says which act leads from one to which.

    A view of a part (the paths between two nodes, one class, …) comes alone: what is open says nothing of the part.
    """
    with remembering():
        return _brought(view, key)


def _brought(view: View, key: str) -> list[dict[str, Any]]:
    trace = view.trace
    options: dict[str, Any] = {"language": view.language, "direction": view.direction, "compact": view.compact}
    foldings = [folding_of(view)]
    found = [_drawn(view, foldings[0], key)]
    if view.between is not None or view.reaching is not None or view.only is not None:
        return found
    boxes, tried, number = _standing(view), 0, 0
    while number < len(found) and tried < MOST_TRIED:
        for act in _acts(found[number]):
            wanted = after(trace, foldings[number], act)
            tried += len(trace.nodes)
            if wanted not in foldings and len(found) < MOST_BROUGHT:
                other = view_of_folding(trace, wanted, **options)
                if boxes + _standing(other) <= MOST_BOXES and refusal(trace, other, view.language) is None:
                    boxes += _standing(other)
                    foldings.append(wanted)
                    found.append(_drawn(other, wanted, key))
            if wanted in foldings:
                found[number]["ways"][name_of(act)] = foldings.index(wanted)
        number += 1
    return found


def packed(pictures: list[dict[str, Any]]) -> str:
    """The pictures as JSON, compressed, in base 64."""
    text = json.dumps(pictures, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return base64.b64encode(gzip.compress(text, mtime=0)).decode()


def name_of(act: Act) -> str:
    """An act as the player writes it."""
    return json.dumps(act, separators=(",", ":"))


def _acts(picture: dict[str, Any]) -> Iterator[Act]:
    """What a person may do with a picture, the likeliest first."""
    cards = set(picture["cards"])
    yield {"first": True}
    yield {"all": True}
    for name, _, parts in picture["foldable"]:
        if name in cards:
            yield {"open": name}
            yield {"each": name}
            yield from ({"into": part} for part in parts)
        elif not name.startswith(CLUSTER):
            yield {"open": name}
    for name, _, _ in picture["foldable"]:
        if name.startswith(CLUSTER):
            yield {"close": name.removeprefix(CLUSTER)}
    yield {"flow": "right" if picture["folding"]["flow"] == "down" else "down"}


def _drawn(view: View, folding: Folding, key: str) -> dict[str, Any]:
    drawn = picture(view)
    made = pictured(drawn.view, svg=drawn.svg, width=drawn.width, height=drawn.height, key=key, folding=folding)
    return {**made, "ways": {}}


def _standing(view: View) -> int:
    return sum(not box.hosts for box in view.boxes)
