"""The tools that the benchmark stands beside, each called as its own documentation does: from a model and its inputs to its graph.

torchviz shows the autograd graph and no values; torchview the modules and forward ops, no values and no gradients; torchlens keeps every
output and, asked to, every gradient whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

__all__ = ["PEERS"]

Inputs = tuple[torch.Tensor, ...]


def torchviz(model: nn.Module, inputs: Inputs) -> Any:
    from torchviz import make_dot

    return make_dot(model(*inputs), params=dict(model.named_parameters()))


def torchview(model: nn.Module, inputs: Inputs) -> Any:
    from torchview import draw_graph

    return draw_graph(model, inputs, device="cpu", mode="train", depth=100)


def torchlens(model: nn.Module, inputs: Inputs) -> Any:
    import torchlens as lens

    log = lens.trace(model, list(inputs), capture=lens.options.CaptureOptions(save_grads=True))
    log.log_backward(log[log.output_layers[0]].out)
    return log


PEERS: dict[str, Callable[[nn.Module, Inputs], Any]] = {"torchviz": torchviz, "torchview": torchview, "torchlens": torchlens}
