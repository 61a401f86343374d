"""GPT-2 XL, 1,557,380,800 parameters, over its whole context of 1,024 tokens.

Run with fake tensors, which have a shape and no numbers: the real ones would need 6 GB for the weights alone.
"""

import torch
import torch.nn.functional as F

from explorer.capture.programs.gpt import GPT_CONFIG_XL, GPTModel


def main(*, seed=0):
    torch.manual_seed(seed)
    model = GPTModel(GPT_CONFIG_XL, tie_weights=True)
    text = torch.randint(GPT_CONFIG_XL["vocab_size"], (1, GPT_CONFIG_XL["context_length"] + 1))
    tokens, following = text[:, :-1], text[:, 1:]

    logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1), following.flatten())
    return loss
