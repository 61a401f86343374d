"""What other tools get wrong with programs and pictures (P3-P11)."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from explorer.model import Trace
from tests.conformance.reading import named, op, same, whole

Document = Callable[[Trace], dict[str, Any]]


@dataclasses.dataclass
class Answer:
    """An output in a dataclass."""

    score: torch.Tensor
    label: str = "cat"


def test_P03_drawn_after_backward_freed_the_buffers(tmp_path: Path) -> None:
    """A loss whose backward already ran is drawn; what it had saved says "freed"."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    loss = (y * x).sum()
    loss.backward()
    trace = whole(explorer.trace(loss))
    freed = [saved.state for node in trace.nodes for saved in node.saved]
    assert freed
    assert set(freed) == {"freed"}
    assert [node.autograd for node in trace.nodes if node.kind == "op"] == ["ExpBackward0", "MulBackward0", "SumBackward0"]
    explorer.export(trace, tmp_path / "drawn.dot")
    assert "exp" in (tmp_path / "drawn.dot").read_text(encoding="utf-8").lower()


def test_P03_recorded_buffers_are_freed_too() -> None:
    """After a recorded backward the saved tensors are "freed"; with `retain_graph=True` they are "kept"."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for retain, expected in ((False, "freed"), (True, "kept")):
        with explorer.record() as recording:
            x.exp().sum().backward(retain_graph=retain)
        (saved,) = op(whole(recording.trace), "exp").saved
        assert (saved.name, saved.state, saved.bytes) == ("result", expected, 8)


def test_P04_user_code_runs_once(tmp_path: Path) -> None:
    """Tracing a callable, reading its trace and drawing it run the callable once and its checkpoint twice, as torch does."""
    calls = {"program": 0, "block": 0}

    def block(value: torch.Tensor) -> torch.Tensor:
        calls["block"] += 1
        return value.sin().exp()

    def program() -> torch.Tensor:
        calls["program"] += 1
        x = torch.tensor([0.5, 1.0], requires_grad=True)
        return checkpoint(block, x, use_reentrant=False).sum()

    trace = whole(explorer.trace(program))
    explorer.export(trace, tmp_path / "a.dot")
    explorer.export(trace, tmp_path / "a.json")
    assert calls == {"program": 1, "block": 2}


def test_P05_leaf_saved_self_and_saved_other() -> None:
    """In `a*a` the leaf, the saved self and the saved other are three things that share one storage, which is said."""
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with explorer.record() as recording:
        b = a * a
        b.sum().backward(retain_graph=True)
    trace = whole(recording.trace)
    leaf, product = named(trace, "a"), named(trace, "b")
    assert leaf.kind == "input"
    assert leaf.saved == ()
    assert sorted(saved.name for saved in product.saved) == ["other", "self"]
    assert [(saved.shape, saved.dtype, saved.bytes, saved.state, saved.shared_with) for saved in product.saved] == [
        ((3,), "float32", 12, "kept", leaf.id)
    ] * 2


def test_P05_shared_storage_is_counted_once() -> None:
    """A storage that several nodes save points to the node it belongs to, so that a sum over those not shared counts it once."""
    x = torch.ones(4, requires_grad=True)
    with explorer.record() as recording:
        y = x.exp()
        z = (y * y).sum() + (y * 2).sum() + y.square().sum()
        z.backward(retain_graph=True)
    trace = whole(recording.trace)
    y_node = named(trace, "y")
    of_y = [kept for node in trace.nodes for kept in node.saved if kept.shape == (4,)]
    assert len(of_y) == 4
    assert {(kept.shared_with, kept.bytes) for kept in of_y} == {(y_node.id, 16)}
    of_two = [kept for node in trace.nodes for kept in node.saved if kept.shape == ()]
    assert {kept.shared_with for kept in of_two} <= {None}  # the number 2 lies in nobody's storage


NESTS: dict[str, Callable[[torch.Tensor], object]] = {
    "tensor": lambda y: y,
    "tuple": lambda y: (y, 3),
    "list": lambda y: [torch.ones(2), y],
    "dict with loss": lambda y: {"logits": torch.ones(2), "loss": y},
    "nested": lambda y: {"a": [{"b": (y,)}]},
    "dataclass": lambda y: Answer(score=y),
}


@pytest.mark.parametrize("nest", NESTS)
def test_P06_outputs_in_any_nest(nest: str) -> None:
    """A loss inside a list, dict, tuple or dataclass is found and backward starts at it."""

    def program() -> object:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        return NESTS[nest]((w * w).sum())

    trace = whole(explorer.trace(program))
    assert trace.loss == 5.0
    same(named(trace, "w").gradients[0], torch.tensor([2.0, 4.0]))
    (end,) = [node for node in trace.nodes if any(node.seeds)]
    assert end.op == "sum"
    assert end.seeds[0].item == 1.0


def test_P06_the_loss_among_other_outputs() -> None:
    """With a `loss` attribute beside differentiable logits, backward starts at the loss alone."""

    @dataclasses.dataclass
    class Output:
        logits: torch.Tensor
        loss: torch.Tensor

    def program() -> Output:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        logits = w * 3
        return Output(logits=logits, loss=logits.sum())

    trace = whole(explorer.trace(program))
    assert trace.loss == 9.0
    same(named(trace, "w").gradients[0], torch.full((2,), 3.0))


def test_P06_an_output_that_is_no_scalar() -> None:
    """Without a scalar, backward starts with ones, and the finding `non_scalar_loss` says so."""

    def program() -> torch.Tensor:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        return w * 3

    trace = whole(explorer.trace(program))
    same(op(trace, "mul").seeds[0], torch.ones(2))
    same(named(trace, "w").gradients[0], torch.full((2,), 3.0))
    assert "non_scalar_loss" in {finding.kind for finding in trace.findings}


def test_P07_output_that_needs_no_gradient(tmp_path: Path) -> None:
    """An output without any graph gives the forward record and a sentence that says why; never an empty picture."""

    def program() -> torch.Tensor:
        x = torch.tensor([1.0, 2.0])
        y = x * 2
        return y.sum()

    trace = whole(explorer.trace(program))
    assert [node.op for node in trace.nodes if node.kind == "op"][-2:] == ["mul", "sum"]
    assert trace.backward == ()
    assert all(node.gradients == (None,) for node in trace.nodes)
    (finding,) = [f for f in trace.findings if f.kind == "no_graph"]
    assert finding.severity == "error"
    assert finding.message["en"]
    assert finding.message["ko"]
    assert finding.remedy["en"]
    explorer.export(trace, tmp_path / "a.dot")
    assert "mul" in (tmp_path / "a.dot").read_text(encoding="utf-8")


def test_P07_output_under_no_grad() -> None:
    """The reason on every node of a forward under `no_grad` is "no_grad"; the finding is still `no_graph`."""

    def program() -> torch.Tensor:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        with torch.no_grad():
            return (w * 2).sum()

    trace = whole(explorer.trace(program))
    assert {node.reason for node in trace.nodes if node.kind == "op" and node.op != "lift_fresh"} == {"no_grad"}
    assert "no_graph" in {finding.kind for finding in trace.findings}


def test_P08_a_module_attribute_named_modules() -> None:
    """A model that keeps `self.modules = [...]`, hiding `nn.Module.modules`, is traced."""

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.modules = [nn.Linear(2, 3), nn.Linear(3, 1)]
            self.parameters = "mine"
            self.last = nn.Linear(1, 1)

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            for module in self.modules:
                value = module(value)
            return self.last(value)

    model = Hidden()
    with explorer.record() as recording:
        loss = model(torch.ones(1, 2)).sum()
        loss.backward()
    trace = whole(recording.trace)
    parameters = [node for node in trace.nodes if node.kind == "parameter"]
    assert len(parameters) == 6
    assert all(node.status == "executed" for node in parameters)
    assert {"last.weight", "last.bias"} <= {name for node in parameters for name in node.names} or any(
        name.endswith("last.weight") for node in parameters for name in node.names
    )
    assert callable(nn.Module.modules)
    assert model.parameters == "mine"


def test_P08_autograd_grad_inside_forward() -> None:
    """A forward that calls `autograd.grad` itself is a pass of its own; the later backward goes through both."""

    class Force(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.k = nn.Parameter(torch.tensor(3.0))

        def forward(self, position: torch.Tensor) -> torch.Tensor:
            energy = self.k * position**2
            (slope,) = torch.autograd.grad(energy.sum(), position, create_graph=True)
            return -slope

    model, position = Force(), torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        force = model(position)
        force.sum().backward()
    inner, outer = map(whole, recording.traces)
    assert (inner.number, outer.number) == (1, 2)
    (k,) = [node for node in outer.nodes if node.kind == "parameter"]
    assert k.gradients[0].item == model.k.grad.item() == -6.0
    same(named(outer, "position").gradients[0], position.grad)
    assert model.k.grad is not None
    assert [n.accumulated for n in inner.nodes if n.kind == "parameter" and n.status == "executed"] == []


def test_P09_the_same_module_twice_gives_the_same_trace(tmp_path: Path, document: Document) -> None:
    """Two recordings of one model and input are equal in JSON, times aside, and byte for byte in DOT."""
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(2, 3)
    texts, documents = [], []
    for run in range(2):
        model.zero_grad()
        with explorer.record(title="twice") as recording:
            loss = model(x).square().mean()
            loss.backward()
        trace = whole(recording.trace)
        explorer.export(trace, tmp_path / f"{run}.dot")
        texts.append((tmp_path / f"{run}.dot").read_bytes())
        documents.append(document(trace))
        for node in documents[-1]["nodes"]:
            assert node.pop("time_us") is not None
    assert texts[0] == texts[1]
    assert documents[0] == documents[1]


def test_P10_torch_is_not_patched_in_this_thread_or_another() -> None:
    """During a recording another thread sees an ordinary torch, and afterwards so does this one (the guard looks)."""
    seen: list[tuple[int, int, str]] = []
    functions = (id(torch.relu), id(torch.Tensor.__add__))

    def other() -> None:
        from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

        y = torch.ones(2, requires_grad=True) * 2
        seen.append((id(torch.relu), id(torch.Tensor.__add__), y.grad_fn.name()))
        assert _get_current_dispatch_mode_stack() == []

    with explorer.record() as recording:
        x = torch.ones(2, requires_grad=True)
        loss = (x * 3).sum()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        loss.backward()
    whole(recording.trace)
    assert seen == [(*functions, "MulBackward0")]
    assert (id(torch.relu), id(torch.Tensor.__add__)) == functions


@pytest.mark.slow
def test_P11_no_system_dot(tmp_path: Path) -> None:
    """With an empty PATH a program is traced and drawn as SVG, PNG and PDF."""
    program = textwrap.dedent("""
        import torch, explorer
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        with explorer.record() as recording:
            (x * x).sum().backward()
        for suffix in ("svg", "png", "pdf"):
            explorer.export(recording.trace, "picture." + suffix)
    """)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    root = Path(explorer.__file__).parent.parent
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "PATH": str(empty), "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    starts = {suffix: (tmp_path / f"picture.{suffix}").read_bytes()[:1000] for suffix in ("svg", "png", "pdf")}
    assert b"<svg" in starts["svg"]
    assert starts["png"].startswith(b"\x89PNG")
    assert starts["pdf"].startswith(b"%PDF")
