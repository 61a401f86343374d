"""What torch computed, for the names in a lesson: out of shipped recordings, or of recorded.json for expressions.

Nothing here runs torch. A recording is what a program gave (a test holds each to a fresh run), and so is recorded.json (a test evaluates
its expressions anew).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from explorer.errors import RequestError
from explorer.figures import shape_text
from explorer.files import assets_folder, load
from explorer.lessons.markdown import PLACEHOLDER
from explorer.lessons.parts import Lesson, PlayerAt, Quiz, Wanted
from explorer.model import Node, Note, Trace
from explorer.steps import steps

__all__ = ["Computed", "MissingValue", "plain_value", "program_source", "sample_names", "sample_trace", "shown"]

PROGRAMS = Path(__file__).resolve().parent.parent / "capture" / "programs"
CODE_OR_MATHS = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`|\$\$.*?\$\$|(?<!\\)\$(?:[^$\n]|\n(?!\n))+\$)", re.DOTALL)
POWER = re.compile(r"([-+]?\d+(?:\.\d+)?)e([-+]?\d+)")


class MissingValue(RequestError):
    """A recording or recorded.json has no such value."""


@cache
def sample_names() -> frozenset[str]:
    """The programs of which a recording ships."""
    return frozenset(path.stem for path in (assets_folder() / "samples").glob("*.trace"))


@lru_cache(maxsize=8)
def sample_trace(program: str) -> Trace:
    """The recording of a program; raises MissingValue where none ships."""
    if program not in sample_names():
        raise MissingValue("lesson.unknown_program", program=program)
    return load(assets_folder() / "samples" / f"{program}.trace")


def program_source(program: str) -> str | None:
    """The text of a shipped program, one that trains included; None where there is none of this name."""
    if not re.fullmatch(r"\w+(/\w+)?", program, re.ASCII):
        return None
    for path in (PROGRAMS / f"{program}.py", PROGRAMS / "training" / f"{program}.py"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def plain_value(value: Any) -> Any:
    """A value of torch, NumPy or Python as JSON holds it: numbers, words, lists of them."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain_value(one) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset | range):
        return [plain_value(one) for one in value]
    if hasattr(value, "tolist"):  # a tensor, an array, or one number of NumPy's
        return plain_value(value.detach().tolist() if hasattr(value, "detach") else value.tolist())
    return str(value).removeprefix("torch.")  # a data type, a device, a layout


def shown(value: Any, format: str | None = None, *, minus: str = "−") -> str:
    """A value as it stands in a text: floats with four significant digits, shapes as Python writes them."""
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, tuple):  # a shape
        inside = ", ".join(str(size) for size in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return "[" + ", ".join(shown(one, format, minus=minus) for one in value) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown(one, format, minus=minus)}" for key, one in value.items())
    text = value.__format__(format) if format else str(value) if isinstance(value, int) else _significant(float(value))
    return text.replace("-", minus)


def _significant(value: float) -> str:
    text = f"{value:#.4g}" if value == value and abs(value) not in (0, float("inf")) else f"{value:g}"
    return text.rstrip(".") if "e" not in text else f"{value:.4g}"


class Computed:
    """The numbers, answers and steps of one lesson."""

    def __init__(self, lesson: Lesson, traces: Callable[[str], Trace] = sample_trace) -> None:
        self.lesson = lesson
        self._traces = traces

    def trace(self, program: str) -> Trace:
        """The recording of a program."""
        if program not in sample_names():
            raise MissingValue("lesson.unknown_program", program=program)
        return self._traces(program)

    def filled(self, text: str) -> str:
        """The text with its numbers, the minus sign as each surrounding wants it: printed in words, typed in code and formulas."""
        parts = CODE_OR_MATHS.split(text)
        return "".join(PLACEHOLDER.sub(lambda found, part=part: self._placed(found[1], part), part) for part in parts)

    def _placed(self, name: str, around: str) -> str:
        wanted = self.lesson.numbers.get(name)
        if wanted is None:
            raise MissingValue("lesson.unknown_placeholder", name=name)
        fits = CODE_OR_MATHS.fullmatch(around)
        text = shown(self.value(wanted), wanted.format, minus="-" if fits else "−")
        if fits and around.startswith("$"):
            return POWER.sub(lambda power: f"{power[1]} \\times 10^{{{int(power[2])}}}", text)
        return text

    def value(self, wanted: Wanted) -> Any:
        """What was asked for: a shape as a tuple, an array as nested lists."""
        if wanted.value is not None:
            return wanted.value
        if wanted.expression is not None:
            if wanted.expression not in self.lesson.recorded:
                raise MissingValue("lesson.not_recorded", expression=wanted.expression)
            return self._cell(self.lesson.recorded[wanted.expression], wanted.cell)
        if wanted.program is None or wanted.of is None or wanted.what is None:
            raise MissingValue("lesson.wanted_how", name=wanted.of or "")
        node = self.node(wanted.program, wanted.of, wanted.nth)
        return self._noted(self.trace(wanted.program), node, wanted)

    def answer(self, name: str) -> Any:
        """The right answer to a question: for an order its items, for a line its number, for a shape a tuple."""
        return self.answered(self.lesson.quizzes[name], self.lesson.quizzes[name].answer)

    def answered(self, quiz: Quiz, wanted: Wanted) -> Any:
        """The same for the answer of somebody who slips."""
        if wanted.value is not None:
            return tuple(wanted.value) if quiz.kind in ("shape", "order") and isinstance(wanted.value, list) else wanted.value
        if quiz.kind == "order" and wanted.expression is None:
            return self._ordered(quiz, wanted)
        if quiz.kind == "line" and wanted.expression is None:
            return self._line(wanted)
        value = self.value(wanted)
        if quiz.kind in ("shape", "order") and isinstance(value, list):
            return tuple(value)
        if quiz.kind == "number" and isinstance(value, list):
            return _only(value)
        return value

    def node(self, program: str, of: str, nth: int | None = None) -> Node:
        """The node of a variable, a parameter, or an op; "mul:2" is the second mul. Of several one has to be named by `nth`."""
        if nth is None and (found := re.fullmatch(r"(.+):(\d+)", of)):
            of, nth = found[1], int(found[2])
        trace = self.trace(program)
        nodes = [node for node in trace.nodes if node.name == of or of in node.names] or [node for node in trace.nodes if node.op == of]
        if not nodes:
            raise MissingValue("lesson.no_node", program=program, of=of)
        if nth is None and len(nodes) > 1:
            raise MissingValue("lesson.several_nodes", program=program, of=of, count=len(nodes))
        if not 1 <= (nth or 1) <= len(nodes):
            raise MissingValue("lesson.no_nth", program=program, of=of, count=len(nodes), nth=nth)
        return nodes[(nth or 1) - 1]

    def step(self, at: PlayerAt) -> int:
        """The number of the step at which a player stands, from 1."""
        trace = self.trace(at.program)
        every = steps(trace)
        if at.step is not None:
            if not 1 <= at.step <= len(every):
                raise MissingValue("lesson.no_step", program=at.program, step=at.step, count=len(every))
            return at.step
        found = [
            number
            for number, step in enumerate(every, start=1)
            if step.phase == at.phase and (at.op is None or (step.node is not None and _is(trace.nodes[step.node], at.op)))
        ]
        if not 1 <= at.nth <= len(found):
            raise MissingValue("lesson.no_such_step", program=at.program, phase=at.phase, op=at.op or "–", count=len(found), nth=at.nth)
        return found[at.nth - 1]

    def _ordered(self, quiz: Quiz, wanted: Wanted) -> tuple[str, ...]:
        if wanted.program is None:
            raise MissingValue("lesson.wanted_how", name="items")
        trace = self.trace(wanted.program)
        ran = trace.forward if wanted.what == "forward" else trace.backward
        place = {node: number for number, node in enumerate(ran)}
        nodes = {item: self.node(wanted.program, item) for item in quiz.items}
        for item, node in nodes.items():
            if node.id not in place:
                raise MissingValue("lesson.not_in_order", program=wanted.program, of=item)
        return tuple(sorted(quiz.items, key=lambda item: place[nodes[item].id]))

    def _line(self, wanted: Wanted) -> int:
        if wanted.program is None:
            raise MissingValue("lesson.wanted_how", name="line")
        trace = self.trace(wanted.program)
        if wanted.finding is not None:
            sources = [finding.source for finding in trace.findings if finding.kind == wanted.finding and finding.source is not None]
            if not sources:
                raise MissingValue("lesson.no_finding", program=wanted.program, finding=wanted.finding)
            return sources[(wanted.nth or 1) - 1].line
        if wanted.of is None:
            raise MissingValue("lesson.wanted_how", name="line")
        source = self.node(wanted.program, wanted.of, wanted.nth).source
        if source is None:
            raise MissingValue("lesson.no_line", program=wanted.program, of=wanted.of)
        return source.line

    def _noted(self, trace: Trace, node: Node, wanted: Wanted) -> Any:
        note = _note(trace, node, wanted.what or "value")
        if note is None:
            raise MissingValue("lesson.no_value", program=wanted.program, of=wanted.of, what=wanted.what)
        if wanted.what == "shape":
            return note.shape if wanted.cell is None else note.shape[wanted.cell[0]]
        if wanted.what == "dtype":
            return note.dtype
        if note.values is None:
            raise MissingValue("lesson.too_large", program=wanted.program, of=wanted.of, shape=shape_text(note.shape))
        value = plain_value(note.values)
        return self._cell(value, wanted.cell) if wanted.cell is not None or (note.numel or 0) != 1 else _only(value)

    def _cell(self, value: Any, cell: tuple[int, ...] | None) -> Any:
        for index in cell or ():
            if not isinstance(value, list) or not -len(value) <= index < len(value):
                raise MissingValue("lesson.no_cell", cell=list(cell or ()))
            value = value[index]
        return value


def _is(node: Node, name: str) -> bool:
    return node.op == name or node.name == name or name in node.names


def _note(trace: Trace, node: Node, what: str) -> Note | None:
    if what == "gradient":
        return node.gradients[0] if node.gradients else None
    if what == "grad":
        return node.accumulated.after if node.accumulated else None
    if what == "updated":
        return next((update.after for update in trace.updates if update.node == node.id), None)
    return node.outputs[0] if node.outputs else None


def _only(value: Any) -> Any:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value
