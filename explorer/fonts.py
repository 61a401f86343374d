"""Our font, cut down to the characters that a drawing needs, for readers whose machine does not have it.

NOTE [font]: whole, the font is 2.8 MB in two weights (1.4 MB as WOFF 2), nearly all of it Hangul. A drawing needs some 60 characters: 5 to
12 kB a weight, made in 0.15 s. So that any name of the user's shows, in any script the font knows, it is cut for each drawing anew.
"""

from __future__ import annotations

import base64
import functools
import io
from xml.etree import ElementTree

from explorer.dot import FONT
from explorer.engine import fonts_folder

__all__ = ["STYLES", "embed", "font_data", "letters"]

SVG = "http://www.w3.org/2000/svg"
STYLES = {"Regular": 400, "Bold": 700}  # our two weights, as CSS counts them


def letters(svg: str | bytes) -> dict[str, str]:
    """What a drawing writes in each weight: every character once, in order."""
    found: dict[str, set[str]] = {style: set() for style in STYLES}
    for text in ElementTree.fromstring(svg).iter(f"{{{SVG}}}text"):
        found["Bold" if text.get("font-weight") == "bold" else "Regular"].update(text.text or "")
    return {style: "".join(sorted(characters)) for style, characters in found.items()}


@functools.lru_cache(maxsize=64)
def font_data(style: str, characters: str) -> str:
    """The glyphs of `characters` as WOFF in base 64; what the font lacks is left out. The same characters give the same text."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(fonts_folder() / f"ExplorerSans-{style}.otf", recalcTimestamp=False, lazy=True)
    options = subset.Options(hinting=False, layout_features=["kern", "mark", "mkmk", "ccmp"], name_IDs=[], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    font.flavor = "woff"
    stream = io.BytesIO()
    font.save(stream)
    font.close()
    return base64.b64encode(stream.getvalue()).decode()


def embed(svg: bytes) -> bytes:
    """A drawing that carries the font it is written in: opened alone, it shows the same text on a machine without any font."""
    root = ElementTree.fromstring(svg)
    rules = [
        f"@font-face{{font-family:'{FONT}';font-weight:{STYLES[style]};src:url(data:font/woff;base64,{font_data(style, characters)})}}"
        for style, characters in letters(svg).items()
        if characters
    ]
    if not rules:
        return svg
    ElementTree.register_namespace("", SVG)
    style = ElementTree.Element(f"{{{SVG}}}style")
    style.text = "".join(rules)
    root.insert(0, style)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
