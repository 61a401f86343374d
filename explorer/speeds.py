"""Devices as their makers publish them, and how fast a model of `explorer.sizes` could be on one: an estimate, nothing is measured.

Peaks are of dense products. A training is taken to be limited by them; writing one token at a time, by reading all weights for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.sizes import PRECISIONS, Configuration, kv_cache, operations_of, parameters

__all__ = ["DEVICES", "USUAL_SHARE", "Device", "training_speed", "weights_read", "writing_speed"]

USUAL_SHARE = 0.4  # of the peak, that a training reaches which somebody has tuned; untuned ones stay below


@dataclass(frozen=True, slots=True)
class Device:
    """Operations a second in numbers of 16 and of 32 bits, bytes of memory, bytes a second; `source` says who publishes them where.

    `half` is None where nothing is published.
    """

    name: str
    half: float | None
    single: float
    memory: float
    bandwidth: float
    source: str

    def peak(self, precision: str) -> float:
        """Operations a second in this precision; those of float32 where none are published."""
        return self.single if precision == "float32" or self.half is None else self.half


DEVICES: dict[str, Device] = {
    "h200": Device("NVIDIA H200 SXM", 989e12, 67e12, 141e9, 4.8e12, "NVIDIA H200 Tensor Core GPU datasheet"),
    "h100": Device("NVIDIA H100 SXM", 989e12, 67e12, 80e9, 3.35e12, "NVIDIA H100 Tensor Core GPU datasheet"),
    "a100": Device("NVIDIA A100 80GB SXM", 312e12, 19.5e12, 80e9, 2.039e12, "NVIDIA A100 Tensor Core GPU datasheet"),
    "rtx4090": Device("NVIDIA GeForce RTX 4090", 165.2e12, 82.6e12, 24e9, 1.008e12, "NVIDIA Ada GPU Architecture, appendix A"),
    "t4": Device("NVIDIA T4", 65e12, 8.1e12, 16e9, 0.32e12, "NVIDIA T4 datasheet (float16; there is no bfloat16)"),
    "m1max": Device("Apple M1 Max", None, 10.4e12, 64e9, 0.4e12, "Apple newsroom, October 18, 2021 (float32)"),
}


def training_speed(config: Configuration, *, peak: float, share: float = USUAL_SHARE) -> float:
    """Tokens a second, over the whole context, with this share of `peak` operations a second."""
    return peak * share / operations_of(config).step_token


def weights_read(config: Configuration, *, width: int) -> int:
    """Bytes of the weights that one token reads: all, without the embeddings of other tokens and places, if no head reads them."""
    embeddings = (config.vocab_size + config.context_length) * config.emb_dim
    return width * (parameters(replace(config, tied=False)) - embeddings)  # a tied head reads as much as one of its own


def writing_speed(config: Configuration, *, bandwidth: float, precision: str = "float32") -> float:
    """Tokens a second at most, one text alone, at the end of the context: weights, keys and values are read anew for each token."""
    width = PRECISIONS[precision].value
    return bandwidth / (weights_read(config, width=width) + kv_cache(config, width=width))
