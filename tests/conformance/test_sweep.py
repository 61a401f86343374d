"""A few architectures of each kind from the sweep; `python tests/benchmarks/sweep.py` has all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

import explorer
from explorer.model import Trace
from tests.benchmarks.architectures import ARCHITECTURES, architecture
from tests.benchmarks.sweep import CHOSEN, MODES, Run, faults, run, sweep

pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are faster on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_an_architecture_is_recorded_right(name: str) -> None:
    """In train and eval mode, built before or while recording: every name, sum and formula is there, and nothing is changed by it."""
    result = sweep(architecture(name), modes=MODES, drawn=MODES[:1])
    assert result.verdict == "passed", "\n".join(result.causes)
    assert not result.causes
    assert result.nodes > 50


def without_a_name(trace: Trace) -> Trace:
    """The first parameter is called something else."""
    return with_node(trace, "parameter", names=("other",))


def without_a_formula(trace: Trace) -> Trace:
    """One op has no rule."""
    return with_node(trace, "op", formula=None)


def without_a_gradient(trace: Trace) -> Trace:
    """The first parameter got nothing."""
    return with_node(trace, "parameter", gradients=(None,))


def without_an_edge_sum(trace: Trace) -> Trace:
    """Nothing came along any edge."""
    return replace(trace, edges=tuple(replace(edge, gradient=None) for edge in trace.edges))


def without_the_last_step(trace: Trace) -> Trace:
    """One node of the engine's order is missing."""
    return replace(trace, backward=trace.backward[:-1])


def with_node(trace: Trace, kind: str, **changes: Any) -> Trace:
    """The trace with its first executed node of a kind changed."""
    node = next(node for node in trace.nodes if node.kind == kind and node.status == "executed")
    return replace(trace, nodes=tuple(replace(one, **changes) if one.id == node.id else one for one in trace.nodes))


@pytest.fixture(scope="module")
def recorded() -> tuple[Trace, Run, Run]:
    """The U-Net's record, its run unwatched and its run watched."""
    unet = architecture("unet")
    plain, recording = run(unet, "train"), explorer.record()
    watched = run(unet, "train", recording=recording)
    return recording.trace, plain, watched


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (without_a_name, "parameters"),
        (without_a_formula, "formula"),
        (without_a_gradient, "parameters"),
        (without_an_edge_sum, "check"),
        (without_the_last_step, "graph"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_sweep_finds_what_is_wrong(recorded: tuple[Trace, Run, Run], spoil: Callable[[Trace], Trace], kind: str) -> None:
    """A record that lacks something is found out; the same record whole is not."""
    trace, plain, watched = recorded
    assert not [*faults(trace, plain, watched.model)]
    assert kind in {fault.partition(":")[0] for fault in faults(spoil(trace), plain, watched.model)}


def test_the_table_is_wide() -> None:
    """At least 60 architectures of nine kinds stand in the table, each once."""
    names = [one.name for one in ARCHITECTURES]
    assert len(names) == len(set(names)) >= 60
    assert len({one.kind for one in ARCHITECTURES}) >= 9
    assert set(CHOSEN) <= set(names)
