"""The Python surface, as a program that uses it meets it: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer
from explorer.findings import KINDS, findings
from tests.dummy import dummy_trace


def loss() -> torch.Tensor:
    w = torch.ones(2, requires_grad=True)
    return (w * torch.randn(2)).sum()


def test_a_callable_gets_device_dtype_and_seed() -> None:
    """What a callable takes by keyword it is given, and the trace says so; the caller's random numbers go on as before."""
    got: dict[str, Any] = {}

    def program(*, device: str = "?", dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
        got.update(device=device, dtype=dtype, seed=seed)
        return torch.ones(2, dtype=dtype, requires_grad=True).sum()

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    made = explorer.trace(program, device="cpu", dtype="float64", seed=5).made_with
    assert torch.equal(torch.rand(1), expected)
    assert got == {"device": "cpu", "dtype": torch.float64, "seed": 5}
    assert (made.device, made.dtype, made.seed) == ("cpu", "float64", 5)


def test_a_callable_without_keywords_gets_defaults() -> None:
    """The data type becomes torch's default while it runs, the seed makes it repeatable, and fake computes nothing."""
    first, again = (explorer.trace(loss, dtype="float64", seed=1) for _ in range(2))
    assert first.nodes[0].outputs[0].dtype == "float64"
    assert first.loss == again.loss
    assert torch.get_default_dtype() is torch.float32
    fake = explorer.trace(loss, device="fake")
    assert fake.loss is None
    assert all(note.mean is None for node in fake.nodes for note in node.outputs)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: explorer.trace(loss, device="cuda:7"),
        lambda: explorer.trace(loss, dtype="int9"),
        lambda: explorer.trace(5),  # type: ignore[arg-type]
        lambda: explorer.trace(lambda argument: argument),  # type: ignore[arg-type,misc]
        lambda: explorer.trace(torch.ones(1)),
        lambda: explorer.load(5),  # type: ignore[arg-type]
        lambda: explorer.save(5, "x.trace"),  # type: ignore[arg-type]
        lambda: explorer.export("x", "x.svg"),  # type: ignore[arg-type]
    ],
)
def test_wrong_requests_are_one_sentence(wrong: Callable[[], object]) -> None:
    """Whatever is asked for wrongly, the answer is an ExplorerError of one sentence in both languages."""
    with pytest.raises(explorer.ExplorerError) as raised:
        wrong()
    assert "\n" not in str(raised.value)
    assert raised.value.message("ko") != raised.value.message("en")


def test_options_have_the_command_lines_names(tmp_path: Path) -> None:
    """`lang` is the language of a picture in Python as on the command line."""
    explorer.export(dummy_trace(), tmp_path / "x.svg", lang="ko", theme="dark")
    assert "입력" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_without_torch_tracing_says_so() -> None:
    """Where torch is not installed, explorer.trace and record answer with a sentence."""
    code = "\n".join(
        [
            "import sys; sys.modules['torch'] = None",
            "import explorer",
            "try:",
            "    explorer.trace",
            "except explorer.ExplorerError as refused:",
            "    print(refused)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PyTorch is not installed" in done.stdout


def test_the_loss_is_known_without_statistics() -> None:
    """`values="none"` leaves statistics out, not the loss."""
    trace = explorer.trace(loss, values="none", seed=0)
    assert trace.loss == pytest.approx(explorer.trace(loss, seed=0).loss)
    assert trace.nodes[0].outputs[0].mean is None


def test_a_returned_tensor_that_backward_does_not_reach_has_its_node_named() -> None:
    """A branch that is returned and not part of the loss still tells its autograd node and rule."""

    def program() -> dict[str, torch.Tensor]:
        w = torch.ones(2, requires_grad=True)
        return {"loss": w.sum(), "other": w * 3}

    (node,) = [node for node in explorer.trace(program).nodes if node.op == "mul"]
    assert (node.status, node.reason, node.autograd) == ("not executed", "not reached", "MulBackward0")
    assert node.formula is not None


def first(trace: explorer.Trace, kind: str) -> str | None:
    """The expression that a finding of this kind points to."""
    found = [finding for finding in trace.findings if finding.kind == kind]
    assert len(found) <= 1
    return found[0].source.expression if found and found[0].source else None


def test_where_the_first_nan_and_infinity_arose() -> None:
    """The first op in forward order is named for a NaN or infinite value, the op whose backward made it for a gradient."""

    def values() -> torch.Tensor:
        x = torch.tensor([1.0], requires_grad=True)
        return torch.sqrt(torch.sqrt(x - 2)).sum()

    def gradients() -> torch.Tensor:
        x = torch.tensor([0.0, 4.0], requires_grad=True)
        return torch.where(x > 0, torch.sqrt(x), 0.0).sum()

    def infinity() -> torch.Tensor:
        x = torch.tensor([0.0], requires_grad=True)
        return (1 / x).sum()

    assert first(explorer.trace(values), "nan_forward") == "torch.sqrt(x - 2)"
    trace = explorer.trace(gradients)
    assert first(trace, "nan_gradient") == "torch.sqrt(x)"
    assert first(trace, "nan_forward") is None
    assert first(explorer.trace(infinity), "inf_forward") == "1 / x"


def test_masks_of_infinity_are_no_finding() -> None:
    """Attention masks are filled with minus infinity on purpose: a finite loss and finite gradients give no finding."""

    def program() -> torch.Tensor:
        scores = torch.randn(3, 3, requires_grad=True)
        mask = torch.ones(3, 3, dtype=torch.bool).triu(1)
        return scores.masked_fill(mask, float("-inf")).softmax(-1)[:, 0].sum()

    trace = explorer.trace(program, seed=0)
    assert not trace.findings
    assert findings(trace) == ()
    assert len(KINDS) == len({kind.__name__ for kind in KINDS})


def test_recordings_that_overlap_leave_the_garbage_collector_as_it_was() -> None:
    """Whichever of two recordings on two threads ends first, the thresholds are those from before; the program's own are kept."""
    before = gc.get_threshold()
    for first_out in (0, 1):
        inside, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

        def run(number: int, inside: list[threading.Event] = inside, leave: list[threading.Event] = leave) -> None:
            with explorer.record():
                inside[number].set()
                leave[number].wait(30)

        threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
        for number, thread in enumerate(threads):
            thread.start()
            assert inside[number].wait(30)
        for number in (first_out, 1 - first_out):
            leave[number].set()
            threads[number].join(30)
        assert gc.get_threshold() == before
    try:
        with explorer.record():
            gc.set_threshold(1234, 5, 6)
        assert gc.get_threshold()[0] == 1234
    finally:
        gc.set_threshold(*before)
