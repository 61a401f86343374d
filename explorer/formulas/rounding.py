"""Whether two results are the same but for rounding."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from explorer.formulas.numbers import Contribution, Numbers
from explorer.formulas.rules import Rule
from explorer.model import Node

__all__ = ["compared", "largest_difference"]

# Relative rounding step of each type.
STEPS = {"float64": 2.3e-16, "float32": 1.2e-7, "float16": 9.8e-4, "bfloat16": 7.9e-3}
COARSEST = 0.25
ROUNDINGS = 64  # that one op may make on the way to one of its elements


def compared(
    numbers: Numbers, node: Node, rule: Rule, one: Contribution, delivered: Any, dtype: str
) -> tuple[float, Literal["equal", "close", "differs"]]:
    """The largest difference between a rule's result and what torch delivered.

    NOTE [rounding] torch computes in the tensor's own type, the rule in float64. What rounding may make of it is measured: the rule is
    worked out in float32 as well, and where that moves a result by much (a sum that cancels), as much is allowed.
    """
    value = np.asarray(one.value, dtype=np.float64)
    difference = largest_difference(value, delivered)
    if value.shape != delivered.shape:
        return difference, "differs"
    if difference == 0 or np.array_equal(_rounded(value, dtype), delivered, equal_nan=True):
        return difference, "equal"
    step = STEPS.get(dtype, COARSEST)
    finite = np.abs(delivered[np.isfinite(delivered)])
    allowed = ROUNDINGS * step * (float(finite.max()) if finite.size else 0.0)
    if difference > allowed and dtype != "float64":
        with np.errstate(all="ignore"):
            setting = numbers.setting(node, rule, dtype=np.float32)
            coarse = np.asarray(setting.contribution(one.symbol, one.index), dtype=np.float64)
        allowed += ROUNDINGS * (step / STEPS["float32"]) * largest_difference(coarse, value)
    return difference, "close" if difference <= allowed else "differs"


def largest_difference(a: Any, b: Any) -> float:
    """Over all elements; the same infinity and NaN in both do not differ, anything else beside them, or another shape, does infinitely."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        return math.inf
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(a - b))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


def _rounded(value: Any, dtype: str) -> Any:
    with np.errstate(over="ignore"):
        return value.astype(np.float32).astype(np.float64) if dtype == "float32" else value
