"""Programs that misbehave, as files in a test's folder, and a look at what processes they leave behind."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

LOSS = """\
import torch
w = torch.tensor([2.0], requires_grad=True)
loss = (w * 3).sum()
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Writes a program and gives its path."""

    def write(text: str, name: str = "program.py") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def left_behind(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Gives the processes that inherited this test's mark in their environment and still run, three seconds later at most."""
    mark = secrets.token_hex(8)
    monkeypatch.setenv("PYTHON_TEST_MARK", mark)

    def marked() -> list[int]:
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and int(name) != os.getpid() and mark.encode() in Path(f"/proc/{name}/environ").read_bytes():
                    found.append(int(name))
            except OSError:
                continue
        return found

    def wait() -> list[int]:
        end = time.monotonic() + 3
        while marked() and time.monotonic() < end:
            time.sleep(0.05)
        return marked()

    return wait
