"""The text of a lesson in one language: Markdown with directives, read into its pieces.

A directive is a line of its own that begins with `:::`; in a fenced block of code nothing is one. Mistakes are gathered, not raised: an
author wants to see all of them at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from explorer.lessons.parts import Block, Code, Mistake, Player, Question, Section, Summary, Telling, Text, Try

__all__ = ["PLACEHOLDER", "placeholders", "read_markdown"]

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
DIRECTIVE = re.compile(r"^:::\s*(?:(\w+)(?:\s+(.+?))?)?\s*$")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
BARE = {"player": Player, "try": Try, "code": Code}
INSIDE = ("hint", "when", "why", "option")


def placeholders(text: str) -> list[str]:
    """The names in `{{…}}`, in the order in which they stand."""
    return PLACEHOLDER.findall(text)


@dataclass(slots=True)
class _Open:
    """A directive with a body that is not closed yet: its parts as (what, name, lines)."""

    line: int
    what: str
    name: str
    parts: list[tuple[str, str, list[str]]] = field(default_factory=list)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.title = ""
        self.goal: list[str] = []
        self.sections: list[tuple[int, str, list[Block]]] = [(1, "", [])]
        self.text: list[str] = []
        self.text_line = 1
        self.open: _Open | None = None
        self.fence = ""
        self.mistakes: list[Mistake] = []

    def wrong(self, line: int, key: str, **values: object) -> None:
        self.mistakes.append(Mistake(self.file, line, f"lesson.{key}", values))

    def read(self, lines: list[str]) -> None:
        for number, line in enumerate(lines, start=1):
            fence = FENCE.match(line)
            if fence and (not self.fence or fence[1].startswith(self.fence)):
                self.fence = "" if self.fence else fence[1]
                self.take(number, line)
            elif self.fence:
                self.take(number, line)
            elif line.startswith(":::"):
                self.directive(number, line)
            elif number == 1:
                self.heading(line)
            elif line.startswith("## ") and self.open is None:
                self.flush()
                self.sections.append((number, line[3:].strip(), []))
            elif line.startswith(">") and len(self.sections) == 1 and not any(part.strip() for part in self.text):
                self.goal.append(line[1:].strip())
            else:
                self.take(number, line)
        if self.open is not None:
            self.wrong(self.open.line, "not_closed", what=self.open.what, name=self.open.name)
        if self.fence:
            self.wrong(len(lines), "fence_open")
        self.flush()
        if not self.goal:
            self.wrong(2, "no_goal")

    def heading(self, line: str) -> None:
        if line.startswith("# ") and line[2:].strip():
            self.title = line[2:].strip()
        else:
            self.wrong(1, "no_title")

    def take(self, number: int, line: str) -> None:
        if self.open is not None:
            self.open.parts[-1][2].append(line)
            return
        if not self.text:
            self.text_line = number
        self.text.append(line)

    def flush(self) -> None:
        text = "\n".join(self.text).strip()
        if text:
            skipped = next(index for index, line in enumerate(self.text) if line.strip())
            self.sections[-1][2].append(Text(self.text_line + skipped, text))
        self.text = []

    def directive(self, number: int, line: str) -> None:
        found = DIRECTIVE.match(line)
        what, name = (found[1] or "", found[2] or "") if found else ("?", "")
        if not what:
            self.close(number)
        elif what in INSIDE:
            self.inside(number, what, name)
        elif self.open is not None:
            self.wrong(number, "nested", what=what, name=self.open.name or self.open.what)
        elif what in BARE:
            self.flush()
            self.sections[-1][2].append(_bare(what, number, name))
            if not name:
                self.wrong(number, "no_name", what=what)
        elif what in ("question", "summary"):
            self.flush()
            if what == "question" and not name:
                self.wrong(number, "no_name", what=what)
            self.open = _Open(number, what, name, [("asked", "", [])])
        else:
            self.wrong(number, "unknown_directive", what=what)

    def inside(self, number: int, what: str, name: str) -> None:
        if self.open is None or self.open.what != "question":
            self.wrong(number, "outside", what=what)
            return
        if what in ("when", "option") and not name:
            self.wrong(number, "no_name", what=what)
        if (what, name) in [part[:2] for part in self.open.parts]:
            self.wrong(number, "twice", what=f"{what} {name}".strip(), name=self.open.name)
        self.open.parts.append((what, name, []))

    def close(self, number: int) -> None:
        if self.open is None:
            self.wrong(number, "nothing_open")
            return
        done, self.open = self.open, None
        parts = [(what, name, "\n".join(lines).strip()) for what, name, lines in done.parts]
        if done.what == "summary":
            self.sections[-1][2].append(Summary(done.line, parts[0][2]))
            return
        one = {what: text for what, _, text in parts}
        for what in ("asked", "hint", "why"):
            if not one.get(what):
                self.wrong(done.line, f"question_without_{what}", name=done.name)
        named = {kind: {name: text for what, name, text in parts if what == kind} for kind in ("when", "option")}
        texts = one.get("asked", ""), one.get("hint", ""), one.get("why", "")
        self.sections[-1][2].append(Question(done.line, done.name, *texts, named["when"], named["option"]))


def _bare(what: str, line: int, name: str) -> Block:
    if what == "player":
        return Player(line, name)
    return Try(line, name) if what == "try" else Code(line, name)


def read_markdown(text: str, *, file: str) -> tuple[Telling, list[Mistake]]:
    """The pieces of a text, and what is wrong with how it is written."""
    reader = _Reader(file)
    reader.read(text.splitlines())
    sections = tuple(Section(line, title, tuple(blocks)) for line, title, blocks in reader.sections if title or blocks)
    return Telling(file, reader.title, " ".join(reader.goal), sections), reader.mistakes
