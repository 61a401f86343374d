"""The arithmetic of a node in a trace: from the trace's own numbers, beside what torch delivered, and silent where numbers are missing."""

from __future__ import annotations

import ast
import math
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from explorer.capture.programs import EXAMPLES
from explorer.files import assets_folder, load
from explorer.formulas import Numbers, contributions, explain
from explorer.formulas.rounding import largest_difference
from explorer.formulas.simplify import simplified
from explorer.model import Node, Trace
from tests.benchmarks import coverage
from tests.dummy import dummy_trace, note
from tests.formulas.recorded import example, traced, whole_example

SMALL = [name for name, one in EXAMPLES.items() if not one.fake_only and name != "gpt2"]


def node_of(trace: Trace, autograd: str) -> Node:
    return next(node for node in trace.nodes if node.autograd == autograd)


@pytest.mark.parametrize("name", SMALL)
def test_every_contribution_of_an_example_is_what_torch_delivered(name: str) -> None:
    """In each example program every rule can be worked out, and gives what the engine delivered along the edge."""
    trace = whole_example(name)
    found = coverage.look(trace, name, coverage.COARSE)
    assert found.differing == []
    assert not found.unknown and not found.without


@pytest.mark.parametrize("name", SMALL)
def test_no_line_of_an_example_differs(name: str) -> None:
    """Each line's last number is torch's, exactly or within its type's rounding; what is unknown says why; in both languages."""
    numbers = Numbers(example(name))
    for node in numbers.trace.nodes:
        told = explain(numbers, node.id, "en"), explain(numbers, node.id, "ko")
        assert all(one.words or node.autograd is None for one in told)
        for one in told[0].inputs:
            assert one.verdict in ("equal", "close", "unknown"), (node.id, one)
            assert one.note
            if one.verdict != "unknown":
                assert one.lines and one.latex
        assert [one.verdict for one in told[0].inputs] == [one.verdict for one in told[1].inputs]


@pytest.mark.parametrize("name", SMALL)
def test_a_leaf_holds_what_was_there_and_what_arrived(name: str) -> None:
    """The rule of AccumulateGrad: `.grad` after the pass is what it was before plus the gradient that arrived."""
    numbers = Numbers(whole_example(name))
    for node in numbers.trace.nodes:
        if node.accumulated is None or node.accumulated.after is None or node.accumulated.after.values is None or node.gradients[0] is None:
            continue
        before = 0.0 if node.accumulated.before is None else np.array(node.accumulated.before.values)
        np.testing.assert_allclose(before + np.array(node.gradients[0].values), np.array(node.accumulated.after.values), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", coverage.MODELS)
def test_models_are_explained(name: str) -> None:
    """Of each well-known model at least nine nodes in ten have authored maths, and every contribution agrees with torch's in float64."""
    found = coverage.look(coverage.recorded(name), name)
    assert found.nodes > 40
    assert found.explained >= 0.9 * found.nodes
    assert found.differing == []
    assert found.agree >= 0.9 * (found.agree + sum(found.unknown.values()))


def test_lstm_layer_is_explained() -> None:
    """The one node that torch makes of an LSTM layer in float32 sends what its rule says."""
    found = coverage.look(coverage.recorded("lstm", double=False), "lstm", coverage.COARSE)
    assert (found.differing, found.unknown) == ([], {})


def test_scalars_are_worked_out_as_in_a_textbook() -> None:
    """The logistic neuron of the lectures: −0.0817 × 1.1 = −0.0898, with the program's names."""
    trace = dummy_trace()
    mul, sigmoid, loss = (explain(trace, number) for number in (2, 5, 7))
    assert mul.received == ("g = −0.0817 (z)",)
    assert [one.lines for one in mul.inputs] == [("∂L/∂w = g × x = −0.0817 × 1.1 = −0.0898",)]
    assert mul.inputs[0].verdict == "equal"
    assert mul.inputs[0].latex == r"\frac{\partial L}{\partial w} = g \odot x"
    assert sigmoid.inputs[0].lines == ("∂L/∂z = g × a × (1 − a) = −1.0889 × 0.9183 × (1 − 0.9183) = −0.0817",)
    assert loss.definitions == ("N = count(a) = 1",)
    assert loss.inputs[0].lines == (
        "∂L/∂a = g × (a − y) / max(a × (1 − a), 1e−12) / N = 1 × (0.9183 − 1) / max(0.9183 × (1 − 0.9183), 1e−12) / 1 = −1.0889",
    )
    assert explain(trace, 1).definitions == (".grad = −0.0898",)


def test_a_difference_is_said() -> None:
    """Where torch delivered something else than the rule gives, the line says so and by how much."""
    trace = dummy_trace()
    edges = tuple(replace(edge, gradient=note([0.5])) if edge.target == 2 and edge.differentiable else edge for edge in trace.edges)
    one = explain(replace(trace, edges=edges), 2).inputs[0]
    assert one.verdict == "differs"
    assert one.difference == pytest.approx(0.5898, abs=1e-4)
    assert "0.5898" in one.note


def test_a_matrix_product_shows_shapes_and_a_cell() -> None:
    """Of a product of matrices the shapes are shown, and the largest element as the sum of its products."""
    x, w = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.5], [-1.0]], requires_grad=True)
    trace = traced(lambda: (x @ w).square().sum().backward())
    (one,) = explain(trace, node_of(trace, "MmBackward0").id).inputs
    assert one.lines[0] == "∂L/∂w = xᵀ @ g = [[1, 2], [3, 4]]ᵀ @ [[−3], [−5]] = [[−18], [−26]]"
    assert one.lines[1] == "(2×1) = (2×2) @ (2×1)"
    assert one.lines[2] == "∂L/∂w[1,0] = Σₖ xᵀ[1,k] × g[k,0] = 2 × (−3) + 4 × (−5) = −26"
    assert (one.result, one.verdict) == (((-18.0,), (-26.0,)), "equal")


@pytest.mark.parametrize("shapes", [((3, 4), (4, 2)), ((2, 3, 4), (2, 4, 5))])
def test_the_cell_is_the_sum_of_its_products(shapes: tuple[tuple[int, ...], ...]) -> None:
    """Batched or not, the terms written out add up to the element they are of."""
    torch.manual_seed(0)
    a, b = (torch.randn(shape, requires_grad=True) for shape in shapes)
    trace = traced(lambda: (a @ b).square().sum().backward())
    node = next(node for node in trace.nodes if node.autograd in ("MmBackward0", "BmmBackward0"))
    for one in explain(trace, node.id).inputs:
        line = next(line for line in one.lines if "Σₖ" in line)
        terms, total = line.split(" = ")[2:]
        value = eval(terms.replace("−", "-").replace("×", "*"))
        assert value == pytest.approx(float(total.replace("−", "-")), abs=2e-3)


def test_what_was_broadcast_is_summed() -> None:
    """A bias gets its gradient summed over the rows, and a line says so."""
    x, b = torch.ones(3, 2), torch.tensor([1.0, 2.0], requires_grad=True)
    trace = traced(lambda: (x + b).sum().backward())
    (one,) = explain(trace, node_of(trace, "AddBackward0").id).inputs
    assert one.lines[-1] == "∂L/∂b: summed over the dimensions it was broadcast along, (3×2) → (2) = [3, 3]"
    assert one.verdict == "equal"


def test_numbers_that_are_not_there_are_not_made_up() -> None:
    """Without the values of a large array no line ends in a number; the shapes are still shown, and the reason is said."""
    torch.manual_seed(0)
    x, w = torch.randn(20, 30), torch.randn(30, 5, requires_grad=True)
    trace = traced(lambda: (x @ w).sum().backward())
    (one,) = explain(trace, node_of(trace, "MmBackward0").id).inputs
    assert one.lines == ("∂L/∂w = xᵀ @ g", "(30×5) = (30×20) @ (20×5)")
    assert (one.result, one.difference, one.verdict) == (None, None, "unknown")
    assert "x are not in the trace" in one.note
    whole = traced(lambda: (x @ w).sum().backward(), values="all")
    ours = contributions(whole, node_of(whole, "MmBackward0").id)[0].value
    np.testing.assert_allclose(ours, (x.t() @ torch.ones(20, 5)).numpy(), rtol=1e-5)


def test_a_large_recording_is_explained_at_once() -> None:
    """Explaining every node of the recorded GPT-2 takes little memory: nothing is worked out with arrays that are not there."""
    numbers = Numbers(load(assets_folder() / "samples" / "gpt2.trace"))
    tracemalloc.start()
    try:
        told = [explain(numbers, node.id) for node in numbers.trace.nodes]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(told) > 900
    assert peak < 50_000_000
    assert all(one.latex for one, node in zip(told, numbers.trace.nodes, strict=True) if node.status == "executed")


def test_unknown_nodes_say_whose_line_is_shown() -> None:
    """A node without a rule of ours shows torch's line, a Python Function its own backward; nothing is worked out."""

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
            return g * 2

    x = torch.tensor([1.5], requires_grad=True)
    trace = traced(lambda: torch.digamma(Twice.apply(x)).sum().backward())
    digamma, twice = explain(trace, node_of(trace, "DigammaBackward0").id), explain(trace, node_of(trace, "TwiceBackward").id)
    assert (digamma.source, digamma.latex) == ("derivatives.yaml", None) and "polygamma" in digamma.text
    assert twice.source == "user code" and "return g * 2" in twice.text
    assert digamma.inputs[0].verdict == "unknown" and "DigammaBackward0" in digamma.inputs[0].note


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda x: F.cross_entropy(x, torch.tensor([0, -100]), label_smoothing=0.1), id="cross entropy"),
        pytest.param(lambda x: x[[0, 1], :].sum() + x[:, None, 1].sum(), id="indexing"),
        pytest.param(lambda x: torch.einsum("ij,kj->ik", x, x).sum(), id="einsum"),
        pytest.param(lambda x: (x.clone().mul_(2).add_(x).relu_() ** 2).mean(), id="in place"),
        pytest.param(lambda x: torch.cat([x, x * 2]).std(), id="one tensor twice"),
        pytest.param(lambda x: F.gelu(x, approximate="tanh").norm(), id="variants"),
        pytest.param(lambda x: torch.where(x > 0, x, 0.0).sum() / x.shape[0], id="numbers for tensors"),
        pytest.param(lambda x: sum(part.sum() * k for k, part in enumerate(x.split([1, 2], 1))), id="parts of which one is unused"),
        pytest.param(lambda x: x.max(0).values.sum() + x.min(), id="extremes"),
        pytest.param(lambda x: (x.double() @ x.double().t()).float().sum(), id="types"),
    ],
)
def test_arguments_find_their_places(program: Any) -> None:
    """However arguments are given (left out, as numbers, in lists, in place), every contribution is worked out and is torch's."""
    torch.manual_seed(3)
    x = torch.randn(2, 3, requires_grad=True)
    found = coverage.look(traced(lambda: program(x).backward(), values="all"), "program", coverage.COARSE)
    assert (found.differing, dict(found.unknown), dict(found.without)) == ([], {}, {})
    assert found.agree >= 2


def test_results_of_other_shapes_differ_and_strange_arguments_stay_as_they_are() -> None:
    """What only a file that nobody recorded holds: a gradient of another shape, and a word where a number belongs."""
    assert largest_difference([1.0, 2.0], 1.0) == math.inf
    assert largest_difference([1.0, math.nan], [1.0, math.nan]) == 0.0
    tree = ast.parse("x ** (None - None) * (3 - 1)", mode="eval").body
    assert ast.unparse(simplified(tree)) == "x ** (None - None) * 2"
