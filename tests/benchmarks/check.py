"""What verification costs: each backward node run again, over a plain backward of the same model; and how much of a model it reaches.

    python tests/benchmarks/check.py                 # all rows
    python tests/benchmarks/check.py "GPT-2 2 × 64"  # one

Runs of both kinds alternate in one process, one CPU thread; the least of each counts, as other work on the machine only adds. The time of
verification is that of its calls within the recorded run. Differences are left out: their time is set, see `explorer.capture.numeric`.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from explorer.capture import checks
from explorer.capture.recorder import Recorder
from explorer.capture.rerun import Rerun
from tests.benchmarks.workloads import WORKLOADS, gpt2

TARGET = 3.0  # times a plain backward
ROUNDS = 15
SHARE = 0.99  # of the executed nodes of a small GPT-2 that are to be checked

ROWS = {
    "GPT-2 2 × 64": lambda: gpt2(n_layer=2, n_embd=64, n_head=4, vocab_size=1000, n_positions=64),
    "GPT-2 12 × 64": lambda: gpt2(n_layer=12, n_embd=64, n_head=4, vocab_size=1000, n_positions=64),
    "GPT-2 12 × 256": lambda: gpt2(n_layer=12, n_embd=256, n_head=4, vocab_size=1000, n_positions=64),
    "MLP-100": lambda: WORKLOADS["mlp100"].made(),
    "ResNet-50": lambda: WORKLOADS["resnet50"].made(),
}


def spent() -> list[float]:
    """Adds up, from now on, the seconds that each call of the verification of nodes takes: hooking, running again, comparing."""
    total = [0.0]

    def timed(name: str) -> None:
        original = getattr(Rerun, name)

        def method(*arguments: Any, **settings: Any) -> Any:
            began = time.perf_counter()
            try:
                return original(*arguments, **settings)
            finally:
                total[0] += time.perf_counter() - began

        setattr(Rerun, name, method)

    for name in ("begin", "_before_function", "_after", "_after_leaf", "checks"):
        timed(name)
    return total


def row(name: str, total: list[float], rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures of one model; `total` is what `spent` gave."""
    model, inputs = ROWS[name]()
    plain, again = [], []
    trace: Any = None
    for _ in range(rounds + 1):
        model.zero_grad(set_to_none=True)
        loss = model(*inputs)
        began = time.perf_counter()
        loss.backward()
        plain.append(time.perf_counter() - began)
        del loss
        model.zero_grad(set_to_none=True)
        recorder, before = Recorder(check=True), total[0]
        with recorder:
            model(*inputs).backward()
        again.append(total[0] - before)
        trace = recorder.traces()[0]
    verdicts = [check.verdict for check in trace.checks.nodes]
    return {
        "plain": min(plain[1:]),
        "ratio": min(again[1:]) / min(plain[1:]),
        "nodes": len(trace.backward),
        "checked": sum(verdict != "skipped" for verdict in verdicts),
        "agree": sum(verdict in ("equal", "close") for verdict in verdicts),
    }


def main(names: list[str]) -> int:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    checks.check_gradients = lambda *arguments, **settings: []  # differences are not what is measured here
    total, missed = spent(), False
    print(f"{'model':16} {'backward':>11} {'run again':>12} {'nodes':>7} {'checked':>9} {'agree':>7}   (target: {TARGET:g} × backward)")
    for name in names or ROWS:
        one = row(name, total)
        missed = missed or one["ratio"] > TARGET or one["checked"] < SHARE * one["nodes"]
        times = f"{one['plain'] * 1e3:8.1f} ms {one['ratio']:10.2f} ×"
        print(f"{name:16} {times} {one['nodes']:7} {one['checked'] / one['nodes']:9.1%} {one['agree']:7}", flush=True)
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
