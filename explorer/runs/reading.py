"""Reads a run that may be written at this moment, may be half written, or may come from somebody who means harm.

Each question opens the file, asks, and closes it again: a reader holds nothing that a writer could wait for. `since` asks for what is newer
than a step, which costs as much as there is new. What is long is thinned here, group of neighbours by group, so that the extremes stay.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import FileError
from explorer.runs.folder import About, list_folders, read_about
from explorer.runs.opening import opened, whole
from explorer.runs.records import Distribution, Event, Local, Measures, Parameter, Recorded, Scalars, Status
from explorer.runs.requests import is_alive
from explorer.runs.storing import rank_file
from explorer.runs.tail import LOCAL, MEASURED, Row, read_tail, steps_of, tail_file

__all__ = ["Run", "list_runs", "open_run"]

MOST_POINTS = 2000  # of a measure over the steps
MOST_PARAMETERS = 1_000_000
MOST_METRICS = 10_000
MOST_RANKS = 65_536
PIECE = 4096  # rows taken at once
ENDED = ("finished", "stopped", "failed")
FRESH = 60.0  # seconds in which a process on another machine, whose lock need not reach us, writes something


def open_run(folder: str | Path) -> Run:
    """The run in `folder`; `FileError` where there is none that can be read."""
    about = read_about(folder)
    path = Path(folder)
    ranks = tuple(sorted(number for file in path.glob("rank-*.sqlite") if (number := _number(file)) is not None and _is_begun(file)))
    if not ranks:
        raise FileError("runs.damaged", path=str(folder))
    run = Run(path, about, ranks)
    run.step()  # whether it can be read at all
    return run


def list_runs(parent: str | Path) -> list[tuple[Path, Run | FileError]]:
    """Each run in `parent` and its folders; one that cannot be read comes with the reason."""
    found: list[tuple[Path, Run | FileError]] = []
    for folder in list_folders(parent):
        try:
            found.append((folder, open_run(folder)))
        except FileError as error:
            found.append((folder, error))
    return found


def _is_begun(file: Path) -> bool:
    """A rank that has just been started has an empty file."""
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _number(file: Path) -> int | None:
    word = file.stem.removeprefix("rank-")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 and int(word) < MOST_RANKS else None


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk. Every answer is read when it is asked for, and may be newer than the one before."""

    folder: Path
    about: About
    ranks: tuple[int, ...] = (0,)

    def step(self, rank: int | None = None) -> int:
        """The last finished step; 0 before the first."""
        tail = steps_of(read_tail(self.folder, self._rank(rank)))
        stored = self._ask(rank, lambda run: whole(run("SELECT max(step) FROM steps").fetchone()[0] or 0))
        return max(stored, tail[-1][0]) if tail else int(stored)

    def status(self, rank: int | None = None) -> Status:
        """How far the run is, and whether somebody still works on it."""

        def asked(run: Any) -> tuple[Any, ...]:
            last = run("SELECT step, at FROM steps ORDER BY step DESC LIMIT 1").fetchone() or (0, 0.0)
            kind = run("SELECT kind FROM events WHERE kind IN ('started','resumed','paused','continued','finished','stopped','failed') "
                       "ORDER BY id DESC LIMIT 1").fetchone() or ("started",)  # fmt: skip
            nan = run("SELECT min(step) FROM events WHERE kind = 'nan'").fetchone()
            begun = run("SELECT told FROM events WHERE kind IN ('started','resumed') ORDER BY id DESC LIMIT 1").fetchone() or ("{}",)
            host = dict(json.loads(begun[0])).get("host")
            return whole(last[0]), float(last[1]), str(kind[0]), None if nan[0] is None else whole(nan[0]), host

        alive = is_alive(self.folder, self._rank(rank))
        tail = steps_of(read_tail(self.folder, self._rank(rank)))
        step, at, kind, nan, host = self._ask(rank, asked)
        if not alive and kind not in ENDED and isinstance(host, str) and host != socket.gethostname():
            alive = time.time() - self.written(rank) < FRESH  # a lock may not reach from one machine to another
        if tail and tail[-1][0] > step:
            step, at = tail[-1][:2]
        if kind in ENDED:
            state = kind
        elif not alive:
            state = "died"
        else:
            state = "paused" if kind == "paused" else "running"
        return Status(state, step, at, self.about.steps, alive, nan)

    def written(self, rank: int | None = None) -> float:
        """When this rank wrote something last, in seconds since 1970."""
        file = rank_file(self.folder, self._rank(rank))
        found = 0.0
        for path in (file, file.with_name(f"{file.name}-wal"), tail_file(self.folder, self._rank(rank))):
            with contextlib.suppress(OSError):
                found = max(found, path.stat().st_mtime)
        return found

    def scalars(self, since: int = 0, rank: int | None = None) -> Scalars:
        """The metrics of all steps after `since`."""
        tail = steps_of(read_tail(self.folder, self._rank(rank)))
        return self._ask(rank, partial(_scalars, since=since, tail=tail))

    def parameters(self, rank: int | None = None) -> list[Parameter]:
        """The model's parameters, in the order of the columns of `measures`."""
        return self._ask(rank, _parameters)

    def measures(self, since: int = 0, until: int | None = None, *, most: int = MOST_POINTS, rank: int | None = None) -> Measures:
        """The norms at the measured steps after `since` and up to `until`; of more than `most` the largest of each group of neighbours."""
        tail = steps_of(read_tail(self.folder, self._rank(rank)), MEASURED)
        steps, found = self._ask(rank, partial(_norms, table="measures", tail=tail, since=since, until=until, most=most))
        norms = found.reshape(len(steps), 3, found.shape[1] // 3)
        return Measures(steps, norms[:, 0], norms[:, 1], norms[:, 2])

    def local(self, since: int = 0, until: int | None = None, *, most: int = MOST_POINTS, rank: int | None = None) -> Local:
        """What one of several processes had before the gradients were averaged; no step where there is only one."""
        tail = steps_of(read_tail(self.folder, self._rank(rank)), LOCAL)
        steps, found = self._ask(rank, partial(_norms, table="local", tail=tail, since=since, until=until, most=most))
        return Local(steps, found[:, 0], found[:, 1:])

    def distributions(self, step: int, rank: int | None = None) -> list[Distribution]:
        """The histograms of the last step up to `step` that has some."""
        return self._ask(rank, partial(_distributions, step=step))

    def traces(self, rank: int | None = None) -> list[Recorded]:
        """The recorded steps, those whose file is there."""
        rows = self._ask(rank, lambda run: run("SELECT step, file, reason FROM traces ORDER BY step").fetchall())
        folder = self.folder / "traces"
        # Only a name in our own folder is followed, wherever the file came from.
        return [
            Recorded(whole(step), folder / file, str(reason))
            for step, file, reason in rows
            if isinstance(file, str) and Path(file).name == file and "\0" not in file and (folder / file).is_file()
        ]

    def nearest_trace(self, step: int, rank: int | None = None) -> Recorded | None:
        """The recorded step nearest to `step`, the earlier of two that are equally near."""
        return min(self.traces(rank), key=lambda found: (abs(found.step - step), found.step), default=None)

    def texts(self, since: int = 0, rank: int | None = None) -> list[tuple[int, str, str]]:
        """Step, name and text of what steps after `since` said in words."""
        command = "SELECT step, name, text FROM texts WHERE step > ? ORDER BY id"
        return [(whole(step), str(name), str(text)) for step, name, text in self._ask(rank, lambda run: run(command, (since,)).fetchall())]

    def events(self, after: int = 0, rank: int | None = None) -> list[Event]:
        """What happened, after the event with the id `after`."""
        command = "SELECT id, step, time, kind, told FROM events WHERE id > ? ORDER BY id"

        def asked(run: Any) -> list[Event]:
            return [
                Event(whole(number), whole(step), float(time), str(kind), dict(json.loads(told)))
                for number, step, time, kind, told in run(command, (after,)).fetchall()
            ]

        return self._ask(rank, asked)

    def _rank(self, rank: int | None) -> int:
        return self.ranks[0] if rank is None else rank

    def _ask(self, rank: int | None, question: Callable[[Any], Any]) -> Any:
        with opened(rank_file(self.folder, self._rank(rank))) as connection:
            return question(connection.execute)


def _scalars(run: Any, *, since: int, tail: list[Row]) -> Scalars:
    columns = {whole(number): [str(name) for name in json.loads(names)] for number, names in run("SELECT id, names FROM columns")}
    if sum(map(len, columns.values())) > MOST_METRICS:
        raise ValueError("too many metrics")
    rows = run("SELECT step, at, columns, numbers FROM steps WHERE step > ? ORDER BY step", (since,)).fetchall()
    last = rows[-1][0] if rows else since
    rows += [row for row in tail if row[0] > last]
    steps = np.array([row[0] for row in rows], dtype=np.int64)
    at = np.array([row[1] for row in rows], dtype=np.float64)
    kinds = np.array([row[2] for row in rows], dtype=np.int64)
    names = list(dict.fromkeys(name for some in columns.values() for name in some))
    metrics = {name: np.full(len(rows), np.nan) for name in names}
    known = {name: np.zeros(len(rows), dtype=np.bool_) for name in names}
    for kind in np.unique(kinds).tolist():
        own = columns[kind]
        places = np.flatnonzero(kinds == kind)
        text = b"".join(rows[place][3] for place in places.tolist())
        numbers = np.frombuffer(text, dtype="<f8").reshape(len(places), len(own))
        for column, name in enumerate(own):
            metrics[name][places] = numbers[:, column]
            known[name][places] = True
    return Scalars(steps, at, metrics, known)


def _parameters(run: Any) -> list[Parameter]:
    rows = run("SELECT name, shape FROM parameters ORDER BY id LIMIT ?", (MOST_PARAMETERS,)).fetchall()
    return [Parameter(str(name), tuple(whole(size) for size in json.loads(shape))) for name, shape in rows]


def _norms(run: Any, *, table: str, tail: list[Row], since: int, until: int | None, most: int) -> tuple[Any, Any]:
    """Steps, and for each its row of a table; read piece by piece and thinned at once: a long run is larger than memory should be."""
    last = 2**62 if until is None else until
    count = whole(run("SELECT count(*) FROM parameters").fetchone()[0])
    width = 3 * count if table == "measures" else count + 1
    steps, kept = [np.empty(0, dtype=np.int64)], [np.empty((0, width), dtype=np.float32)]
    fresh = [(row[0], row[3]) for row in tail if since < row[0] <= last]
    total, pieces = len(fresh), _pieces(None, fresh, 1)
    if run("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]:
        total += whole(run(f"SELECT count(*) FROM {table} WHERE step > ? AND step <= ?", (since, last)).fetchone()[0])
        cursor = run(f"SELECT step, numbers FROM {table} WHERE step > ? AND step <= ? ORDER BY step", (since, last))
        pieces = _pieces(cursor, fresh, max(1, -(-total // max(1, most))))
    groups = max(1, -(-total // max(1, most)))
    for rows in pieces:
        found = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").reshape(len(rows), width)
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        starts = np.arange(0, len(rows), groups)
        steps.append(numbers[starts])
        kept.append(found if groups == 1 else np.maximum.reduceat(found, starts, axis=0))  # NaN wins, as it should
    return np.concatenate(steps), np.concatenate(kept)


def _pieces(cursor: Any, fresh: list[tuple[int, bytes]], groups: int) -> Iterator[list[tuple[int, bytes]]]:
    """The rows that are stored, in pieces of whole groups, and then those of the tail that are newer."""
    last = -1
    while cursor is not None and (rows := cursor.fetchmany(max(groups, PIECE // groups * groups))):
        last = whole(rows[-1][0])
        yield rows
    if newer := [row for row in fresh if row[0] > last]:
        yield newer


def _distributions(run: Any, *, step: int) -> list[Distribution]:
    found = run("SELECT max(step) FROM distributions WHERE step <= ?", (step,)).fetchone()[0]
    if found is None:
        return []
    rows = run("SELECT step, what, name, elements, counted, low, high, mean, std, zeros, broken, counts FROM distributions "
               "WHERE step = ? ORDER BY id LIMIT ?", (whole(found), 3 * MOST_PARAMETERS)).fetchall()  # fmt: skip
    return [
        Distribution(
            step=whole(row[0]),
            what=str(row[1]),
            name=str(row[2]),
            elements=whole(row[3]),
            counted=whole(row[4]),
            low=_float(row[5]),
            high=_float(row[6]),
            mean=_float(row[7]),
            std=_float(row[8]),
            zeros=whole(row[9]),
            broken=whole(row[10]),
            counts=np.frombuffer(row[11], dtype="<u4"),
        )
        for row in rows
    ]


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
