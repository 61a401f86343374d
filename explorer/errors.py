"""The exceptions of Autograd Explorer.

    ExplorerError                 anything that is ours to tell; one sentence, what happened and what to do
    ├── RequestError              the request was wrong or cannot be met                     exit code 2
    │   ├── TargetError           no such program, file, callable or pass
    │   ├── DeviceError           the device or dtype is not to be had here
    │   └── OutputError           the result cannot be written there, or not in that format
    ├── FileError                 a file that cannot be read as a trace                      exit code 2
    ├── InvalidTrace              a Trace that breaks one of its invariants                  exit code 2
    └── ProgramError              the user's program failed, crashed or ran past a limit     exit code 3
        └── ValuesError           it asked for numbers on the device fake, which has none    exit code 2

Each is raised with the key of its sentence in `explorer.text` and the values that fill it, so that the command line can say it in
English and the page in the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer.text import say

if TYPE_CHECKING:
    from explorer.model import Trace

__all__ = [
    "DeviceError",
    "ExplorerError",
    "FileError",
    "InvalidTrace",
    "OutputError",
    "ProgramError",
    "RequestError",
    "TargetError",
    "ValuesError",
]


class ExplorerError(Exception):
    """One sentence for a person: what happened and what to do."""

    exit_code = 2

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(say(key, "en", **values))

    def message(self, language: str = "en") -> str:
        """The sentence in `language` ("en" or "ko")."""
        return say(self.key, language, **self.values)


class RequestError(ExplorerError):
    """The request was wrong, or it cannot be met."""


class TargetError(RequestError):
    """There is no such program, file, callable or pass."""


class DeviceError(RequestError):
    """The device or data type is not available here."""


class OutputError(RequestError):
    """The result cannot be written to that place, or not in that format."""


class FileError(ExplorerError):
    """The file cannot be read as a trace."""


class InvalidTrace(ExplorerError):
    """The trace breaks one of the invariants that `Trace.check` states."""


class ProgramError(ExplorerError):
    """The user's program failed, crashed, or ran past a limit.

    `report` is the program's own traceback (ours cut away) or "", `output` what it printed last, `traces` the passes recorded until
    then and `trace` the last of them, or None where nothing was.
    """

    exit_code = 3

    def __init__(
        self, key: str, *, report: str = "", output: str = "", trace: Trace | None = None, traces: Sequence[Trace] = (), **values: object
    ) -> None:
        super().__init__(key, **values)
        self.report = report
        self.output = output
        self.hold(traces or (() if trace is None else (trace,)))

    def hold(self, traces: Sequence[Trace]) -> None:
        """Carry these traces."""
        self.traces = tuple(traces)
        self.trace = self.traces[-1] if self.traces else None


class ValuesError(ProgramError):
    """The user's program cannot go on without numbers, and on the device fake tensors have none: another device was to be asked for."""

    exit_code = 2
