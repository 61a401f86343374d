"""A vector and a scalar made from it, from "Dive into Deep Learning": y = 2 x·x.

y is 28 and its gradient is 4 x: [0, 4, 8, 12].
"""

import torch


def main():
    x = torch.arange(4.0, requires_grad=True)
    y = 2 * torch.dot(x, x)
    return y
