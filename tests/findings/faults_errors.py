"""Programs that torch refuses to run, or whose backward it refuses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault


@fault("freed_graph", severity="error", number=2)
def backward_twice() -> Any:
    w = torch.randn(3, requires_grad=True)
    loss = (w.exp() * 2).sum()
    loss.backward()
    loss.backward()  # <- backward_twice


@fault("freed_graph", severity="error", number=2)
def hidden_state_carried_on() -> Any:
    cell, hidden = nn.RNNCell(3, 4), torch.zeros(2, 4)
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        hidden = cell(torch.randn(2, 3), hidden)
        hidden.square().mean().backward()  # <- hidden_state_carried_on
        optimizer.step()


@fault("freed_graph", severity="error", number=2)
def two_losses_over_one_trunk() -> Any:
    trunk, one, two = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)
    shared = torch.sigmoid(trunk(torch.randn(8, 4)))
    one(shared).mean().backward()
    two(shared).mean().backward()  # <- two_losses_over_one_trunk


@fault("stale_saved_tensor", severity="error")
def added_in_place() -> Any:
    a = torch.randn(3, requires_grad=True)
    b = a.exp()
    b.add_(1)  # <- added_in_place
    return b.sum()


@fault("stale_saved_tensor", severity="error")
def masked_in_place() -> Any:
    layer = nn.Linear(3, 3)
    hidden = torch.sigmoid(layer(torch.randn(2, 3)))
    hidden[0] = 0.0  # <- masked_in_place
    return hidden.sum()


@fault("user_error", severity="error", says="leaf")
def leaf_in_place() -> Any:
    w = torch.randn(3, requires_grad=True)
    w += 1  # <- leaf_in_place
    return w.sum()


@fault("user_error", severity="error", says="leaf")
def view_of_a_leaf_in_place() -> Any:
    w = torch.randn(3, 3, requires_grad=True)
    w[0].mul_(2)  # <- view_of_a_leaf_in_place
    return w.sum()


@fault("user_error", severity="error", says="requires_grad")
def nothing_requires_grad() -> Any:
    x, w = torch.randn(4), torch.randn(4)
    loss = (x * w).sum()
    loss.backward()  # <- nothing_requires_grad


@fault("user_error", severity="error", says="predicted")
def accuracy_as_loss() -> Any:
    model = nn.Linear(4, 3)
    predicted = model(torch.randn(8, 4)).argmax(-1)
    loss = 1 - (predicted == torch.randint(3, (8,))).float().mean()
    loss.backward()  # <- accuracy_as_loss


@fault("user_error", severity="error", says="no_grad")
def evaluation_mode_left_on() -> Any:
    model = nn.Linear(4, 3)
    with torch.no_grad():
        loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(3, (8,)))
    loss.backward()  # <- evaluation_mode_left_on


@fault("user_error", severity="error", says="one number")
def loss_for_each_sample() -> Any:
    model = nn.Linear(4, 3)
    loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(3, (8,)), reduction="none")
    loss.backward()  # <- loss_for_each_sample


@fault("user_error", severity="error", says="detach()")
def numpy_of_a_graph() -> Any:
    model = nn.Linear(4, 3)
    output = model(torch.randn(8, 4))
    output.numpy()  # <- numpy_of_a_graph


@fault("user_error", severity="error", says=".grad is None")
def gradient_of_a_result() -> Any:
    w = torch.randn(3, requires_grad=True) * 2
    w.square().sum().backward()
    w.data -= 0.1 * w.grad  # <- gradient_of_a_result


@fault("user_error", severity="error", says="shape")
def shapes_that_do_not_fit() -> Any:
    layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(4, 1))
    return layers(torch.randn(2, 4)).sum()  # <- shapes_that_do_not_fit


@fault("user_error", severity="error", says="was not used")
def gradient_of_something_else() -> Any:
    w, v = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    loss = w.square().sum()
    torch.autograd.grad(loss, v)  # <- gradient_of_something_else


@fault("no_graph", severity="error", line=False)
def result_without_a_graph() -> Any:
    model = nn.Linear(3, 1)
    with torch.no_grad():
        return model(torch.randn(2, 3)).sum()


@fault("replaced_gradient", says="clip", line=False)
def hook_that_clips() -> Any:
    w = torch.randn(3, requires_grad=True)
    hidden = w * 100

    def clip(gradient: torch.Tensor) -> torch.Tensor:
        return gradient.clamp(-1, 1)

    hidden.register_hook(clip)
    return (hidden * 7).sum()
