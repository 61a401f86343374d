"""What autograd does to a tracer: torch itself takes another way where it is watched (T08, T09, T10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import profile

import explorer
from explorer.capture.watched import CAUSES, called
from explorer.model import Finding, Trace
from tests.conformance.reading import op, ops, same, whole


def changes(trace: Trace) -> list[Finding]:
    """The findings that say where watching changed the graph."""
    return [finding for finding in trace.findings if finding.kind == "changed_by_watching"]


def recorded(program: Callable[[], torch.Tensor]) -> Trace:
    """The trace of a program that returns a loss."""
    with explorer.record() as recording:
        program().backward()
    return whole(recording.trace)


# -- T08


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_T08_the_fast_path_stays(layers: int, mode: Callable[[], torch.autograd.grad_mode.no_grad]) -> None:
    """In eval without a graph, TransformerEncoderLayer, -Encoder and MultiheadAttention run their one fast op, watched as unwatched."""
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    model = nn.MultiheadAttention(4, 2, batch_first=True) if layers == 0 else layer if layers == 1 else nn.TransformerEncoder(layer, 2)
    fast = "_native_multi_head_attention" if layers == 0 else "_transformer_encoder_layer_fwd"
    model.eval()
    x = torch.randn(1, 3, 4)

    def run() -> torch.Tensor:
        return model(x, x, x)[0] if layers == 0 else model(x)

    with mode():
        with profile() as profiled:
            plain = run()
        with explorer.record() as recording:
            watched = run()
    trace = whole(recording.trace)
    alone = {event.key: event.count for event in profiled.key_averages()}
    assert [node.op for node in trace.nodes if node.kind == "op"] == [fast] * max(1, layers)
    assert alone[f"aten::{fast}"] == max(1, layers)
    assert torch.equal(plain, watched)
    assert changes(trace) == []


# -- T10


class Turned(nn.Module):
    """Reshapes inside a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2).reshape(2, 4, 3, 1)


def some(*shape: int) -> torch.Tensor:
    """A leaf that needs a gradient."""
    return torch.randn(*shape, requires_grad=True)


def log_probabilities() -> torch.Tensor:
    return some(5, 2, 4).log_softmax(2)


def lstm(packed: bool) -> torch.Tensor:
    x = some(4, 2, 2)
    return nn.LSTM(2, 3)(nn.utils.rnn.pack_padded_sequence(x, [4, 2]))[0].data if packed else nn.LSTM(2, 3)(x)[0]


def attention() -> torch.Tensor:
    x = some(1, 3, 4)
    return nn.MultiheadAttention(4, 2, batch_first=True)(x, x, x)[0]


def einsum() -> torch.Tensor:
    w = some(3, 4)
    return torch.einsum("ij,kj->ik", w, w)


def held() -> torch.Tensor:
    view = some(3, 4, 5).transpose(0, 1).view
    return view(4, 3, 5, 1)


LABELS = torch.tensor([[1, 2, 3], [1, 2, 3]])
LENGTHS = torch.tensor([5, 5]), torch.tensor([3, 3])
# By name: a program, and the cause by which watching changes its graph; most are not changed.
PROGRAMS: dict[str, tuple[Callable[[], torch.Tensor], str | None]] = {
    "einsum": (einsum, "reshape"),
    "reshape": (lambda: some(3, 4, 5).transpose(0, 1).reshape(4, 3, 5, 1), "reshape"),
    "reshape over lines": (
        lambda: (
            some(3, 4, 5)
            .transpose(0, 1)
            .reshape(
                (4, 3, 5, 1),
            )
            .sin()
        ),
        "reshape",
    ),
    "reshape as": (lambda: some(3, 4, 5).transpose(0, 1).reshape_as(torch.ones(4, 3, 5, 1)), "reshape"),
    "reshape with a star": (lambda: some(3, 4, 5).transpose(0, 1).reshape(*[4, 3, 5, 1]), "reshape"),
    "reshape of a slice": (lambda: some(4, 3)[::2].reshape(2, 3, 1), "reshape"),
    "reshape of an expanded one": (lambda: some(1, 3).expand(4, 3).reshape(2, 2, 3), "reshape"),
    "reshape in a module": (lambda: Turned()(some(2, 3, 4)), "reshape"),
    "flatten": (lambda: some(3, 4, 5).permute(2, 0, 1).flatten(1), "reshape"),
    "ctc": (lambda: F.ctc_loss(log_probabilities(), LABELS, *LENGTHS), "ctc_loss"),
    "ctc with plain lengths": (lambda: F.ctc_loss(log_probabilities(), LABELS, (5, 5), (3, 3)), None),
    "reshape in order": (lambda: some(3, 4).reshape(4, 3), None),
    "reshape that copies": (lambda: some(3, 4).t().reshape(12), None),
    "reshape under vmap": (lambda: torch.vmap(lambda a: a.t().reshape(2, 1, 3))(some(2, 3, 2)), None),
    "view": (lambda: some(3, 4, 5).transpose(0, 1).view(4, 3, 5, 1), None),
    "view of a view": (lambda: some(3, 4, 5).transpose(0, 1).view(4, 3, 5, 1).view(4, 3, 5), None),
    "view of what is reshaped": (lambda: some(3, 4).reshape(2, 6).view(some(12).reshape(3, 4).shape), None),
    "view held by a variable": (held, None),
    "view as": (lambda: some(3, 4, 5).transpose(0, 1).view_as(torch.ones(4, 3, 5, 1)), None),
    "unflatten": (lambda: some(12, 5).t().unflatten(1, (3, 4)), None),
    "flatten in order": (lambda: nn.Conv2d(1, 2, 3)(some(1, 1, 5, 5)).flatten(1), None),
    "quantile": (lambda: some(4, 3).quantile(torch.tensor([0.2, 0.4]), dim=0, keepdim=True), None),
    "ravel": (lambda: some(2, 3).t().ravel(), None),
    "linear, 3-D": (lambda: nn.Linear(4, 2)(some(2, 3, 4)), None),
    "linear, 3-D, turned": (lambda: nn.Linear(4, 2)(some(3, 2, 4).transpose(0, 1)), None),
    "linear without bias, 3-D, turned": (lambda: nn.Linear(4, 2, bias=False)(some(3, 2, 4).transpose(0, 1)), None),
    "matmul, 3-D by 2-D, turned": (lambda: some(3, 2, 4).transpose(0, 1) @ some(4, 5), None),
    "matmul, 3-D": (lambda: some(2, 3, 4) @ some(2, 4, 5), None),
    "matmul, 4-D, turned": (lambda: some(2, 3, 2, 4).transpose(1, 2) @ some(2, 5, 2, 4).permute(0, 2, 3, 1), None),
    "matmul, broadcast": (lambda: some(4, 1, 2, 3) @ some(5, 3, 2), None),
    "tensordot": (lambda: torch.tensordot(some(2, 3, 4), some(4, 3, 5), dims=([1, 2], [1, 0])), None),
    "kron": (lambda: torch.kron(some(2, 2), some(2, 2)), None),
    "attention": (attention, None),
    "encoder layer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0)(some(1, 3, 4)), None),
    "lstm": (lambda: lstm(False), None),
    "lstm, packed": (lambda: lstm(True), None),
    "gru": (lambda: nn.GRU(2, 3)(some(4, 1, 2))[0], None),
    "batch norm": (lambda: nn.BatchNorm1d(3)(some(4, 3)), None),
    "group norm": (lambda: nn.GroupNorm(1, 3)(some(4, 3, 2)), None),
    "instance norm": (lambda: nn.InstanceNorm1d(3)(some(4, 3, 2)), None),
    "bilinear": (lambda: nn.Bilinear(2, 3, 4)(some(5, 2), some(5, 3)), None),
    "convolution, turned": (lambda: nn.Conv2d(2, 2, 1)(some(1, 4, 4, 2).permute(0, 3, 1, 2)), None),
    "pixel shuffle": (lambda: F.pixel_shuffle(some(1, 4, 2, 2), 2), None),
    "channel shuffle": (lambda: F.channel_shuffle(some(1, 4, 2, 2), 2), None),
    "unfold": (lambda: F.unfold(some(1, 1, 4, 4), 2), None),
    "cosine": (lambda: F.cosine_similarity(some(3, 4), some(3, 4)), None),
    "cdist": (lambda: torch.cdist(some(3, 2), some(4, 2)), None),
    "repeat": (lambda: some(2).repeat(3, 2), None),
    "multi dot": (lambda: torch.linalg.multi_dot([some(2, 3), some(3, 4), some(4, 2)]), None),
    "cross entropy": (lambda: F.cross_entropy(some(2, 3), torch.tensor([0, 1]), label_smoothing=0.1), None),
    "nll, 2-D": (lambda: F.nll_loss(some(1, 3, 2, 2).log_softmax(1), torch.zeros(1, 2, 2, dtype=torch.long)), None),
    "pooling": (lambda: F.adaptive_avg_pool2d(some(1, 2, 4, 4), 1).flatten(1), None),
    "interpolation": (lambda: F.interpolate(some(1, 1, 4, 4), scale_factor=2, mode="bilinear"), None),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))(some(4, 3)), None),
    "fft": (lambda: torch.fft.rfft(some(8)).abs(), None),
    "complex": (lambda: torch.view_as_complex(some(3, 2)).abs(), None),
}


def unwatched(program: Callable[[], torch.Tensor]) -> Counter[str]:
    """The names of all nodes behind the loss of a program that nobody watches."""
    first = program().abs().sum().grad_fn
    seen, waiting = {first}, [first]
    while waiting:
        for following, _ in waiting.pop().next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return Counter(node.name().rpartition("::")[2] for node in seen)


@pytest.mark.parametrize("name", PROGRAMS)
def test_T10_watching_changes_what_is_in_the_table_and_nothing_else(name: str) -> None:
    """Node names of a watched run are those of an unwatched one, but for the one that the table of causes names; numbers are equal."""
    program, cause = PROGRAMS[name]
    alone = unwatched(program)
    torch.manual_seed(1)
    plain = program().abs().sum()
    torch.manual_seed(1)
    trace = recorded(lambda: program().abs().sum())
    assert trace.loss == plain.item()
    ran = Counter((trace.nodes[number].autograd or "AccumulateGrad") for number in trace.backward)
    other = {"reshape": ("ReshapeAliasBackward0", "ViewBackward0"), "ctc_loss": ("CtcLossBackward0", "CtcLossBackward1")}
    if cause is not None:
        before, after = other[cause]
        assert alone[before]
        ran[before], ran[after] = alone[before], ran[after] - alone[before]
    assert +ran == alone
    if cause is None:
        assert changes(trace) == []


@pytest.mark.parametrize("name", [name for name, (_, cause) in PROGRAMS.items() if cause])
def test_T10_the_effect_is_marked_on_the_trace(name: str) -> None:
    """Where watching changed the graph, a finding says so in both languages, with the line and what the node is called unwatched."""
    program, cause = PROGRAMS[name]
    (finding,) = changes(recorded(lambda: program().abs().sum()))
    assert finding.severity == "info"
    assert finding.source is not None and finding.source.file.endswith("test_autograd_watching.py")
    unwatched_name = {"reshape": "ReshapeAliasBackward0", "ctc_loss": "CtcLossBackward0"}[cause or ""]
    assert unwatched_name in finding.message["en"] and unwatched_name in finding.message["ko"]
    assert "equal" in finding.message["en"]


def test_T10_one_finding_a_cause() -> None:
    """Many reshaped tensors are one finding, at the first line; another cause is another finding."""

    def program() -> torch.Tensor:
        first = some(3, 4, 5).transpose(0, 1).reshape(4, 3, 5, 1).sum()
        second = some(3, 4, 5).transpose(0, 1).reshape(4, 3, 1, 5).sum()
        return first + second + F.ctc_loss(log_probabilities(), LABELS, *LENGTHS)

    found = changes(recorded(program))
    assert len(found) == 2 and found[0].source is not None
    assert found[0].source.expression.endswith(".reshape(4, 3, 5, 1)")


def test_T10_every_cause_has_its_words() -> None:
    """The table of causes and the table of texts name the same causes."""
    from explorer.text import TEXTS

    prefix = "finding.changed_by_watching."
    assert {key.removeprefix(prefix) for key in TEXTS if key.startswith(prefix)} - {"remedy"} == set(CAUSES)


def test_T10_the_op_that_python_calls_is_told_from_others() -> None:
    """`called` knows the attribute that is called in chains, over lines, with inner calls and with stars; a variable tells nothing."""
    import sys

    seen: list[tuple[str, str | None]] = []

    class Any:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def answer(*args: object, **settings: object) -> Any:
                frame = sys._getframe(1)
                seen.append((name, called(frame.f_code, frame.f_lasti)))
                return self

            return answer

    x = Any()
    x.t().view(1).reshape(x.flatten(3), 4)
    (
        x.transpose(0, 1)
        .reshape(
            1,
            2,
        )
        .view(3)
    )
    x.reshape(*[1, 2])
    assert all(name == found for name, found in seen)
    assert [name for name, _ in seen] == "t view flatten reshape transpose reshape view reshape".split()
    view = x.view
    view(1)
    assert seen[-1] == ("view", None)


# -- what must stay as it is although the names differ


def test_T10_einsum_is_drawn_as_it_ran() -> None:
    """`einsum('ij,kj->ik', w, w)` watched: the product, both contributions to w, and a gradient equal to the unwatched one."""
    w = some(3, 4)
    torch.einsum("ij,kj->ik", w, w).sum().backward()
    plain, w.grad = w.grad, None
    trace = recorded(lambda: torch.einsum("ij,kj->ik", w, w).sum())
    (leaf,) = [node for node in trace.nodes if node.kind == "input"]
    same(leaf.gradients[0], plain)
    assert len([edge for edge in trace.edges if edge.source == leaf.id]) == 2
    assert op(trace, "bmm").status == "executed"
    assert {node.autograd for node in ops(trace, "view")} == {"ViewBackward0"}
