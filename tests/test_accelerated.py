"""Figures of tensors on an accelerator: the same as on the host in every hard case, and few copies.

Nothing here ran on a GPU. The code is the same for every device, so it runs on tensors of the CPU, and on the pretend accelerator of
`tests.toy_device`, which counts the copies to the host.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from explorer.capture import accelerated  # noqa: E402
from explorer.capture.accelerated import figures_on_device  # noqa: E402
from explorer.capture.notes import measure  # noqa: E402
from explorer.model import MOST_VALUES  # noqa: E402
from tests.toy_device import on_toy  # noqa: E402

pytestmark = pytest.mark.torch

NAMES = ("min", "max", "mean", "std", "norm", "zeros", "nans", "infs")
COUNTS = ("zeros", "nans", "infs")


def expected(tensor: Any) -> dict[str, Any]:
    """What the host says of it."""
    note = measure(tensor)
    return {**{name: value for name in NAMES if (value := getattr(note, name)) is not None}, "values": note.values}


def differences(tensors: list[Any], *, relative: float = 1e-12) -> list[str]:
    """Where the figures are not the host's: counts, ends and values exactly, the others to so much."""
    wrong = []
    for number, (tensor, found) in enumerate(zip(tensors, figures_on_device(tensors), strict=True)):
        wanted = expected(tensor)
        if found.keys() != wanted.keys():
            wrong.append(f"{number}: {sorted(found)} instead of {sorted(wanted)}")
            continue
        for name, value in wanted.items():
            if name == "values" and accelerated.SMALL < MOST_VALUES:
                continue  # only a test reduces what is so small
            if name in ("mean", "std", "norm"):
                # a mean of numbers that cancel is as exact as those are large
                scale = max(abs(value), abs(wanted.get("max", 0.0)) if name == "mean" else 0.0)
                close = (
                    found[name] == value or (math.isnan(value) and math.isnan(found[name])) or abs(found[name] - value) <= relative * scale
                )
            elif isinstance(value, float):
                close = found[name] == value or (math.isnan(value) and math.isnan(found[name]))
            else:
                close = str(found[name]) == str(value)  # NaN is not itself
            if not close:
                wrong.append(f"{number}: {name} {found[name]!r} instead of {value!r}")
    return wrong


@pytest.fixture(params=["reduced", "copied"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways: reduced in small pieces however small the tensor, and copied, as on a device without float64."""
    if request.param == "reduced":
        monkeypatch.setattr(accelerated, "SMALL", 0)
        monkeypatch.setattr(accelerated, "PIECE", 7)
    else:
        monkeypatch.setattr(accelerated, "_has_float64", lambda device: False)
        monkeypatch.setattr(accelerated, "LOT", 100)
    return str(request.param)


def hard_cases() -> Iterator[Any]:
    yield torch.arange(24.0).reshape(2, 3, 4)
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2):
        yield torch.tensor([0.5, -1.5, 0.0, -0.0, 2.0, 3.0, 4.0, 0.25, 1.0]).to(dtype)
    yield torch.tensor([1e8 + 1, 1e8 - 1] * 10, dtype=torch.float64)  # float32 would lose it
    yield torch.tensor([1e8, 1e8 + 8, 1e8 - 8] * 10)  # the squares lose the spread
    yield torch.full((30,), 0.1)
    yield torch.tensor([1e160, -2e160, 3e160] * 5, dtype=torch.float64)  # squares overflow
    yield torch.tensor([1e-170, 2e-170, -3e-170] * 5, dtype=torch.float64)  # squares underflow
    yield torch.tensor([1e308, 1e308, 0.9e308] * 5, dtype=torch.float64)  # the sum overflows
    yield torch.full((9,), torch.finfo(torch.float64).max, dtype=torch.float64)  # the mean of what is largest
    yield torch.tensor([1.0, 1.0, -1.0] * 5, dtype=torch.float64) * torch.finfo(torch.float64).max  # so does a distance
    yield torch.tensor([5e-324, 0.0, 1e-310] * 5, dtype=torch.float64)
    yield torch.tensor([1e-45, 3e38, -3e38] * 5)
    for special in ([math.nan], [math.inf], [-math.inf], [math.inf, -math.inf], [math.nan, math.inf]):
        yield torch.tensor([1.0, 0.0, 2.0] * 5 + special)
        yield torch.tensor([1.0, 0.0, 2.0] * 5 + special, dtype=torch.float64)
        yield torch.tensor([1.0, 0.0, 2.0] * 5 + special, dtype=torch.float16)
    yield torch.tensor([True, False, True] * 9)
    yield torch.tensor([2**53 + 1, 2**53 + 3, -(2**62), 2**62 + 7, 2**63 - 1] * 4)
    yield torch.tensor([-(2**63), 2**63 - 1] * 9)
    for dtype in (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64):
        yield torch.tensor([3, 0, 100, 7] * 6).to(dtype)
    for dtype in (torch.uint16, torch.uint32, torch.uint64):
        yield torch.tensor([3, 0, 100, 7] * 6).to(dtype)
    yield torch.tensor([1 + 2j, 0j, -3j, 4.0] * 6)
    yield torch.tensor([1 + 2j, complex(math.nan, math.inf), complex(0, -math.inf)] * 6, dtype=torch.complex128)
    yield torch.tensor([complex(1e200, 1e200), 0j] * 6, dtype=torch.complex128)
    yield torch.tensor([1 + 2j, 3 - 4j] * 6).conj()
    yield torch.tensor([1 + 2j, 3 - 4j] * 6).conj().imag  # a lazy minus sign
    yield torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0)).transpose(0, 2)
    yield torch.randn(9, 8, generator=torch.Generator().manual_seed(1))[::2, 1::3]
    yield torch.tensor([[1.0], [2.0]]).expand(2, 20)
    yield torch.tensor(3.5)
    yield torch.tensor(7)
    yield torch.tensor(2 - 1j)
    yield torch.zeros(0)
    yield torch.zeros(3, 0, 2)
    yield torch.zeros(0, dtype=torch.int64)
    yield torch.zeros(40)
    yield torch._efficientzerotensor((3, 4))
    yield torch.nn.Parameter(torch.linspace(-1, 1, 70))
    yield torch.arange(64.0)
    yield torch.arange(65.0)


def test_hard_cases_are_as_on_the_host(way: str) -> None:
    """Every kind of tensor, in one batch, in either way."""
    assert differences(list(hard_cases())) == []


@pytest.mark.parametrize("case", range(len(list(hard_cases()))))
def test_each_hard_case_alone(case: int, way: str) -> None:
    """What a tensor's figures are does not depend on what else is in the batch."""
    assert differences([list(hard_cases())[case]]) == []


def test_nothing_to_measure() -> None:
    """An empty batch is an empty answer."""
    assert figures_on_device([]) == []


@st.composite
def tensors(draw: st.DrawFn) -> Any:
    """Floats of every magnitude and specialness, with shapes and strides of every kind."""
    dtype = draw(st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.bool]))
    count = draw(st.integers(0, 40))
    if dtype.is_floating_point:
        base = draw(st.sampled_from([0.0, 1.0, 1e8, 1e150, 1e-150]))
        spread = draw(st.sampled_from([1.0, 1e-3, 1e-9]))
        numbers = [
            base * (1 + spread * draw(st.floats(-1, 1))) if draw(st.integers(0, 9)) else draw(st.floats(width=64)) for _ in range(count)
        ]
    else:
        numbers = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=count, max_size=count))
    tensor = torch.tensor(numbers, dtype=torch.float64 if dtype.is_floating_point else torch.int64).to(dtype)
    if count and count % 2 == 0:
        tensor = draw(
            st.sampled_from([tensor, tensor.reshape(2, -1), tensor.reshape(2, -1).t(), tensor[::2], tensor.flip(0), tensor[:1].expand(9)])
        )
    return tensor


@settings(max_examples=150, deadline=None)
@given(st.lists(tensors(), max_size=6), st.sampled_from([(0, 5), (0, 1 << 22), (1 << 14, 1 << 22), (10, 3)]))
def test_any_batch_is_as_on_the_host(batch: list[Any], sizes: tuple[int, int]) -> None:
    """However a batch is made up and wherever the border between small and large lies."""
    before = accelerated.SMALL, accelerated.PIECE
    accelerated.SMALL, accelerated.PIECE = sizes
    try:
        assert differences(batch) == []
    finally:
        accelerated.SMALL, accelerated.PIECE = before


def test_a_large_tensor_is_looked_at_in_pieces() -> None:
    """A tensor of many pieces, contiguous or not, gives the figures of the whole."""
    large = torch.randn(3000, 3001, generator=torch.Generator().manual_seed(0)) + 1000
    assert large.numel() > 2 * accelerated.PIECE
    assert differences([large, large.t(), large[:, ::2]], relative=1e-10) == []


def test_the_users_state_is_untouched() -> None:
    """Random numbers, grad mode, inference mode, autocast and the default device and type neither matter nor change."""
    weight = torch.nn.Parameter(torch.randn(30_000))
    wanted = expected(weight)
    state = torch.get_rng_state()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.enable_grad():
        (found,) = figures_on_device([weight])
        assert torch.is_grad_enabled()
        assert torch.is_autocast_enabled("cpu")
    assert all(math.isclose(found[name], wanted[name], rel_tol=1e-12, abs_tol=1e-12) for name in NAMES)
    with torch.inference_mode(), torch.device("meta"):
        (again,) = figures_on_device([weight])
    assert again == found
    assert torch.equal(torch.get_rng_state(), state)
    assert weight.grad is None
    assert weight._version == 0


def test_copies_to_the_host_are_few() -> None:
    """A batch of ordinary tensors takes two copies, however many there are; one more where some need a second look."""
    printed = on_toy("""
import json, torch
from explorer.capture import accelerated
def count(tensors):
    toy_device.copies.clear()
    figures = accelerated.figures_on_device(tensors)
    return [len(toy_device.copies), [figure["norm"] for figure in figures]]
generator = torch.Generator().manual_seed(0)
small = [torch.randn(3 + n % 50, generator=generator).to("toy") for n in range(200)]
small += [torch.arange(9).to("toy"), torch.ones(4, dtype=torch.complex64).to("toy")]
large = [torch.randn(20_000, generator=generator).to("toy") for _ in range(20)]
careful = [torch.randn(20_000, generator=generator).to("toy") + 1e6, torch.full((20_000,), float("nan")).to("toy")]
print(json.dumps([count(small), count(small + large), count(small + large + careful), count(large), len(toy_device.threads)]))
""")
    only_small, both, hard, only_large, threads = json.loads(printed)
    assert [only_small[0], both[0], hard[0], only_large[0]] == [1, 2, 3, 1]
    assert both[1] == [*only_small[1], *only_large[1]]
    assert threads == 1


def test_the_pretend_device_gives_the_hosts_figures() -> None:
    """Tensors that lie on a device of their own, in both ways, NaN and all."""
    printed = on_toy("""
from tests.test_accelerated import hard_cases, expected
from explorer.capture import accelerated
import torch
wrong = 0
for small in (0, 1 << 14):
    accelerated.SMALL = small
    for tensor in hard_cases():
        if tensor._is_zerotensor() or tensor.is_conj() or tensor.is_neg():
            continue
        (found,) = accelerated.figures_on_device([tensor.detach().to("toy")])
        wanted = expected(tensor)
        exact = ("zeros", "nans", "infs") if small == 0 else ("zeros", "nans", "infs", "values")
        if found.keys() != wanted.keys() or any(str(found[name]) != str(wanted[name]) for name in exact):
            print(tensor, found, wanted)
            wrong += 1
print("wrong", wrong)
""")
    assert printed.splitlines()[-1] == "wrong 0", printed


def test_streams_that_differ_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another stream still computes comes first; the stream that is current, or none, needs no waiting."""

    class Stream:
        def __init__(self) -> None:
            self.waited: list[Any] = []

        def wait_stream(self, other: Any) -> None:
            self.waited.append(other)

    current, other = Stream(), Stream()
    monkeypatch.setattr(torch.accelerator, "current_stream", lambda device: current)
    batch = [torch.ones(3), torch.ones(4), torch.ones(5), torch.ones(6)]
    figures_on_device(batch, streams=[current, other, other, None])
    assert current.waited == [other]


def test_a_device_without_float64_does_not_reduce() -> None:
    """Apple's GPU has no float64: its tensors come to the host whole, where it is."""
    assert not accelerated._has_float64(torch.device("mps"))
    assert accelerated._has_float64(torch.device("cuda:0"))
    assert accelerated._has_float64(torch.device("cpu"))
    assert accelerated.stream_of(torch.ones(1)) is None
    assert not accelerated.is_capturing(torch.ones(1))


def test_a_large_tensor_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its strides, nothing larger than a piece is made on the way."""
    from torch.utils._python_dispatch import TorchDispatchMode

    made: list[int] = []

    class Sizes(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            held = {value.untyped_storage()._cdata for value in args if isinstance(value, torch.Tensor)}
            results = result if isinstance(result, tuple | list) else (result,)
            made.extend(value.numel() for value in results if value.untyped_storage()._cdata not in held)
            return result

    monkeypatch.setattr(accelerated, "SMALL", 100)
    monkeypatch.setattr(accelerated, "PIECE", 1000)
    base = torch.randn(40, 50, 60, generator=torch.Generator().manual_seed(0))
    batch = [base, base.permute(2, 0, 1), base[:, ::2, 1:], base[:1].expand(30, 50, 60), base + 1e6, (base * 9).to(torch.int64)]
    with Sizes():
        figures_on_device(batch)
    assert 100 < max(made) <= 1000
