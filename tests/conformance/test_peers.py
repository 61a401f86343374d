"""What other tools get wrong: each of their users' complaints, met (P3-P11, P13, P15, P16)."""

from __future__ import annotations

import copy
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
import torch.nn.functional as F
from tests.conformance.reading import edge, edges_into, edges_out, named, op, ops, same, whole
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from explorer.model import Trace

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
    assert freed and set(freed) == {"freed"}
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
    assert leaf.kind == "input" and leaf.saved == ()
    assert [saved.name for saved in product.saved] == ["self", "other"]
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
    saved = [(node, kept) for node in trace.nodes for kept in node.saved]
    assert len(saved) >= 4
    assert {kept.shared_with for _, kept in saved} == {y_node.id}
    assert all(kept.bytes == 16 for _, kept in saved)


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
    assert end.op == "sum" and end.seeds[0].item == 1.0


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
    assert trace.backward == () and all(node.gradients == (None,) for node in trace.nodes)
    (finding,) = [f for f in trace.findings if f.kind == "no_graph"]
    assert finding.severity == "error" and finding.message["en"] and finding.message["ko"] and finding.remedy["en"]
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
    assert len(parameters) == 6 and all(node.status == "executed" for node in parameters)
    assert {"last.weight", "last.bias"} <= {name for node in parameters for name in node.names} or any(
        name.endswith("last.weight") for node in parameters for name in node.names
    )
    assert callable(nn.Module.modules) and model.parameters == "mine"


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
    assert model.k.grad is not None and [n.accumulated for n in inner.nodes if n.kind == "parameter" and n.status == "executed"] == []


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
    assert b"<svg" in starts["svg"] and starts["png"].startswith(b"\x89PNG") and starts["pdf"].startswith(b"%PDF")


def test_P13_before_backward_nothing_is_computed(document: Document) -> None:
    """A loss before its backward: gradients are absent everywhere, never zero, and nobody ran backward for it."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = w * 3
    loss = y.sum()
    trace = whole(explorer.trace(loss))
    assert trace.number == 0 and trace.backward == ()
    assert all(gradient is None for node in trace.nodes for gradient in (*node.gradients, *node.seeds))
    assert all(link.gradient is None for link in trace.edges)
    assert {node.status for node in trace.nodes} <= {"not executed", "no gradient"}
    assert w.grad is None
    loss.backward()
    same_numbers = document(trace)
    assert all(gradient is None for node in same_numbers["nodes"] for gradient in node["gradients"])


def test_P13_a_recording_without_backward() -> None:
    """A recording in which nobody called backward has the forward record, pass 0 of 0, and no gradients."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        y = w * 3
    trace = whole(recording.trace)
    assert (trace.number, trace.passes) == (0, 0)
    same(named(trace, "y").outputs[0], y)
    assert named(trace, "y").status == "not executed" and named(trace, "y").gradients == (None,)


def state_of(model: nn.Module) -> dict[str, object]:
    """Everything of a model that a tracer might write on."""
    things: dict[str, object] = {}
    for path, module in model.named_modules():
        things[path] = (
            module.training,
            sorted(module.__dict__),
            {name: len(value) for name, value in module.__dict__.items() if name.endswith("_hooks")},
            sorted(module._parameters),
            sorted(module._buffers),
        )
    for path, parameter in model.named_parameters():
        hooks = len(parameter._backward_hooks or ()), len(getattr(parameter, "_post_accumulate_grad_hooks", None) or ())
        things["p " + path] = (parameter.requires_grad, parameter.is_leaf, parameter.retains_grad, sorted(vars(parameter)), hooks)
    return things


def test_P15_the_users_state_is_as_without_us() -> None:
    """requires_grad, .grad, modes, buffers, random state, hooks and attributes are as after an unrecorded run."""

    def build() -> nn.Sequential:
        torch.manual_seed(5)
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        model[3].requires_grad_(False)
        model[1].eval()
        model[0].note = "mine"
        model[5].register_forward_hook(lambda module, inputs, output: None)
        model[5].weight.grad = torch.ones(2, 4)
        return model

    def step(model: nn.Sequential) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(6, 3)
        hidden = model(x)
        loss = F.mse_loss(hidden, torch.zeros(6, 2))
        loss.backward()
        assert hidden.grad_fn is not None and not hidden.retains_grad and vars(hidden) == {} and not hidden._backward_hooks
        return loss.detach(), torch.rand(3)

    plain_model, model = build(), build()
    before = state_of(model)
    torch.manual_seed(6)
    plain = step(plain_model)
    torch.manual_seed(6)
    with explorer.record() as recording:
        watched = step(model)
    whole(recording.trace)
    assert state_of(model) == before == state_of(plain_model)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(plain_model.state_dict().values(), model.state_dict().values(), strict=True))
    for a, b in zip(plain_model.parameters(), model.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or (torch.equal(a.grad, b.grad) and a.grad.stride() == b.grad.stride())
    copy.deepcopy(model)


def test_P15_frozen_parameters_say_so() -> None:
    """A frozen parameter is shown with its name and without gradient; nothing makes it learn."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    with explorer.record() as recording:
        model(torch.ones(1, 2)).sum().backward()
    trace = whole(recording.trace)
    frozen = named(trace, "0.weight")
    assert (frozen.kind, frozen.status, frozen.gradients) == ("parameter", "no gradient", (None,))
    assert all(not link.differentiable for link in edges_out(trace, frozen))
    assert named(trace, "1.weight").status == "executed"


def test_P16_plain_tensor_program() -> None:
    """A tutorial's lines without any module: every variable is named, every number is that of the chain rule."""
    with explorer.record() as recording:
        x1, x2 = torch.tensor(2.0), torch.tensor(0.0)
        w1, w2 = torch.tensor(-3.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
        b = torch.tensor(6.8813735870195432, requires_grad=True)
        x1w1, x2w2 = x1 * w1, x2 * w2
        x1w1x2w2 = x1w1 + x2w2
        n = x1w1x2w2 + b
        o = torch.tanh(n)
        o.backward()
    trace = whole(recording.trace)
    assert trace.modules == () and {node.module for node in trace.nodes} == {""}
    assert trace.loss == o.item()
    expected = {"w1": 1.0, "w2": 0.0, "b": 0.5, "n": 0.5, "x1w1": 0.5, "x2w2": 0.5, "x1w1x2w2": 0.5, "o": 1.0}
    for name, gradient in expected.items():
        assert named(trace, name).gradients[0].item == pytest.approx(gradient, abs=1e-6), name
    assert [named(trace, name).kind for name in ("w1", "b", "x1", "n")] == ["input", "input", "constant", "op"]
    assert [node.name for node in trace.nodes if node.kind == "op" and node.op != "lift_fresh"] == ["x1w1", "x2w2", "x1w1x2w2", "n", "o"]
    assert [e.input for e in edges_into(trace, named(trace, "x1w1"))] == [0, 1]
    assert not edge(trace, named(trace, "x1"), named(trace, "x1w1")).differentiable
    assert [trace.nodes[i].name for i in trace.backward[:3]] == ["o", "n", "b"] or trace.backward[0] == named(trace, "o").id
    assert len(ops(trace, "tanh")) == 1
