"""The pieces of a lesson: frozen, plain values, as its author wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from explorer.text import say

__all__ = [
    "KINDS",
    "WHAT",
    "Block",
    "Code",
    "Control",
    "Kind",
    "Lesson",
    "Mistake",
    "Player",
    "PlayerAt",
    "Question",
    "Quiz",
    "Section",
    "Summary",
    "Telling",
    "Text",
    "Try",
    "Wanted",
]

Kind = Literal["number", "shape", "order", "line", "choice"]
KINDS: tuple[Kind, ...] = ("number", "shape", "order", "line", "choice")
WHAT = ("value", "gradient", "grad", "updated", "shape", "dtype")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that is wrong in a lesson's file, at a line of it; `key` is a sentence of `explorer.text`."""

    file: str
    line: int
    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def say(self, language: str = "en") -> str:
        """The file, the line, and the sentence."""
        return f"{self.file}:{self.line}: {say(self.key, language, **self.values)}"


# -- the text in one language ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown as it was written, with its placeholders."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Player:
    """The player stands here."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Try:
    """A control to touch stands here."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """The source of a shipped program stands here, in full."""

    line: int
    program: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, with what is said on the way to its answer and after it: `when` maps a mistake's name to a reaction."""

    line: int
    name: str
    asked: str
    hint: str
    why: str
    when: Mapping[str, str]
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is to be remembered."""

    line: int
    text: str


Block = Text | Player | Try | Code | Question | Summary


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (none for what stands before the first) and what follows it."""

    line: int
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """The lesson in one language: `goal` is what one can do after it."""

    file: str
    title: str
    goal: str
    sections: tuple[Section, ...]

    def blocks(self) -> Iterator[Block]:
        """All of them, in the order in which they stand."""
        for section in self.sections:
            yield from section.blocks

    def questions(self) -> tuple[Question, ...]:
        """The questions in the order in which they are asked."""
        return tuple(block for block in self.blocks() if isinstance(block, Question))


# -- lesson.toml -------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that torch computed, by the keys with which lesson.toml asks for it; `value` is a literal, for a mistake only."""

    line: int
    program: str | None = None
    of: str | None = None
    nth: int | None = None
    what: str | None = None
    cell: tuple[int, ...] | None = None
    expression: str | None = None
    finding: str | None = None
    format: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class PlayerAt:
    """A program in the player, and where it stands: at a step, or at the first (`nth`) step of a phase, of an op or variable in it."""

    line: int
    program: str
    step: int | None = None
    phase: str | None = None
    op: str | None = None
    nth: int = 1
    opened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiz:
    """How a question is answered: `items` are put in order, `options` chosen from; `mistakes` are the answers of those who slip."""

    line: int
    kind: Kind
    answer: Wanted
    tolerance: float | None = None
    items: tuple[str, ...] = ()
    options: tuple[Any, ...] = ()
    mistakes: Mapping[str, Wanted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """A shipped control with its settings."""

    line: int
    control: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson: the telling in each language, and what its names stand for. `recorded` maps an expression to what torch gave for it."""

    name: str
    minutes: int
    tellings: Mapping[str, Telling]
    players: Mapping[str, PlayerAt]
    numbers: Mapping[str, Wanted]
    quizzes: Mapping[str, Quiz]
    controls: Mapping[str, Control]
    setup: str
    recorded: Mapping[str, Any]

    def expressions(self) -> tuple[str, ...]:
        """Every expression that torch has to evaluate, once, in the order in which they stand."""
        wanted = [*self.numbers.values()]
        for quiz in self.quizzes.values():
            wanted += [quiz.answer, *quiz.mistakes.values()]
        return tuple(dict.fromkeys(one.expression for one in wanted if one.expression is not None))
