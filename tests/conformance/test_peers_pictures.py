"""What other tools get wrong with subclasses, numbers that are not finite, and pictures too large to place (P02, P12, P14)."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

import explorer
from explorer import curves, layout, runs
from explorer.export import svg_text
from explorer.model import Trace
from explorer.picture import placing
from tests.conformance.reading import named, ops, same, whole


class Marked(torch.Tensor):
    """A subclass that adds nothing."""


class Counted(torch.Tensor):
    """A subclass that sees every function called on it."""

    calls = 0

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.calls += 1
        return super().__torch_function__(function, types, args, kwargs or {})


@pytest.mark.parametrize("kind", [Marked, Counted])
def test_P02_views_of_views_and_a_subclass(kind: type[torch.Tensor], tmp_path: Path) -> None:
    """Views of views of a tensor subclass end, each is a node of its own, connected in a row, and they are drawn."""
    x = torch.arange(8.0).as_subclass(kind).requires_grad_()
    with explorer.record() as recording:
        y = x.view(2, 4).view(2, 2, 2)[0].unsqueeze(0).squeeze(0)
        (y * y).sum().backward()
    trace = whole(recording.trace)
    chain = [node for node in trace.nodes if node.kind == "op" and node.autograd != "AliasBackward0"]
    assert [node.op for node in chain] == ["view", "view", "select", "unsqueeze", "squeeze", "mul", "sum"]
    assert named(trace, "x").gradients[0].values == (0.0, 2.0, 4.0, 6.0, 0.0, 0.0, 0.0, 0.0)
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 6.0, 0.0, 0.0, 0.0, 0.0]
    into = {edge.target: edge.source for edge in trace.edges if edge.differentiable}
    steps, at = 0, chain[-1].id
    while at in into:
        at, steps = into[at], steps + 1
    assert at == named(trace, "x").id and steps >= 7
    explorer.export(trace, tmp_path / "views.dot", expand="all")


def test_P02_a_parameter_of_a_subclass() -> None:
    """A Parameter whose data is a subclass is a parameter with its name, and many views of one base all point at that base."""
    model = nn.Linear(4, 1, bias=False)
    model.weight = nn.Parameter(torch.ones(1, 4).as_subclass(Marked))
    with explorer.record() as recording:
        out = model(torch.ones(2, 4).as_subclass(Marked))
        views = [out.view(2)[i : i + 1].view(1, 1)[0] for i in range(2)]
        (views[0] * views[1]).sum().backward()
    trace = whole(recording.trace)
    weight = named(trace, "weight")
    assert weight.kind == "parameter"
    same(weight.gradients[0], torch.full((1, 4), 8.0))
    assert len(ops(trace, "view")) == 4


def broken() -> Trace:
    """A trace with NaN, both infinities and the largest floats among its values and gradients."""
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, 3e38, -3e38, 1e-45], requires_grad=True)
    model = nn.Linear(7, 2)
    with explorer.record() as recording:
        y = x * x
        loss = model(y).sum() + (x / x).sum() + x.sqrt().sum()
        loss.backward()
    return whole(recording.trace)


@pytest.mark.parametrize("overlay", [None, "gradient", "value", "time"])
def test_P12_pictures_of_what_is_not_finite(overlay: str | None, tmp_path: Path) -> None:
    """NaN and infinity are drawn in every overlay, every format that people open, and every step; the JSON stays strict."""
    trace = broken()
    assert trace.loss != trace.loss
    for suffix in ("svg", "html", "dot", "json"):
        explorer.export(trace, tmp_path / f"a.{suffix}", overlay=overlay, expand="all")
    ElementTree.parse(tmp_path / "a.svg")
    assert "nan" in (tmp_path / "a.svg").read_text(encoding="utf-8").lower()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads((tmp_path / "a.json").read_text(encoding="utf-8"), parse_constant=refuse)
    explorer.save(trace, tmp_path / "a.trace")
    assert repr(explorer.load(tmp_path / "a.trace")) == repr(trace)


def test_P12_statistics_of_what_is_not_finite() -> None:
    """The note counts what is not finite and still knows all values; kinds of findings say where it came from."""
    trace = broken()
    note = named(trace, "x").outputs[0]
    assert (note.nans, note.infs, note.zeros) == (1, 2, 1)
    assert len(note.values) == 7
    assert {"nan_forward", "inf_gradient", "nan_gradient"} & {finding.kind for finding in trace.findings}


def test_P12_charts_of_a_run(tmp_path: Path) -> None:
    """A run whose metrics and norms are NaN and infinite is charted, with a gap and a mark where they are; what the page gets is JSON."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = [1.0, float("nan"), 0.5, float("inf"), -float("inf"), 0.25]
    with explorer.watch(model, optimizer, run=tmp_path / "run", every=1, record_first=False, on_nan="ignore") as run:
        for number, loss in enumerate(told):
            optimizer.zero_grad()
            (model(torch.ones(1, 2)).sum() * (float("nan") if number == 4 else 1.0)).backward()
            optimizer.step()
            run.step(loss=loss)
    found = runs.open_run(tmp_path / "run")
    steps, losses = found.scalars().of("loss")
    pen = curves.Pen(("#000000",), "#000000", "#cccccc", ("#000000", "#ffffff"))
    figure = curves.curve_figure([curves.Curve("loss", steps, losses)], pen=pen)
    line, *marks = figure.data
    assert [None if value != value else value for value in line.y.tolist()] == [1.0, None, 0.5, None, None, 0.25]
    assert [(mark.name, mark.x.tolist()) for mark in marks] == [("loss: NaN", [2]), ("loss: infinity", [4]), ("loss: minus infinity", [5])]
    measures, parameters = found.measures(), found.parameters()
    assert measures.gradient[4:, 0].tolist()[0] != measures.gradient[4, 0]
    heat = curves.heat_figure(measures, parameters, pen=pen)
    assert (heat.data[0].z[:, 4] != heat.data[0].z[:, 4]).all()
    histograms = [curves.histogram_figure(one, pen=pen) for one in found.distributions(step=6)]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    for chart in (figure, heat, curves.ratio_figure(measures, parameters, pen=pen), *histograms):
        json.loads(chart.to_json(), parse_constant=refuse)


class Tangle(nn.Module):
    """Every result is the sum of some of those before: dot works on it for minutes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        results = [x + i for i in range(4)]
        for i in range(250):
            total = results[-1]
            for j in (7, 31, 101, 57):
                total = total + results[(i * j) % len(results)]
            results.append(total.tanh())
        return results[-1]


def test_P14_a_layout_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module of 1,250 tangled ops, asked for in full: drawn whole, in seconds; also where the engine is too slow."""
    model, x = Tangle(), torch.ones(2, requires_grad=True)
    with explorer.record() as recording:
        model(x).sum().backward()
    trace = whole(recording.trace)
    assert len(trace.nodes) > 1250
    for seconds in (placing.SECONDS, 0.001):
        monkeypatch.setattr(placing, "SECONDS", seconds)
        monkeypatch.setattr(placing._memory, "known", OrderedDict())
        began = time.monotonic()
        drawn = svg_text(trace, expand="all")
        assert time.monotonic() - began < 20
        shown = {group.get("id") for group in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}g")}
        assert {f"n{node.id}" for node in trace.nodes} <= shown
    monkeypatch.setattr(layout, "MOST_PLACED", 1000)
    assert "shown collapsed" in svg_text(trace, expand="all")
    explorer.export(trace, tmp_path / "small.svg", depth=0)
    assert "shown collapsed" not in (tmp_path / "small.svg").read_text(encoding="utf-8")
