"""Starts a training as a process of its own, which goes on when the page is closed and when its server ends.

It is `autograd-explorer train`, as somebody would type it. What it prints goes to `.started/NAME/` beside the run, where the page finds the
sentence that says why a run did not begin.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.capture.launching import begin
from explorer.capture.programs import TRAININGS
from explorer.errors import OutputError, RequestError
from explorer.runs import is_run, list_folders
from explorer.text import LANGUAGES, say
from explorer.ui import local

__all__ = ["MOST_AT_ONCE", "PASTED", "Asked", "Started", "all_started", "go_on", "home", "refuse_too_many", "root", "start", "target_of"]

FOLDER = "AUTOGRAD_EXPLORER_RUNS"
LOGS = ".started"
PASTED = "pasted.py"  # what code is called that stood in no file
MOST_AT_ONCE = 4  # trainings that this server has started and that still go on
BEHIND = 5  # of 19: how far a training stands back
LONGEST = 1_000_000  # bytes read of what a training printed


@dataclass(frozen=True, slots=True)
class Asked:
    """A training to start: a program and what was chosen for it. `code` is what stands in the file `PASTED`, if that is the target."""

    target: str
    steps: int | None = None
    device: str = "cpu"
    dtype: str | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    on_nan: str = "mark"
    record_every: int | None = None
    code: str | None = None


@dataclass(slots=True)
class Started:
    """A training that this server has started."""

    folder: Path
    target: str
    process: subprocess.Popen[bytes]
    logs: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def is_starting(self) -> bool:
        """Whether its run is not there yet."""
        return self.alive and not is_run(self.folder)

    def failure(self, language: str) -> str | None:
        """Why it ended, where it did not end well."""
        if self.alive or self.process.returncode == 0:
            return None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            told = json.loads(_read(self.logs / "told.json"))
            return str(told["error"]["message"][language if language in LANGUAGES else "en"])
        return say("train.ended_badly", language, code=self.process.returncode)

    def traceback(self) -> str:
        """What it printed beside that sentence: the program's own traceback, if it had one."""
        with contextlib.suppress(OSError):
            printed = _read(self.logs / "printed.txt").decode("utf-8", errors="replace").rpartition("\n\n")[2]
            return printed.replace(f"{self.logs}{os.sep}", "")[-20_000:]
        return ""


def _read(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(LONGEST)


def root() -> Path:
    """The folder in which the page looks for runs: the one its owner names, else `runs` where the server was started."""
    return Path(os.environ.get(FOLDER) or "runs").absolute()


def home() -> Path:
    """Where a new run goes: the folder of runs, or that in which a single run lies that is shown."""
    return root().parent if is_run(root()) else root()


@st.cache_resource(show_spinner=False)
def all_started() -> dict[Path, Started]:
    """What this server has started, for all visitors."""
    return {}


def start(asked: Asked) -> Path:
    """Begin a training in a new folder, and say which. Raises `RequestError` or `OutputError`."""
    refuse_too_many()
    folder, logs = _new_folder(asked.target if asked.code is None else "pasted")
    target = asked.target if asked.code is None else _pasted(asked, logs)
    options = {"steps": asked.steps, "device": asked.device, "dtype": asked.dtype, "seed": asked.seed, "on_nan": asked.on_nan}
    _begin(target, folder, logs, settings=asked.settings, record_every=asked.record_every, **options)
    return folder


def _pasted(asked: Asked, logs: Path) -> str:
    """Put pasted code where the process finds it, and a resumed one finds it again."""
    path = logs / PASTED
    try:
        path.write_text(asked.code or "", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise OutputError("runs.no_place", path=str(home()), reason=error.strerror or type(error).__name__) from error
    _, colon, name = asked.target.partition(":")
    return f"{path}{colon}{name}"


def target_of(folder: Path, told: str | None) -> str | None:
    """What the run in this folder is of, if it can be taken up again from the page: a program that comes with this one, by what the run
    says, or one that this server started itself. What a folder says of other programs is nothing to run.
    """
    if told in TRAININGS:
        return told
    mine = all_started().get(folder)
    return mine.target if mine is not None and local.refusal() is None else None


def go_on(folder: Path, target: str, *, record_at: int | None = None) -> None:
    """Take up a run again where its last checkpoint left it; with `record_at` up to that step, which is recorded."""
    if target != target_of(folder, target):
        raise RequestError("running.no_example", name=target)
    refuse_too_many()
    logs = _logs(folder.name)
    _begin(target, folder, logs, resume=True, steps=record_at, record_at=record_at)


def refuse_too_many(more: int = 1) -> None:
    """Refuse to start so many `more`, where that is too much for one server."""
    if sum(one.alive for one in all_started().values()) + more > MOST_AT_ONCE:
        raise RequestError("train.too_many", most=MOST_AT_ONCE)


def _new_folder(target: str) -> tuple[Path, Path]:
    """A folder that no run has yet, and that for what it prints; making the second keeps the name for us."""
    base = re.sub(r"[^\w-]+", "-", target.rpartition(":")[2] or target, flags=re.ASCII).strip("-") or "run"
    taken = {folder.name for folder in list_folders(home())}
    for number in count(1):
        folder = home() / f"{base}-{number}"
        if folder.name not in taken and not folder.exists() and not (home() / LOGS / folder.name).exists():
            return folder, _logs(folder.name)
    raise AssertionError("numbers do not end")


def _logs(name: str) -> Path:
    logs = home() / LOGS / name
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("runs.no_place", path=str(home()), reason=error.strerror or type(error).__name__) from error
    return logs


def _begin(target: str, folder: Path, logs: Path, **options: Any) -> None:
    try:
        with open(logs / "told.json", "wb") as told, open(logs / "printed.txt", "wb") as printed:
            process = begin(target, folder, told=told, printed=printed, as_json=True, **options)
    except OSError as error:
        raise RequestError("running.cannot_start", reason=error.strerror or type(error).__name__) from error
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, process.pid, BEHIND)  # so that the page hears of a pause while every core computes
    all_started()[folder] = Started(folder, target, process, logs)
