"""A second run of a program without us, to hold a watched one against: what the graph was made of, the loss, and the gradients.

No mode and no hook is there while it runs; only the call of the engine is noticed, before which the nodes are counted and after which the
gradients are read. What comes out is a trace without edges.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import explorer
from explorer.capture.calls import Calls
from explorer.capture.graph import Graph
from explorer.capture.notes import dtype_name, measure, scalar
from explorer.model import Accumulated, Finding, MadeWith, Node, Trace


class Unwatched:
    """Stands where a recorder stands, and records one pass only by what is there before and after it."""

    def __init__(
        self, *, title: str, wanted: int, device: str, dtype: str | None, seed: int | None, finished: Callable[[list[Trace]], None]
    ):
        self.passes, self.calls = 0, Calls()
        self._wanted, self._finished = wanted, finished
        made = MadeWith(explorer.__version__, str(torch.__version__), platform.python_version(), device, dtype or "", seed)
        self._empty = Trace(title, False, 0, 0, made, None, (), (), (), (), ())
        self._original: Any = None
        self._running = False

    def __enter__(self) -> Unwatched:
        self._original = torch.autograd.graph._engine_run_backward
        torch.autograd.graph._engine_run_backward = self._engine  # type: ignore[assignment]
        torch.autograd._engine_run_backward = self._engine  # type: ignore[attr-defined,assignment]
        return self

    def __exit__(self, *_: object) -> None:
        torch.autograd.graph._engine_run_backward = self._original
        torch.autograd._engine_run_backward = self._original  # type: ignore[attr-defined]

    def _engine(self, outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._running:
            return self._original(outputs, *args, **kwargs)
        self.passes += 1
        self.calls.note(outputs, kwargs)
        graph = Graph(outputs, limit=None) if self.passes == self._wanted else None
        found = (
            []
            if graph is None
            else [(node.name().removeprefix("torch::autograd::"), getattr(node, "variable", None)) for node in graph.nodes]
        )
        self._running = True
        try:
            result = self._original(outputs, *args, **kwargs)
        finally:
            self._running = False
        if graph is not None:
            only = outputs[0] if len(outputs) == 1 else None
            loss = scalar(only) if isinstance(only, torch.Tensor) and only.numel() == 1 else None
            graph.release()
            self._finished([self._trace(found, loss)])
        return result

    def _trace(self, found: list[tuple[str, Any]], loss: float | None) -> Trace:
        nodes = tuple(_node(number, name, variable) for number, (name, variable) in enumerate(found))
        about = self._empty
        made = about.made_with
        dtype = made.dtype or dtype_name(torch.get_default_dtype())
        made = MadeWith(made.explorer, made.torch, made.python, made.device, dtype, made.seed)
        return Trace(about.title, False, self.passes, self.passes, made, loss, (), nodes, (), (), ())

    # -- what else is asked of a recorder

    def set_outputs(self, tensors: Any) -> None:
        """What a program returned does not matter here."""

    def note_finding(self, finding: Finding) -> None:
        """Findings are those of the watched run."""

    def traces(self, *, error: BaseException | None = None) -> list[Trace]:
        """The wanted pass never ran: there is nothing but that."""
        return [self._empty]

    def snapshot(self) -> list[Trace]:
        """Nothing is known of a pass that has not ended."""
        return []

    def let_go(self) -> None:
        """Nothing is held."""


def _node(number: int, name: str, variable: torch.Tensor | None) -> Node:
    kind = "op" if variable is None else "parameter" if isinstance(variable, nn.Parameter) else "input"
    grad = None if variable is None or variable.grad is None else measure(variable.grad)
    return Node(
        id=number,
        kind=kind,  # type: ignore[arg-type]
        name=None,
        names=(),
        op=None,
        autograd=name,
        module="",
        source=None,
        outputs=(),
        gradients=(),
        seeds=(),
        accumulated=None if variable is None else Accumulated(None, grad),
        status="executed",
        reason=None,
        saved=(),
        formula=None,
    )
