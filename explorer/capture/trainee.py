"""The child process that trains: runs one training program and writes its run. The other side is `explorer.capture.trainer`.

It begins and ends as `explorer.capture.worker` does, and tells its parent in the same words. SIGTERM asks it to leave after the step in
flight, with a checkpoint.
"""

from __future__ import annotations

import atexit
import inspect
import os
import queue
import signal
import sys
import time
from dataclasses import replace
from typing import Any, NoReturn

from explorer.capture.lifetime import read_request
from explorer.capture.targets import Target, arguments, load, run_script
from explorer.capture.worker import (
    Work,
    let_signals_pass,
    plain,
    report_crashes,
    run,
    set_defaults,
    start,
    take_back,
    told_failure,
    wait_for_threads,
)
from explorer.errors import ExplorerError, TargetError
from explorer.runs import About, is_run, read_about

__all__ = ["main"]

STEPS = 1000  # of a generator that was not told how many


class Training(Work):
    """One training program being run."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self.watching: Any = None
        self.is_told_to_end = False
        self._next = 0.0

    def told(self, done: int, steps: int | None, loss: float | None) -> None:
        """Tell the parent how far the training is, a few times a second."""
        now = time.monotonic()
        if now >= self._next or done == steps:
            self._next = now + 0.2
            self.tell("progress", phase="training", done=done, total=steps, loss=loss)


def main() -> None:
    """Entry of the child; never returns."""
    work = Training(read_request())
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda number, frame: signals.put(number))
    report_crashes(work.folder / "crash.txt")
    start(lambda: run(work, lambda: _train(work)))
    signals.get()
    if work.watching is None:
        os._exit(0)
    work.is_told_to_end = True
    work.tell("ended")
    work.watching.stop()
    while True:
        time.sleep(60)  # the thread of the program ends the process


def _train(work: Training) -> NoReturn:
    try:
        import torch
    except (ImportError, OSError):
        raise TargetError("running.no_torch", python=sys.executable) from None
    from explorer.capture.devices import FAKE, check_device, check_dtype
    from explorer.capture.observing import Watching

    request = work.request
    goes_on = request["resume"] and is_run(request["run"])
    kept = read_about(request["run"]) if goes_on else None
    device = check_device(request["device"] or (kept.device if kept is not None and kept.device else "cpu"))
    if device == FAKE:
        raise TargetError("training.no_fake")
    chosen = request["dtype"] or (kept.dtype if kept is not None else None)
    dtype = None if chosen is None else check_dtype(chosen, device)
    seed = request["seed"] if request["seed"] is not None else (kept.seed or 0 if kept is not None else 0)
    target = Target(**request["target"])
    from explorer.capture.training import now_in_utc, versions

    about = About(
        name=os.path.basename(os.path.abspath(request["run"])),
        target=target.title,
        device=device,
        dtype=chosen or str(torch.get_default_dtype()).removeprefix("torch."),
        seed=seed,
        steps=request["steps"] if request["steps"] is not None or kept is None else kept.steps,
        created=now_in_utc(),
        made_with=versions(),
    )
    watching = Watching(
        request["run"],
        about=about,
        source=target.folder,
        every=request["every"],
        record_every=request["record_every"],
        record_at=request["record_at"],
        on_nan=request["on_nan"],
        on_full=request["on_full"],
        resume=goes_on,
    )
    let_signals_pass()
    work.watching = watching
    work.tell("started", torch=torch.__version__, device=device, dtype=about.dtype)
    offered: dict[str, Any] = {"seed": seed, "device": device}
    if dtype is not None:
        offered["dtype"] = dtype
    set_defaults(offered, torch)
    given = {**(dict(kept.settings) if kept is not None else {}), **request["settings"]}
    _finish(work, _followed(work, target, offered, given, torch))


def _followed(work: Training, target: Target, offered: dict[str, Any], given: dict[str, Any], torch: Any) -> BaseException | None:
    """Run the program to its end; what it raised, if it did."""
    from explorer.capture.observing import Stopped
    from explorer.capture.programmed import Programmed, chosen_settings
    from explorer.capture.scripts import Script

    watching = work.watching
    steps = watching.about.steps
    failure: BaseException | None = None
    ended, programmed = "finished", None
    try:
        if target.name is None:
            if given:
                raise TargetError("training.no_settings", name=target.title)
            Script(watching, steps=steps, told=work.told).install()
            assert target.path is not None
            run_script(target.path)
            wait_for_threads(None)
        else:
            call = load(target, generator=True)
            watching.about = replace(watching.about, settings=chosen_settings(call, given, name=target.title))
            if inspect.isgeneratorfunction(call):
                steps = steps if steps is not None else _own_steps(call)
                watching.about = replace(watching.about, steps=steps)
                programmed = Programmed(watching, steps=steps, told=work.told)
                offered |= {**watching.about.settings, "steps": steps, "run": programmed}
                taken = arguments(call, target.name, offered=offered, defaults={"dtype": torch.get_default_dtype()})
                take_back(taken, torch)
                programmed.follow(call(**taken))
            else:
                Script(watching, steps=steps, told=work.told).install()
                offered |= watching.about.settings
                taken = arguments(call, target.name, offered=offered, defaults={"dtype": torch.get_default_dtype()})
                take_back(taken, torch)
                call(**taken)
    except Stopped:
        ended = "finished" if watching.about.steps is not None and watching.done >= watching.about.steps else "stopped"
    except SystemExit as exit_:
        failure = None if exit_.code in (None, 0) else exit_
    except ExplorerError:
        watching.close("failed")
        raise
    except BaseException as error:
        failure = error
    if programmed is not None:
        programmed.leave()
    if failure is None and not watching.is_open:
        raise TargetError("training.no_step", name=target.title)
    if programmed is not None and programmed.refused is not None:
        watching.note("no_checkpoint", reason=programmed.refused.message())
        work.tell("note", key=programmed.refused.key, values=plain(programmed.refused.values))
    watching.close("failed" if failure is not None else ended, error=failure)
    return failure


def _own_steps(call: Any) -> int:
    default = inspect.signature(call).parameters["steps"].default if "steps" in inspect.signature(call).parameters else None
    return default if isinstance(default, int) and default > 0 else STEPS


def _finish(work: Training, failure: BaseException | None) -> NoReturn:
    work.ending.acquire()
    work.tell("ended")
    if failure is not None:
        work.leave("failed", [], **told_failure(failure))
    atexit._run_exitfuncs()
    work.leave("stopped" if work.is_told_to_end else "done", [])
