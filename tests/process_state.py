"""What a test (and what it ran of ours) must leave in this process as it found it.

`snapshot()` before, `differences(before)` after: one line for each thing that is not as it was. torch is looked at only where it is
loaded already; where a test was the first to load it, its state afterwards is held against that of a fresh torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GRACE = 3.0  # seconds that a thread or child may take to end

# Children that stay on purpose until Python exits.
LASTING = ("explorer.layout", "explorer.engine", "explorer.capture.bench", "multiprocessing.resource_tracker", "playwright")

FRESH_TORCH = {
    "module hooks": (),
    "optimizer hooks": (),
    "dispatch modes": (),
    "function modes": (),
    "saved tensor hooks": None,
    "grad mode": True,
    "inference mode": False,
    "anomaly mode": False,
    "autocast": False,
    "deterministic algorithms": False,
    "backward threads": True,
    "fast path": True,
    "default dtype": "torch.float32",
    "default device": "cpu",
    "torch's engine call": True,
}


def snapshot() -> dict[str, Any]:
    """The state of this process, as far as we could change it."""
    return {
        "python": _python(),
        "torch": _torch() if "torch" in sys.modules else None,
        "functions": _functions() if "torch" in sys.modules else {},
        "threads": set(threading.enumerate()),
        "children": set(_children()),
    }


def differences(before: dict[str, Any]) -> list[str]:
    """What is not as it was: "grad mode was True, is False"."""
    found = [*_changed(before["python"], _python())]
    if "torch" in sys.modules:
        found += _changed(before["torch"] or FRESH_TORCH, _torch())
        now = _functions()
        found += [f"{name} was replaced" for name, value in before["functions"].items() if _replaced(value, now.get(name, value))]
    found += [f"thread {name!r} still runs" for name in _linger(lambda: _new_threads(before["threads"]))]
    found += [f"child process still runs: {line}" for line in _linger(lambda: _new_children(before["children"]))]
    return found


def adopt_orphans() -> None:
    """Make what our children leave behind our own children, so that `differences` sees it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _python() -> dict[str, Any]:
    state: dict[str, Any] = {
        "sys.gettrace()": sys.gettrace(),
        "sys.getprofile()": sys.getprofile(),
        "threading.gettrace()": threading.gettrace(),
        "threading.getprofile()": threading.getprofile(),
        "sys.excepthook": sys.excepthook,
        "threading.excepthook": threading.excepthook,
        "recursion limit": sys.getrecursionlimit(),
        "thread stack size": threading.stack_size(),
        "gc enabled": gc.isenabled(),
        "gc frozen objects": gc.get_freeze_count() > 0,
        "working directory": os.getcwd(),
        "module search path": tuple(sys.path),
        "__main__": sys.modules.get("__main__"),
    }
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGCHLD"):
        if hasattr(signal, name):
            state[f"handler of {name}"] = signal.getsignal(getattr(signal, name))
    if sys.version_info >= (3, 12):
        state["sys.monitoring tools"] = tuple(sys.monitoring.get_tool(number) for number in range(6))
    return state


def _torch() -> dict[str, Any]:
    import torch
    import torch.optim.optimizer as optimizer
    from torch.autograd import graph
    from torch.nn.modules import module
    from torch.overrides import _get_current_function_mode_stack
    from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

    engine = graph._engine_run_backward
    return {
        "module hooks": _filled(module),
        "optimizer hooks": _filled(optimizer),
        "dispatch modes": tuple(type(mode).__name__ for mode in _get_current_dispatch_mode_stack()),
        "function modes": tuple(type(mode).__name__ for mode in _get_current_function_mode_stack()),
        "saved tensor hooks": torch._C._autograd._top_saved_tensors_default_hooks(True),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "anomaly mode": torch.is_anomaly_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "backward threads": torch._C._is_multithreading_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "default dtype": str(torch.get_default_dtype()),
        "default device": str(torch.get_default_device()),
        "torch's engine call": torch.autograd._engine_run_backward is engine and engine.__code__.co_filename == graph.__file__,
    }


def _filled(module: Any) -> tuple[str, ...]:
    """Names of a module's tables of global hooks that are not empty."""
    return tuple(name for name, table in sorted(vars(module).items()) if name.startswith("_global_") and isinstance(table, dict) and table)


def _functions() -> dict[str, Any]:
    """The functions people call and tools like to patch, by name."""
    import torch

    places = {
        "torch": torch,
        "torch.Tensor": torch.Tensor,
        "torch.autograd": torch.autograd,
        "torch.autograd.Function": torch.autograd.Function,
        "torch.autograd.graph": torch.autograd.graph,
        "torch.nn.Module": torch.nn.Module,
        "torch.nn.functional": torch.nn.functional,
        "torch.optim.Optimizer": torch.optim.Optimizer,
        "torch.utils.checkpoint": torch.utils.checkpoint,
    }
    return {f"{place}.{name}": value for place, owner in places.items() for name, value in vars(owner).items() if callable(value)}


def _replaced(before: Any, after: Any) -> bool:
    """torch puts some functions of its own in place of others when a part of it is first used; anybody else's is a patch."""
    code = getattr(after, "__code__", None)
    torchs_own = code is not None and f"{os.sep}torch{os.sep}" in code.co_filename
    return after is not before and not torchs_own


def _changed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name, was in before.items():
        if after[name] is not was and after[name] != was:
            yield f"{name} was {was!r}, is {after[name]!r}"


def _linger(look: Any) -> list[str]:
    """What `look` still finds after a moment of grace."""
    end = time.monotonic() + GRACE
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return list(found)


def _new_threads(before: set[threading.Thread]) -> list[str]:
    """New threads that are ours (their function is) or that would keep Python from exiting."""

    def ours(thread: threading.Thread) -> bool:
        target = getattr(thread, "_target", None) or type(thread)
        return str(getattr(target, "__module__", "")).startswith("explorer")

    return sorted(
        thread.name for thread in set(threading.enumerate()) - before if thread.is_alive() and (ours(thread) or not thread.daemon)
    )


def _children() -> dict[int, str]:
    """Command lines of our living child processes; empty where there is no /proc."""
    children = {}
    for number in _numbers():
        entry = Path("/proc", number)
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state not in "ZX":
                children[int(number)] = (entry / "cmdline").read_text().replace("\0", " ").strip()
        except (OSError, ValueError):  # it ended while we looked
            continue
    return children


def _numbers() -> list[str]:
    """Process numbers among which our children are: as Linux lists them for each thread, where it does, else all there are.

    The guard looks twice for each of thousands of tests, and a machine may run hundreds of processes.
    """
    if os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        found = []
        for task in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError):  # the thread ended while we looked; its children have moved to another
                found += Path("/proc/self/task", task, "children").read_text().split()
        return found
    return [entry.name for entry in Path("/proc").glob("[0-9]*")]


def _new_children(before: set[int]) -> list[str]:
    return sorted(
        f"{number} {line}"
        for number, line in _children().items()
        if number not in before and not any(name in line for name in LASTING) and not line.startswith("/usr/lib/chromium")
    )
