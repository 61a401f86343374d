"""The child's surroundings: its environment, its memory, the end of all its processes, and what is said of how it ended.

The group of the child is asked for and killed as a whole. Processes that left the group are known on Linux by a token in their
environment.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from explorer.capture.lifetime import CANNOT_WRITE

__all__ = ["TOKEN", "child_environment", "end_of_process", "kill_all", "memory_of"]

TOKEN = "AUTOGRAD_EXPLORER_RUN"

# What a program needs of its surroundings to run as it would; anything else, and above all a secret, stays outside.
_ALLOWED = re.compile(
    r"""
    PATH | HOME | USER | LOGNAME | SHELL | LANG | LANGUAGE | LC_.* | TZ | TMPDIR | TEMP | TMP | TERM | COLUMNS | LINES
    | PYTHON.* | VIRTUAL_ENV | CONDA.* | LD_LIBRARY_PATH | DYLD_.* | XDG_.* | MPL.*
    | TORCH.* | PYTORCH_.* | HF_.* | TRANSFORMERS_.* | OMP_.* | GOMP_.* | KMP_.* | NUMEXPR_.*
    | ATEN_.* | MKL_.* | ONEDNN_.* | DNNL_.* | OPENBLAS_.* | BLIS_.* | VECLIB_.*
    | CUDA.* | CUDNN_.* | CUBLAS_.* | NCCL_.* | NVIDIA.* | HIP.* | HSA_.* | ROCR.* | ROCM.* | XPU.* | ONEAPI.* | SYCL_.* | ZE_.*
    | SYSTEMROOT | SYSTEMDRIVE | WINDIR | COMSPEC | PATHEXT | APPDATA | LOCALAPPDATA | PROGRAMDATA | USERPROFILE | HOMEDRIVE | HOMEPATH
    | NUMBER_OF_PROCESSORS | PROCESSOR_.*
    """,
    re.VERBOSE,
)
_UNLINKED = re.compile(rb"what\(\):  PyTorch is not linked with support for (\w+) devices")  # torch's last words
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|(^|_)KEY($|_)|AUTH", re.IGNORECASE)


def child_environment(outer: Mapping[str, str], *, token: str, seed: int | None) -> dict[str, str]:
    """The allowed part of `outer`, with a fixed hash seed (so that sets come in the same order) and plots that open no window."""
    inner = {name: value for name, value in outer.items() if _ALLOWED.fullmatch(name.upper()) and not _SECRET.search(name)}
    inner.setdefault("PYTHONHASHSEED", str((seed or 0) % 2**32))
    inner.setdefault("MPLBACKEND", "Agg")
    inner.pop("PYTHONINSPECT", None)
    inner[TOKEN] = token
    return inner


def memory_of(group: int) -> int:
    """Bytes of memory that the processes of `group` hold together."""
    proc = Path("/proc")
    if (proc / "self" / "statm").exists():
        page = os.sysconf("SC_PAGESIZE")
        return page * sum(_resident_pages(proc / str(process)) for process in _group_members(proc, group))
    return _memory_by_ps(group)


def _group_members(proc: Path, group: int) -> Iterator[int]:
    for process in _processes(proc):
        with contextlib.suppress(OSError, IndexError, ValueError):
            stat = (proc / str(process) / "stat").read_bytes()
            if int(stat.rpartition(b")")[2].split()[2]) == group:  # the name in brackets may hold anything
                yield process


def _processes(proc: Path) -> list[int]:
    return [int(name) for name in os.listdir(proc) if name.isdigit()]


def _resident_pages(process: Path) -> int:
    try:
        return int((process / "statm").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):  # it has just ended
        return 0


def _memory_by_ps(group: int) -> int:
    try:
        told = subprocess.run(["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, timeout=5).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    rows = [line.split() for line in told.splitlines()]
    return 1024 * sum(int(row[1]) for row in rows if len(row) == 2 and row[0] == str(group))


def kill_all(group: int, *, token: str) -> None:
    """End every process of the group at once, and those of this run that left it."""
    if not hasattr(os, "killpg"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(group)], capture_output=True, timeout=10)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for process in _strays(token):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def _strays(token: str) -> list[int]:
    """Processes outside the group that inherited the token of this run."""
    proc = Path("/proc")
    mark = f"{TOKEN}={token}".encode()
    found: list[int] = []
    if not (proc / "self" / "environ").exists():
        return found
    for process in _processes(proc):
        with contextlib.suppress(OSError):
            if process != os.getpid() and mark in (proc / str(process) / "environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def end_of_process(code: int, printed: bytes) -> tuple[str, dict[str, Any]]:
    """The sentence for a process that ended with `code` and without a word of its own; `printed` is the end of what it printed."""
    if code == CANNOT_WRITE:
        return "running.cannot_write", {}
    if code >= 0:
        return "running.vanished", {"code": code}
    if -code == getattr(signal, "SIGKILL", 9):
        return "running.killed", {}
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    device = _UNLINKED.search(printed)
    if name == "SIGABRT" and device is not None:
        return "running.crashed.unlinked", {"device": device[1].decode()}
    return "running.crashed", {"signal": name}
