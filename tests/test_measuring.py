"""What is measured late, in batches, is what would have been measured at once."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from explorer.capture import measuring  # noqa: E402
from explorer.capture.measuring import Meter  # noqa: E402
from explorer.capture.notes import measure  # noqa: E402
from explorer.model import Note  # noqa: E402

pytestmark = pytest.mark.torch

NAN, INF = float("nan"), float("inf")
HARD = {
    "empty": torch.empty(0, 3),
    "one": torch.tensor(3.0),
    "negative zero": torch.tensor([-0.0]),
    "zeros": torch.zeros(5),
    "constant": torch.full((7,), 0.1),
    "nan": torch.tensor([NAN, 1.0]),
    "inf": torch.tensor([INF, 1.0]),
    "both infinities": torch.tensor([INF, -INF, 0.0]),
    "small spread around a large mean": torch.tensor([1e8 + 1, 1e8 - 1], dtype=torch.float64),
    "squares underflow": torch.tensor([1e-200, 2e-200], dtype=torch.float64),
    "spread underflows": torch.tensor([1.0, 1.0 + 2**-52], dtype=torch.float64) * 1e-150,
    "squares overflow float32": torch.full((9,), 3e38),
    "squares overflow": torch.tensor([1e200, -1e200, 1.0], dtype=torch.float64),
    "sum overflows": torch.full((4,), 1.7e308, dtype=torch.float64),
    "subnormal": torch.tensor([1e-45, 0.0, -1e-45]),
    "half": torch.randn(2, 3, 4).half(),
    "largest half": torch.full((3,), 65504.0, dtype=torch.float16),
    "bfloat16": torch.randn(4, 4).bfloat16(),
    "transposed": torch.randn(3, 5).t(),
    "expanded": torch.randn(3, 1).expand(3, 4),
    "slice": torch.randn(10)[::3],
    "more than 64": torch.randn(5, 13),
    "integers": torch.arange(6).reshape(2, 3),
    "large integers": torch.tensor([2**60, -(2**60) + 1]),
    "booleans": torch.tensor([True, False]),
    "complex": torch.randn(3, dtype=torch.complex64),
    "conjugate": torch.randn(3, dtype=torch.complex64).conj(),
    "large": torch.randn(9000),
    "parameter": torch.nn.Parameter(torch.randn(4)),
    "deep": torch.randn(2, 1, 2, 1, 2),
    "meta": torch.randn(3, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
}


def same(found: Note, expected: Note) -> bool:
    """Shape, type, counts, extremes and values exactly; mean, spread and norm to twelve digits, the mean against the norm."""
    exact = ("shape", "dtype", "device", "min", "max", "zeros", "nans", "infs", "values")
    if any(repr(getattr(found, name)) != repr(getattr(expected, name)) for name in exact):
        return False
    scale = abs(expected.norm or 0.0) if math.isfinite(expected.norm or 0.0) else 0.0
    return all(close(getattr(found, name), getattr(expected, name), scale) for name in ("mean", "std", "norm"))


def close(a: Any, b: Any, scale: float) -> bool:
    return repr(a) == repr(b) or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15 * scale))


@pytest.mark.parametrize("name", HARD)
def test_alone(name: str) -> None:
    """A tensor held by itself gets the Note that `measure` makes of it."""
    meter = Meter(statistics=True)
    ticket = meter.hold(HARD[name])
    meter.flush()
    assert same(meter.note(ticket), measure(HARD[name]))


def test_together() -> None:
    """All of them in one batch, in any company, keep their own Notes."""
    meter = Meter(statistics=True)
    tensors = [tensor for _ in range(3) for tensor in HARD.values()]
    tickets = [meter.hold(tensor) for tensor in tensors]
    meter.flush()
    wrong = [name for name, ticket in zip(list(HARD) * 3, tickets, strict=True) if not same(meter.note(ticket), measure(HARD[name]))]
    assert wrong == []


def test_over_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where a batch is full every few tensors."""
    monkeypatch.setattr(measuring, "BATCH", 100)
    tensors = [torch.randn(size) for size in range(1, 120)]
    meter = Meter(statistics=True)
    tickets = [meter.hold(tensor) for tensor in tensors]
    meter.flush()
    assert all(same(meter.note(ticket), measure(tensor)) for ticket, tensor in zip(tickets, tensors, strict=True))


def test_without_statistics() -> None:
    """Then shape, data type and device are noted, and nothing is held."""
    meter = Meter(statistics=False)
    note = meter.note(meter.hold(torch.ones(2, 3)))
    assert (note.shape, note.dtype, note.device, note.min, note.values) == ((2, 3), "float32", "cpu", None, None)


def test_what_is_about_to_be_written_to_is_copied() -> None:
    """`protect` keeps what is held of a storage, through whichever view it is named; other storages are not copied."""
    meter = Meter(statistics=True)
    base, other = torch.zeros(4), torch.ones(4)
    tickets = [meter.hold(base), meter.hold(base[1:]), meter.hold(other)]
    meter.protect([base.view(2, 2)])
    base.add_(1)
    other.add_(1)
    meter.flush()
    assert [meter.note(ticket).values for ticket in tickets] == [(0.0,) * 4, (0.0,) * 3, (2.0,) * 4]


def test_a_change_that_only_the_version_tells() -> None:
    """What changed unseen is outlined; its old numbers are gone, and the new ones are not its own."""
    meter = Meter(statistics=True)
    tensor = torch.zeros(4)
    ticket = meter.hold(tensor, counted=True)
    tensor.add_(1)
    meter.flush()
    note = meter.note(ticket)
    assert (note.shape, note.min, note.values) == ((4,), None, None)


def test_what_has_lost_its_storage_is_outlined() -> None:
    """A storage that was resized to nothing meanwhile is not read."""
    meter = Meter(statistics=True)
    tensor = torch.ones(4)
    ticket = meter.hold(tensor)
    tensor.untyped_storage().resize_(0)
    meter.flush()
    assert meter.note(ticket).min is None


def test_the_same_elements_in_another_order() -> None:
    """`share` takes over the figures, with the shape of its own; small tensors list their values in their own order."""
    meter = Meter(statistics=True)
    large, small = torch.randn(9, 11), torch.randn(2, 3)
    tickets = [meter.share(tensor.t(), meter.hold(tensor)) for tensor in (large, small)]
    tickets.append(meter.share(large.reshape(-1), measure(large)))
    meter.flush()
    assert all(
        same(meter.note(ticket), measure(tensor)) for ticket, tensor in zip(tickets, (large.t(), small.t(), large.reshape(-1)), strict=True)
    )


def test_forgetting() -> None:
    """Tickets before a point are gone, later ones are not, even if they share figures with one that is."""
    meter = Meter(statistics=True)
    tensor = torch.randn(10, 10)
    first = meter.hold(tensor)
    point = meter.next
    shared, later = meter.share(tensor.t(), first), meter.hold(torch.ones(3))
    meter.forget(point)
    assert same(meter.note(shared), measure(tensor.t()))
    assert same(meter.note(later), measure(torch.ones(3)))
    assert meter.next == later + 1


def test_nothing_of_the_users_is_touched() -> None:
    """Storages stay resizable, versions stay, no graph is made, and nothing is held any more."""
    meter = Meter(statistics=True)
    tensor = torch.randn(6, requires_grad=True)
    view = tensor.view(2, 3)
    meter.hold(tensor), meter.hold(view, copy=True)
    meter.flush()
    assert (tensor._version, tensor.grad_fn, tensor.grad) == (0, None, None)
    plain = torch.ones(4)
    meter.hold(plain)
    meter.flush()
    plain.untyped_storage().resize_(0)


def test_a_batch_may_be_measured_from_another_thread() -> None:
    """While one thread holds, another flushes: every Note is right."""
    meter, over = Meter(statistics=True), threading.Event()

    def flush() -> None:
        while not over.is_set():
            meter.flush()

    thread = threading.Thread(target=flush)
    thread.start()
    tensors = [torch.full((3,), float(number)) for number in range(3000)]
    tickets = []
    for tensor in tensors:
        tickets.append(meter.hold(tensor))
        meter.protect([tensor])
    over.set()
    thread.join()
    meter.flush()
    assert [meter.note(ticket).mean for ticket in tickets] == [float(number) for number in range(3000)]
