"""Steps: in the right order, with the trace's own numbers, in both languages; before and after fit together."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from explorer.model import Accumulated, Edge, Trace
from explorer.steps import PHASES, Ref, figure, steps
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace, note

NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:e−?\d+)?")


def said(trace: Trace, language: str = "en") -> list[str]:
    return [step.say(language) for step in steps(trace)]


def diamond() -> Trace:
    """`a = 3; b = a + a`: two contributions of 1 meet at a."""
    base = dummy_trace()
    a = replace(base.nodes[1], id=0, name="a", names=("a",), outputs=(note(3.0),), gradients=(note(2.0),))
    a = replace(a, accumulated=Accumulated(note(5.0), note(7.0)))
    b = replace(base.nodes[4], id=1, name="b", names=("b",), outputs=(note(6.0),), gradients=(note(1.0),), seeds=(note(1.0),))
    edges = tuple(Edge(0, 0, 1, number, note(1.0), True) for number in (0, 1))
    return replace(base, nodes=(a, b), edges=edges, forward=(1,), backward=(1, 0), loss=6.0)


def test_the_neuron_is_told_step_by_step() -> None:
    """The logistic neuron takes 12 steps, and each says the published numbers."""
    assert said(dummy_trace()) == [
        "Initialise: x = 1.1, w = 2.2, b = 0, y = 1.",
        "mul reads x (1.1), w (2.2) and gives 2.42.",
        "add reads mul (2.42), b (0) and gives z = 2.42.",
        "sigmoid reads z (2.42) and gives a = 0.9183.",
        "binary_cross_entropy reads a (0.9183), y (1) and gives loss = 0.0852.",
        "The loss is 0.0852. From here the backward pass starts with gradient 1.",
        "BinaryCrossEntropyBackward0 receives 1 and sends −1.0889 to a.",
        "SigmoidBackward0 receives −1.0889 and sends −0.0817 to z.",
        "AddBackward0 receives −0.0817 and sends −0.0817 to mul, −0.0817 to b.",
        "b.grad was empty; now it is −0.0817.",
        "MulBackward0 receives −0.0817 and sends −0.0898 to w.",
        "w.grad was empty; now it is −0.0898.",
    ]


def test_phases_follow_each_other() -> None:
    """Forward, loss, backward, update: in this order, each op once a direction, in the trace's own order."""
    trace = dummy_trace(updates=True)
    found = steps(trace)
    assert [PHASES.index(step.phase) for step in found] == sorted(PHASES.index(step.phase) for step in found)
    assert tuple(step.node for step in found if step.kind == "op") == trace.forward
    assert tuple(step.node for step in found if step.phase == "backward") == trace.backward
    assert [step.node for step in found if step.phase == "update"] == [update.node for update in trace.updates]
    assert next(step.say() for step in found if step.phase == "update").endswith("(learning rate 0.1).")


@pytest.mark.parametrize("trace", [dummy_trace(updates=True, modules=True), nonfinite_trace(), chain_trace(20), diamond()])
def test_both_languages_say_the_same_numbers(trace: Trace) -> None:
    """The Korean sentence of a step holds exactly the numbers of the English one, and Hangul."""
    for english, korean in zip(said(trace, "en"), said(trace, "ko"), strict=True):
        assert sorted(NUMBER.findall(english)) == sorted(NUMBER.findall(korean))
        assert re.search("[가-힣]", korean)
        assert not re.search("[{}]", english + korean)


@pytest.mark.parametrize("trace", [dummy_trace(updates=True, modules=True), nonfinite_trace(), chain_trace(20), diamond()])
def test_nothing_is_read_before_it_is_written(trace: Trace) -> None:
    """What a step reads an earlier step wrote, or the step itself; a thing is written by one phase only."""
    written: set[Ref] = set()
    for step in steps(trace):
        here = set(step.writes)
        assert set(step.reads) <= written | here
        written |= here


def test_everything_recorded_is_reached() -> None:
    """After the last step every value, gradient, contribution, `.grad` and update of the trace has been written."""
    trace = dummy_trace(updates=True)
    written = {(ref.what, ref.node, ref.edge) for step in steps(trace) for ref in step.writes}
    for node in trace.nodes:
        assert ("value", node.id, None) in written
        assert (("gradient", node.id, None) in written) == (node.gradients[0] is not None)
        assert (("grad", node.id, None) in written) == (node.accumulated is not None)
    assert {edge for what, _, edge in written if what == "contribution"} == {
        index for index, edge in enumerate(trace.edges) if edge.gradient is not None
    }
    assert {node for what, node, _ in written if what == "parameter"} == {update.node for update in trace.updates}


def test_contributions_that_meet_are_added_up() -> None:
    """Where the same tensor is used twice, the second contribution shows the sum, and `.grad` grows by it."""
    found = steps(diamond())
    (met,) = [met for step in found for met in step.accumulates]
    assert (met.node, met.arrived, met.expected, met.total) == (0, 2, 2, 2.0)
    assert "At a they add up: 1 + 1 = 2." in " ".join(step.say() for step in found)
    assert found[-1].say() == "2 is added to a.grad: 5 → 7."


def test_a_weight_that_a_long_loop_reads() -> None:
    """20,000 contributions to one leaf are counted and added up as they come, each in one short sentence."""
    trace, count = diamond(), 20_000
    ops = tuple(replace(trace.nodes[1], id=number) for number in range(1, count + 1))
    edges = tuple(Edge(0, 0, node.id, 0, note(1.0), True) for node in ops)
    long = replace(trace, nodes=(trace.nodes[0], *ops), edges=edges, backward=tuple(range(count, 0, -1)))
    sums = [met for step in steps(long) for met in step.accumulates]
    assert [(met.arrived, met.expected, met.total) for met in sums] == [(number, count, number) for number in range(2, count + 1)]
    words = [step.say() for step in steps(long)]
    assert "they add up: 1 + 1 + 1 + 1 + 1 + 1 = 6." in words[-count + 5]
    assert "they add up: 1 + 1 + 1 + 1 + … + 1 = 20000." in words[-1]


def test_negative_terms_are_subtracted() -> None:
    """A sum of a positive and a negative contribution reads as people write it."""
    trace = diamond()
    edges = (replace(trace.edges[0], gradient=note(3.0)), replace(trace.edges[1], gradient=note(-4.0)))
    assert "3 − 4 = −1" in " ".join(said(replace(trace, edges=edges)))


def test_arrays_meet_without_a_made_up_sum() -> None:
    """Contributions whose values were not kept are counted, not summed."""
    trace = diamond()
    left_out = replace(note([1.0] * 5), values=None)
    found = steps(replace(trace, edges=tuple(replace(edge, gradient=left_out) for edge in trace.edges)))
    (met,) = [met for step in found for met in step.accumulates]
    assert met.total is None
    assert "contribution 2 of 2" in " ".join(step.say() for step in found)


def test_not_a_number_is_said() -> None:
    """NaN and inf appear in the sentences as such."""
    words = " ".join(said(nonfinite_trace()))
    assert "NaN" in words
    assert "inf" in words


def test_a_trace_without_backward_ends_after_forward() -> None:
    """Without seeds there is no loss step and no backward step; without nodes there is no step at all."""
    trace = dummy_trace()
    nodes = tuple(replace(node, gradients=(None,), seeds=(None,), accumulated=None) for node in trace.nodes)
    edges = tuple(replace(edge, gradient=None) for edge in trace.edges)
    assert {step.phase for step in steps(replace(trace, nodes=nodes, edges=edges, backward=()))} == {"forward"}
    assert steps(replace(trace, nodes=(), edges=(), forward=(), backward=(), loss=None)) == ()


def test_a_deep_trace_takes_linear_time() -> None:
    """20,000 ops give 40,000 steps with neither recursion nor quadratic work."""
    assert len(steps(chain_trace(20_000))) == 40_003


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.4200000762939453, "2.42"),
        (0.918339729309082, "0.9183"),
        (0.0851878821849823, "0.0852"),
        (-0.08982629328966141, "−0.0898"),
        (0.00311, "0.00311"),
        (1.23e-7, "1.23e−7"),
        (1234.5678, "1234.57"),
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (50257, "50257"),
        (1.5e9, "1.50e9"),
        (True, "True"),
        (math.nan, "NaN"),
        (-math.inf, "−inf"),
    ],
)
def test_figures(value: float, text: str) -> None:
    """At least three figures, at most four decimals where that is enough, and a true minus."""
    assert figure(value) == text


def test_a_hostile_name_stays_text() -> None:
    """Braces and markup come out as they went in; what turns text around or does not print is written out; a long name is shortened."""
    trace = dummy_trace()
    names = ("{0}</script>{x}", "a\u202eb\0c\nd", "가" * 10_000)
    nodes = tuple(replace(node, name=name, names=(name,)) for node, name in zip(trace.nodes[:3], names, strict=True))
    first, second = said(replace(trace, nodes=(*nodes, *trace.nodes[3:])))[:2]
    assert "{0}</script>{x} = 1.1" in first
    assert "a\\u202eb\\x00c\\nd" in first
    assert len(second) < 300


def test_contributions_that_do_not_fit_are_not_added() -> None:
    """A file may say that contributions of different shapes or types met at one output: there is no total then, and no failure."""
    trace = dummy_trace()
    fan = replace(trace.edges[3], source=2, target=5, input=1)
    for other in (note([[1.0]]), replace(note([1.0]), dtype="complex64", values=("1+1j",)), replace(note([1.0]), shape=("n",))):
        met = replace(trace, edges=(*trace.edges, replace(fan, gradient=other)))
        sums = [one for step in steps(met) for one in step.accumulates if one.node == 2]
        assert [one.total in (None, (None,)) for one in sums] == [True]
