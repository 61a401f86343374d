"""Bad input: whatever modules do, whatever they are called, and whatever becomes of Graphviz, there is a whole picture, and soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import explorer
from explorer import engine
from explorer.model import Edge, Module, Trace
from explorer.picture import placing
from explorer.picture.drawing import Sketch, sketch
from explorer.view import make_view
from tests.dummy import chain_trace, dummy_trace
from tests.test_geometry import fan_trace, faults, in_modules
from tests.test_view import residual_trace

SOON = 5.0  # seconds


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each picture is laid out anew."""
    placing.forget()
    yield
    placing.forget()


def drawn(trace: Trace, **options: Any) -> Sketch:
    """The picture, made within `SOON`, in which all hold together; every node is in a box."""
    began = time.monotonic()
    found = sketch(make_view(trace, **options), caption=True)
    assert time.monotonic() - began < SOON
    assert list(faults(found)) == []
    assert sorted(found.view.box_of) == list(range(len(trace.nodes)))
    return found


def recorded(model: Any, *given: torch.Tensor) -> Trace:
    """The trace of one pass."""
    with explorer.record() as recording:
        model(*given).sum().backward()
    return recording.trace


# -- modules that are not called as a tree ------------------------------------------------------------------------------------------


class Direct(nn.Module):
    """Calls `forward` of a part itself, in turns with calling the part."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(3):
            x = self.other(self.one.forward(self.one(x))).relu() + self.one.forward(x)
        return x


class Recursive(nn.Module):
    """Calls itself."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor, depth: int = 6) -> torch.Tensor:
        return x if depth == 0 else self(self.step(x).tanh(), depth - 1) + x


class Checkpointed(nn.Module):
    """Runs its parts a second time in backward."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.Tanh())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = checkpoint(self.one, x, use_reentrant=True)
        return checkpoint(self.other, x, use_reentrant=False)


@pytest.mark.parametrize("model", [Direct, Recursive, Checkpointed])
@pytest.mark.parametrize("options", [{}, {"expand": "all"}, {"depth": 0}, {"compact": True, "expand": "all"}], ids=str)
def test_modules_that_call_each_other_as_they_like(model: type[nn.Module], options: dict[str, Any]) -> None:
    """`m.forward` called directly, a module inside itself, and parts that run again in backward."""
    drawn(recorded(model(), torch.ones(2, 3, requires_grad=True)), **options)


def test_a_module_called_500_times() -> None:
    """Each call is a box of its own, folded with its neighbours; one opened, or all, is still a picture."""
    paths = ["", *(word for _ in range(500) for word in ("cell", "cell", "cell.gate", ""))]
    trace = in_modules(chain_trace(len(paths) - 1), paths[: len(chain_trace(len(paths) - 1).nodes)])
    first = drawn(trace)
    assert sum(not box.hosts for box in first.view.boxes) <= 60
    drawn(trace, opened=tuple(box.id for box in first.view.boxes if box.kind == "segment")[:3])
    assert drawn(trace, expand="all").view.boxes


def test_ten_thousand_children_in_one_module() -> None:
    """They are folded, and a fold that is opened is folded again."""
    count = 10_000
    trace = in_modules(chain_trace(count), ["", *(f"layers.{number}" for number in range(count))])
    first = drawn(trace)
    assert sum(not box.hosts for box in first.view.boxes) <= 60
    fold = next(box for box in first.view.boxes if box.parts)
    assert drawn(trace, opened=(fold.id,)).view.clusters


def test_a_fan_in_of_a_thousand() -> None:
    """One value read by 1,000 ops that one op reads: more lines than one call of Graphviz may see."""
    trace = fan_trace(readers=1000)
    assert drawn(trace).placed.boxes
    assert drawn(trace, compact=False, expand="all").placed.boxes


@pytest.mark.parametrize("path", ["n1", "m1", "cluster_m1", "e0", "a.a.a", "graph0", "<b>", "가중치", " ", "x" * 5000])
def test_names_that_collide(path: str) -> None:
    """A module may be called as we call our boxes, or as its parent."""
    trace = dummy_trace()
    inside = [path if node.kind == "op" else "" for node in trace.nodes]
    found = drawn(in_modules(trace, inside), expand="all")
    names = (
        [box.id for box in found.view.boxes] + [cluster.id for cluster in found.view.clusters] + [arrow.id for arrow in found.view.arrows]
    )
    assert len(names) == len(set(names))


def test_modules_that_hold_nothing() -> None:
    """A module in which nothing ran is no box; a trace without modules and one without nodes are pictures too."""
    trace = in_modules(dummy_trace(), [""] * len(dummy_trace().nodes))
    empty = replace(trace, modules=(*trace.modules, Module("never", "Linear", "", 9), Module("never.inner", "ReLU", "never", 0)))
    assert {cluster.id for cluster in drawn(empty, expand="all").view.clusters} == set()
    assert drawn(dummy_trace()).view.clusters == ()
    nothing = replace(trace, nodes=(), edges=(), forward=(), backward=(), loss=None, modules=())
    assert drawn(nothing).view.boxes == ()


def test_everything_reads_everything() -> None:
    """60 ops, each of which reads all before it."""
    trace = chain_trace(60)
    edges = [Edge(source, 0, target, source, None, True) for target in range(1, len(trace.nodes)) for source in range(target)]
    drawn(replace(trace, edges=tuple(edges)), expand="all")


# -- Graphviz ------------------------------------------------------------------------------------------------------------------------


def helper_pid() -> int:
    """The process of a running Graphviz."""
    engine.place("digraph { a }", "svg")
    process = engine._helper(all_fonts=False).process
    assert process is not None
    return process.pid


@pytest.mark.skipif(engine.engine() != "pygraphviz" or not hasattr(signal, "SIGSTOP"), reason="it is the helper process that is hit")
def test_graphviz_hangs_in_the_middle() -> None:
    """A process that does not answer any more is ended after two seconds; the picture is whole."""
    os.kill(helper_pid(), signal.SIGSTOP)
    drawn(residual_trace(blocks=12, ops=10), expand="all")


@pytest.mark.skipif(engine.engine() != "pygraphviz" or not hasattr(signal, "SIGSTOP"), reason="it is the helper process that is hit")
def test_graphviz_is_killed_while_it_is_asked() -> None:
    """A process from before that ends under a question is no reason to fail: a new one answers."""
    pid = helper_pid()
    os.kill(pid, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    assert b"<svg" in engine.place("digraph { a }", "svg")
    killer.join()
    assert helper_pid() != pid


@pytest.mark.skipif(engine.engine() != "pygraphviz", reason="it is the helper process that is hit")
def test_graphviz_is_killed_in_the_middle() -> None:
    """Killed before, and again and again while a picture is made."""
    os.kill(helper_pid(), signal.SIGKILL)
    drawn(residual_trace(blocks=12, ops=10), expand="all")
    placing.forget()
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.01):
            process = engine._helper(all_fonts=False).process
            if process is not None and process.poll() is None:
                process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        drawn(residual_trace(blocks=12, ops=10), expand="all")
    finally:
        over.set()
        killer.join()
    assert engine.place("digraph { a }", "svg")


def test_graphviz_is_absent() -> None:
    """Neither pygraphviz nor graphviz-pure nor a `dot`: a whole picture in SVG, PNG and PDF."""
    code = """
import sys, time
sys.modules["pygraphviz"] = None
from explorer import engine, layout
from explorer.view import make_view
from tests.dummy import dummy_trace
engine._program = lambda name: None
engine.importlib.util.find_spec = lambda name, real=engine.importlib.util.find_spec: None if name == "pygraphviz" else real(name)
began = time.monotonic()
view = make_view(dummy_trace(modules=True), expand="all")
text = layout.draw(view, "svg").decode()
assert all(f'id="{box.id}"' in text for box in view.boxes)
assert layout.draw(view, "png").startswith(b"\\x89PNG") and layout.draw(view, "pdf").startswith(b"%PDF")
assert time.monotonic() - began < 5
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
