"""Lessons: those that ship have no mistake, every number in them is what torch computes, and a mistake is told with file and line."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest

from explorer.lessons import Computed, check_lesson, judge, lesson_names, read_answer, read_lesson
from explorer.lessons.reading import read
from explorer.ui.controls import CONTROLS
from tests.lessons import alike, evaluated

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "assets" / "lessons"
TINY = ROOT / "tests" / "lesson_folder" / "01-doubling"
FOLDERS = [TINY, *(OURS / name for name in lesson_names(OURS))]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_mistake(folder: Path) -> None:
    """Nothing is wrong with a lesson, in either language."""
    assert [mistake.say() for mistake in check_lesson(folder, controls=CONTROLS)] == []


@pytest.mark.torch
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_recorded_is_what_torch_gives(folder: Path) -> None:
    """Every expression, evaluated anew, gives the value that the page shows."""
    lesson, _ = read(folder)
    assert lesson is not None
    values, raised = evaluated(lesson)
    assert raised == []
    assert set(values) == set(lesson.recorded)
    assert [(name, value, lesson.recorded[name]) for name, value in values.items() if not alike(value, lesson.recorded[name])] == []


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_can_be_drawn(name: str) -> None:
    """Each control in the table is a module with a function `draw`."""
    assert callable(import_module(CONTROLS[name]).draw)


MISTAKES = [
    ("ko.md", None, None, "ko.md:1: there is no ko.md"),
    ("lesson.toml", 'program = "a_plus_a"\nphase', 'program = "a_plus_b"\nphase',
     "lesson.toml:4: there is no recording of a program `a_plus_b`"),
    ("en.md", "::: code a_plus_a", "::: code a_plus_b", "en.md:8: there is no recording of a program `a_plus_b`"),
    ("en.md", "each use sends {{one}}", "each use sends {{two}}", "en.md:6: `{{two}}` stands in no `[numbers.two]`"),
    ("ko.md", "{{turned}}입니다.", "(3, 2)입니다.",
     "ko.md:24: in this section and in that of 01-doubling/en.md, line 24, not the same placeholders"),
    ("ko.md", "::: try slider\n", "", "ko.md:1: there is nothing to try"),
    ("ko.md", "::: player backward\n", "", "ko.md:4: in this section stands"),
    ("en.md", "::: hint\nCount how often `a` is used.\n", "", "en.md:12: the question `gradient` has no `::: hint`"),
    ("en.md", "::: when once", "::: when never", "en.md:12: `::: when never` in `gradient` belongs to no"),
    ("en.md", "::: question turned", "::: question twisted", "en.md:28: there is no `[question.twisted]`"),
    ("en.md", "From the loss back to the product.\n:::", "From the loss back to the product.",
     "en.md:57: `::: question` stands inside `order`"),
    ("ko.md", "`a + a`에서", "**두 번(twice)**을", "ko.md:6: `**두 번(twice)**` is not shown as bold"),
    ("lesson.toml", 'control = "doubled"', 'control = "tripled"', "lesson.toml:52: there is no control `tripled`"),
    ("lesson.toml", 'kind = "shape"', 'kind = "form"', "lesson.toml:34: there is no kind `form`"),
    ("lesson.toml", 'options = ["float32", "int64"]', 'options = ["float32", "int8"]',
     "lesson.toml:37: the answer int64 to `kind` is none of its options"),
    ("lesson.toml", '["mul", "add", "sigmoid", "binary_cross_entropy"]', '["binary_cross_entropy", "sigmoid", "add", "mul"]',
     "lesson.toml:42: the items of `order` stand"),
    ("lesson.toml", "value = 1.0", "value = 2.0", "lesson.toml:30: the mistake `once` in `gradient` is not told from the right answer"),
    ("lesson.toml", 'expression = "ones.T.shape"\n\n[numbers.kind]', 'expression = "ones.shape"\n\n[numbers.kind]',
     "recorded.json:1: no value is recorded for `ones.shape`"),
    ("lesson.toml", 'kind = "shape"\nexpression = "ones.T.shape"', 'kind = "shape"\nprogram = "hidden_layer"\nof = "b1"\nwhat = "gradient"',
     "lesson.toml:33: the answer ("),
    ("lesson.toml", "minutes = 3", "minutes = 3 3", "lesson.toml:1: this is no TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), MISTAKES, ids=[said.partition(": ")[2][:40] for *_, said in MISTAKES])
def test_a_mistake_is_told_with_its_place(tmp_path: Path, file: str, old: str | None, new: str | None, said: str) -> None:
    """What an author gets wrong is one sentence, with file and line."""
    folder = tmp_path / TINY.name
    shutil.copytree(TINY, folder)
    path = folder / file
    if old is None or new is None:
        path.unlink()
    else:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    told = [mistake.say() for mistake in check_lesson(folder, controls=CONTROLS)]
    assert any(one.startswith(f"{TINY.name}/{said}") for one in told), told


TYPED = [
    ("number", "−0.0898", -0.0898), ("number", " 3/8 ", 0.375), ("number", "1e-3", 0.001), ("number", "2.5 × 10^-3", 0.0025),
    ("number", "0,25", 0.25), ("number", "124,439,808", 124439808.0), ("number", "50 %", 0.5), ("number", "a lot", None),
    ("number", "1/0", None),
    ("shape", "(2, 3)", (2, 3)), ("shape", "torch.Size([2, 3])", (2, 3)), ("shape", "2x3", (2, 3)), ("shape", "2 × 3", (2, 3)),
    ("shape", "()", ()), ("shape", "[]", ()), ("shape", "(5,)", (5,)), ("shape", "two by three", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "typed", "read_as"), TYPED)
def test_answers_are_read_as_people_write_them(kind: str, typed: str, read_as: object) -> None:
    """A number may have a printed minus, a comma or a fraction, a shape any brackets; what is neither is None."""
    found = read_answer(kind, typed)
    assert found == (pytest.approx(read_as) if kind == "number" and read_as is not None else read_as)


REACTIONS = [
    ("gradient", 2.0, "right"), ("gradient", 1.0, "once"), ("gradient", -2.0, "learn.sign_differs"),
    ("gradient", 20.0, "learn.point_moved"), ("gradient", -4.0, "learn.other_sign"),
    ("gradient", 4.0, "learn.times_too_large"), ("gradient", 0.5, "learn.times_too_small"), ("gradient", 0.0, "learn.not_zero"),
    ("gradient", 2.02, "learn.more_digits"), ("gradient", -7.0, "learn.other_sign"), ("gradient", 7.0, "learn.too_large"),
    ("gradient", 1.3, "learn.too_small"), ("gradient", None, "learn.unread_number"),
    ("turned", (3, 2), "right"), ("turned", (2, 3), "learn.axes_swapped"), ("turned", (3, 2, 1), "learn.axis_of_one"),
    ("turned", (6,), "learn.rank_differs"), ("turned", (1, 6), "learn.count_agrees"), ("turned", (3, 5), "learn.axes_right"),
    ("turned", (5, 5), "learn.count_differs"), ("turned", None, "learn.unread_shape"),
    ("kind", "int64", "right"), ("kind", "float32", "float32"), ("kind", None, "learn.unread_choice"),
    ("order", ("binary_cross_entropy", "sigmoid", "add", "mul"), "right"),
    ("order", ("mul", "add", "sigmoid", "binary_cross_entropy"), "learn.turned_round"),
    ("order", ("binary_cross_entropy", "add", "sigmoid", "mul"), "learn.first_right"),
    ("order", ("sigmoid", "add", "binary_cross_entropy", "mul"), "learn.first_differs"), ("order", None, "learn.unread_order"),
    ("line", 18, "right"), ("line", 17, "learn.line_before_ops"), ("line", 19, "learn.line_after_ops"), ("line", 11, "learn.line_before"),
    ("line", None, "learn.unread_line"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "given", "said"), REACTIONS)
def test_an_answer_is_told_what_is_off_about_it(question: str, given: object, said: str) -> None:
    """The right answer is taken; a wrong one gets the author's reaction, else what can be seen from it; never just that it is wrong."""
    verdict = judge(Computed(read_lesson(TINY)), question, given)
    assert ("right" if verdict.right else verdict.when or verdict.key) == said


def test_numbers_stand_in_a_text_as_its_surroundings_want() -> None:
    """A minus sign is printed in words, typed in code and formulas; a power of ten is set in a formula."""
    lesson, _ = read(TINY)
    assert lesson is not None
    object.__setattr__(lesson, "recorded", {"-1e-5": -1e-5})
    lesson.numbers["tiny"] = type(lesson.numbers["one"])(1, expression="-1e-5")  # type: ignore[index]
    filled = Computed(lesson).filled("a {{tiny}}, `{{tiny}}`, $x = {{tiny}}$")
    assert filled == "a −1e−05, `-1e-05`, $x = -1 \\times 10^{-5}$"
