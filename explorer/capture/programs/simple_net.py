"""A network of two layers and one training step: forward, loss, backward, update.

Linear(10, 5), ReLU, Linear(5, 1), Sigmoid; binary cross-entropy; SGD with learning rate 0.01; one random sample with label 1.
"""

import torch
from torch import nn


class SimpleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 5)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(5, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        hidden = self.relu(self.fc1(x))
        return self.sigmoid(self.fc2(hidden))


def main(*, seed=0):
    torch.manual_seed(seed)
    model = SimpleNet()
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    x = torch.randn(1, 10)
    label = torch.tensor([[1.0]])  # as many dimensions as the output: BCELoss wants the same shape

    optimizer.zero_grad()
    output = model(x)
    loss = criterion(output, label)
    loss.backward()
    optimizer.step()
    return loss
