"""A trace as a file: the suffix decides, bad requests get one sentence, nothing is left half-written."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from explorer.errors import ExplorerError, OutputError, RequestError
from explorer.export import FORMATS, export, svg_text, view_of
from explorer.model import Trace
from explorer.steps import steps
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace
from tests.test_view import nested_trace

SVG = "{http://www.w3.org/2000/svg}"
BEGINS = {
    ".svg": b"<?xml",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".pdf": b"%PDF-",
    ".gif": b"GIF8",
    ".dot": b"digraph",
    ".html": b"<!doctype html>",
    ".json": b"{",
    ".trace": b"PK\x03\x04",
}
TRACES: dict[str, Trace] = {
    "neuron": dummy_trace(),
    "modules": dummy_trace(modules=True, updates=True, findings=True, partial=True),
    "nonfinite": nonfinite_trace(),
    "chain": chain_trace(300),
    "blocks": nested_trace(blocks=12, ops=20),
    "no edges": replace(dummy_trace(), edges=()),
    "empty": replace(dummy_trace(), nodes=(), edges=(), forward=(), backward=(), loss=None),
}


@pytest.mark.parametrize("name", list(TRACES))
@pytest.mark.parametrize("suffix", list(FORMATS))
def test_every_trace_exports_in_every_format(name: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file begins as its format does, and the suffix may be in capitals."""
    monkeypatch.setattr("explorer.moments.MOST_FRAMES", 4)  # each takes as long as a picture
    for path in (tmp_path / f"a{suffix}", tmp_path / f"b{suffix.upper()}"):
        export(TRACES[name], path)
        assert path.read_bytes().startswith(BEGINS[suffix])
    assert sorted(os.listdir(tmp_path)) == sorted([f"a{suffix}", f"b{suffix.upper()}"])


@pytest.mark.parametrize("suffix", [".dot", ".svg"])
def test_the_same_trace_gives_the_same_file(suffix: str, tmp_path: Path) -> None:
    """Byte for byte."""
    for name in ("a", "b"):
        export(TRACES["modules"], tmp_path / f"{name}{suffix}", language="ko")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("name", ["picture.bmp", "picture", "picture.", ".svg", "a.svg.gz"])
def test_an_unknown_suffix_is_refused(name: str, tmp_path: Path) -> None:
    """The sentence lists what can be written, in both languages, and no file appears."""
    with pytest.raises(OutputError) as caught:
        export(dummy_trace(), tmp_path / name)
    for language in ("en", "ko"):
        assert all(suffix in caught.value.message(language) for suffix in FORMATS)
    assert os.listdir(tmp_path) == []


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    """A folder that is not there, or a name that is a folder."""
    (tmp_path / "folder.svg").mkdir()
    for path in (tmp_path / "nowhere" / "a.svg", tmp_path / "folder.svg", "a\0.svg"):
        with pytest.raises(OutputError):
            export(dummy_trace(), path)


@pytest.mark.parametrize("options", [{"focus": 99}, {"step": 99}, {"depth": -1}, {"overlay": "x"}, {"colour": "red"}, {"values": ()}])
@pytest.mark.parametrize("suffix", list(FORMATS))
def test_wrong_options_are_refused_whatever_the_format(options: dict[str, Any], suffix: str, tmp_path: Path) -> None:
    """One sentence, and what stood there before is untouched."""
    path = tmp_path / f"a{suffix}"
    path.write_text("before")
    with pytest.raises(RequestError) as caught:
        export(dummy_trace(), path, **options)
    assert caught.value.message("ko") != caught.value.message("en")
    assert path.read_text() == "before"


def test_a_failing_engine_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no picture can be made, none is written."""
    monkeypatch.setenv("AUTOGRAD_EXPLORER_DOT", "none")
    with pytest.raises(ExplorerError):
        export(dummy_trace(), tmp_path / "a.svg")
    assert os.listdir(tmp_path) == []


def test_steps_reach_more_and_more() -> None:
    """Step 0 shows nothing computed, the last step everything; what was reached stays reached."""
    trace = dummy_trace(updates=True)
    views = [view_of(trace, step=step) for step in range(len(steps(trace)) + 1)]
    assert (views[0].values, views[0].gradients, views[0].flowed) == (frozenset(), frozenset(), frozenset())
    last = views[-1]
    assert last.values == frozenset(range(8)) and last.updated == {1, 3}
    assert last.gradients == {1, 2, 3, 4, 5, 7} and last.flowed == {1, 2, 3, 4, 5}
    for before, after in pairwise(views):
        assert before.values is not None and after.values is not None and before.values <= after.values
        assert before.gradients is not None and after.gradients is not None and before.gradients <= after.gradients


def test_the_whole_picture_has_no_step() -> None:
    """Without a step everything counts as reached."""
    assert view_of(dummy_trace()).values is None


def test_titles_are_said_once(tmp_path: Path) -> None:
    """A PDF says the title of each open module once, as the SVG does."""
    export(TRACES["modules"], tmp_path / "a.svg", depth=9)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    titles = re.findall(r'<g id="cluster_[^>]*>.*?<text[^>]*>([^<]+)<', svg, re.DOTALL)
    export(TRACES["modules"], tmp_path / "a.pdf", depth=9)
    written = PdfReader(tmp_path / "a.pdf").pages[0].extract_text()
    assert titles and all(written.count(f"{title} ") == svg.count(f">{title}<") for title in titles)


@pytest.mark.parametrize("engine", ["", "pure"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_text_stands_inside_its_box(engine: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever font the engine measured, each line lies between the sides of its box."""
    monkeypatch.setenv("AUTOGRAD_EXPLORER_DOT", engine)
    root = ElementTree.fromstring(svg_text(dummy_trace(modules=True, updates=True), language=language))
    lines = 0
    for box in root.iter(f"{SVG}g"):
        if not box.get("class", "").startswith("node"):
            continue
        shape = next(found for found in box.iter() if found.get("d") or found.get("points"))
        way = shape.get("d") or shape.get("points") or ""
        across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", way)]
        if rounded := re.match(r"M([\d.]+),[\d.]+h([\d.]+)q([\d.]+)", way):  # from the first corner on, what follows is relative
            start, length, corner = map(float, rounded.groups())
            across = [start - corner, start + length + corner]
        for text in box.iter(f"{SVG}text"):
            left = float(text.get("x", ""))
            assert min(across) <= left < left + float(text.get("textLength", "")) <= max(across), text.text
            lines += 1
    assert lines > 10


def test_the_font_is_cut_to_the_drawing(tmp_path: Path) -> None:
    """An SVG and a page carry what they write in our font, in kilobytes, without a word of the network."""
    for suffix in (".svg", ".html"):
        export(dummy_trace(), tmp_path / f"a{suffix}", language="ko")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert svg.count("@font-face") == 2 and 10_000 < len(svg) < 60_000
    assert "http" not in svg.replace("http://www.w3.org/", "")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert len(page) < 400_000  # the whole font would be megabytes
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "default-src 'none'" in page and "unsafe" not in page


def test_svg_text_is_the_exported_picture(tmp_path: Path) -> None:
    """A notebook shows what a file would hold."""
    export(dummy_trace(), tmp_path / "a.svg", theme="dark")
    assert svg_text(dummy_trace(), theme="dark") == (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_what_the_player_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page for more nodes than a browser can take is refused in a sentence with a way on, before anything is drawn."""
    monkeypatch.setattr("explorer.payload.MOST_PLAYED", 10)
    for language, word in (("en", "at most 10 nodes"), ("ko", "10개까지만")):
        with pytest.raises(RequestError) as caught:
            export(chain_trace(20), tmp_path / "a.html")
        assert word in caught.value.message(language)
    assert not (tmp_path / "a.html").exists()
    export(chain_trace(5), tmp_path / "b.html")
    export(chain_trace(20), tmp_path / "a.svg")
