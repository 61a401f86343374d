"""The Python surface of recording: `record()` around one's own code, `trace()` of a program, a callable or a loss that has a graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from explorer.capture.devices import check_device, check_dtype
from explorer.capture.recorder import Recorder
from explorer.capture.run import run_target
from explorer.capture.structure import structure
from explorer.capture.targets import arguments, backward_of
from explorer.errors import RequestError, TargetError
from explorer.findings import own_choices
from explorer.model import Trace


class Recording:
    """What `record()` gives: `trace` is the last pass, `traces` are all passes (at most 100)."""

    def __init__(self, title: str | None, *, values: str, deep: bool, frame: FrameType | None, check: bool = False) -> None:
        folder = os.path.dirname(os.path.abspath(frame.f_code.co_filename)) if frame is not None else "."
        name = title or (os.path.basename(frame.f_code.co_filename) if frame is not None else "recording")
        self._recorder = Recorder(title=name, folder=folder, values=values, wanted="all", deep=deep, check=check)
        self._traces: list[Trace] | None = None
        self._finish: Callable[[], list[Trace]] | None = None  # puts them together, when they are first asked for
        self._error: BaseException | None = None

    def __enter__(self) -> Recording:
        self._recorder.__enter__()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self._recorder.__exit__(kind, error, traceback)
        try:
            self._finish = self._recorder.finish(error=error)
        except RequestError as refusal:
            if error is None:
                raise
            self._error = refusal

    @property
    def recorder(self) -> Recorder:
        return self._recorder

    @property
    def traces(self) -> list[Trace]:
        """All recorded passes, oldest first."""
        if self._error is not None:
            raise self._error
        if self._traces is None:
            if self._finish is None:
                raise RequestError("running.still_recording")
            self._traces, self._finish = self._finish(), None
            self._recorder.let_go()
        return self._traces

    @property
    def trace(self) -> Trace:
        """The pass recorded last."""
        return self.traces[-1]


def record(title: str | None = None, *, values: str = "stats", deep: bool = False) -> Recording:
    """Record what runs in `with explorer.record() as recording:`, in this process and on this thread.

    `values`: "stats" (statistics, and all values of tensors with at most 64 elements), "all" (whole tensors too) or "none". Graphs of
    more than 30,000 nodes are refused unless `deep=True`, because destroying them after they were looked at can overflow the stack; with
    it, end the process without destroying them (`os._exit`).
    """
    return Recording(title, values=values, deep=deep, frame=_caller())


def trace(
    target: str | Callable[[], Any] | torch.Tensor,
    *,
    device: str | None = None,
    dtype: str | None = None,
    seed: int | None = None,
    values: str = "stats",
    wanted: int | None = None,
    timeout: float = 600.0,
    memory_limit: float | None = None,
    deep: bool = False,
    check: bool = False,
) -> Trace:
    """The trace of a TARGET (in a child process), of a callable (here), or of a loss that already has a graph (its structure only).

    `device`, `dtype` and `seed` are passed to a callable that takes them, and are torch's defaults while it runs. `timeout` in seconds,
    `memory_limit` in GB, both for a TARGET. `check` verifies it, too, as `explorer.check` does. Raises an `ExplorerError` where there is
    nothing to trace.
    """
    if isinstance(target, torch.Tensor):
        return structure(target, frame=_caller(), deep=deep)
    if isinstance(target, str):
        chosen = 0 if seed is None else seed
        result = run_target(
            target,
            device=device,
            dtype=dtype,
            seed=chosen,
            values=values,
            wanted=wanted or 1,
            check=check,
            timeout=timeout,
            memory_limit=memory_limit,
        )
        return result.traces[-1]
    if not callable(target):
        raise TargetError("running.not_traceable", kind=type(target).__name__)
    code = getattr(target, "__code__", None)
    name = getattr(target, "__name__", type(target).__name__)
    recording = Recording(name, values=values, deep=deep, frame=_caller(), check=check)
    recorder = recording.recorder
    if check:
        recorder.wanted = wanted or 1  # no other pass need be verified
        recorder.prefers_backward = wanted is None
    if code is not None:
        recorder.frames.folder = os.path.realpath(os.path.dirname(code.co_filename)) + os.sep
    recorder.device, recorder.dtype, recorder.seed = device or "cpu", dtype, seed
    with _circumstances(device, dtype, seed) as offered:
        taken = arguments(target, name, offered=offered, defaults={})
        with recording:
            try:
                backward_of(target(**taken), recorder)
            finally:
                if device == "fake":
                    recorder.values.aside.put_back(recorder.values.leaves.values())
    found = recording.traces[(wanted or 1) - 1] if len(recording.traces) >= (wanted or 1) else recording.trace
    return replace(found, findings=(*found.findings, *own_choices(found, device=device, dtype=dtype)))


@contextmanager
def _circumstances(device: str | None, dtype: str | None, seed: int | None) -> Iterator[dict[str, Any]]:
    """Device, data type and seed as asked for, as torch's defaults; afterwards those are as before. What to offer to the callable."""
    offered: dict[str, Any] = {}
    before = torch.get_default_dtype()
    with ExitStack() as stack:
        if device is not None:
            offered["device"] = check_device(device)
        if dtype is not None:
            offered["dtype"] = check_dtype(dtype, device or "cpu")
        if device == "fake":
            offered["device"] = "cpu"
            stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        elif device not in (None, "cpu"):  # cpu is the default as it is; a set one costs a mode
            stack.enter_context(torch.device(device))
        if seed is not None:
            offered["seed"] = seed
            kind = torch.accelerator.current_accelerator(check_available=True)
            stack.enter_context(torch.random.fork_rng(devices=[]) if kind is None else torch.random.fork_rng(device_type=kind.type))
            torch.manual_seed(seed)
        try:
            torch.set_default_dtype(offered.get("dtype", before))
            yield offered
        finally:
            torch.set_default_dtype(before)


def _caller() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("explorer."):
        frame = frame.f_back
    return frame
