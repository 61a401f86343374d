"""Watches anybody's training loop and writes a run.

with explorer.watch(model, optimizer, run="runs/first") as run:
    for x, y in loader:
        ...
        optimizer.step()
        run.step(loss=loss, accuracy=accuracy)
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer

import explorer
from explorer.capture.notes import dtype_name
from explorer.capture.observing import Watching
from explorer.capture.ranks import whole_in
from explorer.runs import About

__all__ = ["now_in_utc", "versions", "watch"]


def watch(
    model: nn.Module,
    optimizer: Optimizer | None = None,
    run: str | os.PathLike[str] = "runs/run",
    *,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    every: int | None = None,
    record_every: int | None = None,
    record_first: bool = True,
    on_nan: str = "mark",
    on_full: str = "continue",
    resume: bool = False,
    shared: bool | None = None,
) -> Watching:
    """Write a run of any training loop: `with explorer.watch(model, optimizer) as run:`, and in it `run.step(loss=loss)` once a step.

    `every` N: measure the parameters each N steps (default: as often as 2 % of the time allow). `record_every` N: record each N-th step
    whole, beside the first and, where `steps` says which that is, the last. `on_nan`: "mark", "stop" or "ignore"; `on_full`: "continue" or
    "stop" when the disk is full. `resume`: go on in a run that is there. `shared`: the folder is read from other machines while it is
    written (default: whether torchrun trains on several). The model, its gradients and the random numbers stay as they are.
    """
    frame = sys._getframe(1)
    first = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    about = About(
        name=os.path.basename(os.path.abspath(run)),
        target=os.path.basename(frame.f_code.co_filename),
        settings={**_chosen(optimizer), **(settings or {})},
        device=None if first is None else str(first.device),
        dtype=None if first is None else dtype_name(first.dtype),
        seed=seed,
        steps=steps,
        ranks=whole_in("WORLD_SIZE", 1),
        created=now_in_utc(),
        made_with=versions(),
    )
    watching = Watching(
        run,
        about=about,
        source=os.path.dirname(os.path.abspath(frame.f_code.co_filename)),
        every=every,
        record_every=record_every,
        record_first=record_first,
        on_nan=on_nan,
        on_full=on_full,
        resume=resume,
        shared=shared,
    )
    watching.check(model, optimizer)
    return watching


def now_in_utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def versions() -> dict[str, str]:
    return {"explorer": explorer.__version__, "torch": str(torch.__version__), "python": platform.python_version()}


def _chosen(optimizer: Optimizer | None) -> dict[str, Any]:
    """The optimizer and the plain numbers of its first group."""
    if not isinstance(optimizer, Optimizer):
        return {}
    group = optimizer.param_groups[0] if optimizer.param_groups else {}
    plain = {name: value for name, value in group.items() if isinstance(value, bool | int | float | str)}
    return {"optimizer": type(optimizer).__name__, **plain}
