"""Gradients against central differences over a replay: what agrees, what is wrong, what cannot be replayed and why."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.capture import numeric
from explorer.capture.differences import curve, derivative, verdict
from explorer.document import from_document, to_document
from explorer.model import GradientCheck, Trace
from tests.verifying import (
    PARTLY,
    WHOLE,
    Program,
    Tripled,
    batch_norm,
    bfloat16,
    checked,
    checks,
    cosine,
    double_backward,
    dropout,
    linear,
    lstm,
    wrong_function,
)

pytestmark = pytest.mark.torch


def leaves(trace: Trace) -> list[GradientCheck]:
    """The checks of leaves' gradients."""
    return [check for check in checks(trace).gradients if trace.nodes[check.node].is_leaf]


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which elements of leaves are checked does not depend on how busy the machine is; of intermediates there are too many."""
    monkeypatch.setattr(numeric, "BUDGET", math.inf)
    monkeypatch.setattr(numeric, "INNER_BUDGET", 0.5)


def leaf(trace: Trace) -> GradientCheck:
    """The check of the only one."""
    (check,) = leaves(trace)
    return check


@pytest.mark.parametrize("program", [*WHOLE, *PARTLY])
def test_every_leaf_agrees_with_differences(program: Program) -> None:
    """Dropout draws what it drew, a checkpoint and a change in place are replayed, an LSTM that has no double precision too."""
    trace = checked(program)
    with_gradient = [node.id for node in trace.nodes if node.is_leaf and node.gradients[0] is not None]
    assert [check.node for check in leaves(trace)] == with_gradient
    assert {check.verdict for check in leaves(trace)} <= {"equal", "close"}
    assert all(check.checked == min(8 if math.prod(check.shape) > 64 else 64, math.prod(check.shape)) for check in leaves(trace))
    assert not checks(trace).wrong
    assert from_document(to_document(trace)).checks == trace.checks


def test_the_second_derivative_agrees() -> None:
    """A backward through what backward made is replayed from the first forward on."""
    check = leaf(checked(double_backward, wanted=2))
    assert (check.verdict, check.checked) == ("equal", 3)


def test_a_wrong_backward_is_found() -> None:
    """Every gradient behind a wrong backward is wrong, and by how much is told; those before it are not."""
    trace = checked(wrong_function)
    found = {trace.nodes[check.node].op or "w": check for check in checks(trace).gradients}
    assert found["w"].verdict == found["sin"].verdict == "wrong"
    assert found["w"].max_rel_error == pytest.approx(1 / 3, rel=1e-6)
    assert found["mul"].verdict == "equal"
    assert {check.node for check in checks(trace).wrong} == {found["w"].node, found["sin"].node}


def test_values_stand_side_by_side() -> None:
    """Of small tensors all values are kept, autograd's and the differences, nested like the tensor; of large ones none."""
    w, v = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.ones(65, requires_grad=True)
    one, two = leaves(checked(lambda: (w.pow(3).sum() + v.exp().sum()).backward()))
    assert one.autograd == ((3.0, 12.0),)
    assert one.numeric[0] == pytest.approx((3.0, 12.0), rel=1e-7)
    assert one.shape == (1, 2)
    assert (two.autograd, two.numeric, two.checked, two.reason) == (None, None, 8, "sample")


def test_the_error_over_the_step_has_a_lowest_point() -> None:
    """With large steps truncation is in the way, with small ones rounding; in between the error is least."""
    w = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    points = leaf(checked(lambda: w.exp().sin().sum().backward())).curve
    errors = [point.error for point in points]
    assert [point.step for point in points] == [10.0**-power for power in range(1, 12)]
    best = errors.index(min(errors))
    assert 2 <= best <= 7
    assert errors[0] > 100 * errors[best]
    assert errors[-1] > 100 * errors[best]


def test_the_same_program_gives_the_same_checks() -> None:
    """The sample does not change from run to run."""
    assert checked(linear).checks == checked(linear).checks


@pytest.mark.parametrize(
    ("function", "at"),
    [(torch.relu, 0.0), (torch.abs, 0.0), (lambda x: torch.maximum(x, torch.tensor([2.0])), 2.0)],
    ids=["relu", "abs", "max"],
)
def test_a_kink_is_said_to_be_one(function: Any, at: float) -> None:
    """Where the slopes on both sides differ there is no derivative to compare with."""
    w = torch.tensor([at], requires_grad=True)
    check = leaf(checked(lambda: function(w).sum().backward()))
    assert (check.verdict, check.reason, check.numeric) == ("skipped", "kink", None)


def test_beside_a_kink_there_is_a_derivative() -> None:
    """A step that reaches over the kink does not deceive."""
    w = torch.tensor([1e-3, -1e-3, 2.0], requires_grad=True)
    assert leaf(checked(lambda: torch.relu(w).square().sum().backward())).verdict == "equal"


def test_wide_steps_that_agree_by_chance_do_not_deceive() -> None:
    """Between two bends that lie closer than the wide steps the slope is another: what speaks against a gradient is looked at again."""
    w = torch.zeros(3, requires_grad=True)
    check = leaf(checked(lambda: (0.99 * w + 0.01 * w.clamp(-1e-6, 1e-6)).sum().backward()))
    assert (check.verdict, check.checked) == ("equal", 3)
    assert check.numeric == pytest.approx((1.0, 1.0, 1.0))


def straight_through() -> None:
    w = torch.randn(3, requires_grad=True)
    (w + (w.round() - w).detach()).sum().backward()


def test_autograd_and_differences_mean_the_same_by_a_cut() -> None:
    """A straight-through estimator has the gradient that its cut asks for: what is detached is a constant to both."""
    assert leaf(checked(straight_through)).verdict == "equal"


def test_rounding_is_no_error() -> None:
    """A bias before a normalization has a gradient of zero, but for rounding; the sum of squares after one hardly any."""

    def program() -> None:
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.LayerNorm(8))
        model(torch.randn(16, 4)).square().sum().backward()

    assert not checks(checked(program)).wrong


def test_what_a_loss_cannot_show_is_not_called_wrong() -> None:
    """A vanished gradient moves the loss by less than its last digit: the differences are zero, and tell nothing. Others are judged."""

    def program() -> None:
        torch.manual_seed(0)
        layers = [module for _ in range(20) for module in (nn.Linear(16, 16), nn.Sigmoid())]
        nn.Sequential(*layers, nn.Linear(16, 1))(torch.randn(4, 16)).square().mean().backward()

    found = checks(checked(program)).gradients
    assert {check.verdict for check in found} == {"equal", "close", "skipped"}
    assert {check.reason for check in found if check.verdict == "skipped"} == {"unresolved"}
    assert len([check for check in found if check.verdict == "equal"]) >= 10


def test_a_hook_of_the_users_is_named() -> None:
    """A gradient that a hook changed is another than the derivative, and that is said of all behind it."""

    def halve(gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 0.5

    def program() -> None:
        w = torch.ones(3, requires_grad=True)
        h = w * 2
        h.register_hook(halve)
        h.exp().sum().backward()

    check = leaf(checked(program))
    assert (check.verdict, check.reason) == ("skipped", "hooks: halve")


def test_what_changes_unseen_is_said() -> None:
    """A change under no_grad of what depends on a leaf is seen by the program, and not by autograd: there is nothing to hold it against."""

    def program() -> None:
        w = torch.ones(3, requires_grad=True)
        h = w * 2
        with torch.no_grad():
            h.mul_(3)
        (h + 1).sum().backward()

    check = leaf(checked(program))
    assert (check.verdict, check.reason) == ("skipped", "changed_unseen")


def test_a_graph_from_before_is_said() -> None:
    """Of what was computed before the recording there is nothing to run again."""
    w = torch.ones(3, requires_grad=True)
    h = w * 2
    check = leaf(checked(lambda: h.exp().sum().backward()))
    assert check.verdict == "skipped"
    assert check.reason == "not_recorded"


def test_later_passes_are_checked_with_the_parameters_of_then() -> None:
    """In training the third pass is held against differences at the values that two updates left."""

    def program() -> None:
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(torch.ones(2, 3)), torch.zeros(2, 1)).backward()
            optimizer.step()

    trace = checked(program, wanted=3)
    assert {check.verdict for check in leaves(trace)} == {"equal"}


def test_the_graph_of_an_earlier_pass_is_replayed() -> None:
    """Backward twice over one graph: the second pass has no op of its own."""

    def program() -> None:
        w = torch.ones(3, requires_grad=True)
        loss = w.exp().sum()
        loss.backward(retain_graph=True)
        loss.backward()

    assert leaf(checked(program, wanted=2)).verdict == "equal"


def test_a_derivative_says_how_sure_it_is() -> None:
    """Smooth functions within their uncertainty; what is not finite on both sides, and kinks, are told apart."""
    for function, slope in ((math.sin, 1.0), (lambda x: math.expm1(3 * x), 3.0), (lambda x: 1e-9 * x + x**3, 1e-9)):
        found = derivative(function, scale=1.0, size=1.0, largest=0.0, enough=1e-9)
        assert found.reason is None
        assert abs(found.value - slope) <= max(2 * found.uncertainty, 1e-8)
    beside = derivative(lambda x: x + max(0.0, x - 3e-6), scale=1.0, size=1.0, largest=1.0, enough=1e-6)  # a bend near by is not here
    assert beside.reason is None
    assert beside.value == pytest.approx(1.0, abs=1e-6)
    assert derivative(abs, scale=1.0, size=1.0, largest=0.0, enough=1e-9).reason == "kink"
    assert derivative(lambda x: math.nan, scale=1.0, size=1.0, largest=0.0, enough=1e-9).reason == "not_finite"
    assert curve(lambda x: x, 1.0)[3].error < 1e-12


def test_verdicts_have_their_tolerances() -> None:
    """Equal within rounding, close within more, wrong beyond; where the difference cannot tell, it says so."""
    eps = torch.finfo(torch.float32).eps
    usual = {"largest": 1.0, "uncertainty": 0.0, "noise": 0.0, "floor": 0.0, "eps": eps}
    judge = lambda error, **more: verdict(error, **{**usual, **more})  # noqa: E731
    assert [judge(error) for error in (0.0, 9e-6, 1e-3, 1e-2)] == ["equal", "equal", "close", "wrong"]
    assert judge(1e-2, floor=2e-2) == "equal"
    assert judge(1e-2, uncertainty=1.0) == "unresolved"
    assert [judge(error, noise=2e-2) for error in (1e-3, 1e-2, 3e-2)] == ["close", "unresolved", "wrong"]
    assert judge(1e-6, eps=torch.finfo(torch.float64).eps) == "close"
    assert judge(1e-2, eps=torch.finfo(torch.bfloat16).eps) == "equal"


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a model of which a single difference takes seconds."""
    monkeypatch.setattr(numeric, "PATIENCE", 0.0)
    monkeypatch.setattr(numeric, "BUDGET", 0.0)


def weighed_transformer() -> None:
    """The sum of squares of what a LayerNorm gives hardly changes: all gradients before it are rounding, another on every processor."""
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    (model(torch.randn(2, 3, 8)) * torch.randn(2, 3, 8)).sum().backward()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("program", [linear, dropout, batch_norm, lstm, weighed_transformer, bfloat16, cosine])
def test_a_large_model_is_checked_together(program: Program) -> None:
    """One difference for elements of many tensors; all agree, and each says how many it was compared with."""
    found = leaves(checked(program))
    assert {check.verdict for check in found} <= {"equal", "close"}
    together = [check for check in found if (check.reason or "").startswith("together: ")]
    assert len(together) >= len(found) // 2
    assert all(check.checked == 1 and check.max_abs_error is None and check.max_rel_error is not None for check in together)


@pytest.mark.usefixtures("hurry")
def test_a_wrong_gradient_among_many_is_found() -> None:
    """Where a difference over many does not agree, each is looked at alone: the wrong ones are told, the others are not."""

    def program() -> None:
        first, second, third = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        third(torch.tanh(Tripled.apply(second(torch.tanh(first(torch.randn(5, 3))))))).sum().backward()

    verdicts = {check.name: check.verdict for check in leaves(checked(program))}
    assert verdicts == {
        "first.weight": "wrong",
        "first.bias": "wrong",
        "second.weight": "wrong",
        "second.bias": "wrong",
        "third.weight": "equal",
        "third.bias": "equal",
    }
