"""Reads the files of a lesson: lesson.toml, a text a language, and recorded.json."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from explorer.errors import FileError
from explorer.files import assets_folder
from explorer.lessons.markdown import read_markdown
from explorer.lessons.parts import KINDS, WHAT, Control, Kind, Lesson, Mistake, PlayerAt, Quiz, Telling, Wanted
from explorer.steps import Phase
from explorer.text import LANGUAGES

__all__ = ["lesson_names", "lessons_folder", "read", "read_lesson"]

FOLDER = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*")
RECORDED = "recorded.json"
SETTINGS = "lesson.toml"
WANTED_KEYS = ("program", "of", "nth", "what", "cell", "expression", "finding", "format", "value")
TABLES = {
    "player": ("program", "step", "phase", "op", "nth", "opened"),
    "numbers": WANTED_KEYS,
    "question": (*WANTED_KEYS, "kind", "tolerance", "items", "options", "mistakes"),
}


def lessons_folder() -> Path:
    """Where the lessons lie: those that come with the program, or in the folder that an author's AUTOGRAD_EXPLORER_LESSONS names."""
    named = os.environ.get("AUTOGRAD_EXPLORER_LESSONS")
    return Path(named) if named else assets_folder() / "lessons"


def lesson_names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of the lessons in their order."""
    place = folder or lessons_folder()
    if not place.is_dir():
        return ()
    return tuple(sorted(one.name for one in place.iterdir() if one.is_dir() and FOLDER.fullmatch(one.name)))


def read_lesson(folder: Path) -> Lesson:
    """The lesson in a folder; raises FileError with the first mistake in how it is written."""
    lesson, mistakes = read(folder)
    if lesson is None or mistakes:
        first = mistakes[0]
        raise FileError("lesson.broken", file=first.file, line=first.line, mistake=first.say()[len(f"{first.file}:{first.line}: ") :])
    return lesson


def read(folder: Path) -> tuple[Lesson | None, list[Mistake]]:
    """The lesson, as far as it can be read, and what is wrong with how it is written."""
    mistakes: list[Mistake] = []
    tellings: dict[str, Telling] = {}
    for language in LANGUAGES:
        text = _text(folder / f"{language}.md", mistakes, key="lesson.missing_language")
        if text is not None:
            tellings[language], found = read_markdown(text, file=f"{folder.name}/{language}.md")
            mistakes += found
    text = _text(folder / SETTINGS, mistakes, key="lesson.missing_settings")
    if text is None:
        return None, mistakes
    file = f"{folder.name}/{SETTINGS}"
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        mistakes.append(Mistake(file, int(at[1]) if at else len(text.splitlines()), "lesson.no_toml", {"reason": str(error)}))
        return None, mistakes
    settings = _Settings(document, lines_of(text), file, mistakes)
    return settings.lesson(folder, tellings, _recorded(folder, mistakes)), mistakes


def _text(path: Path, mistakes: list[Mistake], *, key: str) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        mistakes.append(Mistake(f"{path.parent.name}/{path.name}", 1, key, {"file": path.name}))
        return None


def _recorded(folder: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    path = folder / RECORDED
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["values"]
    except (OSError, ValueError, KeyError, TypeError):
        values = None
    if isinstance(values, dict):
        return values
    mistakes.append(Mistake(f"{folder.name}/{RECORDED}", 1, "lesson.no_recorded", {"file": RECORDED}))
    return {}


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Where each table and each key of a TOML text stands, for one that is written as ours are: a header a table, a line a key."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            found.setdefault(table, number)
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            found.setdefault((*table, key[1]), number)
    return found


class _Settings:
    """lesson.toml, on its way to a lesson."""

    def __init__(self, document: Mapping[str, Any], lines: Mapping[tuple[str, ...], int], file: str, mistakes: list[Mistake]) -> None:
        self.document, self.lines, self.file, self.mistakes = document, lines, file, mistakes

    def wrong(self, place: tuple[str, ...], key: str, /, **values: object) -> None:
        self.mistakes.append(Mistake(self.file, self.line(place), f"lesson.{key}", values))

    def line(self, place: tuple[str, ...]) -> int:
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def lesson(self, folder: Path, tellings: Mapping[str, Telling], recorded: Mapping[str, Any]) -> Lesson:
        given = self.document.get("minutes")
        minutes = given if isinstance(given, int) and _is_whole(given) else 0
        if minutes < 1:
            self.wrong(("minutes",), "no_minutes")
        setup = self.document.get("setup", "")
        for name in self.document.keys() - {"minutes", "setup", "player", "numbers", "question", "try"}:
            self.wrong((name,), "unknown_key", key=name, known="minutes, setup, player, numbers, question, try")
        players = {name: self.player(("player", name), table) for name, table in self.tables("player")}
        numbers = {name: self.wanted(("numbers", name), table) for name, table in self.tables("numbers")}
        quizzes = {name: self.quiz(("question", name), table) for name, table in self.tables("question")}
        controls = {name: self.control(("try", name), table) for name, table in self.tables("try")}
        return Lesson(folder.name, minutes, tellings, players, numbers, quizzes, controls, str(setup), recorded)

    def tables(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        found = self.document.get(kind, {})
        if not isinstance(found, Mapping):
            self.wrong((kind,), "no_table", name=kind)
            return []
        tables = []
        for name, table in found.items():
            if not isinstance(table, Mapping):
                self.wrong((kind, name), "no_table", name=f"{kind}.{name}")
                continue
            for key in table.keys() - set(TABLES.get(kind, table)):
                self.wrong((kind, name, key), "unknown_key", key=key, known=", ".join(TABLES[kind]))
            tables.append((name, table))
        return tables

    def typed(self, place: tuple[str, ...], table: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
        """`table[key]` if it is of this type; bool is no int."""
        value = table.get(key)
        if value is None:
            return default
        fine = _is_whole(value) if kind is int else isinstance(value, kind)
        if not fine:
            self.wrong((*place, key), "wrong_type", key=key, kind=kind.__name__)
            return default
        return value

    def player(self, place: tuple[str, ...], table: Mapping[str, Any]) -> PlayerAt:
        program = self.typed(place, table, "program", str, "")
        if not program:
            self.wrong(place, "no_program", name=place[-1])
        phase = self.typed(place, table, "phase", str)
        if phase is not None and phase not in get_args(Phase):
            self.wrong((*place, "phase"), "unknown_phase", phase=phase, known=", ".join(get_args(Phase)))
        step, nth = self.typed(place, table, "step", int), self.typed(place, table, "nth", int, 1)
        if (step is None) == (phase is None):
            self.wrong(place, "player_where", name=place[-1])
        opened = tuple(str(one) for one in self.typed(place, table, "opened", list, []))
        return PlayerAt(self.line(place), program, step, phase, self.typed(place, table, "op", str), nth, opened)

    def wanted(self, place: tuple[str, ...], table: Mapping[str, Any], *, loose: bool = False) -> Wanted:
        """`loose`: an order has items instead of `of`, a line may have a finding, a mistake a literal value."""
        of, what = self.typed(place, table, "of", str), self.typed(place, table, "what", str)
        expression, program = self.typed(place, table, "expression", str), self.typed(place, table, "program", str)
        if what is not None and what not in WHAT and not loose:
            self.wrong((*place, "what"), "unknown_what", what=what, known=", ".join(WHAT))
        if expression is not None and "\n" in expression.strip():
            self.wrong((*place, "expression"), "long_expression")
        full = program is not None and of is not None and what is not None
        if not loose and (expression is None) != full:
            self.wrong(place, "wanted_how", name=place[-1])
        cell = self.typed(place, table, "cell", list)
        if cell is not None and not all(map(_is_whole, cell)):
            self.wrong((*place, "cell"), "wrong_type", key="cell", kind="list of int")
            cell = None
        finding, format = self.typed(place, table, "finding", str), self.typed(place, table, "format", str)
        nth = self.typed(place, table, "nth", int)
        where = None if cell is None else tuple(cell)
        return Wanted(self.line(place), program, of, nth, what, where, expression, finding, format, table.get("value"))

    def quiz(self, place: tuple[str, ...], table: Mapping[str, Any]) -> Quiz:
        asked = table.get("kind")
        kind: Kind = next((known for known in KINDS if known == asked), "number")
        if kind != asked:
            self.wrong((*place, "kind"), "unknown_kind", kind=asked, known=", ".join(KINDS))
        answer = self.wanted(place, table, loose=kind in ("order", "line"))
        tolerance = table.get("tolerance")
        if tolerance is not None and (isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or tolerance < 0):
            self.wrong((*place, "tolerance"), "wrong_type", key="tolerance", kind="float")
            tolerance = None
        items = tuple(self.typed(place, table, "items", list, []))
        options = tuple(self.typed(place, table, "options", list, []))
        if kind == "order" and len(items) < 2:
            self.wrong((*place, "items"), "few_items", name=place[-1])
        if kind == "choice" and len(options) < 2:
            self.wrong((*place, "options"), "few_options", name=place[-1])
        mistakes = {}
        for name, one in self.typed(place, table, "mistakes", dict, {}).items():
            here = (*place, "mistakes", name)
            if not isinstance(one, Mapping):
                self.wrong(here, "no_table", name=".".join(here))
                continue
            full = {**{key: table[key] for key in ("program",) if key in table and "expression" not in one}, **one}
            literal = "value" in one
            mistakes[name] = self.wanted(here, full, loose=literal or kind in ("order", "line"))
        return Quiz(self.line(place), kind, answer, tolerance, items, options, mistakes)

    def control(self, place: tuple[str, ...], table: Mapping[str, Any]) -> Control:
        name = self.typed(place, table, "control", str, "")
        if not name:
            self.wrong(place, "no_control", name=place[-1])
        return Control(self.line(place), name, {key: value for key, value in table.items() if key != "control"})


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
