"""The chain rule by hand against published numbers, against autograd, and against itself: path by path, in sum, and as one expression."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from explorer.formulas import ByHand, Numbers, by_hand, mathml
from explorer.model import Node, Trace
from tests.benchmarks import coverage
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace
from tests.formulas.recorded import example, traced

# Published gradients (pub) or their exact float64 values, by the program's variable.
PUBLISHED: dict[str, dict[str, Any]] = {
    "logistic_neuron": {"w": -0.0898, "b": -0.0817},
    "karpathy_neuron": {"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "n": 0.5, "b": 0.5},
    "karpathy_expression": {"a": 6, "b": -4, "c": -2, "e": -2, "d": -2, "f": 4},
    "a_plus_a": {"a": 2},
    "accumulation": {"a": -3, "b": -8, "d": 1, "e": -6},
    "micrograd_readme": {"a": 138.83381924198252, "b": 645.5772594752186},
    "cs231n_product": {"x": -4, "y": -4, "z": 3, "q": -4},
    "cs231n_sigmoid": {
        "w0": -0.19661193324148185, "w1": -0.3932238664829637, "w2": 0.19661193324148185,
        "x0": 0.3932238664829637, "x1": -0.5898357997244456,
    },
    "cs231n_max": {"x": -8, "y": 6, "z": 2, "w": 0},
    "tutorial_mean": {"x": [[4.5, 4.5], [4.5, 4.5]]},
    "tutorial_vector": {"a": [36, 81], "b": [-12, -8]},
    "d2l_dot": {"x": [0, 4, 8, 12]},
    "d2l_detach": {"x": [0, 1, 4, 9]},
}  # fmt: skip


def named(trace: Trace, name: str) -> Node:
    return next(node for node in trace.nodes if name in node.names)


def value_of(values: Any) -> np.ndarray:
    return np.array(values, dtype=float)


def consistent(found: ByHand) -> None:
    """What is said of a gradient does not contradict itself."""
    assert found.verdict in ("equal", "close"), found.note
    if not found.hidden:
        total = sum(value_of(path.result).reshape(value_of(found.total).shape) for path in found.paths)
        np.testing.assert_allclose(total, value_of(found.total), rtol=1e-9, atol=1e-300)
    for path in found.paths:
        assert len(path.nodes) == len(path.factors) + 1
        assert path.nodes[-1] == found.node
        if all(one.local is not None for one in path.factors):
            product = value_of(path.seed).item() * math.prod(one.local or 0.0 for one in path.factors)
            assert product == pytest.approx(value_of(path.result).item(), rel=1e-12)
    if found.symbolic is not None:
        assert found.symbolic.value == pytest.approx(value_of(found.total).item(), rel=1e-6, abs=1e-12)
        assert "<math" in mathml(found.symbolic.latex)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_gradients_come_out_by_hand(name: str) -> None:
    """The sum over all paths of the products of local derivatives is the published number, in every example that has one."""
    trace = example(name)
    digits = 5e-5 if name == "logistic_neuron" else 1e-6  # published with four decimals
    for variable, published in PUBLISHED[name].items():
        found = by_hand(trace, named(trace, variable).id)
        consistent(found)
        np.testing.assert_allclose(value_of(found.total), value_of(published), atol=digits, rtol=1e-6, err_msg=variable)


def test_a_path_is_written_out() -> None:
    """The logistic neuron: one path to w, its four local derivatives, their product, and the whole as one expression."""
    found = by_hand(dummy_trace(), 1)
    (path,) = found.paths
    assert path.nodes == (7, 5, 4, 2, 1)
    assert path.text == "1 × (−1.0889) × 0.075 × 1 × 1.1 = −0.0898"
    assert [one.text for one in path.factors] == [
        "∂loss/∂a = (a − y) / max(a × (1 − a), 1e−12) / N = −1.0889",
        "∂a/∂z = a × (1 − a) = 0.075",
        "∂z/∂mul#2 = 1",
        "∂mul#2/∂w = x = 1.1",
    ]
    assert found.symbolic is not None
    assert found.symbolic.text == "∂L/∂w = (a − y) / max(a × (1 − a), 1e−12) × a × (1 − a) × x"
    assert found.symbolic.definitions == ("a = σ(z)", "z = x × w + b")


def test_paths_are_summed() -> None:
    """A number used twice gets a path for each use; an op that takes it twice, too."""
    x = torch.tensor(3.0, requires_grad=True)
    found = by_hand(trace := traced(lambda: (x * x + x).backward()), named(trace, "x").id)
    assert [path.text for path in found.paths] == ["1 × 1 × 3 = 3", "1 × 1 × 3 = 3", "1 × 1 = 1"]
    assert (found.total, found.verdict, found.hidden) == (7.0, "equal", 0)


def test_many_paths_are_counted_and_all_are_in_the_sum() -> None:
    """Of 2 to the 30 paths the first are shown and the others counted; the sum is over all of them."""
    x = torch.tensor(1.0, requires_grad=True)

    def doubling() -> None:
        y = x
        for _ in range(30):
            y = y + y
        y.backward()

    found = by_hand(trace := traced(doubling), named(trace, "x").id)
    assert len(found.paths) + found.hidden == 2**30
    assert (found.total, found.verdict, found.symbolic) == (float(2**30), "equal", None)


def test_arrays_go_down_the_path() -> None:
    """Through matrices a path is a chain of vector-Jacobian products, each shown as an array."""
    w = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0]])
    found = by_hand(trace := traced(lambda: (x @ w).relu().sum().backward()), named(trace, "w").id)
    consistent(found)
    (path,) = found.paths
    assert path.text == "1 → [[1, 1]] → [[1, 1]] → [[1, 1], [2, 2]]"
    assert path.factors[-1].text == "∂L/∂w = xᵀ @ g = [[1, 1], [2, 2]]"
    assert found.symbolic is None


def test_a_replaced_gradient_differs() -> None:
    """A hook that replaces a gradient makes torch's differ from what the chain rule gives, and that is said with the difference."""
    x = torch.tensor(2.0, requires_grad=True)

    def program() -> None:
        y = x * 3
        y.register_hook(lambda g: g * 10)
        (y * 1).backward()

    found = by_hand(trace := traced(program), named(trace, "x").id)
    assert (found.total, found.autograd, found.difference, found.verdict) == (3.0, 30.0, 27.0, "differs")
    assert "27" in found.note


def test_intermediates_and_seeds() -> None:
    """An intermediate value has its gradient by hand as well; what backward was started with is the first factor."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def program() -> None:
        y = x**2
        z = y * 3
        z.backward(torch.tensor([1.0, 10.0]))

    trace = traced(program)
    y, z = by_hand(trace, named(trace, "y").id), by_hand(trace, named(trace, "z").id)
    assert (y.total, y.verdict) == ((3.0, 30.0), "equal")
    assert (z.total, z.paths[0].nodes) == ((1.0, 10.0), (named(trace, "z").id,))


def test_what_is_not_there_is_said() -> None:
    """Without the values on the way, without a rule, or where nothing flowed, there is a reason and no number."""
    torch.manual_seed(0)
    w = torch.randn(30, 5, requires_grad=True)
    x = torch.randn(20, 30)
    found = by_hand(trace := traced(lambda: (x @ w).exp().sum().backward()), named(trace, "w").id)
    assert (found.total, found.paths, found.verdict) == (None, (), "unknown")
    assert "not in the trace" in found.note
    whole = traced(lambda: (x @ w).exp().sum().backward(), values="all")
    assert by_hand(whole, named(whole, "w").id).total is not None
    v = torch.tensor(0.5, requires_grad=True)
    trace = traced(lambda: torch.digamma(v).backward())
    assert "DigammaBackward0" in by_hand(trace, named(trace, "v").id).note
    assert "DigammaBackward0" in by_hand(trace, named(trace, "v").id, language="ko").note


def test_nan_and_inf_are_numbers_like_any_other() -> None:
    """log at 0 and below: the gradient by hand holds torch's inf where torch's does."""
    found = by_hand(nonfinite_trace(), 0)
    assert found.verdict == "equal"
    assert found.total == (1.0, math.inf, -1.0)


def test_a_long_chain_is_no_recursion() -> None:
    """A chain of thousands of ops is worked out, one that is too long says so."""
    assert by_hand(chain_trace(1_500), 0).total == 1.0
    assert "2000" in by_hand(chain_trace(3_000), 0).note


@pytest.mark.slow
def test_every_parameter_of_a_model_by_hand() -> None:
    """Each parameter of a small GPT-2 in float64: the chain rule over all paths gives autograd's gradient; some have thousands of paths."""
    trace = coverage.recorded("gpt2")
    numbers = Numbers(trace)
    hidden = 0
    for node in trace.nodes:
        if node.kind != "parameter" or node.status != "executed":
            continue
        found = by_hand(numbers, node.id)
        assert found.total is not None, found.note
        hidden = max(hidden, found.hidden)
        note = node.gradients[0]
        assert note is not None and note.norm is not None
        assert np.linalg.norm(value_of(found.total)) == pytest.approx(note.norm, rel=1e-6)  # its loss is computed in float32
    assert hidden > 100
