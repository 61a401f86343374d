"""Verification of nodes: each is run again alone and agrees, what is wrong is told, and nothing of the user's is touched."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

from explorer.capture import numeric
from explorer.capture.recorder import Recorder
from explorer.document import from_document, to_document
from tests.user_state import user_state
from tests.verifying import PARTLY, WHOLE, Program, checked, checkpointed, checkpointed_reentrant, checks, double_backward, node_checks

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about nodes: of differences of intermediates only as many as half a second allows."""
    monkeypatch.setattr(numeric, "INNER_BUDGET", 0.5)


@pytest.mark.parametrize("program", WHOLE)
def test_every_node_agrees_with_itself(program: Program) -> None:
    """Each executed node has a check, and what it gives alone is what flowed out of it."""
    trace = checked(program)
    assert [check.node for check in checks(trace).nodes] == sorted(trace.backward)
    assert {check.verdict for check in checks(trace).nodes} <= {"equal", "close"}
    assert from_document(to_document(trace)).checks == trace.checks


def test_the_second_backward_is_checked_too() -> None:
    """The pass through a graph that backward made is verified like any other."""
    trace = checked(double_backward, wanted=2)
    assert len(trace.backward) > 3
    assert {check.verdict for check in checks(trace).nodes} == {"equal"}


def test_what_cannot_be_run_again_is_listed() -> None:
    """A checkpoint unpacks what it recomputed once only; a reentrant one runs a backward that adds to .grad. Both are named."""
    assert node_checks(checked(checkpointed))["TanhBackward0"].reason == "packed"
    assert node_checks(checked(checkpointed_reentrant))["CheckpointFunctionBackward"].reason == "runs_backward"
    for program in PARTLY:
        trace = checked(program)
        assert [check.node for check in checks(trace).nodes] == sorted(trace.backward)
        assert all((check.verdict == "skipped") == (check.reason is not None) for check in checks(trace).nodes)


class Fickle(torch.autograd.Function):
    """Its backward gives something else each time it is called."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, number: int) -> torch.Tensor:
        return x * number

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        Fickle.calls += 1
        return gradient * Fickle.calls, None


def test_a_node_that_gives_something_else_is_wrong() -> None:
    """The verdict can be `wrong`, and the largest difference is told."""
    Fickle.calls = 0
    check = node_checks(checked(lambda: Fickle.apply(torch.ones(3, requires_grad=True), 2).sum().backward()))["FickleBackward"]
    assert (check.verdict, check.max_abs_error) == ("wrong", 1.0)


class Rough(torch.autograd.Function):
    """Draws random numbers in its backward, changes what it is given, and has no gradient for one of its outputs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.save_for_backward(x)
        return x * x, x + 1

    @staticmethod
    def backward(ctx: Any, one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return one.mul_(2 * x) + two * torch.rand(3) * random.random()


class Opinionated(torch.autograd.Function):
    """Wants to be told by None that an output had no gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx: Any, one: torch.Tensor | None, two: torch.Tensor | None) -> torch.Tensor | None:
        return one if two is None else two


@pytest.mark.parametrize("function", [Rough, Opinionated])
@pytest.mark.parametrize("output", [0, 1])
def test_functions_of_every_habit_agree(function: Any, output: int) -> None:
    """The second call of the user's backward sees the same: values, random numbers, zeros or None."""
    trace = checked(lambda: function.apply(torch.randn(3, requires_grad=True).exp())[output].square().sum().backward())
    assert {check.verdict for check in checks(trace).nodes} == {"equal"}


class Hoarder(torch.autograd.Function):
    """Uses up what it keeps."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.kept = x.clone()
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        ctx.kept.add_(1)
        return gradient * 2


def test_a_function_that_changes_what_it_keeps_is_not_called_again() -> None:
    """It would change it a second time; that is said instead."""
    context: list[Any] = []

    def program() -> None:
        y = Hoarder.apply(torch.zeros(3, requires_grad=True))
        context.append(y.grad_fn)
        y.sum().backward()

    check = node_checks(checked(program))["HoarderBackward"]
    assert (check.verdict, check.reason) == ("skipped", "changes_saved")
    assert context[0].kept.tolist() == [1.0, 1.0, 1.0]


def test_hooks_of_the_users_are_no_error() -> None:
    """A hook that changes what flows out, or `.grad`, makes a difference that is not the node's."""

    def program() -> None:
        w = torch.ones(3, requires_grad=True)
        w.register_post_accumulate_grad_hook(lambda leaf: leaf.grad.mul_(2).numel() and None)
        h = w * 2
        h.register_hook(lambda gradient: gradient * 0.5)
        h.grad_fn.register_hook(lambda sent, received: (sent[0] * 3, None))
        h.sum().backward()

    found = node_checks(checked(program))
    assert (found["MulBackward0"].reason, found["AccumulateGrad"].reason) == ("hooks", "hooks")
    assert found["SumBackward0"].verdict == "equal"


def _trained(record: bool) -> dict[str, Any]:
    """The state of everything of the user's after two steps of training, watched and verified or not."""
    torch.manual_seed(3)
    random.seed(3)
    model = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.LSTM(12, 4))
    optimizer = torch.optim.Adam(model.parameters())
    x = torch.randn(4, 2, 6)

    def train() -> None:
        for _ in range(2):  # without zero_grad: the second pass adds to .grad
            one, two = Rough.apply(model(x)[0][:, :3].sum(0))
            (one * two).square().sum().backward()
            optimizer.step()

    if record:
        with Recorder(wanted="all", check=True):
            train()
    else:
        train()
    return user_state(model, optimizer=optimizer)


def test_nothing_of_the_users_is_touched() -> None:
    """Values, .grad, buffers, the optimizer's state and random numbers are bit for bit those of a run without us."""
    assert _trained(record=True) == _trained(record=False)


def test_T12_verification_leaves_grad_alone() -> None:
    """`.grad` is what one backward makes of it; the memory that flowed in is taken over as it is without us."""

    def grads(check: bool) -> list[Any]:
        w = torch.tensor([0.1, 0.2], requires_grad=True)
        w.grad = torch.tensor([0.3, 0.3])
        kept = w.grad
        recorder = Recorder(check=check)
        with recorder:
            (w * w).exp().sum().backward()
        assert w.grad is kept
        return [w.grad.numpy().tobytes(), w.grad._version]

    assert grads(check=True) == grads(check=False)


def test_without_verification_nothing_is_said() -> None:
    """A recording that was not asked to verify has no checks, and calls no backward twice."""
    Fickle.calls = 0
    recorder = Recorder()
    with recorder:
        Fickle.apply(torch.ones(3, requires_grad=True), 2).sum().backward()
    assert recorder.traces()[0].checks is None
    assert Fickle.calls == 1
