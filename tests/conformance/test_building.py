"""What a model's constructor computes belongs to its parameters and buffers, not to the forward pass."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer


class Masked(nn.Module):
    """A module whose constructor computes a mask, pads a bias and zeroes a row."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3, padding_idx=0)
        self.linear = nn.Linear(3, 3)
        self.linear.bias.data = nn.functional.pad(self.linear.bias.data, (0, 0), "constant", 0)
        self.register_buffer("mask", torch.ones(3, 3).tril() * 2)
        self.register_buffer("positions", torch.zeros(3))
        with torch.no_grad():
            self.positions.copy_(torch.arange(3).expand(3))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.linear(self.embedding(tokens)) @ self.mask + self.positions


def test_constructors_leave_no_ops() -> None:
    """A mask, a padded bias and a zeroed row are the values of leaves; only what forward did is an op."""
    with explorer.record() as recording:
        model = Masked()
        tokens = torch.tensor([1, 2, 0])
        model(tokens).sum().backward()
    trace = recording.trace
    trace.check()
    assert [node.op for node in trace.nodes if node.kind == "op"] == ["embedding", "t", "addmm", "mm", "add", "sum"]
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {name for name, _ in model.named_parameters()}
    buffers = {node.name: node.outputs[0].values for node in trace.nodes if node.kind == "buffer"}
    assert buffers == {
        "mask": tuple(map(tuple, model.mask.tolist())),
        "positions": tuple(model.positions.tolist()),
    }


def test_a_bert_built_inside_the_recording() -> None:
    """transformers pads, ties and fills while it builds: every parameter drawn has its names, and every op drawn ran in forward."""
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=20, max_position_embeddings=8
    )
    with explorer.record() as recording:
        model = transformers.BertForMaskedLM(config)
        tokens = torch.arange(8).reshape(2, 4)
        model(input_ids=tokens, labels=tokens).loss.backward()
    trace = recording.trace
    trace.check()
    named = {name for name, _ in model.named_parameters()}
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == named
    assert all("init" not in (node.source.function if node.source else "") for node in trace.nodes if node.kind == "op")
    assert {node.name for node in trace.nodes if node.kind == "buffer"} == {
        "bert.embeddings.position_ids",
        "bert.embeddings.token_type_ids",
    }
