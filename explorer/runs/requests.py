"""What somebody asks of the process that trains (pause, resume, stop, record), and whether there is one.

Asking is a line at the end of requests.jsonl. The process that trains looks at the size of that file a few times a second, so that a pause
or a stop takes effect within a second and costs a step next to nothing. What was asked before a process began is not meant for it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from explorer.errors import OutputError, RequestError

__all__ = ["KINDS", "Lock", "Requests", "Together", "is_alive", "request"]

KINDS = ("pause", "resume", "stop", "record")
NAME = "requests.jsonl"
EVERY = 0.2  # seconds between two looks
AGREED = "agreed.jsonl"
MARGIN = 2  # steps by which one process may be ahead of another, and one more
LONGEST = 4096  # bytes of one look: what is longer was not written by us
PATIENCE = 3.0  # seconds that a new process waits for one that is just ending


def request(folder: str | os.PathLike[str], kind: str) -> None:
    """Ask the process that trains for `kind`. Whether there is one, `Run.status` knows."""
    if kind not in KINDS:
        raise RequestError("runs.unknown_request", kind=kind, kinds=", ".join(KINDS))
    _append(folder, NAME, {"kind": kind})


def _append(folder: str | os.PathLike[str], name: str, told: Mapping[str, object]) -> None:
    try:
        with open(os.path.join(folder, name), "ab", buffering=0) as file:
            file.write(f"{json.dumps(told)}\n".encode())
    except OSError as error:
        raise OutputError("runs.no_place", path=os.fspath(folder), reason=error.strerror or type(error).__name__) from error


class Requests:
    """The side of the process that trains: `new()` is what was asked since the last look."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self._path = folder / name
        self._read = self._size()
        self._next = 0.0

    def _size(self) -> int:
        try:
            with open(self._path, "rb") as file:  # over a network a file is looked at anew when it is opened, and not before
                return os.fstat(file.fileno()).st_size
        except OSError:
            return 0

    def new(self, now: float | None = None) -> list[str]:
        """The kinds asked for, oldest first. `now` is `time.perf_counter()`, of whoever has just looked at the clock."""
        return [kind for line in self.lines(now) if (kind := _told(line)[0])]

    def lines(self, now: float | None = None) -> list[bytes]:
        """What was written since the last look, line by line."""
        now = time.perf_counter() if now is None else now
        if now < self._next:
            return []
        self._next = now + EVERY
        size = self._size()
        if size <= self._read:
            self._read = size
            return []
        with contextlib.suppress(OSError):
            with open(self._path, "rb") as file:
                file.seek(self._read)
                text = file.read(LONGEST)
            whole = text.rpartition(b"\n")[0]
            self._read = size if len(text) == LONGEST else self._read + len(whole) + (1 if whole else 0)
            return whole.splitlines()
        return []


class Together:
    """The side of one of several processes that train in step: what is asked for happens after the same step in all of them.

    Each waits for the others in every step. So the first process decides, a few steps ahead: by then every other has looked.
    """

    def __init__(self, folder: Path, *, first: bool) -> None:
        self._folder, self._first = folder, first
        self._requests = Requests(folder, NAME if first else AGREED)
        self._waiting: list[tuple[str, int]] = []

    def new(self, step: int, seconds: float, now: float | None = None) -> list[str]:
        """What is to be done after `step`; steps take so many `seconds`, 0 while there are none."""
        for kind, after in map(_told, self._requests.lines(now)):
            if kind is None:
                continue
            if self._first:
                after = step + (MARGIN + math.ceil(2 * EVERY / seconds) if seconds > 0 else 0)
                _append(self._folder, AGREED, {"kind": kind, "after": after})
            self._waiting.append((kind, after))
        found = [kind for kind, after in self._waiting if after <= step]
        self._waiting = [one for one in self._waiting if one[1] > step]
        return found


def _told(line: bytes) -> tuple[str | None, int]:
    """What is asked for, and after which step."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None, 0
    kind, after = (told.get("kind"), told.get("after", 0)) if isinstance(told, dict) else (None, 0)
    return (kind if kind in KINDS else None), (after if type(after) is int else 0)


class Lock:
    """Held by the one process that writes a rank; the system lets go of it when that process ends, in whatever way.

    It is the write lock of an empty SQLite file, because that is there on every system.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        self._connection = sqlite3.connect(_lock_file(folder, rank), timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._connection.close()
            raise OutputError("runs.busy", path=str(folder)) from error

    def release(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        self._connection.close()


def is_alive(folder: Path, rank: int = 0) -> bool:
    """Whether a process writes this rank now."""
    path = _lock_file(folder, rank)
    if not path.is_file():
        return False
    connection = None
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.Error:
        return False
    finally:
        if connection is not None:
            connection.close()
    return False


def _lock_file(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank}.lock"
