"""Saved tensors, as the contract promises them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import torch
from torch import nn

import explorer
from tests.conformance.reading import named, op, whole


def saved(node: Any) -> dict[str, tuple[tuple[int, ...], int, int | None, str]]:
    return {s.name: (s.shape, s.bytes, s.shared_with, s.state) for s in node.saved}


def test_saved_tensors_of_each_op() -> None:
    """What each node keeps: by torch's names, with bytes, state, and the node whose output it is."""
    layer, x = nn.Linear(3, 2), torch.ones(4, 3, requires_grad=True)
    with explorer.record() as recording:
        h = layer(x)
        y = h.tanh()
        y.pow(2).sum().backward(retain_graph=True)
    trace = whole(recording.trace)
    x_node, y_node, turned = named(trace, "x"), named(trace, "y"), op(trace, "t")
    weight = named(trace, "weight")
    mm = saved(named(trace, "h"))
    assert mm["mat1"] == ((4, 3), 48, x_node.id, "kept")
    assert mm["mat2"][0] == (3, 2)
    assert mm["mat2"][2] in (weight.id, turned.id)
    assert mm["mat2"][1] == 24
    assert saved(y_node) == {"result": ((4, 2), 32, y_node.id, "kept")}
    assert saved(op(trace, "pow")) == {"self": ((4, 2), 32, y_node.id, "kept")}
    assert saved(op(trace, "sum")) == {}


def test_lists_of_saved_tensors_are_not_read_after_they_were_freed() -> None:
    """A node clears its list of tensors: what torch gave us of it is not touched then. In a child, as it would crash."""
    program = """
        import gc, torch, explorer
        for _ in range(5):
            with explorer.record() as recording:
                p = torch.arange(12.0).reshape(3, 4).requires_grad_()
                p[p > 5].sum().backward()
            (index,) = [node for node in recording.trace.nodes if node.op == "index"]
            assert [saved.state for saved in index.saved] == ["freed"], index.saved
            gc.collect()
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(explorer.__file__).parent.parent)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_lists_of_saved_tensors_that_are_kept() -> None:
    """With `retain_graph=True` the list is still there, entry by entry, and says so."""
    x, places = torch.arange(4.0, requires_grad=True), torch.tensor([2, 0])
    with explorer.record() as recording:
        x[places].sum().backward(retain_graph=True)
    (kept,) = op(whole(recording.trace), "index").saved
    assert (kept.shape, kept.dtype, kept.bytes, kept.state) == ((2,), "int64", 16, "kept")
    assert kept.shared_with == named(recording.trace, "places").id
