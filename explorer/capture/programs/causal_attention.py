"""One head of causal self-attention on six tokens: each token looks at itself and at those before it.

Every row of the attention weights sums to 1, and all weights above the diagonal are 0.
"""

import torch
import torch.nn.functional as F
from torch import nn


class CausalAttention(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.W_query = nn.Linear(d_in, d_out, bias=False)
        self.W_key = nn.Linear(d_in, d_out, bias=False)
        self.W_value = nn.Linear(d_in, d_out, bias=False)

    def forward(self, x):
        queries = self.W_query(x)
        keys = self.W_key(x)
        values = self.W_value(x)

        scores = queries @ keys.T / keys.shape[-1] ** 0.5
        future = torch.ones_like(scores, dtype=torch.bool).triu(diagonal=1)
        scores = scores.masked_fill(future, float("-inf"))  # exp(-inf) is 0: no weight on what comes later
        weights = torch.softmax(scores, dim=-1)
        return weights @ values


def main(*, seed=0):
    torch.manual_seed(seed)
    tokens = torch.rand(6, 3)
    target = torch.rand(6, 2)
    attention = CausalAttention(d_in=3, d_out=2)

    context = attention(tokens)
    loss = F.mse_loss(context, target)
    return loss
