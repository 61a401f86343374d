"""What the journal of a crashed program gives back is what was written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from explorer.capture import journal
from explorer.capture.assemble import trace_from_journal
from explorer.capture.journal import Journal, rows_of
from explorer.capture.recorder import Recorder
from explorer.capture.rows import Input, Row
from explorer.model import MadeWith, Note, Source

MADE = MadeWith("0", "2", "3", "cpu", "float32", 0)
HERE = Source("a.py", 3, "y = x * 2", "main", 4, 9)
KNOWN = Note((2,), "float32", "cpu", -1.0, 2.0, 0.5, 1.5, 2.2, 0, 0, 0, (-1.0, 2.0))


def row(index: int, **values: Any) -> Row:
    inputs = [Input(index - 1, 0, True)] if index else []
    return Row(index, "op", "mul.Tensor", (index, index + 1), inputs, [KNOWN], source=HERE, **values)


def test_rows_come_back_from_the_journal_as_they_were(tmp_path: Path) -> None:
    """Each row of a recording read back equals the row, whole tensors aside, and makes a trace."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    with Recorder(journal=Journal(tmp_path / "journal")) as recorder:
        y = model(torch.ones(4, 2))
        z = y * 1
        z[0].mul_(2)
        (z / 0).sum().backward()
    recorder.traces()
    rows = {row.index: row for row in recorder.rows}
    found = list(rows_of(tmp_path / "journal"))
    assert len(found) > 6
    for read in found:
        now = rows[read.index]
        for name in ("schema", "window", "inputs", "outputs", "source", "module", "mutable", "writes_view", "base", "microseconds"):
            assert repr(getattr(read, name)) == repr(getattr(now, name)), name  # NaN included
    partial = trace_from_journal(found, title="crashed", made_with=MADE)
    assert partial is not None
    partial.check()
    assert all(node.outputs for node in partial.nodes)


def test_what_is_known_later_is_written_later(tmp_path: Path) -> None:
    """A row can go in with outlines; what its outputs turn out to be follows for many rows at once; a row written again replaces itself."""
    write = Journal(tmp_path / "journal")
    rows = [row(0), row(1, names=["y"], results=[(0, 5, 1)], base=KNOWN, function_source=HERE), row(2, failed=True)]
    outline = ((2,), "float32", "cpu")
    for each in rows:
        write.add(each, [outline], None if each.base is None else outline)
    blank = Note((2,), "float32", "cpu")
    assert [read.outputs for read in rows_of(tmp_path / "journal")] == [[blank]] * 3
    write.measured(rows[:2])
    write.measured([])
    assert [read.outputs for read in rows_of(tmp_path / "journal")] == [[KNOWN], [KNOWN], [blank]]
    rows[2].reason = "no_grad"
    write.add(rows[2])
    assert list(rows_of(tmp_path / "journal")) == rows


def test_the_journal_goes_on_in_new_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond a window, and one larger than a window, are all there; at the limit the journal ends and the writing does not fail."""
    monkeypatch.setattr(journal, "WINDOW", 1 << 16)
    monkeypatch.setattr(journal, "LIMIT", 1 << 20)
    write = Journal(tmp_path / "journal")
    rows = [row(0), row(1, names=["n" * 100_000]), *(row(index) for index in range(2, 1000))]
    for each in rows:
        write.add(each)
    assert list(rows_of(tmp_path / "journal")) == rows
    for index in range(1000, 20_000):
        write.add(row(index))
    found = list(rows_of(tmp_path / "journal"))
    assert 3_000 < len(found) < 20_000
    assert found[-1] == row(len(found) - 1)
    assert (tmp_path / "journal").stat().st_size <= 1 << 20


def test_a_cut_entry_ends_the_journal(tmp_path: Path) -> None:
    """An entry that was being written when the process died is left out, and so is whatever stands after it."""
    path = tmp_path / "journal"
    write = Journal(path)
    for index in range(3):
        write.add(row(index))
    whole = path.read_bytes()
    used = len(whole.rstrip(b"\0"))
    for cut in range(8, used):
        path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
        found = list(rows_of(path))
        assert found == [row(index) for index in range(len(found))]
        assert len(found) < 3 or cut >= used - 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_nothing_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    """After SIGKILL every row written is there, whatever became of open files; a forked process writes nothing."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from explorer.capture.journal import Journal\n"
        "from explorer.capture.rows import Row\n"
        "write = Journal(Path(sys.argv[1]))\n"
        "os.closerange(3, 100)\n"
        "for index in range(30000):\n"
        "    write.add(Row(index, 'op', 'mul.Tensor'))\n"
        "if os.fork() == 0:\n"
        "    write.add(Row(30000, 'op'))\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "journal"
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=Path(journal.__file__).parents[2], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [read.index for read in rows_of(path)] == list(range(30_000))
