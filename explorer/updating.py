"""How an optimizer made the new parameter, for the player: its rule in maths, and the rule filled in with this trace's numbers.

The optimizer's state is that after the update, which is what its last line reads. A line with numbers is shown only where it gives what
the program got: an optimizer that does more than it says (a hook, a clip) gets its rule and no arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.figures import figure
from explorer.formulas import mathml
from explorer.model import Note, Update

__all__ = ["update_rule"]

CLOSE = 1e-4  # of the larger of change and value, for float32 that was added up in another order
MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class _Rule:
    """The maths, what of the state it reads (its name there and in the maths), and the new value with its line of numbers."""

    latex: str
    reads: Mapping[str, str]


def update_rule(update: Update) -> dict[str, Any] | None:
    """The rule as MathML, and a line with numbers for each of the first elements; None for an optimizer that is not known here."""
    settings = dict(update.settings)
    known = {"SGD": _sgd, "Adam": _adam, "AdamW": _adam}.get(update.optimizer or "")
    if known is None or not isinstance(settings.get("lr"), int | float) or settings.get("maximize"):
        return None
    rule = known(update.optimizer or "", settings)
    return {"maths": mathml(rule.latex, block=True), "lines": _lines(update, settings, rule)}


def _sgd(name: str, settings: Mapping[str, Any]) -> _Rule:
    del name
    gradient = r"(g + \lambda w)" if settings.get("weight_decay") else "g"
    if not settings.get("momentum"):
        return _Rule(rf"w \leftarrow w - \eta\,{gradient}", {})
    if settings.get("nesterov"):
        return _Rule(rf"w \leftarrow w - \eta\,({gradient.strip('()')} + \mu v)", {"v": "momentum_buffer"})
    return _Rule(r"w \leftarrow w - \eta\,v", {"v": "momentum_buffer"})


def _adam(name: str, settings: Mapping[str, Any]) -> _Rule:
    second = "max_exp_avg_sq" if settings.get("amsgrad") else "exp_avg_sq"
    decay = r"(1 - \eta\lambda)\,w" if name == "AdamW" and settings.get("weight_decay") else "w"
    step = r"\frac{\hat{m}}{\sqrt{\hat{v}} + \epsilon}"
    where = r"\hat{m} = \frac{m}{1 - \beta_1^t} \quad \hat{v} = \frac{v}{1 - \beta_2^t}"
    return _Rule(
        rf"\begin{{array}}{{l}} w \leftarrow {decay} - \eta\,{step} \\ {where} \end{{array}}", {"m": "exp_avg", "v": second, "t": "step"}
    )


# -- with numbers ----------------------------------------------------------------------------------------------------------------------


def _lines(update: Update, settings: Mapping[str, Any], rule: _Rule) -> list[str]:
    before, after, gradient = (_flat(note) for note in (update.before, update.after, update.gradient))
    state = {name: _flat(update.state.get(kept)) for name, kept in rule.reads.items()}
    if not before or not after or not gradient or any(not values for values in state.values()):
        return []
    lines = []
    for place in range(min(len(before), len(after), len(gradient), MOST_LINES)):
        numbers = {name: values[place if place < len(values) else 0] for name, values in state.items()}
        made = (_sgd_line if update.optimizer == "SGD" else _adam_line)(before[place], gradient[place], settings, numbers, update.optimizer)
        if made is None or not math.isclose(made[0], after[place], rel_tol=CLOSE, abs_tol=CLOSE * abs(before[place] - after[place])):
            return []
        lines.append(f"{made[1]} = {figure(after[place])}")
    return lines


def _sgd_line(w: float, g: float, settings: Mapping[str, Any], state: Mapping[str, float], name: str | None) -> tuple[float, str]:
    del name
    rate, decay, momentum = (float(settings.get(key) or 0) for key in ("lr", "weight_decay", "momentum"))
    step, words = g + decay * w, _brace(g) if not decay else f"({figure(g)} + {figure(decay)} × {_brace(w)})"
    if momentum and settings.get("nesterov"):
        step, words = step + momentum * state["v"], f"({words} + {figure(momentum)} × {_brace(state['v'])})"
    elif momentum:
        step, words = state["v"], _brace(state["v"])
    return w - rate * step, f"w′ = {figure(w)} − {figure(rate)} × {words}"


def _adam_line(w: float, g: float, settings: Mapping[str, Any], state: Mapping[str, float], name: str | None) -> tuple[float, str] | None:
    del g
    betas = settings.get("betas")
    if not isinstance(betas, list | tuple) or len(betas) != 2 or not state["t"] >= 1:
        return None
    rate, decay, tiny = float(settings["lr"]), float(settings.get("weight_decay") or 0), float(settings.get("eps", 1e-8))
    first = state["m"] / (1 - float(betas[0]) ** state["t"])
    second = state["v"] / (1 - float(betas[1]) ** state["t"])
    if second < 0:
        return None
    kept, words = (
        (w * (1 - rate * decay), f"(1 − {figure(rate)} × {figure(decay)}) × {_brace(w)}") if name == "AdamW" and decay else (w, figure(w))
    )
    return kept - rate * first / (
        math.sqrt(second) + tiny
    ), f"w′ = {words} − {figure(rate)} × {_brace(first)} / (√{figure(second)} + {figure(tiny)})"


def _brace(number: float) -> str:
    text = figure(number)
    return f"({text})" if text.startswith("−") else text


def _flat(note: Note | None) -> list[float]:
    """The values of a note one after the other; none where one is no finite number."""
    if note is None or note.values is None:
        return []
    found: list[float] = []
    border: list[Any] = [note.values]
    while border:
        value = border.pop()
        if isinstance(value, tuple):
            border += reversed(value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return []
        else:
            found.append(float(value))
    return found
