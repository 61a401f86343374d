"""Verification while a program is recorded: every backward node run again, every gradient held against central differences.

A `Checker` works for one recorder and writes what it found into the `Pass`. The user's gradients, buffers and random state are those of
an unwatched run, bit for bit; all that is done here is done on copies, in no graph, unseen by the recorder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from explorer.capture.graph import Graph
from explorer.capture.rerun import Rerun
from explorer.capture.rows import Pass
from explorer.capture.verified import Verified
from explorer.model import NodeCheck

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder


class Checker:
    """The verification of a recording, pass by pass."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._rerun: Rerun | None = None

    def begin(self, here: Pass, graph: Graph, leaves: dict[int, torch.Tensor]) -> list[Any]:
        """The engine is about to run: hook what is to be checked; the handles."""
        here.verified = Verified()
        reason = self._why_not()
        if reason is not None:
            here.verified.nodes = {node.key: NodeCheck(node.key, "skipped", None, reason) for node in here.nodes}
            return []
        self._rerun = Rerun(self._recorder)
        return self._rerun.begin(here, graph, leaves)

    def nested(self) -> None:
        """A backward runs inside the running one."""
        if self._rerun is not None:
            self._rerun.nested += 1

    def end(self, here: Pass) -> None:
        """The engine has ended, well or not."""
        if self._rerun is not None:
            here.verified = Verified(self._rerun.found)
            self._rerun.close()
            self._rerun = None

    def _why_not(self) -> str | None:
        if self._recorder.device == "fake":
            return "fake"
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return "torch_func"
        return None
