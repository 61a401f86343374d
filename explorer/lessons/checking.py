"""An author's mistakes: what a lesson names that is not there, what its two languages do not share, what a question cannot mean.

Each is one sentence with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from explorer.errors import RequestError
from explorer.lessons.answers import judge
from explorer.lessons.computed import Computed, program_source, sample_names, shown
from explorer.lessons.markdown import PLACEHOLDER, placeholders
from explorer.lessons.opened import folding_with
from explorer.lessons.parts import (
    Block,
    Code,
    Lesson,
    Mistake,
    Player,
    PlayerAt,
    Question,
    Quiz,
    Section,
    Summary,
    Telling,
    Text,
    Try,
    Wanted,
)
from explorer.lessons.reading import RECORDED, SETTINGS, read

__all__ = ["FEWEST_QUESTIONS", "check_lesson"]

FEWEST_QUESTIONS = 3
FIGURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)")
# `**…**` that CommonMark does not take for bold: after punctuation, with a letter right behind it, as Korean particles are.
NOT_BOLD = re.compile(r"\*\*[^*\n]+?[)\]’”\"'`.,:%]\*\*(?=[\uac00-\ud7a3A-Za-z])")


def check_lesson(folder: Path, *, controls: Collection[str]) -> list[Mistake]:
    """Everything that is wrong with the lesson in a folder; `controls` are the names of those that ship."""
    lesson, mistakes = read(folder)
    if lesson is None:
        return mistakes
    checks = _Checks(lesson, set(controls))
    checks.run()
    return sorted([*mistakes, *checks.mistakes], key=lambda one: (one.file, one.line))


class _Checks:
    def __init__(self, lesson: Lesson, controls: set[str]) -> None:
        self.lesson, self.controls = lesson, controls
        self.computed = Computed(lesson)
        self.mistakes: list[Mistake] = []

    def wrong(self, file: str, line: int, key: str, /, **values: object) -> None:
        self.mistakes.append(Mistake(file, line, f"lesson.{key}", values))

    def wrong_setting(self, line: int, key: str, /, **values: object) -> None:
        self.wrong(f"{self.lesson.name}/{SETTINGS}", line, key, **values)

    def run(self) -> None:
        for telling in self.lesson.tellings.values():
            self.telling(telling)
        if len(self.lesson.tellings) == 2:
            self.both(*self.lesson.tellings.values())
        self.settings()

    # -- one language ------------------------------------------------------------------------------------------------------------------

    def telling(self, telling: Telling) -> None:
        blocks = list(telling.blocks())
        for block in blocks:
            for line, text in _texts(block):
                self.placed(telling.file, line, text)
            self.named(telling, block)
        questions = [block.name for block in blocks if isinstance(block, Question)]
        for name in {name for name in questions if questions.count(name) > 1}:
            line = [block.line for block in blocks if isinstance(block, Question) and block.name == name][1]
            self.wrong(telling.file, line, "asked_twice", name=name)
        if len(questions) < FEWEST_QUESTIONS:
            self.wrong(telling.file, 1, "few_questions", count=len(questions), fewest=FEWEST_QUESTIONS)
        if not any(isinstance(block, Try) for block in blocks):
            self.wrong(telling.file, 1, "no_try")
        if not blocks or not isinstance(blocks[-1], Summary):
            self.wrong(telling.file, blocks[-1].line if blocks else 1, "no_summary")

    def placed(self, file: str, line: int, text: str) -> None:
        for number, part in enumerate(text.split("\n")):
            for name in placeholders(part):
                if name not in self.lesson.numbers:
                    self.wrong(file, line + number, "unknown_placeholder", name=name)
            if "{{" in PLACEHOLDER.sub("", part) and "$" not in part:
                self.wrong(file, line + number, "broken_placeholder")
            if found := NOT_BOLD.search(part):
                self.wrong(file, line + number, "not_bold", text=found[0])

    def named(self, telling: Telling, block: Block) -> None:
        lesson, file = self.lesson, telling.file
        match block:
            case Player(line, name) if name not in lesson.players:
                self.wrong(file, line, "unknown_player", name=name)
            case Try(line, name) if name not in lesson.controls:
                self.wrong(file, line, "unknown_try", name=name)
            case Code(line, program) if program_source(program) is None:
                self.wrong(file, line, "unknown_program", program=program)
            case Question(line=line, name=name):
                quiz = lesson.quizzes.get(name)
                if quiz is None:
                    self.wrong(file, line, "unknown_question", name=name)
                    return
                known = {*quiz.mistakes, *(shown(option, minus="-") for option in quiz.options)}
                for key in block.when.keys() - known:
                    self.wrong(file, line, "when_without_mistake", name=name, when=key)
                for key in quiz.mistakes.keys() - block.when.keys():
                    self.wrong(file, line, "mistake_without_when", name=name, when=key)
                for key in block.options.keys() - {shown(option, minus="-") for option in quiz.options}:
                    self.wrong(file, line, "unknown_option", name=name, option=key)

    # -- both languages ----------------------------------------------------------------------------------------------------------------

    def both(self, one: Telling, other: Telling) -> None:
        if len(one.sections) != len(other.sections):
            self.wrong(other.file, 1, "sections_differ", count=len(other.sections), other=one.file, wanted=len(one.sections))
            return
        for here, there in zip(one.sections, other.sections, strict=True):
            mine, theirs = [[_directive(block) for block in part.blocks if not isinstance(block, Text)] for part in (here, there)]
            if mine != theirs:
                odd = next((two for two in zip(mine, theirs, strict=False) if two[0] != two[1]), (mine[len(theirs) :], theirs[len(mine) :]))
                said = [str(side[0] if isinstance(side, list) and side else side or "–") for side in odd]
                self.wrong(other.file, there.line, "directives_differ", here=said[1], there=said[0], file=one.file, line=here.line)
                continue
            for name, pattern in {"placeholders_differ": PLACEHOLDER, "figures_differ": FIGURE}.items():
                left, right = [set(pattern.findall(_all_text(part))) for part in (here, there)]
                if left != right:
                    names = ", ".join(sorted(left ^ right))
                    self.wrong(other.file, there.line, name, names=names, file=one.file, line=here.line)

    # -- lesson.toml -------------------------------------------------------------------------------------------------------------------

    def settings(self) -> None:
        lesson = self.lesson
        used = [block for telling in lesson.tellings.values() for block in telling.blocks()]
        names = {kind: {block.name for block in used if isinstance(block, kind)} for kind in (Player, Try, Question)}
        numbers = {name for block in used for _, text in _texts(block) for name in placeholders(text)}
        for name, at in lesson.players.items():
            self.player(name, at)
            if name not in names[Player]:
                self.wrong_setting(at.line, "not_used", kind="player", name=name)
        for name, wanted in lesson.numbers.items():
            self.wanted(wanted)
            if name not in numbers:
                self.wrong_setting(wanted.line, "not_used", kind="numbers", name=name)
        for name, control in lesson.controls.items():
            if control.control not in self.controls:
                known = ", ".join(sorted(self.controls))
                self.wrong_setting(control.line, "unknown_control", control=control.control, known=known)
            if name not in names[Try]:
                self.wrong_setting(control.line, "not_used", kind="try", name=name)
        for name, quiz in lesson.quizzes.items():
            self.quiz(name, quiz)
            if name not in names[Question]:
                self.wrong_setting(quiz.line, "not_used", kind="question", name=name)

    def player(self, name: str, at: PlayerAt) -> None:
        try:
            self.computed.step(at)
            if at.opened:
                folding_with(self.computed.trace(at.program), at.opened)
        except RequestError as error:
            self.told(at.line, error)

    def wanted(self, wanted: Wanted) -> None:
        if wanted.program is not None and wanted.program not in sample_names():
            self.wrong_setting(wanted.line, "unknown_program", program=wanted.program)
            return
        try:
            shown(self.computed.value(wanted), wanted.format)
        except RequestError as error:
            self.told(wanted.line, error)
        except (ValueError, TypeError) as error:
            self.wrong_setting(wanted.line, "wrong_format", format=wanted.format, reason=str(error))

    def quiz(self, name: str, quiz: Quiz) -> None:
        try:
            answer = self.computed.answer(name)
            verdict = judge(self.computed, name, answer)
            if not verdict.right:
                self.wrong_setting(quiz.line, "answer_is_wrong", name=name, answer=shown(answer))
            fits = {"number": int | float, "shape": tuple, "order": tuple, "line": int}.get(quiz.kind)
            nested = quiz.kind == "shape" and isinstance(answer, tuple) and not all(isinstance(size, int) for size in answer)
            if nested or (fits is not None and not isinstance(answer, fits)):
                self.wrong_setting(quiz.line, "answer_kind", name=name, kind=quiz.kind, answer=shown(answer))
            if quiz.kind == "choice" and not any(shown(answer, minus="-") == shown(option, minus="-") for option in quiz.options):
                self.wrong_setting(quiz.line, "answer_no_option", name=name, answer=shown(answer))
            if quiz.kind == "order" and (sorted(answer) != sorted(set(quiz.items)) or answer == quiz.items):
                self.wrong_setting(quiz.line, "order_is_answer" if answer == quiz.items else "order_items", name=name)
            for key, slip in quiz.mistakes.items():
                if judge(self.computed, name, self.computed.answered(quiz, slip)).when != key:
                    self.wrong_setting(slip.line, "mistake_is_answer", name=name, when=key)
        except RequestError as error:
            self.told(quiz.line, error)
        except (ValueError, TypeError) as error:
            self.wrong_setting(quiz.line, "answer_broken", name=name, reason=str(error))

    def told(self, line: int, error: RequestError) -> None:
        file = RECORDED if error.key == "lesson.not_recorded" else SETTINGS
        self.mistakes.append(Mistake(f"{self.lesson.name}/{file}", 1 if file == RECORDED else line, error.key, error.values))


def _all_text(section: Section) -> str:
    return "\n".join(text for block in section.blocks for _, text in _texts(block))


def _directive(block: Block) -> str:
    match block:
        case Question(name=name, when=when, options=options):
            return " ".join(["question", name, *(f"when {key}" for key in when), *(f"option {key}" for key in options)])
        case Code(program=program):
            return f"code {program}"
        case Player(name=name) | Try(name=name):
            return f"{type(block).__name__.lower()} {name}"
    return type(block).__name__.lower()


def _texts(block: Block) -> Iterator[tuple[int, str]]:
    match block:
        case Text(line, text) | Summary(line, text):
            yield line, text
        case Question(line=line):
            for text in (block.asked, block.hint, *block.when.values(), *block.options.values(), block.why):
                yield line, text
