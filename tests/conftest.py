"""Fixtures for every test: a guard that nothing of ours stays installed, the user's state, the browser."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import process_state
from tests import user_state as users
from tests.conformance.lines import summary

# Before torch is loaded, here and in child processes: the threads of one worker spin while they wait for each other, and on cores that
# other workers use that takes twenty times as long as one thread alone.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    process_state.adopt_orphans()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background: programs under test would ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["HF_HUB_OFFLINE"] = "1"  # models are built from a configuration, with random weights; nothing is fetched


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow and browser tests come first, so that no worker has one of them left when the others are done."""
    seconds: dict[Path, float] = {}
    for item in items:
        long = item.get_closest_marker("slow") or item.get_closest_marker("browser")
        seconds[item.path] = seconds.get(item.path, 0.0) + (5.0 if long else 0.05)
    items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """After each test this process is as it was: no hook, mode, patched function, thread or child process of ours."""
    before = process_state.snapshot()
    yield
    found = process_state.differences(before)
    assert not found, "left behind: " + "; ".join(found)


@pytest.fixture
def user_state() -> Callable[..., dict[str, Any]]:
    """`user_state(model, x, optimizer=None)`: what belongs to the user, comparable with `==` between a watched and an unwatched run."""
    return users.user_state


@pytest.fixture
def untouched() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """`with untouched(model, x):` fails if anything of the user's is different at the end of the block.

    For blocks that run no training themselves (looking at a loss that exists, saving, drawing). Where the block itself runs backward,
    compare `user_state` with that of a run without us instead.
    """

    @contextlib.contextmanager
    def watch(*things: Any, optimizer: Any = None) -> Iterator[None]:
        before = users.user_state(*things, optimizer=optimizer)
        yield
        after = users.user_state(*things, optimizer=optimizer)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        assert not changed, f"changed: {changed}"

    return watch


@pytest.fixture(scope="session")
def browser_path() -> str | None:
    """The Chromium or Chrome to drive; None: the one that playwright brought. Without any, browser tests skip, and fail on CI."""
    named = os.environ.get("AUTOGRAD_EXPLORER_BROWSER")
    if named:
        return named
    for name in ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser"):
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        if os.path.exists(playwright.chromium.executable_path):
            return None
    if os.environ.get("CI"):
        pytest.fail("no browser was found; tests/run.sh finds or installs one")
    pytest.skip("no browser was found; tests/run.sh finds or installs one")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many lines of the list of traps passed, and why the others did not."""
    outcomes = {
        outcome: [(report.nodeid, _reason(report)) for report in terminalreporter.stats.get(outcome, []) if hasattr(report, "nodeid")]
        for outcome in ("failed", "error", "xfailed", "skipped", "passed")
    }
    for line in summary(outcomes):
        terminalreporter.write_line(line)


def _reason(report: Any) -> str:
    """Why a test was expected to fail, or was skipped."""
    if getattr(report, "wasxfail", None):
        return str(report.wasxfail).removeprefix("reason: ")
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return ""
