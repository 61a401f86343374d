"""What is read from a run: plain values, and arrays where there are many."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Distribution", "Event", "Local", "Measures", "Parameter", "Recorded", "Scalars", "Status"]

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Status:
    """How a run stands.

    `state` is "running", "paused", "finished", "stopped", "failed", or "died" where the process is gone without a word. `at`: seconds of
    training.
    """

    state: str
    step: int
    at: float
    steps: int | None
    alive: bool
    nan: int | None = None  # the first step whose loss was not finite


@dataclass(frozen=True, slots=True)
class Scalars:
    """Metrics over the steps; NaN stands where a step did not have one, `known` says which those are not."""

    steps: Steps
    at: Floats
    metrics: dict[str, Floats]
    known: dict[str, npt.NDArray[np.bool_]]

    def of(self, name: str) -> tuple[Steps, Floats]:
        """The steps that have this metric, and its values there, which may be NaN or infinite."""
        there = self.known[name]
        return self.steps[there], self.metrics[name][there]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the model; its number is the column in `Measures`."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """Norms of each parameter (a column) at measured steps (a row), or the largest of each group of steps where there were many.

    NaN: it had none. `update` is the norm of what the step changed.
    """

    steps: Steps
    gradient: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    update: npt.NDArray[np.float32]

    @property
    def ratio(self) -> npt.NDArray[np.float32]:
        """Update to weight."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.update / self.weight


@dataclass(frozen=True, slots=True)
class Local:
    """What one of several processes had at measured steps before the gradients were averaged: the norm of each parameter's gradient.

    `waited`: seconds from its last gradient to its update, in which it waited for the others; NaN where it was not measured.
    """

    steps: Steps
    waited: npt.NDArray[np.float32]
    gradient: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A small histogram of a "gradient", "weight" or "activation"; `counted` of its `elements` were looked at, evenly spread."""

    step: int
    what: str
    name: str
    elements: int
    counted: int
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    zeros: int
    broken: int  # NaN or infinite
    counts: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A step that was recorded whole, and why: "first", "last", "every", "nan" or "asked"."""

    step: int
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened after `step`, at a time in seconds since 1970."""

    id: int
    step: int
    time: float
    kind: str
    told: dict[str, Any] = field(default_factory=dict)
