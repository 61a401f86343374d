"""Is an answer right, and if not, what can be said that helps: in what way it differs from the right one.

An answer arrives as a person gives it (typed, or chosen), is read into a value, and judged. What a lesson's author says about a typical
mistake comes first; then what can be seen from the two values alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.lessons.computed import Computed, shown
from explorer.lessons.parts import Quiz

__all__ = ["TOLERANCE", "Verdict", "judge", "read_answer", "tolerance_of"]

TOLERANCE = 0.005  # of the answer's size, where the author names no other
SIZE = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is right; else the name of the author's reaction (`when`), or the key of a sentence of ours with its values."""

    right: bool
    when: str | None = None
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


def read_answer(kind: str, typed: str) -> Any:
    """What somebody typed, as a number or a shape; None where it is neither."""
    text = typed.strip().replace("−", "-").replace("–", "-").replace("×", "x").replace("·", "*")
    if kind == "shape":
        inner = re.sub(r"^(torch\.)?(Size)?", "", text).strip("()[] ")
        if not re.fullmatch(r"[\d\s,x*()\[\]]*", inner, re.IGNORECASE):
            return None
        sizes = SIZE.findall(inner)
        return tuple(map(int, sizes)) if sizes or not inner else None
    text = text.replace(" ", "").removeprefix("=")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        if fraction := re.fullmatch(r"([-+]?[\d.]+)/([\d.]+)", text):
            return float(fraction[1]) / float(fraction[2])
        if power := re.fullmatch(r"([-+]?[\d.]*)[x*]?10(?:\^|\*\*)\(?([-+]?\d+)\)?", text):
            return float(power[1] or 1) * 10.0 ** int(power[2])
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def tolerance_of(quiz: Quiz, right: float) -> float:
    """How far a number may be off."""
    return quiz.tolerance if quiz.tolerance is not None else TOLERANCE * abs(right)


def judge(computed: Computed, name: str, given: Any) -> Verdict:
    """What is to be said about the answer `given` to the question `name`."""
    quiz, right = computed.lesson.quizzes[name], computed.answer(name)
    if _same(quiz, given, right):
        return Verdict(right=True)
    if given is None:
        return Verdict(False, key=f"learn.unread_{quiz.kind}")
    for key, slip in quiz.mistakes.items():
        if _same(quiz, given, computed.answered(quiz, slip)):
            return Verdict(False, when=key)
    for known in computed.lesson.tellings.values():
        question = next((one for one in known.questions() if one.name == name), None)
        if question is not None and quiz.kind == "choice" and shown(given, minus="-") in question.when:
            return Verdict(False, when=shown(given, minus="-"))
    match quiz.kind:
        case "number":
            return _number(quiz, float(given), float(right))
        case "shape":
            return _shape(tuple(given), tuple(right))
        case "order":
            return _order(tuple(given), tuple(right))
        case "line":
            return _line(computed, quiz, int(given), int(right))
    return Verdict(False, key="learn.other_choice", values={"given": shown(given)})


def _same(quiz: Quiz, given: Any, right: Any) -> bool:
    if given is None:
        return False
    if quiz.kind == "number":
        if math.isnan(right) or math.isinf(right):
            return (math.isnan(given) and math.isnan(right)) or given == right
        return abs(float(given) - float(right)) <= tolerance_of(quiz, float(right)) + 1e-12 * abs(right)
    if quiz.kind in ("shape", "order"):
        return tuple(given) == tuple(right)
    if quiz.kind == "choice":
        return given == right or shown(given, minus="-") == shown(right, minus="-")
    return bool(given == right)


def _number(quiz: Quiz, given: float, right: float) -> Verdict:
    near = tolerance_of(quiz, right) + 1e-12 * abs(right)
    if math.isfinite(given) and math.isfinite(right) and right != 0:
        if abs(given + right) <= near:
            return Verdict(False, key="learn.sign_differs")
        if given == 0:
            return Verdict(False, key="learn.not_zero")
        ratio = given / right
        close = max(near / abs(right), 1e-9)
        for factor in (10, 100, 1000):
            if abs(ratio / factor - 1) <= close or abs(ratio * factor - 1) <= close:
                return Verdict(False, key="learn.point_moved")
        for factor in (2, 3, 4):
            if abs(ratio - factor) <= factor * close:
                return Verdict(False, key="learn.times_too_large", values={"factor": factor})
            if abs(ratio * factor - 1) <= close:
                return Verdict(False, key="learn.times_too_small", values={"factor": factor})
        if abs(given * right - 1) <= close:
            return Verdict(False, key="learn.turned_over")
        if abs(given - right) <= 5 * near:
            return Verdict(False, key="learn.more_digits")
        if given * right < 0:
            return Verdict(False, key="learn.other_sign")
        return Verdict(False, key="learn.too_large" if abs(given) > abs(right) else "learn.too_small")
    return Verdict(False, key="learn.is_zero" if right == 0 else "learn.not_finite")


def _shape(given: tuple[int, ...], right: tuple[int, ...]) -> Verdict:
    if sorted(given) == sorted(right):
        return Verdict(False, key="learn.axes_swapped", values={"given": shown(given)})
    if [size for size in given if size != 1] == [size for size in right if size != 1]:
        return Verdict(False, key="learn.axis_of_one")
    if len(given) != len(right):
        return Verdict(False, key="learn.rank_differs", values={"given": len(given)})
    if math.prod(given) == math.prod(right):
        return Verdict(False, key="learn.count_agrees", values={"count": math.prod(right)})
    alike = sum(one == other for one, other in zip(given, right, strict=True))
    if alike:
        return Verdict(False, key="learn.axes_right", values={"alike": alike, "rank": len(right)})
    return Verdict(False, key="learn.count_differs", values={"given": math.prod(given)})


def _order(given: tuple[str, ...], right: tuple[str, ...]) -> Verdict:
    if given == right[::-1]:
        return Verdict(False, key="learn.turned_round")
    alike = next((number for number, (one, other) in enumerate(zip(given, right, strict=False)) if one != other), len(right))
    if alike == 0:
        return Verdict(False, key="learn.first_differs", values={"given": given[0] if given else "–"})
    return Verdict(False, key="learn.first_right", values={"alike": alike, "after": right[alike - 1]})


def _line(computed: Computed, quiz: Quiz, given: int, right: int) -> Verdict:
    program = quiz.answer.program
    ops = [] if program is None else _ops_of(computed, program, given)
    where = "learn.line_before" if given < right else "learn.line_after"
    if ops:
        return Verdict(False, key=f"{where}_ops", values={"line": given, "ops": ", ".join(ops)})
    return Verdict(False, key=where, values={"line": given})


def _ops_of(computed: Computed, program: str, line: int) -> list[str]:
    trace = computed.trace(program)
    main = next(iter(trace.sources), None)
    ops = [node.op for node in trace.nodes if node.op and node.source and node.source.line == line and node.source.file == main]
    return list(dict.fromkeys(ops))[:4]
