"""The devices of this machine, asked for once for all visitors."""

from __future__ import annotations

import streamlit as st

from explorer.ui import devices

__all__ = ["asked_devices"]


@st.cache_resource(show_spinner=False)
def asked_devices() -> devices.Devices:
    """What is known of them so far."""
    return devices.ask()
