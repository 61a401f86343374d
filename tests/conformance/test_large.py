"""Programs of a hundred thousand ops end well on the command line, in bounded memory (T01, P01)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import explorer
from explorer.cli import main

ROOT = Path(explorer.__file__).parents[1]
CHAIN = """import torch

def chain():
    y = torch.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.0001
    return y.sum()
"""
CELLS = """import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(4, 4)

    def forward(self, x, steps):
        h = torch.zeros(1, 4)
        for _ in range(steps):
            h = self.cell(x, h)
        return h.sum()

def cells():
    return Net()(torch.ones(1, 4), 3_000)
"""
MEASURED = (
    "import re, sys\n"
    "from explorer.cli import main\n"
    "code = main(sys.argv[1:])\n"
    "print('peak', int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)\n"
    "sys.exit(code)\n"
)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")


class Recorded(NamedTuple):
    """What the command told of a recording, the most that its process took, in MB, and where the recording lies."""

    told: dict[str, Any]
    peak: int
    path: Path


def recorded(folder: Path, text: str, name: str, *, limit: float) -> Recorded:
    """A program traced by the command, in `limit` GB."""
    (folder / "program.py").write_text(text, encoding="utf-8")
    words = ["trace", f"program.py:{name}", "-o", "a.trace", "--json", "--memory-limit", str(limit)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    told, _, peak = done.stdout.rpartition("peak ")
    return Recorded(json.loads(told), int(peak), folder / "a.trace")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A chain of 100,000 ops, recorded once for all tests here."""
    return recorded(tmp_path_factory.mktemp("chain"), CHAIN, "chain", limit=1.3)


@pytest.mark.slow
def test_a_hundred_thousand_ops(chain: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's process stays within 1.3 GB and the command itself within 80 MB; the recording is whole and can be drawn."""
    monkeypatch.chdir(chain.path.parent)
    assert chain.peak < 80
    assert chain.told["nodes"] == 100_002
    assert [found["kind"] for found in chain.told["findings"] if found["severity"] != "info"] == []
    assert main(["export", "a.trace", "-o", "a.svg", "-o", "a.html", "-o", "a.dot", "--step", "150000"]) == 2
    assert {path.name for path in chain.path.parent.glob("a.*")} == {"a.trace", "a.svg", "a.dot"}
    assert Path("a.svg").stat().st_size < 500_000


@pytest.mark.slow
def test_P01_a_hundred_thousand_ops_in_a_row(chain: Recorded) -> None:
    """A graph of 100,000 nodes in a row, dropped at the end of its child, is recorded whole: all ops are there, one behind the other, and
    the gradient that went through all of them is right."""
    assert chain.told["findings"] == []
    trace = explorer.load(chain.path)
    assert not trace.partial
    assert len(trace.backward) == 100_002
    assert [node.id for node in trace.nodes if node.op == "mul"] == list(range(1, 100_001))
    assert [(edge.source, edge.target) for edge in trace.edges] == [(i, i + 1) for i in range(100_001)]
    value = 1.0
    for _ in range(5):  # by hand: each node's gradient is that of the next times 1.0001, in float32
        value *= 1.0001
    (gradient,) = trace.nodes[100_000 - 5].gradients[0].values
    assert gradient == pytest.approx(value, rel=1e-6)
    (last,) = trace.nodes[0].gradients[0].values
    assert last == pytest.approx(1.0001**100_000, rel=1e-2)  # 100,000 roundings of float32


@pytest.mark.slow
def test_a_long_loop_over_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3,000 calls of a cell: as little memory, what vanishes on the way is found, and the picture is small."""
    cells = recorded(tmp_path, CELLS, "cells", limit=0.8)
    monkeypatch.chdir(tmp_path)
    assert cells.peak < 80
    assert cells.told["nodes"] >= 18_000
    assert [found["kind"] for found in cells.told["findings"] if found["severity"] != "info"] == ["vanishing_gradient"]
    assert main(["export", "a.trace", "-o", "a.svg", "--step", "20000"]) == 0
    assert Path("a.svg").stat().st_size < 500_000
