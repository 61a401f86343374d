"""The frame around every page: title, pages, language. `autograd-explorer serve` starts this file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.files import assets_folder
from explorer.text import LANGUAGES, say
from explorer.ui.failing import told
from explorer.ui.state import language

__all__ = ["main"]

HERE = Path(__file__).resolve().parent
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
[data-testid="stSkipToContent"] {{ font-size: 0; }}
[data-testid="stSkipToContent"]::after {{ content: "{skip}"; font-size: 1rem; }}
.st-key-kinds [data-testid="stButtonGroup"] button {{ min-height: 2.5rem; }}
button[data-selected="true"], button[data-selected="true"] * {{ color: inherit !important; }}
</style>"""


def main() -> None:
    """One run of the page."""
    icon = str(assets_folder() / "images" / "icon.svg")
    st.set_page_config(page_title="Autograd Explorer", page_icon=icon, layout="wide", initial_sidebar_state="collapsed")
    page = st.navigation([st.Page(HERE / "explore.py", title="Explore", url_path="", default=True)], position="hidden")
    chosen = language()
    words = {"choose": "page.choose_file", "skip": "page.skip", "failed": "page.download_failed"}
    st.html(LOOK.format(**{name: say(key, chosen) for name, key in words.items()}))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("**Autograd Explorer**", width="content")
        st.segmented_control(
            say("page.language", chosen),
            LANGUAGES,
            default=chosen,
            format_func=LANGUAGE_NAMES.__getitem__,
            key="language_choice",
            label_visibility="collapsed",
            on_change=_switch_language,
            width="content",
        )
    told(page.run)()


def _switch_language() -> None:
    choice = st.session_state.language_choice
    if choice in LANGUAGES:  # None where the chosen one was pressed again
        st.query_params["lang"] = choice


if __name__ == "__main__":
    main()
