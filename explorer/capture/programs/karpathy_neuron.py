"""The neuron of Karpathy's micrograd lecture: o = tanh(x1 w1 + x2 w2 + b).

n is 0.8813735870195432 and o 0.7071067811865476. Gradients: x1 -1.5, w1 1, x2 0.5, w2 0; b, n, both products and their sum 0.5.
"""

import torch


def main():
    x1 = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    x2 = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    w1 = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
    w2 = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(6.8813735870195432, dtype=torch.float64, requires_grad=True)  # chosen so that the gradients are round

    x1w1 = x1 * w1
    x2w2 = x2 * w2
    x1w1x2w2 = x1w1 + x2w2
    n = x1w1x2w2 + b
    o = torch.tanh(n)
    return o
