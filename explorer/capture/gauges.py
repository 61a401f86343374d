"""What is measured of a model while it trains: norms of gradients, weights and updates, and now and then small histograms.

Everything is read; nothing that belongs to the user is written, no random number is drawn and no graph is made. Measuring a step takes as
long as reading the parameters a few times, so it is done as often as a share of the training's time allows: see `Budget`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import Optimizer

__all__ = ["Budget", "Gauges", "Hook", "parameters_of"]

BINS = 24
MOST_COUNTED = 1 << 16  # elements of a tensor that a histogram looks at
MOST_MODULES = 2000  # whose activations are looked at
_WRAPPERS = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}


class Hook:
    """A hook of ours on something of the user's, which may be copied or pickled while we watch: the copy does nothing."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[..., None]) -> None:
        self.call = call

    def __call__(self, *args: Any) -> None:
        self.call(*args)

    def __deepcopy__(self, memory: Any) -> Callable[..., None]:
        return _nothing

    def __reduce__(self) -> Any:
        return _silent, ()


def _nothing(*args: Any) -> None:
    pass


def _silent() -> Callable[..., None]:
    return _nothing


class Budget:
    """Allows something to be done as long as it takes no more than a share of the time since the beginning; the first two times it may."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.spent = 0.0
        self.last = 0.0
        self.times = 0
        self._began = time.perf_counter()

    def allows(self, now: float) -> bool:
        return self.times < 2 or self.spent + self.last <= self.share * (now - self._began)

    def every(self, now: float, steps: int) -> int:
        """Each how many steps it may be done: a power of two, so that several processes, each by its own clock, share some steps."""
        if self.times < 2 or not self.spent:
            return 1
        affordable = self.share * (now - self._began) / max(1, steps)
        return 1 << max(0, math.ceil(math.log2(self.spent / (self.times - 1) / affordable))) if affordable > 0 else 1

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.add(time.perf_counter() - began)

    def add(self, seconds: float, *, whole: bool = True) -> None:
        """The first time takes longer than any other (memory is found, code is loaded), and is not held against the next ones."""
        if self.times:
            self.spent += seconds
        self.last = seconds if whole else self.last + seconds
        self.times += whole


def parameters_of(model: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Names and parameters, each once; what wraps the model leaves its name out."""
    wrapped = type(model).__name__ in ("DistributedDataParallel", "DataParallel")
    return [(_real_name(name, wrapped=wrapped), parameter) for name, parameter in model.named_parameters()]


def _real_name(name: str, *, wrapped: bool) -> str:
    parts = [part for part in name.split(".") if part not in _WRAPPERS]
    return ".".join(parts[1:] if wrapped and parts[0] == "module" else parts)


class Gauges:
    """The norms of one step and the histograms of some. `quiet` gives a region whose ops no recording sees."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer | None, *, quiet: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    ) -> None:
        self.model = model
        self.named = parameters_of(model)
        self.quiet = quiet
        self.has_optimizer = optimizer is not None
        self._before: list[torch.Tensor] | None = None
        self._gradient: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._update: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._handles: list[Any] = []
        self._activations: dict[str, tuple[Any, ...]] = {}

    @property
    def _tensors(self) -> list[torch.Tensor]:
        return [_own(tensor) for _, tensor in self.named]  # asked for anew: `parameter.data = …` may have replaced what it holds

    # -- norms

    def before_update(self, *, with_gradient: bool) -> None:
        """The optimizer is about to change the parameters; with a closure the gradients are still to come."""
        with self.quiet(), torch.no_grad():
            self._gradient = self._gradients() if with_gradient else None
            self._before = [tensor.detach().clone() for tensor in self._tensors]

    def after_update(self) -> None:
        """The parameters are changed."""
        if self._before is None:
            return
        with self.quiet(), torch.no_grad():
            if self._gradient is None:
                self._gradient = self._gradients()
            torch._foreach_sub_(self._before, self._tensors)
            self._update = _norms(self._before)
            self._before = None

    def numbers(self) -> bytes:
        """The norms of this step, gradients, weights, updates, as float32; NaN is what was not there."""
        with self.quiet(), torch.no_grad():
            gradient = self._gradients() if self._gradient is None else self._gradient
            update = np.full(len(self.named), np.nan, dtype="<f4") if self._update is None else self._update
            told = np.concatenate([gradient, _norms(self._tensors), update]).astype("<f4", copy=False)
        self.drop()
        return told.tobytes()

    def drop(self) -> None:
        """Forget what was measured of a step."""
        self._before = self._gradient = self._update = None

    def _gradients(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        found = [None if tensor.grad is None else _own(tensor.grad) for _, tensor in self.named]
        there = [gradient for gradient in found if gradient is not None]
        if len(there) == len(found):
            return _norms(there)
        told = np.full(len(found), np.nan, dtype="<f4")
        told[[place for place, gradient in enumerate(found) if gradient is not None]] = _norms(there)
        return told

    # -- histograms

    def look_at_activations(self) -> None:
        """Look at what the innermost modules give out, the first time each is called, until `distributions` is."""
        innermost = [(name, module) for name, module in self.model.named_modules() if name and not any(True for _ in module.children())]
        for name, module in innermost[:MOST_MODULES]:
            self._handles.append(module.register_forward_hook(Hook(self._activation(name))))

    def _activation(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and name not in self._activations and output.is_floating_point():
                with self.quiet(), torch.no_grad():
                    self._activations[name] = _distribution("activation", name, output)

        return hook

    def distributions(self) -> list[tuple[Any, ...]]:
        """A row for each gradient, weight and activation: see `explorer.runs.Writer.distributions`."""
        activations = list(self._activations.values())
        self.stop_looking()
        with self.quiet(), torch.no_grad():
            rows = [_distribution("weight", name, tensor) for name, tensor in self.named]
            rows += [_distribution("gradient", name, tensor.grad) for name, tensor in self.named if tensor.grad is not None]
        return rows + activations

    def stop_looking(self) -> None:
        """Take the hooks out."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._activations.clear()


def _own(tensor: torch.Tensor) -> torch.Tensor:
    """What of a tensor is in this process: a shard of one that is spread over several, the values of a sparse one."""
    local = getattr(tensor, "to_local", None)
    if local is not None:
        tensor = local()
    return tensor.coalesce().values() if tensor.is_sparse else tensor.detach()


def _norms(tensors: Sequence[torch.Tensor]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The L2 norm of each, computed in float32 at least."""
    if not tensors:
        return np.empty(0, dtype="<f4")
    low = any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in tensors)
    found = torch._foreach_norm(list(tensors), 2, dtype=torch.float32) if low else torch._foreach_norm(list(tensors), 2)
    if len({(norm.device, norm.dtype) for norm in found}) > 1:
        found = tuple(norm.to("cpu", torch.float32) for norm in found)
    return torch.stack(list(found)).to("cpu", torch.float32).numpy()


def _distribution(what: str, name: str, tensor: torch.Tensor) -> tuple[Any, ...]:
    flat = _own(tensor).reshape(-1)
    elements = flat.numel()
    stride = -(-elements // MOST_COUNTED) or 1
    values = flat[::stride].to("cpu", torch.float32).numpy() if flat.dtype is not torch.float64 else flat[::stride].cpu().numpy()
    fine = values[np.isfinite(values)]
    told = (what, name, elements, len(values))
    if not len(fine):
        return (*told, None, None, None, None, 0, len(values), b"")
    low, high = float(fine.min()), float(fine.max())
    mean, std = float(fine.mean(dtype=np.float64)), float(fine.std(dtype=np.float64))
    counts = _counts(fine, low, high)
    return (*told, low, high, mean, std, int((fine == 0).sum()), len(values) - len(fine), counts.astype("<u4").tobytes())


def _counts(values: Any, low: float, high: float) -> Any:
    """How many values lie in each of the equal parts from `low` to `high`."""
    if not high > low or not np.isfinite(high - low):
        counts = np.zeros(BINS, dtype="<u4")
        counts[0] = len(values)
        return counts
    places = ((values - low) * (BINS / (high - low))).astype(np.int64)
    return np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS)
