"""The player on a Streamlit page: fed the recording once, and pictures of it one by one; stepping never comes back here.

NOTE [pictures]: a component gets all its data anew whenever any of it changes. So the pictures come through a second component, which
shows nothing: it hands each one to the player beside it, and takes from it what a person asks to see.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.player import joined_script, style

__all__ = ["PICTURE", "hand_over", "lead", "show"]

PICTURE = "picture"  # the key of the second component

HTML = """
<div class="player"></div>
"""

LINK = """
const link = (document.autogradExplorer ??= { picture: null, number: 0, send: null, show: null, go: null, gone: 0 });
"""

# Streamlit calls this again whenever the data or the theme changes; the player is then built anew where the old one stood.
MOUNT = (
    LINK
    + """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  const before = parentElement.player ? parentElement.player.state() : link.before;
  if (parentElement.player) parentElement.player.stop();
  root.dataset.theme = darkGround(root) ? "dark" : "light";
  root.lang = data.language;
  const ask = (asked, tries = 0) => {
    clearTimeout(link.waiting);
    const patience = [1500, 4500, 9000, 45000]; // milliseconds until it is asked again, in the end until nobody waits any more
    link.waiting = setTimeout(() => (patience[tries + 1] ? ask(asked, tries + 1) : parentElement.player.unanswered()), patience[tries]);
    link.send?.({ ...asked, number: link.number, tries });
  };
  const pictures = {
    current: () => link.picture,
    ask: (asked) => { link.number += 1; ask(asked); },
    note: (asked) => link.send?.({ ...asked, number: link.number }),
  };
  const player = mountPlayer(root, data, { before, address: true, pictures });
  link.show = (picture, answer) => player.show(picture, answer);
  link.go = (step) => { player.go(step); root.scrollIntoView({ block: "nearest" }); };
  parentElement.player = player;
  return () => { link.before = player.state(); player.stop(); };
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
)

HAND_OVER = (
    LINK
    + """
export default function ({ data, setStateValue }) {
  const answer = data.answers === link.number && data.answers !== link.picture?.answers;
  if (answer) clearTimeout(link.waiting);
  link.send = (asked) => setStateValue("asked", asked);
  link.picture = data;
  link.show?.(data, answer);
}
"""
)

LEAD = (
    LINK
    + """
export default function ({ data }) {
  if (data.count === link.gone) return;
  link.gone = data.count;
  link.go?.(data.step);
}
"""
)

_component = st.components.v2.component("autograd_explorer_player", html=HTML, css=style(), js=joined_script() + MOUNT)
_pictures = st.components.v2.component("autograd_explorer_picture", html="\n<span hidden></span>\n", js=HAND_OVER)

_lead = st.components.v2.component("autograd_explorer_step", html="\n<span hidden></span>\n", js=LEAD)


def show(recording: dict[str, Any]) -> None:
    """The player, with what `explorer.payload.recorded` says of a recording."""
    _component(key="player", data=recording)


def hand_over(picture: dict[str, Any], *, answers: int) -> None:
    """A picture for the player, from `explorer.pictured`; `answers` is the number of the request that it answers.

    NOTE [numbers]: with a number in it, no answer is the same message as an earlier one. Streamlit sends a message that the browser had
    before by name only; where the browser has just forgotten it, the whole page stops (1.67: "Cached ForwardMsg MISS").
    """
    _pictures(key=PICTURE, data={**picture, "answers": answers}, on_asked_change=lambda: None)


def lead(step: int, count: int) -> None:
    """Take the player to a step; `count` is another for each time that one is asked for."""
    _lead(key="step", data={"step": step, "count": count})
