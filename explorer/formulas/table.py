"""All rules, by the name of the backward node."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from explorer.formulas.elementwise import ELEMENTWISE
from explorer.formulas.layers import LAYERS
from explorer.formulas.losses import LOSSES
from explorer.formulas.matrices import MATRICES
from explorer.formulas.reductions import REDUCTIONS
from explorer.formulas.rules import Rule
from explorer.formulas.shapes import SHAPES, SPOKEN

__all__ = ["RULES", "rule_for", "rule_of", "rules_named"]

RULES: tuple[Rule, ...] = (*ELEMENTWISE, *REDUCTIONS, *MATRICES, *SHAPES, *LOSSES, *LAYERS, *SPOKEN)


def rule_of(autograd_name: str) -> Rule | None:
    """The rule of a backward node by its name ("MulBackward0"), for the usual arguments; None where none was written."""
    return rule_for(autograd_name)


def rule_for(autograd_name: str, arguments: Mapping[str, Any] = MappingProxyType({})) -> Rule | None:
    """The rule of a backward node whose op was given these plain arguments."""
    return next((one for one in rules_named(autograd_name) if one.fits(arguments)), None)


def rules_named(autograd_name: str) -> tuple[Rule, ...]:
    """All rules of a backward node; of several each is for other arguments."""
    return _by_name().get(autograd_name.removeprefix("torch::autograd::").removesuffix("_copy"), ())


@cache
def _by_name() -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for one in RULES:
        for name in one.autograd:
            found[name] = (*found.get(name, ()), one)
    return found
