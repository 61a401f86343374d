"""One measurement of the benchmark, in a process of its own: `python tests/benchmarks/timing.py KIND NAME SECONDS ROUNDS`.

The answer is one line of JSON, the last on standard output. `record.py` starts these and makes a table of them.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import nn

from tests.benchmarks.peers import PEERS
from tests.benchmarks.workloads import WORKLOADS

__all__ = ["memory", "peer", "ratios", "structure"]

WARM = 3  # unmeasured runs of each kind before the first measured one; fewer where one takes long
SAMPLE = 0.01  # seconds: a shorter run is repeated until one sample takes about this long
LEAST = 3  # rounds, however long they take

Inputs = tuple[torch.Tensor, ...]
Answer = dict[str, Any]


def step(model: nn.Module, inputs: Inputs) -> None:
    """What is watched: forward and backward."""
    loss = model(*inputs)
    loss.backward()


class Runs:
    """Timed runs of one workload; gradients are None before each."""

    def __init__(self, name: str) -> None:
        self.model, self.inputs = WORKLOADS[name].made()
        self.making: list[float] = []
        self.nodes = 0

    def plain(self) -> float:
        self.model.zero_grad(set_to_none=True)
        began = time.perf_counter()
        step(self.model, self.inputs)
        return time.perf_counter() - began

    def times(self) -> int:
        """How many plain runs make a sample."""
        return enough(warmed(self.plain))

    def recorded(self, values: str) -> float:
        """Seconds of a recorded run; what it took to make the Trace of it goes to `making`."""
        import explorer

        self.model.zero_grad(set_to_none=True)
        began = time.perf_counter()
        with explorer.record(values=values) as recording:
            step(self.model, self.inputs)
        recorded = time.perf_counter()
        trace = recording.trace
        self.making.append(time.perf_counter() - recorded)
        self.nodes = len(trace.nodes)
        return recorded - began

    def stats(self) -> float:
        return self.recorded("stats")

    def metadata(self) -> float:
        return self.recorded("none")


def rounds(seconds: float, wanted: int) -> Iterator[int]:
    """Counts rounds until the seconds are spent, but at least `LEAST`; with `wanted`, exactly so many."""
    ends = time.perf_counter() + seconds
    for number in count():
        if number >= (wanted or LEAST) and (wanted or time.perf_counter() > ends):
            return
        yield number


def warmed(run: Callable[[], float]) -> list[float]:
    """The seconds of the first runs, which are not measured: torch and the caches get ready in them."""
    found = [run()]
    while len(found) < WARM and sum(found) < 1:
        found.append(run())
    return found


def enough(seconds: Iterable[float]) -> int:
    """How many runs make a sample, going by the quickest of these."""
    return max(1, round(SAMPLE / min(seconds)))


def sample(run: Callable[[], float], times: int) -> float:
    """Mean seconds of a run.

    Before it garbage is collected, so that nobody pays for another's; otherwise the collector is as Python sets it.
    """
    gc.collect()
    return sum(run() for _ in range(times)) / times


def ratios(name: str, *, seconds: float, wanted: int = 0) -> Answer:
    """Recorded with statistics and with metadata only, each over the mean of the plain run before it and the one after."""
    runs = Runs(name)
    kinds = {"stats": runs.stats, "none": runs.metadata}
    times = runs.times()
    for run in kinds.values():
        warmed(run)
    making: dict[str, list[float]] = {kind: [] for kind in kinds}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    plain = [sample(runs.plain, times)]
    for _ in rounds(seconds, wanted):
        for kind, run in kinds.items():
            runs.making.clear()
            took = sample(run, times)
            making[kind].append(statistics.median(runs.making))
            plain.append(sample(runs.plain, times))
            found[kind].append(took / statistics.mean(plain[-2:]))
    return {
        "plain": statistics.median(plain),
        "nodes": runs.nodes,
        **{kind: spread(values) for kind, values in found.items()},
        "trace": {kind: spread(values) for kind, values in making.items()},
    }


def spread(values: Sequence[float]) -> Answer:
    """The median, and the quartiles around it."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return {"median": middle, "quartiles": [low, high], "rounds": len(values)}


def structure(name: str, *, seconds: float, wanted: int = 0) -> Answer:
    """`explorer.trace(loss)` of a loss that has its graph, over the plain run."""
    import explorer

    runs = Runs(name)
    nodes = 0

    def run() -> float:
        nonlocal nodes
        loss = runs.model(*runs.inputs)
        gc.collect()
        began = time.perf_counter()
        trace = explorer.trace(loss)
        took = time.perf_counter() - began
        nodes = len(trace.nodes)
        return took

    warmed(runs.plain)
    warmed(run)
    plain, found = [], []
    for _ in rounds(seconds, wanted):
        plain.append(sample(runs.plain, 1))
        found.append(run())
    return {
        "plain": statistics.median(plain),
        "nodes": nodes,
        "ratio": spread([took / alone for took, alone in zip(found, plain, strict=True)]),
        "seconds_a_node": spread([took / nodes for took in found]),
    }


def peer(name: str, tool: str, *, seconds: float, wanted: int = 0) -> Answer:
    """A peer from the model to its graph, over plain forward and backward.

    The plain runs come first: torchlens wraps torch's functions for good. The peer is warmed up on the smallest model, for some take long.
    """
    runs = Runs(name)
    times = runs.times()
    plain = statistics.median(sample(runs.plain, times) for _ in range(wanted or 5))
    PEERS[tool](*WORKLOADS["mlp"].made())

    def run() -> float:
        runs.model.zero_grad(set_to_none=True)
        began = time.perf_counter()
        result = PEERS[tool](runs.model, runs.inputs)
        took = time.perf_counter() - began
        del result
        return took

    found = []
    ends = time.perf_counter() + seconds
    times = enough([run()])
    for _ in range(wanted or 9):
        found.append(sample(run, times) / plain)
        if time.perf_counter() > ends:
            break
    return {"ratio": spread(found)}


def memory(name: str, *, recorded: bool) -> Answer:
    """The most memory this process ever held (VmHWM), in bytes, after three runs; recorded ones make their Trace too.

    `explorer` is imported only where something is recorded: what its import takes is part of the price.
    """
    runs = Runs(name)
    for _ in range(3):
        if recorded:
            runs.stats()
        else:
            runs.plain()
    return {"peak": _peak()}


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmHWM in /proc/self/status")


def main(kind: str, name: str, seconds: float, wanted: int) -> Answer:
    if kind == "ratios":
        return ratios(name, seconds=seconds, wanted=wanted)
    if kind == "structure":
        return structure(name, seconds=seconds, wanted=wanted)
    if kind in ("peak", "peak_recorded"):
        return memory(name, recorded=kind == "peak_recorded")
    return peer(name, kind, seconds=seconds, wanted=wanted)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    try:
        answer = main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    except Exception as error:
        answer = {"error": type(error).__name__, "message": str(error)[:400]}
    print("\n" + json.dumps(answer), flush=True)
    os._exit(0)  # destroying what a peer built can take longer than building it, or overflow the stack
