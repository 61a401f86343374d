"""How much of real models the written rules explain: `python tests/benchmarks/coverage.py [NAME …] [--all]`.

For each model one recorded forward and backward with every number kept. Printed are its executed nodes, how many of them have authored
maths, and how many contributions the rules worked out that agree with what torch delivered; then every node without maths, and every
contribution that disagrees or could not be worked out. Models are small, with random weights; `--all` takes the architectures of the sweep.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from torch import nn

import explorer
from explorer.formulas import Contribution, Numbers, rule_of
from explorer.formulas.table import RULES
from explorer.model import Node, Trace
from tests.benchmarks.architectures import ARCHITECTURES, architecture

MODELS = ("gpt2", "llama", "bert", "vit", "resnet", "lstm", "gru")
TOLERANCE = 1e-6  # of statistics in float64, where a sum that cancels may lose half its digits
COARSE = 2e-3  # and in float32


class Recurrent(nn.Module):
    """Two layers of an LSTM or GRU, then a word of three."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layers = getattr(nn, kind)(4, 6, 2, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(self.head(self.layers(x)[0][:, -1]), target)


@dataclass
class Found:
    """What the rules say of one trace."""

    name: str
    nodes: int = 0
    explained: int = 0
    agree: int = 0
    without: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)


def build(name: str, *, double: bool) -> tuple[nn.Module, dict[str, Any]]:
    torch.manual_seed(7)
    if name in ("lstm", "gru"):
        model: nn.Module = Recurrent(name.upper())
        batch: dict[str, Any] = {"x": torch.randn(3, 5, 4), "target": torch.tensor([0, 1, 2])}
    else:
        with contextlib.redirect_stderr(io.StringIO()):
            model, batch = architecture(name).build(), dict(architecture(name).batch())
    if double:
        model = model.double()
        batch = {key: one.double() if isinstance(one, torch.Tensor) and one.is_floating_point() else one for key, one in batch.items()}
    return model.train(), batch


def recorded(name: str, *, double: bool = True) -> Trace:
    """One forward and backward of a model, every number kept."""
    model, batch = build(name, double=double)
    with explorer.record(values="all") as recording:
        result = model(**batch)
        loss = result if isinstance(result, torch.Tensor) else getattr(result, "loss", None)
        if loss is None:
            loss = sum(one.square().mean() for one in result.values() if isinstance(one, torch.Tensor) and one.requires_grad)
        loss.backward()
    return recording.trace


def look(trace: Trace, name: str, tolerance: float = TOLERANCE) -> Found:
    """Every executed node of a trace, and every contribution that its rule gives."""
    found, numbers = Found(name), Numbers(trace)
    for node in trace.nodes:
        if node.status != "executed" or node.autograd is None:
            continue
        found.nodes += 1
        if rule_of(node.autograd) is None and numbers.rule(node) is None:
            found.without[node.autograd] += 1
            continue
        found.explained += 1
        for one in numbers.contributions(node) if node.kind == "op" else ():
            if one.value is None:
                found.unknown[node.autograd, one.reason[0] if one.reason else ""] += 1
            elif off := difference(node, one, tolerance):
                found.differing.append(f"{name} {node.id} {node.autograd} input {one.edge.input}: {off}")
            else:
                found.agree += 1
    return found


def difference(node: Node, one: Contribution, tolerance: float) -> str:
    """What statistic of a contribution is not that of what torch delivered; empty where all are."""
    note, value = one.edge.gradient, np.asarray(one.value, dtype=float)
    if note is None or note.mean is None or not value.size:
        return ""
    if value.shape != tuple(note.shape):
        return f"shape {value.shape}, not {note.shape}"
    received = max((abs(bound or 0.0) for g in node.gradients if g is not None for bound in (g.min, g.max)), default=0.0)
    scale = max(float(np.abs(value).max()), 1e-3 * received)
    ours = {"min": value.min(), "max": value.max(), "mean": value.mean(), "std": value.std()}
    for key, got in ours.items():
        expected = getattr(note, key)
        if not (abs(got - expected) <= tolerance * scale or got == expected or (np.isnan(got) and np.isnan(expected))):
            return f"{key} {got:.9g}, not {expected:.9g}"
    return ""


def report(found: Found) -> list[str]:
    share = 100 * found.explained / found.nodes if found.nodes else 0.0
    worked = found.agree + len(found.differing) + sum(found.unknown.values())
    lines = [
        f"{found.name:24} {found.explained:5} of {found.nodes:5} nodes, {share:5.1f} %; {found.agree:5} of {worked:5} contributions agree"
    ]
    lines += [f"    without maths: {count} {name}" for name, count in found.without.most_common()]
    lines += [f"    not worked out: {count} {name} ({reason})" for (name, reason), count in found.unknown.most_common()]
    return lines + [f"    differs: {line}" for line in found.differing]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="models: gpt2, llama, bert, vit, resnet, lstm, gru, or any of the sweep")
    parser.add_argument("--all", action="store_true", help="every architecture of the sweep")
    parser.add_argument("--float32", action="store_true", help="in float32, where an LSTM layer is one op")
    options = parser.parse_args(arguments)
    names = [one.name for one in ARCHITECTURES] if options.all else options.names or MODELS
    found = [tried(name, double=not options.float32) for name in names]
    written = [one for one in RULES if one.is_executable]
    print(f"{len(written)} rules for {len({name for one in written for name in one.autograd})} kinds of backward nodes")
    total, explained = sum(one.nodes for one in found), sum(one.explained for one in found)
    if total:
        print(f"{'all':24} {explained:5} of {total:5} nodes, {100 * explained / total:5.1f} %")
    return 1 if any(one.differing for one in found) else 0


def tried(name: str, *, double: bool, record: Callable[..., Trace] = recorded) -> Found:
    """One model's report, printed; a model that cannot run in this type says so."""
    try:
        found = look(record(name, double=double), name, TOLERANCE if double else COARSE)
    except Exception as error:  # some architectures compute in one type only
        print(f"{name:24} {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:140])
        return Found(name)
    print("\n".join(report(found)))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
