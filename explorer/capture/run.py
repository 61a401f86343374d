"""Runs a program in a child process and brings back what was recorded; imports no torch.

The child is stopped with everything it started when it passes a limit, when the caller cancels, and when this call is left in any way.
Nothing here is shared between calls: any number of threads may run programs at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import explorer
from explorer import errors
from explorer.capture.assemble import trace_from_journal
from explorer.capture.handover import FORMATS, Recorded, kept, lacks_failure, taken_over, with_failure
from explorer.capture.journal import rows_of
from explorer.capture.lifetime import FOLDER
from explorer.capture.processes import child_environment, end_of_process, kill_all, memory_of
from explorer.capture.reports import cut_crash
from explorer.capture.targets import Target, find
from explorer.errors import ExplorerError, ProgramError, RequestError, ValuesError
from explorer.model import MadeWith, Trace

__all__ = ["OUTPUT_LIMIT", "Child", "Limits", "Outcome", "Progress", "Result", "record_target", "results_folder", "run_target"]

OUTPUT_LIMIT = 10 * 1000**2  # bytes that a program may print
TAIL = 20_000  # characters of it that are kept
START_LIMIT = 300.0  # seconds for torch to be loaded
GRACE = 5.0  # seconds to begin to write what there is, after being told to stop
WRITE_LIMIT = 300.0  # seconds to write it: a million ops take one or two minutes
LEAVE_LIMIT = 5.0  # seconds to end, after everything was written
POLL = 0.05  # seconds
GB = 1000**3

# The folder of this package stands on the path only while the package itself is found, so that the program sees the path it would see.
_START = (
    "import sys; path = sys.path; path[:1] == [''] and path.pop(0); path.insert(0, sys.argv.pop()); "
    "import explorer, importlib; path.pop(0); importlib.import_module('explorer.capture.' + sys.argv.pop()).main()"
)

Progress = Callable[[str, int, "int | None"], None]


@dataclass(frozen=True, slots=True)
class Result:
    """The recorded passes, and the end of what the program printed."""

    traces: tuple[Trace, ...]
    output_tail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: what was recorded of it, and `failure` if it failed or was stopped."""

    recordings: tuple[Recorded, ...]
    output_tail: str
    failure: ProgramError | None = None


def run_target(target: str, *, progress: Progress | None = None, **settings: Any) -> Result:
    """Run `target` and return what was recorded, read into memory; `settings` as `record_target` takes them.

    Raises as it does, and ProgramError, which holds the partial traces, for a program that failed.
    """
    with results_folder() as folder:
        outcome = record_target(target, folder, progress=progress, **settings)
        if outcome.failure is not None:
            with _whatever_is_there():
                outcome.failure.hold([recording.trace for recording in outcome.recordings])
            raise outcome.failure
        if progress is not None:
            progress("reading", 0, None)
        return Result(tuple(recording.trace for recording in outcome.recordings), outcome.output_tail)


def record_target(
    target: str,
    folder: Path,
    *,
    device: str | None = None,
    dtype: str | None = None,
    seed: int | None = 0,
    values: str = "stats",
    wanted: int | str = 1,
    further: int = 0,
    to_end: bool = False,
    check: bool = False,
    unwatched: bool = False,
    timeout: float | None = 600.0,
    memory_limit: float | None = None,
    formats: Collection[str] = FORMATS[:1],
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
    keep_interrupted: bool = False,
    output: Callable[[bytes], None] | None = None,
) -> Outcome:
    """Run `target` (see CONTRACT, TARGET) and leave what was recorded in `folder`, in these `formats`.

    `timeout` is in seconds of the program, its start not counted; `memory_limit` in GB of everything it runs. `progress(phase, done,
    total)` and `output(bytes)` are called in this thread. Raises `TargetError` or `DeviceError` for a wrong request; a program that
    failed, crashed, passed a limit or was `cancelled` is told in `Outcome.failure`; so is a `KeyboardInterrupt` with `keep_interrupted`.
    """
    if wanted != "all" and (not isinstance(wanted, int) or wanted < 1):
        raise RequestError("running.wrong_choice", name="wanted", value=wanted, choices='1, 2, 3, …, "all"')
    if values not in ("stats", "all", "none"):
        raise RequestError("running.wrong_choice", name="values", value=values, choices='"stats", "all", "none"')
    found = find(target)
    request = {
        "target": asdict(found),
        "device": device,
        "dtype": dtype,
        "seed": seed,
        "values": values,
        "wanted": wanted,
        "further": further,
        "to_end": to_end,
        "check": check,
        "unwatched": unwatched,
        "formats": list(formats),
    }
    limits = Limits(timeout, None if memory_limit is None else int(memory_limit * GB), cancelled, keep_interrupted)
    return Child(found, folder, request, limits, progress, output).outcome()


@contextlib.contextmanager
def results_folder() -> Iterator[Path]:
    """A private folder that is gone afterwards, whatever the program left in it."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True)
    except OSError as error:
        raise _cannot_start(error) from None
    with folder:
        yield Path(folder.name)


@contextlib.contextmanager
def _whatever_is_there() -> Iterator[None]:
    """That what a failed program left cannot be read must not hide the failure."""
    with contextlib.suppress(ExplorerError, ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError):
        yield


def _cannot_start(error: OSError) -> RequestError:
    return RequestError("running.cannot_start", reason=error.strerror or type(error).__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    timeout: float | None
    memory: int | None
    cancelled: threading.Event | None
    keeps: bool
    prints_freely: bool = False  # as much as it likes


@dataclass(slots=True)
class Child:
    """One child from its start to its end."""

    target: Target
    folder: Path
    request: dict[str, Any]
    limits: Limits
    progress: Progress | None
    output: Callable[[bytes], None] | None
    entry: str = "worker"  # the module whose `main` the child runs
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    chunks: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    printed: int = 0
    tail: bytes = b""
    read: int = 0  # bytes of the child's messages
    began: float | None = None  # when the program itself started
    started: dict[str, Any] = field(default_factory=dict)  # with what
    last: dict[str, Any] = field(default_factory=dict)  # how it ended, in the child's words
    over: bool = False  # the program has ended; what remains is ours
    stopped: ProgramError | None = None  # the limit that we ended it for

    def outcome(self) -> Outcome:
        process = self._started()
        reader = threading.Thread(target=self._read_output, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            self._watch(process)
        except KeyboardInterrupt:
            if not self.limits.keeps:
                raise
            self.stopped = ProgramError("running.interrupted")
            self._stop(process, gently=True)
        finally:
            kill_all(process.pid, token=self.token)
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]
            reader.join(timeout=2.0)
        self._hand_on()
        return self._ended(process.returncode)

    def _started(self) -> subprocess.Popen[bytes]:
        """The child with its request; NOTE [lifetime] its standard input stays open, and closes when we are gone."""
        root = str(Path(errors.__file__).resolve().parent.parent)
        try:
            process = subprocess.Popen(
                [sys.executable, "-u", "-c", _START, self.entry, root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=child_environment(os.environ, token=self.token, seed=self.request["seed"]),
                start_new_session=True,
            )
        except OSError as error:
            raise _cannot_start(error) from None
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended already, and how it did will be told
            process.stdin.write(json.dumps({**self.request, "results": str(self.folder)}).encode() + b"\n")
            process.stdin.flush()
        return process

    # While it runs

    def _read_output(self, pipe: IO[bytes]) -> None:
        """Drain what the program prints to the end, so that it is never held up, and keep no more than the limit."""
        with contextlib.suppress(OSError, ValueError), pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                if self.limits.prints_freely or self.printed <= OUTPUT_LIMIT:
                    self.chunks.put(chunk)
                self.printed += len(chunk)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of the child, or bring it about."""
        self._report("starting", 0, None)
        created = time.monotonic()
        while process.poll() is None:
            time.sleep(POLL)
            self._hand_on()
            if self.last:
                self._wait(process, LEAVE_LIMIT)
                return
            self.stopped = self._passed_limit(process.pid, created)
            if self.stopped is not None:
                self._stop(process, gently=self.stopped.key in ("running.timeout", "running.output"))
                return

    def _passed_limit(self, group: int, created: float) -> ProgramError | None:
        now = time.monotonic()
        limits = self.limits
        if limits.cancelled is not None and limits.cancelled.is_set():
            return ProgramError("running.cancelled")
        if limits.memory is not None and memory_of(group) > limits.memory:
            return ProgramError("running.memory", limit=_number(limits.memory / GB))
        if self.over:
            return None
        if self.printed > OUTPUT_LIMIT and not limits.prints_freely:
            return ProgramError("running.output", limit=OUTPUT_LIMIT // 1000**2)
        if self.began is None:
            if now - created > START_LIMIT:
                raise RequestError("running.start_limit", seconds=int(START_LIMIT))
        elif limits.timeout is not None and now - self.began > limits.timeout:
            return ProgramError("running.timeout", seconds=_number(limits.timeout))
        return None

    def _stop(self, process: subprocess.Popen[bytes], *, gently: bool) -> None:
        """Gently: it may first write down what it has. Where memory ran out or the person has cancelled it may not."""
        if gently and hasattr(signal, "SIGKILL") and self.stopped is not None:
            with contextlib.suppress(OSError):
                (self.folder / "stop.json").write_text(json.dumps({"key": self.stopped.key, "values": self.stopped.values}))
            process.terminate()
            self._wait(process, GRACE)
            if self.over:  # it is writing
                self._wait(process, WRITE_LIMIT)
        process.kill()

    def _wait(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            time.sleep(POLL)
            self._hand_on()

    def _hand_on(self) -> None:
        """Pass the program's output and progress to the caller, in the caller's thread."""
        while not self.chunks.empty():
            chunk = self.chunks.get()
            self.tail = (self.tail + chunk)[-4 * TAIL :]
            if self.output is not None:
                self.output(chunk)
        for message in self._messages():
            match message.get("kind"):
                case "started":
                    self.began, self.started = time.monotonic(), message
                case "progress":
                    self._report(str(message.get("phase")), int(message.get("done") or 0), message.get("total"))
                case "ended":
                    self.over = True
                case "done" | "error" | "failed" | "stopped":
                    self.last = message

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What the child has told since the last look; a line still being written waits for the next."""
        with contextlib.suppress(OSError), open(self.folder / "messages.jsonl", "rb") as file:
            file.seek(self.read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.read += len(line)
                with contextlib.suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict):
                        yield message

    def _report(self, phase: str, done: int, total: int | None) -> None:
        if self.progress is not None:
            self.progress(phase, done, total)

    # Afterwards

    def _ended(self, code: int) -> Outcome:
        """What was recorded, with the error that says what happened if not all went well."""
        failure = self._failure(code)
        if failure is None:
            return Outcome(self._written(), self._tail_text())
        failure.output = self._tail_text()
        recordings: tuple[Recorded, ...] = ()
        if failure.key != "running.cancelled":
            with _whatever_is_there():
                recordings = self._kept(failure)
        return Outcome(recordings, failure.output, failure)

    def _failure(self, code: int) -> ProgramError | None:
        kind = self.last.get("kind")
        if self.stopped is not None and (kind in (None, "stopped") or self.stopped.key == "running.cancelled"):
            return self.stopped
        if kind == "done":
            return None
        if kind == "error":
            raise self._error()
        if kind == "failed":
            failed = ValuesError if self.last.get("error") == ValuesError.__name__ else ProgramError
            return failed(self.last["key"], report=self.last.get("report", ""), **self.last["values"])
        key, values = end_of_process(code, self.tail)
        return ProgramError(key, report=self._crash(), **values)

    def _error(self) -> ExplorerError:
        kind = getattr(errors, str(self.last.get("error")), RequestError)
        return kind(self.last["key"], **self.last["values"])

    def _written(self) -> tuple[Recorded, ...]:
        """The passes that the child wrote, in order."""
        count = int(self.last.get("traces") or 0)
        return tuple(taken_over(self.folder, number, self.request["formats"]) for number in range(1, count + 1))

    def _kept(self, failure: ProgramError) -> tuple[Recorded, ...]:
        """What was recorded until a failure, with the failure as a finding."""
        recordings = self._written()
        if not recordings:
            trace = self._rescued()
            return () if trace is None else (kept(with_failure(trace, failure)),)
        if lacks_failure(recordings[-1].head):
            return (*recordings[:-1], kept(with_failure(recordings[-1].trace, failure)))
        return recordings

    def _rescued(self) -> Trace | None:
        """A partial trace from the journal of a child that could not write one."""
        if not self.started:
            return None
        versions = explorer.__version__, str(self.started["torch"]), platform.python_version()
        made = MadeWith(*versions, str(self.started["device"]), str(self.started["dtype"]), self.request["seed"])
        return trace_from_journal(rows_of(self.folder / "journal"), title=self.target.title, made_with=made)

    def _crash(self) -> str:
        with contextlib.suppress(OSError):
            return cut_crash((self.folder / "crash.txt").read_text(encoding="utf-8", errors="replace"))
        return ""

    def _tail_text(self) -> str:
        return self.tail.decode("utf-8", errors="replace")[-TAIL:]


def _number(value: float) -> str:
    return f"{value:g}"
