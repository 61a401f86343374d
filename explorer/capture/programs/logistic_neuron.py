"""One neuron that answers yes or no: a weight, a bias, a sigmoid, and the cross-entropy against the right answer.

z is 2.42, a 0.9183, the loss 0.0851878821849823. Gradients: w -0.0898 and b -0.0817 (in float32 -0.08982629328966141 and
-0.08166026324033737).
"""

import torch
import torch.nn.functional as F


def main():
    y = torch.tensor([1.0])  # the right answer
    x = torch.tensor([1.1])  # the input
    w = torch.tensor([2.2], requires_grad=True)
    b = torch.tensor([0.0], requires_grad=True)

    z = x * w + b
    a = torch.sigmoid(z)
    loss = F.binary_cross_entropy(a, y)
    return loss
