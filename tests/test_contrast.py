"""Two recordings beside each other: how far apart they are, where that begins, and what cannot be compared."""

from __future__ import annotations

import csv
import io
import json
import math
import struct
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from explorer.contrast import TOLERANCES, contrast, in_order, written
from explorer.model import Note, StoredTensor, Trace
from explorer.ui import beside, running
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace, note


def changed(trace: Trace, node: int, *, value: Note | None = None, gradient: Note | None = None) -> Trace:
    """The trace with another value or gradient at one node."""
    nodes = list(trace.nodes)
    if value is not None:
        nodes[node] = replace(nodes[node], outputs=(value,))
    if gradient is not None:
        nodes[node] = replace(nodes[node], gradients=(gradient,))
    return replace(trace, nodes=tuple(nodes))


def large(values: list[float], dtype: str = "float32", *, keep: bool = False) -> Note:
    return note(values, dtype, keep=keep)


def stored(trace: Trace, name: str, dtype: str, data: bytes, shape: tuple[int, ...]) -> Trace:
    return replace(trace, tensors=MappingProxyType({name: StoredTensor(dtype, shape, data)}))


def op(trace: Trace, name: str) -> int:
    return next(node.id for node in trace.nodes if node.op == name)


def test_the_same_is_equal() -> None:
    """A recording beside itself: every value and every gradient is there once, in order, and differs by nothing."""
    trace = dummy_trace(updates=True)
    found = contrast(trace, trace)
    gradients = sum(gradient is not None for node in trace.nodes for gradient in node.gradients)
    assert [row.what for row in found.rows] == ["value"] * len(trace.nodes) + ["gradient"] * gradients
    assert all((row.difference, row.relative, row.above, row.bounded) == (0, 0, False, False) for row in found.rows)
    assert (found.begins, found.parted) == (None, None)
    ran = [row.node for row in found.rows if row.what == "gradient"]
    assert ran == [number for number in trace.backward if number in ran]


def test_where_it_begins() -> None:
    """The first difference above tolerance in the order of computing is told, though a later one is larger; its step is the player's."""
    trace = dummy_trace()
    first, later = op(trace, "sigmoid"), op(trace, "binary_cross_entropy")
    other = changed(changed(trace, first, value=note([0.9184])), later, value=note(8.0))
    found = contrast(trace, other)
    assert found.begins is not None and found.largest is not None
    assert (found.begins.node, found.begins.what) == (first, "value")
    assert found.begins.difference == pytest.approx(0.9184 - 0.918339729309082)
    assert found.begins.relative == pytest.approx((0.9184 - 0.918339729309082) / 0.9184)
    assert found.largest.node == later
    assert found.begins.step == 4  # initialise, mul, add, sigmoid
    assert found.at(1e-3).begins is not None
    assert found.at(1e-3).begins.node == later  # type: ignore[union-attr]
    assert found.at(1.0).begins is None
    only_gradient = contrast(trace, changed(trace, first, gradient=note([-1.2])))
    assert only_gradient.begins is not None
    assert (only_gradient.begins.what, only_gradient.begins.node) == ("gradient", first)


@pytest.mark.parametrize(("one", "two"), [("float64", "float32"), ("float32", "bfloat16"), ("bfloat16", "float16"), ("float32", "float32")])
def test_the_tolerance_is_that_of_the_coarser_type(one: str, two: str) -> None:
    """A little less than the tolerance passes, a little more does not."""
    trace = dummy_trace()
    most = max(TOLERANCES[one], TOLERANCES[two])
    mine = changed(trace, 5, value=note([1.0], one))
    for factor, above in ((0.9, False), (1.1, True)):
        (row,) = (
            row
            for row in contrast(mine, changed(trace, 5, value=note([1.0 - factor * most], two))).rows
            if (row.node, row.what) == (5, "value")
        )
        assert (row.tolerance, row.above) == (most, above)


def test_whole_numbers_have_to_be_equal() -> None:
    """Integers have no rounding, so that no tolerance makes up for a difference."""
    trace = dummy_trace()
    found = contrast(changed(trace, 5, value=note([1_000_000], "int64")), changed(trace, 5, value=note([1_000_001], "int64")))
    assert found.at(0.1).begins is not None


def test_what_is_not_finite() -> None:
    """NaN equals NaN and infinity itself; against anything else they differ by more than any tolerance."""
    trace = nonfinite_trace()
    assert contrast(trace, trace).begins is None
    dummy = dummy_trace()
    for mine, theirs, difference in (
        ([math.nan, 1.0], [math.nan, 1.0], 0.0), ([math.inf, 1.0], [math.inf, 1.5], 0.5),
        ([math.inf, 1.0], [-math.inf, 1.0], math.inf), ([math.nan, 1.0], [0.0, 1.0], math.inf),
    ):  # fmt: skip
        found = contrast(changed(dummy, 5, value=note(mine)), changed(dummy, 5, value=note(theirs)))
        (row,) = (row for row in found.rows if (row.node, row.what) == (5, "value"))
        assert row.difference == difference
        assert json.loads(json.dumps(written(found), allow_nan=False))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_whole_tensors_are_read(dtype: str) -> None:
    """What is too large for a note is read element by element where it was kept, and not from its statistics."""
    values = [float(number) for number in range(100)]
    others = [*values[1:], values[0]]  # the same statistics
    pack = {
        "float32": lambda one: struct.pack("<f", one),
        "float16": lambda one: struct.pack("<e", one),
        "bfloat16": lambda one: struct.pack("<f", one)[2:],
    }
    trace = dummy_trace()
    sides = [
        stored(changed(trace, 5, value=large(side, dtype)), "n5.output0", dtype, b"".join(map(pack[dtype], side)), (100,))
        for side in (values, others)
    ]
    (row,) = (row for row in contrast(*sides).rows if (row.node, row.what) == (5, "value"))
    assert (row.difference, row.relative, row.bounded, row.above) == (99.0, 1.0, False, True)


def test_statistics_bound_from_below() -> None:
    """Where only statistics were kept, what is told is never more than the real difference, and is marked."""
    one = [math.sin(number) for number in range(200)]
    trace = dummy_trace()
    for two in ([value + 0.25 for value in one], [value * 1.5 for value in one], [*one[:-1], 7.0], one[::-1], [0.0] * 200):
        found = contrast(changed(trace, 5, value=large(one)), changed(trace, 5, value=large(two)))
        (row,) = (row for row in found.rows if (row.node, row.what) == (5, "value"))
        real = max(abs(a - b) for a, b in zip(one, two, strict=True))
        assert row.bounded
        assert row.difference is not None
        assert row.difference <= real * (1 + 1e-12)
        assert two == one[::-1] or row.difference > 0.1 * real


def test_what_cannot_be_compared_says_why() -> None:
    """Another shape and a gradient on one side only count as differences; values that were not kept are unknown, not equal."""
    trace = dummy_trace()
    shaped = contrast(trace, changed(trace, 5, value=note([1.0, 2.0])))
    assert shaped.begins is not None
    assert (shaped.begins.why, shaped.begins.difference) == ("shape", None)
    missing = contrast(trace, replace(trace, nodes=tuple(replace(node, gradients=(None,)) for node in trace.nodes)))
    assert missing.begins is not None
    assert missing.begins.why == "missing"
    bare = replace(trace, nodes=tuple(replace(node, outputs=(Note((1,), "float32"),), gradients=(None,)) for node in trace.nodes))
    unknown = contrast(bare, bare)
    assert (unknown.begins, unknown.largest) == (None, None)
    assert {row.why for row in unknown.rows} == {"no_values"}


def test_programs_that_part() -> None:
    """Nodes are compared for as long as both sides do the same; after that only leaves of the same name, and it is told where."""
    trace = dummy_trace()
    place = op(trace, "sigmoid")
    nodes = list(trace.nodes)
    nodes[place] = replace(nodes[place], op="tanh")
    found = contrast(trace, replace(trace, nodes=tuple(nodes)))
    assert found.parted == place
    late = {node.id for node in trace.nodes if node.id > place and node.is_leaf and node.name}
    assert {row.node for row in found.rows} == set(range(place)) | late
    assert contrast(chain_trace(5), chain_trace(9)).parted is not None
    assert contrast(chain_trace(9), chain_trace(5)).parted is not None


def test_many_nodes_at_once() -> None:
    """A chain of 5,000 ops beside itself takes no recursion, and no time that grows with the square."""
    chain = chain_trace(5_000)
    assert len(contrast(chain, chain).rows) == len(list(in_order(chain)))


# -- as the page tells it --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_is_told_in_sentences(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sentence says where it begins; leaves that differ are told as such; each case has words in both languages."""
    monkeypatch.setattr(beside, "language", lambda: language)
    trace = dummy_trace()
    w, sigmoid = next(node.id for node in trace.nodes if node.name == "w"), op(trace, "sigmoid")
    bounded = changed(trace, 2, value=large([0.1] * 100))
    cases: list[tuple[Trace, Trace, str]] = [
        (trace, trace, "equal"),
        (trace, changed(trace, sigmoid, value=note([0.918339])), "agree"),
        (trace, changed(trace, sigmoid, value=note([0.5])), "begins"),
        (trace, changed(trace, w, value=note([2.3])), "start"),
        (trace, changed(trace, sigmoid, value=note([0.5, 0.5])), "begins_missing"),
        (bounded, changed(bounded, sigmoid, value=note([0.5])), "begins_shown"),
        (bounded, bounded, "agree_shown"),
    ]
    told = []
    for one, two, key in cases:
        sentences = beside._sentences(contrast(one, two))
        start = beside._text(key, **dict.fromkeys(("count", "relative", "name", "what", "difference", "before"), "@")).split("@")[0]
        assert start and sentences[0].startswith(start), key
        told.append(sentences[0])
    assert len(set(told)) == len(cases)


def test_the_table_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to the browser is JSON without infinity; a long table keeps what differs most and says how much it leaves out."""
    monkeypatch.setattr(beside, "language", lambda: "en")
    chain = chain_trace(3_000)
    found = contrast(chain, changed(chain, 2_900, value=note([math.inf])))
    data = beside._data(found, "k")
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert len(data["rows"]) == beside.MOST_ROWS
    assert str(len(found.rows) - beside.MOST_ROWS) in data["more"]
    assert [row[6] for row in data["rows"] if row[-1]] == ["above"]


def test_files_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV and JSON hold every row; no name becomes a formula in a spreadsheet."""
    trace = dummy_trace()
    nodes = tuple(replace(node, name="=cmd()") if node.op == "sigmoid" else node for node in trace.nodes)
    found = contrast(replace(trace, nodes=nodes), replace(trace, nodes=nodes))
    rows = list(csv.DictReader(io.StringIO(beside._csv(found).decode("utf-8-sig"))))
    assert len(rows) == len(found.rows) == len(json.loads(beside._json(found))["rows"])
    assert "'=cmd()" in {row["name"] for row in rows}
    assert {"first_norm", "second_norm", "difference", "relative", "tolerance"} <= set(rows[0])


# -- how both sides are run ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "size", "wanted"),
    [(None, 8, ["stats", "all", "all"]), (None, 10**9, ["stats", "stats"]), (8, 8, ["all", "all"]), (10**9, 8, ["stats", "stats"])],
)
def test_whole_tensors_only_where_they_fit(known: int | None, size: int, wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides run with the same seed, one after the other; where nothing is known of the size a run without tensors comes first."""
    asked: list[dict[str, Any]] = []

    def run_target(target: str, *, progress: Any, cancelled: Any, **options: Any) -> Any:
        from explorer.capture.run import Result

        asked.append(options)
        return Result((dummy_trace(),), "printed")

    monkeypatch.setattr("explorer.capture.run.run_target", run_target)
    monkeypatch.setattr(running, "size", lambda trace: size)
    run = running.compare("x", first=running.Side("cpu", None), second=running.Side("cpu", "float64"), seed=3, known=known)
    assert run.thread is not None
    run.thread.join()
    assert [options["values"] for options in asked] == wanted
    assert {options["seed"] for options in asked} == {3}
    assert ["dtype" in options for options in asked] == [False] * (len(wanted) - 1) + [True]
    assert run.trace is not None and run.second is not None


def test_the_size_of_a_recording() -> None:
    """Bytes of values and gradients, by their types."""
    trace = changed(dummy_trace(), 5, value=note([1.0] * 10, "bfloat16"))
    before = running.size(dummy_trace())
    assert running.size(trace) == before - 4 + 20
