"""What the inspector is told beside the trace: how an optimizer made a value, where an op is documented, large tensors in little."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.figures import figure
from explorer.model import StoredTensor
from explorer.pages import ALIASES, DOCUMENTED, page_of
from explorer.sketches import COLUMNS, ROWS, sketches
from explorer.updating import update_rule
from tests.dummy import dummy_trace, note

SETTINGS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "decay": ("SGD", {"lr": 0.1, "weight_decay": 0.01}),
    "momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}),
    "nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "adam": ("Adam", {"lr": 0.1}),
    "amsgrad": ("Adam", {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True}),
    "adamw": ("AdamW", {"lr": 0.1, "weight_decay": 0.05}),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", SETTINGS)
def test_an_update_is_worked_out_with_its_numbers(name: str) -> None:
    """At the second step of each optimizer there is a line for every element, and it ends in what the program got."""
    import torch

    import explorer

    optimizer, settings = SETTINGS[name]
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.3, 1.2]))
    steps = getattr(torch.optim, optimizer)([weight], **settings)
    for _ in range(2):
        with explorer.record() as recording:
            loss = ((weight * torch.tensor([1.0, 2.0, 3.0])).sum() - 1) ** 2
            steps.zero_grad()
            loss.backward()
            steps.step()
    (update,) = recording.trace.updates
    found = update_rule(update)
    assert found is not None
    assert "math" in found["maths"]
    assert [line.rpartition(" = ")[2] for line in found["lines"]] == [figure(float(value)) for value in weight.detach()]
    wrong = replace(update, after=note([9.0, 9.0, 9.0]))
    assert (update_rule(wrong) or {})["lines"] == []  # a program that did more than its optimizer says
    assert update_rule(replace(update, optimizer="Mine")) is None


@pytest.mark.torch
def test_what_is_documented_exists() -> None:
    """Every name that a link leads to is a function of torch with a text of its own; every alias leads to one."""
    import torch

    homes = {"torch": torch, "torch.nn.functional": torch.nn.functional, "torch.Tensor": torch.Tensor}
    missing = [
        f"{home}.{name}"
        for home, names in DOCUMENTED.items()
        for name in names
        if not getattr(getattr(homes[home], name, None), "__doc__", None)
    ]
    assert missing == []
    assert all(page_of(op) for op in ALIASES)
    assert page_of("native_layer_norm") == "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html"
    assert page_of("add_") == page_of("add")
    assert page_of("<b>") is page_of("no_such_op") is page_of(None) is None


def test_a_large_tensor_in_little() -> None:
    """The histogram counts every finite element once, the heat map is at most so many cells, each the mean of its block."""
    import numpy as np

    values = np.arange(60 * 100, dtype=np.float32).reshape(60, 100)
    values[0, 0] = np.inf
    trace = dummy_trace()
    large = replace(trace.nodes[2].outputs[0], shape=(60, 100), values=None)
    nodes = (*trace.nodes[:2], replace(trace.nodes[2], outputs=(large,)), *trace.nodes[3:])
    stored = StoredTensor("float32", (60, 100), values.tobytes())
    found = sketches(replace(trace, nodes=nodes, tensors={"n2.output0": stored, "n99.output0": stored, "n2.gradient7": stored}))
    assert list(found) == ["n2.output0"]
    sketch = found["n2.output0"]
    assert sum(sketch["counts"]) == values.size - 1
    assert (sketch["low"], sketch["high"]) == (1.0, 5999.0)
    assert (len(sketch["heat"]), len(sketch["heat"][0])) == (ROWS, COLUMNS)
    assert sketch["heat"][-1][-1] == pytest.approx(values[57:, 96:].mean(), rel=1e-3)
    json.dumps(found, allow_nan=False)
    assert sketches(trace) == {}
