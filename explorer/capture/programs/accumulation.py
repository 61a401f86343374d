"""Two values, each used twice: gradients that come back along several paths add up.

f is -6. Gradients: a -3, b -8, d 1, e -6. For a, the path over d brings 3 and the path over e brings -6.
"""

import torch


def main():
    a = torch.tensor(-2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)

    d = a * b
    e = a + b
    f = d * e
    return f
