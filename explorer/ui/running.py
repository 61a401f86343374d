"""Running a program for the page: a thread watches the child process; the page reads how far it is and may cancel it."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import ExplorerError, ProgramError
from explorer.model import Trace

if TYPE_CHECKING:
    from explorer.capture.run import Result

__all__ = ["AWAY", "PASTED", "Pasted", "Run", "Side", "compare", "size", "start", "visitor"]

AWAY = 20.0  # seconds that a visitor may be gone before the run ends: a lost connection is back sooner
LOOK = 1.0  # seconds between two looks whether somebody is there
MOST_WHOLE = 64_000_000  # bytes of whole tensors that a comparison holds of each side
PASTED = "pasted.py"  # what a program is called that has no file: no module of Python's has that name


@dataclass(frozen=True, slots=True)
class Pasted:
    """A program as text, and what its file is called while it runs."""

    code: str
    name: str = PASTED


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison; without a data type the program takes its own."""

    device: str
    dtype: str | None

    def __str__(self) -> str:
        return f"{self.device} · {self.dtype}" if self.dtype else self.device


@dataclass(slots=True)
class Run:
    """One run, written by its thread and read by the page. `trace` or `error` is there once `alive` is False.

    A comparison has a `second` trace as well; `side` is the one that runs, and the one that an `error` is of.
    """

    target: str
    phase: str = "starting"
    done: int = 0
    total: int | None = None
    trace: Trace | None = None
    second: Trace | None = None
    side: Side | None = None
    output: str = ""
    error: ExplorerError | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1, where that is known."""
        return min(1.0, self.done / self.total) if self.total else None


def visitor() -> Callable[[], bool]:
    """Whether the visitor whose page is being built is there, to be asked from any thread."""
    context = get_script_run_ctx()
    if context is None or not st.runtime.exists():
        return lambda: True
    session, server = context.session_id, st.runtime.get_instance()
    return lambda: server.is_active_session(session)


def start(
    target: str | Pasted, *, device: str, dtype: str | None, seed: int, check: bool = False, there: Callable[[], bool] = lambda: True
) -> Run:
    """Run `target` in a child process, watched by a thread of this one, and verify it on `check`; cancelled once nobody was `there`."""
    run = Run(PASTED if isinstance(target, Pasted) else target)
    options: dict[str, Any] = {"device": device, "seed": seed} | ({"check": True} if check else {})
    if dtype is not None:
        options["dtype"] = dtype

    def record(once: Once) -> None:
        result = once(**options)
        run.trace, run.output = (result.traces[0] if result.traces else None), result.output_tail

    return _started(run, target, record, there)


def compare(
    target: str | Pasted, *, first: Side, second: Side, seed: int, known: int | None = None, there: Callable[[], bool] = lambda: True
) -> Run:
    """Run `target` on one side and then on the other, with whole tensors where they are not too large together.

    `known` is how many bytes they take, where that is known (`size`); else a run more finds out.
    """
    run = Run(PASTED if isinstance(target, Pasted) else target)

    def record(once: Once) -> None:
        def on(side: Side, values: str) -> Trace | None:
            run.side = side
            dtype = {} if side.dtype is None else {"dtype": side.dtype}
            result = once(device=side.device, seed=seed, values=values, **dtype)
            run.output = result.output_tail
            return result.traces[0] if result.traces else None

        values = "all" if known is not None and known <= MOST_WHOLE else "stats"
        one = on(first, values)
        if one is not None and known is None and size(one) <= MOST_WHOLE:
            values = "all"
            one = on(first, values)
        two = None if one is None else on(second, values)
        if two is not None:
            run.trace, run.second = one, two

    return _started(run, target, record, there)


def size(trace: Trace) -> int:
    """Bytes of all values and gradients of a recording, whole or not."""
    notes = [note for node in trace.nodes for note in (*node.outputs, *node.gradients) if note is not None]
    return sum((note.numel or 0) * max(1, int(re.sub(r"\D", "", note.dtype.partition("_")[0]) or 8) // 8) for note in notes)


Once = Callable[..., "Result"]


def _started(run: Run, target: str | Pasted, record: Callable[[Once], None], there: Callable[[], bool]) -> Run:
    run.thread = threading.Thread(target=_watch, args=(run, target, record, there), daemon=True, name=f"run {run.target}")
    run.thread.start()
    return run


def _watch(run: Run, target: str | Pasted, record: Callable[[Once], None], there: Callable[[], bool]) -> None:
    from explorer.capture.run import run_target

    def progress(phase: str, done: int, total: int | None) -> None:
        run.phase, run.done, run.total = phase, done, total

    ended = threading.Event()
    guard = threading.Thread(target=_cancel_if_left, args=(run, there, ended), daemon=True, name=f"visitor of {run.target}")
    guard.start()
    try:
        with _as_target(target) as (name, shown):

            def once(**options: Any) -> Result:
                result = run_target(name, progress=progress, cancelled=run.cancelled, **options)
                return replace(result, output_tail=shown(result.output_tail))

            try:
                record(once)
            except ProgramError as error:
                error.report, error.output = shown(error.report), shown(error.output)
                error.values = {key: shown(value) if isinstance(value, str) else value for key, value in error.values.items()}
                run.error, run.trace, run.output = error, error.trace, error.output
    except ExplorerError as error:
        run.error = error
    finally:
        ended.set()
        guard.join()


@contextmanager
def _as_target(target: str | Pasted) -> Iterator[tuple[str, Callable[[str], str]]]:
    """What to run, and how its words are shown: pasted code stands in a file of its own meanwhile, of whose folder nobody wants to read."""
    if isinstance(target, str):
        yield target, lambda words: words
        return
    with tempfile.TemporaryDirectory(prefix="autograd-explorer-", ignore_cleanup_errors=True) as folder:
        place = os.path.realpath(folder)
        path = Path(place) / target.name
        path.write_text(target.code, encoding="utf-8", errors="backslashreplace", newline="\n")
        yield str(path), lambda words: words.replace(place + os.sep, "")


def _cancel_if_left(run: Run, there: Callable[[], bool], ended: threading.Event) -> None:
    """A closed page ends what it started: the child process would go on for nobody."""
    seen = time.monotonic()
    while not ended.wait(LOOK):
        if there():
            seen = time.monotonic()
        elif time.monotonic() - seen > AWAY:
            run.cancelled.set()
            return
