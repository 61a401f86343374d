"""Fault: a training loop without `optimizer.zero_grad()`. Old gradients stay and are added to the new ones.

The slope is -2 in every step, yet `w.grad` is -2, -4 and -6, and the steps grow: w is 0.2, 0.6 and 1.2. Remedy: `zero_grad()` in each turn.
"""

import torch


def main():
    x = torch.tensor(2.0)
    w = torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)

    for _ in range(3):
        loss = -w * x
        loss.backward()
        optimizer.step()
    return loss
