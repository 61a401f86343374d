"""A Llama built from its configuration: RMS norms, rotary positions, grouped-query attention, gated feed-forward.

Parameters of the 70B configuration: 70,553,706,496. A block has 150,994,944 in its attention, 704,643,072 in its feed-forward part and
16,384 in its two norms; the token embedding and the output head have 1,050,673,152 each, the last norm 8,192.
"""

import torch
import torch.nn.functional as F
from torch import nn

LLAMA_CONFIG_70B = {
    "vocab_size": 128_256,
    "context_length": 8192,
    "emb_dim": 8192,
    "n_heads": 64,
    "n_kv_groups": 8,
    "n_layers": 80,
    "hidden_dim": 28_672,
    "rope_base": 500_000.0,
    "norm_eps": 1e-5,
    "dtype": torch.bfloat16,
}


def rotations(cfg):
    """The cosine and sine by which each pair of features is turned at each position, in float32."""
    head_dim = cfg["emb_dim"] // cfg["n_heads"]
    speeds = cfg["rope_base"] ** (-torch.arange(0, head_dim, 2) / head_dim)
    angles = torch.arange(cfg["context_length"])[:, None] * speeds
    angles = torch.cat([angles, angles], dim=1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    left, right = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-right, left], dim=-1) * sin).to(x.dtype)


class RMSNorm(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.eps = cfg["norm_eps"]
        self.weight = nn.Parameter(torch.ones(cfg["emb_dim"], dtype=cfg["dtype"]))

    def forward(self, x):
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(dim=-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class GroupedQueryAttention(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        size, dtype = cfg["emb_dim"], cfg["dtype"]
        self.head_dim = size // cfg["n_heads"]
        self.share = cfg["n_heads"] // cfg["n_kv_groups"]
        self.W_query = nn.Linear(size, size, bias=False, dtype=dtype)
        self.W_key = nn.Linear(size, cfg["n_kv_groups"] * self.head_dim, bias=False, dtype=dtype)
        self.W_value = nn.Linear(size, cfg["n_kv_groups"] * self.head_dim, bias=False, dtype=dtype)
        self.out_proj = nn.Linear(size, size, bias=False, dtype=dtype)

    def split_heads(self, x):
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)

    def forward(self, x, cos, sin):
        queries = rotate(self.split_heads(self.W_query(x)), cos, sin)
        keys = rotate(self.split_heads(self.W_key(x)), cos, sin)
        values = self.split_heads(self.W_value(x))

        keys = keys.repeat_interleave(self.share, dim=1)
        values = values.repeat_interleave(self.share, dim=1)
        context = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        return self.out_proj(context.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        size, hidden, dtype = cfg["emb_dim"], cfg["hidden_dim"], cfg["dtype"]
        self.gate = nn.Linear(size, hidden, bias=False, dtype=dtype)
        self.up = nn.Linear(size, hidden, bias=False, dtype=dtype)
        self.down = nn.Linear(hidden, size, bias=False, dtype=dtype)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class TransformerBlock(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.norm1 = RMSNorm(cfg)
        self.att = GroupedQueryAttention(cfg)
        self.norm2 = RMSNorm(cfg)
        self.ff = FeedForward(cfg)

    def forward(self, x, cos, sin):
        x = x + self.att(self.norm1(x), cos, sin)
        return x + self.ff(self.norm2(x))


class LlamaModel(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.tok_emb = nn.Embedding(cfg["vocab_size"], cfg["emb_dim"], dtype=cfg["dtype"])
        self.trf_blocks = nn.ModuleList([TransformerBlock(cfg) for _ in range(cfg["n_layers"])])
        self.final_norm = RMSNorm(cfg)
        self.out_head = nn.Linear(cfg["emb_dim"], cfg["vocab_size"], bias=False, dtype=cfg["dtype"])
        cos, sin = rotations(cfg)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens):
        x = self.tok_emb(tokens)
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        for block in self.trf_blocks:
            x = block(x, cos, sin)
        return self.out_head(self.final_norm(x))
