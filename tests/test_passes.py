"""Which backward a check is about, where `autograd.grad` is called on the way to the loss, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import explorer
from explorer.capture.run import run_target
from tests.verifying import checked, checks

pytestmark = pytest.mark.torch


def network() -> tuple[nn.Sequential, Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)), torch.linspace(0, 1, 5)[:, None].requires_grad_()


def residual() -> Tensor:
    """The residual of u'' + u = 0."""
    model, x = network()
    u = model(x)
    (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    return (second + u).pow(2).mean()


def penalty() -> Tensor:
    """A penalty on the length of a gradient."""
    model, x = network()
    (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    return model(x.detach()).mean() + (slope.norm(dim=1) - 1).pow(2).mean()


def functional() -> Tensor:
    """The same by torch.func."""
    model, x = network()
    slopes = torch.func.vmap(torch.func.grad(lambda value: model(value).squeeze()))(x.detach())
    return (slopes + 1).pow(2).mean()


def attacked() -> Tensor:
    """The gradient of one graph, which is gone, is an input of another."""
    model, x = network()
    (slope,) = torch.autograd.grad(model(x).sum(), x)
    return model((x + 0.1 * slope.sign()).detach()).pow(2).mean()


def by_hand() -> None:
    """A program that calls backward itself."""
    residual().backward()


@pytest.mark.parametrize("program", [residual, penalty, functional, attacked, by_hand])
def test_the_backward_of_the_loss_is_checked(program: Callable[[], Tensor]) -> None:
    """Every parameter has a gradient, as in plain torch, and agrees; what `autograd.grad` did before is a pass that came before."""
    found = explorer.check(program)
    assert found.trace.number == found.trace.passes > 1
    names = {check.name: check.verdict for check in checks(found.trace).gradients if check.name is not None and check.name[0] in "02"}
    assert set(names) >= {"0.weight", "0.bias", "2.weight"}
    assert set(names.values()) <= {"equal", "close"}
    assert found.passed
    assert f"(pass {found.trace.number})" in found.text()
    assert [finding.kind for finding in found.trace.findings if finding.kind != "detached" and finding.severity != "info"] == []


def test_a_chosen_pass_is_the_one_that_is_checked() -> None:
    """Who asks for a pass by its number gets that one; a trace begins with the first, as it always does."""
    assert explorer.check(residual, wanted=1).trace.number == 1
    assert explorer.check(residual, wanted=2).trace.number == 2
    assert explorer.trace(residual).number == 1
    assert explorer.trace(residual, wanted=3).loss == pytest.approx(residual().item())


def test_the_same_from_a_file(tmp_path: Path) -> None:
    """The child process does not end before the backward of what the callable returns."""
    path = tmp_path / "physics.py"
    path.write_text(
        "import torch\n"
        "def loss():\n"
        "    w = torch.tensor([1.0, 2.0], requires_grad=True)\n"
        "    g, = torch.autograd.grad((w ** 3).sum(), w, create_graph=True)\n"
        "    h, = torch.autograd.grad(g.sum(), w, create_graph=True)\n"
        "    return (g * h).sum()\n"
    )
    found = explorer.check(f"{path}:loss")
    assert (found.trace.number, found.passed) == (3, True)
    (check,) = (check for check in checks(found.trace).gradients if check.name == "w")
    assert check.autograd == pytest.approx((54.0, 216.0))
    (trace,) = run_target(f"{path}:loss", wanted=3).traces
    assert trace.loss == pytest.approx(18.0 + 144.0)


def taken_itself() -> Tensor:
    """The gradient of the very loss that it returns."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (w**2).sum()
    torch.autograd.grad(loss, w, retain_graph=True)
    return loss


def used_up() -> Tensor:
    """The loss shares a graph with what was differentiated, and that is gone."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    shared = w.exp()
    torch.autograd.grad(shared.sum(), w)
    return (shared * 2).sum()


@pytest.mark.parametrize("program", [taken_itself, used_up])
def test_no_backward_is_added_where_none_is_left(program: Callable[[], Tensor]) -> None:
    """What the callable differentiated itself, or what has no graph any more, is left alone."""
    found = explorer.check(program)
    assert (found.trace.number, found.trace.passes, found.trace.partial) == (1, 1, False)
    assert found.passed


def test_gradients_of_gradients_agree() -> None:
    """A result that an op saved for its backward comes back as the value that it is, and not as a constant; a view can be a leaf."""

    def program() -> None:
        model, x = network()
        (slope,) = torch.autograd.grad(model(x).exp().sum(), x, create_graph=True)
        (slope.sigmoid() + model(x)).pow(2).mean().backward()

    trace = checked(program, wanted=2)
    verdicts = {check.name: (check.verdict, check.checked) for check in checks(trace).gradients if trace.nodes[check.node].is_leaf}
    assert {verdict for verdict, _ in verdicts.values()} <= {"equal", "close"}
    assert verdicts["x"][1] == 5
