"""The LLM page in a browser: the published counts, a change and its way back, the graph at once, and nothing that axe finds grave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.reading import rested
from tests.browser.test_accessible import grave
from tests.test_sizes import PUBLISHED

pytestmark = pytest.mark.browser


@pytest.fixture
def come(browser: Browser, address: str) -> Iterator[Any]:
    """`come(query, …)`: the page, with everything on it. It may not have raised anything by the end."""
    pages: list[Page] = []
    wrong: list[str] = []

    def come(query: str = "", *, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/llm?{query}")
        expect(page.locator(".js-plotly-plot g.slice").first).to_be_attached(timeout=60_000)
        rested(page)
        return page

    yield come
    for page in pages:
        page.close()
    assert wrong == []


def test_the_published_counts_one_preset_after_the_other(come: Any) -> None:
    """E3: both counts of each size on the page; the graph of the last is there without being asked for."""
    page = come()
    for (_, untied, tied), label in zip(PUBLISHED, ("GPT-2 small", "medium", "large", "XL"), strict=True):
        page.get_by_role("radio", name=label, exact=True).click()
        expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{tied:,}")
        expect(page.get_by_text(f"{tied:,} with the output head tied")).to_contain_text(f"{untied:,} with a head of its own")
        rested(page)
    expect(page.locator(".player .stage svg")).to_contain_text("trf_blocks", timeout=30_000)
    assert "model=xl" in page.url


def test_a_change_by_the_keyboard_and_back(come: Any) -> None:
    """Typed into a field: the sentence, the headline and the address say so, a press takes it back; a copied link opens the same."""
    page = come("device=h100")
    field = page.get_by_label("Layers · n_layers")
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("24")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Changed since GPT-2 small:")).to_contain_text("n_layers 12 → 24")
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{124_412_160 + 12 * 7_085_568:,}")
    expect(page.get_by_role("button", name="Draw the graph")).to_be_visible()
    rested(page)
    copied = page.url.partition("?")[2]
    assert "n_layers=24" in copied and "device=h100" in copied
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Exactly GPT-2 small")).to_be_visible()
    rested(page)
    assert "n_layers" not in page.url
    expect(come(copied).get_by_text("Changed since GPT-2 small:")).to_contain_text("n_layers 12 → 24")


PRESS = """async ([selector, places, pause]) => {
  for (const place of places) {
    document.querySelectorAll(selector)[place].click();
    await new Promise((done) => setTimeout(done, pause));
  }
}"""


def test_presses_faster_than_the_page(come: Any) -> None:
    """Presets and Undo, one after another before the page has answered: the preset pressed last holds, with all its numbers, and Undo goes
    back from one whole preset to another. Streamlit takes presses of a button that it has not begun to answer as one."""
    page = come()
    for pause in (20, 150, 400):
        page.evaluate(PRESS, ["[class*=st-key-llm_preset_] [role=radio], [class*=st-key-llm_preset_] input", [1, 3, 2], pause])
        expect(page.get_by_text("Exactly GPT-2 large")).to_be_visible()
        rested(page)
        assert "model=large" in page.url and "emb_dim" not in page.url
        undo = page.locator(".st-key-llm_undo button")
        page.evaluate(PRESS, [".st-key-llm_undo button", [0, 0, 0], pause])
        expect(page.get_by_text("Exactly GPT-2 large")).not_to_be_visible()
        rested(page)
        for _ in range(2):
            expect(page.get_by_text(re.compile("Exactly GPT-2 (small|medium|XL)"))).to_be_visible()
            assert "emb_dim" not in page.url and "n_heads" not in page.url
            if undo.is_enabled():
                undo.click()
                rested(page)
        expect(page.get_by_text("Exactly GPT-2 small")).to_be_visible()
        expect(undo).to_be_disabled()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("n_heads=7&device=own", {}),
        ("model=large&lang=ko&tied=0", {"width": 390, "height": 844, "scheme": "dark"}),
    ],
)
def test_nothing_grave(come: Any, query: str, options: dict[str, Any]) -> None:
    """Axe, with everything open that can be opened; nothing is wider than a phone."""
    page = come(query, **options)
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
        rested(page)
    expect(page.locator(".st-key-llm_table table")).to_be_visible()
    assert grave(page) == []
    if options.get("width"):
        assert page.evaluate("() => document.querySelector('.stMain').scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate("() => document.querySelector('.st-key-llm_table table').getBoundingClientRect().right") <= 390
