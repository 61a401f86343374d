"""The child process: runs one program under the recorder and leaves traces in a folder.

    standard input   one line of JSON, the request; then it stays open as long as the parent lives
    messages.jsonl   what the parent should know: started, progress, ended, then one of done, error, failed, stopped
    journal          a row per op as it happens, so that a crash loses nothing: see explorer.capture.journal
    1.trace, …       the passes: see explorer.capture.handover
    stop.json        why the parent sends SIGTERM, if it is the parent

The program runs on a thread with a big stack, because a deep graph is torn down recursively. The main thread waits for SIGTERM, on which
it writes what there is so far. The process ends with os._exit: nothing is torn down that need not be.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import io
import json
import os
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from explorer.capture import handover
from explorer.capture.journal import Journal
from explorer.capture.lifetime import CANNOT_WRITE, read_request
from explorer.capture.reports import is_ours, one_line, program_traceback
from explorer.capture.targets import Target, arguments, backward_of, load, run_script
from explorer.errors import ExplorerError, ProgramError, TargetError
from explorer.findings import own_choices
from explorer.model import Trace

STACKS = (1 << 30, 1 << 29, 1 << 28, 1 << 26)  # bytes; the first that the system grants
BYTES_PER_CALL = 20_000  # of stack, generously: Python to C++ to Python and back
PASSES_LIMIT = 100
THREADS_LIMIT = 5.0  # seconds that threads of a program are waited for once the wanted pass is over


class Work:
    """One program being run: its request, its recorder once there is one, and the lock that lets only one thread end the process."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.folder = Path(request["results"])
        self.recorder: Any = None
        self.ending = threading.RLock()
        self.process = os.getpid()

    def tell(self, kind: str, **values: Any) -> None:
        """Send the parent a message. The file is opened for each, so that a program that closes all files does not silence us."""
        line = json.dumps({"kind": kind, **values}, ensure_ascii=True) + "\n"
        with open(self.folder / "messages.jsonl", "ab") as file:
            file.write(line.encode())

    def progress(self, phase: str, done: int, total: int | None) -> None:
        if os.getpid() == self.process:
            self.tell("progress", phase=phase, done=done, total=total)

    def finished(self, traces: list[Trace]) -> None:
        """The wanted pass is complete and the rest of the program is not needed."""
        if os.getpid() == self.process:
            self.ending.acquire()
            self.leave("done", traces)

    def leave(self, kind: str, traces: list[Trace], **values: Any) -> NoReturn:
        """Write the traces, tell the parent and end the process. The caller holds `ending`."""
        self.tell("ended")
        if kind in ("done", "failed") and self.recorder is not None:
            self.recorder.let_go()
        for number, trace in enumerate(traces[:PASSES_LIMIT], start=1):
            self.progress("writing", 0, None)
            own = own_choices(trace, device=self.request["device"], dtype=self.request["dtype"])
            if own:
                trace = replace(trace, findings=(*trace.findings, *own))
            handover.leave(trace, self.folder, number, self.request["formats"])
        self.tell(kind, traces=min(len(traces), PASSES_LIMIT), **values)
        _flush()
        os._exit(0)


def main() -> None:
    """Entry of the child; never returns."""
    request = read_request()
    work = Work(request)
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda number, frame: signals.put(number))
    report_crashes(work.folder / "crash.txt")
    start(lambda: run(work, lambda: _run_program(work)))
    signals.get()
    work.ending.acquire()  # never given back: if the program is about to end by itself, we wait here until it has
    try:
        work.tell("ended")
        work.leave("stopped", _interrupted(work))
    finally:
        os._exit(CANNOT_WRITE)


def _interrupted(work: Work) -> list[Trace]:
    """What there is so far; the last pass says what happened, if the parent has told it."""
    traces: list[Trace] = work.recorder.snapshot() if work.recorder is not None else []
    with contextlib.suppress(OSError):
        told = json.loads((work.folder / "stop.json").read_bytes())
        traces[-1:] = [handover.with_failure(trace, ProgramError(told["key"], **told["values"])) for trace in traces[-1:]]
    return traces


# The process


def report_crashes(path: Path) -> None:
    """Have a crash of the interpreter leave the Python lines it happened in."""
    faulthandler.enable(open(path, "w"), all_threads=False)  # noqa: SIM115  # must stay open until the crash


def start(program: Callable[[], None]) -> None:
    """Run `program` on a thread with as much stack as can be had, its recursion limit to match."""
    for size in (*STACKS, 0):
        try:
            threading.stack_size(size)
            thread = threading.Thread(target=program, name="program")  # no daemon, and so its threads are none either
            thread.start()
            break
        except (ValueError, RuntimeError):
            continue
    else:
        os._exit(1)
    threading.stack_size(0)  # the program's own threads are as they would be
    sys.setrecursionlimit(max(sys.getrecursionlimit(), size // BYTES_PER_CALL))


def let_signals_pass() -> None:
    """A program may set signal handlers, which Python allows on the main thread only: there it waits, so the wish is noted and left."""
    real = signal.signal
    noted: dict[int, Any] = {}

    def note(number: Any, handler: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            return real(number, handler)
        before = noted.get(number, signal.getsignal(number))
        noted[number] = handler
        return before

    signal.signal = note  # type: ignore[assignment]


def _flush() -> None:
    """Write out what the program's open files still hold, since the process ends without closing them."""
    kinds: set[type] = set()
    waiting: list[type] = [io.TextIOWrapper, io.BufferedWriter]
    while waiting:
        kind = waiting.pop()
        kinds.add(kind)
        below: list[type] = type.__subclasses__(kind)
        waiting += [one for one in below if one not in kinds]
    files = [value for value in gc.get_objects() if type(value) in kinds]  # of millions of objects; isinstance may run code of theirs
    for value in [sys.stdout, sys.stderr, *files]:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if not value.closed:
                value.flush()


# The program


def run(work: Work, program: Callable[[], NoReturn]) -> None:
    """The thread of the program. Every way out ends the process."""
    try:
        _run_or_tell(work, program)
    finally:
        os._exit(CANNOT_WRITE)


def _run_or_tell(work: Work, program: Callable[[], NoReturn]) -> NoReturn:
    try:
        program()
    except ExplorerError as error:
        work.ending.acquire()
        work.leave("error", [], error=type(error).__name__, key=error.key, values=plain(error.values))
    except BaseException as error:
        work.ending.acquire()
        work.leave("failed", [], key="running.internal", values={"error": one_line(error)}, report=program_traceback(error))


def plain(values: dict[str, object]) -> dict[str, object]:
    return {key: value if isinstance(value, int | float) else str(value) for key, value in values.items()}


def _run_program(work: Work) -> NoReturn:
    request = work.request
    try:
        import torch
    except (ImportError, OSError):  # OSError: one of its libraries does not load
        raise TargetError("running.no_torch", python=sys.executable) from None
    from explorer.capture.devices import FAKE, check_device, check_dtype
    from explorer.capture.recorder import Recorder

    device = check_device("cpu" if request["device"] is None else request["device"])
    dtype = None if request["dtype"] is None else check_dtype(request["dtype"], device)
    target = Target(**request["target"])
    if target.fake_only and device != FAKE:
        raise TargetError("running.fake_only", name=target.title)
    about = {"title": target.title, "wanted": request["wanted"], "device": device, "dtype": request["dtype"], "seed": request["seed"]}
    if request["unwatched"]:
        from explorer.capture.unwatched import Unwatched

        work.recorder = Unwatched(**about, finished=work.finished)
    else:
        work.recorder = Recorder(
            **about,
            folder=target.folder,
            values=request["values"],
            journal=Journal(work.folder / "journal"),
            progress=work.progress,
            finished=work.finished,
            to_end=request["to_end"],
            further=request["further"],
            check=request["check"],
            deep=True,  # the process ends without tearing the graph down
        )
    let_signals_pass()
    chosen = request["dtype"] or str(torch.get_default_dtype()).removeprefix("torch.")
    work.tell("started", torch=torch.__version__, device=device, dtype=chosen)
    offered = {"seed": request["seed"]}
    if request["device"] is not None:
        request["device"] = device
        offered["device"] = "cpu" if device == FAKE else device
    if dtype is not None:
        offered["dtype"] = dtype
    failure: BaseException | None = None
    try:
        with _fake(device == FAKE):
            _run_target(work, target, offered, torch)
    except TargetError:
        raise
    except BaseException as error:
        failure = None if isinstance(error, SystemExit) and error.code in (None, 0) else error
    _finish(work, failure)


@contextlib.contextmanager
def _fake(wanted: bool) -> Iterator[None]:
    """With the fake device tensors have shapes and no numbers."""
    if not wanted:
        yield
        return
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


def _run_target(work: Work, target: Target, offered: dict[str, Any], torch: Any) -> None:
    """A script runs wholly under the recorder; of a callable the call does, and what its file does on import comes before."""
    set_defaults(offered, torch)
    if target.name is None:
        assert target.path is not None
        with work.recorder:
            run_script(target.path)
            whole = work.request["to_end"] or not work.recorder.passes
            wait_for_threads(None if whole else THREADS_LIMIT)
        return
    call = load(target)
    taken = arguments(call, target.name, offered=offered, defaults={"device": "cpu", "dtype": torch.get_default_dtype()})
    take_back(taken, torch)
    with work.recorder:
        result = call(**taken)
        backward_of(result, work.recorder)


def set_defaults(offered: dict[str, Any], torch: Any) -> None:
    """The wanted device and data type become torch's defaults, and the random numbers begin at the seed."""
    if "dtype" in offered:
        torch.set_default_dtype(offered["dtype"])
    if offered.get("device", "cpu") != "cpu":  # cpu is the default as it is; a set one costs a mode
        torch.set_default_device(offered["device"])
    _seed(offered["seed"], torch)


def take_back(taken: dict[str, Any], torch: Any) -> None:
    """A callable that is handed device or data type is not given them as defaults too."""
    if "dtype" in taken:
        torch.set_default_dtype(torch.float32)
    if taken.get("device", "cpu") != "cpu":
        torch.set_default_device(None)


def _seed(seed: int | None, torch: Any) -> None:
    if seed is None:
        return
    random.seed(seed)
    torch.manual_seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def wait_for_threads(limit: float | None) -> None:
    """As Python does at the end of a script: wait for its threads that are not daemons, but once what was wanted is there, not for ever."""
    end = None if limit is None else time.monotonic() + limit
    for thread in threading.enumerate():
        if not thread.daemon and thread not in (threading.main_thread(), threading.current_thread()):
            thread.join(None if end is None else max(0.0, end - time.monotonic()))


def _finish(work: Work, failure: BaseException | None) -> NoReturn:
    """The program has ended; write what was recorded and how it ended."""
    work.ending.acquire()
    work.tell("ended")
    if failure is not None:
        told = _lack(work, failure) or told_failure(failure)
        work.leave("failed", work.recorder.traces(error=failure), **told)
    wanted = work.request["wanted"]
    if isinstance(wanted, int) and wanted > 1 and work.recorder.passes < wanted:
        raise TargetError("running.too_few_passes", wanted=wanted, passes=work.recorder.passes)
    traces = work.recorder.traces()
    atexit._run_exitfuncs()
    work.leave("done", traces)


def _lack(work: Work, failure: BaseException) -> dict[str, Any] | None:
    """The sentence for a program that asked the fake device for numbers; None where that is not why it failed."""
    from explorer.capture.devices import FAKE
    from explorer.capture.faking import lack_of_values

    if work.recorder.device != FAKE or work.request["unwatched"]:
        return None
    told = lack_of_values(failure, work.recorder.frames.raised_at(failure))
    return None if told is None else {**told, "error": "ValuesError"}


def told_failure(failure: BaseException) -> dict[str, Any]:
    """The sentence and the report for what the program raised."""
    if isinstance(failure, SystemExit):
        if isinstance(failure.code, int):
            return {"key": "running.exited", "values": {"code": failure.code}, "report": ""}
        return {"key": "running.exited_saying", "values": {"text": str(failure.code).strip()}, "report": ""}
    report = program_traceback(failure)
    if _is_internal(failure):
        return {"key": "running.internal", "values": {"error": one_line(failure)}, "report": report}
    return {"key": "running.raised", "values": {"error": one_line(failure)}, "report": report}


def _is_internal(failure: BaseException) -> bool:
    """Whether our own code raised it. Torch's errors are RuntimeErrors, and come out of C++ through our frames."""
    last = failure.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    ours = last is not None and is_ours(last.tb_frame.f_code.co_filename)
    return ours and isinstance(failure, AttributeError | AssertionError | LookupError | NameError | TypeError)
