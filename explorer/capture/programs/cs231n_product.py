"""The first circuit of the CS231n notes: f = (x + y) z at x = -2, y = 5, z = -4.

q is 3 and f is -12. Gradients: x -4, y -4, z 3, q -4.
"""

import torch


def main():
    x = torch.tensor(-2.0, requires_grad=True)
    y = torch.tensor(5.0, requires_grad=True)
    z = torch.tensor(-4.0, requires_grad=True)

    q = x + y
    f = q * z
    return f
