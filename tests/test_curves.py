"""Charts of a run: thinned so that no spike is lost, honest about what is not finite, the same numbers as in the run."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from explorer.curves import MOST, Curve, Pen, curve_figure, heat_figure, histogram_figure, ratio_figure, smoothed, thinned_curve
from explorer.runs import Distribution, Measures, Parameter
from explorer.text import LANGUAGES, TEXTS

PEN = Pen(("#0072b2", "#d55e00"), "#111111", "#cccccc", ("#00224e", "#7d7c78", "#fee838"))


def strict(figure: object) -> dict[str, object]:
    """The figure as a browser gets it: JSON without NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return dict(json.loads(figure.to_json(), parse_constant=refuse))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_thinned_keeps_its_extremes(seed: int) -> None:
    """At most so many points, in order, both ends, and the lowest and highest of any stretch that holds a whole group."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(MOST + 1, 30_000))
    values = draw.normal(size=count).cumsum()
    values[draw.integers(0, count, 5)] = 1e6
    steps = np.arange(1, count + 1)
    places, kept = thinned_curve(steps, values)
    assert len(places) <= MOST and (np.diff(places) > 0).all()
    assert {1, count} <= set(places.tolist())
    assert (kept == values[places - 1]).all()
    assert kept.max() == values.max() and kept.min() == values.min()
    width = 2 * -(-count // (MOST // 3))
    for start in draw.integers(0, count - 2 * width, 50).tolist():
        inside = (places > start) & (places <= start + 2 * width)
        whole = values[start + width // 2 : start + width]
        assert kept[inside].max() >= whole.max() and kept[inside].min() <= whole.min()


def test_a_gap_is_never_thinned_away() -> None:
    """A single NaN or infinity among a hundred thousand leaves a gap, where it was."""
    for odd in (np.nan, np.inf, -np.inf):
        values = np.ones(100_000)
        values[54_321] = odd
        places, kept = thinned_curve(np.arange(100_000), values)
        assert places[np.isnan(kept)].tolist() == [54_321]
    places, kept = thinned_curve(np.arange(10_000), np.full(10_000, np.nan))
    assert np.isnan(kept).all() and len(places) <= MOST
    few = thinned_curve(np.array([1, 2]), np.array([np.inf, 1.0]))[1]
    assert np.isnan(few[0]) and few[1] == 1


def test_a_hundred_thousand_steps_are_drawn_at_once() -> None:
    """Ten curves of 100,000 steps become a figure in well under a second."""
    curves = [Curve(f"c{number}", np.arange(100_000), np.random.default_rng(number).normal(size=100_000)) for number in range(10)]
    began = time.perf_counter()
    figure = curve_figure(curves, pen=PEN)
    assert time.perf_counter() - began < 1.5
    assert all(len(trace.x) <= MOST for trace in figure.data)


def test_smoothing_begins_at_the_first_value() -> None:
    """The exponential mean is not pulled to 0 at first, and passes over what is not finite."""
    found = smoothed(np.array([5.0, 5.0, np.nan, 5.0]), 0.9)
    assert found[[0, 1, 3]].tolist() == pytest.approx([5, 5, 5])
    assert np.isnan(found[2])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_the_chart_of_curves(language: str, log: bool, smoothing: float) -> None:
    """A line a metric with its numbers, marks for what cannot be drawn with its step, and the recorded steps."""
    steps = np.arange(1, 8)
    loss = np.array([4.0, 2.0, np.nan, 1.0, np.inf, -1.0, 0.5])
    validation = Curve("validation", np.array([1, 7]), np.array([3.0, 1.5]), dashed=True, colour=0)
    figure = curve_figure(
        [Curve("loss", steps, loss), validation], pen=PEN, log=log, smoothing=smoothing, recorded=[1, 7], language=language
    )
    strict(figure)
    lines = {trace.name: trace for trace in figure.data if "lines" in trace.mode and trace.showlegend is not False}
    drawn = lines["loss"]
    if not smoothing:
        assert drawn.y[[0, 1, 3]].tolist() == [4, 2, 1]
    assert np.isnan(drawn.y[[2, 4]]).all() and not drawn.connectgaps
    assert lines["validation"].line.dash == "dash" and lines["validation"].line.color == lines["loss"].line.color
    at = LANGUAGES.index(language)
    marks = {trace.name: trace.x.tolist() for trace in figure.data if trace.mode == "markers"}
    expected = {f"loss: {TEXTS['curves.broken.nan'][at]}": [3], f"loss: {TEXTS['curves.broken.inf'][at]}": [5]}
    if log:
        expected[f"loss: {TEXTS['curves.broken.low'][at]}"] = [6]
    assert marks == {**expected, TEXTS["curves.recorded"][at]: [1, 7]}


@pytest.mark.parametrize("values", [[], [np.nan], [0.0], [-1.0, -2.0], [np.inf, np.inf], [1e-300, 1e300], [5.0, 5.0]])
@pytest.mark.parametrize("log", [False, True])
def test_odd_curves_are_drawn(values: list[float], log: bool) -> None:
    """Nothing, one point, all the same, nothing finite, huge and tiny: a figure with a sensible axis."""
    figure = curve_figure([Curve("odd", np.arange(len(values)), np.array(values, dtype=float))], pen=PEN, log=log, smoothing=0.5)
    strict(figure)
    low, high = figure.layout.yaxis.range
    assert np.isfinite([low, high]).all() and low < high


def measures(steps: int, count: int) -> Measures:
    draw = np.random.default_rng(0)
    norms = np.exp(draw.normal(size=(3, steps, count))).astype(np.float32)
    return Measures(np.arange(1, steps + 1), norms[0], norms[1], norms[2])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ["gradient", "weight", "update", "ratio"])
def test_the_map_of_layers_and_steps(what: str, language: str) -> None:
    """A row a parameter from the first layer down, a column a step, the logarithm as colour; what was not there has none."""
    found = measures(50, 6)
    found.gradient[3, 2] = np.nan
    found.gradient[4, 2] = np.inf
    found.update[5, 1] = 0
    parameters = [Parameter(f"layers.{number}.weight", (3, 3)) for number in range(6)]
    figure = heat_figure(found, parameters, pen=PEN, what=what, language=language)
    strict(figure)
    heat = figure.data[0]
    assert heat.z.shape == (6, 50)
    values = np.asarray(getattr(found, what), dtype=float).T
    fine = np.isfinite(values) & (values > 0)
    assert heat.z[fine] == pytest.approx(np.log10(values[fine]))
    assert np.isnan(heat.z[~fine]).all()
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.ticktext[0] == "layers.0.weight"


def test_the_ratio_of_update_to_weight() -> None:
    """Of many parameters those that end highest and lowest are drawn; the axis shows the usual ratio, too."""
    found = measures(30, 40)
    figure = ratio_figure(found, [Parameter(f"p{number}", (1,)) for number in range(40)], pen=PEN)
    strict(figure)
    ends = found.ratio[-1]
    names = {trace.name for trace in figure.data}
    assert len(names) == 12
    assert f"p{int(ends.argmax())}" in names and f"p{int(ends.argmin())}" in names
    low, high = figure.layout.yaxis.range
    assert low < -3 < high
    strict(ratio_figure(measures(0, 0), [], pen=PEN))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_histogram_says_what_it_counts(language: str) -> None:
    """Bars over the values; where only some were counted, or some are not finite, it says so."""
    counts = np.array([1, 5, 2], dtype=np.uint32)
    whole = Distribution(7, "gradient", "fc.weight", 8, 8, -1.0, 2.0, 0.0, 1.0, 0, 0, counts)
    figure = histogram_figure(whole, pen=PEN, language=language)
    strict(figure)
    assert figure.data[0].y.tolist() == [1, 5, 2]
    assert figure.data[0].x.tolist() == pytest.approx([-0.5, 0.5, 1.5])
    part = Distribution(7, "weight", "fc.weight", 800, 8, None, None, None, None, 0, 8, np.empty(0, dtype=np.uint32))
    title = histogram_figure(part, pen=PEN, language=language).layout.title.text
    assert "800" in title and "8" in title.replace("800", "")
