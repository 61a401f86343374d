"""Fault: one of two branches is cut off by a `detach()` that was left in. Its weight has no gradient and never learns.

w_left.grad is a number, w_right.grad stays None. Remedy: take the `detach()` away.
"""

import torch


def main():
    x = torch.tensor(0.5)
    w_left = torch.tensor(1.5, requires_grad=True)
    w_right = torch.tensor(-0.7, requires_grad=True)

    left = torch.tanh(w_left * x)
    right = torch.tanh(w_right * x).detach()
    prediction = left + right
    loss = (prediction - 1) ** 2
    return loss
