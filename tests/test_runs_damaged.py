"""Folders of runs that are broken or mean harm: one sentence, exit code 2, within seconds."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer import runs
from explorer.errors import ExplorerError, FileError
from explorer.runs import About, Writer

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS step, 1.0 AS at, 0 AS columns, x'' AS numbers FROM n"


def about(text: str | bytes) -> Callable[[Path], object]:
    """Write this as run.json."""
    return lambda folder: (folder / "run.json").write_bytes(text.encode() if isinstance(text, str) else text)


def told(**changes: object) -> Callable[[Path], object]:
    """Write a run.json with these fields."""
    return about(json.dumps({"format": 1, "name": "x", **changes}))


def sql(*commands: str) -> Callable[[Path], object]:
    """Change the file of the first rank."""

    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / "rank-0.sqlite", isolation_level=None)
        for command in commands:
            connection.execute(command)
        connection.close()

    return change


def cut(size: int) -> Callable[[Path], object]:
    return lambda folder: os.truncate(folder / "rank-0.sqlite", size)


def noise(folder: Path) -> None:
    with open(folder / "rank-0.sqlite", "r+b") as file:
        file.seek(4000)
        file.write(bytes(range(256)) * 40)


def missing(folder: Path) -> None:
    (folder / "rank-0.sqlite").unlink()


def a_folder(folder: Path) -> None:
    missing(folder)
    (folder / "rank-0.sqlite").mkdir()


WAYS = {
    "empty": about(b""),
    "no text": about(b"\xff\xfe"),
    "a list": about("[]"),
    "nothing in it": about("{}"),
    "no name": about('{"format": 1}'),
    "deep": about("[" * 100_000),
    "format no number": about('{"format": "1", "name": "x"}'),
    "huge": about('{"format": 1, "name": "' + "x" * (1 << 20) + '"}'),
    "newer": told(format=99),
    "name no text": told(name=3),
    "settings a list": told(settings=[]),
    "huge seed": told(seed=10**400),
    "seed true": told(seed=True),
    "tag no text": told(tags=[1]),
    "version no text": told(made_with={"torch": 2}),
    "huge setting": told(settings={"a": 10**30}),
    "deep setting": told(settings={"a": json.loads("[" * 30 + "]" * 30)}),
    "no file": missing,
    "file a folder": a_folder,
    "file empty": cut(0),
    "file cut in its head": cut(100),
    "file cut": cut(5000),
    "noise": noise,
    "no steps": sql("DROP TABLE steps"),
    "endless steps": sql("DROP TABLE steps", f"CREATE VIEW steps AS {ENDLESS}"),
    "numbers a text": sql("UPDATE steps SET numbers = 'text'"),
    "too few numbers": sql("UPDATE steps SET numbers = x'00'"),
    "unknown columns": sql("UPDATE steps SET columns = 77"),
    "time a text": sql("UPDATE steps SET at = 'late'"),
    "columns no JSON": sql("UPDATE columns SET names = '{'"),
    "columns a number": sql("UPDATE columns SET names = 5"),
    "shape of text": sql("UPDATE parameters SET shape = '[\"a\"]'"),
    "shape no JSON": sql("UPDATE parameters SET shape = 'x'"),
    "norms cut": sql("UPDATE measures SET numbers = x'0102'"),
    "no parameters": sql("DELETE FROM parameters"),
    "event no JSON": sql("UPDATE events SET told = '[1'"),
    "event at noon": sql("UPDATE events SET time = 'noon'"),
    "newer file": sql("UPDATE about SET value = 99 WHERE key = 'format'"),
    "format a text": sql("UPDATE about SET value = 'x' WHERE key = 'format'"),
    "no format": sql("DELETE FROM about"),
    "histogram cut": sql("UPDATE distributions SET counts = x'01'"),
    "a trigger": sql("CREATE TRIGGER boom AFTER INSERT ON steps BEGIN SELECT 1; END"),
}


def norms(*values: float) -> bytes:
    return np.array(values, dtype="<f4").tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good run of 199 steps with something in every table."""
    place = runs.start_folder(tmp_path / "run", About("good", steps=10))
    writer = Writer(place, parameters=(("fc.weight", (3, 2)), ("fc.bias", (3,))))
    for step in range(1, 200):
        writer.step(step, float(step), {"loss": 1.0, "accuracy": 0.5}, norms(*range(6)))
    writer.event("started", 0, 1.0)
    writer.trace(4, "4.trace", "first")
    writer.text(4, "sample", "text")
    writer.distributions(3, [("gradient", "fc.weight", 6, 6, -1.0, 1.0, 0.0, 0.5, 1, 0, np.array([1, 4, 1], dtype="<u4").tobytes())])
    writer.close()
    return place


def everything(folder: Path) -> None:
    """Ask a run all that can be asked of it."""
    run = runs.open_run(folder)
    for ask in (run.status, run.scalars, run.parameters, run.measures, run.traces, run.texts, run.events):
        ask()
    run.distributions(step=100)
    run.nearest_trace(3)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_run_gets_one_sentence(folder: Path, way: str) -> None:
    """Whatever is wrong with a folder, reading it says so in one sentence within seconds, and the list of runs still shows it."""
    everything(folder)
    WAYS[way](folder)
    began = time.monotonic()
    with pytest.raises(ExplorerError) as refused:
        everything(folder)
    assert time.monotonic() - began < 5
    error = refused.value
    assert isinstance(error, FileError) and error.exit_code == 2
    assert error.key in ("runs.damaged", "runs.newer")
    assert "\n" not in error.message("en") and str(folder) in error.message("ko")
    assert [place for place, _ in runs.list_runs(folder.parent)] == [folder]


def test_a_name_that_leads_elsewhere_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """A recording is only looked for in the run's own folder."""
    (tmp_path / "secret.trace").write_text("secret")
    (folder / "traces" / "5.trace").write_text("")
    for name in ("../../secret.trace", str(tmp_path / "secret.trace"), "..", "", "a\0b", "6.trace"):
        sql(f"UPDATE traces SET file = CAST(x'{name.encode().hex()}' AS TEXT)")(folder)
        assert runs.open_run(folder).traces() == []
    sql("UPDATE traces SET file = '5.trace'")(folder)
    assert [found.path.name for found in runs.open_run(folder).traces()] == ["5.trace"]


@pytest.mark.parametrize("seed", range(60))
def test_a_file_with_changed_bytes_is_read_or_refused(folder: Path, seed: int) -> None:
    """A few bytes changed anywhere: an answer or one sentence, never anything else."""
    draw = np.random.default_rng(seed)
    path = folder / "rank-0.sqlite"
    text = bytearray(path.read_bytes())
    for place in draw.integers(0, len(text), size=int(draw.integers(1, 30))):
        text[place] = int(draw.integers(256))
    path.write_bytes(text)
    try:
        everything(folder)
    except FileError as error:
        assert error.exit_code == 2  # noqa: PT017  # both are fine
