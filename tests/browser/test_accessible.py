"""Axe finds nothing serious: on the page as it opens, with what can be opened on it, in every look, and in an exported file."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from explorer.files import assets_folder, load
from explorer.model import Trace
from tests.browser.reading import rested

pytestmark = pytest.mark.browser


def grave(page: Page) -> list[str]:
    """Each serious or critical violation: the rule, and where. What may wait is left to a person: a rule of `moderate` or `minor`."""
    page.evaluate("() => document.fonts.ready")
    page.wait_for_timeout(300)  # what fades in has no contrast yet
    found = Axe().run(page).response
    assert found["passes"], "axe looked at nothing"
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))[:200]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("example=gpt2", {}),
        ("example=gpt2", {"scheme": "dark"}),
        ("example=nan_where", {}),
        ("example=logistic_neuron&step=11&lang=ko", {}),
        ("example=simple_net&step=20", {"width": 390, "height": 844}),
        ("example=simple_net&step=20&lang=ko", {"width": 390, "height": 844, "scheme": "dark"}),
    ],
)
def test_the_page(visit: Any, query: str, options: dict[str, Any]) -> None:
    """As it opens, on a desk and on a phone, light and dark, in both languages."""
    assert grave(visit(query, **options)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_on_it(visit: Any, scheme: str) -> None:
    """The card's menu, a search with results, colours by an overlay, the list of keys."""
    page = visit("example=gpt2", scheme=scheme)
    page.locator(".stage g.node", has_text="×12").first.locator("text").first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert grave(page) == []
    page.keyboard.press("Escape")
    page.get_by_label("Colour boxes by").select_option("gradient")
    page.keyboard.press("/")
    page.keyboard.type("softmax")
    expect(page.get_by_role("option").first).to_be_visible()
    assert grave(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".sentence").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert grave(page) == []


def test_what_a_person_brings(visit: Any) -> None:
    """The editor, the field for a file, and two data types beside each other, light and dark."""
    page = visit()
    page.get_by_role("radio", name="File").click()
    expect(page.get_by_role("textbox", name="file.py:function")).to_be_visible()
    rested(page)
    page.get_by_text("Compare two devices or data types").click()
    rested(page)
    page.get_by_role("radio", name="Example", exact=True).click()
    rested(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".contrast table")).to_be_visible(timeout=90_000)
    page.get_by_role("radio", name="Paste code").click()
    expect(page.get_by_role("textbox", name="Python code")).to_be_visible()
    assert grave(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".contrast")).to_have_attribute("data-theme", "dark")
    assert grave(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_exported_file(read: Any, scheme: str) -> None:
    """The same player in a file of its own."""
    trace: Trace = load(assets_folder() / "samples" / "simple_net.trace")
    page = read(trace, scheme=scheme)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert grave(page) == []


def test_axe_would_tell(visit: Any) -> None:
    """A button without a name on the very page is found, inside the player's shadow root, too."""
    page = visit()
    page.locator(".player").evaluate("one => one.append(document.createElement('button'))")
    assert [each.partition(":")[0] for each in grave(page)] == ["button-name"]
