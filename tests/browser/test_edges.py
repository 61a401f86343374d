"""The player where there is nothing, next to nothing, or too much of something, and where the server has gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, expect

import explorer
from tests.browser.conftest import served
from tests.browser.reading import place, sentence
from tests.dummy import chain_trace

pytestmark = pytest.mark.browser


def test_nan_everywhere(read: Any) -> None:
    """Each number is NaN: it says so in the sentence, the boxes and the cells, and colours nothing."""

    def lost() -> torch.Tensor:
        w = torch.full((2, 2), float("nan"), requires_grad=True)
        return (w * w).sum()

    page = read(explorer.trace(lost))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "NaN" in sentence(page)
    expect(page.locator(".inspector")).to_contain_text("NaN")
    page.keyboard.press("End")
    for name in page.get_by_label("Colour boxes by").locator("option").evaluate_all("all => all.map((one) => one.value)"):
        page.get_by_label("Colour boxes by").select_option(name)
        expect(page.locator(".stage g.node").first).to_be_visible()


def test_one_node(read: Any) -> None:
    """A loss that is a parameter: its gradient is 1, and every key does what it can."""
    page = read(explorer.trace(lambda: torch.tensor(3.0, requires_grad=True)))
    expect(page.locator(".stage g.node")).to_have_count(1)
    for key in ("ArrowRight", "End", "ArrowLeft", "Home", "f", "u", "+", "0", "Escape", "End"):
        page.keyboard.press(key)
    expect(page.locator(".inspector")).to_contain_text("gradient")
    assert place(page).inner_text().strip() != ""


def test_none(read: Any) -> None:
    """Nothing was recorded: a sentence says so."""
    empty = replace(
        explorer.trace(lambda: torch.tensor(3.0, requires_grad=True)),
        **dict.fromkeys(("nodes", "edges", "forward", "backward", "findings", "modules"), ()),
        loss=None,
    )
    page = read(empty)
    expect(page.locator(".empty").last).to_be_visible()
    page.keyboard.press("ArrowRight")


def test_five_thousand_nodes_opened(read: Any) -> None:
    """More boxes than a browser moves smoothly: what was to be open stays folded, and every node can be stepped to all the same."""
    page = read(chain_trace(4_999), expand="all")
    assert page.locator(".stage g.node").count() <= 3_000
    page.keyboard.press("End")
    expect(page.locator(".stage g.now-gradient")).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    assert "sends" in sentence(page)


def test_the_server_goes_in_the_middle_of_a_step(browser: Browser) -> None:
    """All steps are in the browser: it goes on forwards and back with what it has."""
    with served() as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.locator(".player .stage svg")).to_be_visible(timeout=30_000)
        page.keyboard.press("ArrowRight")
        told = sentence(page)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert "−0.0898" in sentence(page)
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert sentence(page) == told
    page.close()
