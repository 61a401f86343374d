"""What autograd does to a tracer: graphs so deep that taking them apart overflows the stack (T01, P01; more in test_large.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
