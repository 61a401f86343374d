"""Watches what changes parameters after backward: the steps of optimizers, and changes by hand. Each becomes a `Write` of its pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import get_ident
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import Optimizer

from explorer.capture.frames import OURS
from explorer.capture.rows import Write

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder


class Updates:
    """The changes of leaves that a recorder sees. `running` are optimizer steps: torch's frame, the optimizer, whether it has a closure."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.running: list[tuple[FrameType, Optimizer, bool]] = []
        self._closures: dict[int, Optimizer] = {}  # optimizers that are stepping with a closure
        self._pending: dict[int, list[tuple[Write, torch.Tensor]]] = {}

    # -- by an optimizer

    def before_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        """An optimizer is about to change parameters: note those that took part in the pass. With a closure the pass is still to come."""
        recorder = self._recorder
        here = recorder.open_pass
        if has_closure:
            self._closures[id(optimizer)] = optimizer
        elif here is not None and recorder.wants(here.number):
            with recorder.quiet():
                self._pending[id(optimizer)] = [
                    (self._write(found[0], tensor, optimizer, group), tensor)
                    for group, settings in enumerate(optimizer.param_groups)
                    for tensor in settings["params"]
                    if (found := recorder.values.find(tensor)) is not None and found[0] in here.leaves
                ]
        recorder.meter.flush()  # the ops of the step are not looked at
        if get_ident() != recorder.thread:  # it steps in a hook, on a thread of the engine's
            return
        frame = sys._getframe(1)
        while recorder.frames.kind(frame.f_code) is OURS and frame.f_back is not None:
            frame = frame.f_back
        self.running.append((frame, optimizer, has_closure))
        if not has_closure:  # a closure runs forward and backward inside the step, which belong to the program
            recorder.paused += 1

    def after_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        """The step is done: note what became of the parameters, and the optimizer's state."""
        recorder = self._recorder
        if get_ident() == recorder.thread:
            self._end()
        recorder.witness.stepped(optimizer)
        here = recorder.open_pass
        entries = self._pending.pop(id(optimizer), [])
        self._closures.pop(id(optimizer), None)
        if here is None:
            return
        with recorder.quiet():
            for write, tensor in entries:
                write.after = recorder.meter.hold(tensor)
                state = optimizer.state.get(tensor, {})
                write.state = {str(name): recorder.meter.hold(value) for name, value in state.items() if isinstance(value, torch.Tensor)}
                if not has_closure:
                    here.writes.append(write)
            recorder.meter.flush()

    def _end(self) -> None:
        *_, has_closure = self.running.pop()
        if not has_closure:
            self._recorder.paused -= 1
            self._recorder.resume()

    def end_failed(self, frame: FrameType | None) -> None:
        """A step that raised has ended without saying so: its frame is no longer on the stack. What it did until then is not told."""
        stack = set()
        while frame is not None:
            stack.add(frame)
            frame = frame.f_back
        while self.running and self.running[-1][0] not in stack:
            optimizer = self.running[-1][1]
            self._pending.pop(id(optimizer), None)
            self._closures.pop(id(optimizer), None)
            self._end()

    # -- by an op

    def writing(self, identity: int | None, tensor: torch.Tensor) -> Write | None:
        """A leaf is about to be changed by an op; an update if it took part in the pass that just ran."""
        here = self._recorder.open_pass
        found = self._recorder.values.find(tensor) if identity is not None else None
        if here is None or found is None or found[0] not in here.leaves or not self._recorder.wants(here.number):
            return None
        owner, group = next(self._owners(tensor), (None, None))
        name = None if owner is None else type(owner).__name__
        for write in here.writes:
            if write.row == found[0] and write.optimizer == name:
                return write
        with self._recorder.quiet():
            write = self._write(found[0], tensor, owner, group)
            self._recorder.meter.flush()
        here.writes.append(write)
        if owner is not None:
            self._pending.setdefault(id(owner), []).append((write, tensor))
        return write

    def written(self, write: Write, tensor: torch.Tensor) -> None:
        """The change by hand is done."""
        self._recorder.witness.used(tensor)
        with self._recorder.quiet():
            write.after = self._recorder.meter.hold(tensor)
            self._recorder.meter.flush()

    def _write(self, row: int, tensor: torch.Tensor, optimizer: Optimizer | None, group: int | None) -> Write:
        """A change that is about to happen."""
        meter, known = self._recorder.meter, self._recorder.values.current(row, tensor)
        before = meter.hold(tensor) if known is None else known
        gradient = None if tensor.grad is None else meter.hold(tensor.grad)
        settings = {} if optimizer is None or group is None else _settings(optimizer.param_groups[group])
        name = None if optimizer is None else type(optimizer).__name__
        return Write(row, name, group, before, gradient, before, {}, settings)

    def _owners(self, tensor: torch.Tensor) -> Iterator[tuple[Optimizer, int]]:
        """The optimizers with a closure that are stepping and have this parameter, with the number of its group."""
        for optimizer in self._closures.values():
            for group, settings in enumerate(optimizer.param_groups):
                if any(tensor is other for other in settings["params"]):
                    yield optimizer, group


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    """The plain numbers of a parameter group."""
    found: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, torch.Tensor) and value.numel() == 1:
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            found[name] = value
        elif isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
            found[name] = list(value)
    return found
