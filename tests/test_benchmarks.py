"""The benchmark of the recorder runs, and its table says what was measured. No test here asserts a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.engine import place
from explorer.places import places_of
from tests.benchmarks import gallery, record
from tests.benchmarks.layout import plainly
from tests.dummy import dummy_trace

ROOT = Path(__file__).resolve().parent.parent
SPREAD = {"median": 2.0, "quartiles": [1.5, 2.5], "rounds": 3}
OURS = {"plain": 0.001, "nodes": 10, "stats": SPREAD, "none": SPREAD, "trace": {"stats": SPREAD, "none": SPREAD}}


@pytest.mark.slow
def test_smallest_row() -> None:
    """The command measures its smallest row in processes of its own and prints one JSON document, each peer with a ratio or a reason."""
    command = [sys.executable, "tests/benchmarks/record.py", "--rows", "mlp,import", "--repeat", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (row,) = document["rows"]
    assert "error" not in row["ours"], row["ours"]
    assert row["ours"]["nodes"] == 12
    assert all(row["ours"][kind]["median"] > 0 for kind in ("stats", "none"))
    assert set(row["peers"]) == set(record.PEERS)
    assert all(("ratio" in answer) != ("error" in answer) for answer in row["peers"].values())
    assert [one["name"] for one in document["figures"]] == ["import"]


@pytest.mark.slow
def test_what_fails_is_named() -> None:
    """A measurement that fails is answered with the name of its error, one that takes too long with its limit."""
    effort = record.Effort(seconds=0, limit=1, children=1, imports=1, repeat=1)
    assert record.ask("ratios", "no_such_workload", effort)["error"] == "KeyError"
    assert record.ask("ratios", "mlp", effort, limit=0.01)["error"] == "over 0 s"


def test_targets_that_are_missed_are_said() -> None:
    """A median above its target is counted as missed, one at its target is not, and neither is a peer's failure hidden."""
    row = record.Row("resnet50", OURS, {"torchviz": {"error": "RecursionError"}, "torchview": {"ratio": SPREAD}})
    assert record.misses(row) == ["none"]
    shown = record.table([row], [record.Figure("import", "`import explorer`", 0.2, "s", 0.15, "in a fresh interpreter")])
    assert "2 target(s) missed: resnet50: none, import" in shown
    assert "RecursionError" in shown
    assert "2.00 [1.50–2.50] (target 2)" in shown


def test_a_row_that_failed_stands_in_the_table() -> None:
    """Where the recorder itself fails the row shows the error, and its targets count as missed."""
    row = record.Row("mlp", {"error": "RuntimeError"})
    assert record.misses(row) == ["stats", "none"]
    assert "| MLP 2-3-1 | RuntimeError |" in record.markdown([row], [])


def test_the_readme_takes_the_table() -> None:
    """The table goes between the two marks and nothing else changes; a README without them is left alone."""
    first, last = record.MARKS
    before = f"# A\n{first}\nold\n{last}\nrest\n"
    assert record.replaced(before, r"new \1") == f"# A\n{first}\nnew \\1\n{last}\nrest\n"
    with pytest.raises(ValueError, match=r"README\.md"):
        record.replaced("# A\n", "new")


def test_the_readme_has_the_place_for_it() -> None:
    """README.md holds the marks, and a row for every workload between them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, last = record.MARKS
    between = text.partition(first)[2].partition(last)[0]
    assert [workload.title for workload in record.WORKLOADS.values() if f"| {workload.title} |" not in between] == []


@pytest.mark.slow
def test_the_cost_of_verification_is_measured() -> None:
    """The command runs each node of a small GPT-2 again, all agree, and it says how long that took."""
    command = [sys.executable, "tests/benchmarks/check.py", "GPT-2 2 × 64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("GPT-2 2 × 64")]
    _, ratio, nodes, checked, agree = line.removeprefix("GPT-2 2 × 64").replace("ms", " ").replace("×", " ").split()
    assert float(ratio) > 0
    assert (checked, int(agree)) == ("100.0%", int(nodes))


def test_the_gallery_is_small_and_whole() -> None:
    """The README shows only pictures that are there, and those that the command draws are all there, in less than 600 kB."""
    folder, readme = ROOT / "assets" / "gallery", (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"assets/gallery/([\w-]+\.\w+)", readme))
    drawn = {f"{name}.{'svg' if entry.pixels is None else 'png'}" for name, entry in gallery.ENTRIES.items()}
    assert shown == drawn == {path.name for path in folder.iterdir()}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 600_000


def test_a_picture_of_the_gallery_is_drawn(tmp_path: Path) -> None:
    """The command draws a picture into the folder it is told."""
    assert gallery.draw("experts", tmp_path).read_text(encoding="utf-8").startswith("<?xml")


def test_graphviz_is_asked_plainly_for_everything() -> None:
    """What the layout stands beside holds each node and each edge, in the clusters of its modules."""
    trace = dummy_trace(modules=True)
    answer = place(plainly(trace), "plain-ext").decode().splitlines()
    assert sum(line.startswith("node ") for line in answer) == len(trace.nodes)
    assert sum(line.startswith("edge ") for line in answer) == len(trace.edges)
    assert plainly(trace).count("subgraph cluster_") == len(places_of(trace).frames)


@pytest.mark.slow
@pytest.mark.browser
def test_the_player_is_measured(browser_path: str | None) -> None:
    """The command presses, drags and zooms in a small picture, opens and closes blocks of GPT-2, and says how long each took."""
    command = [sys.executable, "tests/benchmarks/player.py", "--sizes", "12", "--hold", "0.5", "--json"]
    command += ["--openings", "1", "--blocks", "2", "--large", "0", "--lessons", "1"]
    command += [] if browser_path is None else ["--browser", browser_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    row = document["sizes"]["12"]
    assert row["visible"] == 12
    assert 0 < row["script_ms"] < row["paint_ms"]
    assert row["held_keys"] > 3 and row["drag_ms"] > 0 and row["zoom_ms"] > 0
    assert len(document["unfold_ms"]) == 4 and min(document["unfold_ms"]) > 0
    assert {name: len(times) for name, times in document["first_ms"].items()} == {"ours": 1, "hello": 1}
    assert [len(times) for times in document["lesson_ms"].values()] == [2]
