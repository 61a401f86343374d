"""Programs of a hundred thousand ops end well on the command line, in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import explorer
from explorer.cli import main
from tests.faulty import program

__all__ = ["program"]

ROOT = Path(explorer.__file__).parents[1]
CHAIN = """import torch

def chain():
    y = torch.tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.00001
    return y
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
    return Net()(torch.ones(1, 4), 16_000)
"""
MEASURED = (
    "import re, sys\n"
    "from explorer.cli import main\n"
    "code = main(sys.argv[1:])\n"
    "print('peak', int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)\n"
    "sys.exit(code)\n"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
@pytest.mark.parametrize(
    ("text", "name", "nodes", "kinds"), [(CHAIN, "chain", 100_001, []), (CELLS, "cells", 96_000, ["vanishing_gradient"])]
)
def test_a_hundred_thousand_ops(
    program: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str, nodes: int, kinds: list[str]
) -> None:
    """The program's process stays within 1.3 GB and the command itself within 80 MB; the recording is whole and can be drawn."""
    monkeypatch.chdir(tmp_path)
    words = ["trace", f"{program(text)}:{name}", "-o", "a.trace", "--json", "--memory-limit", "1.3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", MEASURED, *words], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    told, _, peak = done.stdout.rpartition("peak ")
    assert int(peak) < 80
    assert json.loads(told)["nodes"] >= nodes
    assert [found["kind"] for found in json.loads(told)["findings"] if found["severity"] != "info"] == kinds
    assert main(["export", "a.trace", "-o", "a.svg", "-o", "a.html", "-o", "a.dot", "--step", "150000"]) == 2
    assert {path.name for path in tmp_path.glob("a.*")} == {"a.trace", "a.svg", "a.dot"}
    assert (tmp_path / "a.svg").stat().st_size < 500_000
