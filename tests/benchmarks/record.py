"""How much slower a program is while it is recorded: `python tests/benchmarks/record.py`.

    --rows NAME,...     only these workloads and figures (default: all)
    --repeat N          N rounds in place of as many as fit the time of a row
    --quick             a few rounds only and no peers, under two minutes in place of about ten
    --no-peers          without torchviz, torchview and torchlens (installed by: pip install --group bench)
    --json              one JSON document on standard output
    --readme            the Markdown table of the README; with --write, put in its place there

Every measurement runs in a fresh process with one thread. Recorded runs stand between plain ones, and a ratio is a recorded run over the
mean of its two neighbours; the median of the ratios is shown, and the quartiles around it. Garbage is collected before each sample and
the collector is otherwise as Python sets it. What making the Trace afterwards takes stands in a column of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.workloads import CHAIN, WORKLOADS, Workload

__all__ = ["FIGURES", "NAMES", "Figure", "Row", "markdown", "measured", "replaced", "table"]

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("torchviz", "torchview", "torchlens")
FIGURES = ("memory", "import")  # beside the rows
NAMES = (*WORKLOADS, *FIGURES)
ALONE = "chain"  # of it only the structure is taken
MEMORY_OF = "gpt2_124m"
THREADS = "OMP MKL OPENBLAS NUMEXPR VECLIB_MAXIMUM".split()
MARKS = ("<!-- benchmark: python tests/benchmarks/record.py --readme --write -->", "<!-- end of benchmark -->")


@dataclass(frozen=True)
class Effort:
    """How much time goes into each measurement: seconds of rounds, the limit of a peer's process, children for the memory, imports."""

    seconds: float
    limit: float
    children: int
    imports: int
    repeat: int = 0


FULL, QUICK = Effort(20, 50, 3, 10), Effort(2, 0, 1, 5)


@dataclass
class Row:
    """One workload: what `timing.py` answered for us and for each peer."""

    name: str
    ours: dict[str, Any] = field(default_factory=dict)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A number with a target of its own."""

    name: str
    title: str
    value: float | None
    unit: str
    target: float
    how: str
    error: str = ""

    @property
    def met(self) -> bool:
        return self.value is not None and self.value <= self.target


def main() -> int:
    given = _arguments()
    effort = QUICK if given.quick else FULL
    effort = Effort(**{**asdict(effort), "repeat": given.repeat})
    names = given.rows.split(",") if given.rows else list(NAMES)
    if unknown := set(names) - set(NAMES):
        sys.exit(f"There is no row {', '.join(sorted(unknown))}. Choose from {', '.join(NAMES)}.")
    rows, figures = measured(names, effort, peers=() if given.no_peers or given.quick else PEERS, tell=_tell)
    if given.json:
        print(json.dumps({"versions": versions(), "rows": [asdict(row) for row in rows], "figures": [asdict(one) for one in figures]}))
    elif given.readme:
        text = markdown(rows, figures)
        if given.write:
            path = ROOT / "README.md"
            path.write_text(replaced(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        else:
            print(text)
    else:
        print(table(rows, figures))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", metavar="NAME,...")
    parser.add_argument("--repeat", type=int, default=0, metavar="N")
    for name in ("quick", "no-peers", "json", "readme", "write"):
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    if given.write and not given.readme:
        parser.error("--write goes with --readme")
    if given.write and (given.rows or given.quick or given.no_peers):
        parser.error("--write puts the whole table in the README, not a part of it")
    return given


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def measured(
    names: Sequence[str], effort: Effort, *, peers: Iterable[str] = PEERS, tell: Callable[[str], None] = lambda what: None
) -> tuple[list[Row], list[Figure]]:
    """The rows and figures of these names."""
    rows, figures = [], []
    for name in names:
        if name in FIGURES:
            continue
        tell(name)
        row = Row(name, ask("structure" if name == ALONE else "ratios", name, effort))
        for tool in peers:
            tell(f"{name}: {tool}")
            row.peers[tool] = ask(tool, name, effort, limit=effort.limit) if find_spec(tool) else {"error": "not installed"}
        rows.append(row)
        if name == ALONE:
            figures.append(_structure(row))
    if "memory" in names:
        tell("memory")
        figures.append(_memory(effort))
    if "import" in names:
        tell("import")
        figures.append(_import(effort))
    tell("")
    return rows, figures


def ask(kind: str, name: str, effort: Effort, *, limit: float = 600) -> dict[str, Any]:
    """What `timing.py` answers, or why it does not."""
    seconds = effort.seconds / 4 if kind in PEERS else effort.seconds
    command = [sys.executable, str(ROOT / "tests/benchmarks/timing.py"), kind, name, str(seconds), str(effort.repeat)]
    try:
        done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"error": f"over {limit:.0f} s"}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": f"exit code {done.returncode}", "message": done.stderr[-400:]}


def _environment() -> dict[str, str]:
    single = {f"{name}_NUM_THREADS": "1" for name in THREADS}
    return {**os.environ, **single, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "PYTHONPATH": str(ROOT)}


def _structure(row: Row) -> Figure:
    each = row.ours.get("seconds_a_node")
    how = f"`explorer.trace(loss)` of a loss with {CHAIN:,} ops"
    return Figure("structure", "structure of a live loss", each and each["median"] * 1e6, "µs a node", 8, how, row.ours.get("error", ""))


def _memory(effort: Effort) -> Figure:
    """Recorded and plain children in turn; the difference of their medians."""
    peaks: dict[str, list[float]] = {"peak": [], "peak_recorded": []}
    error = ""
    for _ in range(effort.repeat or effort.children):
        for kind, found in peaks.items():
            answer = ask(kind, MEMORY_OF, effort)
            error = error or answer.get("error", "")
            found.append(answer.get("peak", 0))
    beyond = None if error else (statistics.median(peaks["peak_recorded"]) - statistics.median(peaks["peak"])) / 1e6
    how = "GPT-2 124M with statistics: highest resident memory (VmHWM) of fresh processes, three recorded runs against three plain ones"
    return Figure("memory", "memory beyond the plain run", beyond, "MB", 60, how, error)


def _import(effort: Effort) -> Figure:
    code = "import time; began = time.perf_counter(); import explorer; print(time.perf_counter() - began)"
    found = []
    for _ in range(effort.imports):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=True)
        found.append(float(done.stdout))
    return Figure("import", "`import explorer`", statistics.median(found), "s", 0.15, "in a fresh interpreter")


def versions() -> dict[str, str]:
    found = {"Python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("torch", "transformers", *PEERS):
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            pass
    return found


HEAD = ("", "plain", "full statistics", "metadata only", "Trace afterwards", *PEERS)


def cells(row: Row, *, spreads: bool) -> list[str]:
    """A row of the table, as words."""
    workload, ours = WORKLOADS[row.name], row.ours
    others = [_times(row.peers[tool]) if tool in row.peers else "" for tool in PEERS]
    if "error" in ours:
        return [workload.title, f"{ours['error']}", "", "", "", *others]
    plain = _milliseconds(ours["plain"])
    if row.name == ALONE:
        return [workload.title, plain, "", f"structure only: {_ratio(ours['ratio'], None, spreads=spreads)}", "", *others]
    took = ours["trace"]["stats"]["median"]
    made = f"{_milliseconds(took)}, {took / ours['nodes'] * 1e6:.1f} µs a node"
    return [workload.title, plain, *_ratios(workload, ours, spreads=spreads), made, *others]


def _ratios(workload: Workload, ours: dict[str, Any], *, spreads: bool) -> list[str]:
    return [_ratio(ours[kind], getattr(workload, kind), spreads=spreads) for kind in ("stats", "none")]


def _ratio(found: dict[str, Any], target: float | None, *, spreads: bool) -> str:
    low, high = found["quartiles"]
    return (
        _digits(found["median"])
        + (f" [{_digits(low)}–{_digits(high)}]" if spreads else "")
        + (f" (target {target:g})" if target is not None else "")
    )


def _times(answer: dict[str, Any]) -> str:
    return answer["error"] if "error" in answer else _digits(answer["ratio"]["median"])


def _digits(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2g} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def _sentence(figure: Figure) -> str:
    value = figure.error if figure.value is None else f"{figure.value:.2g} {figure.unit}"
    if figure.value is not None and figure.value >= 10:
        value = f"{figure.value:.0f} {figure.unit}"
    return f"{figure.title}: {value} (target {figure.target:g}); {figure.how}"


def table(rows: Sequence[Row], figures: Sequence[Figure]) -> str:
    """For a terminal."""
    lines = [list(HEAD), *(cells(row, spreads=True) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    shown = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines] if rows else []
    what = [f"{WORKLOADS[row.name].title}: {WORKLOADS[row.name].about}" for row in rows]
    missed = [f"{row.name}: {word}" for row in rows for word in misses(row)] + [one.name for one in figures if not one.met]
    said = [f"{len(missed)} target(s) missed: {', '.join(missed)}" if missed else "every target met"]
    used = [" · ".join(f"{name} {number}" for name, number in versions().items())]
    note = ["Ratios to plain forward and backward, [quartiles]; peers: from the model to their graph."] if rows else []
    return "\n".join([*shown, "", *note, *what, "", *map(_sentence, figures), *said, *used]).strip().replace("`", "")


def misses(row: Row) -> list[str]:
    """Of the targets of a row, those that its median is above, or that were not measured."""
    workload = WORKLOADS[row.name]
    aims = {kind: target for kind in ("stats", "none") if (target := getattr(workload, kind)) is not None}
    return [kind for kind, target in aims.items() if kind not in row.ours or row.ours[kind]["median"] > target]


def markdown(rows: Sequence[Row], figures: Sequence[Figure]) -> str:
    """For the README."""
    head = ("", "plain", "full statistics", "metadata only", "Trace afterwards", *PEERS)
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(cells(row, spreads=False))} |" for row in rows]
    used = ", ".join(f"{name} {number}" for name, number in versions().items())
    what = "; ".join(f"{WORKLOADS[row.name].title}: {WORKLOADS[row.name].about}" for row in rows)
    said = [f"- {_sentence(one)[0].upper()}{_sentence(one)[1:]}." for one in figures]
    return "\n".join([*lines, "", *said, "", f"Rows: {what}. Measured with {used}."])


def replaced(readme: str, text: str) -> str:
    """The README with the text between the two marks."""
    first, last = map(re.escape, MARKS)
    written, times = re.subn(f"({first}\n).*?({last})", lambda found: f"{found[1]}{text}\n{found[2]}", readme, flags=re.DOTALL)
    if times != 1:
        raise ValueError(f"README.md should hold the two lines {MARKS[0]} and {MARKS[1]} once")
    return written


if __name__ == "__main__":
    sys.exit(main())
