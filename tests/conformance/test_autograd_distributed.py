"""What autograd does to a tracer: two processes that train together, over gloo (T30, T31)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch.distributed

import explorer

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this PyTorch has no gloo")]

ROOT = Path(explorer.__file__).parent.parent
START = """
import os, sys
import torch
import torch.distributed as dist
from torch import nn
import explorer

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + os.path.abspath("meeting"), rank=rank, world_size=2)
torch.manual_seed(0)
"""
END = """
explorer.export(recording.trace, f"rank{rank}.json")
dist.destroy_process_group()
"""
DDP = """
model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
with explorer.record() as recording:
    x = torch.tensor([[1.0, 2.0]]) * (rank + 1)
    model(x).sum().backward()
assert model.module.weight.grad.tolist() == [[1.5, 3.0]]
for _ in range(2):  # a hook left behind would fire again: DDP keeps the AccumulateGrad nodes
    model(x).sum().backward()
"""
FSDP = """
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
mesh = init_device_mesh("cpu", (2,))
for part in (model[0], model[2], model):
    fully_shard(part, mesh=mesh)
with explorer.record() as recording:
    model(torch.ones(1, 2) * (rank + 1)).sum().backward()
"""


def documents(program: str, folder: Path) -> list[dict[str, Any]]:
    """The documents that two processes of a program wrote."""
    (folder / "program.py").write_text(START + program + END, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen([sys.executable, "program.py", str(rank)], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        errors = [process.communicate(timeout=100)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0], errors
    return [json.loads((folder / f"rank{rank}.json").read_text(encoding="utf-8")) for rank in range(2)]


def test_T30_the_contribution_is_local_and_the_gradient_averaged(tmp_path: Path) -> None:
    """Each process shows what it brought to the weight, and beside it the average that `.grad` holds; an info says which is which."""
    for rank, document in enumerate(documents(DDP, tmp_path)):
        (weight,) = [node for node in document["nodes"] if node["kind"] == "parameter" and node["name"].endswith("weight")]
        (edge,) = [edge for edge in document["edges"] if edge["source"] == weight["id"]]
        own = [[1.0 * (rank + 1), 2.0 * (rank + 1)]]
        assert edge["gradient"]["values"] == own
        assert weight["gradients"][0]["values"] == own
        assert weight["accumulated"]["before"] is None
        assert weight["accumulated"]["after"]["values"] == [[1.5, 3.0]]
        (finding,) = document["findings"]
        assert (finding["kind"], finding["severity"], finding["node"]) == ("averaged_gradient", "info", weight["id"])
        assert "average over all processes" in finding["message"]["en"] and "평균" in finding["message"]["ko"]
        assert "1" in finding["message"]["en"]  # the bias brought 1 in both processes: nothing to say of it


def test_T31_names_of_sharded_parameters(tmp_path: Path) -> None:
    """FSDP2 puts other tensors into the modules for the time of a forward; they carry the parameter's name, and their local gradient."""
    for rank, document in enumerate(documents(FSDP, tmp_path)):
        leaves = {node["name"]: node for node in document["nodes"] if node["kind"] == "parameter" and node["status"] == "executed"}
        assert set(leaves) == {"0.weight", "0.bias", "2.weight", "2.bias"}
        assert leaves["0.weight"]["outputs"][0]["shape"] == [4, 2]
        assert leaves["2.bias"]["gradients"][0]["values"] == [1.0]
        weight = leaves["0.weight"]["gradients"][0]["values"]
        assert all(row[0] == row[1] for row in weight) and rank in (0, 1)
