"""Modules opened and closed in the picture, in the web app and in an exported file: what a person presses, and what stands there then."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from explorer.export import export
from explorer.files import assets_folder, load
from explorer.text import TEXTS
from tests.browser.reading import place, sentence

pytestmark = pytest.mark.browser

BLOCKS = "trf_blocks"  # what our GPT-2 calls its twelve


def sign(page: Page, name: str) -> Locator:
    """The sign that opens or closes a module, by what a screen reader calls it."""
    return page.get_by_role("button", name=re.compile(f"(Open|Close) {re.escape(name)}$"))


def is_open(page: Page, name: str) -> bool:
    return sign(page, name).get_attribute("aria-expanded") == "true"


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"]


def settled(page: Page) -> None:
    """Nothing glides any more."""
    page.wait_for_function("""() => {
      const roots = [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean)];
      return roots.every((root) => root.getAnimations().every((one) => one.playState !== "running" || one instanceof CSSAnimation));
    }""")


@pytest.fixture(params=["served", "file"])
def gpt2(request: Any, browser: Browser, address: str, tmp_path: Path) -> Iterator[Page]:
    """GPT-2 as the page first shows it, in the web app and in a file that has no network."""
    if request.param == "served":
        yield request.getfixturevalue("visit")("example=gpt2")
        return
    path = tmp_path / "gpt2.html"
    export(load(assets_folder() / "samples" / "gpt2.trace"), path)
    wrong: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.goto(path.as_uri())
    expect(page.locator(".stage svg")).to_be_visible()
    yield page
    context.close()
    assert wrong == []


def test_a_block_opens_and_closes(gpt2: Page) -> None:
    """The card offers each of its twelve; a press on the block's box opens it, one on its title closes it; Esc and U take it back."""
    page = gpt2
    page.keyboard.press("ArrowRight")
    told = sentence(page)
    card = page.locator(".stage g.node", has_text="×12").first
    card.locator("text").first.click()
    page.get_by_role("menuitem", name="Show the 12 side by side").click()
    expect(sign(page, f"{BLOCKS}.7")).to_have_attribute("aria-expanded", "false")
    settled(page)
    block = page.locator(".stage g.node", has_text=re.compile(rf"{BLOCKS}\.1(?!\d)")).first
    before = middle(block)
    block.locator("text").first.click()
    expect(sign(page, f"{BLOCKS}.1")).to_have_attribute("aria-expanded", "true")
    settled(page)
    frame = page.locator(".stage g.cluster", has_text=f"{BLOCKS}.1").locator("path").first
    after = middle(frame)
    assert abs(after[0] - before[0]) < 2 and abs(after[1] - before[1]) < 2, "the module that was pressed jumped away"
    assert not any(is_open(page, f"{BLOCKS}.{number}") for number in (0, 2, 4, 11))
    assert sentence(page) == told
    page.locator(".stage g.cluster", has_text=f"{BLOCKS}.1").locator("text").first.click()
    expect(sign(page, f"{BLOCKS}.1")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(sign(page, f"{BLOCKS}.1")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("u")
    expect(sign(page, f"{BLOCKS}.1")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("u")
    expect(card).to_be_attached()
    assert sentence(page) == told


def test_all_twelve_open_by_keyboard(gpt2: Page) -> None:
    """With the keyboard alone: to the card's sign, Enter, down, Enter; then everything, and back to how it was."""
    page = gpt2
    card = page.locator(".fold[aria-expanded=false]").first
    card.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    for number in range(12):
        expect(sign(page, f"{BLOCKS}.{number}")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Open all modules").click()
    expect(page.locator(".fold[aria-expanded=false]")).to_have_count(0)
    assert page.locator(".stage g.node").count() > 500
    page.get_by_role("button", name="Fold as at the start").click()
    expect(page.locator(".stage g.node", has_text="×12").first).to_be_visible()
    expect(page.get_by_role("button", name="Fold as at the start")).to_be_disabled()


def test_search_finds_what_is_hidden(gpt2: Page) -> None:
    """A module in a closed card is found by the end of its path, and stands open to the eye; so does an op in it, at its step."""
    page = gpt2
    page.keyboard.press("/")
    page.keyboard.type("7.att")
    expect(page.get_by_role("option").first).to_contain_text(f"{BLOCKS}.7.att")
    page.keyboard.press("Enter")
    expect(sign(page, f"{BLOCKS}.7")).to_have_attribute("aria-expanded", "true")
    expect(sign(page, "att")).to_be_attached()
    settled(page)
    shown, frame = page.locator(".view").bounding_box(), sign(page, "att").bounding_box()
    assert (
        shown
        and frame
        and shown["x"] <= frame["x"] <= shown["x"] + shown["width"]
        and shown["y"] <= frame["y"] <= shown["y"] + shown["height"]
    )
    page.keyboard.press("/")
    page.keyboard.type("nothing of the kind")
    expect(page.locator(".results .none")).to_have_text("Nothing found")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Search for").fill("final_norm 64x768")
    page.keyboard.press("Enter")
    expect(page.locator(".inspector h2")).to_contain_text("native_layer_norm")
    assert "native_layer_norm" in sentence(page)


def test_colours_and_what_stands_out(gpt2: Page) -> None:
    """Gradient size colours the boxes with a legend; one class of module, or where gradients flow, stands out; Esc takes the light away."""
    page = gpt2
    op = page.locator(".stage g.node.op > path").first
    plain = op.evaluate("e => getComputedStyle(e).fill")
    page.get_by_label("Colour boxes by").select_option("gradient")
    expect(page.locator(".legend .scale")).to_contain_text("gradient (root mean square)")
    assert op.evaluate("e => getComputedStyle(e).fill") != plain
    assert len(set(page.locator(".stage g.node > path").evaluate_all("all => all.map((e) => getComputedStyle(e).fill)"))) >= 4
    page.get_by_label("Colour boxes by").select_option("")
    assert op.evaluate("e => getComputedStyle(e).fill") == plain
    page.get_by_label("What stands out").select_option(label="TransformerBlock (12)")
    assert page.locator(".stage g.node.lit").count() == 1
    page.get_by_label("What stands out").select_option("flow")
    assert 5 < page.locator(".stage g.node.lit").count() < page.locator(".stage g.node").count()
    page.locator(".sentence").click()
    page.keyboard.press("Escape")
    assert page.locator(".stage svg.lensed").count() == 0


def test_paths_light_up(gpt2: Page) -> None:
    """A press on a box lights what it comes from and leads to, a press with Shift on another the paths between; a step takes it away."""
    page = gpt2
    box = {
        name: page.locator(".stage g.node", has_text=name).first for name in ("pos_emb", "drop_emb", "tokens", "final_norm", "following")
    }
    box["drop_emb"].locator("text").first.click()
    assert [box[name].evaluate("e => e.classList.contains('lit')") for name in box] == [True, True, True, True, False]
    box["pos_emb"].locator("text").first.click(modifiers=["Shift"])
    assert [box[name].evaluate("e => e.classList.contains('lit')") for name in box] == [True, True, False, False, False]
    page.keyboard.press("ArrowRight")
    assert page.locator(".stage svg.lensed").count() == 0


def test_the_address_opens_the_same_picture(visit: Any) -> None:
    """What is open, the flow and the colours stand in the address; a page with that address shows them, and another example does not."""
    page = visit("example=gpt2")
    page.keyboard.press("/")
    page.keyboard.type("2.ff")
    page.keyboard.press("Enter")
    expect(sign(page, f"{BLOCKS}.2")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Draw from left to right").click()
    expect(page.get_by_role("button", name="Draw from top to bottom")).to_be_visible()
    page.get_by_label("Colour boxes by").select_option("value")
    page.wait_for_timeout(400)
    assert "flow=right" in page.url and "overlay=value" in page.url and "open=" in page.url
    drawn = page.locator(".stage g[id]").evaluate_all("all => all.map((e) => e.id)")
    again = visit(page.url.partition("?")[2])
    assert again.locator(".stage g[id]").evaluate_all("all => all.map((e) => e.id)") == drawn
    expect(again.locator(".legend .scale")).to_contain_text("value")
    again.get_by_text("한국어").click()
    expect(place(again)).to_contain_text("단계", timeout=15_000)
    expect(again.locator(".stage svg")).to_be_visible()
    assert again.locator(".stage g[id]").evaluate_all("all => all.map((e) => e.id)") == drawn


def test_a_copied_link_leads_back(visit: Any) -> None:
    """The button puts on the clipboard where one is: example, step, what is open, language. A page from it is the same."""
    page = visit("example=simple_net&lang=ko")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name=TEXTS["player.flow_right"][1]).click()
    expect(page.get_by_role("button", name=TEXTS["player.flow_down"][1])).to_be_visible()
    page.get_by_role("button", name=TEXTS["player.link"][1]).click()
    expect(page.get_by_role("status").filter(has_text=TEXTS["player.link_copied"][1])).to_be_attached()
    link = page.evaluate("navigator.clipboard.readText()")
    again = visit(link.partition("?")[2])
    assert sentence(again) == sentence(page)
    assert "8단계" in place(again).inner_text()
    expect(again.get_by_role("button", name=TEXTS["player.flow_down"][1])).to_be_visible()


def test_what_is_seen_is_taken_home(visit: Any) -> None:
    """PDF and PNG hold the picture as it is open and coloured: of its size, not blank, the text of the PDF to be selected."""
    page = visit("example=gpt2")
    sizes = []
    for query in ("", "7.att"):
        if query:
            page.keyboard.press("/")
            page.keyboard.type(query)
            page.keyboard.press("Enter")
            expect(sign(page, f"{BLOCKS}.7")).to_have_attribute("aria-expanded", "true")
            page.get_by_label("Colour boxes by").select_option("gradient")
            page.wait_for_timeout(600)
        files = {}
        page.get_by_role("button", name="Download").click()
        for name in ("PDF", "PNG"):
            with page.expect_download(timeout=60_000) as waiting:
                page.get_by_role("button", name=f"Picture, {name}").click()
            files[name] = Path(waiting.value.path()).read_bytes()
        page.keyboard.press("Escape")
        pdf, png = files["PDF"], files["PNG"]
        assert pdf.startswith(b"%PDF") and png.startswith(b"\x89PNG")
        box = re.search(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+)", pdf)
        assert box is not None
        width, height = float(box[1]), float(box[2])
        assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == pytest.approx((2 * width, 2 * height), abs=3)
        streams = b"".join(_inflated(part) for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL))
        assert streams.count(b"BT") > 10 and b"/ToUnicode" in pdf
        sizes.append(height)
    assert sizes[1] > 1.5 * sizes[0]


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""
