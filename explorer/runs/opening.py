"""Opens the file of one rank for reading: nothing can be changed by it, and every trouble becomes one sentence."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, FileError
from explorer.runs.folder import FORMAT
from explorer.runs.storing import SCHEMA

__all__ = ["opened", "whole"]

WORK = 500_000_000  # instructions of SQLite's machine for one question: a hundred times what an honest run takes


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can change nothing, and whose every trouble is one sentence."""
    folder = str(path.parent)
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(contextlib.closing(_connection(path, stack)))
            yield connection
        except ExplorerError:
            raise
        except sqlite3.OperationalError as error:
            reason = str(error)
            if "locked" in reason or "busy" in reason or "unable to open" in reason:
                raise FileError("runs.unreadable", path=folder, reason=reason) from error
            raise FileError("runs.damaged", path=folder) from error
        except (sqlite3.Error, ValueError, TypeError, LookupError, OverflowError, RecursionError, MemoryError, struct.error) as error:
            raise FileError("runs.damaged", path=folder) from error
        except OSError as error:
            raise FileError("runs.unreadable", path=folder, reason=error.strerror or type(error).__name__) from error


def _connection(path: Path, stack: contextlib.ExitStack) -> sqlite3.Connection:
    if not path.is_file() or path.is_symlink():
        raise FileError("runs.damaged", path=str(path.parent))
    try:
        return _checked(_connect(path, "mode=ro"))
    except sqlite3.OperationalError as error:
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise
    # The folder cannot be written to, which a log needs: without one the file alone is whole, else a copy is read.
    logs = [log for log in ("-wal", "-journal") if _has_something(path.with_name(f"{path.name}{log}"))]
    if not logs:
        return _checked(_connect(path, "mode=ro&immutable=1"))
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autograd-explorer-"))) / path.name
    for suffix in ("", *logs):
        shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    return _checked(_connect(copy, "mode=rw"))


def _has_something(path: Path) -> bool:
    return path.exists() and (path.name.endswith("-wal") or path.stat().st_size > 0)


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{options}", uri=True, timeout=5, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _checked(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Refuse a file that holds something else than our tables: a view may be an endless computation."""
    left = [WORK // 100_000]

    def tired() -> int:
        left[0] -= 1
        return left[0] < 0

    try:
        connection.set_progress_handler(tired, 100_000)
        tables = dict(connection.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view', 'trigger') LIMIT 100"))
        if any(tables.get(name) != "table" for name in SCHEMA) or set(tables.values()) != {"table"}:
            raise FileError("runs.damaged", path=_folder(connection))
        told = connection.execute("SELECT value FROM about WHERE key = 'format'").fetchone()
        if whole(told[0]) > FORMAT:
            raise FileError("runs.newer", path=_folder(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _folder(connection: sqlite3.Connection) -> str:
    return str(Path(connection.execute("PRAGMA database_list").fetchone()[2]).parent)


def whole(value: Any) -> int:
    """A whole number as we write it; SQLite lets any column hold anything."""
    if not isinstance(value, int):
        raise ValueError(value)
    return value
