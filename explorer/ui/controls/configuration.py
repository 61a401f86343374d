"""GPT-2's configuration to turn: a sketch of the model, the parameters of its parts, and their sum beside that of GPT-2 small.

Counts are those of `explorer.sizes`, which tests hold to the built model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

import streamlit as st

from explorer.errors import RequestError
from explorer.palette import PALETTE, SCALES
from explorer.plots import bars
from explorer.sizes import PRESETS, Configuration, checked, parameters, parts
from explorer.text import say
from explorer.ui.widgets import key_for, take

__all__ = ["draw", "sketch", "summed"]

CHOICES = {
    "vocab_size": (50, 1000, 10_000, 32_000, 50_257, 100_000, 200_000),
    "context_length": (64, 256, 1024, 2048, 8192, 32_768),
    "emb_dim": (64, 128, 256, 512, 768, 1024, 1280, 1600, 4096, 12_288),
    "n_heads": (1, 2, 4, 8, 12, 16, 20, 25, 32, 96),
    "n_layers": (1, 2, 4, 6, 12, 24, 36, 48, 96),
}
WIDEST = 300.0  # of the sketch
MOST_DRAWN = 12  # blocks, and heads in one


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """Presets and sliders on the left, the model on the right."""
    _drawn(language, key)


def _start(key: str, language: str) -> None:
    preset = PRESETS[st.session_state[f"{key}_preset_{language}"]]
    st.session_state[f"{key}_values"] = {name: getattr(preset, name) for name in CHOICES}


def _take(key: str, name: str, widget: str, place: str) -> None:
    value = take(widget, place)
    if value is not None:
        st.session_state[f"{key}_values"][name] = value


def _slider(key: str, name: str, value: int, language: str) -> int:
    place = key_for(widget := f"{key}_{name}_{language}", value)
    return st.select_slider(
        f"`{name}`", CHOICES[name], value, format_func="{:,}".format, key=place, on_change=_take, args=(key, name, widget, place)
    )


@st.fragment
def _drawn(language: str, key: str) -> None:
    first = Configuration()
    kept: dict[str, int] = st.session_state.setdefault(f"{key}_values", {name: getattr(first, name) for name in CHOICES})
    st.segmented_control(
        say("touching.preset", language), list(PRESETS), default="small", required=True, key=f"{key}_preset_{language}",
        format_func=lambda name: f"GPT-2 {name}".replace("xl", "XL"), on_change=_start, args=(key, language),
    )  # fmt: skip
    left, right = st.columns([2, 3], gap="medium")
    with left:
        values: dict[str, object] = {name: _slider(key, name, value, language) for name, value in kept.items()}
        values["tied"] = st.toggle(say("touching.tied", language), True, key=f"{key}_tied_{language}")
    with right:
        try:
            config = checked(values)
        except RequestError as error:
            st.warning(error.message(language), icon=":material/warning:")
            return
        total, usual = parameters(config), parameters(replace(first, tied=config.tied))
        words = {"total": f"{total:,}", "times": f"{total / usual:.3g}", "head": config.head_dim, "hidden": f"{config.hidden_dim:,}"}
        st.markdown(say("touching.in_all", language, **words))
        st.image(sketch(config, language, theme="dark" if st.context.theme.type == "dark" else "light"), alt=told(config, language))
        found = summed(config)
        look = PALETTE["dark" if st.context.theme.type == "dark" else "light"]
        names = {name: say(f"touching.part_{name}", language) for name in found}
        chart = bars(
            {names[name]: float(count) for name, count in found.items()}, colours=[look["value"]],
            title=say("touching.parameters", language), texts=[f"{count:,} · {count / total:.0%}" for count in found.values()],
        )  # fmt: skip
        st.plotly_chart(chart, config={"displayModeBar": False}, key=f"{key}_chart_{language}")


def summed(config: Configuration) -> dict[str, int]:
    """Parameters of tables, attention, feed-forward parts, norms and output head, over all blocks."""
    found = {"tokens": 0, "positions": 0, "attention": 0, "feed_forward": 0, "norms": 0, "head": 0}
    for part in parts(config):
        kinds = {"tok_emb": "tokens", "pos_emb": "positions", "out_head": "head"}
        kind = kinds.get(part.path) or ("attention" if ".att." in part.path else "feed_forward" if ".ff." in part.path else "norms")
        found[kind] += part.total
    return found


def told(config: Configuration, language: str) -> str:
    """What the sketch shows, in words."""
    return say("touching.sketch", language, layers=config.n_layers, heads=config.n_heads, size=config.emb_dim)


def sketch(config: Configuration, language: str, *, theme: str) -> str:
    """The model as boxes: as wide as a token is (its root, else the large ones would leave no room), as many blocks as there are."""
    look, scale = PALETTE[theme], SCALES[theme]
    width = max(60.0, WIDEST * min(1.0, (config.emb_dim / 1600) ** 0.5))
    drawn = min(config.n_layers, MOST_DRAWN)
    step, y, pieces = 5.0, 8.0, []
    middle = WIDEST / 2 + 10

    def box(top: float, wide: float, height: float, fill: str, words: str = "") -> None:
        place = f'x="{middle - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{height}"'
        pieces.append(f'<rect {place} rx="4" fill="{fill}" stroke="{look["line"]}"/>')
        if words:
            place = f'x="{middle}" y="{top + height / 2 + 4:.1f}" text-anchor="middle"'
            pieces.append(f'<text {place} font-size="12" fill="{look["ink"]}">{escape(words)}</text>')

    box(y, width, 24, scale["gradient"][1], f"{config.vocab_size:,} × {config.emb_dim:,}")
    y += 32
    for place in range(drawn - 1, 0, -1):
        box(y + (drawn - 1 - place) * step, width - 2 * place, 84, look["paper"])
    y += (drawn - 1) * step
    box(y, width, 84, look["paper"])
    shown = min(config.n_heads, MOST_DRAWN)
    slice_ = (width - 16) / shown
    for head in range(shown):
        x = middle - width / 2 + 8 + head * slice_
        pieces.append(
            f'<rect x="{x:.1f}" y="{y + 8:.1f}" width="{max(2.0, slice_ - 2):.1f}" height="26" rx="2" fill="{scale["value"][1]}"'
            f' stroke="{look["line"]}"/>'
        )
    box(y + 42, width - 16, 32, scale["value"][0], f"{config.emb_dim:,} → {config.hidden_dim:,} → {config.emb_dim:,}")
    notes = [(y + 26, say("touching.heads_of", language, heads=config.n_heads, head=config.head_dim)),
             (y + 62, say("touching.blocks_of", language, layers=config.n_layers))]  # fmt: skip
    y += 94
    box(y, width, 24, scale["gradient"][1] if config.tied else scale["gradient"][3], f"{config.emb_dim:,} × {config.vocab_size:,}")
    side = middle + width / 2 + 12
    pieces += [f'<text x="{side:.1f}" y="{top:.1f}" font-size="12" fill="{look["muted"]}">{escape(words)}</text>' for top, words in notes]
    name = escape(told(config, language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" width="{WIDEST + 140:.0f}" height="{y + 32:.0f}"'
        f' viewBox="0 0 {WIDEST + 140:.0f} {y + 32:.0f}" font-family="sans-serif">{"".join(pieces)}</svg>'
    )
