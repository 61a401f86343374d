"""Training on several processes: each rank writes its own file, and one reader sees them together (T30, T31)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer
from explorer import runs

ROOT = Path(__file__).resolve().parent.parent.parent


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*words, str(ROOT / "tests/conformance/ranks.py"), str(folder), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def ended(process: subprocess.Popen[str]) -> None:
    try:
        errors = process.communicate(timeout=240)[1]
    finally:
        process.kill()
    assert process.returncode == 0, errors[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_each_rank_writes_its_own_file(kind: str, tmp_path: Path) -> None:
    """Two processes: losses of their own, parameters by their real names, norms of what each process holds and of what it had alone."""
    folder = tmp_path / "run"
    ended(started(folder, kind))
    run = runs.open_run(folder)
    assert run.ranks == (0, 1) and run.about.ranks == 2
    losses = [run.scalars(rank=rank).metrics["loss"] for rank in run.ranks]
    assert len(losses[0]) == len(losses[1]) == 6 and (losses[0] != losses[1]).all()
    assert [status.state for status in (run.status(0), run.status(1))] == ["finished", "finished"]
    names = [[parameter.name for parameter in run.parameters(rank)] for rank in run.ranks]
    assert names[0] == names[1] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    first, second = (run.measures(rank=rank) for rank in run.ranks)
    for norms in (first, second):
        assert np.isfinite([norms.gradient, norms.weight, norms.update]).all()
        assert norms.update == pytest.approx(0.1 * norms.gradient, rel=1e-3)
    if kind == "ddp":
        assert first.gradient == pytest.approx(second.gradient), "averaged before the optimizer saw it"
        assert [found.step for found in run.traces(0)] == [1, 6]
        for rank in run.ranks:
            assert explorer.load(run.traces(rank)[0].path).loss == pytest.approx(float(losses[rank][0]))
    else:
        assert (first.weight[:, 0] != second.weight[:, 0]).all(), "each holds its own part"
    locals_ = [run.local(rank=rank) for rank in run.ranks]
    for own in locals_:
        assert own.steps.tolist() == ([2, 3, 4, 5] if kind == "ddp" else [1, 2, 3, 4, 5, 6]), "not in steps that are recorded whole"
        assert np.isfinite(own.gradient).all() and (own.waited > 0).all()
    assert (locals_[0].gradient != locals_[1].gradient).any(axis=1).all(), "before they are averaged they differ"
    copies = {run.events(rank=rank)[0].told["copies"] for rank in run.ranks}
    assert copies == {2 if kind == "ddp" else 1}
    for place, step in enumerate(locals_[0].steps.tolist()):
        whole = np.sqrt((first.gradient[step - 1] ** 2 + second.gradient[step - 1] ** 2) / float(min(copies)))
        mean = (locals_[0].gradient[place] + locals_[1].gradient[place]) / 2
        assert (whole <= mean * (1 + 1e-4)).all() and (whole > 0).all(), "an average is no longer than its parts are on average"


@pytest.mark.slow
def test_ranks_pause_and_stop_together(tmp_path: Path) -> None:
    """What is asked for happens after the same step in both, so that neither waits for one that has gone; the slow one waits least."""
    folder = tmp_path / "run"
    process = started(folder, "ddp", "100000")
    try:
        wait(lambda: runs.is_run(folder) and len(runs.open_run(folder).ranks) == 2 and runs.open_run(folder).step(1) > 20)
        run = runs.open_run(folder)
        runs.request(folder, "pause")
        wait(lambda: [run.status(rank).state for rank in run.ranks] == ["paused", "paused"])
        assert run.step(0) == run.step(1)
        runs.request(folder, "resume")
        paused = run.step(0)
        wait(lambda: run.step(0) > paused + 20)
        runs.request(folder, "stop")
        ended(process)
    finally:
        process.kill()
    assert [run.status(rank).state for rank in run.ranks] == ["stopped", "stopped"]
    assert run.step(0) == run.step(1)
    locals_ = [run.local(rank=rank) for rank in run.ranks]
    common = set(locals_[0].steps.tolist()) & set(locals_[1].steps.tolist())
    assert len(common) >= min(len(own.steps) for own in locals_) > 3, "the fewer are among the more"
    assert np.median(locals_[0].waited) > 0.01 > np.median(locals_[1].waited)


def wait(true: Any) -> None:
    end = time.monotonic() + 100
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
