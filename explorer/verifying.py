"""The verb `check`: runs a program, verifies its gradients, and tells what was found."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, ProgramError
from explorer.model import MadeWith, Trace
from explorer.progress import Bar, print_json, to_stderr

if TYPE_CHECKING:
    from explorer.report import Checked

__all__ = ["check"]

FOUND = 1  # exit code


def check(arguments: argparse.Namespace) -> int:
    """Verify the program that the arguments name; the exit code."""
    from explorer.report import FURTHER, Checked

    language = arguments.language or "en"
    bar = Bar(language)
    with contextlib.closing(bar):
        traces, failure = _recorded(arguments, bar, check=True, further=FURTHER if arguments.wanted is None else 0)
        ended = {"wanted": arguments.wanted, "failed": failure.key if failure is not None else None}
        checked = Checked.of_run(traces, arguments.target, **ended)
        if Checked.spares(traces, **ended):
            failure = None
        if arguments.unwatched and failure is None:
            checked = replace(checked, unwatched=_unwatched(arguments, bar, checked.trace))
    if failure is not None and failure.report:
        to_stderr(failure.report.rstrip("\n"))
    if arguments.json:
        print_json(checked.document())
    else:
        print(checked.text(language), flush=True)
    if failure is not None and not _is_explained(checked):
        to_stderr(failure.message(language))
        return failure.exit_code
    return FOUND if checked.fails(arguments.fail_on) else 0


def _recorded(arguments: argparse.Namespace, bar: Bar, **settings: Any) -> tuple[list[Trace], ProgramError | None]:
    """The traces of one run; of a program of which nothing was recorded, one that says only how it failed."""
    from explorer.capture.handover import with_failure
    from explorer.capture.run import record_target, results_folder

    with results_folder() as folder:
        outcome = record_target(
            arguments.target,
            folder,
            device=arguments.device,
            dtype=arguments.dtype,
            seed=arguments.seed,
            values=arguments.values,
            to_end=arguments.to_end,
            timeout=arguments.timeout,
            memory_limit=arguments.memory_limit,
            progress=bar.show,
            output=bar.pass_on,
            **{"wanted": arguments.wanted or 1, **settings},
        )
        if outcome.recordings:
            bar.show("reading", 0, None)
            return [recording.trace for recording in outcome.recordings], outcome.failure
    assert outcome.failure is not None
    made = MadeWith("", "", "", arguments.device or "cpu", arguments.dtype or "", arguments.seed)
    return [with_failure(Trace(arguments.target, True, 0, 0, made, None, (), (), (), (), ()), outcome.failure)], outcome.failure


def _unwatched(arguments: argparse.Namespace, bar: Bar, trace: Trace) -> dict[str, Any]:
    from explorer.comparing import compared

    try:
        other, failure = _recorded(arguments, bar, unwatched=True, wanted=trace.number or 1)
    except ExplorerError as error:
        return compared(trace, None, error=error.message("en"))
    return compared(trace, None, error=failure.message("en")) if failure is not None else compared(trace, other[-1])


def _is_explained(checked: Checked) -> bool:
    """Whether what the program raised is a finding of its own (a stale tensor, a freed graph), which is what `check` was to find."""
    kinds = {finding.kind for _, finding in checked.findings() if finding.severity == "error"}
    return bool(kinds - {"user_error"})
