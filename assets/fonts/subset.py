"""Makes Explorer Sans out of Pretendard's static OTF files: `python subset.py FOLDER`. The same input gives the same bytes.

Beside the fonts it writes `widths.json`, the advance widths of the characters, in thousandths of the font's size.
"""

import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

NAME = "Explorer Sans"
STYLES = {"Regular": ("Pretendard-Regular.otf", 400), "Bold": ("Pretendard-SemiBold.otf", 700)}
KEPT = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x3FF), (0x400, 0x45F), (0x1100, 0x11FF), (0x2000, 0x27FF), (0x3000, 0x30FF),
    (0x3130, 0x318F), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF), (0xFFFD, 0xFFFD),
)  # fmt: skip


def make(source: Path, target: Path, *, style: str, weight: int) -> dict[str, object]:
    """Write the subset of `source` as one style of our family; returns its widths."""
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=["kern", "mark", "mkmk", "ccmp", "locl"], name_IDs=["*"], notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in KEPT for code in range(first, last + 1)])
    subsetter.subset(font)
    rename(font, style=style, weight=weight)
    font.save(target)
    return widths(font)


def widths(font: TTFont) -> dict[str, object]:
    """Width of each character; syllables of Hangul are all as wide as the first."""
    unit, advances = font["head"].unitsPerEm, font["hmtx"].metrics
    known = {code: round(1000 * advances[name][0] / unit) for code, name in sorted(font.getBestCmap().items())}
    hangul = {known[code] for code in known if 0xAC00 <= code <= 0xD7A3}
    assert len(hangul) == 1
    return {"hangul": hangul.pop(), "others": {chr(code): width for code, width in known.items() if not 0xAC00 <= code <= 0xD7A3}}


def rename(font: TTFont, *, style: str, weight: int) -> None:
    """Give the font our name wherever it states one: the name it came with is reserved."""
    names = font["name"]
    names.names = [name for name in names.names if name.nameID in (0, 13, 14) and name.langID in (0, 0x409)]
    stated = {1: NAME, 2: style, 3: f"{NAME} {style} 1.0", 4: f"{NAME} {style}", 5: "Version 1.0", 6: f"ExplorerSans-{style}"}
    for number, text in stated.items():
        names.setName(text, number, 3, 1, 0x409)
    bold = style == "Bold"
    font["OS/2"].usWeightClass = weight
    font["OS/2"].fsSelection = font["OS/2"].fsSelection & ~0x61 | (0x20 if bold else 0x40)
    font["head"].macStyle = int(bold)
    outlines = font["CFF "].cff
    outlines.fontNames[0] = f"ExplorerSans-{style}"
    top = outlines.topDictIndex[0]
    top.FullName, top.FamilyName, top.Weight = f"{NAME} {style}", NAME, style
    for number, part in enumerate(top.FDArray):
        part.FontName = f"ExplorerSans-{style}-{number}"


if __name__ == "__main__":
    here = Path(__file__).parent
    found = {}
    for name, (file, boldness) in STYLES.items():
        found[name] = make(Path(sys.argv[1]) / file, here / f"ExplorerSans-{name}.otf", style=name, weight=boldness)
    (here / "widths.json").write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
