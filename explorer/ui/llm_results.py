"""What a configuration comes to: headline, parameters, memory, operations, speed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from explorer.footprint import amount, unit_of
from explorer.palette import PALETTE
from explorer.portions import Bar, Portion, Tint, bars_figure, treemap_figure
from explorer.sizes import (
    PRECISIONS,
    PRESETS,
    Configuration,
    Part,
    TrainingMemory,
    kv_cache,
    operations_of,
    parameters,
    parts,
    training_memory,
)
from explorer.speeds import DEVICES, training_speed, weights_read, writing_speed
from explorer.text import say
from explorer.ui import llm_measure
from explorer.ui.llm_choices import number, setting
from explorer.ui.llm_state import OWN, RANGES, Chosen, preset_name
from explorer.ui.llm_words import difference, floating, long, rate, share, short
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["facts", "ground", "headline", "memory_section", "operations_section", "parameters_section", "speed_section", "table_rows"]

BLOCK = "trf_blocks.*"
FAMILIES = {
    "tok_emb": "input",
    "pos_emb": "input",
    "att": "loss",
    "ff": "parameter",
    "norms": "constant",
    "final_norm": "constant",
    "out_head": "buffer",
}
PIECES = {"weights": "input", "gradients": "loss", "states": "parameter", "master": "constant", "activations": "buffer"}
CHART: dict[str, Any] = {"displayModeBar": False}


def _text(key: str, **values: object) -> str:
    return say(f"llm.{key}", language(), **values)


def _palette() -> dict[str, str]:
    return PALETTE["dark" if st.context.theme.type == "dark" else "light"]


def ground() -> str:
    """The colour of the page, by which the words at the end of a bar stay apart from what they stand on."""
    return "#15191d" if st.context.theme.type == "dark" else "#fbfbfa"


def _tint(name: str) -> Tint:
    return Tint(_palette()[name], _palette()[f"{name}_line"])


# -- headline ----------------------------------------------------------------------------------------------------------------------------


def headline(found: Chosen, config: Configuration, batch: int) -> None:
    """Four numbers, and how far each is from the preset's."""
    base = PRESETS[found.base]
    shown = [
        ("parameters", parameters, lambda count: f"{count:,}"),
        ("memory", lambda one: _memory(found, one, batch).total, amount),
        ("operations", lambda one: operations_of(one).forward_token, floating),
        ("speed", lambda one: _training_speed(found, one), lambda speed: _text("per_second", count=rate(speed))),
    ]
    with st.container(key="llm_head"):
        for column, (name, count, words) in zip(st.columns(4), shown, strict=True):
            now, then = count(config), count(base)
            delta = None if now == then else _text("since", change=difference(now, then), preset=preset_name(found.base))
            column.metric(_text(name), words(now), delta, delta_color="off", delta_arrow="off", border=True)


def _memory(found: Chosen, config: Configuration, batch: int) -> TrainingMemory:
    return training_memory(config, batch=batch, optimizer=found.values["optimizer"], precision=found.values["precision"])


def _training_speed(found: Chosen, config: Configuration) -> float:
    return training_speed(config, peak=_device(found)["peak"], share=found.values["share"] / 100)


def _device(found: Chosen) -> dict[str, Any]:
    """Peak, memory, bandwidth and name of the device that is chosen."""
    values = found.values
    if values["device"] == OWN:
        return {
            "peak": values["peak"] * 1e12,
            "memory": values["memory"] * 1e9,
            "bandwidth": values["bandwidth"] * 1e9,
            "name": _text("own"),
        }
    one = DEVICES[values["device"]]
    return {"peak": one.peak(values["precision"]), "memory": one.memory, "bandwidth": one.bandwidth, "name": one.name}


# -- parameters --------------------------------------------------------------------------------------------------------------------------


def parameters_section(config: Configuration) -> None:
    """The treemap, both ways of counting, and the table of every part."""
    st.markdown(f"#### {_text('parameters_title')}")
    tied, untied = (f"{parameters(replace(config, tied=one)):,}" for one in (True, False))
    st.markdown(_text("both", tied=tied, untied=untied))
    portions = list(_portions(config))
    largest = ", ".join(one.label.replace("<br>", " ") for one in portions[1:] if one.parent in ("model", "blocks"))
    chart = treemap_figure(portions, ink=_palette()["ink"])
    st.plotly_chart(chart, key=f"llm_treemap_{language()}", config=CHART, alt=_text("treemap_alt", parts=largest))
    with st.expander(_text("table"), icon=":material/table_rows:", key=f"llm_table_{language()}"), st.container(key="llm_table"):
        st.markdown(_table(config))


def _portions(config: Configuration) -> Iterator[Portion]:
    whole = parameters(config)

    def portion(id: str, parent: str, name: str, count: int, family: str, times: int = 1) -> Portion:
        of = share(count, whole)
        hover = _text("hover", name=name, count=f"{count:,}", share=of)
        if times > 1:
            hover += f"<br>{_text('hover_block', times=times, each=f'{count // times:,}')}"
        has_parts = id in ("blocks", *_groups())
        label = _text("treemap_part", name=name, share=of) if has_parts else f"{name.replace(' ', '<br>')}<br>{of}"
        return Portion(id, parent, label, count, hover, _tint(family))

    yield Portion(
        "model",
        "",
        f"{_text('whole')} · {short(whole)}",
        whole,
        f"<b>{whole:,}</b>",
        Tint(_palette()["cluster"], _palette()["cluster_line"]),
    )
    inner = [part for part in parts(config) if part.path.startswith(BLOCK)]
    blocks = _text("part.blocks", count=config.n_layers)
    for part in parts(config):
        if part.path == f"{BLOCK}.norm1":
            yield portion("blocks", "model", blocks, sum(one.total for one in inner), "module", config.n_layers)
            for group, paths in _groups().items():
                mine = [one for one in inner if one.path.removeprefix(f"{BLOCK}.") in paths]
                yield portion(group, "blocks", _text(f"part.{group}"), sum(one.total for one in mine), FAMILIES[group], config.n_layers)
                for one in mine:
                    short_path = one.path.removeprefix(f"{BLOCK}.")
                    yield portion(one.path, group, _text(f"part.{short_path}"), one.total, FAMILIES[group], config.n_layers)
        if part not in inner and part.total:
            yield portion(part.path, "model", _text(f"part.{part.path}"), part.total, FAMILIES[part.path])


def _groups() -> dict[str, tuple[str, ...]]:
    return {
        "att": ("att.W_query", "att.W_key", "att.W_value", "att.out_proj"),
        "ff": ("ff.layers.0", "ff.layers.2"),
        "norms": ("norm1", "norm2"),
    }


def table_rows(config: Configuration) -> list[dict[str, Any]]:
    """A row for each part, by the names of the columns."""
    whole = parameters(config)
    return [
        {
            "part": _name(part),
            "path": part.path,
            "shapes": " ".join("×".join(map(str, shape)) for shape in part.shapes),
            "each": part.each,
            "times": part.times,
            "total": part.total,
            "share": part.total / whole,
        }
        for part in parts(config)
    ]


def _name(part: Part) -> str:
    return _text(f"part.{part.path.removeprefix(f'{BLOCK}.')}")


def _table(config: Configuration) -> str:
    whole = parameters(config)
    columns = ("part", "path", "shapes", "each", "times", "total", "share")
    lines = ["| " + " | ".join(_text(f"column.{name}") for name in columns) + " |", "|---|---|---|---:|---:|---:|---:|"]
    for row, part in zip(table_rows(config), parts(config), strict=True):
        shapes = ", ".join(" × ".join(f"{one:,}" for one in shape) for shape in part.shapes)
        total = _text("shared") if part.shared else f"{row['total']:,}"
        cells = [
            escaped(row["part"]),
            f"`{row['path']}`",
            shapes,
            f"{row['each']:,}",
            f"{row['times']:,}",
            total,
            share(row["total"], whole),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append(f"| **{_text('sum')}** | | | | | **{whole:,}** | 100% |")
    return "\n".join(lines)


# -- memory ------------------------------------------------------------------------------------------------------------------------------


def memory_section(found: Chosen, config: Configuration, batch: int) -> None:
    """A bar for each data type, the one that is chosen among them; whether it fits; what each piece takes."""
    st.markdown(f"#### {_text('memory_title')}")
    now, device = _memory(found, config, batch), _device(found)
    every = {name: training_memory(config, batch=batch, optimizer=found.values["optimizer"], precision=name) for name in PRECISIONS}
    st.markdown(_fits(found, config, batch, now, device))
    bars = [
        Bar(
            _text(f"precision.{name}"),
            tuple(float(asdict(one)[piece]) for piece in PIECES),
            amount(one.total),
            name == found.values["precision"],
        )
        for name, one in every.items()
    ]
    unit = unit_of(max(one.total for one in every.values()))
    pieces = [(_text(f"piece.{name}"), Tint(_tint(family).line, ground())) for name, family in PIECES.items()]
    limit = (device["memory"], f"{escaped_html(device['name'])} · {amount(round(device['memory']))}")
    palette = _palette()
    chart = bars_figure(
        bars, pieces=pieces, unit=(unit[0], float(unit[1])), limit=limit, ink=palette["ink"], line=palette["faint"], paper=ground()
    )
    listed = " · ".join(f"{_text(f'piece.{name}')} {amount(size)}" for name, size in asdict(now).items() if size)
    st.plotly_chart(chart, key=f"llm_bars_{language()}", config=CHART, alt=listed)
    width = PRECISIONS[found.values["precision"]].value
    st.markdown(escaped(_text("memory_each", pieces=listed, weights=amount(now.weights), cache=amount(kv_cache(config, width=width)))))
    st.caption(escaped(_text("memory_note")))


def escaped_html(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")


def _fits(found: Chosen, config: Configuration, batch: int, now: TrainingMemory, device: dict[str, Any]) -> str:
    words = {"total": amount(now.total), "memory": amount(round(device["memory"])), "device": escaped(device["name"])}
    if now.total <= device["memory"]:
        return _text("fits", **words)
    one = _memory(found, config, 1)
    each = one.activations
    most = int((device["memory"] - (one.total - each)) // each)
    while most > 0 and _memory(found, config, most).total > device["memory"]:
        most -= 1
    advice = _text("advice_batch", batch=f"{most:,}") if most > 0 else _text("advice_split")
    return _text("fits_not", **words, advice=advice)


# -- operations and speed ----------------------------------------------------------------------------------------------------------------


def operations_section(config: Configuration, batch: int) -> None:
    """What a token and a step cost, beside the rule of thumb; all formulas in full."""
    st.markdown(f"#### {_text('operations_title')}")
    one = operations_of(config, batch=batch)
    st.markdown(
        _text(
            "operations_text", forward=floating(one.forward_token), attention=share(one.attention, one.forward),
            step=floating(one.step_token), context=f"{config.context_length:,}", tokens=f"{one.tokens:,}", batch=floating(one.step),
        )
    )  # fmt: skip
    rule = 6 * parameters(config)
    off = rule / one.step_token - 1
    difference = _text("rule_less" if off < 0 else "rule_more", percent=f"{abs(off):.0%}")
    st.markdown(_text("rule", rule=floating(rule), difference=difference))
    with st.expander(_text("counted"), icon=":material/functions:", key=f"llm_counted_{language()}"):
        st.caption(escaped(_text("symbols")))
        for name, formula in FORMULAS.items():
            st.markdown(_text(f"formula.{name}"))
            st.markdown(formula)


FORMULAS = {  # in two pieces each, between which a line may break where the page is narrow
    "parameters": r"$VD + TD + 2D$ $+\, L\,\bigl((4 + 2f)D^2 + (f + 6)D\bigr)$",
    "operations": r"$2BT\,\bigl(L(4 + 2f)D^2 + DV\bigr)$ $+\, 4LBT^2D$",
    "activations": r"$BT\,\bigl((8 + 2f + 2p)D + 4\bigr)$ $+\, (1 + 2p)\,BHT^2$",
}


def speed_section(found: Chosen, config: Configuration, batch: int) -> None:
    """Device, share of its peak, and the tokens a second that follow. Estimated, and said to be."""
    st.markdown(f"#### {_text('speed_title')}")
    precision = found.values["precision"]
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with left:
        setting(found, "device", {**{name: one.name for name, one in DEVICES.items()}, OWN: _text("own")})
    with right:
        number(found, "share", step=5, low=RANGES["share"][0], high=RANGES["share"][1])
    if found.values["device"] == OWN:
        for column, name in zip(st.columns(3), ("peak", "memory", "bandwidth"), strict=True):
            with column:
                number(found, name, step=10.0, low=RANGES[name][0], high=RANGES[name][1])
    else:
        one = DEVICES[found.values["device"]]
        is_half = precision != "float32" and one.half is not None
        words = {"peak": f"{one.peak(precision) / 1e12:g}", "memory": f"{one.memory / 1e9:g}", "bandwidth": f"{one.bandwidth / 1e9:,.0f}"}
        kind = _text("kind.half" if is_half else "kind.single")
        st.caption(escaped(_text("published", **words, kind=kind, source=one.source)))
    st.caption(escaped(_text("help.share")))
    speed, device = _training_speed(found, config), _device(found)
    tokens = batch * config.context_length
    writing = writing_speed(config, bandwidth=device["bandwidth"], precision=precision)
    width = PRECISIONS[precision].value
    read = weights_read(config, width=width) + kv_cache(config, width=width)
    st.markdown(_text("speed_training", speed=rate(speed), seconds=long(tokens / speed), long=long(1e9 / speed)))
    st.markdown(_text("speed_writing", speed=rate(writing), bytes=amount(read)))
    st.markdown(f":material/info: *{_text('estimated')}*")
    llm_measure.panel(config, optimizer=found.values["optimizer"], precision=precision)


def facts() -> None:
    """What is often told wrong about these numbers."""
    with st.expander(_text("facts"), icon=":material/lightbulb:", key=f"llm_facts_{language()}"):
        st.markdown("\n".join(f"- {escaped(_text(f'fact.{name}'))}" for name in ("counts", "dimensions", "heads", "dropout", "rule")))
