"""Code that a person brings, in a real browser: the editor, its keys, what a program prints and how it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from explorer.text import TEXTS
from explorer.ui.editor import START
from tests.browser.conftest import served
from tests.browser.reading import place, rested, sentence

pytestmark = pytest.mark.browser

MINE = """\
import torch

w = torch.tensor([2.0, 3.0], requires_grad=True)
loss = (w * w).sum()  # 제곱
loss.backward()
print("mine:", loss.item())
"""


def pasting(page: Page) -> Locator:
    """The editor, opened."""
    page.get_by_role("radio", name="Paste code").click()
    area = page.get_by_role("textbox", name="Python code")
    expect(area).to_be_visible()
    return area


def coloured(page: Page, kind: str) -> list[str]:
    return page.locator(f".editor pre .{kind}").evaluate_all("all => all.map((e) => e.textContent)")


def test_pasted_code_is_stepped_through(visit: Any) -> None:
    """Run records what stands in the editor; the code panel shows it with the line of the step marked. The code is in no address, and it
    outlives a change of language and a look at the examples."""
    page = visit()
    area = pasting(page)
    expect(area).to_have_value(START)
    area.fill(MINE)
    rested(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".player h1")).to_have_text("pasted.py", timeout=60_000)
    expect(area).to_be_hidden()  # it has folded away
    expect(page.locator(".player .code h2")).to_have_text("pasted.py")
    page.keyboard.press("ArrowRight")
    expect(place(page)).to_contain_text("step 2 of")
    expect(page.locator(".code li.here mark")).to_have_text("w * w")
    assert sentence(page).startswith("mul reads w")
    page.get_by_text(TEXTS["code.printed"][0]).click()
    expect(page.get_by_text("mine: 13.0")).to_be_visible()
    page.get_by_text("한국어").click()
    expect(place(page)).to_contain_text("2단계", timeout=15_000)
    page.get_by_text(TEXTS["code.title"][1], exact=True).first.click()
    expect(page.get_by_role("textbox", name=TEXTS["code.label"][1])).to_have_value(MINE)
    rested(page)
    page.get_by_role("radio", name=TEXTS["code.kind_example"][1]).click()
    expect(page.get_by_role("textbox", name=TEXTS["code.label"][1])).to_have_count(0)
    rested(page)
    page.get_by_role("radio", name=TEXTS["code.kind_code"][1]).click()
    expect(page.get_by_role("textbox", name=TEXTS["code.label"][1])).to_have_value(MINE)
    assert "torch" not in page.url


def test_the_editor_with_the_keyboard_alone(visit: Any) -> None:
    """Tab indents and Enter keeps the indent; Esc and then Tab leave; Ctrl+Enter runs; the player's own keys stay out of it."""
    page = visit()
    area = pasting(page)
    area.fill("")
    area.press_sequentially("def f():\nreturn 1")
    expect(area).to_have_value("def f():\n    return 1")
    area.press("Enter")
    area.press("Shift+Tab")
    area.press("Tab")
    area.press_sequentially("x")
    expect(area).to_have_value("def f():\n    return 1\n    x")
    area.press("Control+a")
    area.press("Tab")
    expect(area).to_have_value("    def f():\n        return 1\n        x")
    area.press("Shift+Tab")
    expect(area).to_have_value("def f():\n    return 1\n    x")
    area.press("Control+z")
    expect(area).to_have_value("    def f():\n        return 1\n        x")
    area.press("End")
    area.press("Home")
    area.press_sequentially(" /?+")
    expect(place(page)).to_contain_text("step 1 of 12")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.locator(".editor textarea:focus").count() == 1
    area.press("Tab")
    assert page.locator(".editor textarea:focus").count() == 1
    area.press("Escape")
    area.press("Tab")
    expect(page.locator(".editor textarea:focus")).to_have_count(0)
    area.fill(MINE)
    area.press("Control+Enter")
    expect(page.locator(".player h1")).to_have_text("pasted.py", timeout=60_000)


def test_what_is_typed_stands_in_colours_under_it(visit: Any) -> None:
    """Keywords, strings, numbers and comments are told apart; the coloured text is the typed one, to the letter; markup stays text."""
    page = visit()
    area = pasting(page)
    strings = ["rf'a\\'b'", '"""two\nlines"""', "'open"]
    text = "@torch.no_grad()\ndef f(x=1e-3, y=0xFF):  # <b>주석</b>\n    return {} + {} if x is None else y.real\n{}".format(*strings)
    area.fill(text)
    assert page.locator(".editor pre").evaluate("e => e.textContent") == f"{text}\n"
    assert coloured(page, "keyword") == ["def", "return", "if", "is", "else"]
    assert coloured(page, "string") == strings
    assert coloured(page, "number") == ["1e-3", "0xFF"]
    assert coloured(page, "comment") == ["# <b>주석</b>"]
    assert (coloured(page, "decorator"), coloured(page, "name"), coloured(page, "constant")) == (["@torch.no_grad"], ["f"], ["None"])
    assert page.locator(".editor pre b").count() == 0
    boxes = [page.locator(f".editor {name}").bounding_box() for name in ("pre", "textarea")]
    assert boxes[0] == boxes[1]
    assert area.evaluate("e => [e.scrollWidth <= e.clientWidth, e.scrollHeight <= e.clientHeight]") == [True, True]


def test_a_failure_is_shown_as_theirs_and_a_loop_is_cancelled(visit: Any) -> None:
    """An exception is one sentence with the program's own traceback and what it printed; Cancel ends a loop; the editor keeps its code."""
    page = visit()
    area = pasting(page)
    area.fill("print('so far')\n\ndef f(n):\n    raise KeyError(n)\n\nf(3)\n")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("The program failed with KeyError: 3", timeout=60_000)
    page.get_by_text(TEXTS["page.traceback"][0]).click()
    expect(page.get_by_text('File "pasted.py", line 6')).to_be_visible()
    page.get_by_text(TEXTS["page.output"][0]).click()
    expect(page.get_by_text("so far", exact=True)).to_be_visible()
    assert not re.search(r"tmp|autograd-explorer|worker", page.get_by_test_id("stExpander").nth(1).inner_text())
    area.fill("while True:\n    pass\n")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Cancel").click(timeout=15_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=20_000)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    expect(area).to_have_value("while True:\n    pass\n")


def test_a_file_and_its_function(visit: Any, tmp_path: Path) -> None:
    """A missing file and a missing function are one sentence each; the right one is recorded."""
    (tmp_path / "mine.py").write_text("import torch\n\ndef loss():\n    w = torch.ones(2, requires_grad=True)\n    return (w * 3).sum()\n")
    page = visit()
    page.get_by_role("radio", name="File").click()
    field = page.get_by_role("textbox", name="file.py:function")
    for named, said in (("absent.py:loss", 'There is no file "absent.py"'), (f"{tmp_path}/mine.py:los", 'no callable "los"; it has loss')):
        field.fill(named)
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text(said, timeout=60_000)
        assert "Traceback" not in page.locator("body").inner_text()
        expect(page.locator(".player h1")).to_have_text("logistic_neuron")
    field.fill(f"{tmp_path}/mine.py:loss")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".player h1")).to_have_text("mine.py:loss", timeout=60_000)
    assert "mine" not in page.url


def test_a_server_for_others_runs_no_code(browser: Browser) -> None:
    """Where the server was told to answer to any name, both choices are greyed out and the page says why; the examples run."""
    with served(STREAMLIT_SERVER_ALLOWED_HOSTS="*") as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_text(TEXTS["code.refused_open"][0])).to_be_visible(timeout=30_000)
        for kind in ("code", "file"):
            expect(page.get_by_role("radio", name=TEXTS[f"code.kind_{kind}"][0])).to_be_disabled()
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_on_a_narrow_screen(visit: Any, scheme: str) -> None:
    """At 390 pixels nothing sticks out sideways: long lines scroll inside the editor. It follows the page's ground."""
    page = visit(width=390, height=844, scheme=scheme)
    area = pasting(page)
    area.fill("x = " + "1 + " * 60 + "1\n")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".editor .paper").evaluate("e => e.scrollWidth > e.clientWidth")
    assert page.locator(".editor").get_attribute("data-theme") == scheme
