"""Pictures: what the engine makes of DOT text, how it is stopped, and that text shows where there are no fonts."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdf
import pytest

from explorer import dot, engine, layout
from explorer.errors import ExplorerError, OutputError, RequestError
from explorer.picture import placing
from explorer.view import make_view
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace
from tests.test_dot import HOSTILE, with_name
from tests.test_view import nested_trace, residual_trace

SVG = "{http://www.w3.org/2000/svg}"
HANGUL = 'digraph { graph [fontname="Explorer Sans"] node [fontname="Explorer Sans"]; a [label=<<B>가중치</B>>]; a -> b; b [label=기울기] }'


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Forces an engine for one test."""
    return lambda name: monkeypatch.setenv(engine.CHOICE, name)


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> float:
    """A time limit of one second instead of half a minute."""
    monkeypatch.setattr(engine, "LIMIT", 1.0)
    return 1.0


def tangle(nodes: int = 500) -> str:
    """A graph on which dot works for minutes."""
    chance = random.Random(1)
    edges = "".join(f"{chance.randrange(nodes)} -> {chance.randrange(nodes)};" for _ in range(nodes * 6))
    return f"digraph {{ {edges} }}"


def groups(svg: bytes | str) -> dict[str, ElementTree.Element]:
    """The `<g>` elements of a picture by id."""
    return {group.get("id", ""): group for group in ElementTree.fromstring(svg).iter(f"{SVG}g")}


def test_every_format_begins_as_it_should() -> None:
    """The engine of this machine writes SVG, PNG, PDF, JSON and plain text."""
    begins = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "json": b"{", "plain": b"graph "}
    text = dot.write(make_view(dummy_trace()))
    for format, begin in begins.items():
        assert layout.render(text, format).startswith(begin), format  # type: ignore[arg-type]


def test_svg_is_clean() -> None:
    """Sizes are numbers, each thing has its id, class and tooltip; no doctype, comment, link, script, path of this machine or reference."""
    view = make_view(dummy_trace(modules=True, findings=True))
    data = layout.draw(view, "svg")
    root = ElementTree.fromstring(data)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    assert [float(part) for part in root.get("viewBox", "").split()] == [0, 0, width, height]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "g",
        "title",
        "path",
        "polygon",
        "polyline",
        "ellipse",
        "text",
    }
    assert not any("href" in name or name.startswith("on") or name == "style" for element in root.iter() for name in element.attrib)
    for word in (b"<!DOCTYPE", b"<!--", b"xlink", b"url(", str(Path.cwd()).encode()):
        assert word not in data
    found = groups(data)
    assert {box.id for box in view.boxes} | {cluster.id for cluster in view.clusters} | {arrow.id for arrow in view.arrows} <= set(found)
    title = found["n5"].find(f"{SVG}title")
    assert title is not None and "SigmoidBackward0" in (title.text or "") and "The gradient shrinks here." in (title.text or "")
    assert found["n5"].get("class") == "node op executed warning"


def test_text_says_how_wide_it_is() -> None:
    """So that a machine without our font keeps words inside their boxes: 가중치 in bold 15 is three syllables wide."""
    root = ElementTree.fromstring(layout.draw(make_view(with_name("가중치")), "svg"))
    texts = list(root.iter(f"{SVG}text"))
    assert texts and all(text.get("textLength") and (text.text or "").strip() for text in texts)
    title = next(text for text in texts if text.text == "가중치" and text.get("font-size") == "15.00")
    assert 36 < float(title.get("textLength", "")) < 42


def test_the_same_text_gives_the_same_svg() -> None:
    """Byte for byte."""
    text = dot.write(make_view(dummy_trace(modules=True)))
    assert layout.render(text, "svg") == layout.render(text, "svg")


@pytest.mark.parametrize("name", list(HOSTILE.values()), ids=list(HOSTILE))
def test_hostile_names_stay_text_in_svg(name: str) -> None:
    """The picture is well formed, has no element it should not have, and every box."""
    view = make_view(with_name(name))
    data = layout.draw(view, "svg")
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(data).iter()}
    assert tags <= {"svg", "g", "title", "path", "polygon", "polyline", "ellipse", "text"}
    assert {box.id for box in view.boxes} <= set(groups(data))


def test_hangul_stays_whole() -> None:
    """A name in Hangul reads as it is in the picture's text."""
    assert "가중치" in layout.draw(make_view(with_name("가중치"), language="ko"), "svg").decode()


def test_picture_holds_what_the_page_needs() -> None:
    """Its sizes are those of its SVG, its view is what was drawn, and no title stands in it."""
    drawn = layout.picture(make_view(dummy_trace()))
    assert f'width="{drawn.width:g}"' in drawn.svg
    assert {box.id for box in drawn.view.boxes} <= set(groups(drawn.svg))
    assert "logistic_neuron" not in drawn.svg


def test_a_hanging_engine_is_stopped(short_limit: float) -> None:
    """A graph that would take minutes ends in one sentence soon after the limit; the process is gone, and the next picture works."""
    layout.render("digraph { a }", "svg")
    process = engine._helper(all_fonts=False).process
    began = time.monotonic()
    with pytest.raises(RequestError, match="longer than 1 seconds") as caught:
        layout.render(tangle(), "svg")
    assert time.monotonic() - began < short_limit + 5
    assert caught.value.key == "drawing.too_large"
    assert process is None or process.poll() is not None
    assert layout.render("digraph { a }", "svg")


@pytest.mark.parametrize("what", ["absent", "hangs", "answers nonsense"])
def test_there_is_a_picture_without_an_engine(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphviz absent, hung or broken: every box shows all the same, each in a place of its own, and soon."""

    def fails(text: str, format: str, *, seconds: float | None = None) -> bytes:
        if what == "absent":
            raise RequestError("drawing.no_engine", what="")
        if what == "hangs":
            raise RequestError("drawing.too_large", seconds="2")
        return b"graph 1 2 3\nnode n0 1\nstop\n"

    monkeypatch.setattr(placing, "place", fails)
    monkeypatch.setattr(placing._memory, "known", type(placing._memory.known)())
    view = make_view(residual_trace(blocks=12, ops=10), expand="all")
    began = time.monotonic()
    found = groups(layout.draw(view, "svg"))
    assert time.monotonic() - began < 5
    assert {box.id for box in view.boxes} | {arrow.id for arrow in view.arrows} <= set(found)


def test_a_crashing_engine_gets_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the helper dies under a picture, that is said, and the next picture has a new helper."""
    helper = engine._helper(all_fonts=False)
    helper.start()
    exchange = type(helper)._exchange

    def dies(self: Any, request: bytes) -> Any:
        self.process.kill()
        return exchange(self, request)

    with monkeypatch.context() as patched:
        patched.setattr(type(helper), "_exchange", dies)
        with pytest.raises(OutputError, match="ended without an answer"):
            layout.render("digraph { a }", "svg")
    assert layout.render("digraph { a }", "svg")


def test_people_draw_at_once() -> None:
    """Pictures asked for from several threads are each the one that was asked for."""
    names = [f"n{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        drawn = list(threads.map(lambda name: layout.render(f"digraph {{ a [id={name}] }}", "svg"), names))
    assert [name in groups(data) for name, data in zip(names, drawn, strict=True)] == [True] * 12


@pytest.mark.parametrize("text", ["digraph {", "not dot at all", ""])
def test_what_is_not_dot_is_refused(text: str) -> None:
    """Broken text is one sentence, not a crash, and the helper goes on."""
    with pytest.raises(ExplorerError):
        layout.render(text, "svg")
    assert layout.render("digraph { a }", "svg")


def test_an_unknown_engine_is_refused(choose: Any) -> None:
    """The sentence names the engines there are."""
    choose("graphviz3000")
    with pytest.raises(RequestError, match="pygraphviz, pure, system"):
        layout.render("digraph { a }", "svg")


def test_without_pygraphviz_the_next_engine_steps_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pygraphviz does not load (its libraries are missing), another engine is taken; where none is there, one sentence says so."""
    monkeypatch.delenv(engine.CHOICE, raising=False)
    monkeypatch.setattr(engine, "_starts", lambda name: name == "pure")
    assert layout.engine() == "pure"
    monkeypatch.setattr(engine, "_starts", lambda name: False)
    with pytest.raises(RequestError, match="pip install pygraphviz"):
        layout.engine()


def test_graphviz_pure_draws_what_it_can(choose: Any) -> None:
    """Where it is installed it draws SVG and PNG; for PDF, and for Hangul in PNG, it says what to do instead of drawing empty boxes."""
    if engine._program("pure") is None:
        pytest.skip("graphviz-pure is not installed")
    choose("pure")
    text = dot.write(make_view(dummy_trace()))
    assert {f"n{n}" for n in range(8)} <= set(groups(layout.render(text, "svg")))
    assert layout.render(text, "png").startswith(b"\x89PNG")
    for broken, format in ((text, "pdf"), (HANGUL, "png")):
        with pytest.raises(OutputError, match="pygraphviz"):
            layout.render(broken, format)  # type: ignore[arg-type]


def test_the_helper_ends_with_its_program() -> None:
    """A program that draws leaves no process and no folder behind."""
    code = (
        "from explorer import engine, layout; layout.render('digraph { a }', 'svg');"
        "print(engine._helper(all_fonts=False).process.pid, engine._fontconfig(all_fonts=False))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    number, folder = done.stdout.split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(number), 0)
    assert not Path(folder).exists()


# -- fonts ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No font but ours, and a helper that was started so."""
    monkeypatch.setattr(engine, "SYSTEM_FONTS", ())
    for function in (engine._helper, engine._fontconfig):
        function.cache_clear()
    yield
    engine._helper(all_fonts=False).stop()
    for function in (engine._helper, engine._fontconfig):
        function.cache_clear()


def glyph(char: str) -> bytes:
    """The PNG of one character."""
    return layout.render(f'digraph {{ a [shape=plain fontname="Explorer Sans" label="{char}"] }}', "png")


def test_hangul_shows_without_fonts(without_fonts: None) -> None:
    """Different characters look different: no tofu, neither for Hangul nor for the signs that pictures use."""
    drawn = [glyph(char) for char in "가중치기울x⚠×−…→"]
    assert len(set(drawn)) == len(drawn)


def test_pdf_holds_font_and_text(without_fonts: None) -> None:
    """The PDF has our font inside, and its text can be taken out again."""
    page = pypdf.PdfReader(io.BytesIO(layout.render(HANGUL, "pdf"))).pages[0]
    text = page.extract_text()
    assert "가중치" in text and "기울기" in text
    resources: Any = page["/Resources"]
    fonts = [font.get_object() for font in resources["/Font"].values()]
    assert fonts and all("ExplorerSans" in str(font["/BaseFont"]) for font in fonts)


def test_the_fonts_carry_their_licence_and_no_reserved_name() -> None:
    """The licence lies beside them; the family is ours, because the licence reserves the name of the original."""
    folder = engine.fonts_folder()
    assert "SIL OPEN FONT LICENSE" in (folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert sorted(font.name for font in folder.glob("*.otf")) == ["ExplorerSans-Bold.otf", "ExplorerSans-Regular.otf"]
    assert sum(font.stat().st_size for font in folder.glob("*.otf")) < 4_000_000


@pytest.mark.parametrize(
    "trace", [nonfinite_trace(), chain_trace(300), nested_trace(blocks=12, ops=57)], ids=["nonfinite", "chain", "blocks"]
)
@pytest.mark.parametrize("options", [{"overlay": "value"}, {"overlay": "gradient", "theme": "dark"}, {"flow": "right", "language": "ko"}])
def test_options_draw(trace: Any, options: dict[str, Any]) -> None:
    """Every option leads to a picture with every box in it."""
    view = make_view(trace, **options)
    assert {box.id for box in view.boxes} <= set(groups(layout.draw(view, "svg")))


def test_too_many_boxes_are_never_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of more boxes than a page can move is drawn collapsed at once, and says what to do."""
    monkeypatch.setattr("explorer.layout.MOST_VISIBLE", 80)
    monkeypatch.setattr("explorer.layout.MOST_PLACED", 80)
    drawn = layout.picture(make_view(chain_trace(100), expand="all"))
    assert drawn.view.simplified
    assert len(drawn.view.boxes) <= 80
    assert "choose a focus" in layout.draw(make_view(chain_trace(100), expand="all"), "svg").decode()
    assert not layout.picture(make_view(chain_trace(20), expand="all")).view.simplified
