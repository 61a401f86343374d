"""One weight matrix in two places: the table that turns letters into vectors also turns vectors back into scores for letters.

Its gradient is the sum of what both places send back, and it has two names: `embedding.weight` and `head.weight`.
"""

import torch
import torch.nn.functional as F
from torch import nn


class TiedModel(nn.Module):
    def __init__(self, letters, size):
        super().__init__()
        self.embedding = nn.Embedding(letters, size)
        self.hidden = nn.Linear(size, size)
        self.head = nn.Linear(size, letters, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, letter):
        x = self.embedding(letter)
        x = torch.tanh(self.hidden(x))
        return self.head(x)


def main(*, seed=0):
    torch.manual_seed(seed)
    model = TiedModel(letters=8, size=4)
    letters = torch.tensor([0, 3, 1])
    following = torch.tensor([3, 1, 5])

    scores = model(letters)
    loss = F.cross_entropy(scores, following)
    return loss
