"""The Train page in a browser: start, pause, resume, stop, come back, and land on the graph of a step with that step's numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.figures import figure
from explorer.files import load
from explorer.runs import open_run, request
from tests.browser.conftest import served
from tests.browser.reading import frame_of, rested
from tests.browser.test_accessible import grave

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a training is started and runs for as long as the test looks at it

HEARD = 2.0  # seconds from a request to a run that does as asked: it looks five times a second, between two steps
LONG = 30.0  # seconds for what takes a moment on a machine that does nothing else


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(runs: Path) -> Iterator[str]:
    """A server of its own; what it started ends with the tests, since it would outlive the server."""
    with served(AUTOGRAD_EXPLORER_RUNS=str(runs)) as address:
        yield address
    for folder in runs.glob("*-*"):
        request(folder, "stop")


@pytest.fixture
def come(browser: Browser, trained: str) -> Iterator[Any]:
    pages: list[Page] = []
    wrong: list[str] = []

    def come(query: str = "", *, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{trained}/train?{query}")
        expect(page.get_by_role("button", name=re.compile("^(Start|시작)$"))).to_be_visible(timeout=30_000)
        return page

    yield come
    for page in pages:
        page.close()
    assert wrong == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def until(true: Any, seconds: float) -> float:
    """How long it took until it was true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


def heard(folder: Path, kind: str, true: Any) -> None:
    """A press becomes a request, and the training does as it asks within a second or so; the browser may be slower on a busy machine."""
    until(lambda: (folder / "requests.jsonl").is_file() and kind in (folder / "requests.jsonl").read_text().splitlines()[-1], LONG)
    until(true, HEARD)


def test_a_training_from_start_to_stop(come: Any, runs: Path) -> None:
    """It starts, pauses and goes on when asked, lives on while nobody looks, is found again, and stops."""
    page = come("program=two_spirals")
    page.get_by_label("Steps", exact=True).fill("100000")
    page.get_by_label("Steps", exact=True).press("Tab")
    press(page, "Start")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_enabled(timeout=60_000)
    folder = runs / "two_spirals-1"
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=30_000)

    press(page, "Pause")
    heard(folder, "pause", lambda: open_run(folder).status().state == "paused")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_enabled()
    step = open_run(folder).step()
    time.sleep(0.3)
    assert open_run(folder).step() == step
    press(page, "Resume")
    heard(folder, "resume", lambda: open_run(folder).step() > step)

    page.close()
    step = open_run(folder).step()
    until(lambda: open_run(folder).step() > step + 5, LONG)
    page = come("run=two_spirals-1")
    expect(page.get_by_role("button", name="Record the graph now")).to_be_enabled(timeout=30_000)
    press(page, "Record the graph now")
    heard(folder, "record", lambda: True)
    until(lambda: [one.reason for one in open_run(folder).traces()] == ["first", "asked"], LONG)
    press(page, "Stop")
    heard(folder, "stop", lambda: open_run(folder).status().state == "stopped")
    expect(page.get_by_role("button", name="Go on from the last checkpoint")).to_be_visible(timeout=20_000)
    assert not open_run(folder).status().alive


def test_a_click_on_a_curve_opens_the_graph_of_that_step(come: Any, runs: Path) -> None:
    """The player shows the recording nearest to the step that was clicked, with the loss that the run has at its step."""
    page = come("run=two_spirals-1", height=1400)
    chart = page.locator(".js-plotly-plot").first
    expect(chart).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1500)
    box = frame_of(chart.locator(".nsewdrag").first)
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
    expect(page.locator(".player .stage svg")).to_be_visible(timeout=30_000)
    run = open_run(runs / "two_spirals-1")
    found = run.traces()[-1]
    shown = re.search(r"Shown is step ([\d,]+) of", page.get_by_text("Shown is step").inner_text())
    assert shown is not None and int(shown[1].replace(",", "")) == found.step > 1
    scalars = run.scalars()
    loss = float(scalars.of("loss")[1][scalars.of("loss")[0].tolist().index(found.step)])
    assert load(found.path).loss == pytest.approx(loss)
    expect(page.locator(".player")).to_contain_text(figure(loss))
    page.get_by_role("link", name="Explore").click()
    expect(page.locator(".player .title, .player")).to_contain_text("logistic_neuron", timeout=30_000)
    page.get_by_role("link", name="Train").click()
    expect(page.get_by_text("Shown is step")).to_be_visible(timeout=30_000)
    assert "run=two_spirals-1" in page.url


def test_keys_step_open_and_explain(come: Any, runs: Path) -> None:
    """Arrows move the step that is looked at, many presses at once; g opens and closes the graph; ? says so; a field is typed into."""
    page = come("run=two_spirals-1", height=1400)
    at = page.get_by_role("group", name="Step").get_by_role("slider")
    expect(at).to_be_visible(timeout=30_000)
    rested(page)
    last = int(at.input_value())
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(at).to_have_value(str(last - 3))
    page.keyboard.press("Home")
    expect(at).to_have_value("1")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    rested(page)
    page.keyboard.press("g")
    expect(page.get_by_text("Shown is step 1 of")).to_be_visible(timeout=30_000)
    rested(page)
    page.keyboard.press("g")
    expect(page.get_by_text("Shown is step")).to_have_count(0)
    field = page.get_by_label("Steps", exact=True)
    before = len(list(runs.glob("*-*")))
    field.press("t")
    field.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    rested(page)
    assert len(list(runs.glob("*-*"))) == before


@pytest.mark.parametrize(
    "options",
    [{}, {"scheme": "dark"}, {"width": 390, "height": 844}, {"query": "lang=ko", "width": 390, "height": 844, "scheme": "dark"}],
)
def test_axe(come: Any, options: dict[str, Any]) -> None:
    """On a desk and on a phone, light and dark, in both languages; nothing is wider than the phone."""
    page = come(**options)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1000)
    assert grave(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
