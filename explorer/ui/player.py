"""The player on a Streamlit page: fed the recording once, and pictures of it one by one; stepping never comes back here.

NOTE [pictures]: a component gets all its data anew whenever any of it changes. So the pictures come through a second component, which
shows nothing: it hands each one to the player beside it, and takes from it what a person asks to see. The sheets of a large recording
come through a third one in the same way.

Several players stand on one page under names of their own; the first one is called "player".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.model import Trace
from explorer.player import joined_script, style
from explorer.sheets import sheets_of
from explorer.ui.failing import told

__all__ = ["PICTURE", "hand_over", "lead", "show"]

PICTURE = "picture"  # the key of the second component

HTML = """
<div class="player"></div>
"""

# NOTE [line]: what the player asks is numbered, and asked again until it is answered, in the end until nobody waits any more: where the
# page is just being run anew, a question is lost.
LINK = """
const PATIENCE = [1500, 4500, 9000, 45000]; // milliseconds
const lineOf = () => {
  const line = { number: 0, waiting: null, open: null, send: null };
  line.ask = (asked, unanswered, tries = 0) => {
    if (tries === 0) line.number += 1;
    clearTimeout(line.waiting);
    line.open = { ...asked, number: line.number, tries };
    const again = () => { if (PATIENCE[tries + 1]) line.ask(asked, unanswered, tries + 1); else { line.end(); unanswered(); } };
    line.waiting = setTimeout(again, PATIENCE[tries]);
    line.send?.(line.open);
  };
  line.end = () => { clearTimeout(line.waiting); line.open = null; };
  line.joined = (send) => { const first = !line.send; line.send = send; if (first && line.open) send(line.open); };
  return line;
};
const linkOf = (name) => {
  const all = (document.autogradExplorer ??= { players: {}, gone: 0 });
  return (all.players[name] ??= { picture: null, show: null, pictures: lineOf(), sheets: lineOf() });
};
"""

# Streamlit calls this again whenever the data or the theme changes; the player is then built anew where the old one stood.
MOUNT = (
    LINK
    + """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  const link = linkOf(data.name);
  const before = parentElement.player ? parentElement.player.state() : link.before;
  if (parentElement.player) parentElement.player.stop();
  root.dataset.theme = themeAround(root);
  root.lang = data.language;
  const pictures = {
    current: () => link.picture,
    ask: (asked) => link.pictures.ask(asked, () => parentElement.player.unanswered()),
    note: (asked) => link.pictures.send?.({ ...asked, number: link.pictures.number }),
  };
  const sheets = (asked, then) => {
    link.told = (answer) => { if (answer.key === data.key && answer.language === data.language) then(answer); };
    link.sheets.ask(asked, () => then(null));
  };
  link.sheets.end();
  const player = mountPlayer(root, data, { before, address: data.name === "player", pictures, sheets });
  link.show = (picture, answer) => player.show(picture, answer);
  link.go = (step) => { player.go(step); root.scrollIntoView({ block: "nearest" }); };
  if (data.name === "player") document.autogradExplorer.go = link.go;
  parentElement.player = player;
  return () => { link.before = player.state(); player.stop(); };
}
"""
)

HAND_OVER = (
    LINK
    + """
export default function ({ data, setStateValue }) {
  const link = linkOf(data.player);
  const answer = data.answers === link.pictures.number && data.answers !== link.picture?.answers;
  if (answer) link.pictures.end();
  link.picture = data;
  link.show?.(data, answer);
  link.pictures.joined((asked) => setStateValue("asked", asked));
}
"""
)

HAND_SHEETS = (
    LINK
    + """
export default function ({ data, setStateValue }) {
  const link = linkOf(data.player);
  if (link.sheets.open && data.answers === link.sheets.number) {
    link.sheets.end();
    link.told(data);
  }
  link.sheets.joined((asked) => setStateValue("asked", asked));
}
"""
)

LEAD = """
export default function ({ data }) {
  const all = document.autogradExplorer;
  if (!all || data.count === all.gone) return;
  all.gone = data.count;
  all.go?.(data.step);
}
"""

_component = st.components.v2.component("autograd_explorer_player", html=HTML, css=style(), js=joined_script() + MOUNT)
_pictures = st.components.v2.component("autograd_explorer_picture", html="\n<span hidden></span>\n", js=HAND_OVER)
_sheets = st.components.v2.component("autograd_explorer_sheets", html="\n<span hidden></span>\n", js=HAND_SHEETS)
_lead = st.components.v2.component("autograd_explorer_step", html="\n<span hidden></span>\n", js=LEAD)


def show(recording: dict[str, Any], trace: Trace | None = None, *, name: str = "player") -> None:
    """The player, with what `explorer.payload` says of a recording; of a large one, where that are columns, the rest comes from `trace`."""
    _component(key=name, data={**recording, "name": name})
    if "columns" in recording and trace is not None:
        _hand_sheets(trace, recording["key"], recording["language"], name)


def hand_over(picture: dict[str, Any], *, answers: int, key: str = PICTURE, name: str = "player") -> None:
    """A picture for the player, from `explorer.pictured`; `answers` is the number of the request that it answers.

    NOTE [numbers]: with a number in it, no answer is the same message as an earlier one. Streamlit sends a message that the browser had
    before by name only, unless it is configured as here; where the browser has just forgotten it, the whole page stops (1.67: "Cached
    ForwardMsg MISS").
    """
    _pictures(key=key, data={**picture, "answers": answers, "player": name}, on_asked_change=lambda: None)


@st.fragment
@told
def _hand_sheets(trace: Trace, key: str, language: str, name: str) -> None:
    """The sheets that the player asks for. Only this runs again for them; what was answered last stays until something else is asked."""
    asked = st.session_state.get(f"{name}_sheets", {}).get("asked")
    answer: dict[str, Any] = {"answers": 0}
    if isinstance(asked, Mapping) and asked.get("key") == key and isinstance(asked.get("number"), int):
        place = (key, language, asked["number"])
        kept = st.session_state.get(f"{name}_answered", (None, answer))
        if kept[0] != place:
            kept = place, {**sheets_of(trace).answer(asked, language), "answers": asked["number"]}
            st.session_state[f"{name}_answered"] = kept
        answer = kept[1]
    data = {**answer, "key": key, "language": language, "player": name}
    _sheets(key=f"{name}_sheets", data=data, on_asked_change=lambda: None)


def lead(step: int, count: int) -> None:
    """Take the player to a step; `count` is another for each time that one is asked for."""
    _lead(key="step", data={"step": step, "count": count})
