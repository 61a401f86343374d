"""The player on a Streamlit page: its modules joined into one, registered once, fed once; stepping never comes back here.

NOTE [joined]: a v2 component takes its script as one text, and so will an exported file. The modules in assets/player/ import each other
by name only, so that leaving out their import lines and the word `export`, in order of use, makes one module of them.
"""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from explorer.files import assets_folder

__all__ = ["show"]

MODULES = ("format", "dom", "picture", "cells", "code", "graph", "inspector", "controls", "player")  # each uses only those before it

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


def joined_script() -> str:
    """The modules of the player as one, without their imports and exports."""
    folder = assets_folder() / "player"
    texts = [(folder / f"{name}.js").read_text(encoding="utf-8") for name in MODULES]
    return "\n".join(re.sub(r"^export ", "", re.sub(r"^import .*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE) for text in texts)


def style() -> str:
    """The player's style sheet."""
    return (assets_folder() / "player" / "player.css").read_text(encoding="utf-8")


_component = st.components.v2.component("autograd_explorer_player", html=HTML, css=style(), js=joined_script() + MOUNT)


def show(data: dict[str, Any]) -> None:
    """The player, with `data` from `explorer.ui.payload`."""
    _component(key="player", data=data)
