"""What autograd does to a tracer: every tensor gets an exact note (T33)."""

from __future__ import annotations

import cmath
import math

import pytest
import torch

import explorer
from explorer.model import Note
from tests.conformance.reading import named, same, whole

REAL = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
WHOLE = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


def oracle(value: torch.Tensor) -> dict[str, float | int | None]:
    """The statistics of a real tensor in float64, by plain torch."""
    if value.numel() == 0:
        return dict.fromkeys(("min", "max", "mean", "std", "norm")) | {"zeros": 0, "nans": 0, "infs": 0}
    wide = value.detach().double()
    return {
        "min": wide.min().item(),
        "max": wide.max().item(),
        "mean": wide.mean().item(),
        "std": wide.std(correction=0).item(),
        "norm": wide.norm().item(),
        "zeros": int((wide == 0).sum()),
        "nans": int(wide.isnan().sum()),
        "infs": int(wide.isinf().sum()),
    }


def noted(note: Note, value: torch.Tensor) -> None:
    """The note is of `value`: kind, statistics as the oracle says, values where there are at most 64."""
    assert (note.shape, note.dtype, note.device) == (tuple(value.shape), str(value.dtype).removeprefix("torch."), "cpu")
    for statistic, expected in oracle(value).items():
        got = getattr(note, statistic)
        if expected is None:
            assert got is None, (statistic, got)
        elif isinstance(expected, int):
            assert got == expected, (statistic, got, expected)
        else:
            assert got is not None, statistic
            both_nan = math.isnan(expected) and math.isnan(got)
            assert both_nan or math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-12), (statistic, got, expected)
    if value.numel() <= 64:
        same(note, value)
    else:
        assert note.values is None


@pytest.mark.parametrize("dtype", REAL, ids=str)
def test_T33_real_tensors(dtype: torch.dtype) -> None:
    """Every floating type and shape, 0-d and empty ones too, gets an exact note forward and backward."""
    for shape in [(), (0,), (2, 0, 3), (1,), (3, 4), (8, 8), (13, 5)]:
        x = torch.randn(shape).to(dtype).requires_grad_()
        with explorer.record() as recording:
            y = x * 3
            y.sum().backward()
        trace = whole(recording.trace)
        noted(named(trace, "x").outputs[0], x)
        noted(named(trace, "y").outputs[0], y)
        noted(named(trace, "x").gradients[0], x.grad)


@pytest.mark.parametrize("dtype", [*WHOLE, torch.bool], ids=str)
def test_T33_integers_and_booleans(dtype: torch.dtype) -> None:
    """Integer and bool tensors get exact notes and no gradient."""
    for shape in [(), (0,), (3, 4), (9, 8)]:
        x = torch.ones(shape, requires_grad=True)
        source = torch.randint(0, 2 if dtype == torch.bool else 100, shape).to(dtype)
        with explorer.record() as recording:
            flipped = source.flip(0) if shape else source.clone()
            loss = (x * flipped).sum()
            loss.backward()
        trace = whole(recording.trace)
        node = named(trace, "flipped")
        noted(node.outputs[0], flipped)
        assert (node.status, node.gradients) == ("no gradient", (None,))
        noted(named(trace, "x").gradients[0], x.grad)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_T33_complex_tensors(dtype: torch.dtype) -> None:
    """A complex tensor gets a note: shape, type and values as Python writes them; no made-up order statistics."""
    x = torch.tensor([1 + 2j, 0j, -3.5j], dtype=dtype, requires_grad=True)
    with explorer.record() as recording:
        y = x * 2j
        y.abs().sum().backward()
    trace = whole(recording.trace)
    for node, value in ((named(trace, "x"), x), (named(trace, "y"), y)):
        note = node.outputs[0]
        assert (note.shape, note.dtype, note.min, note.max) == ((3,), str(dtype).removeprefix("torch."), None, None)
        assert all(isinstance(entry, str) for entry in note.values)
        assert [complex(entry) for entry in note.values] == value.tolist()
    gradient = named(trace, "x").gradients[0]
    assert all(cmath.isclose(complex(a), b, rel_tol=1e-6) for a, b in zip(gradient.values, x.grad.tolist(), strict=True))


def test_T33_non_contiguous_tensors() -> None:
    """A transposed, a strided, an expanded and a flipped view are noted as they read, not as they lie in memory."""
    x = torch.arange(12.0).reshape(3, 4).requires_grad_()
    with explorer.record() as recording:
        turned = x.t()
        every_second = turned[::2]
        wide = every_second[:, :1].expand(2, 50)
        loss = (turned * 2).sum() + every_second.flip(1).exp().sum() + wide.sum()
        loss.backward()
    trace = whole(recording.trace)
    for name, value in (("turned", turned), ("every_second", every_second), ("wide", wide)):
        assert name in {n for node in trace.nodes for n in node.names}
        noted(named(trace, name).outputs[0], value)
    noted(named(trace, "x").gradients[0], x.grad)


def test_T33_not_finite_numbers() -> None:
    """NaN and infinities are counted and carried into the statistics as float64 torch would."""
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-45, 2.0], requires_grad=True)
    with explorer.record() as recording:
        y = x.clone()
        finite = y[3:]
        (finite.sum() + y.sum()).backward()
    trace = whole(recording.trace)
    noted(named(trace, "y").outputs[0], y)
    noted(named(trace, "finite").outputs[0], finite)
    noted(named(trace, "x").gradients[0], x.grad)


def test_T33_extreme_numbers_are_exact() -> None:
    """Small spread around a large mean, huge and tiny values, and 1e8 ± 1 as integers keep their statistics."""
    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    with explorer.record() as recording:
        shifted = torch.tensor([1e8 - 1, 1e8, 1e8 + 1], dtype=torch.float64) * x
        huge = torch.tensor([1e200, -1e200, 1e199], dtype=torch.float64) * x
        tiny = torch.tensor([1e-200, 3e-200, -1e-200], dtype=torch.float64) * x
        counted = torch.tensor([99_999_999, 100_000_000, 100_000_001]).flip(0)
        (shifted.sum() + huge.sum() + tiny.sum() + (x * counted).sum()).backward()
    trace = whole(recording.trace)
    for name, value in (("shifted", shifted), ("counted", counted)):
        noted(named(trace, name).outputs[0], value)
    for name, size in (("huge", 1e200), ("tiny", 1e-200)):
        note = named(trace, name).outputs[0]
        scaled = named(trace, name).outputs[0].values
        expected = torch.tensor([v / size for v in scaled], dtype=torch.float64)
        assert math.isclose(note.norm / size, expected.norm().item(), rel_tol=1e-9)
        assert math.isclose(note.std / size, expected.std(correction=0).item(), rel_tol=1e-9)


def test_what_an_op_was_given_beside_tensors() -> None:
    """Numbers, dimensions and words stand by their names in the op's schema; defaults that nobody wrote do not, nor do tensors."""
    w = torch.ones(3, 4, requires_grad=True)
    with explorer.record() as recording:
        total = (w * 2.0 * True).sum(-1, keepdim=True)
        torch.cat([total, w], 1)[None, :, torch.tensor([1, 2])].to(torch.float64).mean().backward()
    given = {node.op: dict(node.arguments) for node in recording.trace.nodes if node.op is not None}
    assert [dict(node.arguments) for node in recording.trace.nodes if node.op == "mul"] == [{"other": 2.0}, {"other": True}]
    assert given["mul"]["other"] is True
    assert given["sum"] == {"dim": (-1,), "keepdim": True}
    assert given["mean"] == {}
    assert given["cat"] == {"dim": 1}
    assert given["index"] == {"indices": (None, None, "tensor")}
    assert given["_to_copy"] == {"dtype": "float64"}
