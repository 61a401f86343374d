"""One hidden layer written out: two inputs, three hidden units with ReLU, one output, and the squared error.

The weights are chosen so that everything can be worked out in the head: z1 is [2, 1, -1], a1 [2, 1, 0], z2 0.5 and the loss 2.25.
Gradients: z2 -3, W2 [-6, -3, 0], a1 [-3, 6, -9], z1 [-3, 6, 0], W1 [[-3, 6, 0], [-6, 12, 0]].
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
