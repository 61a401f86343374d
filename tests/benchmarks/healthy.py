"""Records healthy models and counts what is found amiss, which should be nothing: `python tests/benchmarks/healthy.py`.

    --seeds N         how many seeds of the small programs (default 3)
    --only NAME ...   these architectures (default: all of `architectures.py`)

The small programs are those of `tests/findings`; the architectures are HuggingFace models made small from their configuration, with random
weights, each run forward and backward in train mode. Prints every finding above an info, and how long findings take a node. Exit code 1 if
there is one.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

import explorer
from explorer.findings import findings
from explorer.model import Trace
from tests.benchmarks.architectures import ARCHITECTURES, Architecture
from tests.benchmarks.batches import loss_of
from tests.findings.faults import passes, told
from tests.findings.healthy_models import HEALTHY

importlib.import_module("tests.findings.healthy_ways")

# True, and owed to how small the models are made: the kinds that are found there.
TRUE = {
    "efficientnet": {"vanishing_gradient"},  # batch norm over two samples of one pixel: each is ±1, and no gradient comes through
    "blip-2": {"exploding_gradient"},  # query tokens begin at zero, and layer norm of zeros multiplies the gradient by 1e6
}


def recorded(one: Architecture) -> Trace:
    """One pass of an architecture, in train mode."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, batch = one.build().train(), one.batch()
        with explorer.record(one.name) as recording:
            loss_of(model(**batch)).backward()
    return recording.trace


def amiss(trace: Trace) -> list[str]:
    """What is found above an info, but for what is known to be true."""
    known = TRUE.get(trace.title, set())
    shown = zip(told(trace), trace.findings, strict=True)
    return [line for line, finding in shown if finding.severity != "info" and finding.kind not in known]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+")
    chosen = parser.parse_args()
    found, nodes, seconds, programs, tried, failed = 0, 0, 0.0, 0, 0, []
    for seed in range(0 if chosen.only else chosen.seeds):
        for program in HEALTHY:
            programs += 1
            for trace in passes(program, seed):
                for line in amiss(trace):
                    found += 1
                    print(f"{program.__name__}, seed {seed}, pass {trace.number}: {line}")
    for one in ARCHITECTURES:
        if (chosen.only and one.name not in chosen.only) or any(find_spec(name) is None for name in one.needs):
            continue
        try:
            trace = recorded(one)
        except Exception as error:  # what cannot be built or run here without us says nothing
            failed.append(f"{one.name} ({type(error).__name__})")
            continue
        tried += 1
        gc.disable()  # as while a trace is made
        began = time.perf_counter()
        findings(trace)
        seconds, nodes = seconds + time.perf_counter() - began, nodes + len(trace.nodes)
        gc.enable()
        for line in amiss(trace):
            found += 1
            print(f"{one.name}: {line}")
    print(f"{programs} runs of {len(HEALTHY)} programs and {tried} architectures: {found} findings above an info")
    if nodes:
        print(f"findings take {1e6 * seconds / nodes:.1f} µs a node, over {nodes} nodes")
    if failed:
        print("not tried:", ", ".join(failed))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
