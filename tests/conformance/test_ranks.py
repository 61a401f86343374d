"""Training on several processes: each rank writes its own file, and one reader sees them together (T30, T31)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer import runs

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_each_rank_writes_its_own_file(kind: str, tmp_path: Path) -> None:
    """Two processes: losses of their own, parameters by their real names, and norms of what each process holds."""
    folder = tmp_path / "run"
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*words, str(ROOT / "tests/conformance/ranks.py"), str(folder), kind], capture_output=True, text=True, timeout=240, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
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
