"""What the benchmark of the recorder runs: each a module that answers its loss, and what it is called with.

The sizes are those that the targets were set for. Weights and inputs are random, from one seed; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["CHAIN", "WORKLOADS", "Chain", "Workload", "gpt2"]

CHAIN = 10_000


class Fitted(nn.Module):
    """A model with its squared error."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(self.body(x), wanted)


class Unrolled(nn.Module):
    """An LSTM cell called once a step, as one writes it by hand; `nn.LSTM` would be a single op."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(inputs, hidden)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        hidden = cell = x.new_zeros(x.shape[1], self.cell.hidden_size)
        for step in x:
            hidden, cell = self.cell(step, (hidden, cell))
        return F.mse_loss(self.head(hidden), wanted)


class Labelled(nn.Module):
    """A model of transformers, which answers its loss when it is given labels."""

    def __init__(self, body: nn.Module, name: str) -> None:
        super().__init__()
        self.body, self.name = body, name

    def forward(self, given: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.body(**{self.name: given}, labels=labels).loss


class Chain(nn.Module):
    """One multiplication after the other."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.ones(()))
        self.length = length

    def forward(self, factor: torch.Tensor) -> torch.Tensor:
        y = self.start * factor
        for _ in range(self.length):
            y = y * 1.0001
        return y


Made = tuple[nn.Module, tuple[torch.Tensor, ...]]


def mlp() -> Made:
    body = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    return Fitted(body), (torch.randn(4, 2), torch.randn(4, 1))


def mlp_100() -> Made:
    layers = [layer for _ in range(100) for layer in (nn.Linear(64, 64), nn.ReLU())]
    return Fitted(nn.Sequential(*layers)), (torch.randn(32, 64), torch.randn(32, 64))


def lstm() -> Made:
    return Unrolled(8, 16), (torch.randn(500, 4, 8), torch.randn(4, 1))


def gpt2(**sizes: Any) -> Made:
    """A GPT-2 of any size, and 64 tokens."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(use_cache=False, **sizes)
    tokens = torch.randint(config.vocab_size, (1, 64))
    return Labelled(GPT2LMHeadModel(config), "input_ids"), (tokens, tokens)


def gpt2_deep() -> Made:
    return gpt2(n_layer=48, n_embd=64, n_head=4, vocab_size=1000, n_positions=64, bos_token_id=None, eos_token_id=None)


def gpt2_124m() -> Made:
    return gpt2()


def resnet50() -> Made:
    from transformers import ResNetConfig, ResNetForImageClassification

    body = ResNetForImageClassification(ResNetConfig(num_labels=1000))
    return Labelled(body, "pixel_values"), (torch.randn(1, 3, 224, 224), torch.tensor([7]))


def chain() -> Made:
    return Chain(CHAIN), (torch.ones(()),)


@dataclass(frozen=True)
class Workload:
    """One row: what it is called, what exactly is run, and the ratios aimed at with statistics and with metadata only."""

    title: str
    about: str
    make: Callable[[], Made]
    stats: float | None = None
    none: float | None = None

    def made(self) -> Made:
        """The module, in train mode, and its inputs: the same every time."""
        torch.manual_seed(0)
        model, inputs = self.make()
        return model.train(), inputs


WORKLOADS: dict[str, Workload] = {
    "mlp": Workload("MLP 2-3-1", "tanh, squared error, 4 samples", mlp, 5, 2.5),
    "mlp100": Workload("MLP-100", "100 linear layers of width 64 with ReLU, 32 samples", mlp_100, 4, 2.75),
    "lstm": Workload("LSTM, 500 steps", "`nn.LSTMCell` in a loop, 8 inputs, width 16, 4 samples", lstm, 8, 3.3),
    "gpt2_deep": Workload("GPT-2, 48 layers", "width 64, 4 heads, 1,000 words, 64 tokens", gpt2_deep, 5, 2),
    "gpt2_124m": Workload("GPT-2 124M", "12 layers, width 768, 64 tokens", gpt2_124m, 2.5, 1.25),
    "resnet50": Workload("ResNet-50", "one image, 224 × 224", resnet50, 2, 1.1),
    "chain": Workload("chain of 10,000", "`y = y * 1.0001`, 10,000 times, on one number", chain),
}
