"""A small denoising U-Net of our own, with what it is called with."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["UNet", "noisy"]


class Residual(nn.Module):
    """Group normalisation, activation, convolution; twice, with the time step added in between."""

    def __init__(self, channels: int, out: int, time: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(2, channels), nn.Conv2d(channels, out, 3, padding=1)
        self.time = nn.Linear(time, out)
        self.norm2, self.conv2 = nn.GroupNorm(2, out), nn.Conv2d(out, out, 3, padding=1)
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(F.silu(time))[:, :, None, None]
        return self.skip(x) + self.conv2(self.dropout(F.silu(self.norm2(h))))


class Attention(nn.Module):
    """Self-attention over the pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, channels)
        self.to_qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.to_qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=-1)
        h = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return x + self.out(h.transpose(1, 2).reshape(x.shape))


class UNet(nn.Module):
    """A small denoising U-Net (Ho et al. 2020): down, middle with attention, up with skip connections; predicts the noise."""

    def __init__(self, channels: int = 8, time: int = 16) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(time, time), nn.SiLU(), nn.Linear(time, time))
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.down = nn.ModuleList([Residual(channels, channels, time), Residual(channels, 2 * channels, time)])
        self.shrink = nn.ModuleList([nn.Conv2d(channels, channels, 3, 2, 1), nn.Conv2d(2 * channels, 2 * channels, 3, 2, 1)])
        self.middle, self.attention = Residual(2 * channels, 2 * channels, time), Attention(2 * channels)
        self.up = nn.ModuleList([Residual(4 * channels, channels, time), Residual(2 * channels, channels, time)])
        self.last = nn.Sequential(nn.GroupNorm(2, channels), nn.SiLU(), nn.Conv2d(channels, 3, 3, padding=1))
        self.register_buffer("frequencies", torch.exp(-torch.arange(time // 2)))
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-4, 0.02, 100), 0))

    def forward(self, image: torch.Tensor, noise: torch.Tensor, step: torch.Tensor) -> dict[str, torch.Tensor]:
        kept = self.kept[step][:, None, None, None]
        x = self.first(kept.sqrt() * image + (1 - kept).sqrt() * noise)
        angle = step[:, None] * self.frequencies
        time = self.embed(torch.cat([angle.sin(), angle.cos()], dim=1))
        skips = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x, time)
            skips.append(x)
            x = shrink(x)
        x = self.attention(self.middle(x, time))
        for block in self.up:
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0), skips.pop()], dim=1), time)
        predicted = self.last(x)
        return {"loss": F.mse_loss(predicted, noise), "noise": predicted}


def noisy() -> dict[str, Any]:
    """Two images, noise, and how far each is along."""
    return {"image": torch.randn(2, 3, 8, 8), "noise": torch.randn(2, 3, 8, 8), "step": torch.tensor([3, 70])}
