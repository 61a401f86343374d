"""The frame around every page: title, pages, language. `autograd-explorer serve` starts this file."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from explorer.files import assets_folder
from explorer.text import LANGUAGES, say
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.widgets import key_for, take

__all__ = ["main"]

HERE = Path(__file__).resolve().parent
PAGES = ("explore", "train", "learn", "tensors", "llm")
FIRST = "explore"
CHOICE = "language_choice"  # the widget for the language
LANGUAGE_NAMES = {"en": "EN", "ko": "한국어"}

# Room for the graph; and where Streamlit has English words of its own, in the file field, under a failed download and in the link for
# keyboards, ours stand instead.
LOOK = """<style>
[data-testid="stMainBlockContainer"] {{ padding: 0.75rem 1.25rem 1rem; max-width: none; }}
[data-testid="stHeader"] {{ height: 0; min-height: 0; }}
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] {{ gap: 0.6rem; }}
[data-testid="stFileUploaderDropzoneInstructions"] {{ display: none; }}
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"] {{ display: none; }}
[data-testid="stFileUploaderDropzone"] button::after {{ content: "{choose}"; }}
[data-testid="stDownloadButtonError"] {{ font-size: 0; }}
[data-testid="stDownloadButtonError"]::after {{ content: "{failed}"; font-size: 0.875rem; }}
[data-testid="stCaptionContainer"] {{ margin-bottom: 0; }}
[data-testid="stCaptionContainer"] p {{ margin: 0; line-height: 1.3; }}
[data-testid="stSliderThumbValue"] {{ color: inherit; }}
[data-stale="true"] {{ opacity: 1 !important; }}
[data-testid="stSkipToContent"] {{ font-size: 0; }}
[data-testid="stSkipToContent"]::after {{ content: "{skip}"; font-size: 1rem; }}
.st-key-early {{ display: none; }}
.st-key-kinds [data-testid="stButtonGroup"] button {{ min-height: 2.5rem; }}
button[data-selected="true"], button[data-selected="true"] * {{ color: inherit !important; }}
</style>"""


# Nothing to see: with it the browser fetches what components need while it still waits for the rest of the page, a quarter of a second
# sooner than when the player asks for it.
_early = st.components.v2.component("autograd_explorer_early", html="<span hidden></span>", js="export default function () {}")


def main() -> None:
    """One run of the page."""
    icon = str(assets_folder() / "images" / "icon.svg")
    st.set_page_config(page_title="Autograd Explorer", page_icon=icon, layout="wide", initial_sidebar_state="collapsed")
    pages = {
        name: st.Page(HERE / f"{name}.py", title=name.title(), url_path="" if name == FIRST else name, default=name == FIRST)
        for name in PAGES
    }
    page = st.navigation(list(pages.values()), position="hidden")
    here = next(name for name in PAGES if pages[name].title == page.title)
    chosen = language()
    if "led" not in st.session_state:
        st.session_state.led = True
        first = os.environ.get("AUTOGRAD_EXPLORER_FIRST")  # `serve RUN_DIR` says which page that is
        if here == FIRST and first in PAGES and first != FIRST and "example" not in st.query_params:
            st.switch_page(pages[first], query_params=dict(st.query_params))
    words = {"choose": "page.choose_file", "skip": "page.skip", "failed": "page.download_failed"}
    _early(key="early")
    st.html(LOOK.format(**{name: say(key, chosen) for name, key in words.items()}))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="pages"):
            st.markdown("**Autograd Explorer**", width="content")
            for name, other in pages.items():
                st.page_link(other, label=say(f"page.{name}", chosen), query_params=_address_of(name, here))
        key = key_for(CHOICE, chosen)
        st.segmented_control(
            say("page.language", chosen),
            LANGUAGES,
            default=chosen,
            format_func=LANGUAGE_NAMES.__getitem__,
            key=key,
            label_visibility="collapsed",
            on_change=_switch_language,
            args=(key,),
            width="content",
        )
    told(page.run)()


def _address_of(name: str, here: str) -> dict[str, str]:
    """What stands behind the link to a page: its own parameters as they were when it was left, and the language of now."""
    kept: dict[str, dict[str, str]] = st.session_state.setdefault("addresses", {})
    if st.session_state.setdefault("page", here) != here:
        st.session_state.page = here
        st.session_state.pop("taken", None)  # a page that is shown anew takes its choices from the address again
    kept[here] = dict(st.query_params)
    return {**{key: value for key, value in kept.get(name, {}).items() if key != "lang"}, "lang": language()}


def _switch_language(key: str) -> None:
    choice = take(CHOICE, key)
    if choice in LANGUAGES:  # None where the chosen one was pressed again
        st.query_params["lang"] = str(choice)


if __name__ == "__main__":
    main()
