"""Follows a script or a function that knows nothing of us: each `optimizer.step()` is a step, its loss what backward last started from.

Only in a process of our own, where torch may be changed for good.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer

from explorer.capture.observing import Stopped, Watching
from explorer.errors import RequestError

__all__ = ["Script"]


class Script:
    """Stores a step of `watching` whenever an optimizer has stepped, until there are `steps` of them (None: to its end)."""

    def __init__(self, watching: Watching, *, steps: int | None, told: Callable[[int, int | None, float | None], None]) -> None:
        self._watching = watching
        self._steps = steps
        self._told = told
        self._loss: torch.Tensor | None = None
        self._inside = 0  # an optimizer that calls another's step
        self._roots: dict[int, nn.Module] = {}  # every module that was called from outside any other, by id
        self._depth = 0
        self._handles: list[Any] = []

    def install(self) -> None:
        """From now on the steps of this process are seen."""
        self._watching.record_from_here()
        backward = torch.autograd.backward

        @wraps(backward)
        def seen_backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(tensors, torch.Tensor) and tensors.numel() == 1:
                self._loss = tensors.detach()
            return backward(tensors, *args, **kwargs)

        torch.autograd.backward = seen_backward
        profiled = Optimizer.profile_hook_step

        def seen_step(step: Callable[..., Any]) -> Callable[..., Any]:
            hooked: Callable[..., Any] = profiled(step)

            @wraps(step)
            def wrapper(optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
                self._inside += 1
                try:
                    result = hooked(optimizer, *args, **kwargs)
                finally:
                    self._inside -= 1
                if not self._inside:
                    self._stepped(optimizer)
                return result

            return wrapper

        Optimizer.profile_hook_step = staticmethod(seen_step)  # type: ignore[assignment,method-assign]
        self._handles = [
            nn.modules.module.register_module_forward_pre_hook(self._enter),
            nn.modules.module.register_module_forward_hook(self._leave, always_call=True),
        ]

    def _enter(self, module: nn.Module, args: Any) -> None:
        if not self._depth:
            self._roots.setdefault(id(module), module)
        self._depth += 1

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        self._depth -= 1

    def _stepped(self, optimizer: Optimizer) -> None:
        """The optimizer and all hooks on it are done."""
        watching = self._watching
        if not watching.is_open:
            self._open(optimizer)
        watching.step(loss=self._loss)
        self._told(watching.done, self._steps, watching.loss)
        if self._steps is not None and watching.done >= self._steps:
            raise Stopped

    def _open(self, optimizer: Optimizer) -> None:
        """The model is the called one that has most of the optimizer's parameters; without one, there are metrics only."""
        if self._watching.resume:
            raise RequestError("training.resume_needs_register")
        for handle in self._handles:
            handle.remove()
        wanted = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        shares = [(sum(id(parameter) in wanted for parameter in module.parameters()), module) for module in self._roots.values()]
        share, model = max(shares, key=lambda pair: pair[0], default=(0, None))
        self._roots.clear()
        if model is not None and share:
            self._watching.register(model, optimizer)
        else:
            self._watching.open([])
