"""Verification while a program is recorded: every backward node run again, every gradient held against central differences.

A `Checker` works for one recorder and writes what it found into the `Pass`. The user's gradients, buffers and random state are those of
an unwatched run, bit for bit; all that is done here is done on copies, in no graph, unseen by the recorder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch

from explorer.capture.derivatives import followed_output
from explorer.capture.graph import Graph, edge_of
from explorer.capture.numeric import Subject, check_gradients
from explorer.capture.rerun import Rerun
from explorer.capture.rows import GraphNode, Pass
from explorer.capture.tape import Tape, Taped
from explorer.capture.verified import Verified
from explorer.model import MOST_VALUES, GradientCheck, NodeCheck

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder


SMALL_GRAPH = 200  # nodes; in a graph with no more of them the gradients of intermediates are checked as well


class Checker:
    """The verification of a recording, pass by pass. `mode` is the dispatch mode to record with."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._rerun: Rerun | None = None
        self._leaves_skipped: str | None = None  # why none of the gradients of this pass is to be checked
        self._tape = Tape()
        self.mode = Taped(recorder, self._tape)

    def begin(self, here: Pass, graph: Graph, leaves: dict[int, torch.Tensor]) -> list[Any]:
        """The engine is about to run: hook what is to be checked; the handles."""
        here.verified = Verified()
        self._leaves_skipped = reason = self._why_not()
        if reason is not None:
            here.verified.nodes = {node.key: NodeCheck(node.key, "skipped", None, reason) for node in here.nodes}
            return []
        self._rerun = Rerun(self._recorder, keep=MOST_VALUES if len(graph.nodes) <= SMALL_GRAPH else 0)
        return self._rerun.begin(here, graph, leaves)

    def nested(self) -> None:
        """A backward runs inside the running one."""
        if self._rerun is not None:
            self._rerun.nested += 1

    def captured(self, graph: Graph, wanted: Any, result: Any) -> None:
        """`autograd.grad` took these gradients out of the flow."""
        if self._rerun is None or not isinstance(result, tuple):
            return
        for one, gradient in zip(wanted, result, strict=False):
            edge = edge_of(one)
            key = None if edge is None else graph.keys.get(edge.node)
            if edge is not None and key is not None and isinstance(gradient, torch.Tensor):
                self._rerun.gradients[key, edge.output_nr] = gradient.detach().clone()

    def end(self, here: Pass, outputs: Any, args: tuple[Any, ...], leaves: dict[int, torch.Tensor], *, well: bool, keeps: bool) -> None:
        """The engine has ended, `well` or with an error; `keeps`: the graph is still there for another pass."""
        rerun, self._rerun = self._rerun, None
        try:
            if rerun is not None:
                here.verified = Verified(rerun.checks())
                rerun.close()
                if not well:
                    self._leaves_skipped = "failed"
                elif self._leaves_skipped is None:
                    with torch._C._DisableTorchDispatch():
                        here.verified.gradients = self._gradients(here, rerun, outputs, args, leaves)
            if self._leaves_skipped is not None and here.verified is not None:
                here.verified.gradients = list(_skipped(here, leaves, self._leaves_skipped))
        finally:
            if not keeps:
                self._tape.clear()

    def passed_over(self, *, keeps: bool) -> None:
        """A pass that nobody wants is over."""
        if not keeps:
            self._tape.clear()

    def _gradients(self, here: Pass, rerun: Rerun, outputs: Any, args: tuple[Any, ...], leaves: dict[int, torch.Tensor]) -> Any:
        seeds = args[0] if args else ()
        roots = [pair for pair in zip(outputs, seeds, strict=False) if isinstance(pair[0], torch.Tensor)]
        subjects = list(self._subjects(here, rerun, leaves))
        if len(args) < 4 or not args[3]:  # not of chosen inputs only
            subjects += self._forgotten(here, rerun, leaves)
        return check_gradients(self._tape, roots, subjects, progress=lambda done, total: self._recorder.report("checking", done, total))

    def _subjects(self, here: Pass, rerun: Rerun, leaves: dict[int, torch.Tensor]) -> Iterator[Subject]:
        flows = rerun.flows()
        hooks = _hooks_above(here, set(rerun.hooked()))
        by_row = {entry.row: entry for entry in self._tape.entries if entry.row is not None}
        for (key, output), gradient in sorted(rerun.gradients.items()):
            node = here.nodes[key]
            numbers, place = list[int](), output
            if node.leaf is not None:
                numbers = self._tape.leaves.get(id(leaves[node.leaf]), []) if node.leaf in leaves else []
            elif (
                node.row in by_row and (place := self._place(node, output)) < len(by_row[node.row].outputs) and not by_row[node.row].writes
            ):
                numbers = [by_row[node.row].outputs[place]]
            else:
                continue  # no op of its own gave this value: a custom Function, a change in place
            if gradient.layout is not torch.strided:
                gradient = gradient.to_dense()
            yield Subject(key, place, numbers, gradient, node.leaf is not None, flows.get(key, 0.0), ", ".join(hooks.get(key, ())))

    def _place(self, node: GraphNode, output: int) -> int:
        """The place among the results of its op, and on the tape, of an output of a node."""
        row = self._recorder.rows[node.row] if node.row is not None else None
        if row is None or (len(row.outputs) < 2 and not row.undefined):
            return output
        place = followed_output(node.name, output)
        return place - sum(missing < place for missing in row.undefined)

    def _forgotten(self, here: Pass, rerun: Rerun, leaves: dict[int, torch.Tensor]) -> Iterator[Subject]:
        """Leaves behind a custom Function of the user's that no gradient reached: its backward may have given None for what it read."""
        for key in sorted(_behind([node.key for node in here.nodes if node.code is not None and node.key in rerun.found], here)):
            leaf = here.nodes[key].leaf
            if leaf is not None and (key, 0) not in rerun.gradients and leaf in leaves:
                numbers = self._tape.leaves.get(id(leaves[leaf]), [])
                yield Subject(key, 0, numbers, torch.zeros_like(leaves[leaf]), leaf=True, missing=True)

    def _why_not(self) -> str | None:
        if self._recorder.device == "fake":
            return "fake"
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return "torch_func"
        return None


def _skipped(here: Pass, leaves: dict[int, torch.Tensor], reason: str) -> Iterator[GradientCheck]:
    """For each leaf that a gradient reached, that it was not checked."""
    for key in here.order:
        leaf = here.nodes[key].leaf
        if leaf is not None and leaf in leaves:
            shape = tuple(int(size) for size in leaves[leaf].shape)
            yield GradientCheck(key, None, shape, None, None, 0, None, None, "skipped", reason)


def _hooks_above(here: Pass, after_nodes: set[int]) -> dict[int, tuple[str, ...]]:
    """For each node the user's hooks that may have changed what it received, there or at nodes before it."""
    found: dict[int, dict[str, None]] = {}
    for node in here.nodes:
        names = [*node.hooks, *(["post-hook"] if node.key in after_nodes else [])]
        for key in _behind([node.key], here) if names else ():
            found.setdefault(key, {}).update(dict.fromkeys(names))
    return {key: tuple(names) for key, names in found.items()}


def _behind(keys: Iterable[int], here: Pass) -> set[int]:
    """These nodes, and those that gradients of theirs flow to."""
    pending = list(keys)
    seen = set(pending)
    while pending:
        for after in here.nodes[pending.pop()].next:
            if after is not None and after[0] not in seen:
                seen.add(after[0])
                pending.append(after[0])
    return seen
