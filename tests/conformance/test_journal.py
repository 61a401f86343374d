"""What the journal of a crashed program gives back is what was written."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import nn

from explorer.capture.assemble import trace_from_journal
from explorer.capture.recorder import Recorder
from explorer.capture.rows import row_from
from explorer.model import MadeWith


def test_rows_come_back_from_the_journal_as_they_were() -> None:
    """Each row read back from its JSON line equals the row, whole tensors aside, and says nothing that a fresh row says anyway."""
    lines: list[str] = []
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    written: list[Any] = []

    def journal(plain: dict[str, Any]) -> None:
        lines.append(json.dumps(plain))
        written.append(row_from(json.loads(lines[-1])))

    with Recorder(journal=journal) as recorder:
        y = model(torch.ones(4, 2))
        z = y * 1
        z[0].mul_(2)
        (z / 0).sum().backward()
    rows = {row.index: row for row in recorder.rows}
    latest = {row.index: row for row in written}
    assert len(latest) > 6
    for row in latest.values():
        now = rows[row.index]
        kept = (now.schema, now.window, now.inputs, now.outputs, now.source, now.module, now.mutable, now.writes_view, now.microseconds)
        read = (row.schema, row.window, row.inputs, row.outputs, row.source, row.module, row.mutable, row.writes_view, row.microseconds)
        assert repr(read) == repr(kept)  # NaN included
    for line in lines:
        assert "null" not in json.dumps({key: value for key, value in json.loads(line).items() if key not in ("outputs", "base", "source")})
    partial = trace_from_journal(map(json.loads, lines), title="crashed", made_with=MadeWith("0", "2", "3", "cpu", "float32", 0))
    assert partial is not None
    partial.check()
    assert all(node.outputs for node in partial.nodes)
