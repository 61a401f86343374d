"""Our SVG -> PDF: one page as large as the picture, text that can be selected, our font inside.

NOTE [pdf]: measured against the ways to a PDF from pip (2026-11). Graphviz through pygraphviz writes good ones, but needs glib's and X11's
libraries and knows neither our lines nor our tiles; reportlab and fpdf2 want fonts in TrueType outlines, ours has PostScript ones. What our
drawings hold is little (paths, polygons, text), so that a page of our own is shorter than the detour: no dependency but fontTools, which
cuts the font in any case. Letters that our font lacks are left to Graphviz (`layout`).
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from explorer.engine import fonts_folder
from explorer.fonts import STYLES, SVG, letters

__all__ = ["pdf"]

LARGEST = 14_400.0  # units of a page that every reader can show; larger pages count in larger units
COMMAND = re.compile(r"([MLHVQZhvqz])([^MLHVQZhvqz]*)")
NUMBER = re.compile(r"-?\d*\.?\d+")


def pdf(svg: str) -> bytes:
    """The page of a drawing. The same drawing gives the same bytes."""
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width", "1")), float(root.get("height", "1"))
    unit = max(1.0, width / LARGEST, height / LARGEST)
    fonts = {style: _Font(style, characters) for style, characters in letters(svg).items() if characters}
    content = "\n".join([f"{1 / unit:.6f} 0 0 {-1 / unit:.6f} 0 {height / unit:.3f} cm 1 j", *_shapes(root, fonts)])
    objects: list[bytes] = [b"", b""]  # catalog and pages come first, and know what follows

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    names = " ".join(f"/{style} {font.write(add)} 0 R" for style, font in fonts.items())
    page = add(_stream(content.encode("ascii"), ""))
    box = f"[0 0 {width / unit:.3f} {height / unit:.3f}]"
    kid = add(f"<</Type/Page/Parent 2 0 R/MediaBox{box}/UserUnit {unit:.6f}/Contents {page} 0 R/Resources<</Font<<{names}>>>>>>".encode())
    objects[0] = b"<</Type/Catalog/Pages 2 0 R>>"
    objects[1] = f"<</Type/Pages/Kids[{kid} 0 R]/Count 1>>".encode()
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def _stream(data: bytes, more: str) -> bytes:
    packed = zlib.compress(data, 9)
    return f"<</Length {len(packed)}/Filter/FlateDecode{more}>>\nstream\n".encode() + packed + b"\nendstream"


# -- shapes and text -----------------------------------------------------------------------------------------------------------------


def _shapes(root: ElementTree.Element, fonts: dict[str, _Font]) -> Iterator[str]:
    for element in root.iter():
        kind = element.tag.removeprefix(f"{{{SVG}}}")
        if kind == "text":
            yield _text(element, fonts)
        elif kind in ("path", "polygon"):
            fill, stroke = element.get("fill", "none"), element.get("stroke", "none")
            if fill == "none" and stroke == "none":
                continue
            way = _path(element.get("d", "")) if kind == "path" else _polygon(element.get("points", ""))
            paint = {(True, True): "B", (True, False): "f", (False, True): "S"}[fill != "none", stroke != "none"]
            dashes = element.get("stroke-dasharray", "").replace(",", " ")
            looks = [f"{_color(fill)} rg"] if fill != "none" else []
            looks += [f"{_color(stroke)} RG {element.get('stroke-width', '1')} w [{dashes}] 0 d"] if stroke != "none" else []
            yield f"{' '.join(looks)} {way} {paint}"


def _color(text: str) -> str:
    return " ".join(f"{int(text[place : place + 2], 16) / 255:.3f}" for place in (1, 3, 5))


def _polygon(points: str) -> str:
    pairs = [pair.split(",") for pair in points.split()]
    return " ".join(f"{x} {y} {'l' if number else 'm'}" for number, (x, y) in enumerate(pairs)) + " h"


def _path(data: str) -> str:
    """The commands of a path that our drawings use; a quadratic curve becomes a cubic one."""
    x = y = 0.0
    parts = []
    for command, rest in COMMAND.findall(data):
        numbers = [float(number) for number in NUMBER.findall(rest)]
        match command:
            case "M" | "L":
                x, y = numbers
                parts.append(f"{x:g} {y:g} {command.lower()}")
            case "H" | "V" | "h" | "v":
                x = numbers[0] if command == "H" else x + numbers[0] if command == "h" else x
                y = numbers[0] if command == "V" else y + numbers[0] if command == "v" else y
                parts.append(f"{x:g} {y:g} l")
            case "Q" | "q":
                from_x, from_y = (x, y) if command == "q" else (0.0, 0.0)
                a, b, to_x, to_y = numbers[0] + from_x, numbers[1] + from_y, numbers[2] + from_x, numbers[3] + from_y
                one, other = (x + (a - x) * 2 / 3, y + (b - y) * 2 / 3), (to_x + (a - to_x) * 2 / 3, to_y + (b - to_y) * 2 / 3)
                parts.append(f"{one[0]:.2f} {one[1]:.2f} {other[0]:.2f} {other[1]:.2f} {to_x:g} {to_y:g} c")
                x, y = to_x, to_y
            case _:
                parts.append("h")
    return " ".join(parts)


def _text(element: ElementTree.Element, fonts: dict[str, _Font]) -> str:
    text = element.text or ""
    font = fonts["Bold" if element.get("font-weight") == "bold" else "Regular"]
    size = float(element.get("font-size", "12"))
    own = font.width(text) * size / 1000
    wanted = float(element.get("textLength", own))
    fit = 100 * wanted / own if own else 100
    x, y = element.get("x", "0"), element.get("y", "0")
    look = f"{_color(element.get('fill', '#000000'))} rg /{font.style} {size:g} Tf {fit:.2f} Tz"
    return f"BT {look} 1 0 0 -1 {x} {y} Tm <{font.code(text)}> Tj ET"


# -- the font ------------------------------------------------------------------------------------------------------------------------


class _Font:
    """One weight of our font, cut down to the characters of a drawing. Glyphs keep their numbers, which the text then names."""

    def __init__(self, style: str, characters: str) -> None:
        from fontTools import subset
        from fontTools.ttLib import TTFont

        self.style = style
        font = TTFont(fonts_folder() / f"ExplorerSans-{style}.otf", recalcTimestamp=False, lazy=True)
        options = subset.Options(hinting=False, layout_features=[], name_IDs=[], notdef_outline=True, desubroutinize=True)
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters)
        cutter.subset(font)
        scale = 1000 / font["head"].unitsPerEm
        names: dict[int, str] = font.getBestCmap()
        self.glyphs = {chr(code): int(name.removeprefix("cid")) for code, name in names.items()}
        self.widths = {char: font["hmtx"].metrics[names[ord(char)]][0] * scale for char in self.glyphs}
        self.measures: dict[str, Any] = {
            "Ascent": font["hhea"].ascent * scale,
            "Descent": font["hhea"].descent * scale,
            "CapHeight": font["OS/2"].sCapHeight * scale,
        }
        self.data: bytes = font.reader["CFF "] if font.reader is not None and not font.isLoaded("CFF ") else font["CFF "].compile(font)
        font.close()

    def width(self, text: str) -> float:
        """How wide a text is, in thousandths of its size."""
        return sum(self.widths.get(char, 0.0) for char in text)

    def code(self, text: str) -> str:
        """The numbers of a text's glyphs."""
        return "".join(f"{self.glyphs[char]:04x}" for char in text if char in self.glyphs)

    def write(self, add: Any) -> int:
        """Add the objects of this font to a file; the number of the font."""
        name = f"EXPLRS+ExplorerSans-{self.style}"
        file = add(_stream(self.data, "/Subtype/CIDFontType0C"))
        figures = "".join(f"/{key} {value:.0f}" for key, value in self.measures.items())
        look = add(
            f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[-1000 -300 2000 1100]/ItalicAngle 0/StemV 80{figures}"
            f"/FontFile3 {file} 0 R>>".encode()
        )
        widths = " ".join(f"{glyph}[{self.widths[char]:.0f}]" for char, glyph in sorted(self.glyphs.items(), key=lambda pair: pair[1]))
        inner = add(
            f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {look} 0 R/DW 500/W[{widths}]>>".encode()
        )
        words = add(_stream(self._to_unicode().encode("ascii"), ""))
        looks = f"/BaseFont/{name}/Encoding/Identity-H/DescendantFonts[{inner} 0 R]/ToUnicode {words} 0 R"
        return int(add(f"<</Type/Font/Subtype/Type0{looks}>>".encode()))

    def _to_unicode(self) -> str:
        """Which character each glyph stands for: what makes the text of a page text."""
        rows = [
            f"<{glyph:04x}> <{char.encode('utf-16-be').hex()}>" for char, glyph in sorted(self.glyphs.items(), key=lambda pair: pair[1])
        ]
        blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
        body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def /CMapName/Adobe-Identity-UCS def /CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{body}\n"
            "endcmap CMapName currentdict /CMap defineresource pop end end\n"
        )


assert set(STYLES) == {"Regular", "Bold"}
