"""`.grad` adds up over backward passes until it is set to zero, from PyTorch's autograd tutorial.

On the diagonal `inp.grad` is 4, then 8, then (zeroed before) 4 again; elsewhere 2, 4 and 2.
"""

import torch


def main():
    inp = torch.eye(4, 5, requires_grad=True)
    out = (inp + 1).pow(2).t()

    out.backward(torch.ones_like(out), retain_graph=True)
    out.backward(torch.ones_like(out), retain_graph=True)
    inp.grad.zero_()
    out.backward(torch.ones_like(out))
    return out
