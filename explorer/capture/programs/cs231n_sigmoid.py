"""A sigmoid neuron taken apart into gates, from the CS231n notes.

f is 0.73. Gradients as published: w0 -0.20, x0 0.39, w1 -0.39, x1 -0.59, w2 0.20; exactly -0.19661193324148185, 0.3932238664829637,
-0.3932238664829637, -0.5898357997244456 and 0.19661193324148185.
"""

import torch


def main():
    w0 = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    x0 = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
    w1 = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
    x1 = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
    w2 = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)

    dot = w0 * x0 + w1 * x1 + w2
    f = 1 / (1 + torch.exp(-dot))
    return f
