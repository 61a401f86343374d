"""Verification where it is easily wrong: leaves that backward starts at, gradients that never came, matrices held symmetric, hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import explorer
from explorer.report import Checked
from tests.verifying import Program, checked, checks

pytestmark = pytest.mark.torch


def leaf_alone() -> None:
    torch.tensor(1.0, requires_grad=True).backward()


def new_leaf() -> None:
    model = nn.Linear(3, 1)
    loss = torch.tensor(model(torch.randn(4, 3)).mean().item(), requires_grad=True)
    loss.backward()


def leaf_beside() -> None:
    w, b = torch.randn(3, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    torch.autograd.backward([(w * w).sum(), b])


def leaf_used() -> None:
    b = torch.tensor(0.5, requires_grad=True)
    torch.autograd.backward([b * 3, b])


@pytest.mark.parametrize("program", [leaf_alone, new_leaf, leaf_beside, leaf_used])
def test_backward_from_a_leaf(program: Program) -> None:
    """A leaf that backward starts at has its seed for a gradient, beside what flows to it."""
    found = checks(checked(program)).gradients
    assert {check.verdict for check in found} == {"equal"}


class Forgetful(torch.autograd.Function):
    """Gives no gradient for its second input, which its result depends on."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(w)
        return x * w

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient * ctx.saved_tensors[0], None


class Indifferent(torch.autograd.Function):
    """Gives no gradient for an input that its result does not depend on."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient * 2, None


def through(function: Any) -> Callable[[], Tensor]:
    def program() -> Tensor:
        torch.manual_seed(0)
        x, w = torch.randn(4, requires_grad=True), torch.randn(4, requires_grad=True)
        return function.apply(x, w.sin()).sum()

    return program


def test_a_gradient_that_never_came_is_wrong() -> None:
    """Where the loss depends on a leaf and a custom Function gave None for it, the verdict says so; no zeros are made up."""
    found = explorer.check(through(Forgetful))
    wrong = {check.name: check for check in checks(found.trace).gradients if check.verdict == "wrong"}
    assert set(wrong) == {"w"}
    assert (wrong["w"].autograd, wrong["w"].reason, wrong["w"].checked) == (None, "none_came", 4)
    assert not found.passed
    assert any("w" in fault for fault in found.faults())
    assert "None" in found.text()


def test_a_gradient_that_need_not_come_is_not_told() -> None:
    """Where the loss does not depend on the leaf, None is right."""
    found = explorer.check(through(Indifferent))
    assert found.passed
    assert {check.name for check in checks(found.trace).gradients if found.trace.nodes[check.node].is_leaf} == {"x"}


def symmetric(count: int = 4) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    leaf = torch.randn(count, count, requires_grad=True)
    return leaf, leaf @ leaf.T + count * torch.eye(count)


def cholesky() -> Tensor:
    return torch.linalg.cholesky(symmetric()[1]).sum()


def solved() -> Tensor:
    return torch.cholesky_solve(torch.randn(4, 1), torch.linalg.cholesky(symmetric()[1])).pow(2).sum()


def solved_above() -> Tensor:
    return torch.cholesky_solve(torch.randn(4, 2), torch.linalg.cholesky(symmetric()[1], upper=True), upper=True).pow(2).sum()


def inverted() -> Tensor:
    return (torch.cholesky_inverse(torch.linalg.cholesky(symmetric()[1])) * torch.randn(4, 4)).sum()


def eigenvalues() -> Tensor:
    return torch.linalg.eigvalsh(symmetric()[1]).max()


def eigenvectors() -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric()[1])
    return (values * vectors[0].abs()).sum()


def normal() -> Tensor:
    _, covariance = symmetric(3)
    return -torch.distributions.MultivariateNormal(torch.zeros(3), covariance).log_prob(torch.randn(5, 3)).mean()


def hermitian() -> Tensor:
    leaf = torch.randn(3, 3, dtype=torch.complex64, requires_grad=True)
    values, vectors = torch.linalg.eigh(leaf @ leaf.mH + 3 * torch.eye(3))
    return (values * vectors[0].abs() ** 2).sum()


def symmetric_leaf() -> Tensor:
    return torch.linalg.cholesky((2 * torch.eye(3) + 0.3).requires_grad_()).sum()


@pytest.mark.parametrize(
    "program", [cholesky, solved, solved_above, inverted, eigenvalues, eigenvectors, normal, hermitian, symmetric_leaf]
)
def test_ops_that_read_one_triangle(program: Callable[[], Tensor]) -> None:
    """torch's gradient is that of the whole matrix, in the matrix, in what it was made of and in what is made of it."""
    found = explorer.check(program)
    assert [check for check in checks(found.trace).gradients if check.verdict not in ("equal", "close")] == []


def clipped() -> None:
    model = nn.Linear(3, 1)
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(lambda leaf: nn.utils.clip_grad_value_(leaf, 1e-3))
    model(torch.randn(4, 3)).pow(2).mean().backward()


def test_a_hook_after_accumulation_does_not_spoil_what_came() -> None:
    """A hook that clips `.grad` in place, or an optimizer within backward: what flowed in is what is compared."""
    found = checks(checked(clipped)).gradients
    assert {check.verdict for check in found} <= {"equal", "close"}
    assert max(abs(value) for check in found for value in torch.tensor(check.autograd).reshape(-1).tolist()) > 1e-3


def test_results_that_autograd_does_not_follow() -> None:
    """The outputs of the node of an LU are L and U; P, which comes first, is none of them."""

    def program() -> Tensor:
        _, lower, upper = torch.linalg.lu(torch.randn(4, 4, requires_grad=True))
        return lower.pow(2).sum() + upper.exp().sum()

    found = explorer.check(program)
    lu = next(node.id for node in found.trace.nodes if node.op == "linalg_lu")
    assert {check.output: check.verdict for check in checks(found.trace).gradients if check.node == lu} == {1: "equal", 2: "equal"}


class Doubled(torch.autograd.Function):
    """Its backward is twice what it should be."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient * 2


class Halved(Doubled):
    """And this one half of it."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient / 2


def test_a_wrong_intermediate_is_named() -> None:
    """Where every leaf is right after all, what decides about the outcome stands in the report, the document and the faults."""

    def program() -> Tensor:
        first = Halved.apply(torch.ones(3, requires_grad=True).sin())
        between = first * 3
        return Doubled.apply(between).sum()

    found: Checked = explorer.check(program)
    nodes = found.trace.nodes
    wrong = [check for check in checks(found.trace).gradients if check.verdict == "wrong"]
    assert wrong
    assert not any(nodes[check.node].is_leaf for check in wrong)
    assert [entry["name"] for entry in found.document()["gradients"] if entry["verdict"] == "wrong"] == [check.name for check in wrong]
    assert found.text().count("WRONG") == len(wrong)
    assert any("between" in fault for fault in found.faults())
