"""The Tensors page as Streamlit runs it, without a browser: what a link may ask for, what comes back, and that what it claims is so."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.capture import workbench
from explorer.capture.recipe_text import read, written
from explorer.capture.recipes import MAKES, OPS
from explorer.capture.workbench import ask
from explorer.files import assets_folder
from explorer.text import TEXTS
from explorer.ui import devices, explore
from explorer.ui.tensors_view import COMPARED, FIELDS, GROUPS, KEY, SAMPLES, WORDS, notes
from tests.tensors import ANSWERS, answers

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The devices are known at once, no thread warms the workbench, and AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.setattr(workbench, "warm", lambda: None)
    explore.asked_devices.clear()
    yield
    explore.asked_devices.clear()
    sys.modules["__main__"] = main


@pytest.fixture(scope="module", autouse=True)
def child() -> Iterator[None]:
    """One workbench for all tests here, gone afterwards."""
    yield
    workbench.close()


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(query)
    app.switch_page("explorer/ui/tensors.py")
    app.run()
    assert not app.exception
    return app


def given(app: AppTest) -> Any:
    """What the component was given."""
    (component,) = [one.proto for one in app.get("bidi_component") if one.proto.component_name.endswith("tensors")]
    return json.loads(component.json)


def asked(app: AppTest, recipe: list[Any]) -> Any:
    """What the component is given after its page has asked for a recipe."""
    app.session_state[KEY] = {"asked": {"recipe": recipe, "number": given(app)["answers"] + 1}}
    app.run()
    assert not app.exception
    return given(app)


def test_a_link_opens_its_recipe() -> None:
    """The recipe in the address is carried out, and what the page then asks for stands in the address."""
    app = page(do="arange(6);reshape(a,[2,3])", lang="ko")
    data = given(app)
    assert [made["shape"] for made in data["answer"]["tensors"]] == [[6], [2, 3]]
    assert (data["problem"], data["linked"], data["language"]) == (None, True, "ko")
    data = asked(app, [*data["texts"], {"do": "T", "of": "b"}])
    assert data["answer"]["tensors"][2]["strides"] == [1, 3]
    (address,) = [app.query_params["do"]] if isinstance(app.query_params["do"], str) else app.query_params["do"]
    assert read(address) == data["recipe"]


@pytest.mark.parametrize("text", ["foo(1)", "__import__('os')", "zeros([1000,1000])", "x" * 5000, "arange(6);set(a,'0',"])
def test_a_link_that_cannot_be_followed(text: str) -> None:
    """It gets one sentence and the first example; nothing of it runs."""
    data = given(page(do=text))
    assert data["recipe"] == read(SAMPLES["view_or_copy"])
    assert data["problem"].startswith(TEXTS["tensors.bad_link"][0].partition("{")[0])


def test_numbers_stay_as_they_were_typed() -> None:
    """1.0 is no integer, though JavaScript thinks so: numbers go back and forth as text."""
    app = page(do="literal([1.0,2.0])")
    data = asked(
        app,
        [
            *given(app)["texts"],
            {"do": "literal", "values": {"text": "[[3.0, nan], [1, -2]]"}},
            {"do": "add", "of": "a", "other": {"text": "2.0"}},
        ],
    )
    assert [made["dtype"] for made in data["answer"]["tensors"]] == ["float32", "float32", "float32"]
    assert data["answer"]["steps"][2]["line"] == "c = a + 2.0"
    data = asked(app, [{"do": "literal", "values": {"text": "[1, what]"}}])
    assert data["problem"] == TEXTS["tensors.bad.literal"][0]
    assert len(data["answer"]["tensors"]) == 3, "what was there stays"


def test_too_much_for_a_link() -> None:
    """A recipe too long for an address is shown, and the address does not hold it."""
    app = page()
    data = asked(app, [{"do": "literal", "values": {"text": str(list(range(1000)))}}])
    assert (data["linked"], len(data["answer"]["tensors"][0]["values"])) == (False, 1000)
    assert "do" not in app.query_params


def test_without_torch_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the workbench does not start, the page says so and stays."""
    workbench.close()
    workbench._known.clear()
    monkeypatch.setattr(workbench, "_START", "raise SystemExit")
    data = given(page(do="arange(11)"))
    assert (data["answer"], data["problem"]) == (None, TEXTS["tensors.no_bench"][0])


def test_recorded_answers_are_those_of_torch() -> None:
    """The page opens with a recorded example, which says what torch and NumPy say now, their versions aside."""
    shipped = json.loads(ANSWERS.read_text(encoding="utf-8"))
    now = answers()
    for told in (*shipped.values(), *now.values()):
        del told["torch"], told["numpy"]
    assert shipped == json.loads(json.dumps(now)), "python tests/tensors.py --write"


@pytest.mark.parametrize("name", SAMPLES)
def test_examples_are_what_they_say(name: str) -> None:
    """Each example is followed to its end, but for the one whose shapes do not fit."""
    answer = ask(read(SAMPLES[name]))
    assert (answer["error"] is None) == (name != "misfit")
    assert written(read(SAMPLES[name]))
    for step in answer["steps"]:
        for language in ("en", "ko"):
            assert all(notes(step, language))


def test_everything_has_its_words() -> None:
    """Each operation is offered once, and every word that the scripts ask for is sent to them."""
    offered = [name for names in GROUPS.values() for name in names.split()]
    assert sorted(offered) == sorted(OPS)
    scripts = "".join(path.read_text(encoding="utf-8") for path in (assets_folder() / "tensors").glob("*.js"))
    assert set(re.findall(r"\bwords\.(\w+)", scripts)) == set(WORDS)
    fields = {name for op in (MAKES | OPS).values() for name in re.findall(r"(\w+):", op.takes)} - {"of"}
    assert fields == set(FIELDS.split())


@pytest.mark.torch
@pytest.mark.parametrize("name", COMPARED)
def test_the_comparison_is_so(name: str) -> None:
    """Each line of the comparison runs, and gives what stands behind it."""
    import numpy as np
    import torch

    for code in COMPARED[name]:
        places: dict[str, Any] = {"torch": torch, "np": np}
        for line in code.splitlines():
            if "cuda" in line:
                assert hasattr(torch.Tensor, "to")
            elif "  # " in line:
                expression, _, result = line.partition("  # ")
                assert str(eval(expression, places)) == result
            else:
                exec(line, places)
