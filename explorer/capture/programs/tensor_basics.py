"""What a tensor is: rank, data type, shape, transpose, and a matrix product. No gradient yet: nothing here asks for one.

matrix @ matrix.T is [[5, 11], [11, 25]].
"""

import torch


def main():
    scalar = torch.tensor(1)
    vector = torch.tensor([1, 2, 3])
    matrix = torch.tensor([[1, 2], [3, 4]])
    cube = torch.tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])

    assert (scalar.dim(), vector.dim(), matrix.dim(), cube.dim()) == (0, 1, 2, 3)
    assert vector.dtype == torch.int64  # whole numbers in Python make an int64 tensor

    floats = matrix.to(torch.float32)  # only floating point tensors can have a gradient
    column = floats.reshape(4, 1)
    transposed = floats.T
    product = floats @ transposed
    return column, product
