"""Watches a program run: every op, module call, backward pass and optimizer step becomes plain rows; tensors are never kept.

One dispatch mode sees the ops. `explorer.capture.tracer` watches the engine, `explorer.capture.assemble` makes a `Trace` of each pass.
Whatever is entered or installed here is taken out in `__exit__`.
"""

from __future__ import annotations

import platform
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.optim.optimizer import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode

import explorer
from explorer.capture import installed
from explorer.capture.assemble import assemble
from explorer.capture.frames import Frames, variables
from explorer.capture.modules import Scopes, held_buffers, owners
from explorer.capture.notes import dtype_name, measure
from explorer.capture.ops import Op, learn
from explorer.capture.rows import EXTERNAL, Circumstances, Input, Owners, Pass, Row
from explorer.capture.tracer import Tracer
from explorer.errors import RequestError
from explorer.model import Finding, MadeWith, Note, Trace

MOST_PASSES = 100  # `wanted="all"` writes at most so many

_sequence = torch._C._autograd._get_sequence_nr


class Recorder:
    """Records the passes of whatever runs inside `with recorder:` on this thread.

    `folder` is where sources are told relative to. `wanted` is the number of the pass to record, or "all". `journal` gets every row as it
    is written, `progress` (phase, done, total), `finished` the traces as soon as the wanted pass and its update are over. `deep` allows
    graphs of any depth; only a process that ends without destroying them may say so.
    """

    def __init__(
        self,
        *,
        title: str = "",
        folder: str = ".",
        values: str = "stats",
        wanted: int | str = 1,
        device: str = "cpu",
        dtype: str | None = None,
        seed: int | None = None,
        journal: Callable[[dict[str, Any]], None] | None = None,
        progress: Callable[[str, int, int | None], None] | None = None,
        finished: Callable[[list[Trace]], None] | None = None,
        to_end: bool = False,
        deep: bool = False,
    ) -> None:
        self.title, self.device, self.dtype, self.seed = title, device, dtype, seed
        self.statistics, self.keep = values != "none", values == "all"
        self.wanted, self.to_end, self.deep = wanted, to_end, deep
        self._journal, self._progress, self._finished = journal, progress, finished
        self.rows: list[Row] = []
        self.frames = Frames(folder, harvest=self._harvest)
        self.scopes = Scopes()
        self.passes = 0
        self.refused: RequestError | None = None
        self._open: Pass | None = None
        self._traces: list[Trace] = []
        self._findings: list[Finding] = []
        self._outputs: tuple[int, ...] | None = None
        self._paused = 0
        self._values: dict[int, tuple[int, int]] = {}  # id of a living tensor -> row, output
        self._refs: dict[int, Any] = {}
        self._versions: dict[int, int] = {}  # row of a leaf or constant -> version of its tensor when it was measured
        self._leaves: dict[int, torch.Tensor] = {}  # identity -> leaf or constant tensor
        self._identities: dict[int, int] = {}  # id of such a tensor -> identity
        self._storages: dict[int, tuple[int, int, StorageWeakRef]] = {}  # address of a storage -> row, output that made it; see _own_storage
        self._leaf_storages: dict[int, int] = {}  # address of a storage -> identity of the leaf in it
        self._writers: dict[int, tuple[int, frozenset[int]]] = {}  # address of a storage -> last row that changed it, tensors read there
        self._apart: set[int] = set()  # ids of tensors that share a storage with others and yet count as their own (unsafe_split)
        self.gradients: set[int] = set()  # ids of the leaves' .grad
        self._most_storages = 10_000
        self._start = 0
        self._last_sequence = 0
        self._last_spot: tuple[int, int] | None = None
        self._ticks = 0.0
        self._mode = _Watch(self)
        self.tracer = Tracer(self)

    # -- entering and leaving

    def __enter__(self) -> Recorder:
        installed.install(self)
        try:
            self._mode.__enter__()
        except BaseException:
            installed.remove()
            raise
        self._last_sequence = _sequence()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        try:
            self._mode.__exit__(kind, error, traceback)
        finally:
            installed.remove()
            self.scopes.stack.clear()
            self.frames.look(sys._getframe(1))
            self.frames.close()

    def traces(self, *, error: BaseException | None = None) -> list[Trace]:
        """The recorded passes, the last one marked partial if the program ended with `error`. Lets go of all tensors and modules."""
        if self.refused is not None:
            raise self.refused
        traces = self._concluded(error)
        self._traces = traces
        self._open = None
        self._forget()
        return traces

    def snapshot(self) -> list[Trace]:
        """What there is so far, marked partial; may be called from another thread while the program runs."""
        return self._concluded(None, partial=True)

    def note_finding(self, finding: Finding) -> None:
        """Add a finding that only whoever started the program can know."""
        self._findings.append(finding)

    def set_outputs(self, tensors: Iterable[torch.Tensor]) -> None:
        """Say what the program returned."""
        with self.quiet():
            self._outputs = tuple(self._input(tensor).row for tensor in tensors)

    def _forget(self) -> None:
        self._values.clear()
        self._refs.clear()
        self._leaves.clear()
        self._identities.clear()
        self._storages.clear()
        self.scopes = Scopes()

    # -- passes

    def wants(self, number: int) -> bool:
        """Whether pass `number` is to be recorded in full."""
        return number <= MOST_PASSES if self.wanted == "all" else number == self.wanted

    def begin_pass(self) -> Pass:
        """An outermost engine call starts: the pass before it is over."""
        self._conclude()
        self.passes += 1
        self._open = Pass(self.passes, self._start, len(self.rows), started=True)
        self._start = len(self.rows)
        return self._open

    def _conclude(self) -> None:
        if self._open is not None and self.wants(self._open.number):
            self._traces.append(self._assemble(self._open))
            if self._finished is not None and not self.to_end and self._is_last(self._open.number):
                self._open = None
                self._finished(self._final())
        self._open = None

    def _is_last(self, number: int) -> bool:
        return number == MOST_PASSES if self.wanted == "all" else number == self.wanted

    def _final(self) -> list[Trace]:
        from dataclasses import replace

        return [replace(trace, passes=self.passes) for trace in self._traces]

    def _concluded(self, error: BaseException | None, *, partial: bool = False) -> list[Trace]:
        failed = error is not None or partial
        traces = list(self._final())
        number = self._open.number if self._open else None
        if self._open is not None and self.wants(self._open.number):
            traces.append(self._assemble(self._open, error=error, partial=failed))
        elif self.wanted == "all" or self.wanted == self.passes + 1:
            rest = Pass(self.passes + (1 if self.passes else 0), self._start, len(self.rows))
            if (failed and len(self.rows) > self._start) or not self.passes:
                traces.append(self._assemble(rest, error=error, partial=failed))
        if failed and not traces and number is not None:
            return traces
        return traces

    def _assemble(self, part: Pass, *, error: BaseException | None = None, partial: bool = False) -> Trace:
        self.report("assembling", 0, None)
        return assemble(self.rows, part, self._owners(), self._circumstances(error, partial))

    def _owners(self) -> Owners:
        for tensor in held_buffers(self.scopes):
            self._became_buffer(tensor)
        rows = [(row.index, self._leaves[row.identity]) for row in list(self.rows) if row.identity in self._leaves]
        return owners(self.scopes, rows)

    def _circumstances(self, error: BaseException | None, partial: bool) -> Circumstances:
        dtype = self.dtype or dtype_name(torch.get_default_dtype())
        made = MadeWith(explorer.__version__, str(torch.__version__), platform.python_version(), self.device, dtype, self.seed)
        return Circumstances(
            title=self.title,
            made_with=made,
            partial=partial,
            error=None if error is None else f"{type(error).__name__}: {error}".strip(": "),
            error_source=None if error is None else self._raised_at(error),
            outputs=self._outputs,
            passes=self.passes,
            sources=dict(self.frames.files),
            findings=tuple(self._findings),
        )

    def _raised_at(self, error: BaseException) -> Any:
        traceback, found = error.__traceback__, None
        while traceback is not None:
            if self.frames.kind(traceback.tb_frame.f_code) == "user":
                found = self.frames.at(traceback.tb_frame.f_code, traceback.tb_lasti)
            traceback = traceback.tb_next
        return found

    def report(self, phase: str, done: int, total: int | None) -> None:
        """Tell whoever waits, at most twenty times a second."""
        if self._progress is not None and (now := time.monotonic()) - self._ticks > 0.05:
            self._ticks = now
            self._progress(phase, done, total)

    # -- what the hooks and the mode report

    def quiet(self) -> _Quiet:
        """A region whose ops are ours, not the program's."""
        return _Quiet(self)

    def enter_module(self, module: nn.Module) -> None:
        if not self._paused:
            self.scopes.enter(module)

    def leave_module(self, module: nn.Module) -> None:
        if not self._paused:
            self.scopes.leave(module)

    def run_engine(self, original: Callable[..., Any], outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.tracer.run_engine(original, outputs, args, kwargs)

    def before_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        self.tracer.before_step(optimizer)
        if not has_closure:  # a closure runs forward and backward inside the step, which belong to the program
            self._paused += 1

    def after_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        if not has_closure:
            self._paused = max(0, self._paused - 1)
            self.resume()
        self.tracer.after_step(optimizer)

    @property
    def open_pass(self) -> Pass | None:
        """The pass whose backward ran last, until the next one begins."""
        return self._open

    def resume(self) -> None:
        """Ops that were not watched may have made autograd nodes: their sequence numbers belong to no row."""
        self._last_sequence = _sequence()

    # -- ops

    def op(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> Any:
        """One op passes by: note what it reads, run it, note what it wrote."""
        op = learn(func)
        if op.silent:
            return func(*args, **kwargs)
        place = self.frames.place(frame, in_function=not torch.is_grad_enabled())
        tensors = _tensors((*args, *kwargs.values()))
        if op.is_detach and self._is_internal_detach(tensors[0], place.spot):
            return func(*args, **kwargs)
        written = [tensor for tensor in (op.written(args, kwargs) if op.mutable else ()) if isinstance(tensor, torch.Tensor)]
        if written:
            leaf = self._leaf_of(written[0])
            if leaf is not None:
                return self._change_leaf(leaf, written[0], tensors, func, args, kwargs)
            if len(tensors) == 1 and self._fills(written[0], op):
                return func(*args, **kwargs)
        now = _sequence()
        inputs = [] if op.factory else [self._input(tensor) for tensor in tensors]
        self._finish_early(inputs)
        row = Row(len(self.rows), "op", op.schema, (self._last_sequence, now), inputs)
        row.source, row.function_source, row.module = place.source, place.function_source, self.scopes.current
        row.mutable, row.factory = bool(written), op.factory
        if op.factory:
            row.kind = "constant"
        self.rows.append(row)
        self._last_sequence, self._last_spot = now, place.spot
        started = time.perf_counter_ns()
        try:
            result = func(*args, **kwargs)
        except BaseException:
            row.failed = True
            self._log(row)
            raise
        row.microseconds = (time.perf_counter_ns() - started) / 1000
        self._outcome(row, op, result, written, tensors)
        self._log(row)
        self.report("forward", len(self.rows), None)
        return result

    def _log(self, row: Row) -> None:
        if self._journal is not None:
            self._journal(row.plain())

    def _finish_early(self, inputs: list[Input]) -> None:
        """After the wanted pass and its update, the next op that takes part in a new forward pass ends the recording."""
        if (
            self._finished is not None
            and self._open is not None
            and self._open.writes
            and not self.to_end
            and self._is_last(self._open.number)
            and torch.is_grad_enabled()
            and any(item.needs_gradient for item in inputs)
        ):
            self._conclude()

    def _is_internal_detach(self, tensor: torch.Tensor, spot: tuple[int, int]) -> bool:
        """Ops that keep their own result detach it inside the very call that made it; that is not the user's cut."""
        value = self._values.get(id(tensor))
        last = self.rows[-1] if self.rows else None
        return (
            value is not None
            and last is not None
            and value[0] == last.index
            and spot == self._last_spot
            and not last.alias
            and last.op not in ("detach", "alias")
        )

    def _outcome(self, row: Row, op: Op, result: Any, written: list[torch.Tensor], tensors: list[torch.Tensor]) -> None:
        results = _tensors((result,))
        if written and not results:
            results = written
        if op.factory:
            for number, tensor in enumerate(results):
                self._remember(tensor, row.index, number)
                self._own_storage(tensor, row.index, number, tensors)
            row.reason = "constant"
            return
        with self.quiet():
            for number, tensor in enumerate(results):
                row.outputs.append(self.note(tensor))
                if self.keep:
                    row.tensors.append(self.stored(tensor))
                self._remember(tensor, row.index, number)
                self._own_storage(tensor, row.index, number, tensors)
                if op.name.startswith("unsafe_"):
                    self._apart.add(id(tensor))
            if not results and isinstance(result, bool | int | float | complex):
                row.outputs.append(self._scalar(result, tensors))
            if written:
                self._mutated(row, written)
        row.reason = self._reason(row, op, result, results)

    def _scalar(self, value: complex, tensors: list[torch.Tensor]) -> Note:
        dtype = tensors[0].dtype if tensors else None
        return measure(torch.tensor(value, dtype=dtype if not isinstance(value, bool) else torch.bool, device="cpu"), statistics=self.statistics)

    def _reason(self, row: Row, op: Op, result: Any, results: list[torch.Tensor]) -> str | None:
        """Why autograd makes no node for this op; None if it should."""
        if op.is_detach:
            return "detach"
        needed = any(item.needs_gradient for item in row.inputs)
        if row.function_source is not None:
            return "custom_function"
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

    def _mutated(self, row: Row, written: list[torch.Tensor]) -> None:
        for number, tensor in enumerate(written):
            if id(tensor) in self._apart:
                continue
            base = tensor._base
            fresh = {id(tensor)}
            if base is not None:
                row.writes_view = True
                if number == 0:
                    row.base = self.note(base)
                    if self.keep:
                        row.tensors = [self.stored(base)]
                self._remember(base, row.index, number)
                self._values.pop(id(tensor), None)
                fresh = {id(base)}
            self._writers[_storage(tensor)] = (row.index, frozenset(fresh))

    def _own_storage(self, tensor: torch.Tensor, row: int, output: int, tensors: list[torch.Tensor]) -> None:
        """An op that made a new storage owns it. The weak reference keeps the address from being given to another storage."""
        address = _storage(tensor)
        if address and not any(_storage(other) == address for other in tensors):
            self._storages[address] = (row, output, StorageWeakRef(tensor.untyped_storage()))
            if len(self._storages) > self._most_storages:
                self._storages = {key: entry for key, entry in self._storages.items() if not entry[2].expired()}
                self._most_storages = 2 * len(self._storages) + 10_000
            self._leaf_storages.pop(address, None)
            self._writers.pop(address, None)

    # -- which row a tensor comes from

    def _remember(self, tensor: torch.Tensor, row: int, output: int) -> None:
        number = id(tensor)
        self._values[number] = (row, output)
        if number not in self._refs:
            self._refs[number] = weakref.ref(tensor, lambda _, number=number: self._lost(number))

    def _lost(self, number: int) -> None:
        self._values.pop(number, None)
        self._refs.pop(number, None)
        self._apart.discard(number)

    def find(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """Row and output of a tensor seen before, by itself or by its storage."""
        value = self._values.get(id(tensor))
        return value if value is not None else self._maker(tensor)

    def _maker(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """The row and output that made the storage of a tensor."""
        entry = self._storages.get(_storage(tensor))
        return None if entry is None or entry[2].expired() else entry[:2]

    def leaf_row(self, tensor: torch.Tensor) -> int:
        """The row of a leaf that takes part in the graph."""
        with self.quiet():
            return self._input(tensor).row

    def _input(self, tensor: torch.Tensor) -> Input:
        needs = tensor.requires_grad
        value = self._values.get(id(tensor))
        if self._writers:
            value = self._after_writes(tensor, value, needs)
        if value is None:
            return Input(self._outside(tensor), 0, needs)
        row = self.rows[value[0]]
        if row.kind != "op":
            return Input(self._leaf_again(tensor, row), value[1], needs)
        if needs and tensor.is_leaf:
            return Input(self._became_leaf(tensor, row, value[1]), 0, needs)
        if needs and row.reason is not None:
            self._became_result(tensor, row, value[1])
        return Input(value[0], value[1], needs)

    def _became_result(self, tensor: torch.Tensor, row: Row, output: int) -> None:
        """An op made no node, yet its result has one: it is what a custom Function returned."""
        node = tensor.grad_fn
        if node is not None and not any(known[0] == output for known in row.results):
            row.results.append((output, int(node._sequence_nr()), tensor.output_nr))

    def _after_writes(self, tensor: torch.Tensor, value: tuple[int, int] | None, needs: bool) -> tuple[int, int] | None:
        """The value after its storage was changed through another tensor: the op that changed it, or a row for the view read again."""
        write = self._writers.get(_storage(tensor))
        if write is None or id(tensor) in self._apart or (value is not None and value[0] >= write[0]) or id(tensor) in write[1]:
            return value
        schema = self.rows[value[0]].schema if value is not None and self.rows[value[0]].kind == "op" else "alias"
        row = Row(len(self.rows), "op", schema, inputs=[Input(write[0], 0, needs)], alias=True)
        with self.quiet():
            row.outputs.append(self.note(tensor))
        row.source, row.module = self.rows[write[0]].source, self.scopes.current
        row.reason = None if needs and torch.is_grad_enabled() else "constant"
        self.rows.append(row)
        self._remember(tensor, row.index, 0)
        return (row.index, 0)

    def _outside(self, tensor: torch.Tensor) -> int:
        """A tensor that no recorded op made: a leaf, a constant, or part of a graph from before the recording."""
        needs = tensor.requires_grad
        kind = "constant"
        if needs:
            kind = EXTERNAL if not tensor.is_leaf else "parameter" if isinstance(tensor, nn.Parameter) else "input"
        maker = self._maker(tensor) if not needs or tensor.is_leaf else None
        row = Row(len(self.rows), kind, reason=None if needs else "constant")
        if maker is not None and kind in ("parameter", "input"):
            self._absorb(maker[0])
        elif maker is not None and self.rows[maker[0]].kind == "op":
            row = Row(len(self.rows), "op", "alias", inputs=[Input(maker[0], maker[1], False)], alias=True, reason="constant")
        self._write_down(row, tensor)
        return row.index

    def _became_leaf(self, tensor: torch.Tensor, maker: Row, output: int) -> int:
        """The result of an op was made a leaf (`requires_grad_()`): what served only to make it is not drawn, unless it was a cut."""
        kind = "parameter" if isinstance(tensor, nn.Parameter) else "input"
        row = Row(len(self.rows), kind, source=maker.source, names=list(maker.names))
        if maker.reason in ("detach", "no_grad"):
            row.inputs = [Input(maker.index, output, False)]
        else:
            self._absorb(maker.index)
        self._write_down(row, tensor)
        return row.index

    def _became_buffer(self, tensor: torch.Tensor) -> None:
        """The result of an op without gradient was registered as a module's buffer: it is drawn as that, without what made it."""
        value = self._values.get(id(tensor))
        row = None if value is None else self.rows[value[0]]
        if row is None or row.kind != "op" or row.mutable or row.alias or row.reason not in ("constant", "no_grad", "integer"):
            return
        row.kind, row.reason = "constant", "constant"
        row.origin, row.inputs = row.inputs, []
        row.identity = self._identities.setdefault(id(tensor), len(self._identities))
        self._leaves[row.identity] = tensor
        self._versions[row.index] = _version(tensor)

    def _absorb(self, maker: int) -> None:
        self.rows.append(Row(len(self.rows), "op", inputs=[Input(maker, 0, False)], absorbed=True))
        if self.rows[maker].kind == "op":
            self.rows[maker].absorbed = True

    def _write_down(self, row: Row, tensor: torch.Tensor) -> None:
        row.index = len(self.rows)
        row.module = self.scopes.current if row.kind == "op" else None
        self.rows.append(row)
        self._measure_leaf(row, tensor)
        self._remember(tensor, row.index, 0)
        self._log(row)

    def _measure_leaf(self, row: Row, tensor: torch.Tensor) -> None:
        with self.quiet():
            row.outputs = [self.note(tensor)]
            row.tensors = [self.stored(tensor)] if self.keep else []
        if row.kind != "op":
            row.identity = self._identities.setdefault(id(tensor), len(self._identities))
            self._leaves[row.identity] = tensor
            self._versions[row.index] = _version(tensor)
            if row.kind in ("parameter", "input"):
                self._leaf_storages[_storage(tensor)] = row.identity

    def _leaf_again(self, tensor: torch.Tensor, row: Row) -> int:
        """The row of a leaf or constant; a new one where the tensor changed since it was measured."""
        if tensor.requires_grad and row.kind == "constant" and tensor.is_leaf:
            row.kind = "parameter" if isinstance(tensor, nn.Parameter) else "input"
            row.schema, row.reason = "", None
            if row.identity is not None:
                self._leaf_storages[_storage(tensor)] = row.identity
        if not row.outputs:
            self._measure_leaf(row, tensor)
            return row.index
        if self._versions.get(row.index) == _version(tensor):
            return row.index
        again = Row(len(self.rows), row.kind, row.schema, names=list(row.names), source=row.source, reason=row.reason)
        self._write_down(again, tensor)
        return again.index

    def _fills(self, tensor: torch.Tensor, op: Op) -> bool:
        """Whether an op fills a tensor just made by a factory that nothing has read: that belongs to making it."""
        value = self._values.get(id(tensor))
        if value is None or not self.rows[value[0]].factory or self.rows[value[0]].outputs:
            return False
        row = self.rows[value[0]]
        if "empty" in row.schema:
            row.schema = op.schema
        return True

    def _leaf_of(self, tensor: torch.Tensor) -> tuple[int | None, torch.Tensor] | None:
        """The leaf that a write under no_grad changes, with its identity (None if it was never read); None if it is no such write."""
        if tensor.requires_grad and torch.is_grad_enabled():
            return None
        identity = self._leaf_storages.get(_storage(tensor))
        if identity is not None and identity in self._leaves:
            return identity, self._leaves[identity]
        if tensor.requires_grad and tensor.is_leaf:
            return None, tensor
        if id(tensor) in self.gradients and id(tensor) not in self._values:
            return None, tensor  # clipping or zeroing a gradient changes no value of the graph
        return None

    def _change_leaf(
        self, leaf: tuple[int | None, torch.Tensor], target: torch.Tensor, tensors: list[torch.Tensor], func: Any, args: Any, kwargs: Any
    ) -> Any:
        """A leaf is initialised, or updated by hand: no op of the graph, but an update if it comes after backward."""
        identity, tensor = leaf
        others = [self._input(other) for other in tensors if other is not target and id(other) in self._values]
        update = self.tracer.writing(identity, tensor)
        result = func(*args, **kwargs)
        if identity is not None:
            self._forget_value(tensor)
        if update is not None:
            self.tracer.written(update, tensor)
        self.rows.append(Row(len(self.rows), "op", inputs=others, absorbed=True))
        return result

    def _forget_value(self, tensor: torch.Tensor) -> None:
        value = self._values.get(id(tensor))
        if value is not None:
            self._versions.pop(value[0], None)

    # -- notes and names

    def note(self, tensor: torch.Tensor) -> Note:
        """The Note of a tensor, read so that no mode of anybody's sees it."""
        with torch._C._DisableTorchDispatch():
            return measure(tensor, statistics=self.statistics)

    def stored(self, tensor: torch.Tensor) -> Any:
        """A whole copy, where whole tensors were asked for."""
        from explorer.capture.notes import store

        with torch._C._DisableTorchDispatch():
            return store(tensor)

    def _harvest(self, frame: FrameType) -> None:
        for name, value in variables(frame):
            if isinstance(value, torch.Tensor):
                found = self._values.get(id(value))
                if found is None:
                    continue
                row = self.rows[found[0]]
                if name not in row.names:
                    row.names.append(name)
                if row.reason == "custom_function" and value.requires_grad:
                    self._became_result(value, row, found[1])
                elif row.kind == "op" and row.reason is None and row.autograd is None and value._base is None and value.grad_fn is not None:
                    row.autograd = value.grad_fn.name()
            elif isinstance(value, nn.Module):
                self.scopes.hold(name, value)


class _Watch(TorchDispatchMode):
    """The dispatch mode; while the recorder is quiet, ops pass as if it were not there."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        if self._recorder._paused:
            return func(*args, **(kwargs or {}))
        return self._recorder.op(func, args, kwargs or {}, sys._getframe(1))


class _Quiet:
    """Inside, ops are not recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        self._recorder._paused += 1

    def __exit__(self, *_: object) -> None:
        self._recorder._paused -= 1


def _tensors(values: Iterable[Any]) -> list[torch.Tensor]:
    """All tensors of an argument list in order, lists and tuples opened."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


def _storage(tensor: torch.Tensor) -> int:
    """The address of a tensor's storage object; 0 where it has none."""
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return 0


def _version(tensor: torch.Tensor) -> int:
    try:
        return tensor._version
    except RuntimeError:  # tensors made in inference mode count no versions
        return 0
