"""Running a program for the page: a thread watches the child process; the page reads how far it is and may cancel it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError, ProgramError
from explorer.model import Trace

__all__ = ["Run", "start"]


@dataclass(slots=True)
class Run:
    """One run, written by its thread and read by the page. `trace` or `error` is there once `alive` is False."""

    target: str
    phase: str = "starting"
    done: int = 0
    total: int | None = None
    trace: Trace | None = None
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


def start(target: str, *, device: str, dtype: str | None, seed: int) -> Run:
    """Run `target` in a child process, watched by a thread of this one."""
    run = Run(target)
    options: dict[str, Any] = {"device": device, "seed": seed}
    if dtype is not None:
        options["dtype"] = dtype
    run.thread = threading.Thread(target=_watch, args=(run, options), daemon=True, name=f"run {target}")
    run.thread.start()
    return run


def _watch(run: Run, options: dict[str, Any]) -> None:
    from explorer.capture.run import run_target

    def progress(phase: str, done: int, total: int | None) -> None:
        run.phase, run.done, run.total = phase, done, total

    try:
        result = run_target(run.target, progress=progress, cancelled=run.cancelled, **options)
        run.trace, run.output = (result.traces[0] if result.traces else None), result.output_tail
    except ProgramError as error:
        run.error, run.trace = error, error.trace
    except ExplorerError as error:
        run.error = error
