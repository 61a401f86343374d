"""Two devices or data types beside each other, below the player: what to run, where the first difference arises, and every node's.

A row of the table leads to its step. It does so in the browser alone, by the player's own way to be led (explorer.ui.player, LINK).
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.capture.programs import EXAMPLES
from explorer.contrast import Contrast, Row, contrast, written
from explorer.figures import figure, label, nested, only, plain
from explorer.files import assets_folder
from explorer.model import MadeWith, Note, Trace
from explorer.player import joined
from explorer.text import say
from explorer.ui import devices, running, source
from explorer.ui.known import asked_devices
from explorer.ui.state import language, opened

__all__ = ["keep", "panel"]

MOST_ROWS = 2_000  # of the table on the page
MOST_SHOWN = 4  # elements written out
TOLERANCES = (1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

HTML = """
<div class="contrast"></div>
"""

MOUNT = """
export default function ({ data, parentElement }) {
  mountContrast(parentElement.querySelector(".contrast"), data, (step) => document.autogradExplorer?.go?.(step));
}
"""


def _asset(name: str) -> str:
    return (assets_folder() / "contrast" / name).read_text(encoding="utf-8")


_table = st.components.v2.component(
    "autograd_explorer_contrast", html=HTML, css=_asset("contrast.css"), js=joined("ground") + _asset("contrast.js") + MOUNT
)


def keep(first: Trace, second: Trace) -> None:
    """Compare two recordings, of which the first is what is open, and unfold the panel."""
    shown = opened()
    if shown is not None:
        st.session_state.contrast = (shown.key, contrast(first, second))
        st.session_state.beside_asked = True


def panel() -> None:
    """The panel; what stands in it is made once it is open.

    It is no fragment: a press that opens one is lost where the page around it is just being run anew.
    """
    key = f"beside_{language()}"  # a panel is another under another title
    st.session_state.setdefault(key, st.session_state.get("beside", False))
    if st.session_state.pop("beside_asked", False):
        st.session_state[key] = st.session_state.beside = True
    place = st.expander(_text("title"), icon=":material/compare_arrows:", key=key, on_change=_keep_open, args=(key,))
    if not place.open:
        return
    with place:
        _controls()
        shown = opened()
        found_key, found = st.session_state.get("contrast", (None, None))
        if found is not None and shown is not None and found_key == shown.key:
            _found(found, found_key)


def _keep_open(key: str) -> None:
    st.session_state.beside = st.session_state[key]


# -- what to run -----------------------------------------------------------------------------------------------------------------------


def _controls() -> None:
    if source.kind() == "example" and EXAMPLES[st.session_state.example].fake_only:
        st.info(_text("only_fake"))
        return
    names = tuple(name for name in asked_devices().names if name != "fake")
    busy = "run" in st.session_state
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        first = _side("first", names, busy=busy)
        second = _side("second", names, busy=busy)
        same = first == second
        pressed = st.button(
            _text("run"), icon=":material/compare_arrows:", disabled=busy or same, help=_text("same_sides") if same else None
        )
    st.caption(_text("about"))
    if pressed:
        shown = opened()
        target = {"example": st.session_state.example, "code": running.PASTED}.get(source.kind(), st.session_state.get("file", "").strip())
        known = running.size(shown.trace) if shown is not None and shown.name == target and not shown.trace.partial else None
        source.launch(running.compare, first=first, second=second, seed=int(st.session_state.seed), known=known)


def _side(which: str, names: tuple[str, ...], *, busy: bool) -> running.Side:
    """The choice of one side. A widget knows its options by their words, so that each language has its own.

    NOTE [index]: what is chosen stands in `sides`, which only a person's choice changes; a widget is told it as the one that it begins
    with: NOTE [keys] in `explorer.ui.widgets`.
    """
    side = _chosen(which, names)
    usable = ("", *devices.dtypes_of(asked_devices(), side.device))
    word, known = _text(which), " ".join((language(), *names, *usable))
    key = f"{which}_device_{known}"
    st.selectbox(
        _text("device_of", side=word), names, index=names.index(side.device), key=key, on_change=_choose, args=(which, "device", key),
        disabled=busy, width=130,
    )  # fmt: skip
    key = f"{which}_dtype_{side.device}_{known}"
    st.selectbox(
        _text("dtype_of", side=word), usable, index=usable.index(side.dtype or ""), key=key, on_change=_choose, args=(which, "dtype", key),
        format_func=lambda name: name or say("page.dtype_own", language()), disabled=busy, width=150,
    )  # fmt: skip
    return side


def _chosen(which: str, names: tuple[str, ...]) -> running.Side:
    """The side as it was chosen, as far as this machine has it; at first what the page is set to, and beside it another."""
    kept: dict[str, running.Side] = st.session_state.setdefault("sides", {})
    if which not in kept:
        chosen = st.session_state.get("device_kept")
        here = chosen if chosen in names else names[0]
        other = next((name for name in names if name != here), None)
        own = st.session_state.get("dtype_kept") or None
        if which == "first":
            kept[which] = running.Side(here, own)
        else:
            kept[which] = running.Side(other, own) if other else running.Side(here, "float64" if own == "bfloat16" else "bfloat16")
    side = kept[which]
    device = side.device if side.device in names else names[0]
    return running.Side(device, side.dtype if side.dtype in devices.dtypes_of(asked_devices(), device) else None)


def _choose(which: str, part: str, key: str) -> None:
    st.session_state.sides[which] = replace(st.session_state.sides[which], **{part: st.session_state[key] or None})


# -- what was found --------------------------------------------------------------------------------------------------------------------


def _found(found: Contrast, key: str) -> None:
    said = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        tolerance = st.selectbox(
            _text("tolerance"), (None, *TOLERANCES), key=f"tolerance_{language()}",
            format_func=lambda one: _text("by_dtype") if one is None else f"{one:g}", help=_text("tolerance_help"), width=210,
        )  # fmt: skip
        seen = found if tolerance is None else found.at(tolerance)
        name = plain(found.first.title)
        st.download_button(_text("csv"), data=lambda: _csv(seen), file_name=f"{_file_name(name)}.csv", mime="text/csv", on_click="ignore")
        st.download_button(
            _text("json"), data=lambda: _json(seen), file_name=f"{_file_name(name)}.json", mime="application/json", on_click="ignore"
        )
    first, *others = _sentences(seen)
    with said:
        fine = seen.begins is None and seen.parted is None and seen.largest is not None
        (st.success if fine else st.warning)(_escaped(first), icon=":material/check:" if fine else ":material/difference:")
        if others:
            st.caption(_escaped(" ".join(others)))
    if seen.rows:
        place = (key, tolerance, language())
        if st.session_state.get("contrast_drawn", (None,))[0] != place:
            st.session_state.contrast_drawn = (place, _data(seen, key))
        _table(key="contrast_table", data=st.session_state.contrast_drawn[1])


def _sentences(found: Contrast) -> list[str]:
    """What was found: the first sentence says where it begins, the others what to know of it."""
    trace, known = found.first, [row for row in found.rows if row.relative is not None]
    begins, largest = found.begins, found.largest
    above = sum(row.above for row in found.rows)
    said = []
    if begins is not None:
        values = {"what": _what(found, begins), "before": sum(row.relative is not None for row in found.rows[: found.rows.index(begins)])}
        if begins.relative is None:
            said.append(_text("begins_missing", **values))
        else:
            values |= {"difference": _amount(begins, begins.difference), "relative": _amount(begins, begins.relative)}
            start = trace.nodes[begins.node].is_leaf and begins.what == "value"
            shown = any(row.bounded for row in found.rows[: found.rows.index(begins)])
            said.append(_text("start" if start else "begins_shown" if shown else "begins", **values))
    elif largest is None:
        said.append(_text("no_values"))
    elif largest.relative == 0 and not any(row.bounded for row in known):
        said.append(_text("equal", count=len(known)))
    else:
        values = {"count": len(known), "relative": _amount(largest, largest.relative), "name": _what(found, largest)}
        said.append(_text("agree_shown" if any(row.bounded for row in known) else "agree", **values))
    if found.parted is not None:
        ends = found.parted >= len(trace.nodes)
        said.append(_text("parted_end") if ends else _text("parted", name=_name(trace, found.parted)))
    if above > 1:
        said.append(_text("above", above=above, count=len(found.rows)))
    if found.first.partial or found.second.partial:
        said.append(_text("partial"))
    bounded = sum(row.bounded for row in found.rows)
    if bounded:
        said.append(_text("bounded", count=bounded))
    return said


def _what(found: Contrast, row: Row) -> str:
    return _text(f"{row.what}_of", name=_name(found.first, row.node))


def _name(trace: Trace, number: int) -> str:
    node = trace.nodes[number]
    op = f" ({plain(node.op)})" if node.op and node.name and node.op != node.name else ""
    module = f" · {plain(node.module)}" if node.module and not node.is_leaf else ""
    return f"{label(node)}{op}{module}"


def _data(found: Contrast, key: str) -> dict[str, Any]:
    """The table for the browser, in plain words; what differs least is left out of a very long one."""
    rows = list(found.rows)
    left = 0
    if len(rows) > MOST_ROWS:
        ranked = sorted(range(len(rows)), key=lambda place: -_rank(rows[place]))
        rows = [rows[place] for place in sorted(ranked[:MOST_ROWS])]
        left = len(found.rows) - MOST_ROWS
    names = (
        "table where difference relative value gradient is_above is_within is_alike is_unknown only_above largest_first show none".split()
    )
    begins = found.begins
    return {
        "key": key,
        "language": language(),
        "words": {name: _text(name) for name in names},
        "more": _text("more", count=left) if left else "",
        "sides": [_side_name(trace.made_with) for trace in (found.first, found.second)],
        "rows": [[*_cells(found, row), row is begins] for row in rows],
    }


def _cells(found: Contrast, row: Row) -> list[Any]:
    state = "above" if row.above else "unknown" if row.relative is None else "alike" if row.bounded else "within"
    difference = _text(f"why_{row.why}") if row.why else _amount(row, row.difference)
    relative = "" if row.relative is None else _amount(row, row.relative)
    name = _name(found.first, row.node)
    if len(found.first.nodes[row.node].outputs) > 1:
        name += f" [{row.output}]"
    return [row.what, name, _short(row.first), _short(row.second), difference, relative, state, _rank(row), row.step]


def _rank(row: Row) -> float:
    """For sorting, finite: JSON has no infinity."""
    return min(row.relative, 1e300) if row.relative is not None else 1e300 if row.above else -1.0


def _side_name(made: MadeWith) -> str:
    return f"{made.device} · {made.dtype}"


def _short(note: Note | None) -> str:
    """A tensor in a few characters: its value, its few values, or its shape and its norm."""
    if note is None:
        return "–"
    if note.values is not None and note.numel == 1:
        return _precise(only(note.values))
    if note.values is not None and (note.numel or 0) <= MOST_SHOWN:
        return nested(note.values)
    norm = "" if note.norm is None else f" ‖{_precise(note.norm)}‖"
    return "[" + "×".join(map(str, note.shape)) + "]" + norm


def _precise(value: float | int | bool | str) -> str:
    """Seven figures, so that two sides that differ in float32 look different."""
    return f"{value:.7g}".replace("-", "−") if isinstance(value, float) and value == value and abs(value) != float("inf") else figure(value)


def _amount(row: Row, value: float | None) -> str:
    return (
        "" if value is None else ("≥ " if row.bounded else "") + ("0" if value == 0 else figure(value) if value > 1e290 else f"{value:.2g}")
    )


def _csv(found: Contrast) -> bytes:
    stream = io.StringIO()
    rows = written(found)
    table = csv.writer(stream, lineterminator="\n")
    fields = [name for name in rows[0] if name not in ("first", "second")] if rows else []
    table.writerow(
        [*fields, *(f"{side}_{name}" for side in ("first", "second") for name in ("dtype", "min", "max", "mean", "std", "norm"))]
    )
    for row in rows:
        sides = [(row[side] or {}).get(name) for side in ("first", "second") for name in ("dtype", "min", "max", "mean", "std", "norm")]
        table.writerow([_inert(row[name]) for name in fields] + sides)
    return stream.getvalue().encode("utf-8-sig")


def _inert(value: Any) -> Any:
    """A name that a spreadsheet would take for a formula stays a name."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _json(found: Contrast) -> bytes:
    sides = {"first": _side_name(found.first.made_with), "second": _side_name(found.second.made_with)}
    about = {"title": found.first.title, "seed": found.first.made_with.seed, **sides, "parted": found.parted, "rows": written(found)}
    return json.dumps(about, ensure_ascii=False, indent=1).encode()


def _file_name(name: str) -> str:
    return ("".join(char if char.isalnum() or char in "-_" else "_" for char in name)[:50] or "trace") + "-compared"


def _text(key: str, **values: object) -> str:
    return say(f"contrast.{key}", language(), **values)


def _escaped(words: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in words)
