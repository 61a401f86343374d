"""The Tensors page in a browser: what shares memory lights up, a write shows everywhere, errors are drawn, a link brings it all back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.reading import rested
from tests.browser.test_accessible import grave

pytestmark = pytest.mark.browser


@pytest.fixture
def come(browser: Browser, address: str) -> Iterator[Any]:
    """`come(query)`: the page with all its tensors. It may not have raised anything by the end."""
    pages: list[Page] = []
    wrong: list[str] = []

    def come(query: str = "", *, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/tensors?{query}")
        expect(page.locator(".tensors .card").first).to_be_visible(timeout=60_000)
        rested(page)
        return page

    yield come
    for page in pages:
        page.close()
    assert wrong == []


def cell(page: Page, name: str, flat: int) -> Locator:
    return page.locator(f'.card[data-name="{name}"] td[data-flat="{flat}"]')


def marked(page: Page, mark: str) -> list[str]:
    """The cells that bear a mark: "b 5"."""
    return page.locator(f".card td.{mark}").evaluate_all("all => all.map((e) => `${e.closest('.card').dataset.name} ${e.dataset.flat}`)")


def names(page: Page) -> list[str]:
    return page.locator(".card").evaluate_all("all => all.map((e) => e.dataset.name)")


def test_what_shares_memory_and_what_does_not(come: Any) -> None:
    """A cell lights up its place in every view and in no copy; what is written into it shows in all of them, and undo takes it back."""
    page = come()
    cell(page, "c", 1).hover()
    expect(cell(page, "c", 1)).to_have_class("here")
    assert marked(page, "same") == ["a 4", "b 4"]
    readout = page.locator(".readout")
    expect(readout).to_contain_text("0×1 + 1×4 = 4")
    expect(readout).to_contain_text("a[4], b[1, 0]")
    cell(page, "c", 1).click()
    page.get_by_role("textbox", name="New value").fill("-5")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(cell(page, "a", 4)).to_have_text("−5")
    assert marked(page, "written") == ["a 4", "b 4", "c 1"]
    expect(cell(page, "d", 1)).to_have_text("4")
    page.get_by_role("button", name="Undo").click()
    expect(cell(page, "a", 4)).to_have_text("4")
    page.get_by_role("button", name="Redo").click()
    expect(cell(page, "b", 4)).to_have_text("−5")
    rested(page)
    again = come(page.url.partition("?")[2])
    expect(cell(again, "c", 1)).to_have_text("−5")


def test_building_and_computing(come: Any) -> None:
    """From typed numbers to a matrix product: a cell of it shows its row, its column and its sum; with both lines of code."""
    page = come()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".cards .none")).to_be_visible()
    for text in ("[[1, 2], [3, 4]]", "[[1, 0], [2, 5]]"):
        page.get_by_role("textbox", name="Numbers, as nested lists").fill(text)
        page.get_by_role("button", name="Make", exact=True).click()
        rested(page)
    page.get_by_role("button", name="@", exact=True).click()
    page.get_by_label("with").select_option("a")
    page.get_by_role("button", name="Apply to b").click()
    expect(cell(page, "c", 3)).to_have_text("24")
    cell(page, "c", 3).hover()
    expect(page.locator(".readout .sum")).to_have_text(" = 2 × 2 + 5 × 4")
    assert marked(page, "source") == ["a 1", "a 3", "b 2", "b 3"]
    assert page.locator(".lines ol > li code").all_inner_texts()[-2:] == ["c = b @ a", "c = b @ a"]
    page.get_by_role("button", name="reshape", exact=True).click()
    page.get_by_role("textbox", name="shape").fill("3, 2")
    page.get_by_role("button", name="Apply to c").click()
    expect(page.locator(".misfit")).to_contain_text("there are 4, the shape asked for holds 6")
    expect(page.locator(".misfit .size.wrong")).to_have_text(["4", "6"])
    expect(page.locator(".misfit")).to_contain_text("shape '[3, 2]' is invalid for input of size 4")
    assert grave(page) == []
    page.get_by_role("textbox", name="shape").fill("4")
    page.get_by_role("button", name="Apply to c").click()
    expect(page.locator(".misfit")).to_have_count(0)
    expect(page.locator('.card[data-name="d"] .relation')).to_have_text("view of c")


def test_where_a_cell_comes_from(come: Any) -> None:
    """The cells that light up are those of which a product, sum or copy was made: worked out from them, it is what torch says."""
    made = "randint(0,9,[2,1,3]);randint(0,9,[3,2],1);matmul(a,b);mul(a,-3);transpose(b,0,1);sum(b,dim=0)"
    page = come(f"do={made};to_dtype(b,'float32');mean(g,dim=-1,keepdim=True);stack(b,b);flip(b,1);take(b,[2,0]);clone(e)")
    for name in "cdfghijkl":
        for one in page.locator(f'.card[data-name="{name}"] td[data-flat]').all():
            one.hover()
            expect(one).to_have_class(re.compile("here"))
            value = float(one.inner_text().replace("−", "-"))
            sources = page.locator(".card td.source").all_inner_texts()
            words = page.locator(".readout .sum")
            told = words.inner_text().strip(" =") if words.count() else sources[0]
            assert sources, name
            worked_out = eval(told.replace("−", "-").replace("×", "*").replace("÷", "/"))
            assert worked_out == pytest.approx(value, abs=1e-3), (name, told)


def test_by_keyboard_on_a_phone(come: Any) -> None:
    """Arrow keys lead from cell to cell and are read out, Enter opens the field; nothing is wider than the screen, in Korean and dark."""
    page = come("lang=ko&do=literal([[1,-1],[0,nan]]);zeros([100,100]);T(a)", width=390, height=844, scheme="dark")
    cell(page, "a", 0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "a", 3)).to_be_focused()
    expect(page.locator(".readout")).to_contain_text("NaN")
    expect(page.locator(".pointed [aria-live]")).to_contain_text("c[1, 1]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="새 값")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(cell(page, "c", 3)).to_have_text("7")
    page.keyboard.press("Escape")
    page.locator('.card[data-name="b"] .grid canvas').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".readout")).to_contain_text("1×100 + 0×1 = 100")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".tensors").evaluate("root => root.scrollWidth <= root.clientWidth")
    assert grave(page) == []
