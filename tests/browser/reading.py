"""What a page with the player shows, and a recording whose every name is turned against it."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Error, FloatRect, Locator, Page

from explorer.model import Trace
from tests.dummy import dummy_trace

HOSTILE = "<img src=x onerror=window.broken=1></script><!--\"'&\u2028\u202e가"
SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\u2028", "\\u2028")  # what breaks lines or turns the direction of text is written out


def rested(page: Page, seconds: float = 0.4) -> None:
    """Streamlit has run the page and begins nothing more: what is pressed before may be on an element that is about to be replaced."""
    page.evaluate("() => { window.restedSince = null; }")
    page.wait_for_function(
        """wanted => {
          const state = document.querySelector("[data-testid=stApp]").dataset.testScriptState;
          window.restedSince = state === "notRunning" ? window.restedSince ?? performance.now() : null;
          return window.restedSince !== null && performance.now() - window.restedSince > wanted;
        }""",
        arg=1000 * seconds,
        timeout=60_000,
    )


def near(place: Locator, tries: int = 20) -> None:
    """Scroll to it; where the page is just putting another in its place, to that one."""
    for left in reversed(range(tries)):
        try:
            place.scroll_into_view_if_needed()
            return
        except Error as error:
            if not left or "not attached" not in str(error):
                raise


def frame_of(place: Locator, tries: int = 50) -> FloatRect:
    """Where it stands; what is just being drawn anew stands nowhere."""
    for _ in range(tries):
        if (found := place.bounding_box()) is not None:
            return found
        place.page.wait_for_timeout(100)
    raise AssertionError("it stands nowhere")


def sentence(page: Page) -> str:
    return page.locator(".player .sentence").inner_text()


def place(page: Page) -> Locator:
    return page.locator(".player .place")


def snapshot(page: Page) -> str:
    """All that the player shows: texts, classes of what is drawn, and where the slider stands; not how far the view moved."""
    return page.evaluate("""() => {
      const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot?.querySelector(".player")).find(Boolean)
        ?? document.querySelector(".player");
      const drawn = [...root.querySelectorAll(".stage g[id], .stage text")].map((e) => `${e.id} ${[...e.classList].sort().join(" ")}`);
      const code = [...root.querySelectorAll(".code li")].map((e) => `${e.className} ${e.dataset.done ?? ""} ${e.innerHTML}`);
      const shown = [".sentence", ".inspector", ".place"].map((name) => root.querySelector(name).innerText);
      return JSON.stringify([shown, drawn.filter((line) => !line.includes("wire")), code, root.querySelector("input[type=range]").value]);
    }""")


def seen_in_graph(page: Page) -> str:
    """The texts of the drawing that are not hidden at this step."""
    return " | ".join(
        page.locator(".stage text").evaluate_all("all => all.filter((e) => getComputedStyle(e).opacity > 0).map((e) => e.textContent)")
    )


def hostile_trace() -> Trace:
    """The neuron with every name a person may choose turned against the page."""
    trace = dummy_trace(modules=True, updates=True, findings=True)
    node = trace.nodes[2]
    assert node.source is not None
    source = replace(node.source, file=f"{HOSTILE}.py", code=f"z = '{HOSTILE}'", function=HOSTILE, column=0, end_column=5)
    nodes = [replace(other, names=(HOSTILE,), name=HOSTILE, op=other.op and HOSTILE) for other in trace.nodes]
    nodes[2] = replace(nodes[2], source=source, autograd=HOSTILE)
    findings = tuple(
        replace(finding, message={"en": HOSTILE, "ko": HOSTILE}, remedy={"en": HOSTILE, "ko": HOSTILE}) for finding in trace.findings
    )
    return replace(trace, title=HOSTILE, nodes=tuple(nodes), findings=findings, sources={"neuron.py": HOSTILE + trace.sources["neuron.py"]})
