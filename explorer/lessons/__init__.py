"""Lessons: what an author wrote (`assets/lessons/NAME/`), read, checked, and filled with what torch computed.

`parts` has the pieces, `reading` makes them of the files, `computed` finds the numbers and answers in shipped recordings, `answers` says
what is right or not quite right about an answer, `checking` finds an author's mistakes. assets/lessons/README.md is the author's side.
"""

from __future__ import annotations

from explorer.lessons.answers import Verdict, judge, read_answer
from explorer.lessons.checking import check_lesson
from explorer.lessons.computed import Computed, MissingValue, plain_value, program_source, sample_names
from explorer.lessons.parts import Lesson, Mistake, Question, Section, Telling
from explorer.lessons.reading import lesson_names, lessons_folder, read_lesson

__all__ = [
    "Computed",
    "Lesson",
    "MissingValue",
    "Mistake",
    "Question",
    "Section",
    "Telling",
    "Verdict",
    "check_lesson",
    "judge",
    "lesson_names",
    "lessons_folder",
    "plain_value",
    "program_source",
    "read_answer",
    "read_lesson",
    "sample_names",
]
