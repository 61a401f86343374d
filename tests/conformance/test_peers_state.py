"""What other tools get wrong with state and plain programs (P13, P15, P16)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import explorer
from explorer.model import Trace
from tests.conformance.reading import edge, edges_into, edges_out, named, ops, same, whole

Document = Callable[[Trace], dict[str, Any]]


def test_P13_before_backward_nothing_is_computed(document: Document) -> None:
    """A loss before its backward: gradients are absent everywhere, never zero, and nobody ran backward for it."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = w * 3
    loss = y.sum()
    trace = whole(explorer.trace(loss))
    assert trace.number == 0
    assert trace.backward == ()
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
    assert named(trace, "y").status == "not executed"
    assert named(trace, "y").gradients == (None,)


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
        assert hidden.grad_fn is not None
        assert not hidden.retains_grad
        assert vars(hidden) == {}
        assert not hidden._backward_hooks
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


def test_P15_storages_stay_resizable() -> None:
    """Being noted takes nothing away from a tensor: its storage can be resized afterwards, as FSDP2 and `resize_` do."""
    x = torch.ones(3, requires_grad=True)
    with explorer.record() as recording:
        y = x * 2
        y.sum().backward()
        assert y.untyped_storage().resizable()
    whole(recording.trace)
    assert x.untyped_storage().resizable()
    assert y.untyped_storage().resizable()
    assert x.grad is not None and x.grad.untyped_storage().resizable()


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
    assert trace.modules == ()
    assert {node.module for node in trace.nodes} == {""}
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
