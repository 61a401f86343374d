"""The SQLite file of one rank, as it is written. Readers: `explorer.runs.reading`.

    steps          a row a step: seconds of training so far, and its metrics as float64 in the order that `columns` has
    columns        each set of metrics that there was, as a list of names
    parameters     name and shape, in the model's order
    measures       a row a measured step: norms of gradient, weight and update of every parameter, float32, one after the other
    local          of one process of several, a row a measured step: seconds it waited for the others, and the norms of the gradients
                   that it had before they were averaged, float32; older files do not have this table
    distributions  histograms and statistics of a gradient, a weight or an activation at a step
    traces         recorded steps: the file's name, and why it was recorded
    texts          what a step said in words, such as a sample
    events         started, paused, resumed, nan, …

A step is appended to a file beside this one (`explorer.runs.tail`) and moved here a few times a second, in one transaction. Both are
written to the system at once, so that a killed process loses nothing, and to the disk when SQLite moves its log into the file.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.errors import OutputError
from explorer.runs.folder import FORMAT
from explorer.runs.requests import Lock
from explorer.runs.tail import LOCAL, MEASURED, Row, Tail, read_tail, steps_of

__all__ = ["OPTIONAL", "SCHEMA", "Writer", "rank_file"]

SCHEMA = {
    "about": "key TEXT PRIMARY KEY, value",
    "columns": "id INTEGER PRIMARY KEY, names TEXT NOT NULL",
    "steps": "step INTEGER PRIMARY KEY, at REAL NOT NULL, columns INTEGER NOT NULL, numbers BLOB NOT NULL",
    "parameters": "id INTEGER PRIMARY KEY, name TEXT NOT NULL, shape TEXT NOT NULL",
    "measures": "step INTEGER PRIMARY KEY, numbers BLOB NOT NULL",
    "distributions": (
        "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, what TEXT NOT NULL, name TEXT NOT NULL, elements INTEGER NOT NULL, "
        "counted INTEGER NOT NULL, low REAL, high REAL, mean REAL, std REAL, zeros INTEGER, broken INTEGER, counts BLOB NOT NULL"
    ),
    "traces": "step INTEGER PRIMARY KEY, file TEXT NOT NULL, reason TEXT NOT NULL",
    "texts": "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL",
    "events": "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time REAL NOT NULL, kind TEXT NOT NULL, told TEXT NOT NULL",
}
OPTIONAL = {"local": "step INTEGER PRIMARY KEY, numbers BLOB NOT NULL"}
BY_STEP = ("steps", "measures", "local", "distributions", "traces", "texts")  # what is done again when a run goes on from an earlier step
PAGES = (4096, 8192, 16384)
LEAST_USED = 0.93  # of a page by rows of measures
MOVED_EVERY = 0.25  # seconds
MOVED_SELDOM = 2.0  # where each move is a few writes over a network
MOST_WAITING = 1000  # rows
MOST_BYTES = 1 << 23  # of what was measured


def rank_file(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank}.sqlite"


class Writer:
    """Writes one rank of a run. Where the disk is full or gone, `broken` says why; what was stored stays as it is.

    With `stops=True` trouble with the disk raises `OutputError`, otherwise the training goes on without being stored. `shared`: the folder
    is read from other machines as well, for which SQLite's log is not made; a reader may then hold up a move for a moment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rank: int = 0,
        parameters: Sequence[tuple[str, Sequence[int]]] = (),
        stops: bool = False,
        goes_on: bool = False,
        shared: bool = False,
    ) -> None:
        self.folder, self.rank, self.stops, self._every = folder, rank, stops, MOVED_SELDOM if shared else MOVED_EVERY
        self.broken: str | None = None
        self.parameters = len(parameters)
        self._lock = Lock(folder, rank)
        self._columns: dict[tuple[str, ...], tuple[int, struct.Struct]] = {}
        self._waiting: list[Row] = []
        self._bytes = 0  # of what was measured, among it
        self._moved = 0.0
        try:
            self._tail = Tail(folder, rank)
        except OSError as error:
            self._lock.release()
            raise OutputError("runs.cannot_store", path=str(folder), reason=error.strerror or error) from error
        try:
            self._connection = _connected(folder, rank, len(parameters))
            self._begin(parameters, goes_on=goes_on)
            self._connection.execute(f"PRAGMA journal_mode = {'TRUNCATE' if shared else 'WAL'}")
            # A power cut may lose the last seconds, and never damages the file.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            self._tail.close()
            self._lock.release()
            raise OutputError("runs.cannot_store", path=str(folder), reason=str(error)) from error

    def _begin(self, parameters: Sequence[tuple[str, Sequence[int]]], *, goes_on: bool) -> None:
        """Make the tables, at once: whoever reads sees an empty file or all of them."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        for name, columns in {**SCHEMA, **OPTIONAL}.items():
            run(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        run("CREATE INDEX IF NOT EXISTS distributions_by_step ON distributions (step)")
        run("INSERT OR REPLACE INTO about VALUES ('format', ?), ('rank', ?)", (FORMAT, self.rank))
        if not goes_on:
            self._connection.executemany(
                "INSERT INTO parameters VALUES (?, ?, ?)",
                [(number, name, json.dumps(list(shape))) for number, (name, shape) in enumerate(parameters)],
            )
        run("COMMIT")
        self._waiting = read_tail(self.folder, self.rank) if goes_on else []
        self._move()
        for number, names in run("SELECT id, names FROM columns").fetchall():
            self._columns[tuple(json.loads(names))] = number, struct.Struct(f"<{len(json.loads(names))}d")

    def step(self, step: int, at: float, metrics: Mapping[str, float], measured: bytes | None = None, local: bytes | None = None) -> None:
        """Store a finished step, `at` seconds after the training began; `measured` are its norms, `local` a row of that table."""
        if self.broken is not None:
            return
        try:
            names = tuple(metrics)
            known = self._columns.get(names)
            if known is None:
                known = self._new_columns(names)
            rows = [(step, at, known[0], known[1].pack(*metrics.values()))]
            if measured is not None or local is not None:
                for kind, numbers in ((MEASURED, measured), (LOCAL, local)):
                    if numbers is not None:
                        rows.append((step, at, kind, numbers))
                        self._bytes += len(numbers)
            self._tail.add(*rows)
            self._waiting += rows
            now = time.perf_counter()
            if now - self._moved > self._every or len(self._waiting) > MOST_WAITING or self._bytes > MOST_BYTES:
                self._moved = now
                self._move()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _move(self) -> None:
        """What was appended goes into SQLite."""
        run = self._connection.execute
        run("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", steps_of(self._waiting))
        for kind, table in ((MEASURED, "measures"), (LOCAL, "local")):
            rows = [(row[0], row[3]) for row in steps_of(self._waiting, kind)]
            if rows:
                self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", rows)
        run("COMMIT")
        self._waiting.clear()
        self._bytes = 0
        self._tail.clear()

    def _settle(self) -> None:
        """Nothing waits any more."""
        if self._waiting and self.broken is None:
            try:
                self._move()
            except (sqlite3.Error, OSError) as error:
                self._fail(error)

    def _new_columns(self, names: tuple[str, ...]) -> tuple[int, struct.Struct]:
        number = len(self._columns)
        self._connection.execute("INSERT INTO columns VALUES (?, ?)", (number, json.dumps(names, ensure_ascii=False)))
        self._columns[names] = number, struct.Struct(f"<{len(names)}d")
        return self._columns[names]

    def distributions(self, step: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Store (what, name, elements, counted, low, high, mean, std, zeros, broken, counts as uint32) for each tensor."""
        self._many("INSERT INTO distributions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [(step, *row) for row in rows])

    def trace(self, step: int, file: str, reason: str) -> None:
        """Say that step `step` was recorded in `file`."""
        self._many("INSERT OR REPLACE INTO traces VALUES (?, ?, ?)", [(step, file, reason)])

    def text(self, step: int, name: str, text: str) -> None:
        """Store what a step said in words."""
        self._many("INSERT INTO texts VALUES (NULL, ?, ?, ?)", [(step, name, text)])

    def event(self, kind: str, step: int, time: float, **told: Any) -> None:
        """Store that something happened after step `step`."""
        self._many("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", [(step, time, kind, json.dumps(told, ensure_ascii=False))])

    def forget_after(self, step: int) -> None:
        """Remove what was stored of later steps: they are done again."""
        self._settle()
        for table in BY_STEP:
            self._many(f"DELETE FROM {table} WHERE step > ?", [(step,)])

    def _many(self, command: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if self.broken is not None:
            return
        self._settle()
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany(command, rows)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.broken = str(error)
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        if self.stops:
            raise OutputError("runs.cannot_store", path=str(self.folder), reason=self.broken) from error

    def last(self) -> tuple[int, float]:
        """The last stored step and its seconds; (0, 0.0) where there is none."""
        waiting = steps_of(self._waiting)
        if waiting:
            return waiting[-1][:2]
        row = self._connection.execute("SELECT step, at FROM steps ORDER BY step DESC LIMIT 1").fetchone()
        return (0, 0.0) if row is None else (int(row[0]), float(row[1]))

    def close(self) -> None:
        """Leave the file to others, as one file without a log beside it, unless somebody is reading just now."""
        self._settle()
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA busy_timeout = 200")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._tail.close()
        self._lock.release()


def _connected(folder: Path, rank: int, parameters: int) -> sqlite3.Connection:
    connection = sqlite3.connect(rank_file(folder, rank), timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA page_size = {_page_size(12 * parameters + 12)}")
    return connection


def _page_size(row: int) -> int:
    """The smallest page that rows of this many bytes fill well; a long row goes over several pages by itself."""
    for size in PAGES:
        if (size - 12) // row * row >= LEAST_USED * size:
            return size
    return PAGES[0]
