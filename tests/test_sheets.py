"""A large recording in columns and sheets says what the same recording says as a whole."""

from __future__ import annotations

import json
import random
from itertools import accumulate
from typing import Any

import pytest

from explorer.files import assets_folder, load
from explorer.model import Trace
from explorer.payload import outlined, recorded
from explorer.sheets import MOST_FETCHED, SHEET, sheets_of
from explorer.steps import Stepper, steps
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace

SAMPLES = assets_folder() / "samples"
TRACES = {
    "neuron": lambda: dummy_trace(updates=True, modules=True, findings=True, checks=True),
    "nonfinite": nonfinite_trace,
    "lstm": lambda: load(SAMPLES / "lstm.trace"),
    "shared_weights": lambda: load(SAMPLES / "shared_weights.trace"),
}


@pytest.fixture(params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    return TRACES[request.param]()


def told(trace: Trace, language: str = "en") -> list[dict[str, Any]]:
    """All sheets of a trace."""
    sheets = sheets_of(trace)
    return [sheets.sheet(number, language) for number in range((len(sheets.stepper) - 1) // SHEET + 1)]


def test_steps_in_any_order_are_those_in_order(trace: Trace) -> None:
    """A step that is asked for by itself, in whatever order, is the one that follows from going through all before it."""
    stepper, whole = Stepper(trace), steps(trace)
    order = list(range(len(whole)))
    random.Random(3).shuffle(order)
    assert len(stepper) == len(whole)
    for place in order:
        assert stepper[place] == whole[place]
    with pytest.raises(IndexError):
        stepper[len(whole)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_sheets_tell_what_the_whole_tells(trace: Trace, language: str) -> None:
    """Steps, nodes, contributions, updates, rules and arithmetic are the same, in either language."""
    whole = recorded(trace, language, key="k")
    sheets = told(trace, language)
    steps_told = [step for sheet in sheets for step in sheet["steps"]]
    assert [step["text"] for step in steps_told] == [step["text"] for step in whole["steps"]]
    assert steps_told[1:] == whole["steps"][1:]
    seen: set[int] = set()
    for sheet in sheets:
        for node in sheet["nodes"]:
            assert node == whole["nodes"][node["id"]]
        for edge, note in sheet["edges"]:
            assert note == whole["edges"][edge][4]
        for node, updates in sheet["updates"]:
            assert updates == [[place, update] for place, update in enumerate(whole["updates"]) if update["node"] == node]
        ids = [node["id"] for node in sheet["nodes"]]
        for id, rule in zip(ids, sheet["rules"], strict=True):
            other = whole["rules"][id]
            assert (None if rule is None else sheet["maths"][rule]) == (None if other is None else whole["maths"][other])
        for id, worked in sheet["arithmetic"].items():
            before = whole["arithmetic"][id]
            assert worked[:2] == before[:2]
            assert [sheet["notes"][way[4]] for way in worked[2]] == [whole["notes"][way[4]] for way in before[2]]
        seen |= set(ids)
    assert seen == {step.node for step in steps(trace) if step.node is not None} | {node.id for node in trace.nodes if node.is_leaf}


def test_columns_hold_a_few_numbers_a_node() -> None:
    """What a large recording sends at once stays small: some 30 bytes a node, and the sheet in sight."""
    trace = chain_trace(20_000)
    data = outlined(trace, "en", key="k", step=30_000)
    assert len(json.dumps(data["columns"], allow_nan=False)) < 30 * len(trace.nodes)
    assert [sheet["number"] for sheet in data["sheets"]] == [(30_000 - 1) // SHEET]
    assert len(json.dumps(data["sheets"], allow_nan=False)) < 400_000
    columns = data["columns"]
    assert list(accumulate(columns["from"])) == [edge.source for edge in trace.edges]
    assert tuple(accumulate(columns["backward"])) == trace.backward


def test_a_page_gets_what_it_asks_for_and_no_more() -> None:
    """Numbers that make no sense are passed over, and one answer holds at most so many sheets."""
    trace = chain_trace(3_000)
    sheets = sheets_of(trace)
    last = (len(sheets.stepper) - 1) // SHEET
    answer = sheets.answer({"sheets": [last, last + 1, -1, True, "0", 0, 0], "nodes": [7, None, 10**9]}, "en")
    assert [sheet["number"] for sheet in answer["sheets"]] == [last, 0, None]
    assert [node["id"] for node in answer["sheets"][2]["nodes"]] == [7]
    assert answer["sheets"][0]["steps"][-1]["text"] == steps(trace)[-1].say("en")
    assert sheets.answer({"sheets": 3, "nodes": {}, "names": 1, "measures": "yes"}, "en") == {"sheets": [], "names": None, "measures": None}
    assert len(sheets.answer({"sheets": list(range(last + 1))}, "en")["sheets"]) == MOST_FETCHED
    names = sheets.answer({"names": True}, "en")["names"]
    assert [names["said"][which][2] for which in accumulate(names["of"])] == [node.op for node in trace.nodes]
