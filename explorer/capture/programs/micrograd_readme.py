"""The expression in micrograd's README: a longer chain, with relu and with values used again and again.

g is 24.70408163265306, dg/da 138.83381924198252, dg/db 645.5772594752186.
"""

import torch


def main():
    a = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)

    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    return g
