"""The smallest case of accumulation: b = a + a.

Each use of a sends back a gradient of 1, and a has their sum: 2.
"""

import torch


def main():
    a = torch.tensor(3.0, requires_grad=True)
    b = a + a
    return b
