"""What has been read of a run so far; looking again reads what is new."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.runs import Local, Measures, Parameter, Recorded, Run, Scalars, Status, open_run

__all__ = ["Seen", "follow", "last_loss", "look"]

KEPT = 256  # runs and ranks whose numbers stay in memory
RECENT = 5.0  # seconds of training over which the speed is taken
COLUMNS = 600  # of the picture of the layers over the steps, the largest of each group: more than a screen shows
MOST_LOCAL = 20_000  # measured steps of a rank that stay in memory
CALM = 2.0  # seconds between two looks at the parameters' norms


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as it stood at one look. `texts` are step, name and text; `speed` is steps a second, `left` the seconds to go."""

    run: Run
    status: Status
    scalars: Scalars
    texts: tuple[tuple[int, str, str], ...]
    traces: tuple[Recorded, ...]
    speed: float | None
    left: float | None

    @property
    def loss(self) -> float | None:
        """The last one."""
        return last_loss(self.scalars)


def last_loss(scalars: Scalars) -> float | None:
    """The last loss there is."""
    if "loss" not in scalars.metrics:
        return None
    values = scalars.of("loss")[1]
    return float(values[-1]) if len(values) else None


class Followed:
    """One run, or one rank of it, in memory, shared by all who look at it."""

    def __init__(self, folder: Path, rank: int | None = None) -> None:
        self._folder, self._rank = folder, rank
        self._lock = threading.Lock()
        self._forget("")

    def _forget(self, created: str) -> None:
        self._created, self._event = created, 0
        self._scalars: Scalars | None = None
        self._texts: list[tuple[int, str, str]] = []
        self._measures: Measures | None = None
        self._parameters: list[Parameter] = []
        self._measured, self._cost, self._upto = 0.0, 0.0, -1
        self._local: Local | None = None

    def look(self) -> Seen:
        """The run as it stands now. Raises `FileError`."""
        with self._lock:
            run = open_run(self._folder)
            if run.about.created != self._created:
                self._forget(run.about.created)
            events = run.events(self._event, self._rank)
            if any(event.kind == "resumed" for event in events):  # the last steps may be others now
                self._forget(run.about.created)
            self._event = max([self._event, *(event.id for event in events)])
            status = run.status(self._rank)
            since = 0 if self._scalars is None or not len(self._scalars.steps) else int(self._scalars.steps[-1])
            new = run.scalars(since, self._rank)
            self._scalars = new if self._scalars is None else _joined(self._scalars, new)
            self._texts = [text for text in self._texts if text[0] <= since] + run.texts(
                since, self._rank
            )  # a text is there before its step
            speed = _speed(self._scalars)
            left = None
            if status.alive and status.steps is not None and speed:
                left = max(0, status.steps - status.step) / speed
            return Seen(run, status, self._scalars, tuple(self._texts), tuple(run.traces(self._rank)), speed, left)

    def norms(self) -> tuple[Measures, list[Parameter]]:
        """The norms of the parameters: read whole, and so not more often than they cost little. Raises `FileError`."""
        with self._lock:
            run = open_run(self._folder)
            now, step = time.monotonic(), run.step(self._rank)
            if self._measures is None or (step != self._upto and now - self._measured > max(CALM, 10 * self._cost)):
                self._measures = run.measures(most=COLUMNS, rank=self._rank)
                self._parameters = self._parameters or run.parameters(self._rank)
                self._measured, self._cost, self._upto = time.monotonic(), time.monotonic() - now, step
            return self._measures, self._parameters

    def local(self) -> Local:
        """What this rank had before the gradients were averaged. Raises `FileError`."""
        with self._lock:
            run = open_run(self._folder)
            since = 0 if self._local is None or not len(self._local.steps) else int(self._local.steps[-1])
            new = run.local(since, rank=self._rank)
            if self._local is None:
                self._local = new
            elif len(new.steps):
                old = self._local
                self._local = Local(
                    np.concatenate([old.steps, new.steps])[-MOST_LOCAL:],
                    np.concatenate([old.waited, new.waited])[-MOST_LOCAL:],
                    np.concatenate([old.gradient, new.gradient])[-MOST_LOCAL:],
                )
            return self._local


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def follow(folder: Path, rank: int | None = None) -> Followed:
    """What is known of the run in this folder, or of one rank of it, for all visitors."""
    return Followed(folder, rank)


def look(folder: Path) -> Seen:
    """The run in this folder as it stands now. Raises `FileError`."""
    return follow(folder).look()


def _joined(one: Scalars, new: Scalars) -> Scalars:
    if not len(new.steps):
        return one
    names = list(dict.fromkeys([*one.metrics, *new.metrics]))

    def both(old: dict[str, np.ndarray], more: dict[str, np.ndarray], empty: float) -> dict[str, np.ndarray]:
        kind = np.bool_ if empty == 0 else np.float64
        return {
            name: np.concatenate(
                [
                    old.get(name, np.full(len(one.steps), empty, dtype=kind)),
                    more.get(name, np.full(len(new.steps), empty, dtype=kind)),
                ]
            )
            for name in names
        }

    return Scalars(
        np.concatenate([one.steps, new.steps]),
        np.concatenate([one.at, new.at]),
        both(one.metrics, new.metrics, np.nan),
        both(one.known, new.known, 0),
    )


def _speed(scalars: Scalars) -> float | None:
    """Steps a second over the last seconds of training."""
    if len(scalars.steps) < 2:
        return None
    first = min(int(np.searchsorted(scalars.at, scalars.at[-1] - RECENT)), len(scalars.at) - 2)
    seconds = float(scalars.at[-1] - scalars.at[first])
    return float(scalars.steps[-1] - scalars.steps[first]) / seconds if seconds > 0 else None
