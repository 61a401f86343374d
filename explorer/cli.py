"""The verbs: trace, export, check, train, runs, examples, devices, serve. Turns an ExplorerError into one message and an exit code.

autograd-explorer trace gpt2 -o gpt2.svg
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from explorer.arguments import SUFFIXES, language_of, parser
from explorer.errors import ExplorerError, OutputError, ProgramError, RequestError
from explorer.listing import cost_line, device_table
from explorer.progress import Bar, print_json, to_stderr
from explorer.serving import serve
from explorer.text import LANGUAGES, say
from explorer.training import list_all, train
from explorer.verifying import check

if TYPE_CHECKING:
    from explorer.capture.handover import Recorded

__all__ = ["main"]

VIEW = (
    "depth",
    "expand",
    "opened",
    "focus",
    "hops",
    "between",
    "reaching",
    "only",
    "direction",
    "flow",
    "overlay",
    "step",
    "language",
    "theme",
)
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
        to_stderr(error.report.rstrip("\n"))
    to_stderr(error.message(language))
    if as_json:
        messages = {each: error.message(each) for each in LANGUAGES}
        print_json({"error": {"kind": type(error).__name__, "message": messages}})
    return error.exit_code


def _never_fail_to_print() -> None:
    """A terminal that lacks a letter, or a file name that is no text, gets it escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
    from explorer.capture.run import record_target, results_folder

    language = arguments.language or "en"
    _check_outputs(arguments.outputs)
    bar = Bar(language)
    with results_folder() as folder, contextlib.closing(bar):
        outcome = record_target(
            arguments.target,
            folder,
            device=arguments.device,
            dtype=arguments.dtype,
            seed=arguments.seed,
            values=arguments.values,
            wanted=arguments.wanted,
            to_end=arguments.to_end,
            timeout=arguments.timeout,
            memory_limit=arguments.memory_limit,
            formats=_formats(arguments),
            progress=bar.show,
            output=bar.pass_on,
            keep_interrupted=True,
        )
        failure = outcome.failure
        recordings = outcome.recordings if failure is None else tuple(found for found in outcome.recordings if found.nodes)
        interrupted = failure is not None and failure.key == "running.interrupted"
        if interrupted and not recordings:
            raise KeyboardInterrupt
        if failure is not None and not recordings:
            raise failure
        _write_all(recordings, arguments, many=arguments.wanted == "all", failure=failure, bar=bar)
    code = 0 if failure is None else _fail(failure, language, as_json=False)
    return INTERRUPTED if interrupted else code


def _export(arguments: argparse.Namespace) -> int:
    from explorer.capture.handover import kept
    from explorer.files import load

    bar = Bar(arguments.language or "en")
    _check_outputs(arguments.outputs)
    with contextlib.closing(bar):
        bar.show("reading", 0, None)
        _write_all((kept(load(arguments.trace)),), arguments, many=False, failure=None, bar=bar)
    return 0


def _formats(arguments: argparse.Namespace) -> list[str]:
    """What the program's process writes itself: recordings that no option of the picture is to be held against, else what can be read."""
    wanted = {Path(path).suffix.lower() for path in arguments.outputs}
    if _view(arguments):
        return [".trace"]
    return [suffix for suffix in (".trace", ".json") if suffix in wanted or (suffix == ".trace" and wanted - {".json"})]


def _view(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name in VIEW if (value := getattr(arguments, name)) is not None}


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


def _write_all(
    recordings: Sequence[Recorded], arguments: argparse.Namespace, *, many: bool, failure: ProgramError | None, bar: Bar
) -> None:
    """Write each output and say so; with `many` a `.json` is a list and other outputs are numbered files.

    What cannot be written does not keep the others from being written, and is told last.
    """
    language = arguments.language or "en"
    written: list[str] = []
    lines: list[str] = []
    refused: ExplorerError | None = None
    for path in arguments.outputs:
        try:
            if many and path.lower().endswith(".json"):
                _write_list(recordings, path)
                written.append(path)
                lines.append(say("command.wrote_passes", language, path=path, count=len(recordings)))
                continue
            for number, recording in enumerate(recordings, start=1):
                place = _numbered(path, number) if many else path
                _write(recording, place, _view(arguments), bar)
                written.append(place)
                lines.append(_told(recording, place, language))
        except ExplorerError as error:
            refused = refused or error
    bar.close()
    if refused is not None and not written:
        raise refused
    if arguments.json and refused is None:
        print_json(_document(recordings, written, many=many, failure=failure))
    elif not arguments.json:
        print("\n".join([*lines, *_costs(recordings, language), *_findings(recordings, language)]), flush=True)
    if refused is not None:
        raise refused


def _write(recording: Recorded, path: str, view: dict[str, Any], bar: Bar) -> None:
    """What goes into a recording needs nothing that draws, and nothing that reads where the program's process wrote it."""
    if view or not path.lower().endswith((".trace", ".json")):
        from explorer.export import export

        bar.show("reading", 0, None)
        trace = recording.trace
        bar.show("drawing", 0, None)
        export(trace, path, **view)
    elif not recording.copy(path):
        from explorer.files import save

        bar.show("writing", 0, None)
        save(recording.trace, path)


def _write_list(recordings: Sequence[Recorded], path: str) -> None:
    from explorer.document import document_lines
    from explorer.files import open_output

    with open_output(path) as stream:
        for index, recording in enumerate(recordings):
            stream.write(b",\n" if index else b"[\n")
            stream.writelines(document_lines(recording.trace))
        stream.write(b"\n]\n" if recordings else b"[]\n")


def _numbered(path: str, number: int) -> str:
    """a/name.svg -> a/name-2.svg"""
    stem, suffix = os.path.splitext(path)
    return f"{stem}-{number}{suffix}"


def _told(recording: Recorded, path: str, language: str) -> str:
    trace = recording.head
    values = {"path": path, "nodes": recording.nodes, "number": trace.number, "passes": trace.passes}
    if not trace.number:
        line = say("command.wrote_forward", language, **values)
    elif trace.loss is None:
        line = say("command.wrote_no_loss", language, **values)
    else:
        line = say("command.wrote", language, **values, loss=f"{trace.loss:.4g}")
    return say("command.partial", language, line=line) if trace.partial else line


def _costs(recordings: Sequence[Recorded], language: str) -> list[str]:
    """What a pass without numbers is recorded for: how much memory it would take, and how many operations."""
    fake = [recording.costs for recording in recordings if recording.head.made_with.device == "fake"]
    return [cost_line(costs["memory"], costs["flops"], language) for costs in fake if costs["memory"] is not None]


def _findings(recordings: Sequence[Recorded], language: str) -> list[str]:
    """The errors and warnings, the first few; what the user's own traceback says is not said twice."""
    found = list(
        dict.fromkeys(
            say(f"command.finding.{finding.severity}", language, message=finding.message[language])
            for recording in recordings
            for finding in recording.head.findings
            if finding.severity != "info" and finding.kind != "user_error"
        )
    )
    more = len(found) - MOST_FINDINGS
    return [*found[:MOST_FINDINGS], *([say("command.more_findings", language, count=more)] if more > 0 else [])]


def _document(recordings: Sequence[Recorded], written: list[str], *, many: bool, failure: ProgramError | None) -> dict[str, Any]:
    from explorer.document import to_document

    def summary(recording: Recorded) -> dict[str, Any]:
        head = to_document(replace(recording.head, nodes=(), edges=(), forward=(), backward=(), updates=()))
        told = {name: head[name] for name in ("title", "partial", "pass", "passes", "loss", "findings")}
        return {**told, "nodes": recording.nodes, "edges": recording.edges, **recording.costs}

    document = {"paths": written, **(summary(recordings[-1]) if recordings else {})}
    if many:
        document["traces"] = [summary(recording) for recording in recordings]
    if failure is not None:
        document["error"] = {"kind": type(failure).__name__, "message": {each: failure.message(each) for each in LANGUAGES}}
    return document


# examples and devices


def _examples(arguments: argparse.Namespace) -> int:
    from explorer.capture.programs import EXAMPLES

    if arguments.json:
        print_json(
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
        print_json([asdict(device) for device in devices])
        return 0
    print(device_table(devices, arguments.language))
    return 0


VERBS = {
    "trace": _trace,
    "export": _export,
    "check": check,
    "train": train,
    "runs": list_all,
    "examples": _examples,
    "devices": _devices,
    "serve": serve,
}
