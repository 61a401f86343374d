"""Gradients by hand, by nudging and by autograd in one table: of the recorded run at once, and of a run now if that is wished.

Settings: `program`, an example whose sample is verified; `of`, the variables. The program runs in a child process, verified, as the page
Explore runs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from explorer.files import assets_folder, load
from explorer.formulas import by_hand
from explorer.model import Trace
from explorer.text import say
from explorer.ui import running
from explorer.ui.failing import told

__all__ = ["Ways", "draw", "ways"]

BEAT = 0.4  # seconds between two looks at a run


@dataclass(frozen=True, slots=True)
class Ways:
    """The gradient of one number in three ways; None where a way has none."""

    name: str
    by_hand: float | None
    path: str  # the product of the local slopes, in figures
    nudged: float | None
    autograd: float | None

    @property
    def difference(self) -> float | None:
        """The largest between any two."""
        found = (self.by_hand, self.nudged, self.autograd)
        return None if None in found else max(cast("tuple[float, ...]", found)) - min(cast("tuple[float, ...]", found))


def ways(trace: Trace, name: str) -> Ways:
    """What a verified recording says of the gradient of the variable `name`, which holds a single number."""
    node = next(node for node in trace.nodes if node.name == name)
    hand = by_hand(trace, node.id)
    gradient = node.gradients[0]
    check = next((one for one in (trace.checks.gradients if trace.checks else ()) if one.node == node.id), None)
    return Ways(
        name,
        _single(hand.total),
        hand.paths[0].text if len(hand.paths) == 1 else "",
        None if check is None else _single(check.numeric),
        None if gradient is None else _single(gradient.values),
    )


def _single(value: Any) -> float | None:
    while isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    return float(value) if isinstance(value, (int, float)) else None


def draw(settings: Mapping[str, object], language: str, *, key: str) -> None:
    """The table, and the button that runs the program now."""
    run: running.Run | None = st.session_state.get(f"{key}_run")
    beat = BEAT if run is not None and run.alive else None
    st.fragment(told(_drawn), run_every=beat)(
        str(settings["program"]), cast("Sequence[str]", settings["of"]), language, key, waiting=bool(beat)
    )


def _drawn(program: str, names: Sequence[str], language: str, key: str, *, waiting: bool) -> None:
    run: running.Run | None = st.session_state.get(f"{key}_run")
    busy = run is not None and run.alive
    if waiting and not busy:
        st.rerun()
    done = run.trace if run is not None and not busy and run.error is None else None
    trace = done or _recorded(program)
    st.markdown(table([ways(trace, name) for name in names], language))
    versions = {"torch": trace.made_with.torch}
    st.caption(say("trying.run_now" if done else "trying.recorded_run", language, **versions))
    if run is not None and run.error is not None and not busy:
        st.error(run.error.message(language), icon=":material/error:")
    if st.button(say("trying.running" if busy else "trying.run", language), disabled=busy, icon=":material/play_arrow:", key=f"{key}_go"):
        there = running.visitor()
        st.session_state[f"{key}_run"] = running.start(program, device="cpu", dtype=None, seed=0, check=True, there=there)
        st.rerun()


@st.cache_resource(max_entries=4, show_spinner=False)
def _recorded(program: str) -> Trace:
    return load(assets_folder() / "samples" / f"{program}.trace")


def table(found: Sequence[Ways], language: str) -> str:
    """The table as Markdown: ways below each other, variables side by side, four decimals large and ten small."""
    rows = [
        ("trying.by_hand", [one.by_hand for one in found]),
        ("trying.by_nudging", [one.nudged for one in found]),
        ("trying.by_autograd", [one.autograd for one in found]),
    ]
    heads = [rf"$\partial L/\partial {one.name}$" for one in found]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(found)}"]
    lines += [f"| {say(key, language)} | {' | '.join(_shown(value) for value in values)} |" for key, values in rows]
    differences = ["–" if one.difference is None else _power(one.difference) for one in found]
    lines.append(f"| {say('trying.difference', language)} | {' | '.join(differences)} |")
    paths = [f"- {head}: {one.path}" for head, one in zip(heads, found, strict=True) if one.path]
    return "\n".join(lines) + "\n\n" + say("trying.along_the_path", language) + "\n\n" + "\n".join(paths)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"**{value:.4f}** :small[({value:.10f})]".replace("-", "−")


def _power(number: float) -> str:
    digits, _, power = f"{number:.1e}".partition("e")
    return rf"${digits} \times 10^{{{int(power)}}}$"
