"""Histograms on the Train page: those of the step that is looked at, drawn from what the run holds, whatever things are called."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from explorer.runs import Distribution
from explorer.text import TEXTS
from explorer.ui.train_histograms import drawing
from tests.test_ui_train import a_run, known, page, runs, told  # noqa: F401  # fixtures of that page

HOSTILE = '"><img src=x onerror=window.broken=1>'
COUNTS = np.array([1, 0, 4, 2], dtype="<u4")


def row(what: str, name: str) -> tuple[Any, ...]:
    return (what, name, 7, 7, -1.0, 3.0, 0.5, 1.25, 0, 0, COUNTS.tobytes())


def shown(app: Any) -> str:
    """The part of the page with the drawings."""
    (found,) = [element.proto.body for element in app.get("html") if "histograms" in element.proto.body]
    return str(found)


def test_histograms_follow_the_cursor() -> None:
    """Of the steps that have some the last one up to the step looked at is shown, in the kind that is chosen."""
    writer = a_run(runs() / "one", alive=True)
    for step in (1, 4):
        writer.distributions(step, [row("weight", "layer.weight"), row("gradient", "layer.weight"), row("activation", f"layer{step}")])
    writer.event("finished", 5, time.time())
    writer.close()
    app = page()
    assert TEXTS["train.histograms_at"][0].format(step=4) in told(app)
    assert shown(app).count("<figure>") == 1
    app.session_state["train_histograms_en_3"] = "activation"
    app.run()
    assert "layer4" in shown(app)
    app.slider(key="train_scrub_one_5").set_value(2).run()
    assert TEXTS["train.histograms_at"][0].format(step=1) in told(app)
    assert "layer1" in shown(app)


def test_a_drawing_says_what_it_counts() -> None:
    """Bars are as high as their counts, zero is marked where it lies between the ends, and a name is text."""
    one = Distribution(1, "weight", HOSTILE, 100, 7, -1.0, 3.0, 0.5, 1.25, 1, 2, COUNTS)
    html = drawing(one, "en")
    assert [part.split("%")[0] for part in html.split("height:")[1:]] == ["25.0", "0.0", "100.0", "50.0"]
    assert "left:25.0%" in html and "1 … 2: 4" in html
    assert "mean 0.5 ± 1.25 · 14.3 % zeros · 2 not finite · 7 of 100 counted" in html
    assert "<img" not in html
    empty = drawing(Distribution(1, "weight", "x", 3, 3, None, None, None, None, 0, 3, np.empty(0, dtype="<u4")), "en")
    assert "3 not finite" in empty and "height:" not in empty
