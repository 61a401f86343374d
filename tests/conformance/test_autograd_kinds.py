"""What autograd does to a tracer: sparse and nested tensors, fake ones and absent devices (T27, T28, T29)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

import explorer
from explorer.errors import DeviceError
from explorer.model import Trace
from tests.conformance.reading import close, edge, named, op, whole

ROOT = Path(explorer.__file__).parent.parent


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, run in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "explorer", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


# -- T27


def test_T27_sparse_embedding_gradients(tmp_path: Path) -> None:
    """The sparse gradient of an embedding gets a note of its shape, on the edge, the leaf and in `.grad`; other numbers are exact."""
    embedding = nn.Embedding(5, 2, sparse=True)
    with explorer.record() as recording:
        rows = embedding(torch.tensor([1, 1, 3]))
        (rows * torch.tensor([2.0, 3.0])).sum().backward()
    trace = whole(recording.trace)
    assert embedding.weight.grad is not None and embedding.weight.grad.is_sparse
    weight = named(trace, "weight")
    assert weight.accumulated is not None
    for note in (weight.gradients[0], edge(trace, weight, named(trace, "rows")).gradient, weight.accumulated.after):
        assert note is not None
        assert (note.shape, note.dtype, note.values) == ((5, 2), "float32", None)
    close(named(trace, "rows").gradients[0], torch.tensor([[2.0, 3.0]] * 3))
    explorer.save(trace, tmp_path / "sparse.trace")
    assert explorer.load(tmp_path / "sparse.trace") == trace


def nested(layout: torch.layout, *, leaf: bool) -> Trace:
    """A nested tensor, doubled, padded and summed; made of two leaves, or a leaf itself."""

    def program() -> torch.Tensor:
        a, b = torch.ones(2, 3, requires_grad=not leaf), torch.ones(1, 3, requires_grad=not leaf)
        if leaf:
            several = torch.nested.nested_tensor([a, b], layout=layout, requires_grad=True)
        else:
            several = torch.nested.as_nested_tensor([a, b], layout=layout)
        doubled = several * 2
        padded = doubled.to_padded_tensor(0.0)
        return padded.sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says of nested tensors that they are a prototype
        return whole(explorer.trace(program))


@pytest.mark.parametrize("leaf", [False, True])
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged], ids=str)
def test_T27_nested_tensors(layout: torch.layout, leaf: bool, tmp_path: Path) -> None:
    """Strided and jagged nested tensors are noted with the size that is not one number as a word; what is dense around them is exact."""
    trace = nested(layout, leaf=leaf)
    assert trace.loss == 18.0
    doubled = op(trace, "mul")
    (note,) = doubled.outputs
    assert note.shape[0] in (2, "2") and any(isinstance(size, str) and not size.isdigit() for size in note.shape), note.shape
    assert (note.values, note.numel) == (None, None)
    assert doubled.gradients[0] is not None and doubled.gradients[0].shape == note.shape
    padded = op(trace, "to_padded_tensor")
    close(padded.outputs[0], torch.tensor([[[2.0] * 3, [2.0] * 3], [[2.0] * 3, [0.0] * 3]]))
    assert edge(trace, named(trace, "several"), doubled).differentiable
    assert named(trace, "several").status == "executed"
    if not leaf:
        close(named(trace, "a").gradients[0], torch.full((2, 3), 2.0))
        close(named(trace, "b").gradients[0], torch.full((1, 3), 2.0))
    words = {size for node in trace.nodes for note in node.outputs for size in note.shape if isinstance(size, str)}
    explorer.export(trace, tmp_path / "nested.json")
    text = (tmp_path / "nested.json").read_text(encoding="utf-8")
    assert all(json.dumps(word) in text for word in words)
    explorer.export(trace, tmp_path / "nested.dot", expand="all")
    assert next(str(size) for size in note.shape if isinstance(size, str)) in (tmp_path / "nested.dot").read_text(encoding="utf-8")


def test_T27_asking_for_a_shape_is_no_op() -> None:
    """A jagged tensor answers for its shape by an op; it is not drawn, and does not come between a tensor and what reads it."""
    trace = nested(torch.jagged, leaf=True)
    assert [node.op for node in trace.nodes] == [None, "mul", "to_padded_tensor", "sum"]


# -- T28


def test_T28_an_absent_device_is_refused(tmp_path: Path) -> None:
    """Asked for an accelerator that is not here, nothing is run: one sentence in Python, and exit 2 on the command line."""
    absent = [kind for kind in ("cuda", "xpu", "mps") if not torch.get_device_module(kind).is_available()]
    assert absent
    ran: list[int] = []
    (tmp_path / "program.py").write_text("raise SystemExit('it ran')\ndef main(): ...\n", encoding="utf-8")
    for kind in absent:
        with pytest.raises(DeviceError) as caught:
            explorer.trace(lambda: ran.append(1), device=kind)
        assert kind in str(caught.value)
        done = command(tmp_path, "trace", "program.py:main", "-o", "out.json", "--device", kind)
        assert (done.returncode, done.stdout) == (2, "")
        assert kind in done.stderr and "it ran" not in done.stderr and "Traceback" not in done.stderr
    assert ran == []


ABORTS = """
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

def main():
    first = torch.ones(2, requires_grad=True) * 3
    with FakeTensorMode():
        w = torch.ones(2, device="cuda", requires_grad=True)
        return (w * 2).sum()
"""


@pytest.mark.slow
@pytest.mark.skipif(torch.backends.cuda.is_built(), reason="this PyTorch knows the device")
def test_T28_a_program_that_aborts_takes_its_child_along_alone(tmp_path: Path) -> None:
    """A program that makes a fake tensor on an absent device itself aborts in its child, not here: exit 3, what ran before is written,
    and a sentence says what it was."""
    (tmp_path / "program.py").write_text(ABORTS, encoding="utf-8")
    done = command(tmp_path, "trace", "program.py:main", "-o", "out.json")
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].startswith("The program made a fake tensor on cuda that needs a gradient")
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert document["partial"]
    assert "mul" in [node["op"] for node in document["nodes"]]


# -- T29


def test_T29_fake_mode_leaves_the_users_parameters_alone() -> None:
    """After `trace(..., device="fake")` of a model made before, its parameters have the gradients, buffers and numbers that they had."""
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    model[0].weight.grad = torch.ones(3, 2)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    trace = whole(explorer.trace(lambda: model(torch.ones(4, 2)).sum(), device="fake"))
    assert [node.status for node in trace.nodes if node.kind == "parameter"] == ["executed"] * 6
    assert all(note.values is None for node in trace.nodes if node.kind == "op" for note in node.outputs)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert type(model[0].weight.grad) is torch.Tensor and torch.equal(model[0].weight.grad, torch.ones(3, 2))
    assert [parameter.grad for parameter in list(model.parameters())[1:]] == [None] * 5


def test_T29_the_fake_run_has_no_numbers_and_all_shapes() -> None:
    """Under the fake device a model made inside is traced by shape alone: no values, no loss, every gradient's shape known."""

    def program() -> torch.Tensor:
        model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        return model(torch.ones(4, 2)).sum()

    trace = whole(explorer.trace(program, device="fake"))
    assert trace.loss is None
    shapes = {node.name: node.gradients[0].shape for node in trace.nodes if node.kind == "parameter" and node.gradients[0] is not None}
    assert shapes == {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}
    assert all((note.mean, note.values) == (None, None) for node in trace.nodes for note in node.outputs)
