"""The controls of lessons: what they show is what torch computes, and each can be drawn and used in both languages."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.capture import workbench
from explorer.files import assets_folder, load
from explorer.tangents import PAIRS
from explorer.text import TEXTS
from explorer.ui.controls import CONTROLS, view_or_copy
from explorer.ui.controls.indexing import SHAPES, tensor
from explorer.ui.controls.matrix_product import product, sum_of
from explorer.ui.controls.number_types import FLOATS, INTEGERS, kept
from explorer.ui.controls.three_ways import ways
from explorer.ui.controls.view_or_copy import CHOICES, NEW

torch = pytest.importorskip("torch")

SETTINGS: dict[str, dict[str, Any]] = {
    "indexing": {"rank": 3},
    "matrix_product": {"a": [[1.0, 2.0]], "b": [[1.0, -1.0], [0.5, 0.5]], "names": ["x", "W", "xW"]},
    "number_types": {"number": 0.1},
    "tangent": {"pairs": list(PAIRS), "first": "relu of line", "x": 1.0},
    "three_ways": {"program": "logistic_neuron", "of": ["w", "b"]},
    "view_or_copy": {},
}


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AppTest's `__main__` does not stay, and no child process is started before it is needed."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(view_or_copy, "warm", lambda: None)
    yield
    sys.modules["__main__"] = main


def drawn(control: str, language: str = "en") -> AppTest:
    def page(control: str, settings: dict[str, object], language: str) -> None:
        from explorer.ui.controls import draw

        draw(control, settings, language, key="here")

    app = AppTest.from_function(page, args=(control, SETTINGS[control], language), default_timeout=60).run()
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.parametrize("control", SETTINGS)
def test_each_control_is_drawn_in_both_languages(control: str) -> None:
    """It draws without an error, and its Korean has Hangul where its English has none."""
    assert CONTROLS[control] == import_module(CONTROLS[control]).__name__
    words = [
        " ".join(one.value for kind in (app.markdown, app.caption) for one in kind) + " ".join(one.label for one in app.get("button_group"))
        for app in (drawn(control), drawn(control, "ko"))
    ]
    hangul = [any("가" <= letter <= "힣" for letter in text) for text in words]
    assert hangul == [False, True], words


@pytest.mark.parametrize("name", PAIRS)
def test_slopes_are_those_of_autograd(name: str) -> None:
    """Values, both local slopes and the whole slope, on a grid that has ReLU's kink in it, equal torch's in double precision."""
    outer = {"square of line": torch.square, "sine of square": torch.sin, "sigmoid of line": torch.sigmoid, "relu of line": torch.relu}[
        name
    ]
    inner = torch.square if name == "sine of square" else None
    pair = PAIRS[name]
    for x in torch.arange(pair.low, pair.high, 0.25).tolist():
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        u = inner(leaf) if inner else pair.inner(leaf)  # type: ignore[arg-type]
        u.retain_grad()
        y = outer(u)
        y.backward()
        here = pair.at(x)
        assert (here.u, here.y) == pytest.approx((u.item(), y.item()), rel=1e-12, abs=1e-12)
        assert (here.outer, here.total) == pytest.approx((u.grad.item(), leaf.grad.item()), rel=1e-12, abs=1e-12)


def test_a_product_is_that_of_torch() -> None:
    """Every cell, and the sum that is written for it."""
    a, b = [[1.0, -2.0, 3.0], [0.5, 4.0, 0.0]], [[2.0, 1.0], [0.0, -1.0], [5.0, 0.25]]
    assert product(a, b) == (torch.tensor(a) @ torch.tensor(b)).tolist()
    assert sum_of(a, b, 0, 1) == r"1 \cdot 1 + (-2) \cdot (-1) + 3 \cdot 0.25 = 3.75"


def test_numbers_are_kept_as_torch_keeps_them() -> None:
    """Rounding, cutting off and wrapping around of `torch.tensor(number).to(dtype)`, in each type."""
    for number in (
        0.0,
        0.1,
        1.0,
        -2.5,
        3.7,
        -3.7,
        1 / 3,
        127.0,
        128.0,
        255.0,
        256.0,
        300.0,
        -1.0,
        -129.0,
        65504.0,
        70000.0,
        16777217.0,
        1e9,
    ):
        given = torch.tensor(int(number)) if number.is_integer() else torch.tensor(number, dtype=torch.float64)
        for dtype in (*FLOATS, *INTEGERS, "bool"):
            found = kept(number, dtype)
            assert found is None or found == given.to(getattr(torch, dtype)).item(), (number, dtype)
    assert kept(300.5, "uint8") is None
    assert math.isinf(kept(70000.0, "float16") or 0)


def test_a_rank_is_what_torch_calls_it() -> None:
    """The tensor of each rank has that many dimensions, and the numbers stand where torch has them."""
    for rank, shape in enumerate(SHAPES):
        values = tensor(rank)
        assert values.ndim == len(shape) == rank
        assert not shape or torch.arange(values.size).reshape(shape).tolist() == values.tolist()


def test_the_three_ways_agree_with_the_published_numbers() -> None:
    """Of the recorded neuron: by hand, by nudging and by autograd -0.0898 and -0.0817."""
    trace = load(assets_folder() / "samples/logistic_neuron.trace")
    for name, published in (("w", -0.0898), ("b", -0.0817)):
        found = ways(trace, name)
        for value in (found.by_hand, found.nudged, found.autograd):
            assert value is not None
            assert round(value, 4) == published
        assert found.difference is not None
        assert 0 < found.difference < 1e-7


def test_the_three_ways_are_computed_now_when_asked() -> None:
    """The button runs the program in a child process, and the table says that its numbers are new."""
    app = drawn("three_ways")
    assert app.caption[0].value == TEXTS["trying.recorded_run"][0].format(torch=torch.__version__)
    app.button(key="here_go").click().run()
    app.session_state["here_run"].thread.join(60)
    app.run()
    assert app.caption[0].value == TEXTS["trying.run_now"][0].format(torch=torch.__version__)
    assert "−0.0898" in app.markdown[0].value
    assert "−0.0817" in app.markdown[0].value


def test_a_cell_is_seen_once_it_was_chosen() -> None:
    """The result hides its numbers until they are asked for."""
    app = drawn("matrix_product")
    assert app.caption[0].value == TEXTS["trying.cells_left"][0].format(count=1)
    app.session_state["here_cell_en"] = "1, 2"
    app.run()
    assert r"1 \cdot (-1) + 2 \cdot 0.5 = 0" in app.latex[0].value
    assert not app.caption


def test_writing_tells_views_from_copies() -> None:
    """With real torch: the transpose, reshapes and slices are views, through which b changes; the others are copies, and one fails."""
    views = {"b.T", "b.reshape(3, 2)", "b[1]", "b[:, 1]"}
    app = drawn("view_or_copy")
    try:
        for choice in CHOICES:
            app.session_state["here_choice_en"] = choice
            app.session_state["here_write_en"] = True
            app.run()
            said = {key: any(one.value == TEXTS[f"trying.{key}"][0].format(value=NEW) for one in app.markdown) for key in
                    ("changed", "unchanged", "no_view")}  # fmt: skip
            kind = "no_view" if choice == "b.T.view(6)" else "changed" if choice in views else "unchanged"
            assert said == {key: key == kind for key in said}, choice
            assert any(f">{NEW}<" in table.proto.body for table in app.get("html")) == (kind != "no_view"), choice
    finally:
        workbench.close()
