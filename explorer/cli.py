"""The verbs: trace, export, examples, devices, serve. Turns an ExplorerError into one message and an exit code.

autograd-explorer trace gpt2 -o gpt2.svg
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from explorer.arguments import SUFFIXES, language_of, parser
from explorer.errors import ExplorerError, OutputError, ProgramError, RequestError
from explorer.model import Trace
from explorer.serving import serve
from explorer.text import LANGUAGES, say

__all__ = ["main"]

VIEW = ("depth", "expand", "focus", "hops", "direction", "flow", "overlay", "step", "language", "theme")
MOST_FINDINGS = 5  # printed under a file; the recording has all
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    language = language_of(words)
    as_json = "--json" in words
    _never_fail_to_print()
    try:
        arguments = parser(language, VERBS).parse_args(words)
        with _ended_by_signals():
            code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except ExplorerError as error:
        return _fail(error, language, as_json=as_json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(error: ExplorerError, language: str, *, as_json: bool) -> int:
    """The program's own traceback if it is its error, then our sentence."""
    if isinstance(error, ProgramError) and error.report:
        _to_stderr(error.report.rstrip("\n"))
    _to_stderr(error.message(language))
    if as_json:
        messages = {each: error.message(each) for each in LANGUAGES}
        _print_json({"error": {"kind": type(error).__name__, "message": messages}})
    return error.exit_code


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _never_fail_to_print() -> None:
    """A terminal that lacks a letter, or a file name that is no text, gets it escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _print_json(document: object) -> None:
    any_letter = (getattr(sys.stdout, "encoding", None) or "").lower() in ("utf-8", "utf8")
    print(json.dumps(document, ensure_ascii=not any_letter, indent=2))


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal leave through `finally`, so that no program of the user goes on without us."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            if before[number] == signal.SIG_DFL:
                signal.signal(number, end)
        yield
    finally:
        for number in numbers:
            if before[number] == signal.SIG_DFL:
                signal.signal(number, signal.SIG_DFL)


# trace and export


def _trace(arguments: argparse.Namespace) -> int:
    from explorer.capture.run import run_target

    language = arguments.language or "en"
    _check_outputs(arguments.outputs)
    bar = _Bar(language)
    failure: ProgramError | None = None
    try:
        traces = run_target(
            arguments.target,
            device=arguments.device,
            dtype=arguments.dtype,
            seed=arguments.seed,
            values=arguments.values,
            wanted=arguments.wanted,
            to_end=arguments.to_end,
            timeout=arguments.timeout,
            memory_limit=arguments.memory_limit,
            progress=bar.show,
            output=bar.pass_on,
        ).traces
    except ProgramError as error:
        failure, traces = error, tuple(trace for trace in error.traces if trace.nodes)
    finally:
        bar.close()
    if failure is not None and not traces:
        raise failure
    _write_all(traces, arguments, many=arguments.wanted == "all", failure=failure)
    return 0 if failure is None else _fail(failure, language, as_json=False)


def _export(arguments: argparse.Namespace) -> int:
    from explorer.files import load

    _check_outputs(arguments.outputs)
    _write_all((load(arguments.trace),), arguments, many=False, failure=None)
    return 0


def _check_outputs(outputs: list[str]) -> None:
    """Refuse before the program runs what could not be written after it."""
    from explorer.files import open_output

    for index, path in enumerate(outputs):
        if Path(path).suffix.lower() not in SUFFIXES:
            raise OutputError("command.suffix", path=path, suffixes=" ".join(SUFFIXES))
        if os.path.realpath(path) in [os.path.realpath(other) for other in outputs[:index]]:
            raise OutputError("command.same_output", path=path)
        with contextlib.suppress(_NothingToWrite), open_output(path):
            raise _NothingToWrite  # leaves what was there untouched


class _NothingToWrite(Exception):
    """Leaves `open_output` as if writing had failed."""


def _write_all(traces: Sequence[Trace], arguments: argparse.Namespace, *, many: bool, failure: ProgramError | None) -> None:
    """Write each output and say so; with `many` a `.json` is a list and other outputs are numbered files."""
    language = arguments.language or "en"
    view = {name: value for name in VIEW if (value := getattr(arguments, name)) is not None}
    written: list[str] = []
    lines: list[str] = []
    for path in arguments.outputs:
        if many and path.lower().endswith(".json"):
            _write_list(traces, path)
            written.append(path)
            lines.append(say("command.wrote_passes", language, path=path, count=len(traces)))
            continue
        for number, trace in enumerate(traces, start=1):
            place = _numbered(path, number) if many else path
            _write(trace, place, view)
            written.append(place)
            lines.append(_told(trace, place, language))
    if arguments.json:
        _print_json(_document(traces, written, many=many, failure=failure))
    else:
        print("\n".join([*lines, *_findings(traces, language)]), flush=True)


def _write(trace: Trace, path: str, view: dict[str, Any]) -> None:
    """What goes into a recording needs nothing that draws."""
    if path.lower().endswith((".trace", ".json")) and not view:
        from explorer.files import save

        save(trace, path)
    else:
        from explorer.export import export

        export(trace, path, **view)


def _write_list(traces: Sequence[Trace], path: str) -> None:
    from explorer.document import document_lines
    from explorer.files import open_output

    with open_output(path) as stream:
        for index, trace in enumerate(traces):
            stream.write(b",\n" if index else b"[\n")
            stream.writelines(document_lines(trace))
        stream.write(b"\n]\n" if traces else b"[]\n")


def _numbered(path: str, number: int) -> str:
    """a/name.svg -> a/name-2.svg"""
    stem, suffix = os.path.splitext(path)
    return f"{stem}-{number}{suffix}"


def _told(trace: Trace, path: str, language: str) -> str:
    values = {"path": path, "nodes": len(trace.nodes), "number": trace.number, "passes": trace.passes}
    if not trace.number:
        line = say("command.wrote_forward", language, **values)
    elif trace.loss is None:
        line = say("command.wrote_no_loss", language, **values)
    else:
        line = say("command.wrote", language, **values, loss=f"{trace.loss:.4g}")
    return say("command.partial", language, line=line) if trace.partial else line


def _findings(traces: Sequence[Trace], language: str) -> list[str]:
    """The errors and warnings, the first few; what the user's own traceback says is not said twice."""
    found = list(
        dict.fromkeys(
            say(f"command.finding.{finding.severity}", language, message=finding.message[language])
            for trace in traces
            for finding in trace.findings
            if finding.severity != "info" and finding.kind != "user_error"
        )
    )
    more = len(found) - MOST_FINDINGS
    return [*found[:MOST_FINDINGS], *([say("command.more_findings", language, count=more)] if more > 0 else [])]


def _document(traces: Sequence[Trace], written: list[str], *, many: bool, failure: ProgramError | None) -> dict[str, Any]:
    from explorer.document import to_document

    def summary(trace: Trace) -> dict[str, Any]:
        whole = to_document(trace)
        told = {name: whole[name] for name in ("title", "partial", "pass", "passes", "loss", "findings")}
        return {**told, "nodes": len(trace.nodes), "edges": len(trace.edges)}

    document = {"paths": written, **(summary(traces[-1]) if traces else {})}
    if many:
        document["traces"] = [summary(trace) for trace in traces]
    if failure is not None:
        document["error"] = {"kind": type(failure).__name__, "message": {each: failure.message(each) for each in LANGUAGES}}
    return document


class _Bar:
    """One line of progress on standard error where that is a terminal; the program's output passes above it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.wanted = sys.stderr.isatty()
        self.shown = False
        self.within_line = False  # the program's output has not ended its line

    def show(self, phase: str, done: int, total: int | None) -> None:
        if not self.wanted:
            return
        filled = 20 * done // total if total else 0
        bar = f" [{'#' * filled}{'.' * (20 - filled)}]" if total else ""
        count = f" {done:,}" if done else ""
        sys.stderr.write(f"\r\x1b[K{say(f'running.phase.{phase}', self.language)}{bar}{count}")
        sys.stderr.flush()
        self.shown = True

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.shown = False

    def close(self) -> None:
        self.clear()
        if self.within_line:
            _to_stderr("")

    def pass_on(self, chunk: bytes) -> None:
        """The program's own output goes to our standard error: standard output is ours."""
        self.clear()
        self.within_line = not chunk.endswith(b"\n")
        sys.stderr.flush()
        stream = getattr(sys.stderr, "buffer", None)
        if stream is None:
            sys.stderr.write(chunk.decode("utf-8", errors="replace"))
        else:
            stream.write(chunk)
        sys.stderr.flush()


# examples and devices


def _examples(arguments: argparse.Namespace) -> int:
    from explorer.capture.programs import EXAMPLES

    if arguments.json:
        _print_json(
            [
                {
                    "name": name,
                    "title": {each: example.title(each) for each in LANGUAGES},
                    "topic": example.topic,
                    "source_file": example.source_file,
                }
                for name, example in EXAMPLES.items()
            ]
        )
        return 0
    width = max(map(len, EXAMPLES), default=0)
    for name, example in EXAMPLES.items():
        print(f"{name:{width}}  {example.title(arguments.language)}")
    return 0


def _devices(arguments: argparse.Namespace) -> int:
    from explorer.capture.devices import list_devices

    try:
        devices = list_devices(arguments.language)
    except ImportError:
        raise RequestError("command.no_torch") from None
    if arguments.json:
        _print_json([asdict(device) for device in devices])
        return 0
    width = max(len(device.name) for device in devices)
    for device in devices:
        absent = say("command.absent", arguments.language, reason=device.reason)
        state = say("command.available", arguments.language) if device.available else absent
        print(f"{device.name:{width}}  {device.description} ({state})")
    return 0


VERBS = {"trace": _trace, "export": _export, "examples": _examples, "devices": _devices, "serve": serve}
