"""All metrics of runs as one table, a row a step, written as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import IO, Any

from explorer.errors import OutputError
from explorer.runs.reading import Run

__all__ = ["SUFFIXES", "write_table"]

SUFFIXES = (".csv", ".parquet")


def write_table(runs: Sequence[Run], stream: IO[bytes], suffix: str) -> None:
    """Write the metrics of all runs to `stream`; a metric that a step did not have is empty there."""
    if suffix not in SUFFIXES:
        raise OutputError("runs.export_suffix", path=suffix)
    columns = _columns(runs)
    if suffix == ".csv":
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        text.detach()
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table(columns), stream)


def _columns(runs: Sequence[Run]) -> dict[str, list[Any]]:
    tables = [(run, run.scalars()) for run in runs]
    names = list(dict.fromkeys(name for _, scalars in tables for name in scalars.metrics))
    columns: dict[str, list[Any]] = {name: [] for name in ("run", "step", "seconds", *names)}
    for run, scalars in tables:
        count = len(scalars.steps)
        columns["run"] += [run.about.name] * count
        columns["step"] += scalars.steps.tolist()
        columns["seconds"] += scalars.at.tolist()
        for name in names:
            known = scalars.known[name].tolist() if name in scalars.known else [False] * count
            values = scalars.metrics[name].tolist() if name in scalars.metrics else [None] * count
            columns[name] += [value if there else None for value, there in zip(values, known, strict=True)]
    return columns
