"""The dispatch mode: each op that passes by becomes a row."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.capture import installed
from explorer.capture.notes import measure
from explorer.capture.ops import Op, learn
from explorer.capture.rows import Row
from explorer.model import Note

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder

sequence = torch._C._autograd._get_sequence_nr


class Watch(TorchDispatchMode):
    """Writes down ops for a recorder; while the recorder is quiet, ops pass as if it were not there."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._values = recorder.values
        self._rows = recorder.rows
        self._last_spot: tuple[int, int] | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        op = learn(func)
        if self._recorder.is_stepping:
            self._recorder.end_failed_steps(sys._getframe(1))
        quiet = self._recorder.is_quiet or op.silent
        result = func(*args, **kwargs) if quiet else self._op(op, func, args, kwargs, sys._getframe(1))
        if op.uncounted:
            torch.autograd.graph.increment_version(op.written(args, kwargs))
        return result

    def _op(self, op: Op, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> Any:
        """One op passes by: note what it reads, run it, note what it wrote."""
        recorder = self._recorder
        if "torch._dynamo" in sys.modules:
            installed.run_compiled_eagerly()
        place = recorder.frames.place(frame, in_function=op.is_detach or not torch.is_grad_enabled())
        tensors = _tensors((*args, *kwargs.values()))
        if op.is_detach and self._is_internal_detach(tensors[0], place.spot):
            return func(*args, **kwargs)
        written = [tensor for tensor in (op.written(args, kwargs) if op.mutable else ()) if isinstance(tensor, torch.Tensor)]
        if written:
            leaf = self._values.leaf_of(written[0])
            if leaf is not None:
                return self._change_leaf(leaf, written[0], tensors, func, args, kwargs)
            if len(tensors) == 1 and self._values.fills(written[0], op):
                return func(*args, **kwargs)
        now = sequence()
        inputs = [] if op.factory else [self._values.read(tensor) for tensor in tensors]
        recorder.finish_early(inputs)
        row = Row(len(self._rows), "op", op.schema, (recorder.last_sequence, now), inputs)
        row.source, row.function_source, row.module = place.source, place.function_source, recorder.scopes.current
        row.mutable, row.factory = bool(written), op.factory
        row.building = row.module is None and recorder.frames.in_constructor(frame)
        if op.factory:
            row.kind = "constant"
        self._rows.append(row)
        recorder.last_sequence, self._last_spot = now, place.spot
        started = time.perf_counter_ns()
        try:
            result = func(*args, **kwargs)
        except BaseException:
            row.failed = True
            recorder.log(row)
            raise
        row.microseconds = (time.perf_counter_ns() - started) / 1000
        self._outcome(row, op, result, written, tensors)
        recorder.log(row)
        recorder.report("forward", len(self._rows), None)
        return result

    def _is_internal_detach(self, tensor: torch.Tensor, spot: tuple[int, int]) -> bool:
        """Ops that keep their own result detach it inside the very call that made it; that is not the user's cut."""
        value = self._values.place(tensor)
        last = self._rows[-1] if self._rows else None
        return (
            value is not None
            and last is not None
            and value[0] == last.index
            and spot == self._last_spot
            and not last.alias
            and last.op not in ("detach", "alias")
        )

    def _outcome(self, row: Row, op: Op, result: Any, written: list[torch.Tensor], tensors: list[torch.Tensor]) -> None:
        """Note the results of an op; those of a factory when they are first read."""
        values = self._values
        results = _tensors((result,))
        if written and not results:
            results = written
        if op.factory:
            for number, tensor in enumerate(results):
                values.remember(tensor, row.index, number)
                values.made(tensor, row.index, number, tensors)
            row.reason = "constant"
            return
        with self._recorder.quiet():
            for number, tensor in enumerate(results):
                row.outputs.append(values.note(tensor))
                if values.keep:
                    row.tensors.append(values.stored(tensor))
                values.remember(tensor, row.index, number)
                values.made(tensor, row.index, number, tensors)
                if op.name.startswith("unsafe_"):
                    values.apart(tensor)
            if not results and isinstance(result, bool | int | float | complex):
                row.outputs.append(self._scalar(result, tensors))
            if written:
                values.mutated(row, written)
        row.reason = self._reason(row, op, result, results)

    def _scalar(self, value: complex, tensors: list[torch.Tensor]) -> Note:
        dtype = tensors[0].dtype if tensors else None
        kind = torch.bool if isinstance(value, bool) else dtype
        return measure(torch.tensor(value, dtype=kind, device="cpu"), statistics=self._values.statistics)

    def _reason(self, row: Row, op: Op, result: Any, results: list[torch.Tensor]) -> str | None:
        """Why autograd makes no node for this op; None if it should."""
        needed = any(item.needs_gradient for item in row.inputs)
        if row.function_source is not None:
            return "custom_function"
        if op.is_detach and needed:
            return "detach"
        if torch.is_inference_mode_enabled():
            return "inference_mode"
        if not results:
            return "item" if op.name in ("_local_scalar_dense", "item") else "not differentiable"
        if not torch.is_grad_enabled():
            return "no_grad"
        if not needed:
            return "constant"
        if not any(tensor.is_floating_point() or tensor.is_complex() for tensor in results):
            return "integer"
        return None

    def _change_leaf(
        self, leaf: tuple[int | None, torch.Tensor], target: torch.Tensor, tensors: list[torch.Tensor], func: Any, args: Any, kwargs: Any
    ) -> Any:
        """A leaf is initialised, or updated by hand: no op of the graph, but an update if it comes after backward."""
        identity, tensor = leaf
        values = self._values
        others = [values.read(other) for other in tensors if other is not target and values.place(other) is not None]
        update = self._recorder.tracer.writing(identity, tensor)
        result = func(*args, **kwargs)
        if identity is not None:
            values.forget(tensor)
        if update is not None:
            self._recorder.tracer.written(update, tensor)
        self._rows.append(Row(len(self._rows), "op", inputs=others, absorbed=True))
        return result


def _tensors(values: Iterable[Any]) -> list[torch.Tensor]:
    """All tensors of an argument list in order, lists and tuples opened."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


# NOTE [compiled] torch.compile looks at every frame that a compiled function leads to, and in ours, where the mode is off, it would begin
# to compile what we do.
_eager = torch._C._dynamo.eval_frame
_eager.set_code_exec_strategy(
    Watch.__torch_dispatch__.__code__, _eager._FrameExecStrategy(_eager._FrameAction.SKIP, _eager._FrameAction.SKIP)
)
