"""The steps of the last moment, in a file beside SQLite that is only ever appended to: rank-0.tail.

A transaction of SQLite takes a fifth of a step of a small network; an append takes a hundredth. Steps are appended one by one, each with
what was measured of it, and moved into SQLite a few times a second. Whoever reads looks here first and into SQLite then, so that a step
that moves meanwhile is seen once at least; a process that is killed leaves what it had not moved for the next one to move. Each record has
a checksum: one that is torn ends it.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

__all__ = ["LOCAL", "MEASURED", "Row", "Tail", "read_tail", "steps_of"]

Row = tuple[int, float, int, bytes]  # step, seconds, columns, metrics as float64

MEASURED, LOCAL = -1, -2  # in place of columns: the rest is a row of the table `measures` or `local`

_HEAD = struct.Struct("<IIqdi")  # checksum of the rest, bytes of numbers, step, seconds, columns
_BODY = 8  # where the checked part begins
_FIRST, _REST = struct.Struct("<II"), struct.Struct("<qdi")  # the two parts of it
LARGEST = 1 << 26  # bytes: what a writer leaves takes a few thousand


class Tail:
    """The side that appends. Raises `OSError` where the disk is full."""

    def __init__(self, folder: Path, rank: int) -> None:
        self._file = os.open(tail_file(folder, rank), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)

    def add(self, *rows: Row) -> None:
        """All rows of a step at once."""
        records = _record(*rows[0]) if len(rows) == 1 else b"".join([_record(*row) for row in rows])
        if os.write(self._file, records) != len(records):
            raise OSError("the disk is full")

    def clear(self) -> None:
        """All of it is in SQLite."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _record(step: int, at: float, columns: int, numbers: bytes) -> bytes:
    record = _REST.pack(step, at, columns) + numbers
    return _FIRST.pack(zlib.crc32(record), len(numbers)) + record


def tail_file(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank}.tail"


def read_tail(folder: Path, rank: int) -> list[Row]:
    """What is not in SQLite yet, and perhaps some that just went there; a step comes before what was measured of it."""
    path = tail_file(folder, rank)
    try:
        if path.is_symlink() or not path.is_file():
            return []
        with open(path, "rb") as file:
            text = file.read(LARGEST)
    except OSError:
        return []
    rows: list[Row] = []
    place = 0
    while place + _HEAD.size <= len(text):
        checksum, size, step, at, columns = _HEAD.unpack_from(text, place)
        end = place + _HEAD.size + size
        if end > len(text) or zlib.crc32(text[place + _BODY : end]) != checksum or (rows and step <= rows[-1][0] - (columns < 0)):
            break
        rows.append((step, at, columns, text[place + _HEAD.size : end]))
        place = end
    return rows


def steps_of(rows: list[Row], kind: int | None = None) -> list[Row]:
    """Of what a tail holds the steps, or what was measured of them."""
    return [row for row in rows if (row[2] >= 0 if kind is None else row[2] == kind)]
