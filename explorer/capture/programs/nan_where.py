"""Fault: a finite loss with a NaN gradient. The root of 0 is never chosen, but its derivative is infinite, and 0 × inf is NaN.

The loss is 3; the gradient of x is [nan, 0.5, 0.25]. Remedy: make the input safe before the root, not its result after.
"""

import torch


def main():
    x = torch.tensor([0.0, 1.0, 4.0], requires_grad=True)
    root = torch.sqrt(x)
    y = torch.where(x > 0, root, torch.zeros_like(x))
    loss = y.sum()
    return loss
