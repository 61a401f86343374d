"""Runs on disk: what is written is read back, readers and writer leave each other alone, and no folder can harm a reader."""

from __future__ import annotations

import contextlib
import math
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer import runs
from explorer.errors import OutputError, RequestError
from explorer.runs import About, Writer

PARAMETERS = (("fc.weight", (3, 2)), ("fc.bias", (3,)))


def norms(*values: float) -> bytes:
    return np.array(values, dtype="<f4").tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return runs.start_folder(tmp_path / "run", About("first", target="simple_net", settings={"learning_rate": 0.1}, seed=3, steps=10))


@pytest.fixture
def writer(folder: Path) -> Iterator[Writer]:
    made = Writer(folder, parameters=PARAMETERS)
    yield made
    made.close()


def test_what_is_written_is_read_back(folder: Path, writer: Writer) -> None:
    """Steps, metrics that come and go, norms, histograms, texts and events, while the writer still has the file."""
    writer.event("started", 0, 100.0, resumed=False)
    writer.step(1, 0.5, {"loss": 2.0}, norms(1, 2, 3, 4, 0.3, 0.4))
    writer.step(2, 0.7, {"loss": 1.5, "accuracy": 0.5})
    writer.step(3, 0.9, {"loss": math.nan}, norms(math.nan, math.inf, 3, 4, 0, 0))
    writer.distributions(3, [("gradient", "fc.weight", 6, 6, -1.0, 1.0, 0.0, 0.5, 1, 0, np.array([1, 4, 1], dtype="<u4").tobytes())])
    writer.text(2, "sample", "안녕")
    writer.event("nan", 3, 101.0, metric="loss")

    run = runs.open_run(folder)
    assert run.about.settings == {"learning_rate": 0.1}
    scalars = run.scalars()
    assert scalars.steps.tolist() == [1, 2, 3]
    assert scalars.at.tolist() == [0.5, 0.7, 0.9]
    assert scalars.of("accuracy")[0].tolist() == [2]
    steps, losses = scalars.of("loss")
    assert steps.tolist() == [1, 2, 3], "a NaN that was measured is not a value that is missing"
    assert losses[:2].tolist() == [2.0, 1.5] and math.isnan(losses[2])
    assert run.scalars(since=2).steps.tolist() == [3]
    assert [(one.name, one.shape) for one in run.parameters()] == list(PARAMETERS)
    measures = run.measures()
    assert measures.steps.tolist() == [1, 3]
    assert measures.gradient[0].tolist() == [1, 2]
    assert measures.ratio[0].tolist() == pytest.approx([0.1, 0.1])
    assert math.isnan(measures.gradient[1, 0]) and math.isinf(measures.gradient[1, 1])
    (found,) = run.distributions(step=7)
    assert (found.step, found.what, found.counts.tolist()) == (3, "gradient", [1, 4, 1])
    assert run.texts() == [(2, "sample", "안녕")]
    assert [event.kind for event in run.events()] == ["started", "nan"]
    status = run.status()
    assert (status.state, status.step, status.at, status.steps, status.nan) == ("running", 3, 0.9, 10, 3)


@pytest.mark.parametrize(
    ("kinds", "state"), [((), "died"), (("finished",), "finished"), (("failed",), "failed"), (("stopped",), "stopped")]
)
def test_how_a_run_ended(folder: Path, kinds: tuple[str, ...], state: str) -> None:
    """A writer that is gone without a word has died; one that said how it ended has not."""
    writer = Writer(folder, parameters=PARAMETERS)
    for kind in ("started", *kinds):
        writer.event(kind, 4, 1.0)
    writer.close()
    assert runs.open_run(folder).status().state == state


def test_two_writers_on_one_run_are_refused(folder: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is refused and changes nothing; when the first has ended, the next may write."""
    monkeypatch.setattr("explorer.runs.requests.PATIENCE", 0.1)
    writer.step(1, 0.1, {"loss": 1.0})
    with pytest.raises(OutputError) as refused:
        Writer(folder, parameters=PARAMETERS)
    assert refused.value.key == "runs.busy"
    writer.close()
    second = Writer(folder, parameters=PARAMETERS, goes_on=True)
    assert second.last() == (1, 0.1)
    second.close()


def test_a_new_run_takes_no_place_that_is_taken(folder: Path, tmp_path: Path) -> None:
    """Neither another run, nor a folder with other things in it, nor a file is written over."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    for place, key in ((folder, "runs.there_already"), (tmp_path / "other", "runs.not_empty"), (tmp_path / "file", "runs.not_empty")):
        with pytest.raises(OutputError) as refused:
            runs.start_folder(place, About("second"))
        assert refused.value.key == key
    with pytest.raises(OutputError):
        runs.start_folder(tmp_path / "file" / "below", About("third"))
    with pytest.raises(OutputError):
        runs.start_folder("a\0b", About("fourth"))


def test_readers_do_not_hold_up_the_writer(folder: Path, writer: Writer) -> None:
    """While somebody reads in the middle of an answer, steps are stored, and each reader sees a state that was."""
    for step in range(1, 2001):
        writer.step(step, step / 10, {"loss": 1.0 / step}, norms(*[step] * 6))
    writer.event("paused", 2000, 1.0)  # before which all that waits is moved
    reader = sqlite3.connect(f"{(folder / 'rank-0.sqlite').as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM steps").fetchone() == (2000,)
    began = time.monotonic()
    for step in range(2001, 2501):
        writer.step(step, step / 10, {"loss": 1.0 / step})
    assert time.monotonic() - began < 2
    assert reader.execute("SELECT count(*) FROM steps").fetchone() == (2000,)
    reader.close()
    assert runs.open_run(folder).step() == 2500
    assert writer.broken is None


def test_a_torn_tail_ends_where_it_is_torn(folder: Path) -> None:
    """What a killed process had not moved into SQLite is read to the last whole record, and moved by the next one, whatever follows it."""
    writer = Writer(folder, parameters=PARAMETERS)
    for step in range(1, 11):
        writer.step(step, step / 10, {"loss": float(step)})
    tail = (folder / "rank-0.tail").read_bytes()
    assert len(tail) > 300, "most of them wait"
    database = (folder / "rank-0.sqlite").read_bytes(), (folder / "rank-0.sqlite-wal").read_bytes()
    writer.close()
    assert (folder / "rank-0.tail").read_bytes() == b""
    draw = np.random.default_rng(0)
    for odd in (b"", b"\0" * 40, b"\xff" * 100, tail[:20], tail[:-1], tail[:50] + b"x" + tail[51:], draw.bytes(5000)):
        (folder / "rank-0.sqlite").write_bytes(database[0])
        (folder / "rank-0.sqlite-wal").write_bytes(database[1])
        (folder / "rank-0.tail").write_bytes(tail + odd)
        run = runs.open_run(folder)
        assert run.scalars().metrics["loss"].tolist() == list(range(1, 11))
        assert run.scalars(since=8).steps.tolist() == [9, 10]
        assert run.step() == run.status().step == 10
    again = Writer(folder, goes_on=True)
    assert again.last() == (10, 1.0)
    again.step(11, 1.1, {"loss": 11.0})
    again.close()
    assert runs.open_run(folder).scalars().metrics["loss"].tolist() == list(range(1, 12))


def test_a_run_that_is_just_beginning_is_read_or_not_there(tmp_path: Path) -> None:
    """However early somebody looks, it is no run yet or one that can be read; never a damaged one."""
    from explorer.runs.folder import prepare_folder, write_about

    place, over, seen = tmp_path / "run", threading.Event(), []

    def look() -> None:
        while not over.is_set():
            if runs.is_run(place):
                seen.append(runs.open_run(place).status().state)

    for number in range(10):
        place = tmp_path / f"run{number}"
        over.clear()
        thread = threading.Thread(target=look)
        thread.start()
        prepare_folder(place)
        writer = Writer(place, parameters=PARAMETERS)
        write_about(place, About("x"))
        Writer(place, rank=1, parameters=PARAMETERS).close()
        writer.event("started", 0, 1.0)
        over.set()
        thread.join()
        writer.close()
        assert runs.open_run(place).ranks == (0, 1)
    assert set(seen) <= {"running"}


def test_many_measures_are_thinned_and_the_extremes_stay(folder: Path) -> None:
    """Of ten thousand rows at most so many come back, each the largest of its group, and a NaN is never lost."""
    writer = Writer(folder, parameters=PARAMETERS)
    writer._connection.execute("BEGIN")
    writer._connection.executemany(
        "INSERT INTO measures VALUES (?, ?)",
        [(step, norms(1e6 if step == 7777 else 1, math.nan if step == 123 else 2, 3, 4, 5, 6)) for step in range(1, 10_001)],
    )
    writer._connection.execute("COMMIT")
    writer.close()
    found = runs.open_run(folder).measures(most=100)
    assert len(found.steps) <= 100
    assert found.gradient[:, 0].max() == 1e6
    assert np.isnan(found.gradient[:, 1]).sum() == 1
    assert len(runs.open_run(folder).measures(since=9_990, most=100).steps) == 10


def test_requests_reach_the_one_that_trains_now(folder: Path) -> None:
    """What was asked before it began is not for it; what it cannot understand is passed over; each is heard once."""
    runs.request(folder, "stop")
    requests = runs.Requests(folder)
    assert requests.new() == []
    runs.request(folder, "pause")
    with open(folder / "requests.jsonl", "ab") as file:
        file.write(b'garbage\n{"kind": "explode"}\n[1]\n')
    runs.request(folder, "resume")
    assert requests.new(now=1e9) == ["pause", "resume"]
    assert requests.new(now=2e9) == []
    with open(folder / "requests.jsonl", "ab") as file:
        file.write(b'{"kind": "st')
    assert requests.new(now=3e9) == []
    with open(folder / "requests.jsonl", "ab") as file:
        file.write(b'op"}\n' + b"x" * 100_000 + b"\n")
    assert requests.new(now=4e9) == ["stop"]
    runs.request(folder, "record")
    assert requests.new(now=5e9) == ["record"]
    with pytest.raises(RequestError):
        runs.request(folder, "explode")
    with pytest.raises(OutputError):
        runs.request(folder / "nowhere", "stop")


def test_a_run_is_renamed_put_away_and_brought_back(folder: Path, writer: Writer) -> None:
    """A run that is being written stays where it is; one that is not can be put away and comes back whole."""
    assert runs.rename(folder, name="another", tags=("good",)).tags == ("good",)
    assert runs.open_run(folder).about.name == "another"
    with pytest.raises(RequestError) as refused:
        runs.delete(folder)
    assert refused.value.key == "runs.busy"
    writer.step(1, 0.1, {"loss": 1.0})
    writer.close()
    away = runs.delete(folder)
    assert not runs.list_folders(folder.parent)
    folder.mkdir()
    back = runs.restore(away)
    assert back.name == "run-2"
    assert runs.open_run(back).step() == 1


def test_settings_that_differ_are_listed(tmp_path: Path) -> None:
    """Device, data type, versions and settings count; what is the same in all is left out."""
    one = About("a", settings={"lr": 0.1, "batch": 8}, device="cpu", made_with={"torch": "2.13"})
    two = About("b", settings={"lr": 0.2, "batch": 8, "clip": 1.0}, device="cuda:0", made_with={"torch": "2.13"})
    found = {difference.setting: difference.values for difference in runs.differences([one, two])}
    assert found == {"device": ("cpu", "cuda:0"), "lr": (0.1, 0.2), "clip": (None, 1.0)}
    assert runs.differences([one]) == []


KILLED = """
import sys, numpy as np
from pathlib import Path
from explorer.runs import Writer
writer = Writer(Path(sys.argv[1]), parameters=[("w", (2,))], goes_on=sys.argv[2] == "on")
step, _ = writer.last()
while True:
    step += 1
    writer.step(step, step / 100, {"loss": 1 / step}, np.full(3, step, dtype="<f4").tobytes())
    print(step, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_loses_no_finished_step(folder: Path) -> None:
    """Killed at twenty moments, each step that it had finished is there, none is torn, and the next one goes on after it."""
    told = 0
    for number in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), "on" if number else "new"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        told = int(process.stdout.readline())
        time.sleep(0.0007 * number**1.5)
        process.kill()
        rest = process.stdout.read().split(b"\n")[:-1]
        told = int(rest[-1]) if rest else told
        process.wait()
        process.stdout.close()
        run = runs.open_run(folder)
        assert told <= run.step() <= told + 1
        scalars, measures = run.scalars(), run.measures(most=10**9)
        assert scalars.steps.tolist() == list(range(1, run.step() + 1))
        assert set(measures.steps.tolist()) <= set(scalars.steps.tolist())
        assert len(scalars.steps) - len(measures.steps) <= number + 1, "of a step in flight its norms may be missing"
        assert (measures.gradient[:, 0] == measures.steps.astype(np.float32)).all()
        assert run.status().state == "died"


def test_a_full_disk_damages_nothing(folder: Path) -> None:
    """Training goes on unstored, or stops with the reason, as chosen; what was stored is there."""
    for stops in (False, True):
        writer = Writer(folder, parameters=PARAMETERS, stops=stops, goes_on=stops)
        pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
        writer._connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        first = writer.last()[0]
        with pytest.raises(OutputError) if stops else contextlib.nullcontext() as refused:
            for step in range(first + 1, first + 3000):
                writer.step(step, 1.0, {"loss": 1.0}, norms(*range(6)))
        assert writer.broken == "database or disk is full"
        assert not stops or refused.value.key == "runs.cannot_store"
        stored = writer.last()[0]
        writer.close()
        run = runs.open_run(folder)
        assert first < run.step() == stored < first + 2999
        assert run.scalars().steps.tolist() == list(range(1, stored + 1))
        assert run.measures(most=10**9).steps[-1] >= stored - 1


def test_a_folder_that_cannot_be_written_is_read(folder: Path) -> None:
    """Where the system allows no log beside the file, the file is read as it is; with a log that is left, a copy of both."""
    writer = Writer(folder, parameters=PARAMETERS)
    writer.step(1, 0.1, {"loss": 1.0})
    log = (folder / "rank-0.sqlite-wal").read_bytes()
    whole = (folder / "rank-0.sqlite").read_bytes()
    writer.close()
    (folder / "rank-0.sqlite").write_bytes(whole)
    (folder / "rank-0.sqlite-wal").write_bytes(log)
    from explorer.runs import opening

    real = opening._connect

    def refused(path: Path, options: str) -> sqlite3.Connection:
        if options == "mode=ro":
            raise sqlite3.OperationalError("unable to open database file")
        return real(path, options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_connect", refused)
        assert runs.open_run(folder).step() == 1
        (folder / "rank-0.sqlite-wal").unlink()
        Writer(folder, goes_on=True).close()
        assert len(runs.open_run(folder).parameters()) == 2


def test_a_reader_in_another_thread(folder: Path, writer: Writer) -> None:
    """Pages ask from threads of their own, while the training's thread writes."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.extend(runs.open_run(folder).step() for _ in range(50)))
    thread.start()
    for step in range(1, 301):
        writer.step(step, 0.1, {"loss": 1.0})
    thread.join()
    assert found == sorted(found) and len(found) == 50
