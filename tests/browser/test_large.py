"""A large recording on the page: in columns and sheets, stepped through in both directions, searched and coloured like a small one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.files import assets_folder, load, save
from explorer.model import Trace
from explorer.payload import MOST_WHOLE, outlined, recorded
from explorer.player import joined_script
from explorer.sheets import SHEET, sheets_of
from explorer.steps import steps
from tests.browser.conftest import served
from tests.browser.reading import place, rested
from tests.dummy import chain_trace, dummy_trace

NEEDLE = 1_700  # a node far from everything
SAMPLES = assets_folder() / "samples"

# Everything that can be asked of a book without a sheet, and what the sheets tell once all are there.
ASK = """([data, sheets]) => {
  const numbers = (count) => Array.from({ length: count }, (_, number) => number);
  const book = bookOf(sheets ? { ...data, sheets } : data, { fetch: () => {}, onread: () => {} });
  const at = (k) => [book.phaseAt(k), book.kindAt(k), book.nodeAt(k), book.step(k).text];
  const times = (id, output) => [book.at("value", id, output), book.node(id).gradients[output] && book.at("gradient", id, output)];
  const node = (id) => [book.kind(id), book.place(id), book.stepsOf(id), book.graded(id), book.numbered(id), [...book.into(id)],
    [...book.out(id)], book.label(id), book.rule(id), book.updates(id), book.node(id).outputs.map((_, output) => times(id, output)),
    book.at("grad", id), book.at("parameter", id)];
  const edge = (index) => [book.edge(index), book.carries(index), book.contribution(index), book.at("contribution", index)];
  const sum = (k) => book.step(k).sums.map(({ node, output }) => book.sum(node, output, k));
  const steps = numbers(book.total).map((k) => k + 1);
  const [nodes, edges] = [numbers(book.count.nodes), numbers(book.count.edges)];
  const all = [book.phases(), [...book.nodesOfLine], book.headed];
  return JSON.stringify([steps.map(at), steps.map(sum), nodes.map(node), edges.map(edge), ...all]);
}"""


@pytest.mark.parametrize("name", ["neuron", "lstm", "shared_weights", "forgotten_zero_grad", "repeated_backward"])
def test_a_book_in_sheets_says_what_a_whole_one_says(browser: Browser, name: str) -> None:
    """When everything is written, where each step leads and what hangs together is the same, however the recording came."""
    trace = dummy_trace(updates=True, modules=True) if name == "neuron" else load(SAMPLES / f"{name}.trace")
    sheets = sheets_of(trace)
    every = [sheets.sheet(number, "en") for number in range((len(sheets.stepper) - 1) // SHEET + 1)]
    page = browser.new_page()
    said = [
        page.evaluate(f"(asked) => {{ {joined_script()}\nreturn ({ASK})(asked); }}", asked)
        for asked in ([recorded(trace, "en", key="k"), None], [outlined(trace, "en", key="k", step=1), every])
    ]
    page.close()
    whole, parts = map(json.loads, said)
    for one, other in zip(whole, parts, strict=True):
        assert one == other


@pytest.fixture(scope="module")
def large() -> Trace:
    trace = chain_trace(MOST_WHOLE + 500)
    nodes = [*trace.nodes]
    nodes[NEEDLE] = replace(nodes[NEEDLE], name="needle", names=("needle",))
    return replace(trace, nodes=tuple(nodes))


@pytest.fixture(scope="module")
def page(browser: Browser, large: Trace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path: Path = tmp_path_factory.mktemp("large") / "chain.trace"
    save(large, path)
    with served(AUTOGRAD_EXPLORER_OPEN=str(path)) as address:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        expect(page.locator(".player .stage svg")).to_be_visible(timeout=60_000)
        rested(page)
        yield page
        page.close()


def said_at(page: Page, large: Trace, k: int) -> None:
    """The player stands at step k, and says what happens in it."""
    total = len(steps(large))
    expect(place(page)).to_contain_text(f"step {k} of {total}")
    expect(page.locator(".player .sentence")).to_have_text(steps(large)[k - 1].say("en"))


def test_every_step_is_reached(page: Page, large: Trace) -> None:
    """From the first step over the end of a sheet, to the last and back from it, and to the middle: each says its own numbers."""
    total = len(steps(large))
    for _ in range(SHEET + 2):
        page.keyboard.press("ArrowRight")
    said_at(page, large, SHEET + 3)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    said_at(page, large, SHEET + 1)
    page.keyboard.press("End")
    said_at(page, large, total)
    expect(page.locator(".inspector")).to_contain_text(".grad")
    for back in range(1, SHEET + 3):
        page.keyboard.press("ArrowLeft")
        if back % 20 == 0:
            said_at(page, large, total - back)
    slider = page.locator("input[type=range]")
    slider.evaluate("e => { e.value = 5200; e.dispatchEvent(new Event('input')); }")
    k = int(place(page).inner_text().split(" step ")[1].split(" ")[0])
    assert SHEET < k < total - SHEET
    said_at(page, large, k)
    expect(page.locator(".inspector .rule")).to_contain_text("∂L")
    page.keyboard.press("Home")
    said_at(page, large, 1)


def test_it_is_searched_and_coloured(page: Page, large: Trace) -> None:
    """A search finds what is in no sheet yet, and leads there; an overlay gets its numbers when it is chosen."""
    page.keyboard.press("Home")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    expect(page.locator(".results [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    said_at(page, large, NEEDLE + 1)
    expect(page.locator(".inspector h2").first).to_have_text("needle")
    overlay = page.get_by_label("Colour boxes by")
    overlay.select_option("value")
    expect(page.locator(".legend .shades")).to_be_visible()
    overlay.select_option("")


def test_a_language_keeps_the_step(page: Page, large: Trace) -> None:
    """In the other language the same step is told."""
    page.keyboard.press("End")
    said_at(page, large, len(steps(large)))
    page.get_by_text("한국어").first.click()
    expect(page.locator(".player .sentence")).to_have_text(steps(large)[-1].say("ko"))
