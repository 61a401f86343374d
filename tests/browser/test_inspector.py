"""What the inspector and the control bar tell of a step, in a file without a network: what a person presses, and what a person reads."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from explorer.files import assets_folder, load
from explorer.model import StoredTensor, Trace
from tests.browser.reading import place, sentence
from tests.dummy import dummy_trace

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def net() -> Trace:
    return load(assets_folder() / "samples" / "simple_net.trace")


def test_the_five_phases_are_there(read: Any, net: Trace) -> None:
    """Each phase has a stretch that can be read and leads to its first step; arrow keys on the slider go one step, wherever it is."""
    page = read(net)
    names = ["initialise", "forward", "loss", "backward", "update"]
    stretches = page.locator(".phases .phase")
    assert stretches.all_inner_texts() == names
    boxes = [stretches.nth(number).bounding_box() for number in range(5)]
    assert all(box and box["width"] > 40 for box in boxes)
    slider = page.get_by_role("slider", name="Step")
    for name, kind in zip(names[1:], ("addmm|linear|t ", "loss is", "Backward", "SGD updates"), strict=True):
        page.locator(f".phases .{name}").dispatch_event("click")
        expect(page.locator(".place .phase")).to_have_text(name)
        assert re.search(kind, sentence(page))
    page.locator(".phases .loss").dispatch_event("click")
    at = int(re.findall(r"step (\d+)", place(page).inner_text())[0])
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(place(page)).to_contain_text(f"step {at + 1} of")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(place(page)).to_contain_text(f"step {at - 1} of")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"forward, step {at - 1} of"))
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    expect(place(page)).to_contain_text("step 24 of 24")


def test_an_update_shows_its_rule_and_numbers(read: Any, net: Trace) -> None:
    """The last step says how SGD made fc2's new bias: the rule, and the rule with the numbers."""
    page = read(net)
    page.keyboard.press("End")
    part = page.locator(".inspector .part").first
    expect(part).to_contain_text("update · SGD")
    assert part.locator("math").count() == 1
    line = part.locator(".equation").inner_text().replace("\n", " ")
    assert re.fullmatch(r"w′ = 0\.2024 − 0\.01 × \(−0\.5635\) = 0\.208", " ".join(line.split()))


def test_a_value_is_copied_as_python(read: Any, net: Trace) -> None:
    """Copy puts a tensor with every digit on the clipboard; the op's name leads to its page of PyTorch's documentation."""
    page = read(net)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("End")
    page.locator(".inspector .quantity.value .copy").click()
    expect(page.locator(".inspector .quantity.value .copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    found = re.fullmatch(r"torch\.tensor\(\[(.*)\], dtype=torch\.float32\)", copied)
    (bias,) = (node for node in net.nodes if node.name == "fc2.bias")
    assert found and bias.outputs[0].values is not None and float(found[1]) == bias.outputs[0].values[0]
    page.locator(".phases .forward").dispatch_event("click")
    link = page.locator(".inspector a.docs")
    assert link.get_attribute("href").startswith("https://docs.pytorch.org/docs/stable/generated/torch.")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_a_large_tensor_is_drawn(read: Any) -> None:
    """Kept whole, it has a histogram and a heat map; known by its statistics only, the stretch that these span."""
    trace = dummy_trace()
    some = replace(trace.nodes[2].outputs[0], shape=(40, 50), values=None, min=-1.0, max=3.0, mean=1.0, std=0.5)
    trace = replace(trace, nodes=(*trace.nodes[:2], replace(trace.nodes[2], outputs=(some,)), *trace.nodes[3:]))
    page = read(trace)
    page.keyboard.press("ArrowRight")
    assert page.locator(".inspector .sketch").get_attribute("aria-label") == "From −1 to 3, mean 1, standard deviation 0.5"
    data = struct.pack("<2000f", *(-1 + number / 500 for number in range(2000)))
    page = read(replace(trace, tensors={"n2.output0": StoredTensor("float32", (40, 50), data)}))
    page.keyboard.press("ArrowRight")
    assert page.locator(".inspector .sketch rect").count() > 24 + 20 * 30
    assert "Histogram from −1 to 2.998" in (page.locator(".inspector .sketch").first.get_attribute("aria-label") or "")
    assert page.locator(".inspector .sketch.heat .negative").count() > 100


def test_saved_tensors_say_until_when(read: Any, net: Trace) -> None:
    """What an op keeps for backward is kept until its backward ran; the step is named, and one press away."""
    page = read(net)
    page.locator(".phases .forward").dispatch_event("click")
    for _ in range(12):
        if page.locator(".inspector details", has_text="saved for backward").count():
            break
        page.keyboard.press("ArrowRight")
    part = page.locator(".inspector details", has_text="saved for backward")
    part.locator("summary").click()
    expect(part).to_contain_text("kept until step")
    part.get_by_role("button").first.click()
    expect(page.locator(".place .phase")).to_have_text("backward")
    assert "Backward0" in sentence(page)


def test_wires_as_thick_as_their_gradient(read: Any, net: Trace) -> None:
    """On request, the wire with the largest gradient is the thickest, and back."""
    page = read(net)
    page.get_by_role("button", name="Wires as thick as their gradient").click()
    widths = page.locator(".stage g.edge > path").evaluate_all("all => all.map((e) => parseFloat(e.style.strokeWidth) || 0)")
    assert max(widths) == 6 and 0.8 in widths and len(set(widths)) > 3
    page.get_by_role("button", name="Wires as thick as their gradient").click()
    assert not any(page.locator(".stage g.edge > path").evaluate_all("all => all.map((e) => e.style.strokeWidth)"))
