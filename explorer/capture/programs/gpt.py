"""A GPT built from its configuration: embeddings, transformer blocks, output head.

Parameters of the 124M configuration: 163,009,536; with the output head tied to the token embedding 124,412,160; tied and with
`qkv_bias` 124,439,808. A block has 2,360,064 in its attention and 4,722,432 in its feed-forward part.
"""

import torch
from torch import nn

GPT_CONFIG_124M = {
    "vocab_size": 50257,
    "context_length": 1024,
    "emb_dim": 768,
    "n_heads": 12,
    "n_layers": 12,
    "drop_rate": 0.1,
    "qkv_bias": False,
}
GPT_CONFIG_MEDIUM = {**GPT_CONFIG_124M, "emb_dim": 1024, "n_layers": 24, "n_heads": 16}
GPT_CONFIG_LARGE = {**GPT_CONFIG_124M, "emb_dim": 1280, "n_layers": 36, "n_heads": 20}
GPT_CONFIG_XL = {**GPT_CONFIG_124M, "emb_dim": 1600, "n_layers": 48, "n_heads": 25}


class MultiHeadAttention(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        size = cfg["emb_dim"]
        self.n_heads = cfg["n_heads"]
        self.head_dim = size // self.n_heads
        self.W_query = nn.Linear(size, size, bias=cfg["qkv_bias"])
        self.W_key = nn.Linear(size, size, bias=cfg["qkv_bias"])
        self.W_value = nn.Linear(size, size, bias=cfg["qkv_bias"])
        self.out_proj = nn.Linear(size, size)
        self.dropout = nn.Dropout(cfg["drop_rate"])
        future = torch.ones(cfg["context_length"], cfg["context_length"], dtype=torch.bool).triu(diagonal=1)
        self.register_buffer("future", future, persistent=False)

    def split_heads(self, x):
        batch, tokens, _ = x.shape
        return x.view(batch, tokens, self.n_heads, self.head_dim).transpose(1, 2)

    def forward(self, x):
        batch, tokens, size = x.shape
        queries = self.split_heads(self.W_query(x))
        keys = self.split_heads(self.W_key(x))
        values = self.split_heads(self.W_value(x))

        scores = queries @ keys.transpose(2, 3) / self.head_dim**0.5
        scores = scores.masked_fill(self.future[:tokens, :tokens], float("-inf"))
        weights = self.dropout(torch.softmax(scores, dim=-1))

        context = (weights @ values).transpose(1, 2).reshape(batch, tokens, size)
        return self.out_proj(context)


class FeedForward(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        size = cfg["emb_dim"]
        hidden = cfg.get("ff_multiple", 4) * size
        self.layers = nn.Sequential(
            nn.Linear(size, hidden),
            nn.GELU(approximate="tanh"),
            nn.Linear(hidden, size),
        )

    def forward(self, x):
        return self.layers(x)


class TransformerBlock(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.norm1 = nn.LayerNorm(cfg["emb_dim"])
        self.att = MultiHeadAttention(cfg)
        self.norm2 = nn.LayerNorm(cfg["emb_dim"])
        self.ff = FeedForward(cfg)
        self.drop_shortcut = nn.Dropout(cfg["drop_rate"])

    def forward(self, x):
        x = x + self.drop_shortcut(self.att(self.norm1(x)))
        return x + self.drop_shortcut(self.ff(self.norm2(x)))


class GPTModel(nn.Module):
    def __init__(self, cfg, *, tie_weights=False):
        super().__init__()
        self.tok_emb = nn.Embedding(cfg["vocab_size"], cfg["emb_dim"])
        self.pos_emb = nn.Embedding(cfg["context_length"], cfg["emb_dim"])
        self.drop_emb = nn.Dropout(cfg["drop_rate"])
        self.trf_blocks = nn.Sequential(*[TransformerBlock(cfg) for _ in range(cfg["n_layers"])])
        self.final_norm = nn.LayerNorm(cfg["emb_dim"])
        self.out_head = nn.Linear(cfg["emb_dim"], cfg["vocab_size"], bias=False)
        if tie_weights:
            self.out_head.weight = self.tok_emb.weight
        self.apply(start_small)

    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.drop_emb(self.tok_emb(tokens) + self.pos_emb(positions))
        x = self.trf_blocks(x)
        return self.out_head(self.final_norm(x))


def start_small(module):
    """GPT-2's start: with a tied head, PyTorch's own for embeddings would give scores in the hundreds."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
