"""Derivative rules that a person can read and this program can check: op → formula, in LaTeX, in words, and in numbers.

Each rule is written once, in `explorer.formulas.language`; the LaTeX and the arithmetic both come from that one text. A test runs every
rule against `torch.autograd.grad`. Loads no torch; numpy only when something is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.formulas.explanation import Explanation, Working, explain
    from explorer.formulas.hand import ByHand, Factor, Path, by_hand
    from explorer.formulas.mathml import mathml
    from explorer.formulas.numbers import Contribution, Numbers, contributions
    from explorer.formulas.rules import Rule
    from explorer.formulas.symbolic import Symbolic
    from explorer.formulas.table import rule_for, rule_of

__all__ = [
    "ByHand",
    "Contribution",
    "Explanation",
    "Factor",
    "Numbers",
    "Path",
    "Rule",
    "Symbolic",
    "Working",
    "by_hand",
    "contributions",
    "explain",
    "mathml",
    "rule_for",
    "rule_of",
]

_HOME = {
    "ByHand": "hand",
    "Contribution": "numbers",
    "Explanation": "explanation",
    "Factor": "hand",
    "Numbers": "numbers",
    "Path": "hand",
    "Rule": "rules",
    "Symbolic": "symbolic",
    "Working": "explanation",
    "by_hand": "hand",
    "contributions": "numbers",
    "explain": "explanation",
    "mathml": "mathml",
    "rule_for": "table",
    "rule_of": "table",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
