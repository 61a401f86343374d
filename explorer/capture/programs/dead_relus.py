"""Fault: a layer of ReLUs that are all off. One step that was much too large has left its biases at -10.

For all 32 samples the layer gives 0. Remedy: a smaller learning rate, or an activation that lets something through below zero.
"""

import torch
import torch.nn.functional as F
from torch import nn


def main(*, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    nn.init.constant_(model[0].bias, -10.0)  # as after a learning rate that was much too large

    x = torch.randn(32, 4)
    target = torch.randn(32, 1)
    loss = F.mse_loss(model(x), target)
    return loss
