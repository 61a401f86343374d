"""The exported .html, opened as a file with no network: what a person presses, and what a person reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page, expect

from explorer.export import export
from explorer.files import assets_folder, load
from explorer.formulas import rule_for
from explorer.model import Checks, Finding, GradientCheck, NodeCheck, StepError, Trace
from explorer.text import LANGUAGES
from tests.browser.conftest import FLAGS
from tests.browser.reading import HOSTILE, SHOWN, hostile_trace, place, seen_in_graph, sentence, snapshot

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def neuron() -> Trace:
    return load(assets_folder() / "samples" / "logistic_neuron.trace")


def test_to_the_end_and_back(read: Any, neuron: Trace) -> None:
    """→ leads to −0.0898, which is w's gradient, ← undoes each step exactly, and the drawing stands in its own font."""
    page = read(neuron)
    shots = [snapshot(page)]
    told = [sentence(page)]
    for _ in range(11):
        page.keyboard.press("ArrowRight")
        shots.append(snapshot(page))
        told.append(sentence(page))
    expect(place(page)).to_contain_text("step 12 of 12")
    assert "−0.0898" in told[10]
    assert "gradient −0.0898" in seen_in_graph(page)
    for step in range(11, 0, -1):
        page.keyboard.press("ArrowLeft")
        assert snapshot(page) == shots[step - 1]
    faces = page.evaluate("[...document.fonts].map((face) => `${face.family} ${face.weight} ${face.status}`)")
    assert faces == ["Explorer Sans 400 loaded", "Explorer Sans 700 loaded", "Explorer Text 100 900 loaded"]


def test_it_opens_as_asked(read: Any, neuron: Trace) -> None:
    """Step, language and theme are those that the export asked for."""
    page = read(neuron, step=8, language="ko", theme="dark")
    expect(place(page)).to_contain_text("12단계 중 8단계")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert any(re.search("[가-힣]", text) for text in page.locator(".stage text").all_text_contents())


def test_step_0_is_before_the_first(read: Any, neuron: Trace) -> None:
    """What `--step 0` asks for is where the player begins."""
    expect(place(read(neuron, step=0))).to_contain_text("step 1 of 12")


def test_languages_switch(read: Any, neuron: Trace) -> None:
    """한국어 keeps the step and changes every word, in the drawing too; EN brings it back exactly."""
    page = read(neuron, step=5)
    before = snapshot(page)
    page.get_by_role("button", name="한국어").click()
    expect(place(page)).to_contain_text("5단계")
    assert re.search("[가-힣]", sentence(page)) and "값 2.42" in seen_in_graph(page)
    page.get_by_role("button", name="EN").click()
    assert snapshot(page) == before
    page.keyboard.press("End")
    expect(place(page)).to_contain_text("step 12 of 12")


def test_dark_follows_the_machine(read: Any, neuron: Trace) -> None:
    """Without a theme the page is as the reader's machine is, and turns with it at the same step."""
    page = read(neuron, scheme="dark", step=8)
    assert page.locator(".player").get_attribute("data-theme") == "dark"
    page.emulate_media(color_scheme="light")
    expect(page.locator(".player")).to_have_attribute("data-theme", "light")
    expect(place(page)).to_contain_text("step 8 of 12")


def test_hostile_names_stay_text(read: Any) -> None:
    """Names that look like markup, end a script or break a line are shown as they are, and nothing in them runs."""
    page = read(hostile_trace())
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("window.broken") is None
    assert page.locator("img, .player script, .player a, .stage [onload], .stage foreignObject").count() == 0
    expect(page.locator(".player h1")).to_have_text(SHOWN)
    assert HOSTILE in page.evaluate("JSON.parse(document.getElementById('recording').textContent).data.title")


def with_findings(trace: Trace, *severities: str) -> Trace:
    """`trace` with a finding at its third node for each of `severities`, worded by its number."""
    node = trace.nodes[2]
    found = tuple(
        Finding(
            "vanishing_gradient",
            severity,
            2,
            "z",
            node.source,
            (),
            dict.fromkeys(LANGUAGES, f"Cause {at}."),
            dict.fromkeys(LANGUAGES, "Do."),
        )  # type: ignore[arg-type]
        for at, severity in enumerate(severities)
    )
    return replace(trace, findings=found)


def test_a_finding_leads_to_its_node(read: Any) -> None:
    """By keyboard: it opens what to do, the step where it is seen, its node and its line; pressed again it closes. The graph is marked."""
    trace = load(assets_folder() / "samples" / "nan_where.trace")
    page = read(trace)
    finding = page.get_by_role("button", name=trace.findings[0].message["en"])
    remedy = page.get_by_text(trace.findings[0].remedy["en"])
    expect(remedy).to_be_hidden()
    expect(page.locator(".graph .legend")).to_contain_text("Error")
    assert page.locator(".stage g.error text").first.text_content() == "⌧"
    finding.focus()
    page.keyboard.press("Enter")
    expect(remedy).to_be_visible()
    expect(finding).to_have_attribute("aria-expanded", "true")
    assert sentence(page).startswith("SqrtBackward0")
    assert page.locator(".code mark.pointed").inner_text() == "torch.sqrt(x)"
    assert trace.findings[0].message["en"] in page.locator(".inspector").inner_text()
    page.keyboard.press("Enter")
    expect(remedy).to_be_hidden()
    assert page.locator(".code mark.pointed").count() == 0
    page.locator(".chip.grave").click()
    expect(remedy).to_be_visible()
    page.get_by_role("button", name="Next step").click()
    expect(remedy).to_be_hidden()


def test_a_rule_is_readable_maths(read: Any, neuron: Trace) -> None:
    """At a product stand its rule in words, as MathML with fractions, and PyTorch's own line, closed and said to be PyTorch's."""
    page = read(neuron, step=11)
    rule = page.locator(".inspector .rule")
    expect(rule).to_contain_text(rule_for("MulBackward0").words["en"])  # type: ignore[union-attr]
    assert rule.locator("math mfrac").count() == 2
    expect(rule.locator("pre")).to_be_hidden()
    rule.get_by_text("PyTorch's own line").click()
    expect(rule.locator("pre")).to_contain_text("grad")


def test_the_arithmetic_stands_under_the_rule(read: Any, neuron: Trace) -> None:
    """w's gradient is worked out with the recording's numbers once they are there, and by hand along the path from the loss."""
    page = read(neuron, step=11)
    lines = page.locator(".inspector .arithmetic .input")
    expect(lines).to_have_text("→ w∂L/∂w = g × x= −0.0817 × 1.1= −0.0898✓ This is what torch delivered.")
    page.keyboard.press("ArrowRight")
    ways = page.locator(".inspector .ways")
    expect(ways).to_contain_text("By hand")
    ways.locator("summary").first.click()
    expect(ways.locator(".stops")).to_have_text("loss → a → z → mul → w")
    expect(ways.locator(".paths")).to_contain_text("1 × (−1.0889) × 0.075 × 1 × 1.1 = −0.0898")
    assert ways.locator("math").count() == 1
    ways.get_by_role("button", name="mul").click()
    expect(page.locator(".inspector h2")).to_have_text("mul")
    page.keyboard.press("Home")
    page.locator(".stage g.node", has_text="mul").locator("text").first.click()
    expect(page.locator(".inspector .rule")).to_be_visible()
    assert lines.count() == 0


def test_verification_is_shown(read: Any, neuron: Trace) -> None:
    """A node says whether its backward gave the same again and why not; its gradient stands beside the numerical one with its curve."""
    curve = tuple(StepError(10.0**-power, max(10.0 ** (-2 * power), 10.0 ** (power - 17))) for power in range(1, 12))
    gradient = GradientCheck(4, "z", (1,), (-0.0817,), (-0.0816,), 1, 1e-4, 1e-3, "wrong", None, curve)
    nodes = (NodeCheck(4, "skipped", None, "raised: IndexError"), NodeCheck(3, "equal", 0.0), NodeCheck(6, "close", 1e-9))
    page = read(replace(neuron, checks=Checks(nodes, (gradient,))), step=11)
    expect(page.locator(".inspector .checked")).to_contain_text("not checked")
    assert (
        page.locator(".chip.verification").get_attribute("aria-label") == "Verification: wrong 1 gradients, close 1, equal 1, not checked 1"
    )
    ways = page.locator(".inspector .ways")
    expect(ways).to_contain_text("different")
    expect(ways).to_contain_text("largest difference 0.0001")
    ways.get_by_text("Error over the step size").click()
    assert "least, 1e−11, at a step of 1e−6" in (page.locator("svg.curve").get_attribute("aria-label") or "")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".inspector .checked")).to_contain_text("equal")
    page.keyboard.press("Home")
    assert ways.count() == 0


def test_many_findings_can_be_told_apart(read: Any, neuron: Trace) -> None:
    """The first eight are listed, the rest when asked for; one severity alone can be chosen; the choice says how many there are."""
    page = read(with_findings(neuron, "error", *["warning"] * 12, "info"))
    listed = page.locator(".findings li")
    expect(listed).to_have_count(8)
    page.get_by_role("button", name="Show 6 more").click()
    expect(listed).to_have_count(14)
    page.get_by_role("button", name="Notes 1").click()
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("Cause 13.")
    page.locator(".chip.grave").click()
    expect(listed).to_have_count(14)
    expect(page.locator(".findings li.chosen")).to_contain_text("Cause 0.")


def test_a_narrow_screen(read: Any, neuron: Trace) -> None:
    """At 390 pixels nothing sticks out sideways."""
    assert read(neuron, width=390).evaluate("document.documentElement.scrollWidth") <= 390


def test_a_notebook_shows_the_player(browser: Browser, neuron: Trace) -> None:
    """In a frame inside another page, as a notebook has it, the player steps, and the frame reaches nothing of the page around it."""
    page = browser.new_page()
    try:
        page.set_content(f"<h1>notebook</h1><div>{neuron._repr_html_()}</div>")
        frame = page.frame_locator("iframe")
        expect(frame.locator(".player .place")).to_contain_text("step 1 of 12")
        frame.get_by_role("button", name="Next step").click()
        expect(frame.locator(".player .place")).to_contain_text("step 2 of 12")
        assert page.frames[1].evaluate("(() => { try { return parent.document.title; } catch { return 'kept out'; } })()") == "kept out"
    finally:
        page.close()


def latin_only(folder: Path) -> Path:
    """A fontconfig file of a machine whose only font has no Hangul."""
    font = TTFont(assets_folder() / "fonts" / "ExplorerSans-Regular.otf")
    cutter = subset.Subsetter(subset.Options(name_IDs=["*"]))
    cutter.populate(unicodes=range(0x20, 0x7F))
    cutter.subset(font)
    (folder / "fonts").mkdir()
    font.save(folder / "fonts" / "latin.otf")
    (folder / "fonts.conf").write_text(f"<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>")
    return folder / "fonts.conf"


@pytest.fixture
def poor(browser: Browser, browser_path: str | None, tmp_path: Path) -> Iterator[Page]:
    """A page on a machine whose only font has no Hangul."""
    environment = {**os.environ, "FONTCONFIG_FILE": str(latin_only(tmp_path))}
    started = browser.browser_type.launch(executable_path=browser_path, args=FLAGS, env=environment)
    yield started.new_page(viewport={"width": 1000, "height": 800})
    started.close()


def test_svg_alone_shows_hangul_without_fonts(poor: Page, tmp_path: Path, neuron: Trace) -> None:
    """On a machine without a Korean font the exported SVG shows Hangul: other syllables look different, as they would not without ours."""
    export(neuron, tmp_path / "trace.svg", language="ko")
    svg = (tmp_path / "trace.svg").read_text(encoding="utf-8")
    bare = re.sub("<style>.*?</style>", "", svg)
    same = []
    for written in (svg, bare):
        shots = []
        for text in (written, written.replace("상수", "수상")):
            (tmp_path / "shown.svg").write_text(text, encoding="utf-8")
            poor.goto((tmp_path / "shown.svg").as_uri())
            poor.wait_for_timeout(300)
            shots.append(poor.screenshot())
        same.append(shots[0] == shots[1])
    assert same == [False, True]


def test_the_player_shows_hangul_without_fonts(poor: Page, tmp_path: Path, neuron: Trace) -> None:
    """On such a machine the Korean page is readable too: two syllables look different, in the sentence, the code and the buttons."""
    export(neuron, tmp_path / "trace.html", language="ko")
    poor.goto((tmp_path / "trace.html").as_uri())
    poor.wait_for_timeout(500)
    for where in (".sentence span", ".code code >> nth=0", ".inspector h2", ".top button >> nth=1"):
        shots = []
        for text in ("순전파", "전순파"):
            poor.locator(where).first.evaluate("(element, text) => { element.textContent = text; }", text)
            shots.append(poor.locator(where).first.screenshot())
        assert shots[0] != shots[1], where


def test_what_flows_stands_beside_its_wire(read: Any, neuron: Trace) -> None:
    """Between the boxes, on neither of them, so that both can be read."""
    page = read(neuron)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    label = page.locator(".wire.gradient.there")
    expect(label).to_have_text("−0.0898")
    page.wait_for_timeout(300)
    text = label.bounding_box()
    for box in page.locator(".stage g.node > path").all():
        other = box.bounding_box()
        assert text and other
        beside = text["x"] + text["width"] <= other["x"] or other["x"] + other["width"] <= text["x"]
        above = text["y"] + text["height"] <= other["y"] + 3 or other["y"] + other["height"] <= text["y"] + 3
        assert beside or above
