"""What a page hands to the components that are on it."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest


def players(app: AppTest) -> list[Any]:
    """The components that draw something: those that hold keys, or are there to be fetched early, are left out."""
    return [one for one in app.get("bidi_component") if not one.proto.component_name.endswith(("keys", "early"))]
