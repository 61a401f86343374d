"""The chart of memory: every step or the fullest of its neighbours, the peak named, bytes as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.charts import Look, memory_figure, thinned
from explorer.files import assets_folder, load
from explorer.footprint import Memory, amount, memory
from explorer.text import LANGUAGES, TEXTS
from explorer.ui.memory import step_names

LOOK = Look("#0000ff", "#ff8800", "#000000", "#888888")


def neuron() -> tuple[Any, Memory]:
    trace = load(assets_folder() / "samples" / "simple_net.trace")
    found = memory(trace)
    assert found is not None
    return trace, found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_curve_has_a_point_for_each_step(language: str) -> None:
    """Saved below, everything on top, in the unit of the peak; hover tells the step's number and name; the peak is marked and named."""
    trace, found = neuron()
    names = step_names(trace, found, language)
    figure = memory_figure(found, names=names, begins=5, look=LOOK, language=language)
    saved, total, _, peak = figure.data
    unit = {"B": 1, "kB": 1000}[figure.layout.yaxis.title.text]
    assert [round(y * unit) for y in saved.y] == list(found.saved)
    assert [round(y * unit) for y in total.y] == [one + two for one, two in zip(found.saved, found.gradients, strict=True)]
    assert [data[0] for data in total.customdata] == list(range(1, len(found.nodes) + 1))
    assert [data[1] for data in total.customdata] == names
    assert (peak.x[0], round(peak.y[0] * unit)) == (found.peak + 1, found.most)
    assert names[found.peak] in figure.layout.annotations[0].text
    assert saved.name == TEXTS["memory.saved"][LANGUAGES.index(language)]


def test_steps_are_called_by_what_they_do() -> None:
    """The op with its module, the backward of one, the update of a parameter."""
    trace, found = neuron()
    names = step_names(trace, found, "en")
    assert names[0] == "start"
    assert any(name.endswith(" in fc1") for name in names)
    assert any(name.startswith("backward of ") for name in names)
    if trace.updates:
        assert names[-1].startswith("update of ")


def test_of_many_steps_the_fullest_are_drawn() -> None:
    """At most so many points, in order, with both ends and the peak, and no group of neighbours lower than it was."""
    count = 10_007
    found = Memory(tuple(range(count)), tuple((step * 7919) % 1009 for step in range(count)), (0,) * 5_003 + (5_000,) + (0,) * 5_003)
    places = thinned(found, 100)
    assert places == sorted(set(places))
    assert {0, count - 1, 5_003} <= set(places)
    assert len(places) <= 103
    for start in range(0, count - 200, 200):  # each window holds a whole group
        assert max(found.saved[place] + found.gradients[place] for place in places if start <= place < start + 300) >= 900


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (520, "520 B"), (1_234, "1.23 kB"), (999_600, "1000 kB"), (21_399_835_020, "21.4 GB"), (7 * 10**15, "7000 TB")],
)
def test_bytes_are_said_with_three_figures(size: int, said: str) -> None:
    """Decimal units, as disks and accelerators are sold in."""
    assert amount(size) == said
