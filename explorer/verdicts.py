"""What verification found of a pass: each backward node run again alone, each gradient held against central differences.

Parts of a `Trace` (`trace.checks`), frozen and plain like all of it; `explorer.capture.checks` makes them, `explorer.checking` reads the
JSON of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from explorer.text import TEXTS, say

Verdict = Literal["equal", "close", "wrong", "skipped"]

VERDICTS = ("equal", "close", "wrong", "skipped")


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """A backward node that was run again on what had flowed into it, and compared with what had flowed out.

    `equal` is bit for bit, `close` within the rounding of its data type. `max_abs_error` is None where nothing could be compared. `reason`
    says why it was skipped, or what is wrong: a word, and after a colon what it is about ("raised: IndexError").
    """

    node: int
    verdict: Verdict
    max_abs_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StepError:
    """How far a central difference with step `step` is from autograd's gradient."""

    step: float
    error: float


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """The gradient of output `output` of a node by autograd, beside central differences over a replay in double precision.

    `autograd` and `numeric` hold all values where there are at most 64, nested like the tensor; in `numeric` an element is None where it
    was not computed. `checked` counts the elements that were. `max_rel_error` is `max_abs_error` over the largest magnitude of the
    gradient. `equal` is within the rounding of the program's data type, `close` within a looser tolerance that
    `explorer.capture.differences` names. `reason` as in a `NodeCheck`. `curve` shows the error of one element over the step: truncation
    on its right, rounding on its left.
    """

    node: int
    name: str | None
    shape: tuple[int, ...]
    autograd: Any
    numeric: Any
    checked: int
    max_abs_error: float | None
    max_rel_error: float | None
    verdict: Verdict
    reason: str | None = None
    curve: tuple[StepError, ...] = ()
    output: int = 0


@dataclass(frozen=True, slots=True)
class Checks:
    """All of it for one pass: every executed node, every leaf's gradient, and in small graphs those of intermediates too."""

    nodes: tuple[NodeCheck, ...] = ()
    gradients: tuple[GradientCheck, ...] = ()

    def each(self) -> Iterator[NodeCheck | GradientCheck]:
        yield from self.nodes
        yield from self.gradients

    @property
    def wrong(self) -> tuple[NodeCheck | GradientCheck, ...]:
        """What contradicts autograd."""
        return tuple(check for check in self.each() if check.verdict == "wrong")


def reason_text(reason: str, language: str = "en") -> str:
    """The sentence for the `reason` of a check; the reason itself where it is one that a later version has given."""
    word, _, about = reason.partition(": ")
    if f"check.reason.{word}" not in TEXTS:
        return reason
    text = say(f"check.reason.{word}", language)
    return say("check.reason.about", language, reason=text, about=about) if about else text
