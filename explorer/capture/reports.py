"""The user's own traceback: what Python would print for the program without us.

Our frames are cut away, and with them the lines of torch and importlib that only our watching brought in.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

__all__ = ["cut_crash", "is_ours", "one_line", "program_traceback"]

_OURS = str(Path(__file__).resolve().parent.parent) + os.sep
_PROGRAMS = str(Path(__file__).resolve().parent / "programs") + os.sep
_CARRIERS = (os.path.join("torch", "_ops.py"), os.path.join("torch", "utils", "_python_dispatch.py"))  # take an op on from our mode
_MOST_LINES = 300  # a runaway recursion has a hundred thousand
_MOST_CHARACTERS = 200


def is_ours(file: str) -> bool:
    """Whether the code of `file` is this package's; its example programs count as the user's."""
    return file.startswith(_OURS) and not file.startswith(_PROGRAMS)


def program_traceback(error: BaseException) -> str:
    """The traceback of `error` and of the errors behind it, in the program's own frames."""
    told = traceback.TracebackException.from_exception(error)
    if os.environ.get("AUTOGRAD_EXPLORER_DEBUG"):
        return "".join(told.format())
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        part = waiting.pop()
        if part is None:
            continue
        part.stack = _cut(part.stack)
        if not part.stack and isinstance(error, SyntaxError):
            part.stack = None  # type: ignore[assignment]  # as Python tells a SyntaxError: without a header over no frames
        waiting += [part.__cause__, part.__context__, *(part.exceptions or ())]
    return _shortened("".join(told.format()).splitlines())


def _cut(frames: traceback.StackSummary) -> traceback.StackSummary:
    kept = []
    after_ours = True
    for frame in frames:
        if is_ours(frame.filename) or frame.filename.startswith("<frozen importlib"):
            after_ours = True
        elif not (after_ours and frame.filename.endswith(_CARRIERS)):
            after_ours = False
            kept.append(frame)
    return traceback.StackSummary.from_list(kept)


def cut_crash(text: str) -> str:
    """What faulthandler wrote when the interpreter crashed, without our lines and those of the threading module."""
    lines = [line for line in text.splitlines() if not _is_our_line(line)]
    return _shortened(lines)


def _is_our_line(line: str) -> bool:
    _, quote, rest = line.partition('  File "')
    file = rest.partition('"')[0]
    return bool(quote) and (is_ours(file) or os.path.basename(file) == "threading.py" or file.endswith(_CARRIERS))


def _shortened(lines: list[str]) -> str:
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        lines = [*lines[:half], f"  … {len(lines) - 2 * half} lines left out …", *lines[-half:]]
    return "\n".join(lines) + "\n" if lines else ""


def one_line(error: BaseException) -> str:
    """Class and first line of the message, as in "ValueError: no such thing"."""
    try:
        first = str(error).strip().partition("\n")[0]
    except Exception:  # the program's own exception cannot say itself
        first = ""
    told = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return told if len(told) <= _MOST_CHARACTERS else told[: _MOST_CHARACTERS - 1] + "…"
