"""Records many architectures and holds each record against an unwatched run of the same model: `python tests/benchmarks/sweep.py`.

    --only NAME ...   these architectures (default: all of `architectures.py`)
    --json            one JSON document on standard output in place of the table

Each model is made small, with random weights, and run forward and backward in train and in eval mode under `explorer.record()`; some are
built inside the recording too. Exit code 1 if any of them failed. An architecture that cannot be built or run here without us is listed
as "not tried", with the reason.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import random
import signal
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched

import numpy
import torch
from torch import nn

import explorer
from explorer.export import svg_text, view_of
from explorer.model import Node, Note, Trace
from tests import process_state
from tests.benchmarks.architectures import ARCHITECTURES, Architecture, architecture
from tests.benchmarks.batches import loss_of
from tests.user_state import HOOKS, user_state

__all__ = ["CHOSEN", "MODES", "Result", "Run", "faults", "run", "sweep"]

# A few of each kind: they run in CI, and are built inside the recording too.
CHOSEN = "llama bert mixtral mamba t5 swin convnextv2 detr wav2vec2 clip qwen2_vl unet".split()
MODES = ("train", "eval", "inside")  # inside: in train mode, with the model built inside the recording
LIMIT = 120  # seconds for one architecture
MOST_BOXES = 60
AMISS = ("replaced_gradient", "user_error", "stale_saved_tensor", "freed_graph", "no_graph")  # none of which these models bring about
# NOTE [watched graph] Under any dispatch mode torch takes another overload here: same values, another node name.
WATCHED = {"ReshapeAliasBackward0": "ViewBackward0", "CtcLossBackward0": "CtcLossBackward1"}


@dataclass(frozen=True)
class Result:
    """What became of one architecture, the worst of its modes.

    `seconds` is the recorded pass, `ratio` how much longer than unwatched it took; `renamed` counts the nodes of NOTE [watched graph].
    """

    name: str
    kind: str
    verdict: str
    nodes: int = 0
    seconds: float = 0.0
    ratio: float = 0.0
    drawing: float = 0.0
    reproducible: bool = True
    renamed: int = 0
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One forward and backward: the model afterwards, its loss, everything of the user's, the warnings, seconds.

    `graph` counts the autograd nodes behind the loss by name; empty for a recorded run.
    """

    model: nn.Module
    loss: torch.Tensor
    state: Mapping[str, Any]
    warned: frozenset[str]
    seconds: float
    graph: Counter[str]

    def same(self, other: Run) -> list[str]:
        """Names of what is not bit for bit as in the other run."""
        names = [name for name in self.state.keys() | other.state.keys() if self.state.get(name) != other.state.get(name)]
        return sorted(["loss"] * (not _equal(self.loss, other.loss)) + names)


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(a, b) or bool(a.isnan().all() and b.isnan().all())


def run(one: Architecture, mode: str, *, recording: Any = None) -> Run:
    """The model, made anew, run once; with `recording` around the pass, or around everything if `mode` is "inside".

    Python's garbage collector waits meanwhile: with a library this large one of its rounds takes longer than the whole pass.
    """
    graph: Counter[str] = Counter()
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with recording if recording is not None and mode == "inside" else nullcontext():
                model, batch = _made(one, mode)
                started = time.perf_counter()
                with recording if recording is not None and mode != "inside" else nullcontext():
                    loss = _passed(model, batch, graph=graph if recording is None else None)
            seconds = time.perf_counter() - started
    finally:
        if collecting:
            gc.enable()
    said = frozenset(f"{warning.category.__name__}: {warning.message}" for warning in warned)
    return Run(model, loss.detach().clone(), _comparable(user_state(model)), said, seconds, graph)


def _comparable(state: Mapping[str, Any]) -> dict[str, Any]:
    """Hooks counted and classes by name: torch numbers hooks through the process, and a parametrised module has a class of its own."""
    counted = {name: len(value) if name.rpartition(".")[2] in HOOKS else value for name, value in state.items()}
    return {name: f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else value for name, value in counted.items()}


def _made(one: Architecture, mode: str) -> tuple[nn.Module, Mapping[str, Any]]:
    _seed(1)
    model = one.build()
    model.train(mode != "eval")
    _seed(2)
    return model, one.batch()


def _seed(number: int) -> None:
    """Some models draw from NumPy and Python too."""
    torch.manual_seed(number)
    numpy.random.seed(number)
    random.seed(number)


def _passed(model: nn.Module, batch: Mapping[str, Any], *, graph: Counter[str] | None = None) -> torch.Tensor:
    _seed(3)
    loss = loss_of(model(**batch))
    if graph is not None:
        graph.update(_graph(loss))
    loss.backward()
    return loss


def _graph(loss: torch.Tensor) -> Iterator[str]:
    """The name of each autograd node behind the loss."""
    seen = {loss.grad_fn}
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None:
            yield node.name().rpartition("::")[2]
            fresh = {before for before, _ in node.next_functions} - seen
            seen |= fresh
            waiting += fresh


# -- what must be true of a record ---------------------------------------------------------------------------------------------------


def faults(trace: Trace, plain: Run, watched: nn.Module) -> Iterator[str]:
    """What is wrong with the record of a pass, held against an unwatched one, and against the gradients that the pass left."""
    if trace.partial or (trace.number, trace.passes) != (1, 1):
        yield f"pass: {trace!r}"
    yield from _name_faults(trace, plain.model, dict(watched.named_parameters(remove_duplicate=False)))
    yield from _graph_faults(trace, plain)
    try:
        trace.check()
    except explorer.ExplorerError as error:
        yield f"check: {error}"
    bare = Counter(
        f"{node.op}/{node.autograd}"
        for node in trace.nodes
        if node.kind == "op" and node.status == "executed" and (node.formula is None or not node.formula.text)
    )
    if bare:
        yield f"formula: none for {_list(bare)}"


def _graph_changes(trace: Trace, plain: Run) -> tuple[Counter[str], Counter[str]]:
    """Autograd nodes that ran only while watched, and only unwatched."""
    ran = Counter((trace.nodes[number].autograd or "AccumulateGrad").rpartition("::")[2] for number in trace.backward)
    return ran - plain.graph, plain.graph - ran


def _graph_faults(trace: Trace, plain: Run) -> Iterator[str]:
    """The nodes that ran are those behind the loss, no finding blames or excuses anything, and the modules are the model's."""
    more, fewer = _graph_changes(trace, plain)
    for alone, watched in WATCHED.items():
        known = min(more[watched], fewer[alone])
        more[watched] -= known
        fewer[alone] -= known
    if +more or +fewer:
        yield f"graph: more {dict(+more)}, fewer {dict(+fewer)}"
    amiss = Counter(finding.kind for finding in trace.findings if finding.kind in AMISS)
    if amiss:
        yield f"findings: {dict(amiss)}"
    paths = {path for path, _ in plain.model.named_modules(remove_duplicate=False)}
    strange = [module.path for module in trace.modules if module.parameters and module.path not in paths]
    if strange:
        yield f"modules: {_list(strange)}"
    held = {module.path: module.parameters for module in trace.modules}
    if held.get("") != sum(parameter.numel() for parameter in plain.model.parameters()):
        yield f"modules: the root counts {held.get('')} parameters"


def _name_faults(trace: Trace, plain: nn.Module, watched: Mapping[str, nn.Parameter]) -> Iterator[str]:
    """Every parameter that gets a gradient is one node that carries all its names and the numbers of its gradient."""
    names: dict[nn.Parameter, list[str]] = defaultdict(list)
    for name, parameter in plain.named_parameters(remove_duplicate=False):
        names[parameter].append(name)
    nodes: dict[str, list[Node]] = defaultdict(list)
    for node in trace.nodes:
        if node.kind == "parameter":
            for name in node.names:
                nodes[name].append(node)
    missing, doubled, partly, empty, wrong = [], [], [], [], []
    for parameter, own in names.items():
        if parameter.grad is None:
            continue
        found = {node.id: node for name in own for node in nodes[name]}
        if len(found) != 1:
            (doubled if found else missing).append(own[0])
            continue
        node = next(iter(found.values()))
        if not set(own) <= set(node.names):
            partly.append(own[0])
        note = _brought(node)
        if note is None:
            empty.append(own[0])
        elif not _fits(note, watched[own[0]].grad):
            wrong.append(own[0])
    lists = {"no node": missing, "several nodes": doubled, "not every name": partly, "no gradient": empty, "another gradient": wrong}
    yield from (f"parameters: {what} for {_list(which)}" for what, which in lists.items() if which)


def _brought(leaf: Node) -> Note | None:
    """What the pass brought to a leaf; what a backward inside a node's own backward brought stands in `.grad` alone, which was empty."""
    if leaf.gradients[0] is None and leaf.reason == "inner backward" and leaf.accumulated is not None:
        return leaf.accumulated.after
    return leaf.gradients[0]


def _fits(note: Note, gradient: torch.Tensor | None) -> bool:
    """Whether the note has the shape and the exact extremes of the gradient."""
    if gradient is None or tuple(note.shape) != tuple(gradient.shape):
        return False
    if gradient.is_complex() or not gradient.numel() or not gradient.isfinite().all():
        return True
    return note.min == gradient.min().item() and note.max == gradient.max().item()


def _picture_faults(trace: Trace) -> Iterator[str]:
    boxes = sum(not box.hosts for box in view_of(trace).boxes)
    if boxes > MOST_BOXES:
        yield f"picture: {boxes} boxes"
    try:
        ElementTree.fromstring(svg_text(trace))
    except (ElementTree.ParseError, explorer.ExplorerError) as error:
        yield f"picture: {_line(error)}"


def _list(names: Any) -> str:
    """ "a, b, c and 4 more" """
    some = [str(name) for name in names]
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"


# -- one architecture ----------------------------------------------------------------------------------------------------------------


def sweep(one: Architecture, *, modes: tuple[str, ...] | None = None, drawn: tuple[str, ...] = MODES) -> Result:
    """Run one architecture in each mode, watched and unwatched, and draw it in the modes `drawn`."""
    lacking = [library for library in one.needs if find_spec(library) is None]
    if lacking:
        return Result(one.name, one.kind, "not tried", causes=(f"needs {', '.join(lacking)}, which is not installed",))
    looks = [_look(one, mode, draw=mode in drawn) for mode in modes or (MODES if one.name in CHOSEN else MODES[:2])]
    verdicts = [look.verdict for look in looks]
    return Result(
        name=one.name,
        kind=one.kind,
        verdict=next((verdict for verdict in ("failed", "passed") if verdict in verdicts), "not tried"),
        nodes=max(look.nodes for look in looks),
        seconds=max(look.seconds for look in looks),
        ratio=max(look.ratio for look in looks),
        drawing=max(look.drawing for look in looks),
        reproducible=all(look.reproducible for look in looks),
        renamed=max(look.renamed for look in looks),
        causes=tuple(cause for look in looks for cause in look.causes),
    )


def _look(one: Architecture, mode: str, *, draw: bool) -> Result:
    """One architecture in one mode."""
    try:
        plain, again = run(one, mode), run(one, mode)
    except Exception as error:  # whatever the model raises without us is not ours to judge
        return Result(one.name, one.kind, "not tried", causes=(f"{mode}: fails without us: {_line(error)}",))
    differs = set(plain.same(again))
    before = process_state.snapshot()
    recording = explorer.record(one.name)
    try:
        watched = run(one, mode, recording=recording)
        trace = recording.trace
    except TimeoutError:
        raise
    except Exception as error:  # whatever was raised is the row of the table
        found = [f"not traced: {_line(error)}", *(f"left behind: {what}" for what in process_state.differences(before))]
        return Result(one.name, one.kind, "failed", causes=tuple(f"{mode}: {fault}" for fault in found))
    found = [*faults(trace, plain, watched.model)]
    if changed := [name for name in plain.same(watched) if name not in differs]:
        found.append(f"changed by recording: {_list(changed)}")
    found += [f"warned: {text[:200]}" for text in sorted(watched.warned - plain.warned - again.warned)]
    started = time.perf_counter()
    found += _picture_faults(trace) if draw else ()
    drawing = time.perf_counter() - started
    found += [f"left behind: {what}" for what in process_state.differences(before)]
    return Result(
        name=one.name,
        kind=one.kind,
        verdict="failed" if found else "passed",
        nodes=len(trace.nodes),
        seconds=watched.seconds,
        ratio=watched.seconds / min(plain.seconds, again.seconds),
        drawing=drawing,
        reproducible=not differs,
        renamed=sum(count for name, count in _graph_changes(trace, plain)[1].items() if name in WATCHED),
        causes=tuple(f"{mode}: {fault}" for fault in found),
    )


def _limited(call: Callable[[], Result], one: Architecture) -> Result:
    """`call()`, given up after LIMIT seconds where the system has an alarm."""

    def give_up(*_: Any) -> None:
        raise TimeoutError(f"took more than {LIMIT} s")

    if not hasattr(signal, "SIGALRM"):
        return call()
    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT)
    try:
        return call()
    except TimeoutError as error:
        return Result(one.name, one.kind, "failed", causes=(str(error),))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# -- the table -----------------------------------------------------------------------------------------------------------------------


def main() -> int:
    """Print the table; 1 if an architecture failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[one.name for one in ARCHITECTURES], help="these architectures")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    _quiet()
    wanted = [architecture(name) for name in asked.only] if asked.only else list(ARCHITECTURES)
    results = []
    if not asked.json:
        print(f"{'architecture':<30} {'kind':<18} {'nodes':>6} {'seconds':>8} {'x plain':>8} {'drawing':>8}  verdict", flush=True)
    for one in wanted:
        results.append(_limited(lambda one=one: sweep(one), one))  # type: ignore[misc]
        if not asked.json:
            _print(results[-1])
    if asked.json:
        print(json.dumps({"counts": _counts(results), "results": [asdict(result) for result in results]}, indent=1))
    else:
        print(_last_line(results))
    return int(any(result.verdict == "failed" for result in results))


def _quiet() -> None:
    if find_spec("transformers") is not None:
        import transformers

        transformers.logging.set_verbosity_error()


def _print(result: Result) -> None:
    numbers = f"{result.nodes:>6} {result.seconds:>8.2f} {result.ratio:>8.1f} {result.drawing:>8.2f}"
    shown = numbers if result.nodes else " " * len(numbers)
    note = "" if result.reproducible else " (torch does not repeat itself bit for bit)"
    print(f"{result.name:<30} {result.kind:<18} {shown}  {result.verdict}{note}", flush=True)
    for cause in result.causes:
        print(f"    {cause}", flush=True)


def _counts(results: list[Result]) -> dict[str, Any]:
    verdicts = Counter(result.verdict for result in results)
    tried = [result for result in results if result.nodes]
    return {
        "architectures": len(results),
        **{verdict: verdicts[verdict] for verdict in ("passed", "failed", "not tried")},
        "not_reproducible": sum(not result.reproducible for result in results),
        "renamed": sum(result.renamed for result in results),
        "nodes": sum(result.nodes for result in tried),
        "median_ratio": sorted(result.ratio for result in tried)[len(tried) // 2] if tried else math.nan,
    }


def _last_line(results: list[Result]) -> str:
    counts = _counts(results)
    return (
        f"{counts['architectures']} architectures: {counts['passed']} passed, {counts['failed']} failed, {counts['not tried']} not tried; "
        f"{counts['not_reproducible']} not reproducible without us; {counts['nodes']} nodes, "
        f"{counts['renamed']} of another name than unwatched; median {counts['median_ratio']:.1f} x plain"
    )


if __name__ == "__main__":
    sys.exit(main())
