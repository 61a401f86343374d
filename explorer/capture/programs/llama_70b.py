"""A model of the shape of Llama 3 70B, 70,553,706,496 parameters in bfloat16, over 1,024 tokens.

Run with fake tensors, which have a shape and no numbers: the real weights alone would need 141 GB.
"""

import torch
import torch.nn.functional as F

from explorer.capture.programs.llama import LLAMA_CONFIG_70B, LlamaModel


def main(*, seed=0, dtype=torch.bfloat16):
    torch.manual_seed(seed)
    model = LlamaModel({**LLAMA_CONFIG_70B, "dtype": dtype})
    text = torch.randint(LLAMA_CONFIG_70B["vocab_size"], (1, 1025))
    tokens, following = text[:, :-1], text[:, 1:]

    logits = model(tokens)
    loss = F.cross_entropy(logits.float().flatten(0, 1), following.flatten())
    return loss
