"""One process of several that train one model: what it knows of a step before the gradients are averaged, and how long it then waits.

DDP averages a gradient after autograd has put it into `.grad`, FSDP2 after it has put it into the whole parameter that stands in the module
for the time of a forward. So both are looked at in the moment in which the gradient arrives. Nothing is sent to the other processes.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import nn

__all__ = ["Local", "machines", "process_told", "processes", "whole_in"]


def whole_in(variable: str, otherwise: int) -> int:
    """The whole number in a variable of the environment, as torchrun sets some."""
    word = os.environ.get(variable, "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 else otherwise


def processes() -> int:
    """How many processes train together."""
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def machines() -> int:
    """On how many machines they are, as torchrun says it."""
    return -(-whole_in("WORLD_SIZE", 1) // max(1, whole_in("LOCAL_WORLD_SIZE", whole_in("WORLD_SIZE", 1))))


def process_told(named: Sequence[tuple[str, torch.Tensor]]) -> dict[str, Any]:
    """What the run keeps of this process; of one of several also how many hold the same part of each parameter.

    These are all of them where it is whole, fewer where it is spread over some; one number where that is the same for all parameters.
    """
    told: dict[str, Any] = {"process": os.getpid(), "host": socket.gethostname()}
    if named and processes() > 1:
        copies = [_copies(tensor) for _, tensor in named]
        told["copies"] = copies[0] if len(set(copies)) == 1 else copies
    return told


def _copies(tensor: Any) -> int:
    mesh = getattr(tensor, "device_mesh", None)
    if mesh is None:
        return processes()
    parts = math.prod(mesh.size(place) for place, kind in enumerate(tensor.placements) if kind.is_shard())
    return max(1, int(mesh.size()) // parts)


class Local:
    """The norms of the gradients of this process before they are averaged with those of the others, in the steps that are measured."""

    def __init__(
        self,
        model: nn.Module,
        named: Sequence[tuple[str, torch.Tensor]],
        *,
        hook: Callable[[Callable[..., None]], Any],
        quiet: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
    ) -> None:
        self.quiet, self._hook = quiet, hook
        self.spent = 0.0  # seconds, in the step that is measured
        self._parameters = [parameter for _, parameter in named]
        numbers = {id(parameter): number for number, parameter in enumerate(self._parameters)}
        self._spread: list[tuple[nn.Module, list[tuple[str, int]]]] = []
        for module in model.modules():
            own = [(name, numbers[id(one)]) for name, one in module._parameters.items() if one is not None and id(one) in numbers]
            if own := [(name, number) for name, number in own if _is_spread(self._parameters[number])]:
                self._spread.append((module, own))
        self._handles: list[Any] = []
        self._norms: dict[int, torch.Tensor] = {}
        self._last: float | None = None
        self._waited = math.nan

    def begin(self) -> None:
        """The step that begins now is measured."""
        self.drop()
        for number, parameter in enumerate(self._parameters):
            if parameter.requires_grad and not _is_spread(parameter):
                self._follow(parameter, number)
        for module, own in self._spread:
            self._handles.append(module.register_forward_pre_hook(self._hook(self._before_call(own))))

    def _before_call(self, own: list[tuple[str, int]]) -> Callable[..., None]:
        """While a module is called, whole parameters stand in it for the spread ones: see `explorer.capture.modules`."""
        seen: set[int] = set()

        def before(module: nn.Module, inputs: Any) -> None:
            for name, number in own:
                whole = module._parameters[name]
                if whole is not None and whole.requires_grad and not _is_spread(whole) and id(whole) not in seen:
                    seen.add(id(whole))
                    self._follow(whole, number)

        return before

    def _follow(self, tensor: torch.Tensor, number: int) -> None:
        def arrived(parameter: torch.Tensor) -> None:
            began = time.perf_counter()
            if parameter.grad is not None:
                with self.quiet(), torch.no_grad():
                    self._norms[number] = _norm(parameter.grad)
            self._last = time.perf_counter()
            self.spent += self._last - began

        self._handles.append(tensor.register_post_accumulate_grad_hook(self._hook(arrived)))

    def averaged(self) -> None:
        """The update begins: the gradients are those of all processes."""
        if self._last is not None:
            self._waited = time.perf_counter() - self._last

    def numbers(self) -> bytes | None:
        """A row of the table `local` (see `explorer.runs.storing`); None of a step that was not looked at, or has no gradient."""
        if self._last is None:
            self.drop()
            return None
        told = np.full(len(self._parameters) + 1, np.nan, dtype="<f4")
        told[0] = self._waited
        if self._norms:
            with self.quiet(), torch.no_grad():
                told[[number + 1 for number in self._norms]] = torch.stack([norm.float() for norm in self._norms.values()]).cpu().numpy()
        self.drop()
        return told.tobytes()

    def drop(self) -> None:
        """Look at nothing any more."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._norms.clear()
        self._last, self._waited, self.spent = None, math.nan, 0.0


def _is_spread(tensor: Any) -> bool:
    return hasattr(tensor, "to_local")


def _norm(gradient: Any) -> torch.Tensor:
    own = gradient.to_local() if _is_spread(gradient) else gradient
    own = own.coalesce().values() if own.is_sparse else own
    return torch.linalg.vector_norm(own, dtype=torch.float32 if own.dtype in (torch.float16, torch.bfloat16) else None)
