"""The verbs `train` and `runs`: trains a program into a run on disk, and tells what runs there are."""

from __future__ import annotations

import argparse
import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import FileError, OutputError, RequestError
from explorer.progress import Bar, print_json, to_stderr
from explorer.text import LANGUAGES, say

if TYPE_CHECKING:
    from explorer.runs import Run

__all__ = ["list_all", "train"]

INTERRUPTED = 130


def train(arguments: argparse.Namespace) -> int:
    """Train the program that the arguments name; the exit code."""
    from explorer.capture.trainer import train_target
    from explorer.runs import is_run, open_run

    language = arguments.language or "en"
    with contextlib.closing(Bar(language)) as bar:
        failure = train_target(
            arguments.target,
            arguments.folder,
            steps=arguments.steps,
            device=arguments.device,
            dtype=arguments.dtype,
            seed=arguments.seed,
            settings=dict(arguments.settings),
            resume=arguments.resume,
            every=arguments.every,
            record_every=arguments.record_every,
            record_at=arguments.record_at,
            on_nan=arguments.on_nan,
            on_full=arguments.on_full,
            timeout=arguments.timeout,
            memory_limit=arguments.memory_limit,
            progress=bar.show,
            output=bar.pass_on,
        )
    if not is_run(arguments.folder):
        assert failure is not None
        raise failure
    run = open_run(arguments.folder)
    if arguments.json:
        document = summary(run)
        if failure is not None:
            document["error"] = {"kind": type(failure).__name__, "message": {each: failure.message(each) for each in LANGUAGES}}
        print_json(document)
    else:
        print(_line(run, language), flush=True)
        nan = run.status().nan
        if nan is not None and nan not in [found.step for found in run.traces()]:
            print(say("training.nan", language, step=nan, target=arguments.target, path=arguments.folder), flush=True)
        for reason in _without_checkpoint(run):
            to_stderr(reason)
    if failure is None:
        return 0
    if failure.report:
        to_stderr(failure.report.rstrip("\n"))
    to_stderr(failure.message(language))
    return INTERRUPTED if failure.key == "running.interrupted" else failure.exit_code


def _without_checkpoint(run: Run) -> list[str]:
    return [str(event.told.get("reason")) for event in run.events()[-3:] if event.kind == "no_checkpoint"]


def list_all(arguments: argparse.Namespace) -> int:
    """Tell what runs there are in a folder, or write their metrics to a file; the exit code."""
    from explorer.runs import Run, is_run, list_runs, open_run

    if not Path(arguments.folder).is_dir():
        raise RequestError("runs.no_folder", path=arguments.folder)
    if is_run(arguments.folder):
        open_run(arguments.folder)  # a single one that cannot be read is a request that cannot be met
    found = list_runs(arguments.folder)
    good = [run for _, run in found if isinstance(run, Run)]
    if arguments.export is not None:
        _export(good, arguments.export)
    if arguments.json:
        print_json([summary(run) if isinstance(run, Run) else _damaged(path, run) for path, run in found])
    elif not found:
        print(say("runs.none", arguments.language, path=arguments.folder))
    else:
        for path, run in found:
            print(_line(run, arguments.language) if isinstance(run, Run) else f"{path}: {run.message(arguments.language)}")
    return 0


def _damaged(path: Path, error: FileError) -> dict[str, Any]:
    return {"path": str(path), "error": {each: error.message(each) for each in LANGUAGES}}


def summary(run: Run) -> dict[str, Any]:
    """A run as JSON: what it is, how far it is, its first and last metrics, what was recorded."""
    about, status = run.about, run.status()
    scalars = run.scalars()
    metrics = {
        name: {"first": _plain(values[0]), "last": _plain(values[-1])}
        for name in scalars.metrics
        if len(values := scalars.of(name)[1].tolist())
    }
    return {
        "path": str(run.folder),
        "name": about.name,
        "target": about.target,
        "state": status.state,
        "step": status.step,
        "steps": status.steps,
        "seconds": status.at,
        "nan": status.nan,
        "settings": dict(about.settings),
        "device": about.device,
        "dtype": about.dtype,
        "seed": about.seed,
        "parameters": about.parameters,
        "ranks": len(run.ranks),
        "created": about.created,
        "tags": list(about.tags),
        "made_with": dict(about.made_with),
        "metrics": metrics,
        "traces": [{"step": found.step, "path": str(found.path), "reason": found.reason} for found in run.traces()],
    }


def _plain(value: float) -> float | str:
    """A number as JSON has it: "nan" and "inf" are texts, as everywhere in our JSON."""
    return value if math.isfinite(value) else str(value)


def _line(run: Run, language: str) -> str:
    status = run.status()
    steps = f"{status.step:,}" if status.steps is None or status.state == "finished" else f"{status.step:,}/{status.steps:,}"
    told = say(f"runs.state.{status.state}", language)
    scalars = run.scalars()
    losses = scalars.of("loss")[1].tolist() if "loss" in scalars.metrics else []
    line = say("runs.line", language, path=run.folder, state=told, steps=steps, traces=len(run.traces()))
    return line + (say("runs.line_loss", language, first=f"{losses[0]:.4g}", last=f"{losses[-1]:.4g}") if losses else "")


def _export(found: list[Run], path: str) -> None:
    """All metrics of all runs, a row a step, as CSV or Parquet."""
    from explorer.files import open_output
    from explorer.runs.tables import SUFFIXES, write_table

    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError("runs.export_suffix", path=path)
    with open_output(path) as stream:
        write_table(found, stream, suffix)
