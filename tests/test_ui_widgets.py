"""Keys of widgets whose value is changed from elsewhere too."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from explorer.ui import widgets
from explorer.ui.widgets import key_for, take


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session that is a dict."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", found)
    return found


def test_a_widget_keeps_its_key_until_something_else_changes_its_value(state: dict[str, Any]) -> None:
    """What a person chooses in it is no reason for another key; a preset is, and so is another type of the same number."""
    assert [key_for("n", 1), key_for("n", 1)] == ["n", "n"]
    state["n"] = 2
    assert take("n", "n") == 2
    assert key_for("n", 2) == "n"
    assert key_for("n", 3) == "n_1"
    assert key_for("n", 3.0) == "n_2"  # Streamlit tells whole numbers from others
    assert key_for("n", True) == "n_3"


def test_what_a_replaced_widget_sends_is_passed_over(state: dict[str, Any]) -> None:
    """The browser has not heard of the preset yet and sends the number of before, with whatever was pressed."""
    assert [key_for("n", 768), key_for("n", 1024)] == ["n", "n_1"]
    state.update({"n": 768, "n_1": 1280})
    assert take("n", "n") is None
    assert key_for("n", 1024) == "n_1"
    assert take("n", "n_1") == 1280
    assert key_for("n", 1280) == "n_1"


def test_an_emptied_widget_begins_anew(state: dict[str, Any]) -> None:
    """A field that was emptied shows its value again."""
    assert key_for("n", 4) == "n"
    state["n"] = None
    assert take("n", "n") is None
    assert key_for("n", 4) == "n_1"


def test_names_that_are_used_once_are_forgotten(state: dict[str, Any]) -> None:
    """However many widgets a long session has seen, few are kept; what still stands on the page is among them."""
    for number in range(3 * widgets.MOST):
        key_for(f"at_{number}", number)
        key_for("stays", 1)
    assert len(state["widgets"]) == widgets.MOST and key_for("stays", 1) == "stays"
