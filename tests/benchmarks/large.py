"""Large traces: `python tests/benchmarks/large.py [NODES …]` prints what saving, loading and checking take, in time and in memory.

The trace is made by hand in the proportions of a recording of GPT-2: 1.6 different notes a node (a quarter of the nodes passes on what it
gets, another quarter reads the same figures in another shape), a time of its own for each op, 1.06 edges and 0.44 saved tensors a node,
every sixth node a parameter. Each size is made in one fresh process and read in another, so that nothing is counted twice. Memory is
what the process has resident beyond what it had before; peaks are the system's own (Linux only). Seconds are the processor's.
"""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import explorer
from explorer.model import Accumulated, Edge, Formula, MadeWith, Module, Node, Note, Saved, Source, Time, Trace

SIZES = (10_000, 100_000)
SHAPE, VIEWED = (4, 64, 768), (4, 64, 12, 64)
RULES = {
    "addmm": Formula("self: maybe_multiply(grad, beta.conj())\nmat1: mm_mat1_backward(grad, mat2, mat1)", "derivatives.yaml"),
    "gelu": Formula("self: gelu_backward(grad, self, approximate)", "derivatives.yaml"),
    "native_layer_norm": Formula("input, weight, bias: native_layer_norm_backward(grad, input)", "derivatives.yaml"),
    "add": Formula("self: handle_r_to_c(self.scalar_type(), grad)", "derivatives.yaml"),
}


def made_trace(count: int) -> Trace:
    """A true trace of `count` nodes."""
    draw = random.Random(0)
    sources = [Source("model.py", line, f"        x = self.layer{line}(x)", "forward", 12, 28, line) for line in range(1, 41)]
    modules = [Module("", "Model", None, 0), Module("h", "ModuleList", "", 0)]
    modules += [Module(f"h.{block}", "Block", "h", 1) for block in range(count // 40 + 1)]
    sent, received = flowing(draw, count)
    nodes: list[Node] = []
    for place in range(count):
        leaf = place % 6 == 0
        op, rule = list(RULES.items())[place % len(RULES)]
        name = f"h.{place // 40}.weight{place}" if leaf else None
        nodes.append(
            Node(
                id=place,
                kind="parameter" if leaf else "op",
                name=name,
                names=(name,) if name else (),
                op=None if leaf else op,
                autograd="AccumulateGrad" if leaf else f"{op.title()}Backward0",
                module=f"h.{place // 40}",
                source=None if leaf else sources[place % len(sources)],
                outputs=(following(draw, nodes[-1].outputs[0], place) if place else noted(draw),),
                gradients=(received[place],),
                seeds=(received[place] if place == count - 1 else None,),
                accumulated=Accumulated(None, received[place]) if leaf else None,
                status="executed",
                reason=None,
                saved=(Saved("self", SHAPE, "float32", 786_432, place - 1, "freed"),) if place % 9 in (1, 3, 5, 7) else (),
                formula=None if leaf else rule,
                time=Time() if leaf else Time(draw.uniform(2, 900), draw.uniform(2, 900)),
            )
        )
    edges = [
        Edge(place, 0, place + 1 + reader, reader, term, True) for place, terms in enumerate(sent) for reader, term in enumerate(terms)
    ]
    edges.sort(key=lambda edge: (edge.target, edge.input))
    return Trace(
        title="large",
        partial=False,
        number=1,
        passes=1,
        made_with=MadeWith(explorer.__version__, "2.13.0", "3.11.9", "cpu", "float32", 0),
        loss=0.5,
        modules=tuple(modules),
        nodes=tuple(nodes),
        edges=tuple(edges),
        forward=tuple(node.id for node in nodes if node.kind == "op"),
        backward=tuple(range(count - 1, -1, -1)),
    )


def following(draw: random.Random, before: Note, place: int) -> Note:
    """The note at `place` of a tensor that came out of the one noted before it."""
    if place % 4 == 3:
        return before
    return replace(before, shape=VIEWED) if place % 4 == 2 else noted(draw)


def flowing(draw: random.Random, count: int) -> tuple[list[list[Note]], list[Note]]:
    """What each node is sent by its readers, and their sum: the next node reads every node, every 16th is read by the one after it too."""
    sent: list[list[Note]] = [[] for _ in range(count)]
    received = [noted(draw)] * count
    for place in range(count - 2, -1, -1):
        if place % 16 == 4 and place + 2 < count:
            sent[place] = [noted(draw), noted(draw)]
            received[place] = added(sent[place])
        else:
            sent[place] = [following(draw, received[place + 1], place)]
            received[place] = sent[place][0]
    return sent, received


def noted(draw: random.Random) -> Note:
    """The note of an activation: five figures that no other has, and a count."""
    spread, mean = draw.uniform(0.5, 2), draw.gauss(0, 0.1)
    norm = (spread**2 + mean**2) ** 0.5 * 443.4
    return Note(SHAPE, "float32", "cpu", -4 * spread, 4 * spread, mean, spread, norm, draw.randrange(300), 0, 0)


def added(terms: list[Note]) -> Note:
    """The note of the sum of tensors, as far as their notes tell it."""
    mean = sum(term.mean or 0.0 for term in terms)
    spread = sum((term.std or 0.0) ** 2 for term in terms) ** 0.5
    norm = (spread**2 + mean**2) ** 0.5 * 443.4
    return Note(SHAPE, "float32", "cpu", -4 * spread, 4 * spread, mean, spread, norm, 0, 0, 0)


class Measured:
    """Seconds of a block, and bytes that it left resident and had at most, beyond those before it."""

    seconds = 0.0
    left = 0
    most = 0


@contextmanager
def measured() -> Iterator[Measured]:
    found = Measured()
    gc.collect()
    before = resident()
    with watched() as most:
        begin = time.process_time()
        yield found
        found.seconds = time.process_time() - begin
    gc.collect()
    found.left, found.most = resident() - before, max(most) - before


@contextmanager
def watched() -> Iterator[list[int]]:
    """The system's mark of the highest resident memory, set back at the beginning; where it cannot be, what a thread sees every 2 ms."""
    most = [0]
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        done = threading.Event()
        watcher = threading.Thread(target=lambda: [most.append(resident()) for _ in iter(lambda: done.wait(0.002), True)])
        watcher.start()
        yield most
        done.set()
        watcher.join()
        return
    yield most
    most.append(status("VmHWM"))


def resident() -> int:
    return status("VmRSS")


def status(name: str) -> int:
    """A size that the system knows of this process, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def make(count: int, path: str) -> str:
    """Save a trace and say what that took."""
    trace = made_trace(count)
    with measured() as saving:
        explorer.save(trace, path)
    return f"{saving.seconds:.2f} {saving.most / count:.0f} {os.path.getsize(path) / count:.0f}"


def read(count: int, path: str) -> str:
    """Load the trace, check it, and say what that took."""
    explorer.load(Path(__file__).resolve().parents[2] / "assets/samples/logistic_neuron.trace").check()  # the modules are loaded
    with measured() as loading:
        trace = explorer.load(path)
    assert len(trace.nodes) == count
    with measured() as checking:
        trace.check()
    figures = [loading.seconds, checking.seconds], [loading.left / count, loading.most / count, checking.most / count]
    return " ".join([*(f"{seconds:.2f}" for seconds in figures[0]), *(f"{size:.0f}" for size in figures[1])])


def fresh(*words: object) -> list[str]:
    """What this file prints in a process of its own."""
    command = [sys.executable, __file__, *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def main(sizes: tuple[int, ...]) -> None:
    columns = ("nodes", "save s", "load s", "check s", "file B", "loaded B", "load peak", "check peak", "save peak")
    print("   ".join(f"{name:>10}" for name in columns) + "     (B and peaks: bytes a node)", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            path = os.path.join(folder, f"{count}.trace")
            save_seconds, save_peak, size = fresh("make", count, path)
            load_seconds, check_seconds, loaded, load_peak, check_peak = fresh("read", count, path)
            row = (f"{count:,}", save_seconds, load_seconds, check_seconds, size, loaded, load_peak, check_peak, save_peak)
            print("   ".join(f"{word:>10}" for word in row), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", count, path]:
            print(make(int(count), path))
        case ["read", count, path]:
            print(read(int(count), path))
        case sizes:
            main(tuple(int(size.replace(",", "").replace("_", "")) for size in sizes) or SIZES)
