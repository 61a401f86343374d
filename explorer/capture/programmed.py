"""What a training TARGET is handed as `run`, and the loop around it, which counts steps, writes checkpoints and brings them back."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim.optimizer import Optimizer

from explorer.capture import checkpoints
from explorer.capture.gauges import Budget
from explorer.capture.observing import Stopped, Watching
from explorer.errors import ExplorerError, RequestError

__all__ = ["Programmed", "chosen_settings"]

SHARE = 0.02  # of the time, for checkpoints
LEAST = 1.0  # seconds between two
GIVEN = ("device", "dtype", "seed", "steps", "run")  # what a program is called with beside its settings


class Programmed:
    """The `run` of a training program: `register` the model before the first step, then yield a dict of metrics after each.

    `start` is the number of steps done before this process (0 for a new run), `folder` where the run lies.
    """

    def __init__(self, watching: Watching, *, steps: int, told: Callable[[int, int, float | None], None]) -> None:
        self._watching = watching
        self._steps = steps
        self._told = told
        self._keeps: dict[str, Any] = {}
        self._batches: checkpoints.Batches | None = None
        self._budget = Budget(SHARE)
        self._kept = time.monotonic()
        self.refused: ExplorerError | None = None  # why there is no checkpoint

    @property
    def start(self) -> int:
        return self._watching.start

    @property
    def folder(self) -> Path:
        return self._watching.folder

    def register(self, model: nn.Module, optimizer: Optimizer | None = None, loader: Any = None, **others: Any) -> None:
        """Say what is trained, right before the first step. `others` (a schedule, a scaler) are kept and brought back by their state_dict.

        In a run that goes on everything is put back here as it was, random numbers included.
        """
        for name, other in others.items():
            if not hasattr(other, "state_dict") or not hasattr(other, "load_state_dict"):
                raise RequestError("training.no_state", name=name, kind=type(other).__name__)
        self._watching.register(model, optimizer)
        self._keeps = {**({} if optimizer is None else {"optimizer": optimizer}), **others}
        if loader is not None:
            if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
                self._keeps["loader"] = loader
            elif hasattr(loader, "_get_iterator"):
                self._batches = checkpoints.Batches(loader)
        if self._watching.resume:
            self._bring_back(model)
        if self.start >= self._steps:
            raise Stopped  # nothing is left to do

    def _bring_back(self, model: nn.Module) -> None:
        found = checkpoints.newest(self.folder)
        if found is None:
            self._watching.go_on_after(0)
            return
        step, place = found
        states = checkpoints.load_state(place)
        checkpoints.load_weights(self.folder, model)
        for name, keeper in self._keeps.items():
            if name not in states:
                raise RequestError("training.not_kept", name=name, path=str(self.folder))
            keeper.load_state_dict(states[name])
        if self._batches is not None and "batches" in states:
            self._batches.go_on(states["batches"])
        self._watching.go_on_after(step)
        checkpoints.set_random_state(states["random"])

    def follow(self, program: Generator[Any, None, None]) -> None:
        """Run the program until it has done its steps."""
        try:
            for metrics in program:
                if not isinstance(metrics, Mapping) or not all(isinstance(name, str) for name in metrics):
                    raise RequestError("training.no_metrics", kind=type(metrics).__name__)
                watching = self._watching
                if not watching.is_open:
                    self.open_unregistered()
                try:
                    watching.step(**metrics)
                except Stopped:
                    self.keep()
                    raise
                finally:
                    self._told(watching.done, self._steps, watching.loss)
                if watching.done >= self._steps:
                    self.keep()
                    break
                self._keep_sometimes()
            else:
                self.keep()
        finally:
            program.close()

    def open_unregistered(self) -> None:
        """A program that names no model has metrics only, and cannot go on later."""
        if self._watching.resume:
            raise RequestError("training.resume_needs_register")
        self._watching.open([])

    def _keep_sometimes(self) -> None:
        now = time.monotonic()
        if now - self._kept >= LEAST and self._budget.allows(time.perf_counter()):
            self.keep()

    def keep(self) -> None:
        """Write a checkpoint of the step just done; what cannot be kept is told once, and training goes on."""
        model = self._watching.model
        if model is None or self.refused is not None or self._watching.nan or self._watching.done == self.start:
            return  # from weights that are not finite nothing goes on
        with self._budget.used():
            states = {name: keeper.state_dict() for name, keeper in self._keeps.items()}
            states["random"] = checkpoints.random_state()
            if self._batches is not None:
                states["batches"] = self._batches.state()
            try:
                checkpoints.save_checkpoint(self.folder, self._watching.done, model, states)
            except ExplorerError as error:
                self.refused = error
        self._kept = time.monotonic()

    def leave(self) -> None:
        if self._batches is not None:
            self._batches.leave()


def chosen_settings(call: Callable[..., Any], given: Mapping[str, str], *, name: str) -> dict[str, Any]:
    """The settings of a program (its keywords with a plain default), with those given in place of their defaults."""
    settings: dict[str, Any] = {}
    for parameter in inspect.signature(call).parameters.values():
        if parameter.name not in GIVEN and isinstance(parameter.default, bool | int | float | str):
            settings[parameter.name] = parameter.default
    for key, word in given.items():
        if key not in settings:
            raise RequestError("training.no_setting", name=name, setting=key, settings=", ".join(settings) or "–")
        settings[key] = _like(settings[key], key, word)
    return settings


def _like(default: Any, key: str, word: Any) -> Any:
    """A word as the kind of value that the default is."""
    if not isinstance(word, str):
        return word
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[word.lower()]
        return kind(word)
    except (KeyError, ValueError, OverflowError):
        raise RequestError("training.wrong_setting", setting=key, value=word, kind=kind.__name__) from None
