"""Runs under the fake mode: the user's real tensors that took part stay as they were; a program that reads numbers is told where."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

from explorer.model import Source

_READ = ("DataDependentOutputException", "GuardOnDataDependentSymNode", "UnsupportedFakeTensorException")
_SIZED = "DynamicOutputShapeException"
_SAYING = ("FakeTensor", ".numpy() is not supported for tensor subclasses")  # in messages of Python's and torch's own
_SAVING = os.path.join("torch", "serialization.py")
_LONGEST = 80  # characters of the program's line in a sentence


def lack_of_values(error: BaseException, source: Source | None) -> dict[str, Any] | None:
    """The sentence for a program that failed at `source` because fake tensors have no numbers; None if it failed for another reason."""
    kind = type(error).__name__
    sized = kind == _SIZED
    if not sized and kind not in _READ and not any(words in str(error) for words in _SAYING) and not _is_saving(error):
        return None
    key = "running.needs_values.size" if sized else "running.needs_values"
    if source is None:
        return {"key": "running.needs_values.somewhere", "values": {"what": f"{kind}: {error}".partition("\n")[0]}, "report": ""}
    code = " ".join(source.expression.split())
    code = code if len(code) <= _LONGEST else f"{code[: _LONGEST - 1]}…"
    return {"key": key, "values": {"file": source.file, "line": source.line, "code": code}, "report": ""}


def _is_saving(error: BaseException) -> bool:
    """Whether `torch.save` was at work: what it stumbles over in a fake tensor differs from version to version."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(_SAVING):
            return True
        traceback = traceback.tb_next
    return False


class Aside:
    """Copies of the real tensors that ops changed under the fake mode (a buffer that counts batches)."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def keep(self, written: Iterable[torch.Tensor]) -> None:
        """An op is about to change these."""
        for tensor in written:
            if not isinstance(tensor, FakeTensor) and id(tensor) not in self._copies:
                with _disable_current_modes():
                    self._copies[id(tensor)] = tensor, tensor.detach().clone()

    def put_back(self, leaves: Iterable[torch.Tensor]) -> None:
        """After the run: real tensors hold what they held, and leaves that had no gradient have none."""
        with _disable_current_modes(), torch.no_grad():
            for tensor, before in self._copies.values():
                tensor.copy_(before)
        self._copies.clear()
        for leaf in leaves:
            if isinstance(leaf.grad, FakeTensor) and not isinstance(leaf, FakeTensor):
                leaf.grad = None
