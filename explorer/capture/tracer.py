"""Watches the autograd engine: hooks every node of the walked graph, notes what flows in and out."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch

from explorer.capture import installed
from explorer.capture.derivatives import HANDWRITTEN, rule_of
from explorer.capture.functions import Functions
from explorer.capture.graph import SHALLOW, Graph, describe, edge_of, is_freed, saved_of
from explorer.capture.hooks import Hooks, name_of
from explorer.capture.measuring import Ticket
from explorer.capture.notes import PLAIN_TYPES, version_of
from explorer.capture.rows import GraphNode, LeafGradient, Pass
from explorer.capture.storages import NONE, Storages
from explorer.capture.unseen import unseen
from explorer.errors import RequestError
from explorer.model import MOST_VALUES

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder

# Nodes that send on just the elements they received, in another order or shape.
PERMUTING = frozenset(
    "ViewBackward0 UnsafeViewBackward0 ReshapeAliasBackward0 TBackward0 TransposeBackward0 PermuteBackward0 UnsqueezeBackward0 "
    "SqueezeBackward0 SqueezeBackward1 SqueezeBackward2 AliasBackward0 CloneBackward0".split()
)


class Tracer:
    """The backward side of a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lock = threading.RLock()
        self._running: Pass | None = None
        self._leaves: dict[int, torch.Tensor] = {}  # of the pass that runs, by row
        self._grads: dict[
            int, tuple[int, Ticket]
        ] = {}  # row of a leaf -> version of its `.grad` when that was what had flowed in, its ticket
        self._sent_before: dict[int, tuple[weakref.ref[torch.Tensor], int, Ticket]] = {}  # by id of the gradient
        self.hooks = Hooks()
        self._touched: set[int] = set()  # keys of the nodes where the user's code sees gradients, and could change them unseen
        self.functions = Functions(recorder.values)
        self._storages = Storages()  # of the pass that runs
        self._at_once = False  # whether gradients are to be measured before the engine goes on
        self._began = 0
        self._clocks: dict[int, int] = {}  # thread -> when its last node was done

    def run_engine(self, original: Callable[..., Any], outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the engine as the user asked, watched if this is the outermost call of a wanted pass."""
        if self._running is not None:
            with self._lock:
                self._inner(self._running, outputs, args, kwargs)
            return original(outputs, *args, **kwargs)
        recorder = self._recorder
        recorder.frames.look(sys._getframe(1))
        recorder.meter.flush()
        if recorder.calls.note(outputs, kwargs):
            recorder.begin_anew()
        here = recorder.begin_pass()
        creates = (len(args) > 2 and bool(args[2])) or bool(kwargs.get("create_graph"))
        if not recorder.wants(here.number):
            return self._unwatched(here, original, outputs, args, kwargs, creates)
        graph = Graph(outputs, limit=None if recorder.deep else SHALLOW)
        if graph.too_deep:
            recorder.refused = RequestError("running.too_deep")
            graph.release()
            return self._unwatched(here, original, outputs, args, kwargs, creates)
        return self._watched(here, graph, original, outputs, args, kwargs, creates)

    def _unwatched(self, here: Pass, original: Callable[..., Any], outputs: Any, args: Any, kwargs: Any, creates: bool) -> Any:
        """A pass that nobody wants; its ops are recorded only where they make a graph that a later pass may run through."""
        recorder, handles = self._recorder, []
        creates = creates and not recorder.over
        self._running = here
        try:
            if creates:
                graph = Graph(outputs, limit=None if recorder.deep else SHALLOW)
                handles = unseen(graph.nodes, recorder.mode, back=self._seen_again)
                graph.release()
                self.hooks.are_ours(len(handles))
            return self._run(original, outputs, args, kwargs, creates)
        finally:
            self._running = None
            for handle in handles:
                handle.remove()
            if recorder.checks is not None:
                recorder.checks.passed_over(keeps=bool(args[1]) or creates)
            recorder.resume()

    def _run(self, original: Callable[..., Any], outputs: Any, args: Any, kwargs: Any, creates: bool) -> Any:
        """The engine's own ops are the program's only where they make a graph of their own."""
        if creates:
            self._recorder.resume()
            return original(outputs, *args, **kwargs)
        with self._recorder.asleep():
            return original(outputs, *args, **kwargs)

    def _watched(self, here: Pass, graph: Graph, original: Callable[..., Any], outputs: Any, args: Any, kwargs: Any, creates: bool) -> Any:
        recorder = self._recorder
        raws: list[tuple[GraphNode, Any]] = []
        handles: list[Any] = []
        leaves = self._leaves = {}
        self._storages = Storages()
        well = False
        self._touched.clear()
        try:
            with recorder.quiet():
                self._prepare(here, graph, outputs, args, raws, leaves)
                self._listen(here, graph, leaves, handles)
            if recorder.verifies(here.number):
                handles += recorder.checks.begin(here, graph, leaves)
            if creates:
                handles += unseen(graph.nodes, recorder.mode, back=self._seen_again)
            self.hooks.is_known()
            here.stop = len(recorder.rows)
            self._at_once = recorder.values.keep or self._may_be_changed(here)
            self._running, self._began = here, time.perf_counter_ns()
            self._clocks = {recorder.thread: self._began}
            result = self._run(original, outputs, args, kwargs, creates)
            with recorder.quiet():
                self._captured(here, graph, args, result)
                if recorder.verifies(here.number) and len(args) > 3:
                    recorder.checks.captured(graph, args[3], result)
            well = True
            return result
        finally:
            self._running = None
            for handle in handles:
                handle.remove()
            with recorder.quiet():
                self._after_engine(here, leaves, raws)
                if recorder.verifies(here.number):
                    recorder.checks.end(here, outputs, args, leaves, well=well, keeps=bool(args[1]) or creates)
                elif recorder.checks is not None:
                    recorder.checks.passed_over(keeps=bool(args[1]) or creates)
            recorder.meter.flush()
            raws.clear()
            here.storages = self._storages.sizes
            self._storages.close()
            graph.release()
            self._sent_before.clear()
            self._grads.clear()
            self._leaves = {}
            if not creates:
                recorder.resume()

    def _listen(self, here: Pass, graph: Graph, leaves: dict[int, torch.Tensor], handles: list[Any]) -> None:
        """Hook every node. A pre-hook costs much, and most nodes need none."""
        looks = self.hooks.may_be_on_nodes()
        for node, described in zip(graph.nodes, here.nodes, strict=True):
            handles.append(node.register_hook(partial(self._after, described)))
            if described.code is not None or described.hooks or len(handles[-1].hooks_dict_ref()) > 1:  # hooks beside ours
                self._touched.add(described.key)
            needed = described.key in self._touched or (
                described.leaf is not None and getattr(leaves[described.leaf], "_post_accumulate_grad_hooks", None)
            )
            if not needed and not looks:
                continue
            handle = node.register_prehook(partial(self._before, described))
            theirs = [hook for number, hook in handle.hooks_dict_ref().items() if number != handle.id]
            if theirs:
                self._touched.add(described.key)
                described.hooks = [*described.hooks, *(name_of(hook) for hook in theirs)]
            if theirs or needed:
                handles.append(handle)
            else:
                handle.remove()

    def _seen_again(self) -> None:
        if get_ident() == self._recorder.thread:
            self._recorder.resume()

    def _may_be_changed(self, here: Pass) -> bool:
        """Whether code of the user's sees gradients on their way, and could change one: Functions, hooks, parts made before."""
        return any(
            node.key in self._touched
            or (
                bool(node.outputs)
                and node.name not in HANDWRITTEN
                and (rule_of(node.name) is None or node.sequence < self._recorder.first_sequence)
            )
            for node in here.nodes
        )

    def _inner(self, here: Pass, outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A backward inside the running one (a reentrant checkpoint) is about to add to leaves that the outer graph may not reach."""
        recorder = self._recorder
        if recorder.checks is not None:
            recorder.checks.nested()
        if not recorder.wants(here.number) or not kwargs.get("accumulate_grad"):
            return
        only = {id(wanted) for wanted in args[3]} if len(args) > 3 else set()
        graph = Graph(outputs, limit=SHALLOW)
        variables = [variable for node in graph.nodes if isinstance(variable := getattr(node, "variable", None), torch.Tensor)]
        graph.release()
        for variable in variables:
            found = recorder.values.find(variable)
            if found is None or not (found[0] < here.stop and recorder.rows[found[0]].kind in ("parameter", "input")):
                continue
            if found[0] not in here.leaves and (not only or id(variable) in only):
                here.leaves[found[0]] = LeafGradient(None if variable.grad is None else recorder.values.note(variable.grad), None)
                self._leaves[found[0]] = variable

    # -- before

    def _prepare(self, here: Pass, graph: Graph, outputs: Any, args: Any, raws: list[Any], leaves: dict[int, torch.Tensor]) -> None:
        recorder = self._recorder
        rows = {row.window[1] - 1: row for row in recorder.rows[here.start :] if row.window[0] < row.window[1] and not row.writes_view}
        self._storages.leave_out([*recorder.scopes.owned(), *(node.variable for node in graph.nodes if hasattr(node, "variable"))])
        for key, node in enumerate(graph.nodes):
            described = describe(node, key, graph.next[key], rows)
            if described.name == "AccumulateGrad":
                variable = node.variable
                described.leaf = recorder.values.leaf_row(variable)
                described.hooks = [name_of(hook) for hook in (variable._backward_hooks or {}).values()]
                leaves[described.leaf] = variable
                here.leaves[described.leaf] = LeafGradient(None if variable.grad is None else recorder.values.note(variable.grad), None)
            else:
                if described.sequence in self.hooks.of_node:
                    described.hooks = self.hooks.on(described.sequence)
                if described.code is not None:
                    self.functions.complete(described)
                described.saved, first = saved_of(node, described, recorder.values, self._storages)
                if first is not None:
                    raws.append((described, first))
            here.nodes.append(described)
        seeds = args[0] if args else ()
        sums: dict[tuple[int, int], torch.Tensor] = {}
        for output, root, seed in zip(outputs, graph.roots, seeds, strict=False):
            start = seed if seed is not None else torch.ones_like(output) if isinstance(output, torch.Tensor) else None
            if root is not None and start is not None:
                sums[root] = start if root not in sums else sums[root] + start
        here.roots = [(*root, recorder.meter.hold(seed, copy=True)) for root, seed in sums.items()]
        only = outputs[0] if len(outputs) == 1 and isinstance(outputs[0], torch.Tensor) else None
        if only is not None and only.numel() == 1:
            here.loss = recorder.values.number(only)
        self._place_roots(here, graph, outputs)

    def _place_roots(self, here: Pass, graph: Graph, outputs: Any) -> None:
        """Where no op made the node of a root (a custom Function), the tensor itself says what its value is."""
        values = self._recorder.values
        for output, root in zip(outputs, graph.roots, strict=True):
            if isinstance(output, torch.Tensor) and root is not None:
                if values.place(output) is None and not output.is_leaf:  # the result of something that nobody saw, as of `as_subclass`
                    values.read(output)
                here.root_rows.append((*root, values.find(output)))

    # -- while the engine runs; on accelerators its own threads call these

    def _before(self, node: GraphNode, received: tuple[Any, ...]) -> None:
        """The pre-hook of a node that may change what it is given, or whose hooks may; `.grad` can be that very tensor."""
        with self._lock:
            self._look_anew(node)
            self._note_received(node, received)
            self._recorder.meter.protect(item for item in received if item is not None)

    def _note_received(self, node: GraphNode, received: tuple[Any, ...]) -> list[Ticket]:
        ticket = self._ticket if self._recorder.meter.statistics else self._recorder.meter.hold  # to look for a known one would take longer
        node.received = tickets = [None if item is None else ticket(item) for item in received]
        if self._recorder.values.keep:
            node.tensors = [None if item is None else self._recorder.values.stored(item) for item in received]
        return tickets

    def _after(self, node: GraphNode, sent: tuple[Any, ...], received: tuple[Any, ...]) -> None:
        """The post-hook of a node: `received` is what it got after all hooks, `sent` what goes along each edge, reduced and cast."""
        now, running = time.perf_counter_ns(), self._running
        thread = get_ident()
        if running is None or (thread != self._recorder.thread and installed.current() is not self._recorder):
            return  # a backward of another thread of the user's over the same nodes
        with self._lock:
            if thread == self._recorder.thread:  # on a device's own thread it would be the time to launch, not to compute
                node.microseconds = (now - self._clocks.get(thread, self._began)) / 1000
            early = node.received is not None
            tickets: list[Ticket] = self._note_received(node, received) if node.received is None else node.received
            statistics = self._recorder.meter.statistics
            self._look_anew(node)
            if (
                statistics
                and len(sent) == 1
                and sent[0] is not None
                and node.name in PERMUTING
                and len(received) == 1
                and _same_size(sent[0], received[0])
                and node.key not in self._touched
            ):
                node.sent = [self._shared_ticket(sent[0], tickets[0])]
            else:
                ticket = self._ticket if statistics else self._recorder.meter.hold
                node.sent = [None if item is None else ticket(item) for item in sent]
            storages = self._storages
            arrived = [NONE if item is None else storages.number(item) for item in received]
            node.carried = [NONE if item is None else storages.number(item) for item in sent]
            if any(storage in arrived for storage in node.carried if storage >= 0):
                node.arrived = arrived
            if node.leaf is not None and received[0] is not None and not self._at_once and not early and statistics:
                self._accumulated(node.leaf, tickets[0], received[0])
            running.order.append(node.key)
            if self._recorder.tells:
                self._recorder.report("backward", len(running.order), len(running.nodes))
            self._clocks[thread] = time.perf_counter_ns()

    def is_watching(self) -> bool:
        """Whether the engine run that calls a hook just now is the watched one."""
        return self._running is not None and (get_ident() == self._recorder.thread or installed.current() is self._recorder)

    def restart_clock(self) -> None:
        """What just ran on this thread was ours: the time of the next node begins now."""
        self._clocks[get_ident()] = time.perf_counter_ns()

    def _look_anew(self, node: GraphNode) -> None:
        """The user's code may just have changed gradients, and whatever shares their memory: nothing known before counts."""
        if node.key in self._touched:
            self._sent_before.clear()

    def _ticket(self, tensor: torch.Tensor) -> Ticket:
        """A ticket for a gradient; the same one as long as it is the same tensor, which most are that flow on unchanged."""
        meter, version = self._recorder.meter, version_of(tensor)
        known = self._sent_before.get(id(tensor))
        if known is not None and known[0]() is tensor and known[1] == version:
            return known[2]
        ticket = meter.take(self._recorder.values.note(tensor)) if self._at_once else meter.hold(tensor, counted=True)
        self._sent_before[id(tensor)] = (weakref.ref(tensor), version, ticket)
        return ticket

    def _shared_ticket(self, tensor: torch.Tensor, source: Ticket) -> Ticket:
        if self._at_once and tensor.numel() <= MOST_VALUES:
            return self._ticket(tensor)
        ticket = self._recorder.meter.share(tensor, source)
        self._sent_before[id(tensor)] = (weakref.ref(tensor), version_of(tensor), ticket)
        return ticket

    def _accumulated(self, leaf: int, ticket: Ticket, received: torch.Tensor) -> None:
        """Where `.grad` has just become the very memory that flowed in, its Note is the same, unless it changes before the engine ends."""
        gradient = self._leaves[leaf].grad
        if (
            gradient is None
            or type(gradient) not in PLAIN_TYPES
            or type(received) not in PLAIN_TYPES
            or gradient.layout is not torch.strided
        ):
            return
        if received.layout is torch.strided and gradient.data_ptr() == received.data_ptr() != 0 and gradient.stride() == received.stride():
            self._grads[leaf] = (version_of(gradient), ticket)

    # -- after

    def _captured(self, here: Pass, graph: Graph, args: Any, result: Any) -> None:
        """`autograd.grad(loss, w)` takes gradients out of the flow at w: the nodes there received them, although they did not run."""
        if not isinstance(result, tuple) or len(args) < 4:
            return
        for wanted, gradient in zip(args[3], result, strict=False):
            if not isinstance(gradient, torch.Tensor):
                continue
            edge = edge_of(wanted)
            key = None if edge is None else graph.keys.get(edge.node)
            if edge is not None and key is not None:
                here.nodes[key].captured = {**(here.nodes[key].captured or {}), edge.output_nr: self._recorder.meter.hold(gradient)}

    def _after_engine(self, here: Pass, leaves: dict[int, torch.Tensor], raws: list[tuple[GraphNode, Any]]) -> None:
        self._recorder.values.gradients = {id(tensor.grad) for tensor in leaves.values() if tensor.grad is not None}
        for row, tensor in leaves.items():
            gradient = tensor.grad
            if gradient is not None:
                known = self._grads.get(row)
                ticket = known[1] if known is not None and known[0] == version_of(gradient) else self._recorder.meter.hold(gradient)
                here.leaves[row].after = ticket  # as long as the program runs
        for described, raw in raws:
            if is_freed(raw):
                for saved in described.saved:
                    if not saved.name.startswith("ctx."):  # which torch knows nothing of
                        saved.state = "freed"


def _same_size(sent: torch.Tensor, received: torch.Tensor | None) -> bool:
    return received is not None and type(sent) in PLAIN_TYPES and type(received) in PLAIN_TYPES and sent.numel() == received.numel()
