"""The editor for pasted code, as a component: the text stays in the browser, and comes here when the editor is left and before it runs.

NOTE [typed]: `data` holds the text that the editor begins with, never what comes back from it, so that the text is not sent to and fro.
It begins anew with what is kept here when the page takes it away and shows it again.

NOTE [no fragment]: leaving the editor for a button is two messages at once. Streamlit sends them as one, and if one of them came out of a
fragment, it runs that fragment alone and the press is lost.
"""

from __future__ import annotations

import streamlit as st

from explorer.files import assets_folder
from explorer.player import joined
from explorer.text import say
from explorer.ui.state import language

__all__ = ["START", "code", "editor"]

START = """\
import torch

x = torch.tensor([[0.5, -1.0], [1.5, 2.0], [-0.5, 1.0]])
y = torch.tensor([[1.0], [0.0], [1.0]])

model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

loss = ((model(x) - y) ** 2).mean()
loss.backward()
optimizer.step()
print("loss", loss.item())
"""

HTML = """
<div class="editor">
<div class="paper"><div class="gutter" aria-hidden="true"></div><div class="written"><pre aria-hidden="true"></pre>
<textarea spellcheck="false" autocapitalize="off" autocomplete="off" autocorrect="off" wrap="off" aria-describedby="keys"></textarea>
</div></div>
<p class="keys" id="keys"></p>
</div>
"""

# Streamlit calls this again whenever the data or the theme changes; what was typed is kept meanwhile.
MOUNT = """
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".editor");
  const kept = document.autogradExplorerEditor;
  root.dataset.theme = themeAround(root);
  root.lang = data.language;
  const tell = (text) => setStateValue("code", text);
  const run = (text) => { tell(text); setTriggerValue("run", true); };
  const text = kept?.begins === data.text ? kept.text : data.text;
  const editor = mountEditor(root, { text, words: data.words, tell, run });
  if (text !== data.text) tell(text);
  return () => { document.autogradExplorerEditor = { begins: data.text, text: editor.text() }; };
}
"""


def _asset(name: str) -> str:
    return (assets_folder() / "editor" / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "autograd_explorer_editor", html=HTML, css=_asset("editor.css"), js=joined("ground") + _asset("editor.js") + MOUNT
)


def code(name: str = "code", start: str = START) -> str:
    """What was typed last into the editor of this name."""
    return str(st.session_state.get(name, start))


def editor(name: str = "code", start: str = START) -> bool:
    """The editor of this name; whether the person asks from within it to run what it holds."""
    key = "editor" if name == "code" else f"editor_{name}"
    if key not in st.session_state:  # it is shown anew: NOTE [typed]
        st.session_state[f"{name}_begins"] = code(name, start)
    words = {word: say(f"code.{word}", language()) for word in ("label", "keys")}
    data = {"text": st.session_state[f"{name}_begins"], "words": words, "language": language()}
    told = _component(key=key, data=data, on_code_change=lambda: _keep(name, key), on_run_change=lambda: None)
    return bool(told.run)


def _keep(name: str, key: str) -> None:
    text = st.session_state[key].get("code")
    if isinstance(text, str):
        st.session_state[name] = text
