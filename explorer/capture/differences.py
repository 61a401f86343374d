"""Derivatives by central differences, and when one agrees with a gradient: steps, tolerances, kinks.

A central difference (f(x + h) − f(x − h)) / 2h has an error of truncation that shrinks with h², and one of rounding that grows with 1/h.
Two steps a factor ten apart tell whether either is in the way; where they disagree smaller ones are tried, and the pair that agrees best
counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from explorer.model import StepError

Function = Callable[[float], float]  # how much the loss changes when an element changes by so much

STEPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)  # relative to the size of the element; the first pair that agrees ends the search
FINE = STEPS[3:]  # two wide ones may agree by chance, with a bend on either side: one that speaks against a gradient is taken again
SHARP = 1e-7  # a bend that is still there at this step is at the point itself; in a large network of relus one is often nearer than 1e-5
CURVE_STEPS = tuple(10.0**-power for power in range(1, 12))
AGREE = 0.1  # of what counts as equal: two steps that agree so well need no third
KINK = 1e-3  # of the slope: at a kink those on both sides differ by more
SHRINKS = 0.3  # with the step ten times smaller a smooth function's slopes differ ten times less; at a kink they differ the same
ROUNDING = 4 * 2.0**-52  # of the loss: what a sum of products in double precision may be off

# Of the largest gradient of the tensor. `equal`: what the program's data type rounds to in a chain of some dozen ops (for float64: what
# central differences resolve). `close`: still no error of the derivative, but rounding that piled up, as it does over long sums.
EQUAL = {torch.float64: 1e-8, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
CLOSE = {torch.float64: 1e-5, torch.float32: 2e-3, torch.float16: 6e-2, torch.bfloat16: 2e-1}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative and how far off it seems to be; `noise` is how far off rounding may have put it at worst, whatever it seems.

    Where there is none, `reason` stands in its place.
    """

    value: float = math.nan
    uncertainty: float = 0.0
    noise: float = 0.0
    reason: str | None = None


def tolerances(eps: float) -> tuple[float, float]:
    """`EQUAL` and `CLOSE` of the data type with this rounding."""
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        if eps <= torch.finfo(dtype).eps:
            return EQUAL[dtype], CLOSE[dtype]
    return EQUAL[torch.bfloat16], CLOSE[torch.bfloat16]


def derivative(function: Function, *, scale: float, size: float, largest: float, enough: float, steps: Sequence[float] = STEPS) -> Estimate:
    """The derivative at 0. `scale` is the size of the element, `size` that of the loss, `largest` that of the gradient; an uncertainty
    of `enough` is small enough."""
    tried: list[tuple[float, float, float]] = []  # step, difference, how much the slopes on both sides differ
    best: Estimate | None = None
    bent = False
    for step in steps:
        length = step * scale
        above, below = function(length), function(-length)
        if not (math.isfinite(above) and math.isfinite(below)):
            continue
        tried.append((length, (above - below) / (2 * length), abs(above + below) / length))
        if len(tried) < 2:
            continue
        wide, narrow = tried[-2:]
        noise = ROUNDING * size / length
        slope = max(abs(narrow[1]), largest)
        was_bent, bent = bent, narrow[2] > SHRINKS * wide[2] and narrow[2] > KINK * slope + 4 * noise
        found = Estimate(narrow[1], abs(wide[1] - narrow[1]) + (0.0 if best is None else noise), noise)
        if not bent and (best is None or was_bent or found.uncertainty < best.uncertainty):
            best = found
        if not bent and found.uncertainty <= enough + AGREE * noise:
            return found
        if bent and step <= SHARP:
            return Estimate(reason="kink")
    return best if best is not None else Estimate(reason="kink" if bent else "not_finite")


def curve(function: Function, gradient: float) -> tuple[StepError, ...]:
    """How far the central difference is from autograd's gradient, over the step."""
    points = []
    for step in CURVE_STEPS:
        difference = (function(step) - function(-step)) / (2 * step)
        if math.isfinite(difference):
            points.append(StepError(step, abs(difference - gradient)))
    return tuple(points)


def verdict(error: float, *, largest: float, uncertainty: float, noise: float, floor: float, eps: float) -> str:
    """Whether a gradient that is `error` away from the difference agrees with it; "unresolved" where the difference cannot tell.

    Two steps may agree by chance, or because neither shows in the loss at all: what is within `noise` is never called wrong.

    `floor` is what rounding leaves of a gradient that is zero but for it, as that of a bias before a normalization is.
    """
    equal, close = tolerances(eps)
    if error <= equal * largest + floor:
        return "equal"
    if uncertainty > close * largest + floor:
        return "unresolved"
    if error <= close * largest + floor + 2 * uncertainty:
        return "close"
    return "wrong" if error > noise else "unresolved"
