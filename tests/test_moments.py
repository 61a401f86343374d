"""The picture at a step and the animation of all: what is there by then, what is marked, that nothing moves."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from explorer.errors import RequestError
from explorer.export import view_of
from explorer.files import assets_folder, load
from explorer.model import Trace
from explorer.moments import MOST_FRAMES, Moments, animation, key_steps
from explorer.palette import PALETTE
from explorer.ui import downloads
from tests.dummy import chain_trace, dummy_trace
from tests.test_view import nested_trace

SVG = "{http://www.w3.org/2000/svg}"


def drawn(trace: Trace, step: int, **options: Any) -> Any:
    return ElementTree.fromstring(Moments(view_of(trace, **options)).svg(step).encode())


def seen(picture: Any) -> list[str]:
    """The texts that are not hidden, the footer with them."""
    return [text.text or "" for text in picture.iter(f"{SVG}text") if text.get("opacity") != "0"]


def phase(step: int) -> str:
    return "initialise" if step == 1 else "forward" if step < 6 else "loss" if step == 6 else "backward"


def group(picture: Any, name: str) -> Any:
    return next(element for element in picture.iter(f"{SVG}g") if element.get("id") == name)


def test_numbers_are_there_from_their_step_on() -> None:
    """A value shows once it was computed, a gradient once it arrived; before that neither, and never a zero in their place."""
    trace = load(assets_folder() / "samples" / "logistic_neuron.trace")
    steps = {"value 2.42": 2, "value 0.9183": 4, "value 0.0852": 5, "gradient 1": 6, "gradient −1.0889": 8, "gradient −0.0898": 12}
    for step in range(1, 13):
        texts = seen(drawn(trace, step))
        assert {number for number in steps if number in texts} == {number for number, first in steps.items() if first <= step}
        assert f"logistic_neuron · {phase(step)} · step {step} of 12" in texts


def test_nothing_moves() -> None:
    """From step to step only colours and what can be seen change: every box and every wire keeps its place."""
    moments = Moments(view_of(dummy_trace(updates=True, modules=True)))
    places = [re.findall(r' (?:d|points)="([^"]*)"', moments.svg(step)) for step in range(1, len(moments.steps) + 1)]
    assert all(one == two for one, two in pairwise(places))
    assert len({moments.svg(step) for step in range(1, len(moments.steps) + 1)}) == len(moments.steps)


def test_a_step_is_marked() -> None:
    """The op of the step stands out, what it reads too; what backward delivered stays orange; what was not reached is faint."""
    trace = load(assets_folder() / "samples" / "logistic_neuron.trace")
    forward, backward = drawn(trace, 4), drawn(trace, 9)
    light = PALETTE["light"]
    (sigmoid,) = (node.id for node in trace.nodes if node.op == "sigmoid")
    outline = group(forward, f"n{sigmoid}").find(f"{SVG}path")
    assert (outline.get("stroke"), outline.get("stroke-width")) == (light["value"], "3")
    loss = next(node.id for node in trace.nodes if node.op == "binary_cross_entropy")
    assert group(forward, f"n{loss}").get("opacity") == "0.5"
    assert group(backward, f"n{loss}").get("opacity") is None
    wires = {
        element.get("id"): element.find(f"{SVG}path").get("stroke")
        for element in backward.iter(f"{SVG}g")
        if "edge" in (element.get("class") or "")
    }
    orange = {int(name[1:]) for name, color in wires.items() if color == light["gradient"]}
    into = {number for number, edge in enumerate(trace.edges) if edge.gradient is not None and edge.target in (loss, sigmoid, sigmoid - 1)}
    assert orange == into


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_says_what_happens(language: str, theme: str) -> None:
    """Below the picture stand the step and its sentence, in the language of the view, inside the picture's width."""
    trace = dummy_trace()
    picture = drawn(trace, 3, language=language, theme=theme)
    texts = seen(picture)
    assert any("3단계" in text if language == "ko" else "step 3 of" in text for text in texts)
    assert any("add" in text and "2.42" in text for text in texts)
    assert picture.find(f"{SVG}rect").get("fill") == PALETTE[theme]["paper"]


def test_a_step_that_is_not_there() -> None:
    """One sentence that says which there are."""
    moments = Moments(view_of(dummy_trace()))
    for step in (0, len(moments.steps) + 1):
        with pytest.raises(RequestError) as caught:
            moments.svg(step)
        assert caught.value.key == "drawing.no_step"


def test_the_animation_has_every_step() -> None:
    """A frame a step, all of one size, the last one longest; it goes round and round."""
    image = Image.open(io.BytesIO(animation(view_of(dummy_trace()))))
    assert image.n_frames == len(Moments(view_of(dummy_trace())).steps)  # type: ignore[attr-defined]
    assert image.info["loop"] == 0
    pauses = []
    for frame in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(frame)
        pauses.append(image.info["duration"])
    assert max(pauses[:-1]) < pauses[-1]
    until = Image.open(io.BytesIO(animation(view_of(dummy_trace()), until=4)))
    assert until.n_frames == 4  # type: ignore[attr-defined]


def test_key_steps() -> None:
    """All of a few; of many as many as there are frames, from the first to the last, evenly."""
    assert key_steps(3) == [1, 2, 3]
    some = key_steps(12_345)
    assert (len(some), some[0], some[-1]) == (MOST_FRAMES, 1, 12_345)
    gaps = {two - one for one, two in pairwise(some)}
    assert max(gaps) - min(gaps) <= 1


def test_what_is_too_large_for_an_animation() -> None:
    """A picture whose numbers could not be read is refused in one sentence."""
    view = view_of(nested_trace(blocks=12, ops=20), expand="all")
    with pytest.raises(RequestError) as caught:
        animation(view)
    assert caught.value.key == "drawing.gif_too_large"
    assert caught.value.message("ko") != caught.value.message("en")


@pytest.mark.parametrize(("asked", "step"), [("7", 7), ("", 1), ("0", 1), ("99", 12), ("x", 1), ("-3", 1), ("9" * 20, 1)])
def test_the_step_of_the_address(asked: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page takes the step from the address, whatever stands there."""
    monkeypatch.setattr(downloads.st, "query_params", {"step": asked})
    assert downloads._step(12) == step


def test_a_long_chain_has_its_moments() -> None:
    """A folded picture marks the segment in which a step happens."""
    trace = chain_trace(300)
    picture = drawn(trace, 150)
    assert any(shape.get("stroke-width") == "3" for shape in picture.iter() if shape.tag in (f"{SVG}path", f"{SVG}polygon"))
