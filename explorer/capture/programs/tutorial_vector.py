"""A result that is no single number, from PyTorch's autograd tutorial: Q = 3a³ - b².

Backward needs to be told the gradient of Q itself. With ones: a [36, 81], b [-12, -8].
"""

import torch


def main():
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)

    Q = 3 * a**3 - b**2
    external_grad = torch.tensor([1.0, 1.0])
    Q.backward(gradient=external_grad)
    return Q
