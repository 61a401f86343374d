"""A value taken out of the graph on purpose, from "Dive into Deep Learning": u = (x x).detach().

u counts as a constant, so that the gradient of (u x).sum() is u: [0, 1, 4, 9], and not 3 x².
"""

import torch


def main():
    x = torch.arange(4.0, requires_grad=True)
    y = x * x
    u = y.detach()
    z = u * x
    total = z.sum()
    return total
