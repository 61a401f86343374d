"""The panel of memory as Streamlit runs it: closed, opened, empty, and its way to the player."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.files import assets_folder, load, save
from explorer.footprint import amount, memory
from explorer.model import Trace
from explorer.text import LANGUAGES, TEXTS
from explorer.ui import devices, explore
from tests.components import players

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def known_devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The devices are known at once, so that no test waits for torch; AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.delenv("AUTOGRAD_EXPLORER_OPEN", raising=False)
    explore.asked_devices.clear()
    yield
    explore.asked_devices.clear()
    sys.modules["__main__"] = main


def recorded() -> Trace:
    return load(assets_folder() / "samples" / "simple_net.trace")


def page(*, language: str = "en", is_open: bool = True) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update({"example": "simple_net", "lang": language})
    app.session_state[f"memory_{language}"] = is_open
    app.run()
    assert not app.exception
    return app


def test_the_panel_tells_the_peak_and_leads_to_it() -> None:
    """Opened, it says how much is held, when and of what; its button tells the player to go to that step."""
    app, found = page(), memory(recorded())
    assert found is not None
    told = next(text.value for text in app.markdown if amount(found.most) in text.value)
    assert f"at step {found.peak + 1} of {len(found.nodes)}" in told
    app.button(key="memory_go").click().run()
    handed = [json.loads(component.proto.json) for component in players(app)]
    assert {"step": found.peak + 1, "count": 1} in handed


def test_the_panel_is_closed_at_first() -> None:
    """Nothing of it is worked out before somebody asks."""
    app = page(is_open=False)
    assert not any("are held at once" in text.value for text in app.markdown)
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_told_is_said(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording without a backward pass, and one of an earlier version: a sentence each, in both languages, and no empty chart."""
    bare = without_storages(recorded())
    for trace, key in ((replace(bare, backward=(), updates=()), "memory.no_backward"), (bare, "memory.not_told")):
        save(trace, tmp_path / "x.trace")
        monkeypatch.setenv("AUTOGRAD_EXPLORER_OPEN", str(tmp_path / "x.trace"))
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params["lang"] = language
        app.session_state[f"memory_{language}"] = True
        app.run()
        assert [info.value for info in app.info] == [TEXTS[key][LANGUAGES.index(language)]]
        assert not app.get("plotly_chart")


def without_storages(trace: Trace) -> Trace:
    """The trace as an earlier version would have written it."""
    nodes = [replace(node, received=(), saved=tuple(replace(saved, storage=None) for saved in node.saved)) for node in trace.nodes]
    return replace(trace, storages=(), nodes=tuple(nodes), edges=tuple(replace(edge, storage=None) for edge in trace.edges))
