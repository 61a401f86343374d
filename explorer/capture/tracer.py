"""Watches the autograd engine: hooks every node of the walked graph, notes what flows in and out, and what is updated afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import Optimizer

from explorer.capture.graph import SHALLOW, Graph, describe, edge_of, saved_of
from explorer.capture.notes import is_plain
from explorer.capture.rows import GraphNode, LeafGradient, Pass, SavedTensor, Write
from explorer.errors import RequestError
from explorer.model import Note

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder


class Tracer:
    """The backward side of a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._running: Pass | None = None
        self._delivered: dict[tuple[int, int], tuple[Any, Note] | None] = {}
        self._leaves: dict[int, torch.Tensor] = {}  # of the pass that runs, by row
        self._clock = 0
        self._closures: dict[int, Optimizer] = {}  # optimizers that are stepping with a closure
        self._pending_steps: dict[int, list[tuple[Write, torch.Tensor]]] = {}

    def run_engine(self, original: Callable[..., Any], outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the engine as the user asked, watched if this is the outermost call of a wanted pass."""
        if self._running is not None:
            self._inner(self._running, outputs, args, kwargs)
            return original(outputs, *args, **kwargs)
        recorder = self._recorder
        recorder.frames.look(sys._getframe(1))
        here = recorder.begin_pass()
        creates = (len(args) > 2 and bool(args[2])) or bool(kwargs.get("create_graph"))
        if not recorder.wants(here.number):
            return self._unwatched(here, original, outputs, args, kwargs, creates)
        with recorder.quiet():
            graph = Graph(outputs, limit=None if recorder.deep else SHALLOW)
        if graph.too_deep:
            recorder.refused = RequestError("running.too_deep")
            graph.release()
            return self._unwatched(here, original, outputs, args, kwargs, creates)
        return self._watched(here, graph, original, outputs, args, kwargs, creates)

    def _unwatched(self, here: Pass, original: Callable[..., Any], outputs: Any, args: Any, kwargs: Any, creates: bool) -> Any:
        self._running = here
        try:
            if creates:
                return original(outputs, *args, **kwargs)
            with self._recorder.quiet():
                return original(outputs, *args, **kwargs)
        finally:
            self._running = None
            self._recorder.resume()

    def _watched(self, here: Pass, graph: Graph, original: Callable[..., Any], outputs: Any, args: Any, kwargs: Any, creates: bool) -> Any:
        recorder = self._recorder
        raws: list[tuple[SavedTensor, Callable[[], bool]]] = []
        handles: list[Any] = []
        leaves = self._leaves = {}
        try:
            with recorder.quiet():
                self._prepare(here, graph, outputs, args, raws, leaves)
                handles = [node.register_hook(partial(self._after, here.nodes[key])) for key, node in enumerate(graph.nodes)]
                for node, described in zip(graph.nodes, here.nodes, strict=True):
                    if described.leaf is not None and getattr(leaves[described.leaf], "_post_accumulate_grad_hooks", None):
                        handles.append(node.register_prehook(partial(self._before, described)))
            here.stop = len(recorder.rows)
            self._running, self._clock = here, time.perf_counter_ns()
            if creates:
                recorder.resume()
                result = original(outputs, *args, **kwargs)
            else:
                with recorder.quiet():
                    result = original(outputs, *args, **kwargs)
            with recorder.quiet():
                self._captured(here, graph, args, result)
            return result
        finally:
            self._running = None
            for handle in handles:
                handle.remove()
            with recorder.quiet():
                self._after_engine(here, leaves, raws)
            raws.clear()
            graph.release()
            self._delivered.clear()
            self._leaves = {}
            recorder.frames.look(sys._getframe(2))
            if not creates:
                recorder.resume()

    def _inner(self, here: Pass, outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A backward inside the running one (a reentrant checkpoint) is about to add to leaves that the outer graph may not reach."""
        recorder = self._recorder
        if not recorder.wants(here.number) or not kwargs.get("accumulate_grad"):
            return
        with recorder.quiet():
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
        for key, node in enumerate(graph.nodes):
            described = describe(node, key, graph.keys)
            variable = getattr(node, "variable", None)
            if described.name == "AccumulateGrad" and isinstance(variable, torch.Tensor):
                described.leaf = recorder.values.leaf_row(variable)
                leaves[described.leaf] = variable
                here.leaves[described.leaf] = LeafGradient(None if variable.grad is None else recorder.values.note(variable.grad), None)
            else:
                saved = saved_of(node, recorder.values.find)
                described.saved = [item for item, _ in saved]
                raws += saved
            here.nodes.append(described)
        seeds = args[0] if args else ()
        sums: dict[tuple[int, int], torch.Tensor] = {}
        for output, root, seed in zip(outputs, graph.roots, seeds, strict=False):
            start = seed if seed is not None else torch.ones_like(output) if isinstance(output, torch.Tensor) else None
            if root is not None and start is not None:
                sums[root] = start if root not in sums else sums[root] + start
        here.roots = [(*root, recorder.values.note(seed)) for root, seed in sums.items()]
        only = outputs[0] if len(outputs) == 1 and isinstance(outputs[0], torch.Tensor) else None
        if only is not None and only.numel() == 1:
            here.loss = recorder.values.number(only)
        self._place_roots(here, graph, outputs)

    def _place_roots(self, here: Pass, graph: Graph, outputs: Any) -> None:
        """Where no op made the node of a root (a custom Function), the tensor itself says what its value is."""
        for output, root in zip(outputs, graph.roots, strict=True):
            if isinstance(output, torch.Tensor) and root is not None:
                found = self._recorder.values.find(output)
                here.root_rows.append((*root, found))

    # -- while the engine runs

    def _before(self, node: GraphNode, received: tuple[Any, ...]) -> None:
        """The pre-hook of a leaf whose `.grad` the user's own hook may change before our post-hook runs: the two can be one tensor."""
        with self._recorder.quiet():
            self._note_received(node, received)

    def _note_received(self, node: GraphNode, received: tuple[Any, ...]) -> None:
        node.received = [None if item is None else self._received(node.key, number, item) for number, item in enumerate(received)]
        if self._recorder.values.keep:
            node.tensors = [None if item is None else self._recorder.values.stored(item) for item in received]

    def _after(self, node: GraphNode, sent: tuple[Any, ...], received: tuple[Any, ...]) -> None:
        """The post-hook of a node: `received` is what it got after all hooks, `sent` what goes along each edge, reduced and cast."""
        now = time.perf_counter_ns()
        recorder = self._recorder
        with recorder.quiet():
            node.microseconds = (now - self._clock) / 1000
            if node.received is None:
                self._note_received(node, received)
            node.sent = [None if item is None else self._sent(node, slot, item) for slot, item in enumerate(sent)]
        assert self._running is not None
        self._running.order.append(node.key)
        recorder.report("backward", len(self._running.order), len(self._running.nodes))
        self._clock = time.perf_counter_ns()

    def _sent(self, node: GraphNode, slot: int, tensor: torch.Tensor) -> Note:
        note = self._recorder.values.note(tensor)
        following = node.next[slot] if slot < len(node.next) else None
        if following is not None:
            self._delivered[following] = None if following in self._delivered else (_mark(tensor), note)
        return note

    def _received(self, key: int, output: int, tensor: torch.Tensor) -> Note:
        """One contribution that arrives unchanged is the tensor that was sent: the engine holds it, so the same address means the same."""
        sent = self._delivered.get((key, output))
        if sent is not None and sent[0] is not None and sent[0] == _mark(tensor):
            return sent[1]
        return self._recorder.values.note(tensor)

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
                here.nodes[key].captured[edge.output_nr] = self._recorder.values.note(gradient)

    def _after_engine(self, here: Pass, leaves: dict[int, torch.Tensor], raws: list[tuple[SavedTensor, Callable[[], bool]]]) -> None:
        self._recorder.values.gradients = {id(tensor.grad) for tensor in leaves.values() if tensor.grad is not None}
        for row, tensor in leaves.items():
            here.leaves[row].after = None if tensor.grad is None else self._recorder.values.note(tensor.grad)
        for saved, freed in raws:
            if freed():
                saved.state = "freed"

    # -- updates

    def before_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        """An optimizer is about to change parameters: note those that took part in the pass. With a closure the pass is still to come."""
        here = self._recorder.open_pass
        if has_closure:
            self._closures[id(optimizer)] = optimizer
        elif here is not None and self._recorder.wants(here.number):
            with self._recorder.quiet():
                self._pending_steps[id(optimizer)] = [
                    (self._write(found[0], tensor, optimizer, group), tensor)
                    for group, settings in enumerate(optimizer.param_groups)
                    for tensor in settings["params"]
                    if (found := self._recorder.values.find(tensor)) is not None and found[0] in here.leaves
                ]

    def _write(self, row: int, tensor: torch.Tensor, optimizer: Optimizer | None, group: int | None) -> Write:
        """A change that is about to happen."""
        note = self._recorder.values.note
        before = note(tensor)
        gradient = None if tensor.grad is None else note(tensor.grad)
        settings = {} if optimizer is None or group is None else _settings(optimizer.param_groups[group])
        name = None if optimizer is None else type(optimizer).__name__
        return Write(row, name, group, before, gradient, before, {}, settings)

    def after_step(self, optimizer: Optimizer, has_closure: bool) -> None:
        """The step is done: note what became of them, and the optimizer's state."""
        here = self._recorder.open_pass
        entries = self._pending_steps.pop(id(optimizer), [])
        self._closures.pop(id(optimizer), None)
        if here is None:
            return
        with self._recorder.quiet():
            for write, tensor in entries:
                write.after = self._recorder.values.note(tensor)
                state = optimizer.state.get(tensor, {})
                write.state = {
                    str(name): self._recorder.values.note(value) for name, value in state.items() if isinstance(value, torch.Tensor)
                }
                if not has_closure:
                    here.writes.append(write)

    def forget_step(self, optimizer: Optimizer) -> None:
        """The step raised: what it did until then is not told."""
        self._pending_steps.pop(id(optimizer), None)
        self._closures.pop(id(optimizer), None)

    def writing(self, identity: int | None, tensor: torch.Tensor) -> Write | None:
        """A leaf is about to be changed by an op; an update if it took part in the pass that just ran."""
        here = self._recorder.open_pass
        found = self._recorder.values.find(tensor) if identity is not None else None
        if here is None or found is None or found[0] not in here.leaves or not self._recorder.wants(here.number):
            return None
        owner, group = next(self._owners(tensor), (None, None))
        name = None if owner is None else type(owner).__name__
        for write in here.writes:
            if write.row == found[0] and write.optimizer == name:
                return write
        with self._recorder.quiet():
            write = self._write(found[0], tensor, owner, group)
        here.writes.append(write)
        if owner is not None:
            self._pending_steps.setdefault(id(owner), []).append((write, tensor))
        return write

    def _owners(self, tensor: torch.Tensor) -> Iterator[tuple[Optimizer, int]]:
        """The optimizers with a closure that are stepping and have this parameter, with the number of its group."""
        for optimizer in self._closures.values():
            for group, settings in enumerate(optimizer.param_groups):
                if any(tensor is other for other in settings["params"]):
                    yield optimizer, group

    def written(self, write: Write, tensor: torch.Tensor) -> None:
        """The change by hand is done."""
        with self._recorder.quiet():
            write.after = self._recorder.values.note(tensor)


def _mark(tensor: torch.Tensor) -> tuple[Any, ...] | None:
    """What tells a tensor from others while it lives; None for one without an address of its own."""
    if not is_plain(tensor):
        return None
    try:
        return (tensor.data_ptr(), tensor._version, tuple(tensor.shape), tensor.stride(), tensor.dtype)
    except RuntimeError:
        return None


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    """The plain numbers of a parameter group."""
    found: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, torch.Tensor) and value.numel() == 1:
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            found[name] = value
        elif isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
            found[name] = list(value)
    return found
