"""The journal of a recording: each row is in a file the moment it is written down, so that a crash of the process loses nothing.

NOTE [journal]: the file is written through a window of it in memory, which costs one copy and no system call; what stands there the system
keeps when the process dies, whatever it dies of. An entry is its length, a checksum, and a value as marshal writes it: whoever is killed
in the middle of writing leaves an entry that does not check, and there the journal ends. Room in the file is made before it is written to,
because writing to a window that the disk has no room for is fatal.
"""

from __future__ import annotations

import marshal
import mmap
import os
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any
from zlib import crc32

from explorer.capture.rows import Input, Row
from explorer.model import Note, Source

__all__ = ["Journal", "rows_of"]

WINDOW = 1 << 20  # bytes of the file that lie in memory at a time
LIMIT = 1 << 29  # bytes: well over a million ops, after which the journal ends
VERSION = 2  # of marshal's format: the last that looks for no object twice, which takes longer than writing it twice

_HEAD = struct.Struct("<II")
_PARTS = ("inputs", "outputs", "base", "source", "function_source")
_PLAIN = tuple(entry.name for entry in fields(Row) if entry.name not in (*_PARTS, "tensors"))
_plain = attrgetter(*_PLAIN)
_note = attrgetter(*(entry.name for entry in fields(Note)))
_source = attrgetter(*(entry.name for entry in fields(Source)))

Outline = tuple[tuple[int | str, ...], str, str]  # shape, data type and device of a tensor whose figures come later


class Journal:
    """Writes rows to a file. A full disk or a limit ends the journal, not the program; processes that the program forks do not write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()
        self._turning = threading.Lock()
        self._sources: dict[int, tuple[int, Source]] = {}  # by address, which is safe while the source is held
        self._start = 0  # where in the file the window begins
        self._window: mmap.mmap | None = None
        path.touch()
        self._turn(None, 0)

    def add(self, row: Row, outputs: Sequence[Note | Outline] | None = None, base: Note | Outline | None = None) -> None:
        """Write a row; `outputs` and `base` in place of its own, where those are not known in full yet."""
        self._write(
            (
                _plain(row),
                [(item.row, item.output, item.needs_gradient) for item in row.inputs],
                [_entry(note) for note in (row.outputs if outputs is None else outputs)],
                _entry(row.base if base is None else base),
                None if row.source is None else self._number(row.source),
                None if row.function_source is None else self._number(row.function_source),
            )
        )

    def measured(self, rows: Iterable[Row]) -> None:
        """Write what the outputs and bases of rows turned out to be; all in one entry."""
        found = [(row.index, [_note(note) for note in row.outputs], None if row.base is None else _note(row.base)) for row in rows]
        if found:
            self._write(found)

    def _number(self, source: Source) -> int:
        known = self._sources.get(id(source))
        if known is None:
            known = self._sources[id(source)] = len(self._sources), source
            self._write(_source(source))
        return known[0]

    def _write(self, value: Any) -> None:
        if os.getpid() != self._process or self._window is None:
            return
        data = marshal.dumps(value, VERSION)
        entry = _HEAD.pack(len(data), crc32(data)) + data
        while (window := self._window) is not None:
            try:
                window.write(entry)  # one call, so that threads do not write into each other's entries
                return
            except ValueError:  # it is full, or another thread has just turned it
                self._turn(window, len(entry))

    def _turn(self, full: mmap.mmap | None, needed: int) -> None:
        """Move the window on to where the next entry goes."""
        with self._turning:
            if self._window is not full:
                return
            end = self._start + (0 if full is None else full.tell())
            start = end - end % mmap.ALLOCATIONGRANULARITY
            size = -(-max(WINDOW, end - start + needed) // WINDOW) * WINDOW
            try:
                if start + size > LIMIT:
                    raise ValueError(size)
                with open(self._path, "r+b") as file:  # opened anew each time: a program may close all files
                    file.seek(0, os.SEEK_END)
                    file.write(bytes(max(0, start + size - file.tell())))
                    file.flush()
                    window = mmap.mmap(file.fileno(), size, offset=start)
            except (OSError, ValueError):
                self._window = None
                return
            window.seek(end - start)
            self._start, self._window = start, window


def _entry(note: Note | Outline | None) -> tuple[Any, ...] | None:
    return _note(note) if isinstance(note, Note) else note


def rows_of(path: Path) -> Iterator[Row]:
    """The rows that a journal holds, in the order they were written; of several with the same index the later one counts."""
    sources: list[Source] = []
    rows: dict[int, Row] = {}
    for entry in _entries(path):
        match entry:
            case list():
                for index, outputs, base in entry:
                    if index in rows:
                        rows[index].outputs = [Note(*note) for note in outputs]
                        rows[index].base = None if base is None else Note(*base)
            case (tuple(plain), inputs, outputs, base, source, function_source):
                row = Row(**dict(zip(_PLAIN, plain, strict=True)))
                row.inputs = [Input(*item) for item in inputs]
                row.outputs = [Note(*note) for note in outputs]
                row.base = None if base is None else Note(*base)
                row.source = None if source is None else sources[source]
                row.function_source = None if function_source is None else sources[function_source]
                rows[row.index] = row
            case _:
                sources.append(Source(*entry))
    yield from rows.values()


def _entries(path: Path) -> Iterator[Any]:
    with open(path, "rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            data = file.read(length)
            if not length or len(data) != length or crc32(data) != checksum:
                return
            yield marshal.loads(data)
