"""The child's side of its standard input: the request comes in by it, and its end tells that the parent is gone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from typing import Any

__all__ = ["CANNOT_WRITE", "FOLDER", "read_request"]

FOLDER = "autograd-explorer-"  # how the names of folders of results begin
CANNOT_WRITE = 74  # exit code of a child that could not even write how it ended


def read_request() -> dict[str, Any]:
    """Read the request and put /dev/null in its place, so that a program that asks for input gets an end of file."""
    text = b""
    while not text.endswith(b"\n"):
        chunk = os.read(0, 65536)
        if not chunk:
            os._exit(1)  # the parent is gone already
        text += chunk
    parent = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    request = dict(json.loads(text))
    _die_with(parent, request["results"])
    return request


def _die_with(parent: int, results: str) -> None:
    """See to it that nothing of us survives the parent, whose end closes the pipe `parent`, and not the folder of results either.

    A guard process of our group waits for it, since a thread could be kept from running by the program; on Linux the kernel does too.
    """
    if not hasattr(os, "fork"):
        threading.Thread(target=_exit_after, args=(parent, results), daemon=True).start()
        return
    _ask_kernel_for_death()
    group = os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os.close(parent)
        return
    if os.fork():
        os._exit(0)  # so that the guard is no child of the program, which may wait for its children
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    while os.read(parent, 1):
        pass
    if os.getpgrp() == group:
        os.setpgid(0, 0)  # out of the group, to clear up behind it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    _clear(results)
    os._exit(0)


def _exit_after(parent: int, results: str) -> None:
    while os.read(parent, 1):
        pass
    _clear(results)
    os._exit(1)


def _clear(results: str) -> None:
    """Delete the folder that a dead parent could not, if it is one that we make: what is just being killed may still write to it."""
    for _ in range(20):
        if not os.path.basename(results).startswith(FOLDER) or not os.path.exists(results):
            return
        shutil.rmtree(results, ignore_errors=True)
        time.sleep(0.05)


def _ask_kernel_for_death() -> None:
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # 1: PR_SET_PDEATHSIG
