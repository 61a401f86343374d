"""The pictures of the page in the README: `python tests/benchmarks/screenshots.py [NAME …] [--to FOLDER] [--browser PATH]`.

Each is a page as a visitor sees it after a few presses, in headless Chromium, in few enough colours to be small.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from explorer.capture.trainer import train_target
from explorer.files import assets_folder
from explorer.text import LANGUAGES
from tests.browser.conftest import FLAGS, served

FOLDER = assets_folder() / "images"
COLORS = 192


@dataclass(frozen=True, slots=True)
class Shot:
    """What the address asks for, how large the window is, and what is pressed before the picture is taken."""

    query: str
    width: int = 1440
    height: int = 900
    act: Callable[[Page], Any] = field(default=lambda page: None)
    options: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    ready: str = ".player .stage svg"


def _gradients(page: Page) -> None:
    """One block of GPT-2 open, coloured by gradient, at a step inside it."""
    page.keyboard.press("/")
    page.keyboard.type("7.att softmax")
    page.keyboard.press("Enter")
    page.get_by_label("Colour boxes by").select_option("gradient")
    page.wait_for_timeout(1500)
    page.get_by_label("What stands out").select_option("")
    page.keyboard.press("f")


def _nan(page: Page) -> None:
    """The first finding, opened, with room for it below the graph."""
    page.locator(".player").evaluate("player => player.style.setProperty('--around', '500px')")
    page.locator(".findings button").first.click()
    page.wait_for_timeout(500)
    page.keyboard.press("0")
    page.locator(".stMain").evaluate("main => main.scrollTo(0, 0)")


def _player(page: Page) -> None:
    """On a phone the player begins below what chooses the program."""
    page.locator(".player").evaluate("player => player.scrollIntoView()")


def _trained(page: Page) -> None:
    """A step is looked at."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    place = box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2
    page.mouse.move(*place)
    page.wait_for_timeout(300)
    page.mouse.click(*place)
    page.locator(".player .stage svg").wait_for(timeout=60_000)
    page.locator(".stMain").evaluate("main => main.scrollTo(0, 0)")


def _pointed(page: Page) -> None:
    """A cell of the transpose is held."""
    page.locator('.card[data-name="c"] td[data-flat="4"]').click()


def _lesson(page: Page) -> None:
    """What the address leads to, a little below the edge."""
    page.locator(".player .stage svg").first.wait_for(timeout=60_000)
    page.locator(".stMain").evaluate("main => main.scrollBy(0, -90)")


LESSONS = {
    "lesson-neuron": ("04-logistic-neuron", "backward"),
    "lesson-layer": ("05-one-hidden-layer", "backward"),
    "lesson-gpt2": ("08-gpt2-configuration", "model"),
}
SHOTS = {
    "player": Shot("example=logistic_neuron&step=11"),
    "gpt2": Shot("example=gpt2", act=_gradients, options={"color_scheme": "dark"}),
    "nan": Shot("example=nan_where", height=1000, act=_nan),
    "phone": Shot("example=logistic_neuron&step=11&lang=ko", 390, 844, _player, {"device_scale_factor": 2}),
    **{
        f"{name}-{language}": Shot(f"lesson={lesson}&part={part}&lang={language}", 1280, 1000, _lesson, path="learn", ready=".st-key-turn")
        for name, (lesson, part) in LESSONS.items()
        for language in LANGUAGES
    },
    "llm": Shot("model=medium&n_layers=30", 1440, 1240, path="llm", ready=".js-plotly-plot g.slice"),
    "tensors": Shot("", 1440, 1010, _pointed, path="tensors", ready=".tensors .card"),
    "train": Shot("run=two_spirals", 1440, 1010, _trained, path="train", ready=".js-plotly-plot"),
}


def taken(browser: Browser, address: str, shot: Shot) -> bytes:
    """The page as PNG."""
    context = browser.new_context(viewport={"width": shot.width, "height": shot.height}, **shot.options)
    page = context.new_page()
    page.goto(f"{address}/{shot.path}?{shot.query}")
    page.locator(shot.ready).first.wait_for(timeout=60_000)
    if shot.path != "learn":
        page.get_by_role("combobox").first.wait_for()
    page.wait_for_timeout(4000)  # until the devices are known and the page has been run once more for them
    shot.act(page)
    page.mouse.move(1, shot.height - 1)
    page.wait_for_timeout(1500)
    png = page.screenshot()
    context.close()
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Take the pictures and write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*SHOTS, []], metavar="NAME", help=f"of {', '.join(SHOTS)}; without one, all")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--browser", default=shutil.which("chromium"))
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    names = asked.names or list(SHOTS)
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as stack, sync_playwright() as playwright:
        runs = Path(home) / "runs"
        if "train" in names:
            assert train_target("two_spirals", runs / "two_spirals", steps=800, record_every=100) is None
        address = stack.enter_context(served(HOME=home, AUTOGRAD_EXPLORER_RUNS=str(runs)))
        browser = playwright.chromium.launch(executable_path=asked.browser, args=FLAGS)
        for name in names:
            path = asked.to / f"{name}.png"
            path.write_bytes(taken(browser, address, SHOTS[name]))
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
