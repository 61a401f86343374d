"""A warm child process with torch and NumPy, shared by all visitors, that carries out small recipes; imports no torch.

    told = ask([{"do": "arange", "end": 12}, {"do": "reshape", "of": "a", "shape": [3, 4]}])     or   ask(read("arange(0,12);T(a)"))
    told["tensors"][1]["strides"]    [4, 1]

The table of what a recipe may say is in explorer.capture.recipes, how it stands as text in explorer.capture.recipe_text. Each question
starts from nothing. The child starts with the first, is ended after a time limit or any doubt, and then starts anew.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

from explorer import errors
from explorer.capture.processes import child_environment
from explorer.capture.recipes import Recipe, checked
from explorer.errors import RequestError

__all__ = ["Answer", "Beside", "Failed", "Made", "Step", "ask", "close", "positions", "warm"]

LIMIT = 20.0  # seconds for one recipe: a few milliseconds, but the first tensor on meta makes torch load more of itself
START_LIMIT = 120.0  # seconds for torch to be loaded
MOST_KEPT = 32  # answers

_START = "import sys; sys.path.insert(0, sys.argv.pop()); from explorer.capture.bench import main; main()"


class Made(TypedDict):
    """A tensor as it stands after the last step. `values` and `grad` in reading order: NaN and infinities as text, complex as pairs."""

    name: str
    rank: int
    shape: list[int]
    strides: list[int]  # in elements
    offset: int  # of the first element in the storage
    storage: int  # the same number for tensors that share memory
    storage_elements: int
    storage_bytes: int
    dtype: str
    device: str
    elements: int
    element_bytes: int
    bytes: int
    contiguous: bool
    requires_grad: bool
    leaf: bool
    grad_fn: str | None
    grad: list[Any] | None
    values: list[Any] | None  # None on the device meta, which keeps none


class Beside(TypedDict):
    """The same step with NumPy; `line` is None where NumPy has nothing like it. `strides` are in bytes there.

    `differs`: "none" (no counterpart), "error", "works" (where torch fails), "scalar" (no array but a scalar, a copy), "memory" (view
    against copy), "dtype", "shape", "values", "seed" (random numbers are others).
    """

    line: str | None
    error: str | None
    relation: str | None
    shares: list[str]
    dtype: str | None
    shape: list[int] | None
    strides: list[int] | None
    differs: list[str]


class Step(TypedDict, total=False):
    """A step that was carried out, or failed. `relation`: "same", "view", "copy", "new", or "write" where nothing new is made."""

    do: str
    line: str  # of PyTorch; it is what ran
    makes: str | None
    of: list[str]
    fit: dict[str, Any] | None  # explorer.capture.fits.fit
    warning: str | None
    numpy: Beside
    relation: str
    shares: list[str]  # names of tensors in the same storage


class Failed(TypedDict):
    """Where a recipe could not go on: torch's own words (None where we refuse), and ours after "tensors.why."."""

    step: int  # from 0
    message: str | None
    why: str
    values: dict[str, Any]
    shapes: dict[str, list[int]]


class Answer(TypedDict):
    """What a recipe gives; with an `error`, as far as it could be followed."""

    tensors: list[Made]
    steps: list[Step]
    error: Failed | None
    torch: str
    numpy: str


def positions(made: Made) -> list[int]:
    """Where each element of a tensor lies in its storage, in reading order."""
    places = itertools.product(*(range(size) for size in made["shape"]))
    return [made["offset"] + sum(index * stride for index, stride in zip(place, made["strides"], strict=True)) for place in places]


def ask(recipe: Recipe, *, seconds: float = LIMIT) -> Answer:
    """Carry out a recipe. Raises RequestError for one that is not in the table or out of bounds, that takes too long, or without torch."""
    clean = checked(recipe)
    key = json.dumps(clean, allow_nan=False)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
        else:
            _known[key] = _child.ask(key, seconds)
            while len(_known) > MOST_KEPT:
                _known.popitem(last=False)
        return _known[key]


def warm() -> None:
    """See to it that the child is there, or on its way; waits for nothing."""
    if not _child.is_there():
        threading.Thread(target=_warm, daemon=True, name="workbench").start()


def _warm() -> None:
    with contextlib.suppress(RequestError), _lock:
        _child.start()


def close() -> None:
    """End the child."""
    with _lock:
        _child.stop()


class _Child:
    """The process. One question at a time, under `_lock`."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def is_there(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        if self.is_there():
            return
        self.stop()
        root = str(Path(errors.__file__).resolve().parent.parent)
        environment = child_environment(os.environ, token="workbench", seed=0)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, "explorer.capture.bench", root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environment, "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise RequestError("running.cannot_start", reason=error.strerror or type(error).__name__) from None
        if self._exchange(b"", START_LIMIT)[0] is None:
            self.stop()
            raise RequestError("tensors.no_bench")

    def ask(self, recipe: str, seconds: float) -> Answer:
        self.start()
        answer, slow = self._exchange(recipe.encode() + b"\n", seconds)
        if answer is None:
            self.stop()
            raise RequestError("tensors.too_slow" if slow else "tensors.bench_died", seconds=f"{seconds:g}")
        return answer

    def _exchange(self, question: bytes, seconds: float) -> tuple[Any, bool]:
        """What the child answers, or None; and whether it was ended for taking too long."""
        process = self.process
        assert process is not None and process.stdin is not None and process.stdout is not None
        with self._watched(seconds) as expired:
            try:
                process.stdin.write(question)
                process.stdin.flush()
                return json.loads(process.stdout.readline()), False
            except (OSError, ValueError):
                return None, expired.is_set()

    @contextlib.contextmanager
    def _watched(self, seconds: float) -> Iterator[threading.Event]:
        """Kill the child after so long; the event tells that this happened."""
        expired = threading.Event()
        process = self.process
        assert process is not None

        def end() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            timer.cancel()
            timer.join()

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


_lock = threading.RLock()
_child = _Child()
_known: OrderedDict[str, Answer] = OrderedDict()
atexit.register(close)
