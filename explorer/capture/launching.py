"""Starts a training that goes on by itself, and tells which settings a program has; imports no torch.

What is started is `autograd-explorer train` in a process of its own, which nobody has to wait for: `explorer.runs` finds it again by its
folder. What it prints is in output.txt there.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from explorer.capture.programs import TRAININGS
from explorer.capture.targets import find
from explorer.errors import OutputError, RequestError, TargetError
from explorer.runs import is_run

__all__ = ["CHOICES", "Setting", "begin", "going_on", "launch", "program_in", "settings_of"]

GIVEN = ("device", "dtype", "seed", "steps", "run")  # asked for beside the settings
CHOICES: dict[str, tuple[str, ...]] = {  # of the settings that the programs share; the others are free
    "optimizer": ("sgd", "momentum", "adam", "adamw", "rmsprop"),
    "schedule": ("constant", "linear", "cosine", "warmup_cosine"),
    "shape": ("moons", "spirals"),
    "text": ("shakespeare", "alice", "korean_stories", "korean_goblin"),
}
LARGEST = 1 << 20  # bytes of a program that is read for its settings
OUTPUT = "output.txt"

_started: list[subprocess.Popen[bytes]] = []  # by this process; looked at now and then, so that none stays behind as a zombie


@dataclass(frozen=True, slots=True)
class Setting:
    """A keyword of a training program with its default; `choices` where only some values are possible."""

    name: str
    default: bool | int | float | str
    choices: tuple[str, ...] = ()


def settings_of(target: str) -> tuple[list[Setting], int | None]:
    """The settings of a training program and the number of its steps, read from its source: nothing of it runs.

    A script has none; so has what is named by a module, since finding its file could run code.
    """
    found = find(target, training=True)
    if found.path is None or found.name is None:
        return [], None
    try:
        with open(found.path, "rb") as file:
            tree = ast.parse(file.read(LARGEST))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TargetError("running.unreadable", path=found.path, reason=type(error).__name__) from None
    example = TRAININGS.get(target)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == found.name:
            return _settings(node, None if example is None else dict(example.settings))
    return [], None


def program_in(code: str) -> tuple[str | None, list[Setting], int | None]:
    """The function in some code that is to be trained (None: the code is a script), its settings and the number of its steps.

    It is the generator that is called `train`, or the only one. Nothing of it runs.
    """
    try:
        tree = ast.parse(code[:LARGEST])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, [], None
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and _yields(node)}
    name = "train" if "train" in found else next(iter(found)) if len(found) == 1 else None
    return (None, [], None) if name is None else (name, *_settings(found[name]))


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _settings(function: ast.FunctionDef, example: dict[str, Any] | None = None) -> tuple[list[Setting], int | None]:
    """The settings of a function, with what an `example` of ours starts with in place of some defaults."""
    defaults = _defaults(function) | (example or {})
    steps = defaults.get("steps")
    choices = CHOICES if example is not None else {}
    settings = [Setting(name, default, choices.get(name, ())) for name, default in defaults.items() if name not in GIVEN]
    return settings, steps if type(steps) is int else None


def _defaults(function: ast.FunctionDef) -> dict[str, Any]:
    """The keywords with a plain default, in order."""
    positional = function.args.posonlyargs + function.args.args
    pairs = [*zip(positional[::-1], function.args.defaults[::-1], strict=False)][::-1]
    pairs += [(name, value) for name, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if value is not None]
    found: dict[str, Any] = {}
    for name, value in pairs:
        try:
            plain = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            continue
        if isinstance(plain, bool | int | float | str):
            found[name.arg] = plain
    return found


def begin(
    target: str,
    run: str | os.PathLike[str],
    *,
    told: IO[bytes],
    printed: IO[bytes],
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    as_json: bool = False,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a training in a session of its own, and wait for nothing; `options` are those of the command that have a value.

    What it says of itself goes to `told`, the rest to `printed`. Raises OSError.
    """
    words = [sys.executable, "-m", "explorer", "train", target, "--run", os.fspath(run)]
    for name, value in options.items():
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    for name, value in (settings or {}).items():
        words += ["--set", f"{name}={value}"]
    words += (["--resume"] if resume else []) + (["--json"] if as_json else [])
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=told, stderr=printed, env=environment, **apart)


def launch(
    target: str,
    run: str | os.PathLike[str],
    *,
    steps: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_nan: str = "mark",
    patience: float = 60.0,
) -> None:
    """Start a training and come back once its run is there, or with what it said if there will be none."""
    find(target, training=True)
    going_on()
    folder = Path(run)
    if is_run(folder) != resume:
        raise (RequestError("runs.missing", path=str(folder)) if resume else OutputError("runs.there_already", path=str(folder)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / OUTPUT, "ab") as output:
            began = output.tell()
            options: dict[str, Any] = {"steps": steps, "device": device, "dtype": dtype, "seed": seed, "resume": resume, "on_nan": on_nan}
            process = begin(target, folder, told=output, printed=output, settings=settings, **options)
    except OSError as error:
        raise OutputError("runs.no_place", path=str(folder), reason=error.strerror or type(error).__name__) from error
    _started.append(process)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            if process.returncode in (0, 130):
                return
            told = (folder / OUTPUT).read_bytes()[began:].decode(errors="replace").strip()
            raise RequestError("training.not_started", told=told.splitlines()[-1] if told else process.returncode)
        if is_run(folder) and (not resume or time.monotonic() > end - patience + 0.5):
            return
        time.sleep(0.05)


def going_on() -> int:
    """How many of those that this process started have not ended."""
    _started[:] = [process for process in _started if process.poll() is None]
    return len(_started)
