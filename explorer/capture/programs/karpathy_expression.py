"""Four numbers, one result, one step uphill; the first example of Karpathy's micrograd lecture.

L is -8. Gradients: a 6, b -4, c -2, e -2, d -2, f 4. After a step of 0.01 along the gradient L is -7.286496: it grew.
"""

import torch


def main():
    a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
    c = torch.tensor(10.0, dtype=torch.float64, requires_grad=True)
    f = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)

    e = a * b
    d = e + c
    L = d * f
    L.backward()

    with torch.no_grad():  # the step itself is not part of the graph
        a += 0.01 * a.grad
        b += 0.01 * b.grad
        c += 0.01 * c.grad
        f += 0.01 * f.grad
        L_after = (a * b + c) * f
    return L_after
