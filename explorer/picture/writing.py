"""Labels as lines of text, and how much room our font needs for them.

A label is the markup that `explorer.labels` writes for DOT; here it is read back, so that both pictures say the same.
"""

from __future__ import annotations

import functools
import html
import json
import re
from dataclasses import dataclass
from typing import Any

from explorer.engine import fonts_folder

__all__ = ["LINE", "Line", "Run", "lines_of", "room_of", "width_of"]

LINE = 1.2  # height of a line, in sizes of its largest text
GAP = 0.25  # of its size: a blank between two runs
WIDE = 1.0  # of its size: a character that our font lacks
TOKEN = re.compile(r"<(/?)([A-Z]+)([^>]*)>|([^<]+)")
ATTRIBUTE = re.compile(r'([A-Z-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one size, weight and colour, and how wide our font writes it."""

    text: str
    size: float
    bold: bool
    color: str
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """Runs beside each other; `gap` is the blank before each but the first."""

    runs: tuple[Run, ...]
    gap: float
    width: float
    height: float


@functools.lru_cache(maxsize=20_000)
def lines_of(markup: str, size: float, color: str) -> tuple[Line, ...]:
    """The lines of a label of runs and line breaks, as `labels.box_label` writes it."""
    rows: list[list[Run]] = [[]]
    bold, looks = 0, [(size, color)]
    for found in TOKEN.finditer(markup[1:-1]):
        closing, tag, attributes, text = found.groups()
        if text is not None:
            _add(rows[-1], html.unescape(text), *looks[-1], bold=bold > 0)
        elif tag == "BR":
            rows.append([])
        elif tag == "B":
            bold += -1 if closing else 1
        elif tag == "FONT" and closing:
            looks.pop()
        elif tag == "FONT":
            named = dict(ATTRIBUTE.findall(attributes))
            looks.append((float(named.get("POINT-SIZE", looks[-1][0])), named.get("COLOR", looks[-1][1])))
    return tuple(_line(runs, size) for runs in rows)


def _add(row: list[Run], text: str, size: float, color: str, *, bold: bool) -> None:
    words = text.strip()
    if words:
        row.append(Run(words, size, bold, color, width_of(words, size, bold=bold)))


def _line(runs: list[Run], size: float) -> Line:
    gap = GAP * (runs[0].size if runs else size)
    width = sum(run.width for run in runs) + gap * max(0, len(runs) - 1)
    return Line(tuple(runs), gap, width, LINE * max((run.size for run in runs), default=size))


def room_of(lines: tuple[Line, ...]) -> tuple[float, float]:
    """Width and height of lines under each other."""
    return max((line.width for line in lines), default=0.0), sum(line.height for line in lines)


@functools.lru_cache(maxsize=50_000)
def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide our font writes `text`; a character that it lacks counts as a wide one."""
    widths = _widths()["Bold" if bold else "Regular"]
    others, hangul, total = widths["others"], widths["hangul"], 0.0
    for char in text:
        known = others.get(char)
        total += known if known is not None else hangul if "가" <= char <= "힣" else 1000 * WIDE
    return float(total * size / 1000)


@functools.cache
def _widths() -> dict[str, Any]:
    return dict(json.loads((fonts_folder() / "widths.json").read_text(encoding="utf-8")))
