"""A fault program: what it is to be found as, and where; and how it is run."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import explorer
from explorer.model import Finding, Trace

FAULTS: list[Fault] = []


@dataclass(frozen=True)
class Fault:
    """A program and the finding it must give: in pass `number`, on the line that ends with `# <- name`, unless there is no one `line`.

    `starves` is a leaf that has to be named in both languages, `says` any text that has to stand in the English sentence.
    """

    program: Callable[[], Any]
    kind: str
    severity: str
    number: int
    line: bool
    says: str
    starves: str

    @property
    def name(self) -> str:
        return self.program.__name__

    @property
    def lines(self) -> list[int]:
        """The lines that bear its name."""
        source = inspect.getsourcefile(self.program)
        assert source is not None
        with open(source, encoding="utf-8") as file:
            return [number for number, line in enumerate(file, start=1) if line.rstrip().endswith(f"# <- {self.name}")]

    def found_in(self, trace: Trace) -> list[Finding]:
        """The findings of a trace that are this one."""
        return [
            finding
            for finding in trace.findings
            if (finding.kind, finding.severity) == (self.kind, self.severity)
            and (not self.line or (finding.source is not None and finding.source.line in self.lines))
            and self.says in finding.message["en"]
            and all(self.starves in sentence for sentence in finding.message.values())
        ]


def fault(
    kind: str, *, severity: str = "warning", number: int = 1, line: bool = True, starves: str = "", says: str = ""
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Puts a program into the table."""

    def put(program: Callable[[], Any]) -> Callable[[], Any]:
        FAULTS.append(Fault(program, kind, severity, number, line, says, starves))
        return program

    return put


def recorded(program: Callable[[], Any], *, number: int = 1) -> Trace:
    """Pass `number` of a program; backward is called on what it returns. What it raises is in the trace."""
    torch.manual_seed(0)
    recording = explorer.record()
    with contextlib.suppress(Exception), warnings.catch_warnings(), recording:
        warnings.simplefilter("ignore")  # torch warns of some of them; that it does is no reason to stop
        result = program()
        if isinstance(result, torch.Tensor) and result.requires_grad:
            result.backward()
    return next((trace for trace in recording.traces if trace.number == number), recording.trace)


def passes(program: Callable[[], Any], seed: int = 0) -> list[Trace]:
    """All passes of a program; backward is called on what it returns."""
    torch.manual_seed(seed)
    with warnings.catch_warnings(), explorer.record() as recording:
        warnings.simplefilter("ignore")
        result = program()
        if result is not None:
            result.backward()
    return recording.traces


def told(trace: Trace) -> list[str]:
    """What was found, a line each."""
    return [
        f"{finding.severity} {finding.kind} line {finding.source.line if finding.source else None}: {finding.message['en']}"
        for finding in trace.findings
    ]
