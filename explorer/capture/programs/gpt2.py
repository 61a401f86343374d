"""One training step's worth of GPT-2 with 124 million parameters: 64 random tokens, each to be told the next one.

Random weights and random tokens, both from the seed, so that the loss starts near ln(50257) = 10.82: every token is equally likely.
"""

import torch
import torch.nn.functional as F

from explorer.capture.programs.gpt import GPT_CONFIG_124M, GPTModel


def main(*, seed=0):
    torch.manual_seed(seed)
    model = GPTModel(GPT_CONFIG_124M, tie_weights=True)
    text = torch.randint(GPT_CONFIG_124M["vocab_size"], (1, 65))
    tokens, following = text[:, :-1], text[:, 1:]

    logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1), following.flatten())
    return loss
