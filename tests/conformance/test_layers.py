"""Torch's own layers: the same nodes, gradients and numbers as unwatched, every node with its op, its formula and its parameter names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import explorer
from tests.conformance.reading import whole
from tests.conformance.test_autograd_graph import node_names

Program = Callable[[], tuple[nn.Module, torch.Tensor]]


def through(module: nn.Module, *inputs: torch.Tensor) -> tuple[nn.Module, torch.Tensor]:
    """The module, and a loss of its (first) output in which every entry counts differently."""
    output = module(*inputs)
    output = output[0] if isinstance(output, tuple) else output
    weights = torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape)
    return module, (output * weights).sum()


LAYERS: dict[str, Program] = {
    "lstm": lambda: through(nn.LSTM(3, 4, num_layers=2, batch_first=True), torch.randn(2, 5, 3)),
    "gru": lambda: through(nn.GRU(3, 4, bidirectional=True), torch.randn(5, 2, 3)),
    "rnn": lambda: through(nn.RNN(3, 4), torch.randn(5, 2, 3)),
    "lstm cell": lambda: through(nn.LSTMCell(3, 4), torch.randn(2, 3)),
    "attention": lambda: through(nn.MultiheadAttention(8, 2, batch_first=True), *[torch.randn(2, 5, 8)] * 3),
    "encoder layer": lambda: through(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.randn(2, 5, 8)),
    "decoder layer": lambda: through(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), torch.randn(2, 5, 8), torch.randn(2, 3, 8)),
    "convolution": lambda: through(
        nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
        ),
        torch.randn(2, 1, 4, 4),
    ),
    "transposed convolution": lambda: through(nn.ConvTranspose1d(2, 3, 3), torch.randn(2, 2, 5)),
    "norms": lambda: through(nn.Sequential(nn.LayerNorm(6), nn.GroupNorm(2, 6), nn.RMSNorm(6)), torch.randn(3, 6)),
    "embedding": lambda: through(nn.Embedding(7, 3, padding_idx=0), torch.tensor([[0, 3], [3, 6]])),
    "sparse embedding": lambda: through(nn.Embedding(7, 3, sparse=True), torch.tensor([[0, 3], [3, 6]])),
    "embedding bag": lambda: through(nn.EmbeddingBag(7, 3), torch.tensor([[0, 3], [3, 6]])),
    "bilinear": lambda: through(nn.Bilinear(2, 3, 4), torch.randn(5, 2), torch.randn(5, 3)),
    "activations": lambda: through(
        nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.PReLU(), nn.SiLU(), nn.Softplus(), nn.ELU(), nn.Hardtanh(), nn.LeakyReLU(), nn.GLU()),
        torch.randn(3, 4),
    ),
    "weight norm": lambda: through(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), torch.randn(4, 3)),
}


def as_watched(names: Counter[str]) -> Counter[str]:
    """The node names a watched run has: watching turns the reshape that copies nothing into a view (T10)."""
    return Counter("ViewBackward0" if name == "ReshapeAliasBackward0" else name for name in names.elements())


def run(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(4)
    return LAYERS[name]()


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str) -> None:
    """Recorded and unrecorded run are equal in nodes, loss and gradients; every executed op is known by op, formula and source."""
    plain, plain_loss = run(name)
    expected = node_names(plain_loss)
    plain_loss.backward()
    with explorer.record() as recording:
        model, loss = run(name)
        loss.backward()
    trace = whole(recording.trace)
    assert torch.equal(plain_loss, loss)
    assert trace.loss == loss.item()
    ran = [node for node in trace.nodes if node.status == "executed"]
    assert Counter(node.autograd for node in ran if node.kind == "op") == as_watched(expected)
    assert [node.autograd for node in ran if node.kind == "op" and (node.op is None or node.formula is None or node.source is None)] == []
    assert [node.autograd for node in ran if any(note.min is None and note.numel and note.dtype != "uint8" for note in node.outputs)] == []
    names = {name for node in ran if node.kind == "parameter" for name in node.names}
    assert names == {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    for (label, a), (_, b) in zip(plain.named_parameters(), model.named_parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), label
        assert a.grad is None or torch.equal(a.grad.to_dense(), b.grad.to_dense()), label


def losses() -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Loss functions on a (3, 4) prediction."""
    classes, target = torch.tensor([1, 0, 3]), torch.linspace(0.1, 0.9, 12).reshape(3, 4)
    return {
        "cross entropy": lambda p: F.cross_entropy(p, classes, label_smoothing=0.1),
        "mse": lambda p: F.mse_loss(p, target),
        "l1": lambda p: F.l1_loss(p, target),
        "huber": lambda p: F.huber_loss(p, target),
        "bce": lambda p: F.binary_cross_entropy(p.sigmoid(), target),
        "bce with logits": lambda p: F.binary_cross_entropy_with_logits(p, target),
        "kl": lambda p: F.kl_div(p.log_softmax(1), target, reduction="batchmean"),
        "cosine": lambda p: F.cosine_embedding_loss(p, target, torch.tensor([1, -1, 1])),
        "einsum": lambda p: torch.einsum("ij,kj->ik", p, p).sum(),
        "logsumexp": lambda p: p.logsumexp(1).mean(),
        "cumulative": lambda p: (p.cumsum(1) * p.sort(1).values).norm(),
        "masked": lambda p: p.masked_fill(p > 0, 0.5).sum() + p.gather(1, classes[:, None]).sum(),
    }


@pytest.mark.parametrize("name", losses())
def test_loss(name: str) -> None:
    """The gradient of each common loss is that of plain torch, and the record names the same nodes, apart from what watching changes."""

    def run() -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(4)
        prediction = torch.randn(3, 4, requires_grad=True)
        return prediction, losses()[name](prediction)

    plain, plain_loss = run()
    expected = node_names(plain_loss)
    plain_loss.backward()
    with explorer.record() as recording:
        prediction, loss = run()
        loss.backward()
    trace = whole(recording.trace)
    assert torch.equal(plain.grad, prediction.grad)
    ran = [node for node in trace.nodes if node.kind == "op" and node.status == "executed"]
    assert Counter(node.autograd for node in ran) == as_watched(expected)
    assert [node.autograd for node in ran if node.op is None] == []
