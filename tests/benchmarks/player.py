"""How smooth the player is: `python tests/benchmarks/player.py [--sizes 50,700,3000] [--hold 10] [--json] [--browser PATH]`.

Headless Chromium with software rendering opens an exported file for each size, everything in it open, and presses, drags and zooms.
Printed for each number of visible nodes: script time of a step (median), time from the key to the painted step (median), how many frames
a second a drag and a zoom reach, and whether steps keep up with a key that is held down. Then, for GPT-2 in the served
page: from the press on a block to the painted picture (median). And how long the first page takes until a key moves it, beside Streamlit's
own hello page until its title stands there, in turn, each in a browser that has never seen it; and a recording of `--large` nodes, opened
by the first visitor, for whom it is read, and by others; and how long a jump to a step in it takes that has not been fetched. And how long
a lesson takes from the click in the list to its text with the first graph: for the first visitor, and again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from playwright.sync_api import Browser, Page, sync_playwright

from explorer.export import export
from explorer.files import save
from explorer.lessons import lesson_names, lessons_folder, read_lesson
from explorer.text import TEXTS
from tests.browser.conftest import FLAGS, served
from tests.dummy import chain_trace

STEPS = 60

STEP = """async ([steps]) => {
  const key = () => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const [script, paint] = [[], []];
  for (let step = 0; step < steps; step += 1) {
    await new Promise((done) => setTimeout(done, 30));
    const start = performance.now();
    key();
    script.push(performance.now() - start);
    await painted();
    paint.push(performance.now() - start);
  }
  return { script, paint };
}"""

MOVE = """async ([kind, milliseconds]) => {
  const room = document.querySelector(".view");
  const box = room.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const own = { pointerId: 7, bubbles: true, clientX: x, clientY: y, buttons: 1 };
  const send = (type, more) => room.dispatchEvent(new PointerEvent(type, { ...own, ...more }));
  room.setPointerCapture = () => {};
  const start = performance.now();
  const frames = [];
  let before = start;
  if (kind === "drag") send("pointerdown", {});
  while (performance.now() - start < milliseconds) {
    const way = Math.sin((performance.now() - start) / 300);
    if (kind === "drag") send("pointermove", { clientX: x + 200 * way, clientY: y + 150 * way });
    else room.dispatchEvent(new WheelEvent("wheel", { deltaY: 60 * way, clientX: x, clientY: y, bubbles: true, cancelable: true }));
    await new Promise((done) => requestAnimationFrame(done));
    frames.push(performance.now() - before);
    before = performance.now();
  }
  send("pointerup", {});
  return frames;
}"""

HOLD = """async ([milliseconds]) => {
  const start = performance.now();
  let [sent, lag] = [0, 0];
  while (performance.now() - start < milliseconds) {
    await new Promise((done) => setTimeout(done, 33));
    const pressed = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true, repeat: true }));
    sent += 1;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    lag = Math.max(lag, performance.now() - pressed);
  }
  return { sent, lag };
}"""

JUMP = """async ([place, waiting]) => {
  const roots = [document, ...[...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)];
  const root = roots.map((one) => one.querySelector(".player")).find(Boolean);
  const slider = root.querySelector("input[type=range]");
  const start = performance.now();
  slider.value = String(place);
  slider.dispatchEvent(new Event("input"));
  while (root.querySelector(".sentence").textContent === waiting) await new Promise((done) => setTimeout(done, 5));
  return performance.now() - start;
}"""

APPEARED = """([selector, text]) => {
  const roots = [document, ...[...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)];
  return roots.some((root) => [...root.querySelectorAll(selector)].some(
    (element) => element.getClientRects().length && element.textContent.includes(text)));
}"""

UNFOLDED = """() => {
  const find = (root) => {
    const roots = [root, ...[...root.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)];
    return roots.map((one) => one.querySelector(".stage")).find(Boolean);
  };
  window.took = null;
  const start = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - start; }, 0));
  }).observe(find(document), { childList: true });
}"""


def stepping(browser: Browser, size: int, folder: Path, *, hold: float) -> dict[str, Any]:
    """The figures of an exported chain of `size` nodes, all of them visible."""
    path = folder / f"{size}.html"
    export(chain_trace(size - 1), path, expand="all")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    page.locator(".stage svg").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    visible = page.locator(".stage g.node").count()
    steps = page.evaluate(STEP, [min(STEPS, size)])
    drag, zoom = (page.evaluate(MOVE, [kind, min(2500, 1000 * hold)]) for kind in ("drag", "zoom"))
    page.keyboard.press("Home")
    held = page.evaluate(HOLD, [1000 * hold])
    page.close()
    return {
        "visible": visible,
        "script_ms": statistics.median(steps["script"]),
        "paint_ms": statistics.median(steps["paint"]),
        "drag_ms": statistics.median(drag),
        "zoom_ms": statistics.median(zoom),
        "held_keys": held["sent"],
        "worst_lag_ms": held["lag"],
    }


def unfolding(browser: Browser, address: str, blocks: int) -> list[float]:
    """From the press on a block of GPT-2 to the painted picture, with the server in between; opened and closed in turn."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{address}/?example=gpt2")
    page.locator(".stage svg").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    page.locator(".fold[aria-expanded=false]").first.click()
    page.get_by_role("menuitem").first.click()
    page.wait_for_timeout(1500)
    closed = page.locator(".fold[aria-expanded=false]")
    names = [closed.nth(place).get_attribute("data-id") or "" for place in range(blocks)]
    times = []
    for name in names:
        for sign in (name, f"cluster_{name}"):
            times.append(_timed(page, sign))
    page.close()
    return times


def _timed(page: Page, sign: str) -> float:
    page.evaluate(UNFOLDED)
    page.locator(f".fold[data-id={sign}]").press("Enter")
    page.wait_for_function("window.took !== null", timeout=20_000)
    took = float(page.evaluate("window.took"))
    page.wait_for_timeout(600)
    return took


@contextmanager
def hello() -> Iterator[str]:
    """Streamlit's own first page, served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.headless", "true", "--server.port", str(port), "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "hello", *options]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://localhost:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def appeared(page: Page, selector: str, text: str = "") -> None:
    """Wait for a visible element of light or shadow trees with this text, looked for in every frame: Playwright's own waiting looks
    twice a second in the end, which is a third of what is measured here."""
    page.wait_for_function(APPEARED, arg=[selector, text], timeout=120_000)


def titled(page: Page) -> None:
    """The title of a page stands there."""
    appeared(page, "h1")


def pressed(page: Page) -> None:
    """The picture stands there, and a key goes on to the next step."""
    appeared(page, ".player .stage svg")
    page.keyboard.press("ArrowRight")
    appeared(page, ".player .place", "step 2 of")


def opened(browser: Browser, address: str, ready: Callable[[Page], None]) -> float:
    """Milliseconds from asking for a page to `ready`, in a browser that has nothing of it yet."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    start = time.perf_counter()
    page.goto(address)
    ready(page)
    took = 1000 * (time.perf_counter() - start)
    context.close()
    return took


def openings(browser: Browser, ours: str, *, times: int) -> dict[str, list[float]]:
    """Our first page and Streamlit's, in turn; the first time, when the servers load what they need, does not count."""
    found: dict[str, list[float]] = {"ours": [], "hello": []}
    with hello() as theirs:
        for turn in range(times + 1):
            for name, took in (("ours", opened(browser, ours, pressed)), ("hello", opened(browser, theirs, titled))):
                if turn:
                    found[name].append(took)
    return found


def large(browser: Browser, size: int, folder: Path) -> dict[str, list[float]]:
    """A recording of `size` nodes until a key moves it: read for the first visitor, then for others; and jumps to steps far away."""
    path = folder / "large.trace"
    save(chain_trace(size - 1), path)
    with served(AUTOGRAD_EXPLORER_OPEN=str(path)) as address:
        first, *others = (opened(browser, address, pressed) for _ in range(6))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        pressed(page)
        page.wait_for_timeout(2000)
        jumps = []
        for turn in range(1, 9):
            jumps.append(page.evaluate(JUMP, [1000 + 1000 * (turn * 3 % 8), TEXTS["player.on_its_way"][0]]))
            page.wait_for_timeout(1000)
        page.close()
    return {"first": [first], "others": others, "jumps": jumps}


def lessons(browser: Browser, address: str, most: int) -> dict[str, list[float]]:
    """Of each of so many lessons the milliseconds from the click to its text and first graph: for the first visitor, and for another."""
    found: dict[str, list[float]] = {}
    for _ in range(2):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/learn")
        for name in lesson_names()[:most]:
            page.locator(f".st-key-card-{name}").wait_for(timeout=60_000)
            page.wait_for_timeout(1500)
            start = time.perf_counter()
            page.locator(f".st-key-card-{name} a").click()
            page.locator(".st-key-turn").wait_for(state="attached", timeout=60_000)
            if read_lesson(lessons_folder() / name).players:
                page.locator("[class*=st-key-part-player-]").first.scroll_into_view_if_needed()  # it is built where somebody comes near it
                page.locator(".player .stage svg").first.wait_for(timeout=60_000)
            found.setdefault(name, []).append(1000 * (time.perf_counter() - start))
            page.get_by_role("link", name=TEXTS["learn.all"][0]).click()
        page.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="50,700,3000")
    parser.add_argument("--browser", default=shutil.which("chromium"))
    parser.add_argument("--hold", type=float, default=10.0, help="seconds for which the key is held down")
    parser.add_argument("--openings", type=int, default=6, help="how often each first page is opened")
    parser.add_argument("--blocks", type=int, default=6, help="how many blocks of GPT-2 are opened and closed")
    parser.add_argument("--large", type=int, default=100_000, help="nodes of a recording that is opened in the page; 0: none")
    parser.add_argument("--lessons", type=int, default=100, help="how many lessons are opened, twice each")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=FLAGS)
        for size in map(int, asked.sizes.split(",")):
            rows[size] = stepping(browser, size, Path(folder), hold=asked.hold)
        with served() as address:
            times = unfolding(browser, address, asked.blocks)
            first = openings(browser, address, times=asked.openings)
            read = lessons(browser, address, asked.lessons)
        many = large(browser, asked.large, Path(folder)) if asked.large else {}
        browser.close()
    if asked.json:
        print(json.dumps({"sizes": rows, "unfold_ms": times, "first_ms": first, "large_ms": many, "lesson_ms": read}))
        return
    print("visible  script ms  to paint ms  drag ms/frame  zoom ms/frame  keys held down  worst lag ms")
    for row in rows.values():
        print(
            f"{row['visible']:7}  {row['script_ms']:9.2f}  {row['paint_ms']:11.1f}  {row['drag_ms']:13.1f}  {row['zoom_ms']:13.1f}"
            f"  {row['held_keys']:14}  {row['worst_lag_ms']:12.1f}"
        )
    spread = f"{min(times):.0f} to {max(times):.0f}"
    ours, theirs = statistics.median(first["ours"]), statistics.median(first["hello"])
    print(f"first page until a key moves it: {ours:.0f} ms, {ours / theirs:.2f} x Streamlit's hello ({theirs:.0f} ms)")
    if many:
        print(
            f"a recording of {asked.large} nodes, until a key moves it: {statistics.median(many['others']):.0f} ms,"
            f" {many['first'][0]:.0f} ms where it is read first; a jump in it: {statistics.median(many['jumps']):.0f} ms"
        )
    if read:
        once, again = (max(read, key=lambda name: read[name][turn]) for turn in (0, 1))
        print(f"a lesson, from click to graph: at most {read[once][0]:.0f} ms ({once}), again {read[again][1]:.0f} ms ({again})")
    print(f"opening or closing a block of GPT-2, to painted: {statistics.median(times):.0f} ms (of {len(times)}: {spread})")


if __name__ == "__main__":
    main()
