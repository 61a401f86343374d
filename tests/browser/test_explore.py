"""The Explore page in a real browser: what a person presses, and what a person reads.

One server and one browser for all of them; each test has its own page.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.capture.programs import EXAMPLES
from explorer.files import save
from explorer.text import TEXTS
from tests.browser.conftest import served
from tests.browser.reading import HOSTILE, SHOWN, hostile_trace, place, rested, seen_in_graph, sentence, snapshot
from tests.dummy import dummy_trace

pytestmark = pytest.mark.browser


def test_to_the_end_and_back(visit: Any) -> None:
    """→ tells the neuron's story with its published numbers, which are not there before their step; ← undoes each step exactly."""
    page = visit()
    expect(place(page)).to_contain_text("step 1 of 12")
    told, shots = [sentence(page)], [snapshot(page)]
    assert "2.42" not in seen_in_graph(page)
    assert "−0.0817" not in seen_in_graph(page)
    for _ in range(11):
        page.keyboard.press("ArrowRight")
        told.append(sentence(page))
        shots.append(snapshot(page))
    expect(place(page)).to_contain_text("step 12 of 12")
    assert len(set(shots)) == 12
    for step, number in ((2, "2.42"), (4, "0.9183"), (5, "0.0852"), (8, "−0.0817"), (11, "−0.0898"), (12, "w.grad")):
        assert number in told[step - 1]
    assert {"value 2.42", "gradient −0.0817", "value 0.0852"} <= set(seen_in_graph(page).split(" | "))
    for step in range(11, 0, -1):
        page.keyboard.press("ArrowLeft")
        assert snapshot(page) == shots[step - 1], f"step {step} looks different on the way back"
    page.keyboard.press("ArrowLeft")
    assert snapshot(page) == shots[0]


def test_arrow_keys_work_after_a_click_anywhere(visit: Any) -> None:
    """A click into a panel, a sentence or the blank page takes the focus there; the arrow keys go on stepping."""
    page = visit()
    for step, where in enumerate((".inspector", ".sentence", ".code", ".summary h1"), start=2):
        page.locator(where).first.click()
        page.keyboard.press("ArrowRight")
        expect(place(page)).to_contain_text(f"step {step} of 12")
    page.mouse.click(700, 20)
    page.keyboard.press("ArrowLeft")
    expect(place(page)).to_contain_text("step 4 of 12")


def test_keys_and_buttons(visit: Any) -> None:
    """Home, End, Space, +, −, 0, ? and Esc do what the help says; every button has a name; the slider moves with the arrows."""
    page = visit()
    page.keyboard.press("End")
    expect(place(page)).to_contain_text("step 12 of 12")
    page.keyboard.press("Home")
    expect(place(page)).to_contain_text("step 1 of 12")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(place(page)).to_contain_text("step 2 of 12", timeout=5_000)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("0")
    page.wait_for_timeout(400)  # the glide
    before = page.locator(".stage").bounding_box()
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_timeout(400)
    assert page.locator(".stage").bounding_box()["width"] > before["width"] * 1.3  # type: ignore[index]
    page.keyboard.press("0")
    page.wait_for_timeout(400)
    assert page.locator(".stage").bounding_box() == before
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Last step").click()
    expect(place(page)).to_contain_text("step 12 of 12")
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("ArrowLeft")
    expect(place(page)).to_contain_text("step 11 of 12")
    nameless = page.locator(".player button").evaluate_all(
        "all => all.filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert nameless == 0


def test_a_click_goes_to_the_step(visit: Any) -> None:
    """A box leads to its op, a second click to its backward; so does a line of code, by keyboard too; a constant shows in the inspector."""
    page = visit()
    sigmoid = page.locator(".stage g.node", has_text="sigmoid").locator("text").first
    sigmoid.click()
    forward = sentence(page)
    assert forward.startswith("sigmoid reads")
    sigmoid.click()
    assert sentence(page).startswith("SigmoidBackward0")
    page.locator(".code li", has_text="torch.sigmoid").click()
    assert sentence(page) == forward
    page.locator(".code li[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(".code li:focus").count() == 1
    ran = page.locator(".code li:focus").inner_text().split()[0]
    assert ran == page.locator(".code li.here .number").inner_text()
    page.locator(".code li", has_text="torch.sigmoid").click()
    assert sentence(page) == forward
    box = page.locator(".stage g.node", has_text="constant").first
    box.locator("text").first.click()
    expect(page.locator(".inspector h2")).to_have_text(re.compile("^[xy]$"))
    assert sentence(page) == forward


def test_another_example_runs(visit: Any) -> None:
    """Choosing an example shows its recording; Run makes a new one with the seed that was asked for, and the address follows."""
    page = visit("step=7")
    expect(place(page)).to_contain_text("step 7 of 12")
    page.get_by_role("combobox", name="Example program").fill("Karpathy")  # of a long list only the rows in sight are in the page
    page.get_by_role("option", name="Karpathy").first.click()
    expect(page.locator(".player h1")).to_contain_text("karpathy")
    expect(place(page)).to_contain_text("step 1 of")
    assert "example=karpathy" in page.url
    page.get_by_label("Seed").fill("3")
    page.get_by_label("Seed").press("Enter")
    expect(page.get_by_label("Seed")).to_have_value("3")
    rested(page)
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".player .made")).to_contain_text("seed 3", timeout=60_000)
    page.keyboard.press("End")
    assert page.locator(".player .place").inner_text().startswith("backward")


def test_a_program_is_verified(visit: Any) -> None:
    """Verify runs the program anew and keeps the step; every node is then marked, and the gradient stands beside the numerical one."""
    page = visit("step=11")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".player .made")).to_contain_text("seed 0", timeout=60_000)
    expect(page.locator(".chip.verification")).to_have_attribute("aria-label", "Verification: equal 6", timeout=60_000)
    expect(place(page)).to_contain_text("step 11 of 12")
    assert page.locator(".stage g.equal").count() == 6
    expect(page.locator(".inspector .checked")).to_contain_text("gave the same bits")
    expect(page.locator(".inspector .ways")).to_contain_text("approximate")
    assert page.locator("svg.curve").count() == 1


def test_the_language_switches_whole(visit: Any) -> None:
    """한국어 keeps the step, stays in the address, and leaves no English sentence on the page; EN brings it back."""
    page = visit("example=simple_net")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(place(page)).to_contain_text("step 6 of")
    page.get_by_text("한국어").click()
    expect(place(page)).to_contain_text("6단계", timeout=15_000)
    rested(page)
    assert "lang=ko" in page.url
    assert "step=6" in page.url
    own = page.evaluate("""() => {
      const texts = [];
      const walk = (node) => {
        if (node.nodeType === 3) texts.push(node.nodeValue);
        if (node.nodeType !== 1 || node.matches("script, style, .code, pre, .stage, [data-testid=stSkipToContent]")) return;
        for (const name of ["aria-label", "title", "placeholder"]) if (node.hasAttribute(name)) texts.push(node.getAttribute(name));
        if (node.shadowRoot) node.shadowRoot.childNodes.forEach(walk);
        node.childNodes.forEach(walk);
      };
      walk(document.querySelector("[data-testid=stApp]"));
      return texts;
    }""")
    english = [text for text in own if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", text)]
    assert english == []
    drawn = page.locator(".stage text").evaluate_all("all => all.map((e) => e.textContent)")
    assert any(re.search("[가-힣]", text) for text in drawn)
    page.get_by_text("EN", exact=True).click()
    expect(place(page)).to_contain_text("step 6 of", timeout=15_000)


def test_the_language_switched_faster_than_the_page(visit: Any) -> None:
    """To and fro before the page has answered: the example stays what it was."""
    page = visit("example=simple_net")
    for turn in range(12):
        page.evaluate(
            "place => document.querySelectorAll('.st-key-language_choice [role=radio], .st-key-language_choice input')[place].click()",
            1 - turn % 2,
        )
        page.wait_for_timeout((5, 150, 30, 300)[turn % 4])
    rested(page)
    assert "example=simple_net" in page.url
    expect(page.get_by_role("combobox", name=TEXTS["page.example"][0])).to_have_value(EXAMPLES["simple_net"].title("en"))


def test_a_picture_is_taken_home(visit: Any) -> None:
    """Download offers every format; the SVG is the picture with its numbers and no script; that of the step has those of the step."""
    page = visit()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("step=4"))  # from which the page knows the step
    page.get_by_role("button", name="Download").click()
    for name in ("Picture, SVG", "Picture, PNG", "PDF", "step 4, SVG", "step 4, PNG", "12 steps, GIF", "DOT", "Player", "JSON", ".trace"):
        expect(page.get_by_role("button", name=name)).to_be_visible()
    with page.expect_download(timeout=30_000) as waiting:
        page.get_by_role("button", name="step 4, SVG").click()
    step = ElementTree.parse(waiting.value.path())
    assert waiting.value.suggested_filename == "logistic_neuron-4.svg"
    shown = [text.text for text in step.iter("{http://www.w3.org/2000/svg}text") if text.get("opacity") != "0"]
    assert {"value 2.42", "value 0.9183"} <= set(shown)
    assert not {"value 0.0852", "gradient −0.0817"} & set(shown)
    with page.expect_download(timeout=30_000) as waiting:
        page.get_by_role("button", name="Picture, SVG").click()
    svg = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert waiting.value.suggested_filename == "logistic_neuron.svg"
    assert "<svg" in svg
    assert "0.0852" in svg
    assert "<script" not in svg


@pytest.mark.parametrize(("language", "button"), [("en", "Download"), ("ko", "내려받기")])
def test_a_download_that_fails_says_so(browser: Browser, tmp_path: Path, language: str, button: str) -> None:
    """A file that cannot be made is one sentence in the page's language: here a PDF with a letter that our font lacks, by an engine that
    writes none."""
    save(replace(dummy_trace(), title="🙂"), tmp_path / "face.trace")
    with served(AUTOGRAD_EXPLORER_DOT="pure", AUTOGRAD_EXPLORER_OPEN=str(tmp_path / "face.trace")) as url:
        page = browser.new_page()
        page.goto(f"{url}/?lang={language}")
        page.get_by_role("button", name=button).click(timeout=30_000)
        page.get_by_role("button", name="PDF").click()
        error = page.get_by_test_id("stDownloadButtonError")
        expect(error).to_be_visible(timeout=20_000)
        said = error.evaluate("e => [getComputedStyle(e, '::after').content, getComputedStyle(e).fontSize]")
        assert said == [f'"{TEXTS["page.download_failed"][("en", "ko").index(language)]}"', "0px"]
        page.close()


def test_hostile_names_stay_text(visit: Any, tmp_path: Path) -> None:
    """Names that look like markup are shown as they are, at every step, and nothing in them runs."""
    save(hostile_trace(), tmp_path / "hostile.trace")
    page = visit()
    page.get_by_test_id("stPopoverButton").first.click()
    page.locator("input[type=file]").set_input_files(tmp_path / "hostile.trace")
    expect(page.locator(".player h1")).to_have_text(SHOWN, timeout=15_000)
    for _ in range(16):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(30)
    assert page.evaluate("window.broken") is None
    assert page.locator(".player img, .player script, .player a, .stage [onload], .stage foreignObject").count() == 0
    assert HOSTILE in page.locator(".findings").inner_text()
    page.keyboard.press("Home")
    assert SHOWN in sentence(page)
    assert "\u202e" not in sentence(page)


def test_a_file_that_is_no_recording(visit: Any, tmp_path: Path) -> None:
    """A wrong file is one sentence that names it; what was open stays."""
    (tmp_path / "notes.trace").write_text("hello")
    page = visit()
    page.get_by_test_id("stPopoverButton").first.click()
    page.locator("input[type=file]").set_input_files(tmp_path / "notes.trace")
    expect(page.get_by_role("alert").first).to_contain_text("notes.trace", timeout=15_000)
    assert "Traceback" not in page.locator("body").inner_text()
    expect(page.locator(".player h1")).to_have_text("logistic_neuron")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen(visit: Any, scheme: str) -> None:
    """At 390 pixels the panels stand below each other, nothing sticks out sideways, and the buttons are large enough to touch."""
    page = visit("lang=ko", width=390, height=844, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [page.locator(f".player {name}").bounding_box() for name in (".panel.graph", ".sentence", ".controls", ".inspector", ".code")]
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    touch = page.locator(".player .buttons button").evaluate_all("all => all.map((e) => e.getBoundingClientRect().height)")
    assert min(touch) >= 40
    page.get_by_role("button", name="다음 단계").click()
    expect(place(page)).to_contain_text("2단계")


def test_a_run_is_cancelled(visit: Any) -> None:
    """Cancel ends a long run; the recording that was open is still there."""
    page = visit("example=gpt2")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel").click(timeout=15_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=20_000)
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    expect(page.locator(".player h1")).to_have_text("gpt2")


def test_dark_and_light_follow_the_theme(visit: Any) -> None:
    """Switching to dark turns page and drawing dark at the same step, and back; what is written stays readable."""
    page = visit("step=9")
    told, boxes = sentence(page), "all => all.map((e) => e.getAttribute('fill'))"
    light = page.locator(".stage g.node.op > path").evaluate_all(boxes)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".player")).to_have_attribute("data-theme", "dark", timeout=15_000)
    dark = page.locator(".stage g.node.op > path").evaluate_all(boxes)
    assert len(dark) == len(light)
    assert not set(dark) & (set(light) - {"none"})
    assert sentence(page) == told
    assert "gradient −0.0817" in seen_in_graph(page)
    page.emulate_media(color_scheme="light")
    expect(page.locator(".player")).to_have_attribute("data-theme", "light", timeout=15_000)
    assert page.locator(".stage g.node.op > path").evaluate_all(boxes) == light


def test_nothing_moves_for_those_who_asked(browser: Browser, address: str) -> None:
    """With reduced motion no wire runs and the graph does not glide."""
    page = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    try:
        page.goto(f"{address}/?step=8")
        wire = page.locator(".stage .carries-gradient path").first
        expect(wire).to_be_attached(timeout=30_000)
        assert wire.evaluate("e => getComputedStyle(e).animationName") == "none"
    finally:
        page.close()


def test_a_point_of_the_memory_curve_leads_to_its_step(visit: Any) -> None:
    """The panel opens below the player; a click into the curve takes the player to the step there, and the button to the peak."""
    page = visit("example=lstm")
    page.get_by_text("Memory over the steps").click()
    area = page.locator(".js-plotly-plot .nsewdrag")
    expect(area).to_be_visible(timeout=20_000)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.6)
    told = page.locator(".hoverlayer .hovertext").filter(has_text="saved for backward")
    expect(told).to_contain_text("Step ")
    step = re.search(r"Step (\d+)", told.text_content() or "")
    assert step is not None and int(step[1]) > 1
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.6)
    expect(place(page)).to_contain_text(f"step {step[1]} of", timeout=15_000)
    page.get_by_role("button", name="Go to the peak").click()
    peak = re.search(r"at step (\d+) of", page.get_by_text("are held at once").inner_text())
    assert peak is not None
    expect(place(page)).to_contain_text(f"backward step {peak[1]} of", timeout=15_000)


def test_korean_shows_where_the_machine_has_no_hangul(visit: Any) -> None:
    """The page writes in a font that the player brings along."""
    page = visit("lang=ko")
    label = page.get_by_text(TEXTS["page.device"][1], exact=True).first
    assert "Explorer Text" in label.evaluate("element => getComputedStyle(element).fontFamily")
    assert page.evaluate("() => [...document.fonts].some((font) => font.family.includes('Explorer Text') && font.status === 'loaded')")


def test_back_leads_to_the_example_before(visit: Any) -> None:
    """Back and Forward lead from example to example, each at its step and with what was open in it; steps are no entries."""
    page = visit("example=logistic_neuron")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(place(page)).to_contain_text("step 4 of 12")
    page.wait_for_url("**step=4**")
    choose(page, "GPT-2")
    expect(page.locator(".summary h1")).to_have_text("gpt2")
    expect(place(page)).to_contain_text("step 1 of")
    rested(page)
    page.locator(".fold[aria-expanded=false]").first.press("Enter")
    page.get_by_role("menuitem").first.press("Enter")
    page.wait_for_url("**open=**")
    drawn = page.locator(".stage .fold").count()
    page.keyboard.press("End")
    page.wait_for_url("**step=1581**")
    page.go_back()
    expect(page.locator(".summary h1")).to_have_text("logistic_neuron")
    expect(place(page)).to_contain_text("step 4 of 12")
    expect(page.get_by_role("combobox", name=TEXTS["page.example"][0])).to_have_value(re.compile("logistic neuron"))
    rested(page)
    page.go_forward()
    expect(page.locator(".summary h1")).to_have_text("gpt2")
    expect(place(page)).to_contain_text("step 1581 of")
    expect(page.locator(".stage .fold")).to_have_count(drawn)


def test_back_leads_to_the_language_before(visit: Any) -> None:
    """A language is an entry of the history; the switch shows the one that the page is in, and goes on switching."""
    page = visit()
    english, korean = (page.get_by_role("radio", name=name, exact=True) for name in ("EN", "한국어"))
    page.get_by_text("한국어").click()
    expect(place(page)).to_contain_text("1단계")
    rested(page)
    page.go_back()
    expect(place(page)).to_contain_text("step 1 of")
    rested(page)  # until then the switch of before may still stand beside the new one
    expect(english).to_be_checked()
    page.get_by_text("한국어").click()
    expect(place(page)).to_contain_text("1단계")
    rested(page)
    expect(korean).to_be_checked()


def choose(page: Page, words: str) -> None:
    """Open another example by its title."""
    box = page.get_by_role("combobox", name=TEXTS["page.example"][0])
    box.click()
    box.fill(words)
    box.press("Enter")
