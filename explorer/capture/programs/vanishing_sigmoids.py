"""Fault: twelve sigmoid layers on top of each other. The slope of a sigmoid is at most a quarter, so that little comes back to the first.

The gradient of the first layer's weights is less than a millionth of that of the last layer's. Remedy: relu, or residual connections.
"""

import torch
import torch.nn.functional as F
from torch import nn


def main(*, seed=0):
    torch.manual_seed(seed)
    layers = []
    for _ in range(12):
        layers += [nn.Linear(8, 8), nn.Sigmoid()]
    model = nn.Sequential(*layers)

    x = torch.randn(16, 8)
    target = torch.rand(16, 8)
    loss = F.mse_loss(model(x), target)
    return loss
