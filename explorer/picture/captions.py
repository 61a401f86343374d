"""What stands above a picture: title, figures, what arrows and signs mean, and the legend of an overlay.

Read back from the caption that `explorer.labels` writes for DOT, so that both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from explorer.labels import caption
from explorer.marks import Marks
from explorer.palette import Scale
from explorer.picture.writing import Line, lines_of
from explorer.view import View

__all__ = ["Caption"]

ROW = re.compile(r'<TR><TD ALIGN="LEFT">(<TABLE.*?</TABLE>|.*?)</TD></TR>', re.DOTALL)
CELL = re.compile(r'<TD BGCOLOR="([^"]*)" BORDER="1" COLOR="([^"]*)"[^>]*></TD>|<TD>(.*?)</TD>', re.DOTALL)
BELOW = 12.0
SWATCH = (22.0, 10.0)
GAP = 5.0


class Caption:
    """The caption of a view, as rows of text and of swatches."""

    def __init__(self, view: View, scale: Scale, marks: Marks) -> None:
        self.ink = scale.palette["ink"]
        rows = ROW.findall(caption(view, scale, marks))
        self.lines = [self._read(row) for row in rows if not row.startswith("<TABLE")]
        self.legend = [self._cell(*found) for row in rows if row.startswith("<TABLE") for found in CELL.findall(row)]
        legend = sum(_cell_width(cell) for cell in self.legend) + GAP * len(self.legend)
        self.width = max([legend, *(line.width for line in self.lines)])
        self.height = sum(line.height + 2 for line in self.lines) + (SWATCH[1] + 8 if self.legend else 0.0) + BELOW

    def _read(self, row: str) -> Line:
        return lines_of(f"<{row}>", 12.0, self.ink)[0]

    def _cell(self, fill: str, color: str, text: str) -> Line | tuple[str, str]:
        return self._read(text) if text else (fill, color)

    def svg(self, x: float, y: float) -> Iterator[str]:
        """The caption as text and shapes of an SVG."""
        for line in self.lines:
            yield from _runs(line, x, y)
            y += line.height + 2
        y += 4
        for cell in self.legend:
            if isinstance(cell, Line):
                yield from _runs(cell, x, y + (SWATCH[1] - cell.height) / 2)
            else:
                fill, color = cell
                yield (f'<path fill="{fill}" stroke="{color}" d="M{x:.1f},{y:.1f}h{SWATCH[0]:g}v{SWATCH[1]:g}h-{SWATCH[0]:g}z"/>')
            x += _cell_width(cell) + GAP


def _cell_width(cell: Line | tuple[str, str]) -> float:
    return cell.width if isinstance(cell, Line) else SWATCH[0]


def _runs(line: Line, x: float, y: float) -> Iterator[str]:
    for run in line.runs:
        weight = ' font-weight="bold"' if run.bold else ""
        yield (
            f'<text x="{x:.2f}" y="{y + (line.height - run.size) / 2 + 0.93 * run.size:.2f}" font-size="{run.size:.2f}"{weight} '
            f'fill="{run.color}" textLength="{run.width:.1f}" lengthAdjust="spacingAndGlyphs">{escape(run.text, quote=False)}</text>\n'
        )
        x += run.width + line.gap
