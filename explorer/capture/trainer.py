"""Trains a TARGET in a child process and waits for it; imports no torch. The child is `explorer.capture.trainee`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explorer.capture.programs import TRAININGS
from explorer.capture.run import Child, Limits, Progress, results_folder
from explorer.capture.targets import find
from explorer.errors import OutputError, ProgramError, RequestError
from explorer.runs import is_run

__all__ = ["train_target"]

GB = 1000**3


def train_target(
    target: str,
    run: str | Path,
    *,
    steps: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    every: int | None = None,
    record_every: int | None = None,
    record_at: Collection[int] = (),
    on_nan: str = "mark",
    on_full: str = "continue",
    timeout: float | None = None,
    memory_limit: float | None = None,
    progress: Progress | None = None,
    output: Callable[[bytes], None] | None = None,
    cancelled: threading.Event | None = None,
) -> ProgramError | None:
    """Run the training program `target` (see CONTRACT, Training TARGET) and write its run to the folder `run`; how it failed, if it did.

    `settings` are the program's own keywords, as words. In a run that is resumed all that is not given is as it was. Raises for a wrong
    request.
    """
    found = find(target, training=True)
    if is_run(run) and not resume:
        raise OutputError("runs.there_already", path=str(run))
    if resume and not is_run(run):
        raise RequestError("runs.missing", path=str(run))
    settings = dict(settings or {})
    example = TRAININGS.get(target)
    if example is not None and not resume:
        own = dict(example.settings)
        steps = own.pop("steps", None) if steps is None else steps
        settings = {**{name: value for name, value in own.items() if name != "steps"}, **settings}
        if example.needs is not None and not settings.get(example.needs):
            raise RequestError("training.needs", name=target, setting=example.needs)
    request: dict[str, Any] = {
        "target": asdict(found),
        "run": str(Path(run).absolute()),
        "steps": steps,
        "device": device,
        "dtype": dtype,
        "seed": seed,
        "settings": settings,
        "resume": resume,
        "every": every,
        "record_every": record_every,
        "record_at": list(record_at),
        "on_nan": on_nan,
        "on_full": on_full,
        "formats": [],
    }
    limits = Limits(timeout, None if memory_limit is None else int(memory_limit * GB), cancelled, True, prints_freely=True)
    with results_folder() as folder:
        return Child(found, folder, request, limits, progress, output, entry="trainee").outcome().failure
