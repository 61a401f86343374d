"""Two attention heads read the word "hello". Their weights are set by hand, so that one can see what each of them looks for.

The first looks for the letter before, by its place; the second for equal letters, by the letter. Each row of weights sums to 1.
"""

import torch
import torch.nn.functional as F

LETTERS, WORD = "helo", "hello"


def main():
    number = torch.tensor([LETTERS.index(letter) for letter in WORD])
    letter, place = F.one_hot(number, 4).float(), torch.eye(5)
    x = torch.cat([letter, place], dim=1)  # a row for each letter: which one it is, and where it stands
    x = torch.stack([x, x])  # the same for both heads

    W_query, W_key, W_value = torch.zeros(2, 9, 5), torch.zeros(2, 9, 5), torch.zeros(2, 9, 4)
    W_query[0, 4:] = 4 * torch.eye(5).roll(-1, dims=1)  # "who stands one place before me?"
    W_key[0, 4:] = torch.eye(5)  # "I stand here."
    W_query[1, :4, :4] = 4 * torch.eye(4)  # "who is the same letter?"
    W_key[1, :4, :4] = torch.eye(4)  # "I am this letter."
    W_value[:, :4] = torch.eye(4)  # both bring the letter they find
    for W in (W_query, W_key, W_value):
        W.requires_grad_()

    queries, keys, values = torch.bmm(x, W_query), torch.bmm(x, W_key), torch.bmm(x, W_value)  # a product for each head
    scores = torch.bmm(queries, keys.transpose(1, 2))
    future = torch.ones(5, 5, dtype=torch.bool).triu(diagonal=1)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    context = torch.bmm(weights, values)

    loss = F.cross_entropy(context.sum(dim=0)[:-1], number[1:])  # to be told: the next letter
    return loss
