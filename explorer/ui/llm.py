"""The LLM page: a GPT's configuration as controls, and what it comes to, down to the graph of the very model."""

from __future__ import annotations

import csv
import io
import json

import streamlit as st

from explorer.sizes import Configuration, as_python
from explorer.text import say
from explorer.ui import fonts, llm_graph
from explorer.ui.llm_choices import changes, controls, presets, trouble
from explorer.ui.llm_results import (
    facts,
    ground,
    headline,
    memory_section,
    operations_section,
    parameters_section,
    speed_section,
    table_rows,
)
from explorer.ui.llm_state import chosen, configuration_or_error
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["page"]

LOOK = """<style>
.st-key-llm_head [data-testid="stMetric"] { padding: 0.6rem 1rem; }
.st-key-llm_head [data-testid="stMetric"] > div { padding: 0; }
.st-key-llm_head [data-testid="stMetric"] :is(p, .stMarkdownEllipsis) { white-space: normal; overflow: visible; }
.st-key-llm_head [data-testid="stMetricValue"] { font-size: 1.6rem; }
.st-key-llm_table table { font-size: 0.85rem; width: 100%; }
.st-key-llm_table td, .st-key-llm_table th { padding: 0.2rem 0.5rem; }
@media (max-width: 640px) {
  .st-key-llm_table :is(td, th):is(:nth-child(2), :nth-child(3), :nth-child(4), :nth-child(5)) { display: none; }
  .st-key-llm_head [data-testid="stHorizontalBlock"] { flex-flow: row wrap; gap: 0.5rem; }
  .st-key-llm_head [data-testid="stColumn"] { min-width: calc(50% - 0.25rem); flex: 1 1 calc(50% - 0.25rem); }
  .st-key-llm_head [data-testid="stMetric"] { padding: 0.4rem 0.6rem; }
  .st-key-llm_head [data-testid="stMetricValue"] { font-size: 1.1rem; }
}
@media (min-width: 900px) and (min-height: 700px) {
  div:has(> .st-key-llm_head) { position: sticky; top: 0; z-index: 20; background: GROUND; padding: 0.4rem 0; }
}
</style>"""


def page() -> None:
    """One run of the page."""
    fonts.bring()
    st.html(LOOK.replace("GROUND", ground()))
    found = chosen()
    config, batch, error = configuration_or_error(found)
    st.caption(escaped(say("llm.lead", language())))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        presets(found)
        _take_home(config, batch)
    if error is not None:
        trouble(error)
    else:
        st.markdown(changes(found))
    headline(found, config, batch)
    narrow, wide = st.columns([2, 3], gap="large")
    with narrow:
        controls(found, config)
        facts()
    with wide:
        parameters_section(config)
        memory_section(found, config, batch)
    left, right = st.columns(2, gap="large")
    with left:
        operations_section(config, batch)
    with right:
        speed_section(found, config, batch)
    llm_graph.panel(config)


def _take_home(config: Configuration, batch: int) -> None:
    def text(key: str) -> str:
        return say(f"llm.{key}", language())

    with st.popover(text("take"), icon=":material/download:", key=f"llm_take_{language()}"), st.container(width=300):
        own = config.as_gpt_config()
        files = {
            "json": ("my_gpt.json", "application/json", json.dumps({**own, "tied": config.tied}, indent=2) + "\n"),
            "python": ("my_gpt.py", "text/x-python", as_python(config, batch=batch)),
            "csv": ("my_gpt.csv", "text/csv", _csv(config)),
        }
        for name, (file, kind, content) in files.items():
            st.download_button(
                text(f"take_{name}"), content, file_name=file, mime=kind, key=f"llm_take_{name}", on_click="ignore", width="stretch"
            )
        st.caption(text("take_help"))


def _csv(config: Configuration) -> str:
    """The table, its header in the reader's language; with a mark at the start by which spreadsheets know its letters."""
    out = io.StringIO()
    rows = table_rows(config)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([say(f"llm.column.{name}", language()) for name in rows[0]])
    writer.writerows([f"{value:.6g}" if isinstance(value, float) else value for value in row.values()] for row in rows)
    return "\ufeff" + out.getvalue()


if __name__ == "__main__":
    page()
