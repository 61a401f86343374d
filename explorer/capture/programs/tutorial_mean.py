"""A mean of squares, from PyTorch's first tutorial: out = mean(3 (x + 2)²) at x = 1.

out is 27, and its gradient is 4.5 for each of the four elements of x.
"""

import torch


def main():
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    return out
