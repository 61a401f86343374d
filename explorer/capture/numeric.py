"""Each gradient of a pass held against central differences over a replay of the pass in double precision.

Every element of a small tensor is checked, of a large one the element with the largest gradient and a few drawn at random (always the
same). Every tensor gets its first element before any gets its second, so that where time ends the sample, it ends it evenly.

NOTE [together]: of a model so large that even that would take minutes, elements of many tensors are moved at once, each so far that its
gradient says the loss changes by the same amount: then a gradient that is off by some share of itself shows as that share of one part.
Where they do not agree, each half is looked at, down to a single one. An error that another makes up for exactly would not show.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from explorer.capture.differences import AGREE, FINE, STEPS, Estimate, curve, derivative, tolerances, verdict
from explorer.capture.elements import chosen, place_of
from explorer.capture.replay import NoReplay, Plan, Replay, Root, double, relative_error
from explorer.capture.tape import Tape
from explorer.model import MOST_VALUES, GradientCheck, StepError

BUDGET = 20.0  # seconds for all elements but the first of each tensor
FIRST_BUDGET = 300.0  # seconds for those: on a large model a difference takes half a second
INNER_BUDGET = 5.0  # seconds after which no more elements of intermediates are taken
PATIENCE = 45.0  # seconds; where the first elements would take longer alone, they are taken together
MOST_TOGETHER = 16  # tensors: each part of the loss's change must stand out against the rounding of all
ALIKE = 1e3  # times the change that the loss would make with the one, it may make with the other, for the same relative step
CURVE_COST = 0.02  # seconds: a replay that takes longer is not repeated only to draw how the error depends on the step
ROUNDINGS = 4.0  # times what rounding was measured to do to a gradient in a replay as the program ran
FLOOR = 32.0  # roundings of the program's type: what a sum that cancels may leave of the magnitudes that went into it
REPLAY_AGREES = 0.5  # of the digits: the replay of a float32 program must give its loss to about 3e-4

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Subject:
    """A gradient to check: that of output `output` of the autograd node `key`; `numbers` are the values that change with it."""

    key: int
    output: int
    numbers: Sequence[int]
    gradient: torch.Tensor
    leaf: bool
    flow: float = 0.0  # the sum of the magnitudes that it was added up from, as far as known
    hooks: str = ""  # names of the user's hooks that saw it, or what it was made of
    missing: bool = False  # backward brought none, which is right where the loss does not depend on it; `gradient` holds zeros
    plan: Plan | None = None
    largest: float = 0.0
    order: list[int] = field(default_factory=list)
    found: dict[int, complex | None] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    curve: tuple[StepError, ...] = ()
    together: int = 0  # tensors whose elements were moved at once with one of this
    share: float = 0.0  # how far off all were, relative to the part of one


Move = tuple[Subject, int, complex]  # an element, and how far it moves with a step of 1


def check_gradients(
    tape: Tape, roots: Sequence[tuple[torch.Tensor, torch.Tensor | None]], subjects: Sequence[Subject], *, progress: Progress
) -> list[GradientCheck]:
    """The check of every subject; where nothing can be replayed, skipped with the reason."""
    try:
        replay = _replay(tape, roots)
    except NoReplay as error:
        return [_skipped(subject, error.reason) for subject in subjects]
    with double():
        return _Checking(replay, progress).run(subjects)


def _replay(tape: Tape, roots: Sequence[tuple[torch.Tensor, torch.Tensor | None]]) -> Replay:
    if tape.trouble is not None:
        raise NoReplay(tape.trouble)
    starts = []
    for output, seed in roots:
        number = tape.find(output)
        if number is None:
            raise NoReplay("not_recorded")
        wide = torch.complex128 if output.is_complex() else torch.float64
        start = torch.ones_like(output, dtype=wide) if seed is None else seed.detach().to(wide)
        starts.append(Root(number, start))
    replay = Replay(tape, starts)
    allowed = replay.precision**REPLAY_AGREES
    for (output, _), replayed in zip(roots, replay.outputs, strict=True):
        if relative_error(replayed, output.detach()) > allowed:
            raise NoReplay("replay_differs")
    return replay


class _Checking:
    """The differences of one pass."""

    def __init__(self, replay: Replay, progress: Progress) -> None:
        self.replay, self.progress = replay, progress
        self.eps, self.size = replay.precision, replay.size()
        self.values = replay.tape.values
        self.made_before = any(self.values[number].made_before for number in replay.base)
        self.subjects: Sequence[Subject] = ()
        self.rounding: dict[int, torch.Tensor] | None = None
        self.cost = math.inf  # seconds of the quickest replay so far

    def run(self, subjects: Sequence[Subject]) -> list[GradientCheck]:
        self.subjects = ready = [subject for subject in subjects if self._prepare(subject)]
        began = time.monotonic()
        total = sum(len(subject.order) for subject in ready)
        done = 0
        for turn in range(max((len(subject.order) for subject in ready), default=0)):
            for place, subject in enumerate(ready):
                if turn == 0 and place and 4 * self.cost * (len(ready) - place) > PATIENCE:  # four replays tell how sure it is
                    done = self._many(ready[place:], began, done, total)
                    break
                budget = FIRST_BUDGET if turn == 0 and subject.leaf else BUDGET if subject.leaf else INNER_BUDGET
                if turn < len(subject.order):
                    if time.monotonic() - began < budget:
                        self._element(subject, subject.order[turn])
                    done += 1
                    self.progress(done, total)
        for subject in ready:
            if self.cost < CURVE_COST and time.monotonic() - began < BUDGET and subject.gradient.numel() <= MOST_VALUES:
                self._curve(subject)
        return [self._result(subject) for subject in subjects if not subject.missing or "wrong" in subject.verdicts]

    def _prepare(self, subject: Subject) -> bool:
        """Choose the elements; False where there are none to check."""
        reason = None
        if not subject.numbers:
            reason = "not_recorded"
        elif not subject.leaf and self.replay.is_changed_in_place(subject.numbers[0]):
            reason = "in_place"
        elif self.made_before:
            reason = "made_before"
        else:
            reason = self.replay.reason_against(subject.numbers)
        if reason is not None:
            subject.reasons.append(reason)
            return False
        if not any(number in self.replay.base for number in subject.numbers):
            subject.numbers = ()
            subject.reasons.append("no_path")
            return False
        subject.plan = self.replay.plan(subject.numbers)
        magnitudes = subject.gradient.detach().reshape(-1).abs()
        if magnitudes.numel():
            largest, first = magnitudes.max(0)
            if not bool(largest.isfinite()):
                subject.largest = float(magnitudes.nan_to_num(nan=0.0, posinf=0.0).max())
                first = magnitudes.nan_to_num(nan=-1.0).argmax()
            else:
                subject.largest = float(largest)
            subject.order = chosen(int(first), magnitudes.numel(), subject.key)
        return bool(subject.order)

    def _element(self, subject: Subject, element: int) -> None:
        gradient = subject.gradient.reshape(-1)[element].item()
        began = time.monotonic()
        value, reason, found = self._judged(subject, element, gradient, STEPS)
        self.cost = min(self.cost, (time.monotonic() - began) / 4)
        if found == "wrong" and (again := self._judged(subject, element, gradient, FINE))[1] != "unresolved":
            value, reason, found = again
        if found == "wrong" and abs(value - gradient) <= ROUNDINGS * self._rounding(subject):
            found = "close"
            subject.reasons.append("rounding")
        if reason is not None:
            subject.found[element] = None
            subject.reasons.append(reason)
            return
        subject.found[element] = value
        subject.errors.append(abs(value - gradient))
        subject.largest = max(subject.largest, abs(value))
        subject.verdicts.append(found)

    def _judged(self, subject: Subject, element: int, gradient: complex, steps: Sequence[float]) -> tuple[complex, str | None, str]:
        """The difference, why there is none, and whether the gradient agrees with it."""
        estimate = self._estimate(subject, element, 1.0, steps)
        value: complex = estimate.value
        if subject.gradient.is_complex() and estimate.reason is None:
            other = self._estimate(subject, element, 1j, steps)
            value = complex(estimate.value, other.value)
            estimate = Estimate(0.0, max(estimate.uncertainty, other.uncertainty), max(estimate.noise, other.noise), other.reason)
        reason = "not_finite" if estimate.reason is None and not _is_finite(gradient) else estimate.reason
        if reason is not None:
            return value, reason, ""
        resolution = {"uncertainty": estimate.uncertainty, "noise": estimate.noise, "floor": self._floor(subject)}
        found = verdict(abs(value - gradient), largest=max(subject.largest, abs(value)), eps=self.eps, **resolution)
        return value, found if found == "unresolved" else None, found

    def _many(self, subjects: Sequence[Subject], began: float, done: int, total: int) -> int:
        """The first element of each: of leaves in groups, and a group that does not agree is halved."""
        leaves = [subject for subject in subjects if subject.leaf]
        pending = _groups([(subject, self._change(subject)) for subject in leaves])
        while pending and time.monotonic() - began < FIRST_BUDGET:
            group = pending.pop(0)
            if len(group) == 1:
                self._element(group[0][0], group[0][0].order[0])
            elif not self._together(group):
                half = len(group) // 2
                pending[:0] = [group[:half], group[half:]]
                continue
            done += len(group)
            self.progress(done, total)
        return done + sum(map(len, pending)) + len(subjects) - len(leaves)

    def _change(self, subject: Subject) -> float:
        """How much the loss changes with a relative step of 1 of the first element; 0 where it is not to be taken together with others."""
        gradient = subject.gradient.reshape(-1)[subject.order[0]].item()
        if isinstance(gradient, complex) or not math.isfinite(gradient) or subject.hooks:
            return 0.0
        return abs(gradient) * self._scale(subject, subject.order[0])

    def _together(self, group: Sequence[tuple[Subject, float]]) -> bool:
        """Whether one difference over elements of all agrees; each moves so far that its part of the change is the same."""
        part = min(change for _, change in group)
        moves: list[Move] = []
        for subject, _ in group:
            element = subject.order[0]
            moves.append((subject, element, part / subject.gradient.reshape(-1)[element].item()))
        numbers = [number for subject, _ in group for number in subject.numbers]
        if self.replay.reason_against(numbers) is not None:
            return False
        equal, _ = tolerances(self.eps)
        floor = max(self._floor(subject) * abs(step) for subject, _, step in moves)
        function = self._moving(moves, self.replay.plan(numbers))
        estimate = derivative(function, scale=1.0, size=self.size, largest=part, enough=AGREE * (equal * part + floor))
        if estimate.reason is not None:
            return False
        error = abs(estimate.value - part * len(group))
        resolution = {"uncertainty": estimate.uncertainty, "noise": estimate.noise, "floor": floor}
        found = verdict(error, largest=part, eps=self.eps, **resolution)
        if found not in ("equal", "close"):
            return False
        for subject, _ in group:
            subject.together, subject.share = len(group), error / part
            subject.verdicts.append(found)
        return True

    def _estimate(self, subject: Subject, element: int, direction: complex, steps: Sequence[float]) -> Estimate:
        equal, _ = tolerances(self.eps)
        return derivative(
            self._function(subject, element, direction),
            scale=self._scale(subject, element),
            size=self.size,
            largest=subject.largest,
            enough=AGREE * (equal * subject.largest + self._floor(subject)),
            steps=steps,
        )

    def _floor(self, subject: Subject) -> float:
        return FLOOR * self.eps * subject.flow

    def _rounding(self, subject: Subject) -> float:
        """What rounding does to the gradient, measured: worked out when it is first needed, for all."""
        if self.rounding is None:
            numbers = [number for other in self.subjects for number in other.numbers if number in self.replay.base]
            with torch.enable_grad():
                self.rounding = self.replay.rounding(numbers)
        return sum(float(self.rounding[number].max()) for number in subject.numbers if number in self.rounding)

    def _scale(self, subject: Subject, element: int) -> float:
        """The size of the element, or of a usual one of its tensor; one where all are zero."""
        flat = self.replay.base[self._first(subject)].reshape(-1)
        finite = flat[flat.isfinite()]
        usual = float(finite.abs().square().mean().sqrt()) if finite.numel() else 0.0
        own = abs(flat[element].item())
        return max(own if math.isfinite(own) else 0.0, usual) or 1.0

    def _first(self, subject: Subject) -> int:
        return next(number for number in subject.numbers if number in self.replay.base)

    def _function(self, subject: Subject, element: int, direction: complex) -> Callable[[float], float]:
        assert subject.plan is not None
        return self._moving([(subject, element, direction)], subject.plan)

    def _moving(self, moves: Sequence[Move], plan: Plan) -> Callable[[float], float]:
        """How much the loss changes when every element moves by a step times its own length."""
        known: list[tuple[int, tuple[int, ...], complex, bool]] = []
        for subject, element, length in moves:
            numbers = [number for number in subject.numbers if number in self.replay.base]
            apart = self.replay.is_changed_in_place, self.replay.is_seen_elsewhere, self.replay.is_root
            copies = not subject.leaf or any(is_so(number) for is_so in apart for number in numbers)
            known += [(number, place_of(self.replay.base[number], element), length, copies) for number in numbers]

        def change(step: float) -> float:
            """Of a leaf the very value is changed and put back, as a copy of a large one would take longer than all the rest."""
            values = {number: self.replay.base[number].clone() if copies else self.replay.base[number] for number, _, _, copies in known}
            before = [values[number][place].item() for number, place, _, _ in known]
            for (number, place, length, _), content in zip(known, before, strict=True):
                values[number][place] = content + step * (length if values[number].is_complex() else length.real)
            try:
                return self.replay.difference(plan, values)
            except (RuntimeError, ValueError, IndexError):  # outside of what the op takes, as a probability above 1 is
                return math.nan
            finally:
                for (number, place, _, _), content in zip(known, before, strict=True):
                    values[number][place] = content

        return change

    def _curve(self, subject: Subject) -> None:
        found = [element for element, value in subject.found.items() if value is not None]
        if found and not subject.gradient.is_complex():
            element = found[0]
            subject.curve = curve(self._function(subject, element, 1.0), float(subject.gradient.reshape(-1)[element]))

    def _result(self, subject: Subject) -> GradientCheck:
        if not subject.errors:
            return _in_company(subject) if subject.together else _skipped(subject, _most(subject.reasons) or "time")
        worst, reason = max(subject.verdicts, key=("equal", "close", "wrong").index), None
        elements = subject.gradient.numel()
        if worst == "wrong" and subject.hooks:
            worst, reason = "skipped", f"hooks: {subject.hooks}"
        elif subject.missing:
            reason = "none_came"
        elif len(subject.found) < min(elements, len(subject.order)):
            reason = "time"
        elif subject.reasons:
            reason = _most(subject.reasons)
        elif len(subject.order) < elements:
            reason = "sample"
        shown = elements <= MOST_VALUES
        error = max(subject.errors)
        return GradientCheck(
            node=subject.key,
            name=None,
            shape=tuple(subject.gradient.shape),
            autograd=_nested(subject.gradient.reshape(-1).tolist(), subject.gradient.shape) if shown and not subject.missing else None,
            numeric=_nested([subject.found.get(element) for element in range(elements)], subject.gradient.shape) if shown else None,
            checked=len(subject.errors),
            max_abs_error=error,
            max_rel_error=error / subject.largest if subject.largest else 0.0,
            verdict=worst,  # type: ignore[arg-type]
            reason=reason,
            curve=subject.curve,
            output=subject.output,
        )


def _groups(subjects: Sequence[tuple[Subject, float]]) -> list[list[tuple[Subject, float]]]:
    """Subjects whose elements change the loss by like amounts, with those amounts; one alone for each that changes it by nothing."""
    groups: list[list[tuple[Subject, float]]] = [[pair] for pair in subjects if not pair[1]]
    current: list[tuple[Subject, float]] = []
    for pair in sorted((pair for pair in subjects if pair[1]), key=lambda pair: pair[1]):
        if current and (len(current) >= MOST_TOGETHER or pair[1] > ALIKE * current[0][1]):
            groups.append(current)
            current = []
        current.append(pair)
    return [*groups, current] if current else groups


def _in_company(subject: Subject) -> GradientCheck:
    """What a difference over many tensors says of one of them."""
    skipped = _skipped(subject, f"together: {subject.together}")
    return replace(skipped, checked=1, max_rel_error=subject.share, verdict=subject.verdicts[0])  # type: ignore[arg-type]


def _skipped(subject: Subject, reason: str) -> GradientCheck:
    shown = subject.gradient.numel() <= MOST_VALUES
    values = _nested(subject.gradient.detach().reshape(-1).tolist(), subject.gradient.shape) if shown else None
    shape = tuple(subject.gradient.shape)
    return GradientCheck(subject.key, None, shape, values, None, 0, None, None, "skipped", reason, (), subject.output)


def _nested(flat: Sequence[Any], shape: Sequence[int]) -> Any:
    """Nested tuples of floats, complex numbers as Python writes them."""
    if not shape:
        value = flat[0]
        return str(value) if isinstance(value, complex) else value
    step = len(flat) // shape[0] if shape[0] else 0
    return tuple(_nested(flat[place * step : (place + 1) * step], shape[1:]) for place in range(shape[0]))


def _most(reasons: Iterable[str]) -> str | None:
    """The reason that holds most often, the first of several."""
    counted: dict[str, int] = {}
    for reason in reasons:
        counted[reason] = counted.get(reason, 0) + 1
    return max(counted, key=lambda reason: counted[reason]) if counted else None


def _is_finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)
