"""Two functions, one after the other: u = 3 x + 1 and y = u^2.

The chain rule with numbers that can be worked out in the head.
"""

import torch


def main():
    x = torch.tensor(1.0, requires_grad=True)
    u = 3 * x + 1
    y = u**2
    return y
