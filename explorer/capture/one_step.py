"""Records one step of a training loop whole: forward, backward and update, but not the validation that follows the update."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from explorer.capture import installed
from explorer.capture.gauges import Hook
from explorer.capture.recorder import Recorder
from explorer.files import save
from explorer.runs import About

__all__ = ["OneStep", "quiet", "unseen_item"]


def quiet() -> AbstractContextManager[Any]:
    """A region whose ops no recording sees: neither ours nor one that the user has around the loop."""
    recorder = installed.current()
    return recorder.quiet() if isinstance(recorder, Recorder) else contextlib.nullcontext()


def unseen_item(tensor: torch.Tensor) -> Any:
    """The one number in a tensor; no recording sees that it was read. Raises `RuntimeError` where there are more."""
    if installed.current() is None:
        return tensor.item()
    with quiet():
        return tensor.item()


class OneStep:
    """A recording from the end of one step to the end of the next. Raises `RequestError` where somebody records already."""

    def __init__(self, about: About, *, number: int, source: str, reason: str) -> None:
        self.reason = reason
        self._updated = False
        self._asleep: list[AbstractContextManager[Any]] = []
        self._handles: list[Any] = []
        self._recorder = Recorder(
            title=f"{about.name} · {number}", folder=source, wanted="all", device=about.device or "cpu", dtype=about.dtype, seed=about.seed
        )
        self._recorder.__enter__()

    def follow(self, model: nn.Module) -> None:
        """Once the parameters have changed, calls of `model` without gradients are a validation or a sample, and not looked at."""
        self._handles = [
            model.register_forward_pre_hook(Hook(self._before_call)),
            model.register_forward_hook(Hook(self._after_call), always_call=True),
        ]

    def updated(self) -> None:
        """The parameters have changed."""
        self._updated = True

    def _before_call(self, module: nn.Module, inputs: Any) -> None:
        if self._updated and not torch.is_grad_enabled():
            self._asleep.append(self._recorder.asleep())
            self._asleep[-1].__enter__()

    def _after_call(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._asleep:
            self._asleep.pop().__exit__(None, None, None)

    def end(self) -> None:
        """Look at nothing any more."""
        for handle in self._handles:
            handle.remove()
        self._recorder.__exit__(None, None, None)

    def keep(self, path: Path, *, error: BaseException | None = None) -> bool:
        """Write the step's last pass, which has the update; False if there was none. Raises `ExplorerError` where it cannot be."""
        try:
            traces = self._recorder.traces(error=error)
            if traces and traces[-1].nodes:
                save(traces[-1], path)
                return True
            return False
        finally:
            self._recorder.let_go()

    def drop(self) -> None:
        """Forget it."""
        with contextlib.suppress(Exception):  # what could not be recorded is not asked for
            self._recorder.finish()
        self._recorder.let_go()
