"""Which settings of a shipped training program the page offers, and in what order."""

from __future__ import annotations

from functools import cache

from explorer.capture.launching import Setting, settings_of
from explorer.capture.programs import TRAININGS

__all__ = ["MAIN", "SHAPE", "offered", "steps_of"]

MAIN = ("optimizer", "learning_rate", "schedule", "batch_size", "weight_decay", "dropout", "clip_norm")  # shown first, in this order
SHAPE = ("layers", "heads", "width", "context")  # what a model must have in common with the one whose weights it starts from
FIXED = ("shape",)  # what makes one program of a file another
STEPS = 1000  # of a program that does not say how many


@cache
def offered(program: str) -> tuple[Setting, ...]:
    """The settings to choose, the main ones first; a text is one only where it is known what it can be."""
    found = [one for one in settings_of(program)[0] if one.name not in FIXED and (one.choices or not isinstance(one.default, str))]
    return tuple(sorted(found, key=lambda one: MAIN.index(one.name) if one.name in MAIN else len(MAIN)))


@cache
def steps_of(program: str) -> int:
    """How many steps a program does unless told otherwise."""
    assert program in TRAININGS
    return settings_of(program)[1] or STEPS
