"""The keys of the Train page: what its buttons do, and stepping through a run. An open graph's own keys come first: the player takes them.

A key presses the button that is on the page, so that what may not be pressed now does nothing. Only steps come back to the server.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.text import say
from explorer.ui import train_graph
from explorer.ui.state import language

__all__ = ["KEYS", "keys"]

KEYS = (  # as they are shown, and what they do
    ("t", "start"),
    ("p", "pause"),
    ("x", "stop"),
    ("r", "record"),
    ("g", "graph"),
    ("← →", "step"),
    ("Shift ← →", "recorded"),
    ("Home End", "ends"),
    ("?", "help"),
    ("Esc", "close"),
)

HTML = """
<div class="keys"><button type="button" class="open"></button>
<dialog aria-labelledby="keys-title"><h2 id="keys-title"></h2><table><tbody></tbody></table><p></p>
<button type="button" class="close"></button></dialog></div>
"""

CSS = """
.keys button { font: inherit; font-size: 0.875rem; color: inherit; background: none; cursor: pointer; padding: 0.25rem 0.75rem;
  border: 1px solid var(--st-border-color); border-radius: 0.5rem; }
.keys button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.keys { color: var(--st-text-color); font-family: var(--st-font); }
.keys dialog { color: var(--st-text-color); background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 0.75rem; padding: 1rem 1.5rem; max-width: min(30rem, 92vw); box-sizing: border-box; }
.keys dialog::backdrop { background: rgb(0 0 0 / 0.4); }
.keys h2 { font-size: 1.1rem; margin: 0 0 0.5rem; }
.keys td { padding: 0.2rem 1rem 0.2rem 0; vertical-align: top; }
.keys kbd { font: inherit; font-weight: 600; white-space: nowrap; }
.keys p { font-size: 0.875rem; opacity: 0.85; }
"""

JS = """
const PRESSED = { t: ["start"], p: ["pause_", "resume_"], x: ["stop_"], r: ["record_"], g: ["open_", "close_"] };
const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: "first", End: "last" };
const TYPED = "input, textarea, select, [contenteditable], [role=slider], [role=combobox], [role=listbox], [role=radiogroup]";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".keys");
  const dialog = root.querySelector("dialog");
  root.lang = data.language;
  root.querySelector("h2").textContent = data.title;
  root.querySelector("p").textContent = data.player;
  root.querySelector(".open").textContent = data.title + " (?)";
  root.querySelector(".close").textContent = data.close;
  root.querySelector("tbody").replaceChildren(...data.rows.map(([key, does]) => {
    const row = document.createElement("tr");
    const name = document.createElement("kbd");
    name.textContent = key;
    row.append(document.createElement("td"), document.createElement("td"));
    row.cells[0].append(name);
    row.cells[1].textContent = does;
    return row;
  }));
  const toggle = () => (dialog.open ? dialog.close() : dialog.showModal());
  root.querySelector(".open").onclick = toggle;
  root.querySelector(".close").onclick = toggle;

  let by = 0;
  let waiting = null;
  const move = (kind) => {
    clearTimeout(waiting);
    if (typeof kind !== "number") { by = 0; setTriggerValue("move", { to: kind }); return; }
    by += kind; // many presses in a row are one request
    waiting = setTimeout(() => { setTriggerValue("move", { by }); by = 0; }, 150);
  };
  const press = (names) => {
    for (const name of names) {
      const found = document.querySelector(`[class*="st-key-train_${name}"] button:not(:disabled)`);
      if (found) { found.click(); return true; }
    }
    return false;
  };
  const listening = new AbortController();
  window.addEventListener("keydown", (event) => { // after the document's, so that what the player took is known
    const at = event.composedPath()[0];
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "?" && (dialog.open || !at.closest?.(TYPED))) { event.preventDefault(); toggle(); return; }
    if (dialog.open || at.closest?.(TYPED)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in MOVES && data.moves) {
      event.preventDefault();
      move(event.shiftKey && typeof MOVES[key] === "number" ? (MOVES[key] < 0 ? "before" : "after") : MOVES[key]);
    } else if (!event.shiftKey && !event.repeat && key in PRESSED && press(PRESSED[key])) event.preventDefault();
  }, { signal: listening.signal });
  return () => { clearTimeout(waiting); listening.abort(); };
}
"""

_component = st.components.v2.component("autograd_explorer_train_keys", html=HTML, css=CSS, js=JS)


def keys(name: str | None) -> None:
    """The button that shows the keys, and the keys themselves; `name` is the run through which they step."""
    st.session_state.train_keys_for = name
    rows = [[key, _text(does)] for key, does in KEYS]
    data: dict[str, Any] = {
        "rows": rows, "title": _text("title"), "close": _text("close_help"), "player": _text("player"), "language": language(),
        "moves": name is not None,
    }  # fmt: skip
    _component(key="train_keys", data=data, on_move_change=_moved)


def _text(key: str) -> str:
    return say(f"train.keys.{key}", language())


def _moved() -> None:
    told = st.session_state.train_keys.get("move")
    name = st.session_state.get("train_keys_for")
    if name is None or not isinstance(told, dict):
        return
    by, to = told.get("by"), told.get("to")
    if isinstance(by, int | float) and abs(by) < 1e9:
        train_graph.move(name, by=int(by))
    elif to in ("first", "last", "before", "after"):
        train_graph.move(name, to=to)
