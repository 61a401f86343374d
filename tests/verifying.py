"""Programs that tests verify, each small and of another kind, and how they are run with verification on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from explorer.capture.recorder import Recorder
from explorer.model import Checks, NodeCheck, Trace

Program = Callable[[], Any]


def checked(program: Program, *, wanted: int = 1, seed: int = 0) -> Trace:
    """The trace of one pass of `program`, verified."""
    torch.manual_seed(seed)
    recorder = Recorder(title="program", wanted=wanted, check=True)
    with recorder:
        program()
    trace = recorder.traces()[-1]
    trace.check()
    return trace


def checks(trace: Trace) -> Checks:
    """What verification found; it must have run."""
    assert trace.checks is not None
    return trace.checks


def node_checks(trace: Trace) -> dict[str, NodeCheck]:
    """The checks of nodes by the name of their autograd node; of several with the same name the last."""
    return {str(trace.nodes[check.node].autograd): check for check in checks(trace).nodes}


def linear() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    F.mse_loss(model(torch.randn(5, 3)), torch.randn(5, 2)).backward()


def dropout() -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2), nn.AlphaDropout(0.3))
    model(torch.randn(5, 3)).square().mean().backward()


def batch_norm() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sigmoid(), nn.LayerNorm(4))
    model(torch.randn(5, 3)).square().sum().backward()


def convolution() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 3))
    F.cross_entropy(model(torch.randn(2, 2, 8, 8)), torch.tensor([0, 2])).backward()


def lstm() -> None:
    nn.LSTM(3, 4, 2, bidirectional=True)(torch.randn(5, 2, 3))[0].square().sum().backward()


def gru() -> None:
    nn.GRU(3, 4)(torch.randn(4, 2, 3))[0].square().sum().backward()


def gru_cell() -> None:
    nn.GRUCell(3, 4)(torch.randn(2, 3)).square().sum().backward()


def slices() -> None:
    w = torch.randn(3, 4, requires_grad=True)
    a = w * 2
    a[:, 1:3].mul_(3)
    a[0] = w[1].sin()
    a.square().sum().backward()


def attention() -> None:
    q = torch.randn(1, 2, 4, 8, requires_grad=True)
    F.scaled_dot_product_attention(q, q * 2, q.sin(), is_causal=True).square().sum().backward()


def transformer() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model(torch.randn(2, 3, 8)).square().sum().backward()


def autocast() -> None:
    model, x = nn.Linear(3, 3), torch.randn(2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = model(x).sin()
    y.float().sum().backward()


def bfloat16() -> None:
    nn.Linear(3, 3).bfloat16()(torch.randn(2, 3).bfloat16()).tanh().sum().backward()


def complex_numbers() -> None:
    z, w = torch.randn(3, dtype=torch.complex64, requires_grad=True), torch.randn(3, requires_grad=True)
    (z * w).abs().square().sum().backward()


def checkpointed() -> None:
    model, x = nn.Linear(3, 3), torch.randn(2, 3, requires_grad=True)
    checkpoint(lambda x: model(x).tanh(), x, use_reentrant=False).sum().backward()


def checkpointed_reentrant() -> None:
    model, x = nn.Linear(3, 3), torch.randn(2, 3, requires_grad=True)
    checkpoint(lambda x: model(x).tanh(), x, use_reentrant=True).sum().backward()


def retained() -> None:
    w = torch.randn(3, requires_grad=True)
    (w**3).sum().backward(retain_graph=True)


def accumulated() -> None:
    w = torch.randn(3, requires_grad=True)
    w.grad = torch.ones(3)
    (w * w).sum().backward()


def sparse() -> None:
    nn.Embedding(10, 3, sparse=True)(torch.tensor([1, 1, 2])).square().sum().backward()


def vectors() -> None:
    a = torch.randn(3, requires_grad=True)
    torch.autograd.backward([a * 3, a.exp()], [torch.ones(3), torch.ones(3) * 2])


def cuts() -> None:
    a = torch.randn(3, requires_grad=True)
    with torch.no_grad():
        scale = a.abs().max()
    (a.detach() * a.sin() * a[0].item() / scale).sum().backward()


def captured() -> None:
    a, b = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    torch.autograd.grad((a.exp() * b).sum(), [a])


def frozen() -> None:
    body, head = nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Linear(16, 2)
    for parameter in body.parameters():
        parameter.requires_grad_(False)
    F.cross_entropy(head(body(torch.randn(8, 8))), torch.randint(0, 2, (8,))).backward()


def cosine() -> None:
    first, second = nn.Linear(8, 8), nn.Linear(8, 8)
    one, two = torch.randn(2, 4, 8)
    (2 - F.cosine_similarity(second(first(one)), first(two).detach()).mean()).backward()


def double_backward() -> None:
    w = torch.randn(3, requires_grad=True)
    (first,) = torch.autograd.grad(w.pow(3).sum(), w, create_graph=True)
    first.square().sum().backward()


WHOLE: tuple[Program, ...] = (  # of these every node can be run again
    linear,
    frozen,
    cosine,
    dropout,
    batch_norm,
    convolution,
    lstm,
    gru,
    gru_cell,
    slices,
    attention,
    transformer,
    autocast,
    bfloat16,
    complex_numbers,
    retained,
    accumulated,
    sparse,
    vectors,
    cuts,
    captured,
    double_backward,
)
PARTLY: tuple[Program, ...] = (checkpointed, checkpointed_reentrant)


class Tripled(torch.autograd.Function):
    """x², with a backward that says 3x where 2x is right."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return gradient * 3 * x


def wrong_function() -> None:
    w = torch.randn(3, requires_grad=True)
    (Tripled.apply(w.sin()) * 2).sum().backward()
