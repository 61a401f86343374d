"""Pictures that the page asks the server for: nothing that is pressed gets lost, whatever else the page does meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

HOLD = """() => {
  const line = document.autogradExplorer.players.player.pictures;
  window.send = line.send;
  window.held = [];
  line.send = (asked) => window.held.push(asked);
}"""
RELEASE = "() => { for (const asked of window.held) window.send(asked); }"
# As when the page around is run anew.
AGAIN = "() => { const link = document.autogradExplorer.players.player; link.show(link.picture, false); }"


def flow(page: Page, *, right: bool) -> Any:
    """The button that turns the picture."""
    return page.get_by_role("button", name="Draw from left to right" if right else "Draw from top to bottom")


def undo(page: Page) -> Any:
    return page.get_by_role("button", name="Undo the last opening or closing")


def test_the_same_picture_again_disturbs_nothing(visit: Any) -> None:
    """A menu stays open, and the way back is not forgotten, when the page hands over again what stands there already."""
    page = visit("example=gpt2")
    page.locator(".stage g.node", has_text="×12").first.locator("text").first.click()
    page.evaluate(AGAIN)
    expect(page.get_by_role("menuitem", name="Show the 12 side by side")).to_be_visible()
    page.evaluate(HOLD)
    page.get_by_role("menuitem", name="Show the 12 side by side").click()
    expect(page.locator(".view")).to_have_attribute("aria-busy", "true")
    page.evaluate(AGAIN)
    page.evaluate(RELEASE)
    expect(page.locator(".stage g.node", has_text="×12")).to_have_count(0)
    expect(page.locator(".view")).to_have_attribute("aria-busy", "false")
    undo(page).click()
    expect(page.locator(".stage g.node", has_text="×12").first).to_be_attached()
    expect(undo(page)).to_be_disabled()


def test_what_is_pressed_meanwhile_waits_its_turn(visit: Any) -> None:
    """Two presses before the first answer: both are done, one after the other, and both are taken back."""
    page = visit("example=gpt2")
    page.evaluate(HOLD)
    flow(page, right=True).click()
    page.get_by_role("button", name="Open all modules").click()
    assert len(page.evaluate("() => window.held")) == 1
    page.evaluate("() => { document.autogradExplorer.players.player.pictures.send = window.send; }")
    page.evaluate(RELEASE)
    expect(page.locator(".fold[aria-expanded=false]")).to_have_count(0)
    expect(flow(page, right=False)).to_be_visible()
    undo(page).click()
    expect(page.locator(".stage g.node", has_text="×12").first).to_be_attached()
    expect(flow(page, right=False)).to_be_visible()
    undo(page).click()
    expect(flow(page, right=True)).to_be_visible()
    expect(undo(page)).to_be_disabled()


def test_to_and_fro_while_the_page_is_run_anew(visit: Any) -> None:
    """The same two pictures in turn, ten times, each while a choice above makes Streamlit run the whole page."""
    page = visit("example=gpt2")
    seed = page.get_by_role("spinbutton", name="Seed")
    for turn in range(10):
        if turn % 2:
            seed.fill(str(turn))
            seed.press("Enter")
        flow(page, right=turn % 2 == 0).click()
        expect(flow(page, right=turn % 2 == 1)).to_be_visible()
    expect(page.locator("[data-testid=stConnectionStatus], [role=dialog]")).to_have_count(0)
