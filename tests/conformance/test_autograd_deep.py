"""What autograd does to a tracer: graphs so deep that taking them apart overflows the stack (T01, P01)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import explorer
from explorer.errors import RequestError
from tests.conformance.reading import op, ops, whole

ROOT = Path(explorer.__file__).parent.parent
CHAIN = """
import torch

def chain(length=100_000):
    y = torch.ones(1, requires_grad=True)
    for _ in range(length):
        y = y * 1.0001
    return y.sum()
"""
DEEP = 30_001  # ops: with the leaf and the sum a little more than what is looked at without being asked


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A new Python runs `text` after the chain's, with the usual stack of the main thread."""
    (folder / "deep.py").write_text(CHAIN + "import os, sys, explorer\n" + text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "deep.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def deep_document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of a chain of 100,000 ops, traced by the command line in its child process."""
    folder = tmp_path_factory.mktemp("deep")
    (folder / "deep.py").write_text(CHAIN, encoding="utf-8")
    command = [sys.executable, "-m", "explorer", "trace", "deep.py:chain", "-o", "deep.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads((folder / "deep.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.slow
def test_T01_the_child_survives_a_deep_graph(deep_document: dict[str, Any]) -> None:
    """A program whose graph has 100,000 nodes in a row ends in its child as ever, everything dropped: the record is whole."""
    assert not deep_document["partial"]
    assert [finding["kind"] for finding in deep_document["findings"]] == []
    assert len(deep_document["backward"]) == 100_002


@pytest.mark.slow
def test_P01_a_hundred_thousand_ops_in_a_row(deep_document: dict[str, Any]) -> None:
    """All 100,000 ops are there, one behind the other, and the gradient that went through all of them is right."""
    products = [node["id"] for node in deep_document["nodes"] if node["op"] == "mul"]
    assert products == list(range(1, 100_001))
    assert [(edge["source"], edge["target"]) for edge in deep_document["edges"]] == [(i, i + 1) for i in range(100_001)]
    value = 1.0
    for _ in range(5):  # by hand: each node's gradient is that of the next times 1.0001, in float32
        value *= 1.0001
    (gradient,) = deep_document["nodes"][100_000 - 5]["gradients"][0]["values"]
    assert gradient == pytest.approx(value, rel=1e-6)
    (last,) = deep_document["nodes"][0]["gradients"][0]["values"]
    assert last == pytest.approx(1.0001**100_000, rel=1e-2)  # 100,000 roundings of float32


def test_T01_the_own_process_is_asked_first() -> None:
    """In the user's own process a graph of more than 30,000 nodes is refused with one sentence that names the way; it is unharmed."""
    import torch

    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(DEEP):
        y = y * 1.0
    with pytest.raises(RequestError) as caught:
        explorer.trace(y)
    assert "30,000" in str(caught.value) and "deep=True" in str(caught.value)
    with pytest.raises(RequestError) as caught, explorer.record() as recording:
        y.backward()
    assert caught.value.key == "running.too_deep"
    assert x.grad is not None and x.grad.item() == 1.0
    with pytest.raises(RequestError):
        _ = recording.trace


@pytest.mark.slow
def test_T01_a_refused_graph_is_destroyed_safely(tmp_path: Path) -> None:
    """After a refusal the process drops a graph of 100,000 nodes, which nobody walked to its end, and ends as ever."""
    done = run(
        """
loss = chain()
try:
    explorer.trace(loss)
except explorer.ExplorerError as error:
    print(error)
del loss
print("alive")
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "alive"), done.stderr
    assert done.stdout.count("30,000") == 1


@pytest.mark.slow
def test_T01_deep_keeps_the_nodes_until_the_end(tmp_path: Path) -> None:
    """With `deep=True` the structure of 100,000 nodes is shown; they are kept, so that dropping the loss destroys nothing."""
    done = run(
        """
loss = chain()
trace = explorer.trace(loss, deep=True)
del loss
print(len(trace.nodes), flush=True)
os._exit(0)
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["100002"]), done.stderr
    for function in (explorer.record, explorer.trace):
        assert "deep" in (function.__doc__ or "") or "deep" in function.__annotations__
    assert "os._exit" in (explorer.record.__doc__ or "")


def test_P01_two_thousand_ops_in_a_row(tmp_path: Path) -> None:
    """A chain is recorded, checked, written, read and collapsed without recursion, with its numbers."""
    import torch

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        y = x
        for _ in range(2000):
            y = y * 1.0001
        y.sum().backward()
    trace = whole(recording.trace)
    assert len(ops(trace, "mul")) == 2000
    assert trace.nodes[0].gradients[0] is not None and x.grad is not None
    assert trace.nodes[0].gradients[0].values == tuple(x.grad.tolist())
    assert op(trace, "sum").outputs[0].item == trace.loss
    explorer.save(trace, tmp_path / "chain.trace")
    assert explorer.load(tmp_path / "chain.trace") == trace
    explorer.export(trace, tmp_path / "chain.dot")
    assert len((tmp_path / "chain.dot").read_text(encoding="utf-8")) < 200_000
