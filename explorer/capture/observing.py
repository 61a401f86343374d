"""A run that is being written while its training loop goes on: what a step stores, measures and records, and what somebody asks of it.

A step is from one `step` to the next. It costs one row in SQLite; parameters are measured as often as `SHARE` of the time allows, or every
so many steps if asked for. At chosen steps the whole step is recorded, as `explorer.record` does.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer

from explorer.capture.gauges import Budget, Gauges, Hook
from explorer.capture.one_step import OneStep, quiet, unseen_item
from explorer.capture.ranks import Local, machines, process_told, processes, whole_in
from explorer.capture.reports import one_line
from explorer.errors import ExplorerError, RequestError
from explorer.runs import About, Requests, Writer, is_run, read_about, request
from explorer.runs.folder import prepare_folder, write_about
from explorer.runs.requests import Together
from explorer.runs.storing import rank_file
from explorer.text import say

__all__ = ["Stopped", "Watching"]

SHARE = 0.02  # of the training's time, for norms
SHARE_HISTOGRAMS = 0.01
GROWTH = 1.1  # of the step from one set of histograms to the next: as many in the first hundred steps as in any other ten-fold
PAUSE = 0.05  # seconds between two looks while paused
LONGEST_TEXT = 100_000
RANK_PATIENCE = 60.0  # seconds that a rank waits for the folder that rank 0 makes


class Stopped(BaseException):
    """Leaves the `with` block because somebody asked the training to stop; the block ends as if it were done."""


class Watching:
    """A run that is being written. Made by `explorer.watch`, or by `autograd-explorer train` and handed to the program as `run`.

    `start` is how many steps were done before (0 for a new run), `done` how many are done now.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        about: About,
        source: str = ".",
        every: int | None = None,
        record_every: int | None = None,
        record_first: bool = True,
        record_at: Collection[int] = (),
        on_nan: str = "mark",
        on_full: str = "continue",
        resume: bool = False,
        shared: bool | None = None,
    ) -> None:
        for name, value, choices in (("on_nan", on_nan, ("mark", "stop", "ignore")), ("on_full", on_full, ("continue", "stop"))):
            if value not in choices:
                raise RequestError("training.wrong_choice", name=name, value=value, choices=", ".join(choices))
        for name, number in (("every", every), ("record_every", record_every)):
            if number is not None and (not isinstance(number, int) or number < 1):
                raise RequestError("training.wrong_choice", name=name, value=number, choices="1, 2, 3, …")
        self.folder, self.about, self.source = Path(folder), about, os.path.abspath(source)
        self.every, self.record_every, self.record_first, self.record_at = every, record_every, record_first, frozenset(record_at)
        self.on_nan, self.stops_when_full, self.resume = on_nan, on_full == "stop", resume
        self.shared = machines() > 1 if shared is None else shared
        self.start = self.done = 0
        self.loss: float | None = None  # of the last step
        self.rank = whole_in("RANK", 0)
        self.is_open = False
        self.model: nn.Module | None = None
        self.optimizer: Optimizer | None = None
        self._writer: Writer
        self._requests: Requests | Together
        self._gauges: Gauges | None = None
        self._local: Local | None = None  # of one process of several
        self._handles: list[Any] = []
        self._recording: OneStep | None = None
        self._reason: str | None = None  # why the step is recorded, or the next one is to be
        self._norms, self._histograms = Budget(SHARE), Budget(SHARE_HISTOGRAMS)
        self._measures = self._looks = False
        self._next_histograms = 1
        self._rate: float | None = None
        self._offset = self._began = self._idle = 0.0
        self.nan = self._warned = self._ending = False
        self._to_register: tuple[nn.Module, Optimizer | None] | None = None

    # -- beginning and ending

    def check(self, model: Any, optimizer: Any) -> None:
        """Refuse what cannot be watched; the rest waits for the `with` block."""
        if not isinstance(model, nn.Module):
            raise RequestError("training.no_model", kind=type(model).__name__)
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise RequestError("training.no_optimizer", kind=type(optimizer).__name__)
        self._to_register = model, optimizer

    def register(self, model: nn.Module, optimizer: Optimizer | None = None) -> None:
        """Say which model is trained; the run begins here."""
        if self.is_open:
            raise RequestError("training.registered_twice")
        self.check(model, optimizer)
        self.model, self.optimizer = model, optimizer
        self._gauges = Gauges(model, optimizer, quiet=quiet)
        if processes() > 1:
            self._local = Local(model, self._gauges.named, hook=Hook, quiet=quiet)
        self.open([(name, tuple(tensor.shape)) for name, tensor in self._gauges.named])
        if optimizer is not None:
            self._handles = [
                optimizer.register_step_pre_hook(Hook(self._before_update)),
                optimizer.register_step_post_hook(Hook(self._after_update)),
            ]
        self._plan(time.perf_counter())

    def open(self, parameters: list[tuple[str, tuple[int, ...]]]) -> None:
        """Make the folder, or open that of a run that goes on."""
        about = self.about
        sizes = sum(math.prod(shape) for _, shape in parameters)
        goes_on = self.resume and is_run(self.folder)
        if goes_on:
            kept = read_about(self.folder)
            if kept.parameters != sizes:
                raise RequestError("training.other_model", path=str(self.folder), before=kept.parameters, now=sizes)
            self.about = replace(
                kept, steps=about.steps if about.steps is not None else kept.steps, settings=about.settings or kept.settings
            )
        elif self.rank == 0:
            self.about = replace(about, parameters=sizes)
            prepare_folder(self.folder)
        else:
            self._wait_for_folder()
        goes_on = goes_on and rank_file(self.folder, self.rank).exists()
        options = {"stops": self.stops_when_full, "goes_on": goes_on, "shared": self.shared}
        self._writer = Writer(self.folder, rank=self.rank, parameters=parameters, **options)
        self._requests = Requests(self.folder) if self._local is None else Together(self.folder, first=self.rank == 0)
        self.is_open = True
        if self.rank == 0:
            write_about(self.folder, self.about)  # from now on it is a run, and can be read
        if goes_on:
            self.done, self._offset = self._writer.last()
            self.start = self.done
        self._event("resumed" if goes_on else "started", **process_told([] if self._gauges is None else self._gauges.named))
        self._began = time.perf_counter()
        if self.record_first and self._recording is None:
            self._reason = "first"

    def record_from_here(self) -> None:
        """Record the first step before it is known which model is trained: a script begins with its imports."""
        if self.record_first:
            self._reason = "first"
            self._begin_recording(self._reason)

    def stop(self) -> None:
        """Leave at the end of the step in flight."""
        self._ending = True

    def go_on_after(self, step: int) -> None:
        """The state of an earlier step is back: later ones are forgotten, and done again."""
        self._writer.forget_after(step)
        self.done, self._offset = self._writer.last()
        self.start = self.done = step
        if self._recording is not None:  # begun for the step after the last one that was stored
            self._recording.end()
            self._recording.drop()
            self._recording = None
            self._reason = "asked" if step + 1 in self.record_at else "first"
            self._begin_recording(self._reason)

    def _wait_for_folder(self) -> None:
        end = time.monotonic() + RANK_PATIENCE
        while not is_run(self.folder):
            if time.monotonic() > end:
                raise RequestError("training.no_first_rank", path=str(self.folder))
            time.sleep(PAUSE)

    def __enter__(self) -> Watching:
        if self._to_register is not None:
            self.register(*self._to_register)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if error is None:
            self.close("finished")
        elif isinstance(error, Stopped):
            self.close("stopped")
            return True
        else:
            self.close("failed", error=error)
        return False

    def close(self, kind: str, *, error: BaseException | None = None) -> None:
        """End the run: "finished", "stopped" or "failed". What a failed step had computed until then is recorded, if it was being."""
        if not self.is_open:
            return
        self.is_open = False
        try:
            self._end_recording(error=error)
            for handle in self._handles:
                handle.remove()
            self._handles.clear()
            if self._gauges is not None:
                self._gauges.stop_looking()
                self._gauges.drop()
            if self._local is not None:
                self._local.drop()
            self._event(kind, **({} if error is None else {"error": one_line(error)}))
        finally:
            self._writer.close()

    # -- a step

    def step(self, loss: Any = None, **metrics: Any) -> None:
        """A step is over: store its numbers. Texts are stored too. Holds the training up while it is to pause, and ends it on demand."""
        if not self.is_open:
            raise RequestError("training.not_open")
        if self._recording is not None:
            self._end_recording(step=self.done + 1)
        now = time.perf_counter()
        self.done += 1
        numbers: dict[str, float] = {}
        if loss is not None:
            numbers["loss"] = loss if type(loss) is float else self._number("loss", loss)
        for name, value in metrics.items():
            if isinstance(value, str):
                self._writer.text(self.done, name, value[:LONGEST_TEXT])
            else:
                numbers[name] = value if type(value) is float else self._number(name, value)
        self.loss = numbers.get("loss")
        if self._rate is not None and "learning_rate" not in numbers:
            numbers["learning_rate"] = self._rate
        measured, local = self._measured() if self._measures else (None, None)
        self._writer.step(self.done, self._offset + now - self._began - self._idle, numbers, measured, local)
        if self._looks:
            self._store_histograms()
        if self._writer.broken is not None and not self._warned:
            self._warned = True
            warnings.warn(say("runs.cannot_store", path=self.folder, reason=self._writer.broken), RuntimeWarning, stacklevel=2)
        if not self.nan and self.on_nan != "ignore" and not math.isfinite(numbers.get("loss", 0.0)):
            self._found_nan("loss", numbers["loss"])
        self._listen(now)
        self._plan(now)

    def _number(self, name: str, value: Any) -> float:
        try:
            return float(unseen_item(value) if isinstance(value, torch.Tensor) else value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise RequestError("training.no_number", name=name, kind=type(value).__name__) from None

    def _measured(self) -> tuple[bytes, bytes | None]:
        assert self._gauges is not None
        began = time.perf_counter()
        hooks = 0.0 if self._local is None else self._local.spent
        told = self._gauges.numbers(), None if self._local is None else self._local.numbers()
        self._norms.add(time.perf_counter() - began + hooks)
        return told

    def _store_histograms(self) -> None:
        assert self._gauges is not None
        with self._histograms.used():
            self._writer.distributions(self.done, self._gauges.distributions())
        self._next_histograms = max(self.done + 1, int(self.done * GROWTH))
        self._looks = False

    def _found_nan(self, metric: str, value: float) -> None:
        """The first number that is not finite: mark it, and record the next step, or stop."""
        self.nan = True
        self._event("nan", metric=metric, value=str(value))
        if self.on_nan == "stop":
            if self._local is None:
                raise Stopped
            request(self.folder, "stop")  # all of them, after the same step
        self._reason = "nan"

    def _plan(self, now: float) -> None:
        """What is to be looked at in the step that begins now."""
        step = self.done + 1
        gauges = self._gauges
        if gauges is not None:
            every = self.every if self._local is None or self.every is not None else self._norms.every(now, self.done - self.start)
            self._measures = (step % every == 0 or step == 1) if every is not None else self._norms.allows(now)
            if step >= self._next_histograms and self._histograms.allows(now):
                self._looks = True
                gauges.look_at_activations()
        if self._reason is None:
            if step in self.record_at:
                self._reason = "asked"
            elif self.record_every is not None and step % self.record_every == 0:
                self._reason = "every"
            elif self.about.steps is not None and step == self.about.steps and step > 1 and self.record_first:
                self._reason = "last"
        if self._reason is not None and self._recording is None:
            self._begin_recording(self._reason)
        if self._local is not None and self._measures and self._recording is None:
            self._local.begin()

    def _listen(self, now: float) -> None:
        """Do what somebody has asked for since the last step."""
        if self._ending:
            raise Stopped
        for kind in self._asked(now):
            if kind == "record":
                self._reason = "asked"
            elif kind == "stop":
                raise Stopped
            elif kind == "pause":
                self._pause()

    def _asked(self, now: float | None) -> list[str]:
        if isinstance(self._requests, Requests):
            return self._requests.new(now)
        seconds = 0.0 if now is None else (now - self._began - self._idle) / max(1, self.done - self.start)
        return self._requests.new(self.done, seconds, now)

    def _pause(self) -> None:
        self._event("paused")
        began = time.perf_counter()
        while True:
            time.sleep(PAUSE)
            for kind in ["stop"] if self._ending else self._asked(None):
                if kind == "stop":
                    raise Stopped
                if kind == "record":
                    self._reason = "asked"
                if kind == "resume":
                    self._idle += time.perf_counter() - began
                    self._event("continued")
                    return

    def note(self, kind: str, **told: Any) -> None:
        """Store that something happened, while the run is open."""
        if self.is_open:
            self._event(kind, **told)

    def _event(self, kind: str, **told: Any) -> None:
        self._writer.event(kind, self.done, time.time(), **told)

    # -- hooks on the optimizer

    def _before_update(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        rate = optimizer.param_groups[0].get("lr")
        self._rate = rate if type(rate) is float or rate is None else float(rate)
        if self._measures and self._gauges is not None:
            began = time.perf_counter()
            has_closure = any(callable(value) for value in (*args[1:], *kwargs.values()))  # the first is the optimizer itself
            if self._local is not None:
                self._local.averaged()
            self._gauges.before_update(with_gradient=not has_closure)
            self._norms.add(time.perf_counter() - began, whole=False)

    def _after_update(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if self._recording is not None:
            self._recording.updated()
        if self._measures and self._gauges is not None:
            began = time.perf_counter()
            self._gauges.after_update()
            self._norms.add(time.perf_counter() - began, whole=False)

    # -- recording a step whole

    def _begin_recording(self, reason: str) -> None:
        try:
            self._recording = OneStep(self.about, number=self.done + 1, source=self.source, reason=reason)
        except ExplorerError as refusal:  # somebody records already
            self.note("not_recorded", reason=refusal.message())
            self._reason = None
        else:
            if self.model is not None:
                self._recording.follow(self.model)

    def _end_recording(self, *, step: int | None = None, error: BaseException | None = None) -> None:
        """Keep what was recorded of a step, or of what failed; what follows the last step of a loop is no step."""
        recording, self._recording = self._recording, None
        self._reason = None
        if recording is None:
            return
        recording.end()
        if step is None and error is None:
            recording.drop()
            return
        number = self.done + 1 if step is None else step
        name = f"{number}.trace" if not self.rank else f"{number}.rank-{self.rank}.trace"
        try:
            if recording.keep(self.folder / "traces" / name, error=error):
                self._writer.trace(number, name, "failed" if error is not None else recording.reason)
        except ExplorerError as refusal:
            self._event("not_recorded", reason=refusal.message())
