"""Fault: twelve layers whose weights begin much too large. Each of them makes the gradient several times as large as it was.

The gradient at the first layer is over ten thousand times the one at the last. Remedy: smaller weights (PyTorch's own start), a norm layer.
"""

import torch
import torch.nn.functional as F
from torch import nn


def main(*, seed=0):
    torch.manual_seed(seed)
    layers = []
    for _ in range(12):
        layers += [nn.Linear(8, 8), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(8, 1))
    for number in range(0, 24, 2):
        nn.init.normal_(model[number].weight, std=2.0)

    x = torch.randn(16, 8)
    target = torch.rand(16, 1)
    loss = F.mse_loss(model(x), target)
    return loss
