"""What watching a training costs: `python tests/benchmarks/training.py [ROW …]` prints a line for each row, all of them by default.

    simple_net   a step of SimpleNet (E2) with and without `explorer.watch`, target at most 1.30; beside it TensorBoard's SummaryWriter
                 with a histogram of every parameter and gradient, where it is installed
    gpt          a step of a GPT of 0.8 million parameters (`char_gpt`)
    gpt2         a step of GPT-2 124M, batch 1, 256 tokens, target at most 1.05
    ranks        a step of that small GPT on two processes under torchrun (DDP over gloo, one thread each), for each process
    long         a run of 100,000 steps × 150 parameters: size of the file (target 200 MB), time to store a step, time to read and draw it
                 (target 1 s)

A ratio is the time of all watched steps over that of all plain ones, which take turns in one process; a second model's plain steps, which
take turns with them, tell how far chance goes. The first step, which is recorded whole, is told beside it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

import explorer
from explorer import curves, runs
from explorer.capture.programs.gpt import GPT_CONFIG_124M, GPTModel
from explorer.capture.programs.simple_net import SimpleNet

STEPS = {"simple_net": 9000, "gpt": 180, "gpt2": 60, "ranks": 240}
WARM = {"simple_net": 200, "gpt": 5, "gpt2": 2, "ranks": 5}
After = Callable[[torch.Tensor], object]  # what watches is handed the loss of each step
Elsewhere = Callable[[float], object]
Made = tuple[nn.Module, torch.optim.Optimizer, Callable[[nn.Module], torch.Tensor]]


def simple_net() -> Made:
    torch.manual_seed(0)
    model, x, label = SimpleNet(), torch.randn(1, 10), torch.ones(1, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.01), lambda model: F.binary_cross_entropy(model(x), label)


def gpt(config: dict[str, Any] | None = None, batch: int = 16, tokens: int = 64) -> Made:
    torch.manual_seed(0)
    config = config or {**GPT_CONFIG_124M, "vocab_size": 75, "context_length": 64, "emb_dim": 128, "n_heads": 4, "n_layers": 4}
    model = GPTModel(config, tie_weights=True)
    text = torch.randint(config["vocab_size"], (batch, tokens + 1))

    def loss(model: nn.Module) -> torch.Tensor:
        return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())

    return model, torch.optim.SGD(model.parameters(), lr=0.001), loss


def gpt2() -> Made:
    return gpt(GPT_CONFIG_124M, 1, 256)


def averaged() -> Made:
    """The small GPT, its gradients averaged over the processes."""
    model, _, loss = gpt(batch=4)
    spread = nn.parallel.DistributedDataParallel(model)
    return spread, torch.optim.SGD(spread.parameters(), lr=0.001), loss


MADE: dict[str, Callable[[], Made]] = {"simple_net": simple_net, "gpt": gpt, "gpt2": gpt2, "ranks": averaged}


def step(made: Made, after: After | None) -> float:
    model, optimizer, loss_of = made
    began = time.perf_counter()
    optimizer.zero_grad()
    loss = loss_of(model)
    loss.backward()
    optimizer.step()
    if after is not None:
        after(loss)
    return time.perf_counter() - began


def compared(name: str, watching: Callable[[Made, int], AbstractContextManager[tuple[After, Elsewhere]]]) -> str:
    """Watched, plain and once more plain steps in turn, by stretches that take about as long; the second plain ones tell the noise.

    Three models change roles after each of three rounds: where a large model lies in memory makes a difference as well. What watches may
    go by the clock, so it is told how many seconds went by elsewhere.
    """
    models = [MADE[name]() for _ in range(3)]
    times: dict[str, list[float]] = {"plain": [], "again": [], "watched": []}
    stretch, steps = max(1, STEPS[name] // 90), STEPS[name] // 3
    for number in range(3):
        with watching(models[number], number) as (after, elsewhere):
            kinds = {"watched": (models[number], after), "plain": (models[number - 1], None), "again": (models[number - 2], None)}
            for kind, (made, then) in kinds.items():
                spent = sum(step(made, then) for _ in range(WARM[name]))
                elsewhere(spent if kind != "watched" else 0.0)
            order = list(kinds)
            for _ in range(steps // stretch):
                for kind in order:
                    began = time.perf_counter()
                    times[kind] += [step(*kinds[kind]) for _ in range(stretch)]
                    if kind != "watched":
                        elsewhere(time.perf_counter() - began)
                order = order[1:] + order[:1]
    middle = {kind: statistics.median(found) for kind, found in times.items()}
    whole = {kind: sum(found) / sum(times["plain"]) for kind, found in times.items()}
    more = 1e6 * (middle["watched"] - middle["plain"])
    return (
        f"{whole['watched']:.3f} in all, {middle['watched'] / middle['plain']:.3f} median (plain once more: {whole['again']:.3f}, "
        f"{middle['again'] / middle['plain']:.3f}); plain {1e3 * middle['plain']:.3f} ms, +{more:.0f} µs"
    )


def row(name: str, folder: Path) -> None:
    first = []

    @contextmanager
    def watching(made: Made, number: int) -> Iterator[tuple[After, Elsewhere]]:
        with explorer.watch(made[0], made[1], run=folder / f"{name}-{number}") as run:

            def elsewhere(seconds: float) -> None:  # as if no time went by: what is measured is a share of the training's time
                for budget in (run._norms, run._histograms):
                    budget._began += seconds

            first.append(step(made, lambda loss: run.step(loss=loss)))
            yield lambda loss: run.step(loss=loss), elsewhere

    told = compared(name, watching)
    found = runs.open_run(folder / f"{name}-0")
    rank = int(os.environ.get("RANK", "0"))
    measured = len(found.measures(rank=rank).steps)
    size = sum(file.stat().st_size for file in found.folder.glob(f"rank-{rank}.*")) / found.step()
    of = f" of rank {rank}" if "RANK" in os.environ else ""
    print(
        f"{name:>10}{of}  {told}; first step {min(first):.2f} s; {measured} of {found.step()} measured; {size:.0f} bytes a step", flush=True
    )


def ranks(folder: Path) -> None:
    """Run this file on two processes, which come back to `row`."""
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, "ranks", str(folder)]
    subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def one_rank(folder: Path) -> None:
    dist.init_process_group("gloo")
    row("ranks", folder)
    dist.destroy_process_group()


def tensorboard(folder: Path) -> None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("            TensorBoard is not installed")
        return

    @contextmanager
    def watching(made: Made, number: int) -> Iterator[tuple[After, Elsewhere]]:
        writer, count = SummaryWriter(str(folder / f"board-{number}")), 0  # type: ignore[no-untyped-call]

        def after(loss: torch.Tensor) -> None:
            nonlocal count
            count += 1
            writer.add_scalar("loss", loss, count)  # type: ignore[no-untyped-call]
            for name, parameter in made[0].named_parameters():
                writer.add_histogram(name, parameter, count)  # type: ignore[no-untyped-call]
                writer.add_histogram(f"{name}.grad", parameter.grad, count)  # type: ignore[no-untyped-call]

        yield after, lambda seconds: None
        writer.close()  # type: ignore[no-untyped-call]

    STEPS["simple_net"] = 300
    print(f"            TensorBoard with histograms: {compared('simple_net', watching)}", flush=True)


def long(folder: Path, steps: int = 100_000, parameters: int = 150) -> None:
    place = runs.start_folder(folder / "long", runs.About("long", steps=steps))
    writer = runs.Writer(place, parameters=[(f"layers.{number}.weight", (8, 8)) for number in range(parameters)])
    draw = np.random.default_rng(0)
    norms = draw.lognormal(size=(500, 3 * parameters)).astype("<f4")
    writer.event("started", 0, time.time())
    parts = []
    for part in range(10):
        began = time.perf_counter()
        for number in range(part * steps // 10 + 1, (part + 1) * steps // 10 + 1):
            writer.step(number, number / 100, {"loss": 1 / number, "accuracy": 0.5}, norms[number % 500].tobytes())
        parts.append((time.perf_counter() - began) / (steps / 10))
    writer.event("finished", steps, time.time())
    writer.close()
    size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
    pen = curves.Pen(("#0b62a4", "#d55e00"), "#000000", "#cccccc", ("#00224e", "#fee838"))

    def drawn() -> None:
        run = runs.open_run(place)
        scalars, measures, names = run.scalars(), run.measures(), run.parameters()
        lines = [curves.Curve(name, *scalars.of(name)) for name in scalars.metrics]
        for figure in (
            curves.curve_figure(lines, pen=pen), curves.heat_figure(measures, names, pen=pen), curves.ratio_figure(measures, names, pen=pen)
        ):  # fmt: skip
            figure.to_json()

    took = []
    for _ in range(3):
        began = time.perf_counter()
        drawn()
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    runs.open_run(place).scalars(since=steps - 100)
    fresh = time.perf_counter() - began
    print(
        f"      long  {size / 1e6:.0f} MB; stored in {1e6 * parts[0]:.0f} µs a step at first, {1e6 * parts[-1]:.0f} µs at last; "
        f"read and drawn in {took[0]:.2f} s, again in {min(took[1:]):.2f} s; 100 new steps read in {1e3 * fresh:.1f} ms",
        flush=True,
    )


def main() -> None:
    if "RANK" in os.environ:
        one_rank(Path(sys.argv[2]))
        return
    wanted = sys.argv[1:] or ["simple_net", "gpt", "gpt2", "ranks", "long"]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        for one in wanted:
            if one in ("long", "ranks"):
                (long if one == "long" else ranks)(Path(name))
            else:
                row(one, Path(name))
                if one == "simple_net":
                    tensorboard(Path(name))


if __name__ == "__main__":
    main()
