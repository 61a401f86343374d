"""`explorer.watch`: what a loop stores of itself, what it can be asked, and that the loop is the same with us and without us."""

from __future__ import annotations

import copy
import math
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import explorer
from explorer import runs
from explorer.capture.gauges import parameters_of
from explorer.errors import OutputError, RequestError
from tests.user_state import user_state

pytestmark = pytest.mark.torch


def made(kind: type[torch.optim.Optimizer] = torch.optim.Adam, **settings: Any) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.ReLU(), nn.Linear(8, 1))
    return model, kind(model.parameters(), lr=0.01, **settings)  # type: ignore[call-arg]


def train(model: nn.Module, optimizer: torch.optim.Optimizer, run: Any, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        x = torch.randn(16, 4)
        optimizer.zero_grad()
        loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        if run is not None:
            run.step(loss=loss, half=loss.detach() / 2)
        losses.append(loss.item())
    return losses


def test_a_loop_is_the_same_with_us(tmp_path: Path) -> None:
    """Weights, gradients, optimizer state, hooks and random numbers are bit for bit those of the loop without us."""
    model, optimizer = made()
    plain = train(model, optimizer, None, 30)
    expected = user_state(model, optimizer=optimizer)
    model, optimizer = made()
    with explorer.watch(model, optimizer, run=tmp_path / "run", every=1, record_every=10) as run:
        watched = train(model, optimizer, run, 30)
    assert watched == plain
    found = user_state(model, optimizer=optimizer)
    assert {name for name in expected if expected[name] != found.get(name)} == set()
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    assert not any(module._forward_hooks for module in model.modules())


def test_what_a_loop_stores(tmp_path: Path) -> None:
    """Losses as they were, norms equal to those computed by hand, histograms that count every element, the recorded steps."""
    model, optimizer = made()
    by_hand = []
    with explorer.watch(model, optimizer, run=tmp_path / "run", steps=12, every=1, record_every=5, settings={"batch": 16}, seed=0) as run:
        losses = []
        for _ in range(12):
            before = [p.detach().clone() for p in model.parameters()]
            losses += train(model, optimizer, None, 1)
            by_hand.append(
                (
                    [p.grad.norm().item() for p in model.parameters()],  # type: ignore[union-attr]
                    [p.detach().norm().item() for p in model.parameters()],
                    [(p.detach() - old).norm().item() for p, old in zip(model.parameters(), before, strict=True)],
                )
            )
            run.step(losses[-1], note="안녕" if len(losses) == 3 else "", accuracy=torch.tensor(0.5))
    found = runs.open_run(tmp_path / "run")
    assert (found.about.name, found.about.seed, found.about.device, found.about.dtype) == ("run", 0, "cpu", "float32")
    assert found.about.settings["optimizer"] == "Adam" and found.about.settings["lr"] == 0.01 and found.about.settings["batch"] == 16
    assert found.about.parameters == sum(p.numel() for p in model.parameters())
    scalars = found.scalars()
    assert scalars.metrics["loss"].tolist() == losses
    assert set(scalars.metrics) == {"loss", "accuracy", "learning_rate"}
    assert set(scalars.metrics["learning_rate"].tolist()) == {0.01}
    assert (np.diff(scalars.at) > 0).all()
    measures = found.measures()
    assert measures.steps.tolist() == list(range(1, 13))
    for row, (gradient, weight, update) in enumerate(by_hand):
        assert measures.gradient[row].tolist() == pytest.approx(gradient, rel=1e-5)
        assert measures.weight[row].tolist() == pytest.approx(weight, rel=1e-5)
        assert measures.update[row].tolist() == pytest.approx(update, rel=1e-5)
    assert [(one.name, one.shape) for one in found.parameters()] == [(n, tuple(p.shape)) for n, p in model.named_parameters()]
    shown = {(one.what, one.name): one for one in found.distributions(step=100)}
    assert shown["weight", "0.weight"].counted == shown["weight", "0.weight"].elements == 32
    assert all(one.counts.sum() + one.broken == one.counted for one in shown.values())
    assert {name for what, name in shown if what == "activation"} == {"0", "1", "2", "3"}
    assert [(one.step, one.reason) for one in found.traces()] == [(1, "first"), (5, "every"), (10, "every"), (12, "last")]
    assert (3, "note", "안녕") in found.texts()
    status = found.status()
    assert (status.state, status.step, status.steps) == ("finished", 12, 12)


def test_a_recorded_step_has_the_numbers_of_that_step(tmp_path: Path) -> None:
    """The loss, gradients and updates in the recording nearest to a step are those of its step; names and sources are the user's."""
    model, optimizer = made(torch.optim.SGD)
    seen = {}
    with explorer.watch(model, optimizer, run=tmp_path / "run", record_every=4, record_first=False) as run:
        for step in range(1, 10):
            [loss] = train(model, optimizer, None, 1)
            seen[step] = loss, model[0].weight.grad.norm().item(), model[0].weight.detach().norm().item()  # type: ignore[index,union-attr]
            run.step(loss)
    found = runs.open_run(tmp_path / "run")
    nearest = found.nearest_trace(7)
    assert nearest is not None and nearest.step == 8
    assert [one.step for one in found.traces()] == [4, 8]
    trace = explorer.load(nearest.path)
    trace.check()
    loss, gradient, weight = seen[8]
    assert trace.loss == pytest.approx(loss)
    (node,) = [node for node in trace.nodes if node.name == "0.weight"]
    assert node.gradients[0].norm == pytest.approx(gradient)  # type: ignore[union-attr]
    (update,) = [update for update in trace.updates if update.node == node.id]
    assert update.after.norm == pytest.approx(weight)
    assert any(source.file == Path(__file__).name for node in trace.nodes if (source := node.source))


def test_norms_are_measured_as_often_as_their_share_allows(tmp_path: Path) -> None:
    """By default not every step is measured where that would take too long, but the first two always are."""
    model, optimizer = made()
    with explorer.watch(model, optimizer, run=tmp_path / "run", record_first=False) as run:
        train(model, optimizer, run, 400)
    found = runs.open_run(tmp_path / "run")
    steps = found.measures().steps
    assert steps[:2].tolist() == [1, 2]
    assert len(steps) < 200
    assert found.step() == 400


@pytest.mark.parametrize("on_nan", ["mark", "stop", "ignore"])
def test_a_loss_that_is_not_finite(tmp_path: Path, on_nan: str) -> None:
    """Is marked with its step and the next step recorded, or ends the block, or is let pass, as chosen."""
    model, optimizer = made()
    reached = 0
    with explorer.watch(model, optimizer, run=tmp_path / "run", on_nan=on_nan, record_first=False) as run:
        for reached in range(1, 7):
            [loss] = train(model, optimizer, None, 1)
            run.step(loss=math.nan if reached == 3 else loss)
    found = runs.open_run(tmp_path / "run")
    status = found.status()
    assert status.nan == (None if on_nan == "ignore" else 3)
    assert (status.state, status.step, reached) == (("stopped", 3, 3) if on_nan == "stop" else ("finished", 6, 6))
    assert [(one.step, one.reason) for one in found.traces()] == ([(4, "nan")] if on_nan == "mark" else [])


def test_pause_resume_record_and_stop_are_heard_within_a_second(tmp_path: Path) -> None:
    """Each takes effect in less than a second; time paused is no time of training; the block ends as if it were done."""
    model, optimizer = made()
    folder = tmp_path / "run"
    with explorer.watch(model, optimizer, run=folder, record_first=False) as run:
        watching = run
        train(model, optimizer, run, 1)
        ended = threading.Event()
        problems: list[str] = []

        def until(state: str) -> None:
            began = time.monotonic()
            while runs.open_run(folder).status().state != state:
                if time.monotonic() - began > 1:
                    problems.append(f"{state} took too long")
                    break
                time.sleep(0.01)

        def ask() -> None:
            time.sleep(0.3)
            runs.request(folder, "pause")
            until("paused")
            step = runs.open_run(folder).step()
            time.sleep(0.5)
            if runs.open_run(folder).step() != step:
                problems.append("it went on while paused")
            runs.request(folder, "record")
            runs.request(folder, "resume")
            until("running")
            time.sleep(0.3)
            runs.request(folder, "stop")
            if not ended.wait(1):
                problems.append("stop took too long")

        thread = threading.Thread(target=ask)
        thread.start()
        train(model, optimizer, run, 1_000_000)
    ended.set()
    thread.join()
    assert problems == []
    found = runs.open_run(folder)
    assert found.status().state == "stopped"
    assert [event.kind for event in found.events()] == ["started", "paused", "continued", "stopped"]
    assert [one.reason for one in found.traces()] == ["asked"]
    times = {event.kind: event.time for event in found.events()}
    assert times["continued"] - times["paused"] > 0.45
    assert found.status().at < times["stopped"] - times["started"] - 0.45
    with pytest.raises(RequestError) as refused:
        watching.step(loss=1.0)
    assert refused.value.key == "training.not_open"


def test_a_loop_that_fails(tmp_path: Path) -> None:
    """Its error passes through, the run says it failed, and the step in which it happened is kept if it was being recorded."""
    model, optimizer = made()

    def loop() -> None:
        with explorer.watch(model, optimizer, run=tmp_path / "run") as run:
            model(torch.randn(2, 4)).sum().backward()
            run.step(1 / 0)

    with pytest.raises(ZeroDivisionError):
        loop()
    found = runs.open_run(tmp_path / "run")
    assert found.status().state == "failed"
    assert found.events()[-1].told == {"error": "ZeroDivisionError: division by zero"}
    (recorded,) = found.traces()
    assert recorded.reason == "failed"
    assert explorer.load(recorded.path).partial


def test_what_cannot_be_watched_is_refused(tmp_path: Path) -> None:
    """One sentence each, and nothing is left on the disk."""
    model, optimizer = made()
    for arguments, settings, key in (
        ((3,), {}, "training.no_model"),
        ((model, "sgd"), {}, "training.no_optimizer"),
        ((model,), {"on_nan": "explode"}, "training.wrong_choice"),
        ((model,), {"every": 0}, "training.wrong_choice"),
    ):
        with pytest.raises(RequestError) as refused:
            explorer.watch(*arguments, run=tmp_path / "run", **settings)  # type: ignore[arg-type]
        assert refused.value.key == key
    assert not (tmp_path / "run").exists()
    with explorer.watch(model, optimizer, run=tmp_path / "run") as run:
        for value in (torch.ones(3), "x" if False else [1], object()):
            with pytest.raises(RequestError) as refused:
                run.step(loss=value)
            assert refused.value.key == "training.no_number"
    with pytest.raises(OutputError) as taken, explorer.watch(model, optimizer, run=tmp_path / "run"):
        pass
    assert taken.value.key == "runs.there_already"


def test_a_run_goes_on(tmp_path: Path) -> None:
    """With resume=True the steps count on, with the same model only."""
    model, optimizer = made()
    with explorer.watch(model, optimizer, run=tmp_path / "run") as run:
        train(model, optimizer, run, 3)
    with explorer.watch(model, optimizer, run=tmp_path / "run", resume=True) as run:
        assert run.start == 3
        train(model, optimizer, run, 2)
    found = runs.open_run(tmp_path / "run")
    assert found.scalars().steps.tolist() == [1, 2, 3, 4, 5]
    assert (np.diff(found.scalars().at) > 0).all()
    assert [event.kind for event in found.events()] == ["started", "finished", "resumed", "finished"]
    with pytest.raises(RequestError) as refused, explorer.watch(nn.Linear(1, 1), run=tmp_path / "run", resume=True):
        pass
    assert refused.value.key == "training.other_model"


def test_other_ways_to_train(tmp_path: Path) -> None:
    """A closure, no optimizer, frozen and unused parameters, half precision, a schedule, a step without backward."""
    model, _ = made()
    lbfgs = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    x = torch.randn(8, 4)

    def closure() -> torch.Tensor:
        lbfgs.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss

    with explorer.watch(model, lbfgs, run=tmp_path / "closure", every=1) as run:
        for _ in range(3):
            run.step(lbfgs.step(closure))  # type: ignore[arg-type]
    measures = runs.open_run(tmp_path / "closure").measures()
    assert np.isfinite(measures.gradient).all() and (measures.update > 0).all()

    model, _ = made()
    model[0].weight.requires_grad_(False)  # type: ignore[index,operator,union-attr]
    with explorer.watch(model.to(torch.bfloat16), run=tmp_path / "none", every=1) as run:
        model(x.bfloat16()).sum().backward()
        run.step()
    measures = runs.open_run(tmp_path / "none").measures()
    assert np.isnan(measures.gradient[0, 0]) and np.isfinite(measures.gradient[0, 1:]).all() and np.isfinite(measures.weight).all()
    assert np.isnan(measures.update).all()

    model, optimizer = made(torch.optim.SGD)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    with explorer.watch(model, optimizer, run=tmp_path / "schedule") as run:
        for _ in range(3):
            train(model, optimizer, None, 1)
            schedule.step()
            run.step()
    assert runs.open_run(tmp_path / "schedule").scalars().metrics["learning_rate"].tolist() == [0.01, 0.005, 0.0025]


def test_model_and_optimizer_may_be_copied_while_watched(tmp_path: Path) -> None:
    """A deep copy and a pickle made in the middle carry nothing of ours that does anything."""
    model, optimizer = made()
    with explorer.watch(model, optimizer, run=tmp_path / "run", every=1, record_first=False) as run:
        twin, other = copy.deepcopy((model, optimizer))
        again = pickle.loads(pickle.dumps(optimizer))
        train(twin, other, None, 2)
        again.step()
        train(model, optimizer, run, 1)
    assert runs.open_run(tmp_path / "run").step() == 1


def test_a_recording_of_the_users_own_comes_first(tmp_path: Path) -> None:
    """Inside `explorer.record` no step is recorded by us, the run says why, and the user's recording has no op of ours."""
    model, optimizer = made()
    with explorer.record() as alone:
        train(model, optimizer, None, 1)
    model, optimizer = made()
    with explorer.record() as recording, explorer.watch(model, optimizer, run=tmp_path / "run", every=1) as run:
        train(model, optimizer, run, 1)
    assert "not_recorded" in [event.kind for event in runs.open_run(tmp_path / "run").events()]
    assert [node.op for node in recording.trace.nodes] == [node.op for node in alone.trace.nodes]
    assert len(recording.trace.updates) == 4


def test_real_names_of_parameters() -> None:
    """What a wrapper puts before a name is left out; a module of the user's that is called "module" stays."""

    class DataParallel(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

    inner = nn.Sequential(nn.Linear(1, 1))
    assert [name for name, _ in parameters_of(DataParallel(inner))] == ["0.weight", "0.bias"]
    holder = nn.Module()
    holder.module = inner
    assert [name for name, _ in parameters_of(holder)] == ["module.0.weight", "module.0.bias"]
    compiled = nn.Module()
    compiled._orig_mod = inner
    assert [name for name, _ in parameters_of(compiled)] == ["0.weight", "0.bias"]
