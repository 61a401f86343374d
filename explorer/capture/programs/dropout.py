"""Dropout while training: each activation is set to zero with probability 0.5, and those that stay are doubled. The data stays whole.

Which ones are off is drawn anew in each forward pass. Where an activation is off, no gradient comes back through it.
"""

import torch
from torch import nn


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        hidden = torch.tanh(self.fc1(x))
        kept = self.dropout(hidden)
        return self.fc2(kept)


def main(*, seed=0):
    torch.manual_seed(seed)
    model = SmallNet()
    model.train()  # dropout is on

    x = torch.randn(3, 4)
    loss = (model(x) ** 2).mean()
    return loss
