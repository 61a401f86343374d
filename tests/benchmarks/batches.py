"""What the models of the sweep are called with: random tokens, images, waves and series, and the loss of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

__all__ = (
    "BATCH LENGTH WORDS Batch captioned forecast images loss_of masked no_labels pairs patches series spectrogram text text_and_image "
    "video wave words"
).split()

WORDS, LENGTH, BATCH = 64, 8, 2

Batch = Mapping[str, Any]


def words(length: int = LENGTH) -> torch.Tensor:
    return torch.randint(3, WORDS - 4, (BATCH, length))


def text(*, length: int = LENGTH, masked: bool = False) -> Batch:
    """Tokens that are their own labels; `masked`: the second text is shorter."""
    tokens = words(length)
    batch = {"input_ids": tokens, "labels": tokens.clone()}
    if masked:
        batch["attention_mask"] = torch.ones_like(tokens)
        batch["attention_mask"][1, length - 2 :] = 0
    return batch


def masked() -> Batch:
    return text(masked=True)


def pairs() -> Batch:
    """Text to text."""
    return {"input_ids": words(), "labels": words(6)}


def images(size: int = 32, *, labels: bool = True, channels: int = 3) -> Batch:
    batch = {"pixel_values": torch.randn(BATCH, channels, size, size)}
    return {**batch, "labels": torch.tensor([0, 1])} if labels else batch


def no_labels() -> Batch:
    return images(labels=False)


def video(frames: int = 4, size: int = 32, *, name: str = "pixel_values", labels: bool = False) -> Batch:
    batch: dict[str, Any] = {name: torch.randn(BATCH, frames, 3, size, size)}
    return {**batch, "labels": torch.tensor([0, 1])} if labels else batch


def wave(samples: int = 2000, *, labels: int = 0, channel: bool = False) -> Batch:
    batch: dict[str, Any] = {"input_values": torch.randn(BATCH, *([1] if channel else []), samples)}
    return {**batch, "labels": torch.randint(3, 30, (BATCH, labels))} if labels else batch


def spectrogram(name: str = "input_features", shape: tuple[int, ...] = (BATCH, 32, 16)) -> Batch:
    return {name: torch.randn(*shape)}


def text_and_image(image: Callable[[], Batch] = no_labels, **more: Any) -> Batch:
    tokens = words()
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), **image(), **more}


def captioned(image_token: int, count: int, image: Callable[[], Batch] = no_labels, *, kinds: bool = False) -> Batch:
    """A text with `count` places for the parts of its image; `kinds`: with a mask of them."""
    tokens = words(LENGTH + count)
    tokens[:, 2 : 2 + count] = image_token
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "labels": tokens.clone(), **image()} | (
        {"mm_token_type_ids": (tokens == image_token).long()} if kinds else {}
    )


def patches(grid: tuple[int, int, int], width: int) -> Batch:
    """Flattened patches of one image each, as Qwen-VL takes them."""
    sizes = torch.tensor([grid] * BATCH)
    return {"pixel_values": torch.randn(int(sizes.prod(-1).sum()), width), "image_grid_thw": sizes}


def series(length: int, channels: int = 2, **more: Any) -> Batch:
    return {"past_values": torch.randn(BATCH, length, channels), **more}


def forecast(past: int = 16, future: int = 4) -> Batch:
    """What the time series transformers take: values, time features, a mask."""
    return {
        "past_values": torch.randn(BATCH, past),
        "past_time_features": torch.randn(BATCH, past, 1),
        "past_observed_mask": torch.ones(BATCH, past),
        "future_values": torch.randn(BATCH, future),
        "future_time_features": torch.randn(BATCH, future, 1),
    }


# -- the loss ----------------------------------------------------------------------------------------------------------------------------


def loss_of(output: Any) -> torch.Tensor:
    """The model's own loss, else the mean square of every output that depends on a parameter."""
    own = output.get("loss") if isinstance(output, Mapping) else None
    if isinstance(own, torch.Tensor) and own.requires_grad:
        return own.sum()
    return torch.stack([tensor.float().square().mean() for tensor in _tensors(output) if tensor.requires_grad]).sum()


def _tensors(nest: Any) -> list[torch.Tensor]:
    """The tensors of a nest, each once, in order."""
    found: dict[int, torch.Tensor] = {}
    waiting = [nest]
    while waiting:
        thing = waiting.pop(0)
        if isinstance(thing, torch.Tensor):
            found[id(thing)] = thing
        elif isinstance(thing, Mapping):
            waiting += thing.values()
        elif isinstance(thing, list | tuple):
            waiting += thing
    return list(found.values())
