"""One hidden layer written out: two inputs, three hidden units, one output.

The weights are so round that every gradient can be worked out in the head.
"""

import torch


def main():
    x = torch.tensor([[1.0, 2.0]])  # one sample with two features
    y = torch.tensor([[2.0]])  # what the output should be
    W1 = torch.tensor([[1.0, -1.0, 0.5], [0.5, 0.5, -1.0]], requires_grad=True)
    b1 = torch.tensor([0.0, 1.0, 0.5], requires_grad=True)
    W2 = torch.tensor([[1.0], [-2.0], [3.0]], requires_grad=True)
    b2 = torch.tensor([0.5], requires_grad=True)

    z1 = x @ W1 + b1
    a1 = torch.relu(z1)  # the third unit is below zero: it is off
    z2 = a1 @ W2 + b2
    loss = ((z2 - y) ** 2).mean()
    return loss
