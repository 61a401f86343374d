"""Files that nobody wrote with us: whatever is in them, one sentence; and whatever opens can be used to the end.

`AUTOGRAD_EXPLORER_FUZZ=100` tries a hundred times as many, and others each time.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from explorer import cli, dot, files, player
from explorer.document import document_lines, to_document
from explorer.errors import FileError, InvalidTrace
from explorer.export import view_of
from explorer.invariants import check_structure
from explorer.model import Trace
from explorer.payload import payload
from explorer.steps import steps
from explorer.tensors import CODES, read_tensors
from tests import hostile

TIMES = int(os.environ.get("AUTOGRAD_EXPLORER_FUZZ", "0"))
draws = st.integers(0, 2**62).map(Random)  # shrinking a seed tells nothing: what failed is in the message


def fuzz(examples: int) -> settings:
    """The same `examples` each time; `AUTOGRAD_EXPLORER_FUZZ` times as many and different ones where that is set."""
    return settings(
        max_examples=examples * max(TIMES, 1),
        derandomize=not TIMES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def opened(data: bytes, folder: Path) -> Trace | None:
    """What a file of these bytes opens to; None where one sentence, in both languages, says why not."""
    path = folder / "a.trace"
    path.write_bytes(data)
    try:
        return files.load(path)
    except (FileError, InvalidTrace) as error:
        for language in ("en", "ko"):
            sentence = error.message(language)
            assert sentence.isprintable() or max(sentence) >= "\ud800", sentence
            assert len(sentence) < 1000
        return None


def use(trace: Trace, folder: Path, draw: Random) -> None:
    """Everything that reads a trace: each ends well, or refuses with a sentence."""
    check_structure(trace)
    try:
        trace.check()
    except InvalidTrace as error:
        assert "\n" not in str(error)  # noqa: PT017
    text = b"".join(document_lines(trace, sources=True))
    assert json.loads(text)["format"] == 1
    files.save(trace, folder / "b.trace")
    assert b"".join(document_lines(files.load(folder / "b.trace"), sources=True)) == text
    json.dumps(to_document(trace), allow_nan=False)
    assert repr(trace)
    taken = steps(trace)
    for step in taken:
        assert step.say("en") and step.say("ko")
    for options in draw.sample(looks(trace, len(taken)), 1 if not TIMES else 4):
        view = view_of(trace, **options)
        dot.write(view).encode("utf-8", "surrogatepass")
        data = payload(trace, view=view, svg="<svg/>", width=1.0, height=1.0, key="file")
        json.loads(player._as_data(data).encode())
    for finding in trace.findings:
        assert finding.message["en"] is not None


def looks(trace: Trace, last: int) -> list[dict[str, Any]]:
    """What a person may ask for."""
    middle = {"focus": len(trace.nodes) // 2} if trace.nodes else {}
    return [
        {},
        {"depth": 0, "language": "ko", "overlay": "memory"},
        {"depth": 1, "direction": "backward", "overlay": "gradient", "theme": "dark"},
        {"expand": "all", "overlay": "value", "step": last // 2},
        {**middle, "hops": 2, "overlay": "time", "flow": "right", "step": last},
    ]


@fuzz(250)
@given(draws)
def test_a_changed_document_is_refused_or_usable(folder: Path, draw: Random) -> None:
    """A recorded document with values, keys and parts changed anywhere: one sentence, or a trace that everything can read."""
    document = hostile.changed_document(draw)
    data = hostile.document_bytes(document)
    if draw.random() < 0.3:
        data = hostile.zipped([("trace.json", data), ("tensors.safetensors", hostile.EMPTY_TENSORS)])
    trace = opened(data, folder)
    if trace is not None:
        use(trace, folder, draw)


@fuzz(300)
@given(draws)
def test_a_changed_archive_is_refused_or_the_same(folder: Path, draw: Random) -> None:
    """An archive whose headers lie, that is cut or put together wrongly: one sentence, or exactly what was saved."""
    trace = opened(hostile.changed_archive(draw), folder)
    if trace is not None:
        (folder / "whole.trace").write_bytes(hostile.ARCHIVE)
        assert trace == files.load(folder / "whole.trace")


@fuzz(300)
@given(draws)
def test_changed_tensors_are_refused_or_of_their_shape(draw: Random) -> None:
    """A safetensors header with anything changed: refused, or each tensor has the bytes that its type and shape call for."""
    data = hostile.changed_tensors(draw)
    try:
        found = read_tensors(io.BytesIO(data), size=len(data), most=20, path="bad.trace")
    except FileError as error:
        assert error.key == "file.tensors"  # noqa: PT017
        return
    for tensor in found.values():
        assert all(type(size) is int and size >= 0 for size in tensor.shape)
        if tensor.dtype in CODES:
            assert len(tensor.data) == math.prod(tensor.shape) * CODES[tensor.dtype][1]


@fuzz(150)
@given(draws)
def test_changed_text_is_refused_or_usable(folder: Path, draw: Random) -> None:
    """JSON text with bytes changed, cut out, doubled or put in, in a document longer than one piece of reading too."""
    trace = opened(hostile.changed_text(draw), folder)
    if trace is not None:
        use(trace, folder, draw)


@fuzz(12)
@given(draws)
def test_the_command_line_says_one_sentence(folder: Path, draw: Random) -> None:
    """`export` of a changed document: a picture, or exit code 2 and one sentence; never a traceback, never half a file."""
    (folder / "c.json").write_bytes(hostile.document_bytes(hostile.changed_document(draw)))
    picture = folder / "c.svg"
    picture.unlink(missing_ok=True)
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["export", str(folder / "c.json"), "-o", str(picture)])
    assert (code, len(said.getvalue().splitlines()), picture.exists()) in ((0, 0, True), (2, 1, False)), said.getvalue()
    if not code:
        ElementTree.parse(picture)
