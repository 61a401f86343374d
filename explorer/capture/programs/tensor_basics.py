"""What a tensor is: rank, data type, shape, transpose, a matrix product; and the first gradient.

matrix @ matrix.T is [[5, 11], [11, 25]]. The total is 10 + 52; its gradient is 1 + [[8, 12], [8, 12]].
"""

import torch


def main():
    scalar = torch.tensor(1)
    vector = torch.tensor([1, 2, 3])
    matrix = torch.tensor([[1, 2], [3, 4]])
    cube = torch.tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])

    assert (scalar.dim(), vector.dim(), matrix.dim(), cube.dim()) == (0, 1, 2, 3)
    assert vector.dtype == torch.int64  # whole numbers in Python make an int64 tensor

    floats = matrix.to(torch.float32).requires_grad_()  # only floating point tensors can have a gradient
    column = floats.reshape(4, 1)
    transposed = floats.T
    product = floats @ transposed
    total = column.sum() + product.sum()
    return total
