"""What add, multiply and max gates do to a gradient, from the CS231n notes: f = 2 (x y + max(z, w)).

f is -20. Gradients: x -8, y 6, z 2, w 0. The max gate passes the gradient on to the larger input only.
"""

import torch


def main():
    x = torch.tensor(3.0, requires_grad=True)
    y = torch.tensor(-4.0, requires_grad=True)
    z = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(-1.0, requires_grad=True)

    product = x * y
    larger = torch.max(z, w)
    f = 2 * (product + larger)
    return f
