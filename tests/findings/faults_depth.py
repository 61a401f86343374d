"""Programs whose gradients vanish or explode along their depth, or whose units are dead."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault


@fault("vanishing_gradient", line=False)
def twenty_sigmoids() -> Any:
    layers: list[nn.Module] = []
    for _ in range(20):
        layers += [nn.Linear(16, 16), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(16, 1))
    return F.mse_loss(model(torch.randn(32, 16)), torch.randn(32, 1))


@fault("vanishing_gradient", line=False)
def weights_too_small() -> Any:
    weights = [(torch.randn(32, 32) * 0.01).requires_grad_() for _ in range(8)]
    h = torch.randn(16, 32)
    for weight in weights:
        h = torch.tanh(h @ weight)
    return F.mse_loss(h, torch.randn(16, 32))


@fault("vanishing_gradient", line=False)
def plain_deep_convolutions() -> Any:
    layers: list[nn.Module] = [nn.Conv2d(3, 8, 3, padding=1), nn.Sigmoid()]
    for _ in range(9):
        layers += [nn.Conv2d(8, 8, 3, padding=1), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    return F.cross_entropy(model(torch.randn(4, 3, 12, 12)), torch.randint(4, (4,)))


@fault("exploding_gradient", line=False)
def weights_too_large() -> Any:
    model = nn.Sequential(*[nn.Linear(32, 32) for _ in range(12)])
    for layer in model:
        nn.init.normal_(layer.weight, std=1.0)
    return model(torch.randn(8, 32)).mean()


@fault("exploding_gradient", line=False)
def recurrence_too_strong() -> Any:
    w = (torch.eye(8) * 1.6 + torch.randn(8, 8) * 0.05).requires_grad_()
    h = torch.randn(4, 8) * 1e-3
    for _ in range(60):
        h = h @ w
    return h.mean()


@fault("vanishing_gradient", line=False)
def recurrence_that_forgets() -> Any:
    u, w = nn.Parameter(torch.randn(4, 16) * 0.5), nn.Parameter(torch.randn(16, 16) * 0.1)
    h = torch.tanh(torch.randn(2, 4) @ u)
    for _ in range(60):
        h = torch.tanh(h @ w)
    return h.square().sum()


@fault("vanishing_gradient", line=False)
def long_sequence_of_a_plain_rnn() -> Any:
    model, head = nn.RNN(3, 16, batch_first=True), nn.Linear(16, 2)
    outputs, _ = model(torch.randn(4, 80, 3))
    return F.cross_entropy(head(outputs[:, -1]), torch.randint(2, (4,)))


@fault("exploding_gradient", line=False)
def residual_sums_without_norm() -> Any:
    blocks = [nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)) for _ in range(30)]
    for block in blocks:
        nn.init.kaiming_normal_(block[0].weight)
        nn.init.normal_(block[2].weight, std=0.7)
    h = torch.randn(8, 16)
    for block in blocks:
        h = h + block(h)
    return F.mse_loss(h, torch.zeros_like(h))


@fault("dead_units")
def bias_far_below_zero() -> Any:
    first, second = nn.Linear(10, 32), nn.Linear(32, 1)
    nn.init.constant_(first.bias, -10.0)
    hidden = F.relu(first(torch.randn(64, 10)))  # <- bias_far_below_zero
    return second(hidden).mean() + first.weight.sum() * 0.01


class Block(nn.Module):
    """A convolution whose relu lets nothing through."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 4, 3)
        nn.init.constant_(self.first.bias, -8.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x).relu_()  # <- dead_convolution
        return self.second(hidden)


@fault("dead_units")
def dead_convolution() -> Any:
    return Block()(torch.randn(4, 3, 8, 8)).square().mean()


@fault("dead_units", says="31 of 32")
def nearly_all_dead() -> Any:
    first, second = nn.Linear(10, 32), nn.Linear(32, 1)
    with torch.no_grad():
        first.bias.fill_(-20.0)
        first.bias[3] = 0.0
    hidden = torch.relu(first(torch.randn(48, 10)))  # <- nearly_all_dead
    return second(hidden).mean()


@fault("vanishing_gradient", says="float16", line=False)
def underflow_in_half() -> Any:
    w = torch.randn(8, 8, dtype=torch.float16, requires_grad=True)
    h = torch.randn(4, 8, dtype=torch.float16) @ w
    loss = (h.float() * 1e-9).sum()
    return loss.mean()
