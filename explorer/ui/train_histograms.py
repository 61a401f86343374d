"""How the values of weights, gradients and activations were spread at the step that is looked at: a small histogram of each."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.runs import Distribution, open_run
from explorer.text import say
from explorer.ui import train_charts, train_graph
from explorer.ui.failing import told
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["drawing", "panel"]

KINDS = ("gradient", "weight", "activation")
MOST = 24  # that are drawn at once
FILTERED = 12  # from how many on there is a field that chooses by name
LAST = 2**62
LOOK = """<style>
.histograms {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 0.75rem 1rem; color: {ink}; }}
.histograms figure {{ margin: 0; min-width: 0; }}
.histograms figcaption {{ font-size: 0.8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-family: monospace; }}
.histograms .bars {{ display: flex; align-items: flex-end; gap: 1px; height: 64px; border-bottom: 1px solid {line}; position: relative; }}
.histograms .bars span {{ flex: 1; background: {bar}; min-height: 0; }}
.histograms .bars i {{ position: absolute; top: 0; bottom: 0; border-left: 1px dashed {ink}; opacity: 0.6; }}
.histograms .ends {{ display: flex; justify-content: space-between; font-size: 0.75rem; }}
.histograms .told {{ font-size: 0.75rem; opacity: 0.85; }}
</style>"""


@told
def panel(folder: Path, name: str) -> None:
    """The histograms stored last up to the step under the cursor."""
    try:
        found = open_run(folder).distributions(train_graph.shown_step(name) or LAST)
    except ExplorerError:
        return
    if not found:
        return
    st.markdown(f"#### {_text('histograms')}")
    kinds = [kind for kind in KINDS if any(one.what == kind for one in found)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kept = st.session_state.train_look
        ways = {kind: _text(f"histograms.{kind}") for kind in kinds}
        what = st.segmented_control(
            _text("histograms_of"), kinds, default=kept.get("histograms") if kept.get("histograms") in kinds else kinds[0], required=True,
            format_func=ways.__getitem__, key=f"train_histograms_{language()}_{len(kinds)}",
        )  # fmt: skip
        kept["histograms"] = what
        shown = [one for one in found if one.what == what]
        if len(shown) > FILTERED:
            words = st.text_input(_text("histograms_filter"), key=f"train_histograms_filter_{name}", width=220)
            shown = [one for one in shown if words.strip().lower() in one.name.lower()]
    at = _text("histograms_at", step=found[0].step)
    st.caption(escaped(at + (f" {_text('histograms_more', count=len(shown) - MOST)}" if len(shown) > MOST else "")))
    pen = train_charts.pen()
    st.html(
        LOOK.format(ink=pen.ink, line=pen.line, bar=pen.curve(0))
        + "".join(['<div class="histograms">', *[drawing(one, language()) for one in shown[:MOST]], "</div>"])
    )


def _text(key: str, **values: object) -> str:
    return say(f"train.{key}", language(), **values)


def drawing(one: Distribution, chosen: str) -> str:
    """One histogram as HTML, since Streamlit lets no SVG stand there: name, bars, where it begins and ends, and numbers."""
    told = _told(one, chosen)
    bars = ""
    if one.low is not None and one.high is not None and len(one.counts) and one.counts.max() > 0:
        counts, edges = one.counts.astype(np.int64), np.linspace(one.low, one.high, len(one.counts) + 1)
        for place, count in enumerate(counts.tolist()):
            between = f"{_short(edges[place])} … {_short(edges[place + 1])}: {count:,}"
            bars += f'<span style="height:{100 * count / int(counts.max()):.1f}%" title="{between}"></span>'
        if one.low < 0 < one.high:
            bars += f'<i style="left:{-100 * one.low / (one.high - one.low):.1f}%"></i>'
    name = escape(one.name)
    ends = f"<span>{_short(one.low)}</span><span>{_short(one.high)}</span>" if one.low is not None else "<span>–</span>"
    return (
        f'<figure><figcaption title="{name}">{name}</figcaption>'
        f'<div class="bars" role="img" aria-label="{name}: {escape(told)}">{bars}</div>'
        f'<div class="ends">{ends}</div><div class="told">{escape(told)}</div></figure>'
    )


def _told(one: Distribution, chosen: str) -> str:
    words = []
    if one.mean is not None and one.std is not None:
        words.append(say("train.histograms.mean", chosen, mean=_short(one.mean), std=_short(one.std)))
    if one.zeros:
        words.append(say("train.histograms.zeros", chosen, share=f"{100 * one.zeros / max(1, one.counted):.3g}"))
    if one.broken:
        words.append(say("train.histograms.broken", chosen, count=one.broken))
    if one.counted < one.elements:
        words.append(say("train.histograms.counted", chosen, counted=one.counted, elements=one.elements))
    return " · ".join(words)


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}".replace("-", "−")
