"""Two functions, one after the other: u = 3 x + 1, y = u^2. The chain rule with numbers that fit in the head.

u is 4 and y is 16. The local derivatives are 2 u = 8 and 3, so the gradient of x is 24.
"""

import torch


def main():
    x = torch.tensor(1.0, requires_grad=True)
    u = 3 * x + 1
    y = u**2
    return y
