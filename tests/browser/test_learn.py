"""Every lesson, walked to its end in both languages with the answers that torch gave, and answered wrongly once; what is kept, and links.

The right answers come from what is recorded, which tests/test_lessons.py holds to torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from explorer.lessons import Computed, lesson_names, lessons_folder, program_source, read_lesson
from explorer.lessons.computed import shown
from explorer.text import LANGUAGES, TEXTS
from tests.browser.reading import near, rested
from tests.browser.test_accessible import grave

pytestmark = pytest.mark.browser

LESSONS = lesson_names()


def words(key: str, language: str) -> str:
    return TEXTS[f"learn.{key}"][LANGUAGES.index(language)]


def computed(name: str) -> Computed:
    return Computed(read_lesson(lessons_folder() / name))


@pytest.fixture(scope="module")
def pages(browser: Browser, address: str) -> Iterator[dict[str, Page]]:
    """A page a language on which one lesson is opened after the other, as a reader does; it may not have raised anything by the end."""
    wrong: list[str] = []
    opened = {}
    for language in LANGUAGES:
        page = opened[language] = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/learn?lang={language}")
        expect(page.get_by_role("heading", level=1)).to_have_text(words("title", language))
        rested(page)
    yield opened
    for page in opened.values():
        page.close()
    assert wrong == []


def go(page: Page, name: str, language: str) -> Locator:
    """Open a lesson from the list."""
    title = read_lesson(lessons_folder() / name).tellings[language].title
    if page.locator(".st-key-lesson").count():
        page.get_by_role("link", name=words("all", language)).click()
    page.locator(f".st-key-card-{name}").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.locator(".st-key-turn")).to_be_attached()
    return page.locator(".st-key-lesson")


def part(page: Page, kind: str, name: str) -> Locator:
    return page.locator(f".st-key-part-{kind}-{name}")


def choose(radio: Locator) -> None:
    """Press the words beside it, once they stand still: what is above may just have grown."""
    radio.locator("xpath=ancestor::label").click()
    expect(radio).to_be_checked()


def give(place: Locator, lesson: Computed, name: str, answer: Any, language: str) -> None:
    """Answer a question as a person would, and have it checked."""
    quiz = lesson.lesson.quizzes[name]
    check = place.get_by_role("button", name=words("check", language), exact=True)
    match quiz.kind:
        case "number" | "shape":
            place.get_by_role("textbox").fill(shown(answer, None if quiz.kind == "shape" else ".9g"))
        case "choice":
            choose(place.get_by_role("radio").nth([shown(option) for option in quiz.options].index(shown(answer))))
        case "line":
            source = program_source(quiz.answer.program or "") or ""
            code = source.splitlines()[answer - 1].strip()
            choose(place.get_by_role("radio", name=f"{answer} ").and_(place.get_by_role("radio", name=code)).first)
        case "order":
            for item in answer:
                place.get_by_role("button", name=item, exact=True).click()
                expect(place.get_by_role("button", name=item, exact=True)).to_be_disabled()
    check.click()


def slip(lesson: Computed, name: str) -> Any:
    """An answer that is wrong."""
    quiz, right = lesson.lesson.quizzes[name], lesson.answer(name)
    match quiz.kind:
        case "number":
            return 2 * right + 1234.5
        case "shape":
            return (*right, 7)
        case "order":
            return tuple(item for item in quiz.items)
        case "line":
            return next(answer for answer in (right - 1, right + 1, right - 2) if _is_code(quiz.answer.program or "", answer))
    return next(option for option in quiz.options if shown(option) != shown(right))


def _is_code(program: str, line: int) -> bool:
    text = (program_source(program) or "").splitlines()[line - 1].strip()
    return bool(text) and not text.startswith("#")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_walked_to_its_end(pages: dict[str, Page], name: str, language: str) -> None:
    """Every player stands at its step, every question takes torch's answer, and the first reacts to a wrong one and offers to show it."""
    page, lesson = pages[language], computed(name)
    go(page, name, language)
    for at in lesson.lesson.players:
        place = part(page, "player", at)
        near(place)
        expect(place.locator(".player .stage svg").first).to_be_visible()
        expect(place.locator(".player .place")).to_contain_text(str(lesson.step(lesson.lesson.players[at])))
    questions = lesson.lesson.tellings[language].questions()
    for number, question in enumerate(questions):
        place = part(page, "question", question.name)
        near(place)
        if number == 0:
            give(place, lesson, question.name, slip(lesson, question.name), language)
            expect(place.get_by_test_id("stAlertContainer").first).to_be_visible()
            expect(place.get_by_role("button", name=words("show", language), exact=True)).to_be_visible()
            rested(page)
            if lesson.lesson.quizzes[question.name].kind == "order":
                place.get_by_role("button", name=words("order_clear", language)).click()
                expect(place.get_by_text(words("order_empty", language))).to_be_visible()
        give(place, lesson, question.name, lesson.answer(question.name), language)
        expect(place.get_by_test_id("stAlertContainer").first).to_contain_text(words("right", language).partition("{")[0].strip())
    expect(page.get_by_text(words("done", language))).to_be_visible()


def test_there_are_lessons() -> None:
    """The walk above has something to walk through."""
    assert LESSONS


def test_what_is_answered_is_kept_and_can_be_started_over(browser: Browser, address: str) -> None:
    """A reload finds what was answered; starting over forgets it, undo brings it back, and both last."""
    name = LESSONS[0]
    lesson = computed(name)
    first, *others = lesson.lesson.tellings["en"].questions()
    page = browser.new_page()
    page.goto(f"{address}/learn?lesson={name}")
    place = part(page, "question", first.name)
    expect(place).to_be_visible(timeout=30_000)
    rested(page)
    give(place, lesson, first.name, lesson.answer(first.name), "en")
    told = words("progress", "en").format(done=1, count=len(others) + 1)
    expect(page.get_by_text(told)).to_be_visible()
    rested(page)
    page.reload()
    expect(page.get_by_text(told)).to_be_visible(timeout=30_000)
    rested(page)
    page.get_by_role("button", name=words("start_over", "en")).click()
    expect(page.get_by_text(words("cleared", "en"))).to_be_visible()
    expect(place.get_by_role("button", name=words("check", "en"))).to_be_visible()
    rested(page)
    page.get_by_role("button", name=words("undo", "en")).click()
    expect(page.get_by_text(told)).to_be_visible()
    rested(page)
    kept = page.evaluate("() => JSON.parse(localStorage.getItem('autograd-explorer-lessons'))")
    assert kept == {name: {first.name: "right"}}
    page.close()


def test_a_link_leads_to_a_question_and_to_a_step(browser: Browser, address: str) -> None:
    """A teacher's link opens the lesson at that question, or with the player at that step."""
    name = next(name for name in LESSONS if read_lesson(lessons_folder() / name).players)
    lesson = read_lesson(lessons_folder() / name)
    last = lesson.tellings["ko"].questions()[-1].name
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/learn?lesson={name}&part={last}&lang=ko")
    expect(part(page, "question", last)).to_be_in_viewport(timeout=30_000)
    player = next(iter(lesson.players))
    page.goto(f"{address}/learn?lesson={name}&part={player}&step=2&lang=ko")
    expect(part(page, "player", player)).to_be_in_viewport(timeout=30_000)
    expect(part(page, "player", player).locator(".player .place")).to_contain_text("2")
    page.close()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("lang=ko", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
        ("lesson=03-chain-rule", {"color_scheme": "dark"}),
        ("lesson=05-one-hidden-layer&lang=ko", {"viewport": {"width": 390, "height": 844}}),
        ("lesson=08-gpt2-configuration", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
    ],
)
def test_nothing_grave(browser: Browser, address: str, query: str, options: dict[str, Any]) -> None:
    """The list and lessons, on a desk and on a phone, light and dark, in both languages; nothing is wider than the phone."""
    page = browser.new_page(**options)
    page.goto(f"{address}/learn?{query}")
    expect(page.locator("h1")).to_be_visible(timeout=30_000)
    rested(page)
    if "lesson" in query:
        name = query.partition("&")[0].partition("=")[2]
        near(part(page, "player", next(iter(read_lesson(lessons_folder() / name).players))))
        expect(page.locator(".player .stage svg").first).to_be_visible(timeout=30_000)
        rested(page)
    assert grave(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.close()
