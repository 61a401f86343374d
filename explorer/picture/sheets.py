"""What is written in each box that stands by itself, and how much room it takes: its label, and the words of what is written into it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.labels import guest_label
from explorer.picture.writing import LINE, Line, room_of, width_of
from explorer.view import Box, View

__all__ = ["CHIP", "STACK", "Chip", "Sheet", "chip_width", "sheet_of"]

PAD = (9.4, 5.0)  # between the text of a box and its border
SMALLEST = (36.0, 21.6)
CHIP = 9.0  # size of the text of what is written into a box
CHIP_HEIGHT = 14.0
CHIP_PAD = 5.5
CHIP_GAP = 4.0
WIDEST_ROW = 150.0
STACK = 6.0  # how far the last card of a stack looks out behind the first
RING = 3.0  # between the two lines around the box where backward begins


@dataclass(frozen=True, slots=True)
class Chip:
    """A box written into another: its corner and size, inside that box."""

    box: Box
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A box as it is drawn: size, lines of text with the top of the first, chips."""

    width: float
    height: float
    lines: tuple[Line, ...]
    top: float
    chips: tuple[Chip, ...]


def sheet_of(view: View, box: Box, lines: tuple[Line, ...], written: list[Box], *, ring: bool) -> Sheet:
    """The sheet of a box with the boxes `written` into it; `ring` leaves room for a second line around it."""
    pad_x, pad_y = (PAD[0], PAD[1]) if not box.small else (7.0, 2.5)
    extra = RING if ring else 0.0
    width, height = room_of(lines)
    if not written and not box.card:
        total, tall = width + 2 * (pad_x + extra), pad_y + extra + height + pad_y + extra
        total, tall = (total, tall) if box.small else (max(SMALLEST[0], total), max(SMALLEST[1], tall))
        return Sheet(round(total + 0.5), round(tall + 0.5), lines, (tall - height) / 2, ())
    widest = max(WIDEST_ROW, width)
    rows: dict[str, list[list[tuple[Box, float]]]] = {"before": [], "line": [], "after": []}
    for guest in written:
        _seat(rows[guest.place or "line"], guest, chip_width(view, guest), 0.0 if box.small else widest)
    inner = max([width, *(_row_width(row) for place in rows.values() for row in place)])
    total = max(SMALLEST[0] if not box.small else 0.0, inner + 2 * (pad_x + extra))
    chips: list[Chip] = []
    y = _place(chips, rows["before"], total, pad_y + extra)
    top = y
    y = _place(chips, rows["line"], total, y + height + (2.0 if rows["line"] else 0.0))
    y = _place(chips, rows["after"], total, y)
    tall = max(SMALLEST[1] if not box.small else 0.0, y + pad_y + extra)
    if not chips:
        top = (tall - height) / 2
    if box.card:  # room for the cards behind it
        total, tall = total + STACK, tall + STACK
    return Sheet(round(total + 0.5), round(tall + 0.5), lines, top, tuple(chips))


def chip_width(view: View, box: Box) -> float:
    """How wide the chip of a box is."""
    return width_of(guest_label(view, box), CHIP) + 2 * (CHIP_PAD if view.trace.nodes[box.nodes[0]].is_leaf else 2.0)


def _seat(rows: list[list[tuple[Box, float]]], guest: Box, width: float, widest: float) -> None:
    if not rows or _row_width(rows[-1]) + CHIP_GAP + width > widest:
        rows.append([])
    rows[-1].append((guest, width))


def _row_width(row: list[tuple[Box, float]]) -> float:
    return sum(width for _, width in row) + CHIP_GAP * (len(row) - 1)


def _place(chips: list[Chip], rows: list[list[tuple[Box, float]]], total: float, y: float) -> float:
    for row in rows:
        x = (total - _row_width(row)) / 2
        for box, width in row:
            chips.append(Chip(box, x, y, width, CHIP_HEIGHT - 2))
            x += width + CHIP_GAP
        y += CHIP_HEIGHT
    return y


assert CHIP_HEIGHT >= CHIP * LINE
