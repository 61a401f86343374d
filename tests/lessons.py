"""For whoever writes a lesson: `python tests/lessons.py [NAME …]` says what is wrong in it, `--write` first evaluates its expressions.

Without a name all lessons are looked at. `--write` runs torch and writes recorded.json; tests/test_lessons.py evaluates all of them again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from explorer.lessons import Lesson, Mistake, check_lesson, lesson_names, plain_value  # noqa: E402
from explorer.lessons.reading import RECORDED, SETTINGS, read  # noqa: E402
from explorer.ui.controls import CONTROLS  # noqa: E402


def evaluated(lesson: Lesson) -> tuple[dict[str, Any], list[Mistake]]:
    """Each expression of a lesson with what torch gives for it, and those that raised. Each starts from the same seed."""
    import numpy
    import torch

    names: dict[str, Any] = {"torch": torch, "np": numpy, "math": math}
    file = f"{lesson.name}/{SETTINGS}"
    try:
        exec(lesson.setup, names)
    except Exception as error:
        return {}, [Mistake(file, 1, "lesson.setup_raised", {"error": _said(error)})]
    found, mistakes = {}, []
    lines = {wanted.expression: wanted.line for wanted in _all_wanted(lesson)}
    for expression in lesson.expressions():
        torch.manual_seed(0)
        try:
            found[expression] = plain_value(eval(expression, dict(names)))
        except Exception as error:
            mistakes.append(Mistake(file, lines[expression], "lesson.raised", {"expression": expression, "error": _said(error)}))
    return found, mistakes


def _all_wanted(lesson: Lesson) -> list[Any]:
    quizzes = lesson.quizzes.values()
    return [*lesson.numbers.values(), *(one for quiz in quizzes for one in (quiz.answer, *quiz.mistakes.values()))]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same but for the last digits of floats, which differ between machines."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-7) or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and bool(one == other)


def write(folder: Path) -> list[Mistake]:
    """Evaluate the expressions of the lesson in a folder and write recorded.json; what raised is told and left out."""
    import torch

    lesson, _ = read(folder)
    if lesson is None:
        return []  # the check says why
    values, raised = evaluated(lesson)
    values = {name: lesson.recorded[name] if alike(value, lesson.recorded.get(name)) else value for name, value in values.items()}
    document = {"torch": torch.__version__.partition("+")[0], "values": values}
    (folder / RECORDED).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return raised


def main() -> int:
    """What the command does; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="lessons, such as 04-logistic-neuron; all where none is named")
    parser.add_argument("--write", action="store_true", help="evaluate the expressions with torch first, and write recorded.json")
    parser.add_argument("--folder", type=Path, default=ROOT / "assets" / "lessons", help="where the lessons lie")
    given = parser.parse_args()
    wrong = 0
    for name in [Path(name).name for name in given.names] or lesson_names(given.folder):
        mistakes = write(given.folder / name) if given.write else []
        mistakes += check_lesson(given.folder / name, controls=CONTROLS)
        wrong += len(mistakes)
        print(*(mistake.say() for mistake in mistakes), sep="\n", end="\n" if mistakes else "")
        print(f"{name}: {f'{len(mistakes)} mistakes' if mistakes else 'fine'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
