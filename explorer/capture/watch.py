"""The dispatch mode: each op that passes by becomes a row."""

from __future__ import annotations

import marshal
import sys
import time
from collections.abc import Iterable
from threading import get_ident
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.capture import installed
from explorer.capture.frames import Place
from explorer.capture.lending import is_unfilled
from explorer.capture.measuring import Ticket
from explorer.capture.notes import PLAIN_TYPES, measure, outline
from explorer.capture.ops import Op, learn
from explorer.capture.rows import Row
from explorer.capture.watched import cause_of
from explorer.model import Note

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder

_is_grad_enabled, _is_inference = torch.is_grad_enabled, torch.is_inference_mode_enabled
_NESTED = (list, tuple)
MOST_ARGUMENTS = 10_000  # different ones, of which equal ones are known again
sequence = torch._C._autograd._get_sequence_nr
WORKSPACES = frozenset({"mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn"})  # they give out room for their backward, filled only in part
_modes = torch._C._len_torch_dispatch_stack  # those other than ours, which is off while it looks at an op


class Watch(TorchDispatchMode):
    """Writes down ops for a recorder; while the recorder is quiet, ops pass as if it were not there."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._values = recorder.values
        self._meter = recorder.meter
        self._rows = recorder.rows
        self._ops: dict[int, Op] = {}
        self._last_spot: tuple[int, int] | None = None
        self._arguments: dict[Any, dict[str, Any]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        op = self._ops.get(id(func)) or self._learned(func)
        recorder = self._recorder
        frame = sys._getframe().f_back  # None on a thread of the engine's
        if recorder.updates.running and get_ident() == recorder.thread:
            recorder.updates.end_failed(frame)
        if recorder.paused or op.silent:
            if op.mutable:
                self._values.changing(op.written(args, kwargs))
            result = op.call(*args, **kwargs)
        else:
            result = self._op(op, args, kwargs, frame)
        if op.uncounted:
            torch.autograd.graph.increment_version(op.written(args, kwargs))
        return result

    def _learned(self, func: Any) -> Op:
        op = self._ops[id(func)] = learn(func)  # which keeps `func`, so that its id stays its own
        return op

    def _op(self, op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> Any:
        """One op passes by: note what it reads, run it, note what it wrote."""
        recorder, values, rows = self._recorder, self._values, self._rows
        if "torch._dynamo" in sys.modules:
            installed.run_compiled_eagerly()
        foreign = get_ident() != recorder.thread
        tensors = _tensors(args)
        if kwargs:
            tensors += _tensors(kwargs.values())
        if op.is_detach and self._is_internal_detach(tensors[0], frame):
            return op.call(*args, **kwargs)
        graded = _is_grad_enabled()
        place = recorder.frames.place(frame, in_function=op.is_detach or not graded, sees=not foreign)
        if op.is_detach:
            self._meter.protect(tensors)  # from now on it can be changed through an array of numpy's
            values.lent.expose(tensors[0])
        written: list[torch.Tensor] = []
        if op.mutable:
            written = [tensor for tensor in op.written(args, kwargs) if isinstance(tensor, torch.Tensor)]
            if written:
                values.changing(written)
                if recorder.device == "fake":
                    values.aside.keep(written)
                leaf = values.leaf_of(written[0])
                if leaf is not None:
                    return self._change_leaf(leaf, written[0], tensors, op, args, kwargs)
                if len(tensors) == 1 and values.fills(written[0], op):
                    return op.call(*args, **kwargs)
        if written and op.uncounted and graded and not foreign:
            return self._each(op, args, kwargs, place, written)
        now = recorder.last_sequence if foreign else sequence()
        inputs, needs = ([], False) if op.factory else values.inputs(tensors)
        if recorder.ends_early:
            recorder.finish_early(inputs)
        row = Row(len(rows), "op", op.schema, (recorder.last_sequence, now), inputs)
        row.source, row.function_source = place.source, place.function_source
        if kwargs or op.lists or len(args) != len(tensors):
            row.arguments = self._plain(op, args, kwargs)
        if written:
            row.mutable = True
        if foreign:
            row.foreign = True
        if recorder.scopes.stack:
            row.module = recorder.scopes.stack[-1]
        elif recorder.frames.in_constructor(frame):
            row.building = True
        if recorder.frames.compiled:
            row.effect = "compiled"
        elif op.suspect and type(tensors[0]) in PLAIN_TYPES and not _modes():
            row.effect = cause_of(op.schema, tensors[0], frame, _running())
        if op.factory:
            row.kind, row.factory = "constant", True
        rows.append(row)
        recorder.last_sequence, self._last_spot = now, place.spot
        started = time.perf_counter_ns()
        try:
            result = op.call(*args, **kwargs)
        except BaseException:
            row.failed = True
            recorder.log(row)
            raise
        row.microseconds = (time.perf_counter_ns() - started) / 1000
        self._outcome(row, op, result, written, tensors, graded and needs)
        if recorder.tells:
            recorder.log(row)
            recorder.report("forward", len(rows), None)
        return result

    def _each(self, op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], place: Place, written: list[torch.Tensor]) -> Any:
        """An op that changes every tensor of a list has a node for each: a row for each, where its element stands for a list."""
        recorder, values, rows = self._recorder, self._values, self._rows
        given = [*args, *kwargs.values()]
        lists = [value for value in given if isinstance(value, list | tuple) and value and isinstance(value[0], torch.Tensor)]
        alone = [value for value in given if isinstance(value, torch.Tensor)]
        read = [values.inputs([each[number] for each in lists] + alone) for number in range(len(lists[0]))]
        if recorder.ends_early:
            recorder.finish_early([item for inputs, _ in read for item in inputs])
        now = sequence()
        end = now - sum(needs for _, needs in read)  # autograd made its nodes in the order of the list
        made: list[Row] = []
        for number, (inputs, needs) in enumerate(read):
            start = min(recorder.last_sequence, end) if number == 0 else end
            end += needs
            row = Row(len(rows), "op", op.schema, (start, end), inputs)
            row.source, row.function_source, row.mutable = place.source, place.function_source, bool(written)
            row.module = recorder.scopes.current
            row.arguments = self._plain(op, args, kwargs)
            rows.append(row)
            made.append(row)
        recorder.last_sequence, self._last_spot = now, place.spot
        try:
            result = op.call(*args, **kwargs)
        except BaseException:
            made[0].failed = True
            recorder.log(made[0])
            raise
        for number, (row, (_, needs)) in enumerate(zip(made, read, strict=True)):
            tensors = [each[number] for each in lists]
            self._outcome(row, op, None, written[number : number + 1], tensors, needs)
            recorder.log(row)
        return result

    def _plain(self, op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What the op is given that is no tensor; one object for all ops that are given the same."""
        found = op.plain(args, kwargs)
        if len(self._arguments) >= MOST_ARGUMENTS:
            return found
        return self._arguments.setdefault((op.schema, marshal.dumps(found, 2)), found)  # unlike equality, it tells 1 from True and 1.0

    def _is_internal_detach(self, tensor: torch.Tensor, frame: FrameType | None) -> bool:
        """Ops that keep their own result detach it inside the very call that made it; that is not the user's cut."""
        value = self._values.place(tensor)
        last = self._rows[-1] if self._rows else None
        return (
            value is not None
            and last is not None
            and value.row == last.index
            and self._last_spot == ((0, 0) if frame is None else (id(frame.f_code), frame.f_lasti))
            and not last.alias
            and last.op not in ("detach", "alias")
        )

    def _outcome(self, row: Row, op: Op, result: Any, written: list[torch.Tensor], tensors: list[torch.Tensor], follows: bool) -> None:
        """Note the results of an op; those of a factory when they are first read. `follows`: autograd does, if it can."""
        values = self._values
        if isinstance(result, torch.Tensor):
            results = [result]
        else:
            results = _tensors((result,))
            if type(result) is tuple and len(results) < len(result):  # the gradients of a convolution that nobody asked for
                row.undefined = tuple([place for place, value in enumerate(result) if value is None])
        if op.factory:
            for number, tensor in enumerate(results):
                values.remember(tensor, row.index, number)
                values.made(tensor, row.index, number)
            row.reason = "constant"
            return
        if written and not results:
            results = written
        if results and not results[0].is_cpu:
            row.microseconds = None  # a device computes later: this was the time to launch
        for number, tensor in enumerate(results):
            row.outputs.append(self._hold(tensor, row, op, copy=not follows))
            if values.keep:
                row.tensors = [*row.tensors, None if row.unfilled else values.stored(tensor)]
            values.remember(tensor, row.index, number)
            if op.fresh:
                values.made(tensor, row.index, number)
                if op.apart:
                    values.apart(tensor)
        if not results and isinstance(result, bool | int | float | complex):
            row.outputs.append(self._scalar(result, tensors))
        if written:
            values.mutated(row, written)
        row.reason = self._reason(row, op, results, follows)

    def _hold(self, tensor: torch.Tensor, row: Row, op: Op, *, copy: bool) -> Ticket:
        """A ticket for what an op gave out; where that is what it was given in another order, what is known of it holds for both."""
        if op.name in WORKSPACES and tensor.dtype is torch.uint8:
            return self._meter.take(outline(tensor))
        if not op.fresh and row.inputs and not row.mutable and self._rows[row.inputs[0].row].unfilled and is_unfilled(tensor):
            row.unfilled = True  # a part of it, or it in another shape
            return self._meter.take(outline(tensor))
        if op.permutes and row.inputs:
            read = row.inputs[0]
            maker = self._rows[read.row]
            if read.output < len(maker.outputs) and not maker.writes_view:
                return self._meter.share(tensor, maker.outputs[read.output], copy=copy)
        return self._meter.hold(tensor, copy=copy)

    def _scalar(self, value: complex, tensors: list[torch.Tensor]) -> Note:
        dtype = tensors[0].dtype if tensors else None
        kind = torch.bool if isinstance(value, bool) else dtype
        with self._recorder.quiet():
            return measure(torch.tensor(value, dtype=kind, device="cpu"), statistics=self._meter.statistics)

    def _reason(self, row: Row, op: Op, results: list[torch.Tensor], follows: bool) -> str | None:
        """Why autograd makes no node for this op; None if it should."""
        if row.function_source is not None:
            return "custom_function"
        needed = follows or row.needs_gradient
        if op.is_detach and needed:
            return "detach"
        if _is_inference():
            return "inference_mode"
        if not results:
            return "item" if op.name in ("_local_scalar_dense", "item") else "not differentiable"
        if not needed:
            return "constant" if _is_grad_enabled() else "no_grad"
        if not follows:
            return "no_grad"
        for tensor in results:
            if tensor.is_floating_point() or tensor.is_complex():
                return None
        return "integer"

    def _change_leaf(
        self, leaf: tuple[int | None, torch.Tensor], target: torch.Tensor, tensors: list[torch.Tensor], op: Op, args: Any, kwargs: Any
    ) -> Any:
        """A leaf is initialised, or updated by hand: no op of the graph, but an update if it comes after backward."""
        identity, tensor = leaf
        values = self._values
        others = [values.read(other) for other in tensors if other is not target and values.place(other) is not None]
        update = self._recorder.updates.writing(identity, tensor)
        result = op.call(*args, **kwargs)
        if identity is not None:
            values.forget(tensor)
        if update is not None:
            self._recorder.updates.written(update, tensor)
        self._rows.append(Row(len(self._rows), "op", inputs=others, absorbed=True))
        return result


class Quiet:
    """Inside, ops are not recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        self._recorder.paused += 1

    def __exit__(self, *_: object) -> None:
        self._recorder.paused -= 1


class Asleep:
    """Inside, the mode is taken off, so that ops cost nothing; only where no other mode stands above it."""

    def __init__(self, mode: Watch) -> None:
        self._mode = mode

    def __enter__(self) -> None:
        self._mode.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        self._mode.__enter__()


def _running() -> str:
    """The name of the autograd node that the engine runs on this thread."""
    node = torch._C._current_autograd_node()
    return "" if node is None else str(node.name())


def _tensors(values: Iterable[Any]) -> list[torch.Tensor]:
    """All tensors of an argument list in order, lists and tuples opened."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, _NESTED):
            found += _tensors(value)
    return found


# NOTE [compiled] torch.compile looks at every frame that a compiled function leads to, and in ours, where the mode is off, it would begin
# to compile what we do.
_eager = torch._C._dynamo.eval_frame
_eager.set_code_exec_strategy(
    Watch.__torch_dispatch__.__code__, _eager._FrameExecStrategy(_eager._FrameAction.SKIP, _eager._FrameAction.SKIP)
)
