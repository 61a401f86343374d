"""Watches a program run: every op, module call, backward pass and optimizer step becomes plain rows; tensors are never kept.

One dispatch mode sees the ops. `explorer.capture.tracer` watches the engine, `explorer.capture.assemble` makes a `Trace` of each pass.
Whatever is entered or installed here is taken out in `__exit__`.
"""

from __future__ import annotations

import gc
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer
from torch.utils._python_dispatch import _get_current_dispatch_mode as _top_mode

import explorer
from explorer.capture import installed
from explorer.capture.assemble import assemble
from explorer.capture.calls import Calls
from explorer.capture.evidence import Witness
from explorer.capture.frames import Aliases, Frames, variables
from explorer.capture.graph import name_early
from explorer.capture.journal import Journal
from explorer.capture.measuring import Meter, Ticket, resolve, resolve_row
from explorer.capture.modules import Scopes, buffers, owners
from explorer.capture.notes import dtype_name
from explorer.capture.reports import one_line
from explorer.capture.rows import Circumstances, Input, Owners, Pass, Row
from explorer.capture.tracer import Tracer
from explorer.capture.updates import Updates
from explorer.capture.values import Values
from explorer.capture.watch import Asleep, Quiet, Watch, sequence
from explorer.errors import RequestError
from explorer.model import Finding, MadeWith, Trace

GARBAGE = (50_000, 50, 100)  # when Python looks for garbage while recording: what is written down is none, and going through it is slow
MOST_BEFORE = 4  # calls of `autograd.grad` that a preferred backward is waited for
MOST_PASSES = 100  # `wanted="all"` writes at most so many


class Recorder:
    """Records the passes of whatever runs inside `with recorder:` on this thread.

    `folder` is where sources are told relative to. `wanted` is the number of the pass to record, or "all", `further` how many after it are
    to be recorded as well. `journal` gets every row as it is written, `progress` (phase, done, total), `finished` the traces as soon as the
    last of them and its update are over. `deep` allows graphs of any depth; only a process that ends without destroying them may say so.
    `check` verifies the wanted pass, too.
    """

    def __init__(
        self,
        *,
        title: str = "",
        folder: str = ".",
        values: str = "stats",
        wanted: int | str = 1,
        further: int = 0,
        device: str = "cpu",
        dtype: str | None = None,
        seed: int | None = None,
        journal: Journal | None = None,
        progress: Callable[[str, int, int | None], None] | None = None,
        finished: Callable[[list[Trace]], None] | None = None,
        to_end: bool = False,
        deep: bool = False,
        check: bool = False,
    ) -> None:
        self.title, self.device, self.dtype, self.seed, self.deep = title, device, dtype, seed, deep
        self.wanted, self.further, self.to_end = wanted, further, to_end
        self._journal, self._progress, self._finished = journal, progress, finished
        self.rows: list[Row] = []
        self.frames = Frames(folder, harvest=self._harvest)
        self.scopes = Scopes()
        self.passes, self.calls = 0, Calls()
        self.prefers_backward = check and further > 0  # to `autograd.grad` on the way: nobody asked for a pass by its number
        self.refused: RequestError | None = None
        self._open: Pass | None = None
        self._traces: list[Trace] = []
        self._findings, self._aliases = list[Finding](), Aliases()
        self._outputs: tuple[int, ...] | None = None
        self.paused, self.over = 0, False  # > 0 while the ops that run are not the program's; the wanted pass is behind: only counting
        self._start, self._start_ticket = 0, 0  # the first row after the last engine call, and the first ticket
        self._thresholds = self._rarely = gc.get_threshold()
        self.thread = threading.get_ident()
        self.last_sequence = self.first_sequence = 0
        self._ticks, self.tells = 0.0, journal is not None or progress is not None
        self.ends_early = finished is not None and not to_end
        self._unlogged: list[Row] = []  # rows in the journal without their statistics
        self.meter = Meter(statistics=values != "none", measured=self._log_measured if journal is not None else None)
        self.values = Values(
            self.rows,
            meter=self.meter,
            keep=values == "all",
            quiet=self.quiet,
            module=lambda: self.scopes.current,
            log=self.log,
        )
        self.checks: Any = None
        if check:  # loaded only where it is asked for
            from explorer.capture.checks import Checker

            self.checks = Checker(self)
        self.mode: Watch = self.checks.mode if check else Watch(self)
        self.tracer, self.updates, self.witness = Tracer(self), Updates(self), Witness(self)

    # -- entering and leaving

    def __enter__(self) -> Recorder:
        if installed.current() is not None:
            raise RequestError("running.nested_recording")
        installed.install(self)
        self.tracer.hooks.is_known()
        try:
            self.mode.__enter__()
        except BaseException:
            installed.remove()
            raise
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*(GARBAGE if self._thresholds[0] else self._thresholds))
        self._rarely = gc.get_threshold()
        self.thread = threading.get_ident()
        self.last_sequence = self.first_sequence = sequence()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        try:
            self.mode.__exit__(kind, error, traceback)
        finally:
            installed.remove()
            if gc.get_threshold() == self._rarely:  # else the program, or a recording on another thread, has set its own since
                gc.set_threshold(*self._thresholds)
            self.scopes.stack.clear()
            self.frames.look(sys._getframe(1))
            self.frames.close()

    def traces(self, *, error: BaseException | None = None) -> list[Trace]:
        """The recorded passes, the last one marked partial if the program ended with `error`. Lets go of all tensors and modules."""
        return self.finish(error=error)()

    def finish(self, *, error: BaseException | None = None) -> Callable[[], list[Trace]]:
        """Lets go of all tensors and modules; what comes back puts the traces together, whenever they are wanted."""
        collecting = gc.isenabled()
        gc.disable()  # much is made and nothing let go: looking for garbage would take a third of the time
        try:
            if self.refused is not None:
                raise self.refused
            before = self._final()
            last = self._last(error, failed=error is not None)
        finally:
            self._open = None
            self._traces = []
            self._forget()
            if collecting:
                gc.enable()
        return lambda: [*before, *(make() for make in last)]

    def let_go(self) -> None:
        """Forget what was written down: it has become nodes."""
        self.rows.clear()
        self.meter.forget(self.meter.next)

    def snapshot(self) -> list[Trace]:
        """What there is so far, marked partial; may be called from another thread while the program runs."""
        return [*self._final(), *(make() for make in self._last(None, failed=True))]

    def note_finding(self, finding: Finding) -> None:
        """Add a finding that only whoever started the program can know."""
        self._findings.append(finding)

    def set_outputs(self, tensors: Iterable[torch.Tensor]) -> None:
        """Say what the program returned."""
        with self.quiet():
            found = [(tensor, self.values.read(tensor).row) for tensor in tensors]
        self._outputs = tuple(row for _, row in found)
        for tensor, row in found:
            name_early(self.rows[row], tensor)

    def _forget(self) -> None:
        self.meter.flush()
        self.values.close()
        self.scopes = Scopes()

    # -- passes

    def wants(self, number: int) -> bool:
        """Whether pass `number` is to be recorded in full."""
        return number <= self._last_wanted and (self.wanted == "all" or number >= int(self.wanted))

    def verifies(self, number: int) -> bool:
        """Whether what pass `number` computes is to be verified."""
        return self.checks is not None and self.wanted in ("all", number)

    @property
    def _last_wanted(self) -> int:
        last = MOST_PASSES if self.wanted == "all" else int(self.wanted) + self.further
        return max(last, MOST_BEFORE) if self.prefers_backward and not self.calls.accumulated else last

    def begin_anew(self) -> None:
        """The first backward comes: where it is preferred, the calls of `autograd.grad` on the way to it do not count."""
        if self.passes and self.prefers_backward and not self.over:
            self.wanted, self._open = self.passes + 1, None
            self._traces.clear()

    def begin_pass(self) -> Pass:
        """An outermost engine call starts: the pass before it is over."""
        self.witness.followed = True
        self._conclude()
        self.witness.begin_pass(sys._getframe(1))
        self.passes += 1
        if not self.wants(self.passes):
            self._retire(self._start, self._start_ticket)
        self._open = Pass(self.passes, self._start, len(self.rows), started=True)
        self._start = self.values.start = len(self.rows)
        self._start_ticket = self.meter.next
        if not self.over and self.passes > self._last_wanted:
            self.over = True
            self.paused += 1  # from now on passes are only counted
            self._retire(len(self.rows), self.meter.next)
        return self._open

    def _retire(self, end: int, ticket: Ticket) -> None:
        """Let go of the rows before `end` and the tickets before `ticket`, but for what still lives."""
        for row in self.values.retire(end):
            resolve_row(row, self.meter)
        self.meter.forget(ticket)

    def _conclude(self) -> None:
        if self._open is not None and self.wants(self._open.number):
            self._traces.append(self._later(self._open)())
            if self._finished is not None and not self.to_end and self._open.number == self._last_wanted:
                self._open = None
                self._finished(self._final())
        self._open = None

    def _final(self) -> list[Trace]:
        return [replace(trace, passes=self.passes) for trace in self._traces]

    def _last(self, error: BaseException | None, *, failed: bool) -> list[Callable[[], Trace]]:
        """How to put together the pass that is not concluded yet, or what came after the last one; nothing where it is not wanted."""
        if self._open is not None and self.wants(self._open.number):
            return [self._later(self._open, error=error, partial=failed)]
        if self.wants(self.passes + 1):
            rest = Pass(self.passes + (1 if self.passes else 0), self._start, len(self.rows))
            if (failed and len(self.rows) > self._start) or not self.passes:
                return [self._later(rest, error=error, partial=failed)]
        return []

    def _later(self, part: Pass, *, error: BaseException | None = None, partial: bool = False) -> Callable[[], Trace]:
        """Everything about a pass that only the running program can tell is taken down; calling the result makes the trace of it."""
        self.meter.flush()
        owners = self._owners()
        about = self._circumstances(owners, error, partial)

        def assembled() -> Trace:
            self.report("assembling", 0, None)
            collecting = gc.isenabled()
            gc.disable()
            try:
                resolve(self.rows[: part.stop], part, self.meter)
                return assemble(self.rows, part, owners, about)
            finally:
                if collecting:
                    gc.enable()

        return assembled

    def _owners(self) -> Owners:
        living = self.values.living()
        rows = [(row.index, living[row.identity]) for row in list(self.rows) if row.identity in living]
        return owners(self.scopes, rows)

    def _circumstances(self, owners: Owners, error: BaseException | None, partial: bool) -> Circumstances:
        dtype = self.dtype or dtype_name(torch.get_default_dtype())
        made = MadeWith(explorer.__version__, str(torch.__version__), platform.python_version(), self.device, dtype, self.seed)
        return Circumstances(
            title=self.title,
            made_with=made,
            partial=partial,
            error=None if error is None else one_line(error),
            error_source=None if error is None else self.frames.raised_at(error),
            outputs=self._outputs,
            passes=self.passes,
            sources=dict(self.frames.files),
            findings=tuple(self._findings),
            evidence=self.witness.evidence(owners.paths),
            backwards=tuple(self.witness.backwards),
        )

    def report(self, phase: str, done: int, total: int | None) -> None:
        """Tell whoever waits, at most twenty times a second."""
        if self._progress is not None and (now := time.monotonic()) - self._ticks > 0.05:
            self._ticks = now
            self._progress(phase, done, total)

    # -- what the hooks and the mode report

    def quiet(self) -> Quiet:
        """A region whose ops are ours, not the program's."""
        return Quiet(self)

    def asleep(self) -> Quiet | Asleep:
        """A region in which the program's ops are not recorded and need not be seen."""
        return Asleep(self.mode) if _top_mode() is self.mode else Quiet(self)

    def hooked(self, tensor: torch.Tensor, hook: Any, handle: Any) -> None:
        """The user registered a hook on a tensor."""
        if not self.paused and threading.get_ident() == self.thread:
            self.tracer.hooks.registered(tensor, hook, handle)

    def applied(self, result: Any) -> None:
        """A custom Function gave out its results."""
        if not self.paused and threading.get_ident() == self.thread:
            self.tracer.functions.applied(result)

    def enter_module(self, module: nn.Module) -> None:
        if threading.get_ident() != self.thread:
            return
        if self.updates.running:
            self.updates.end_failed(sys._getframe(1))
        if not self.paused:
            if not self.scopes.stack and id(module) not in self.scopes.calls:
                for _, buffer in buffers(module):
                    self.values.begin_buffer(buffer)
            self.scopes.enter(module)

    def leave_module(self, module: nn.Module) -> None:
        if not self.paused and threading.get_ident() == self.thread:
            self.scopes.leave(module)

    def run_engine(self, original: Callable[..., Any], outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.updates.running and threading.get_ident() == self.thread:
            self.updates.end_failed(sys._getframe(1))
        return self.tracer.run_engine(original, outputs, args, kwargs)

    def before_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        self.updates.before_step(optimizer, has_closure)

    def after_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        self.updates.after_step(optimizer, has_closure)

    @property
    def open_pass(self) -> Pass | None:
        """The pass whose backward ran last, until the next one begins."""
        return self._open

    def resume(self) -> None:
        """Ops that were not watched may have made autograd nodes: their sequence numbers belong to no row."""
        self.last_sequence = sequence()

    def log(self, row: Row) -> None:
        """Write a row to the journal, if one is kept."""
        if self._journal is not None:
            if row.outputs or row.base is not None:
                self._unlogged.append(row)
            outline = self.meter.outline
            self._journal.add(row, [outline(ticket) for ticket in row.outputs], None if row.base is None else outline(row.base))

    def _log_measured(self) -> None:
        """A batch was measured: the statistics of its rows follow in the journal."""
        rows, self._unlogged = self._unlogged, []
        if self._journal is not None:
            for row in rows:
                resolve_row(row, self.meter)
            self._journal.measured(rows)

    def finish_early(self, inputs: list[Input]) -> None:
        """After the wanted pass and its update, the next op that takes part in a new forward pass ends it, and the recording."""
        if (
            self._open is not None
            and self._open.writes
            and self._open.number in (self.wanted, self._last_wanted)
            and torch.is_grad_enabled()
            and any(item.needs_gradient for item in inputs)
        ):
            self._conclude()

    def _harvest(self, frame: FrameType) -> None:
        for name, value in variables(frame):
            if isinstance(value, torch.Tensor):
                found = self.values.place(value)
                if found is None:
                    continue
                row = self.rows[found.row]
                if row.kind != "op":
                    self._aliases.add(row, name, frame)
                elif name not in row.names:
                    row.names = (*row.names, name)
                if row.reason == "custom_function" and value.requires_grad:
                    self.values.became_result(value, row, found.output)
                name_early(row, value)
            else:
                self.scopes.hold(name, value)
