"""`explorer.check`: a program run and verified from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from explorer.capture.recording import trace
from explorer.capture.run import run_target
from explorer.errors import ProgramError, TargetError
from explorer.model import Trace
from explorer.report import FURTHER, Checked

__all__ = ["check"]


def check(
    target: str | Callable[[], Any],
    *,
    device: str | None = None,
    dtype: str | None = None,
    seed: int = 0,
    wanted: int | None = None,
    timeout: float = 600.0,
    memory_limit: float | None = None,
) -> Checked:
    """Verify the gradients of a TARGET (in a child process) or of a callable that returns a loss (here), pass number `wanted`.

    By default that is the first, and of a TARGET the second is recorded as well, as some faults show only there (`Checked.later`). What
    comes back prints as a report; `passed` says whether all agrees, `trace` is the verified trace. A TARGET that fails where a trace
    can tell why gives that trace; a callable that raises raises. Other arguments as `explorer.trace` takes them.
    """
    if not isinstance(target, str) and not callable(target):
        raise TargetError("running.not_traceable", kind=type(target).__name__)
    name = target if isinstance(target, str) else getattr(target, "__name__", type(target).__name__)
    settings: dict[str, Any] = {"device": device, "dtype": dtype, "seed": seed, "wanted": wanted, "check": True}
    if not isinstance(target, str):
        return Checked(trace(target, **settings), name)
    settings["wanted"] = wanted or 1
    settings["further"] = FURTHER if wanted is None else 0
    traces: Sequence[Trace]
    failed = None
    try:
        traces = run_target(target, **settings, timeout=timeout, memory_limit=memory_limit).traces
    except ProgramError as error:
        if not error.traces:
            raise
        traces, failed = error.traces, error.key
    return Checked.of_run(traces, name, wanted=wanted, failed=failed)
