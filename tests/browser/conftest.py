"""One browser and one server for all tests that drive one; each test has its own page."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from explorer.export import export
from explorer.model import Trace
from tests.browser.reading import rested

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent.parent
expect.set_options(timeout=15_000)  # on a machine that does much else Streamlit takes seconds to run the page anew


@pytest.fixture(scope="session")
def browser(browser_path: str | None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def address(browser: Browser) -> Iterator[str]:
    """Where the page is served. Its devices are known already: a page that learns of them while it is open is run once more for them."""
    with served() as url:
        page = browser.new_page()
        asked = [time.monotonic()]  # once a second the page asks for them
        page.on("websocket", lambda socket: socket.on("framesent", lambda _: asked.append(time.monotonic())))
        page.goto(url)
        expect(page.locator(".player .sentence")).to_be_visible(timeout=60_000)
        deadline = time.monotonic() + 60
        while time.monotonic() < min(deadline, asked[-1] + 2.5):
            page.wait_for_timeout(200)
        page.close()
        yield url


@contextmanager
def served(**variables: str) -> Iterator[str]:
    """A server of its own, with these environment variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true", "--server.port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "AUTOGRAD_EXPLORER_OPEN"} | variables
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    url = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Any]:
    """`visit(query, width=, height=, scheme=)`: a page on which the player stands. It may not have raised anything by the end."""
    opened: list[Page] = []
    wrong: list[str] = []

    def visit(query: str = "", *, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        opened.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if not _is_own(request.url, address) else None)
        page.goto(f"{address}/?{query}")
        expect(page.locator(".player .sentence")).to_be_visible(timeout=30_000)
        expect(page.locator(".player .stage svg")).to_be_visible(timeout=30_000)
        rested(page)
        return page

    yield visit
    for page in opened:
        page.close()
    assert wrong == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in the browser that fails is run once more, and must pass then: that a busy machine let one wait run out is no fault of the
    page. The summary says which were, and why."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was run again, with the reason."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"run again: {report.nodeid}")
        terminalreporter.write_line(str(report.longrepr)[-4000:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """What each open page showed, in words, stands in the report of a test that failed."""
    report = yield
    if report.when == "call" and report.failed:
        for context in item.funcargs["browser"].contexts if "browser" in item.funcargs else ():
            for page in context.pages:
                report.sections.append((page.url, _shown(page)))
    return report


def _shown(page: Page) -> str:
    try:
        return page.locator("body").aria_snapshot(timeout=2_000)
    except Error as error:
        return str(error)


def _is_own(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:", address.replace("http", "ws")))


@pytest.fixture
def read(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """`read(trace, **options)`: a page with the exported file. By the end it may have raised, logged and asked for nothing."""
    wrong: list[str] = []
    opened = []

    def read(trace: Trace, *, width: int = 1440, scheme: str = "light", **options: Any) -> Page:
        path = tmp_path / "trace.html"
        export(trace, path, **options)
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))  # a breach of the policy is told here
        page.on("request", lambda request: None if request.url.startswith(path.as_uri()) else wrong.append(request.url[:100]))
        page.goto(path.as_uri())
        expect(page.locator(".player .sentence, .player .empty").last).to_be_visible()
        return page

    yield read
    for context in opened:
        context.close()
    assert wrong == []
