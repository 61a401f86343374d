"""The player on a Streamlit page: registered once, fed once; stepping never comes back here."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.player import joined_script, style

__all__ = ["show"]

HTML = """
<div class="player"></div>
"""

# Streamlit calls this again whenever the data or the theme changes; the player is then built anew where the old one stood.
MOUNT = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  const before = parentElement.player ? parentElement.player.state() : null;
  if (parentElement.player) parentElement.player.stop();
  root.dataset.theme = darkGround(root) ? "dark" : "light";
  root.lang = data.language;
  const player = mountPlayer(root, data, { before, address: true });
  parentElement.player = player;
  return () => { player.stop(); };
}

function darkGround(root) {
  const probe = document.createElement("span");
  probe.style.color = "var(--st-background-color)";
  root.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
  probe.remove();
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
}
"""

_component = st.components.v2.component("autograd_explorer_player", html=HTML, css=style(), js=joined_script() + MOUNT)


def show(data: dict[str, Any]) -> None:
    """The player, with `data` from `explorer.payload`."""
    _component(key="player", data=data)
