"""What findings are told beside the trace: gradients that had served an update, parameters that an optimizer found without one."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer

from explorer.capture.frames import USER, _locals
from explorer.capture.notes import version_of
from explorer.capture.unread import unread
from explorer.findings import Evidence
from explorer.model import Source

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder


class Witness:
    """Looks on while optimizers step and passes begin. Tensors are known by their ids, and not held."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._used: dict[int, tuple[weakref.ref[torch.Tensor], weakref.ref[torch.Tensor], int]] = {}  # parameter, its gradient, version
        self._spent: set[int] = set()  # parameters whose gradient had been used when the pass began
        self._skipped: set[int] = set()  # parameters that an optimizer found without a gradient since the pass
        self._stepped = False
        self.backwards: list[Source | None] = []  # the lines that started the engine
        self.followed = False  # whether the pass that is being told of is over because another one begins

    def begin_pass(self, frame: FrameType | None) -> None:
        """The engine is about to run, called from `frame`."""
        frames = self._recorder.frames
        while frame is not None and frames.kind(frame.f_code) is not USER:
            frame = frame.f_back
        self.backwards.append(None if frame is None else frames.source(frame))
        self.followed = False
        self._skipped = set()
        self._spent = set()
        for number, (parameter, gradient, version) in list(self._used.items()):
            tensor, used = parameter(), gradient()
            if tensor is None or used is None or tensor.grad is not used or version_of(used) != version:
                del self._used[number]
            else:
                self._spent.add(number)

    def stepped(self, optimizer: Optimizer) -> None:
        """An optimizer has updated its parameters."""
        self._stepped = True
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.used(parameter)
                elif parameter.requires_grad:
                    self._skipped.add(id(parameter))

    def used(self, parameter: torch.Tensor) -> None:
        """A leaf was changed after backward: its gradient has served."""
        gradient = parameter.grad
        if gradient is not None:
            self._used[id(parameter)] = (weakref.ref(parameter), weakref.ref(gradient), version_of(gradient))

    def evidence(self, paths: Mapping[int, str]) -> Evidence:
        """What is known of the pass that ran last; leaves are identities of rows."""
        recorder = self._recorder
        living = recorder.values.living()
        unused = unread(recorder.scopes, paths, read=set(living.values()), skipped=self._skipped, is_users=self._is_users)
        return Evidence(
            spent=frozenset(identity for identity, number in living.items() if number in self._spent),
            skipped=frozenset(identity for identity, number in living.items() if number in self._skipped),
            followed=self.followed,
            has_optimizer=self._stepped or self._holds_optimizer(),
            unused=unused,
        )

    def _is_users(self, module: nn.Module) -> bool:
        code = getattr(type(module).forward, "__code__", None)
        return code is not None and self._recorder.frames.kind(code) is USER

    def _holds_optimizer(self) -> bool:
        """Whether a variable of the program's, or an attribute of one that is called self, is an optimizer."""
        for frame in self._recorder.frames.visible():
            for name, value in _locals(frame):
                if isinstance(value, Optimizer):
                    return True
                inner: dict[str, Any] = getattr(value, "__dict__", {}) if name == "self" else {}
                if any(isinstance(other, Optimizer) for other in list(inner.values())):
                    return True
        return False
