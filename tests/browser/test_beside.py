"""Two data types beside each other, in a real browser: run both, read where they begin to differ, go there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from explorer.text import TEXTS
from tests.browser.reading import place, rested, sentence

pytestmark = pytest.mark.browser


def compared(page: Page) -> None:
    """Open the panel, run both sides, wait for the table."""
    page.get_by_text(TEXTS["contrast.title"][0]).click()
    rested(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".contrast table")).to_be_visible(timeout=90_000)


def test_two_data_types_side_by_side(visit: Any) -> None:
    """All agree within the tolerance of bfloat16; within a tighter one they do not, and the first that differs is told and marked; a press
    on its row takes the player to its step; the table filters, sorts and can be taken home."""
    page = visit("example=logistic_neuron")
    compared(page)
    expect(page.get_by_text("All 14 values and gradients agree within tolerance")).to_be_visible()
    heads = page.locator(".contrast th").all_inner_texts()
    assert [word for word in heads if "cpu" in word] == ["cpu · float32", "cpu · bfloat16"]
    assert page.locator(".contrast tbody tr").count() == 14
    cells = page.locator(".contrast tbody tr", has_text="sigmoid").first.locator("td").all_inner_texts()
    assert cells[2:] == ["0.9183397", "0.9179688", "0.00037", "0.0004"]
    choice = page.get_by_role("combobox", name=TEXTS["contrast.tolerance"][0])
    choice.click()
    choice.fill("0.01")
    choice.press("Enter")
    expect(page.get_by_text("The first difference above tolerance arises in the gradient of z (add)")).to_be_visible()
    marked = page.locator(".contrast tr.begins")
    expect(marked).to_have_count(1)
    expect(marked.locator(".hidden")).to_have_text(TEXTS["contrast.is_above"][0])
    marked.get_by_role("button").click()
    expect(place(page)).to_contain_text("backward")
    assert sentence(page).startswith("AddBackward0 receives −0.0817")
    expect(page.locator(".player .summary h1")).to_be_in_viewport()
    page.get_by_label(TEXTS["contrast.only_above"][0]).check()
    above = page.locator(".contrast tbody tr").count()
    assert 0 < above < 14
    page.get_by_label(TEXTS["contrast.largest_first"][0]).check()
    amounts = [float(text) for text in page.locator(".contrast td.relative").all_inner_texts()]
    assert amounts == sorted(amounts, reverse=True)
    with page.expect_download(timeout=30_000) as waiting:
        page.get_by_role("button", name=TEXTS["contrast.json"][0]).click()
    table = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert (table["first"], table["second"], len(table["rows"])) == ("cpu · float32", "cpu · bfloat16", 14)


def test_a_narrow_screen(visit: Any) -> None:
    """At 390 pixels the table scrolls in itself, in Korean and in the dark too."""
    page = visit("lang=ko", width=390, height=844, scheme="dark")
    page.get_by_text(TEXTS["contrast.title"][1]).click()
    rested(page)
    page.get_by_role("button", name=TEXTS["contrast.run"][1], exact=True).click()
    expect(page.locator(".contrast table")).to_be_visible(timeout=90_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".contrast .scroll").evaluate("e => e.scrollWidth > e.clientWidth")
    assert page.locator(".contrast").get_attribute("data-theme") == "dark"
    assert "cpu · bfloat16" in page.locator(".contrast th").all_inner_texts()
