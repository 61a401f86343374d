"""The player: its modules joined into one script, and a recording as one HTML file with the player in it.

NOTE [joined]: a v2 component and an exported file take the script as one text. The modules in assets/player/ import each other by name
only, so that leaving out their import lines and the word `export`, in order of use, makes one module of them.

NOTE [file]: the exported file asks nothing of anybody: no server, no network. Its policy lets run exactly the script and the style that
we wrote, by their hashes; what the recording holds is data, in which no character can end the element that it stands in.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

from explorer import __version__
from explorer.files import assets_folder
from explorer.foldings import brought, packed
from explorer.labels import plain
from explorer.payload import recorded
from explorer.text import LANGUAGES, say
from explorer.unfolding import remembering
from explorer.view import View

__all__ = ["document", "framed", "joined", "joined_script", "style"]

MODULES = (
    "format", "book", "dom", "ground", "fonts", "picture", "cells", "copy", "sketch", "maths", "curve", "rule", "code", "findings",
    "verification", "scene", "moves", "folds", "glide", "minimap", "lights", "overlay", "graph", "search", "tools", "address",
    "summary", "inspector", "controls", "player", "brought",
)  # fmt: skip  # each uses those before it
STYLES = ("player", "graph", "findings", "explained")
FRAME_HEIGHT = 760  # pixels in a notebook


def joined_script(*more: str) -> str:
    """The modules of the player as one, and `more` after them, without their imports and exports."""
    return joined(*MODULES, *more)


def joined(*names: str) -> str:
    """Some modules of the player as one script; each uses those before it."""
    folder = assets_folder() / "player"
    texts = [(folder / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return "\n".join(re.sub(r"^export ", "", re.sub(r"^import .*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE) for text in texts)


def style(*more: str) -> str:
    """The player's style sheet, and `more` after it."""
    folder = assets_folder() / "player"
    return "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in (*STYLES, *more))


def document(views: Sequence[View], *, start: int | None = None, theme: str | None = None) -> str:
    """A page that holds the player and one trace, in the language of the first view and switchable to those of the others.

    It opens at step `start`, in `theme` or, without one, in that of the reader's machine.
    """
    with remembering():
        spoken = [_data(view) for view in views]
    first = spoken[0]
    if start is not None:
        first["start"] = start
    bundles = {view.language: packed(data.pop("pictures")) for view, data in zip(views, spoken, strict=True)}
    recording = {"theme": theme, "data": first, "others": [_changes(first, other) for other in spoken[1:]], "pictures": bundles}
    return _page(views[0], _as_data(recording), script=joined_script("file"), look=style("file"), theme=theme)


def framed(page: str) -> str:
    """A page of ours inside another, such as a notebook: it may run its script, and reach nothing outside its frame."""
    look = f"width:100%;height:{FRAME_HEIGHT}px;border:0"
    return f'<iframe sandbox="allow-scripts" style="{look}" srcdoc="{escape(page)}"></iframe>'


def _data(view: View) -> dict[str, Any]:
    """A recording in the language of `view`, with that picture and those that can follow it; the player itself colours an overlay."""
    pictures = brought(replace(view, overlay=None), key="file")
    return {**recorded(view.trace, view.language, key="file"), "overlay": view.overlay, "picture": pictures[0], "pictures": pictures}


def _changes(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What of `other` is not as in `first`; of the steps, by far the largest part, only the sentences are."""
    changed = {name: value for name, value in other.items() if name != "steps" and value != first.get(name)}
    return {**changed, "sentences": [step["text"] for step in other["steps"]]}


def _as_data(recording: dict[str, Any]) -> str:
    """JSON that ends no element and no line: what HTML or JavaScript may take for more than text is escaped, and half characters too."""
    text = json.dumps(recording, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _page(view: View, data: str, *, script: str, look: str, theme: str | None) -> str:
    policy = "; ".join(
        ["default-src 'none'", f"script-src '{_hash(script)}'", f"style-src '{_hash(look)}'", "base-uri 'none'", "form-action 'none'"]
    )
    title = escape(plain(view.trace.title).encode("utf-8", "replace").decode())
    no_script = "".join(f'<p lang="{language}">{escape(say("page.no_script", language))}</p>' for language in LANGUAGES)
    return (
        f'<!doctype html>\n<html lang="{view.language}" data-theme="{theme or "light"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="Autograd Explorer {__version__}">\n<title>{title} · Autograd Explorer</title>\n'
        f"<style>{look}</style>\n</head>\n<body>\n"
        '<header class="top"><strong>Autograd Explorer</strong></header>\n<main><div class="player"></div></main>\n'
        f"<noscript>{no_script}</noscript>\n"
        f'<script type="application/json" id="recording">{data}</script>\n<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
