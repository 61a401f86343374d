"""Passes, seeds, order and updates, as the contract promises them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import explorer
from explorer.model import Trace
from tests.conformance.reading import close, edge, named, op, ops, same, whole

SCRIPT = textwrap.dedent("""
    import torch

    w = torch.tensor([1.0, -2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    for step in range(3):
        y = (w * x).sum()
        loss = (y - 1) ** 2
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
        w.grad = None
    print("finished")
""")


def descend(steps: int) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """What SCRIPT does, by plain torch: w before, gradient and w after, step by step."""
    w, x, seen = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([3.0, 4.0]), []
    for _ in range(steps):
        before = w.detach().clone()
        (((w * x).sum() - 1) ** 2).backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
        seen.append((before, w.grad, w.detach().clone()))
        w.grad = None
    return seen


def test_three_passes_of_a_loop() -> None:
    """A loop with three backward calls gives three passes with their own numbers, each with the update after it."""
    expected = descend(3)
    w, x = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([3.0, 4.0])
    with explorer.record() as recording:
        for _ in range(3):
            y = (w * x).sum()
            loss = (y - 1) ** 2
            loss.backward()
            with torch.no_grad():
                w -= 0.01 * w.grad
            w.grad = None
    assert [trace.number for trace in recording.traces] == [1, 2, 3]
    assert {trace.passes for trace in recording.traces} == {3}
    for trace, (before, gradient, after) in zip(map(whole, recording.traces), expected, strict=True):
        node = named(trace, "w")
        same(node.outputs[0], before)
        same(node.gradients[0], gradient)
        assert node.accumulated.before is None
        (update,) = trace.updates
        assert (update.node, update.optimizer, update.group) == (node.id, None, None)
        same(update.before, before)
        same(update.after, after)
        same(update.gradient, gradient)
        assert [n.op for n in trace.nodes if n.autograd is not None and n.kind == "op"] == ["mul", "sum", "sub", "pow"]
        assert trace.loss == named(trace, "loss").outputs[0].item
    assert recording.trace == recording.traces[-1]


@pytest.mark.parametrize("wanted", [1, 3])
def test_pass_of_a_script(tmp_path: Path, wanted: int) -> None:
    """`wanted` picks the pass of a script; its numbers are those of plain torch at that step."""
    path = tmp_path / "descent.py"
    path.write_text(SCRIPT, encoding="utf-8")
    trace = explorer.trace(str(path), wanted=wanted)
    before, gradient, after = descend(3)[wanted - 1]
    assert isinstance(trace, Trace)
    whole(trace)
    assert trace.number == wanted
    assert trace.passes >= wanted
    assert not trace.partial
    same(named(trace, "w").outputs[0], before)
    same(named(trace, "w").gradients[0], gradient)
    same(trace.updates[0].after, after)


def test_accumulation_over_two_passes() -> None:
    """Two losses without clearing in between: the second pass brings its own part and finds the first."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        (w * 3).sum().backward()
        (w * w).sum().backward()
    first, second = map(whole, recording.traces)
    same(named(second, "w").gradients[0], torch.tensor([2.0, 4.0]))
    same(named(second, "w").accumulated.before, torch.tensor([3.0, 3.0]))
    same(named(second, "w").accumulated.after, torch.tensor([5.0, 7.0]))
    assert [node.op for node in second.nodes if node.kind == "op"] == ["mul", "sum"]
    assert "accumulated_gradient" in {finding.kind for finding in second.findings}
    assert "accumulated_gradient" not in {finding.kind for finding in first.findings}


def test_seed_of_backward_with_gradient() -> None:
    """`backward(gradient=g)` seeds the output with g."""
    x, seed = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([10.0, 0.5])
    with explorer.record() as recording:
        y = x * x
        y.backward(gradient=seed)
    trace = whole(recording.trace)
    same(named(trace, "y").seeds[0], seed)
    same(named(trace, "y").gradients[0], seed)
    same(named(trace, "x").gradients[0], x.grad)
    assert trace.loss is None


def test_backward_inside_a_function() -> None:
    """A backward deep in the user's functions is the same pass; the names of all frames are there."""

    def forward(value: torch.Tensor) -> torch.Tensor:
        inner = value.exp()
        return inner.sum()

    def step(value: torch.Tensor) -> float:
        loss = forward(value)
        loss.backward()
        return loss.item()

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        result = step(x)
    trace = whole(recording.trace)
    assert trace.loss == pytest.approx(result)
    assert named(trace, "inner").op == "exp"
    assert named(trace, "loss").op == "sum"
    assert "x" in named(trace, "value").names or named(trace, "x").kind == "input"
    same(named(trace, "x").gradients[0], x.grad)


def test_order_of_backward_is_the_engines() -> None:
    """`backward` lists the executed nodes in the engine's order; no node comes before one that feeds it a gradient."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        a, b = x.exp(), x.sin()
        (a * b).sum().backward()
    trace = whole(recording.trace)
    order = [trace.nodes[i].op or trace.nodes[i].name for i in trace.backward]
    assert order == ["sum", "mul", "sin", "exp", "x"]
    position = {node: i for i, node in enumerate(trace.backward)}
    assert all(position[e.target] < position[e.source] for e in trace.edges if e.gradient is not None)
    assert [trace.nodes[i].op for i in trace.forward if trace.nodes[i].kind == "op"] == ["exp", "sin", "mul", "sum"]


def test_retain_graph_gives_two_full_passes() -> None:
    """With `retain_graph=True` the second pass over one graph has the same contributions."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        y = x.exp()
        loss = (y * y).sum()
        loss.backward(retain_graph=True)
        loss.backward()
    first, second = map(whole, recording.traces)
    for trace in (first, second):
        same(named(trace, "y").gradients[0], 2 * x.detach().exp())
        assert [node.op for node in trace.nodes if node.kind == "op"] == ["exp", "mul", "sum"]
    same(named(second, "x").accumulated.after, x.grad)


def test_sgd_with_momentum() -> None:
    """The update by SGD names the optimizer, its group and settings, the momentum buffer, before and after."""

    def build() -> tuple[nn.Linear, torch.optim.SGD]:
        torch.manual_seed(2)
        layer = nn.Linear(2, 1)
        return layer, torch.optim.SGD([{"params": [layer.weight], "lr": 0.1}, {"params": [layer.bias], "lr": 0.5}], momentum=0.9)

    x = torch.tensor([[1.0, 2.0]])
    plain, plain_optimizer = build()
    layer, optimizer = build()
    states = []
    for _ in range(2):
        plain_optimizer.zero_grad()
        plain(x).sum().backward()
        before = plain.weight.detach().clone()
        plain_optimizer.step()
        states.append((before, plain.weight.detach().clone(), plain_optimizer.state[plain.weight]["momentum_buffer"].clone()))
    with explorer.record() as recording:
        for _ in range(2):
            optimizer.zero_grad()
            loss = layer(x).sum()
            loss.backward()
            optimizer.step()
    for trace, (before, after, momentum) in zip(map(whole, recording.traces), states, strict=True):
        updates = {trace.nodes[update.node].name: update for update in trace.updates}
        assert set(updates) == {"weight", "bias"}
        weight, bias = updates["weight"], updates["bias"]
        assert (weight.optimizer, weight.group, bias.group) == ("SGD", 0, 1)
        assert (weight.settings["lr"], bias.settings["lr"], weight.settings["momentum"]) == (0.1, 0.5, 0.9)
        same(weight.before, before)
        same(weight.after, after)
        same(weight.gradient, torch.tensor([[1.0, 2.0]]))
        same(weight.state["momentum_buffer"], momentum)
    assert torch.equal(plain.weight, layer.weight)


def test_adam_state() -> None:
    """The update by Adam has its moments after the step, equal to plain torch."""
    p = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = torch.optim.Adam([p], lr=0.1)
    with explorer.record() as recording:
        loss = (p * p).sum()
        loss.backward()
        optimizer.step()
    trace = whole(recording.trace)
    (update,) = trace.updates
    assert update.optimizer == "Adam"
    assert update.node == named(trace, "p").id
    same(update.state["exp_avg"], optimizer.state[p]["exp_avg"])
    same(update.state["exp_avg_sq"], optimizer.state[p]["exp_avg_sq"])
    same(update.after, p)
    same(update.before, torch.tensor([1.0, -2.0]))
    assert [node.op for node in trace.nodes if node.kind == "op"] == ["mul", "sum"]


def test_update_through_data() -> None:
    """`w.data -= …` is an update by hand; so is an assignment through `copy_` under no_grad."""
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        (w * v).sum().backward()
        w.data -= 0.5 * w.grad
        with torch.no_grad():
            v.copy_(v - v.grad)
    trace = whole(recording.trace)
    updates = {trace.nodes[update.node].name: update for update in trace.updates}
    assert {name: (u.before.values, u.after.values) for name, u in updates.items()} == {
        "w": ((1.0, 2.0), (-0.5, 0.0)),
        "v": ((3.0, 4.0), (2.0, 2.0)),
    }
    assert {u.optimizer for u in trace.updates} == {None}


@pytest.mark.parametrize("style", ["no_grad", "detach"])
def test_an_update_that_makes_a_new_tensor(style: str) -> None:
    """`w = w - lr * w.grad`, as tutorials write it: the next pass begins at the new w, and the update is no part of its forward pass."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        for _ in range(2):
            loss = (w * w).sum()
            loss.backward()
            if style == "no_grad":
                with torch.no_grad():
                    w = w - 0.25 * w.grad
                w.requires_grad_()
            else:
                w = (w - 0.25 * w.grad).detach().requires_grad_()
    _, second = map(whole, recording.traces)
    assert [(node.kind, node.op) for node in second.nodes] == [("input", None), ("op", "mul"), ("op", "sum")]
    same(second.nodes[0].outputs[0], torch.tensor([0.5, 1.0]))
    assert {finding.kind for finding in second.findings} & {"detached", "no_grad"} == set()


def test_a_parameter_that_did_not_change_has_no_update() -> None:
    """Without a step after backward there are no updates."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        (w * 3).sum().backward()
    assert whole(recording.trace).updates == ()


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """The same program and seed give the same `.json` byte for byte, once the times are taken out."""
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)), torch.randn(5, 3)
    start, texts = {k: v.clone() for k, v in model.state_dict().items()}, []
    for run in range(3):
        model.load_state_dict(start)
        model.zero_grad()
        torch.manual_seed(1)
        noise = [torch.ones(run + 1) for _ in range(run * 7)]  # other addresses, other ids
        with explorer.record(title="bytes") as recording:
            loss = model(x).square().mean()
            loss.backward()
        path = tmp_path / f"{run}.json"
        explorer.export(whole(recording.trace), path)
        content = json.loads(path.read_text(encoding="utf-8"))
        for node in content["nodes"]:
            node["time_us"] = {"forward": None, "backward": None}
        texts.append(json.dumps(content, ensure_ascii=False))
        del noise
    assert texts[0] == texts[1] == texts[2]


def test_json_says_what_the_trace_says(document: Callable[[Trace], dict[str, Any]]) -> None:
    """The document has the contract's fields, the trace's numbers, and strings for what is not finite."""
    x = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)
    with explorer.record(title="log") as recording:
        y = x.log()
        y.sum().backward()
    trace = whole(recording.trace)
    content = document(trace)
    assert (content["format"], content["title"], content["partial"], content["pass"], content["passes"]) == (1, "log", False, 1, 1)
    assert set(content["made_with"]) >= {"explorer", "torch", "python", "device", "dtype", "seed"}
    node = content["nodes"][named(trace, "y").id]
    note = node["outputs"][0]
    assert note["values"] == [0.0, "-inf", "nan"]
    assert (note["nans"], note["infs"], note["zeros"]) == (1, 1, 1)
    assert (note["min"], note["max"], note["mean"]) == ("nan", "nan", "nan")
    leaf = content["nodes"][named(trace, "x").id]
    assert leaf["gradients"][0]["values"] == [1.0, "inf", -1.0]
    assert leaf["op"] is None
    assert leaf["autograd"] in (None, "AccumulateGrad", "torch::autograd::AccumulateGrad")
    assert node["autograd"] == "LogBackward0"
    assert node["formula"]["text"] == "self: grad.div(self.conj())"
    assert node["formula"]["source"] == "derivatives.yaml"
    assert set(node) >= {"id", "kind", "name", "names", "op", "autograd", "module", "source", "outputs", "gradients", "seeds"}
    assert set(node) >= {"accumulated", "status", "reason", "saved", "formula", "time_us"}
    assert set(content["edges"][0]) >= {"source", "output", "target", "input", "gradient", "differentiable"}
    assert content["loss"] == "nan" or content["loss"] is None


def test_multi_output_ops_note_every_output() -> None:
    """`sort`, `var_mean` and `native_batch_norm` have a note per output; only those that take part have gradients."""
    x = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        ordered, places = x.sort()  # noqa: RUF059
        spread, center = torch.var_mean(x)
        loss = (ordered * torch.tensor([1.0, 2.0, 3.0])).sum() + spread + center * 2
        loss.backward()
    trace = whole(recording.trace)
    sorting, moments = op(trace, "sort"), op(trace, "var_mean")
    assert [note.dtype for note in sorting.outputs] == ["float32", "int64"]
    same(sorting.gradients[0], torch.tensor([1.0, 2.0, 3.0]))
    assert sorting.gradients[1] is None
    assert (moments.gradients[0].item, moments.gradients[1].item) == (1.0, 2.0)
    close(moments.outputs[0], torch.var(x.detach()))
    close(moments.outputs[1], torch.mean(x.detach()))
    same(named(trace, "x").gradients[0], x.grad)
    assert set(sorting.names) == {"ordered", "places"}


def test_ops_before_the_recording_are_not_invented() -> None:
    """A tensor made with a graph before the recording: what is known of it comes from the graph, without a made-up value."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    before = w.exp()
    with explorer.record() as recording:
        loss = (before * 2).sum()
        loss.backward()
    trace = whole(recording.trace)
    node = next(n for n in trace.nodes if n.autograd == "ExpBackward0")
    assert node.status == "executed"
    same(node.gradients[0], torch.tensor([2.0, 2.0]))
    close(edge(trace, named(trace, "w"), node).gradient, w.grad)
    assert len(ops(trace, "mul")) == 1
