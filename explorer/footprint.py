"""Trace -> Memory: what the graph keeps for its backward, and the gradients that are alive, after each step.

A node keeps its saved tensors from when its op has run until its backward has; a storage counts once, however many tensors lie in it.
Parameters, other leaves and buffers do not count: they are there without a graph. A gradient on its way counts from when it is sent until
the node it goes to has run, or, where several meet, as their sum; `.grad` of a leaf from then on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from explorer.model import Edge, Node, Note, Trace

__all__ = ["Memory", "amount", "bytes_of", "memory", "unit_of"]

UNITS = (("B", 1), ("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("TB", 10**12))

_BITS = {"bool": 8, "half": 16, "bfloat16": 16, "complex32": 32, "complex64": 64, "complex128": 128}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the end of each step, numbered as `explorer.steps` does, before the step lets go of what it used.

    `nodes` are the nodes of the steps (None where a step has none), `saved` what is kept for backward, `gradients` those on their way and
    in `.grad`. `unknown` counts saved tensors and contributions of which the size is not known: they are not in it.
    """

    nodes: tuple[int | None, ...]
    saved: tuple[int, ...]
    gradients: tuple[int, ...]
    unknown: int = 0

    @property
    def peak(self) -> int:
        """The place of the step at which most is held, the first of several; its number is one more."""
        return max(range(len(self.nodes)), key=lambda place: self.saved[place] + self.gradients[place])

    @property
    def most(self) -> int:
        """The bytes held at the peak."""
        return self.saved[self.peak] + self.gradients[self.peak]


def memory(trace: Trace) -> Memory | None:
    """The memory of each step; None where nothing is known of it: a structure alone, a recording of an earlier version, no backward."""
    if not trace.storages:
        return None
    walk = _Walk(trace)
    points = list(walk.steps())
    if not points:
        return None
    nodes, saved, gradients = zip(*points, strict=True)
    return Memory(nodes, saved, gradients, walk.unknown)


def bytes_of(note: Note) -> int:
    """The bytes of a dense tensor; 0 where a size is symbolic."""
    numel = note.numel
    return 0 if numel is None else (numel * _bits(note.dtype) + 7) // 8


def _bits(dtype: str) -> int:
    known = _BITS.get(dtype)
    if known is not None:
        return known
    digits = "".join(char if char.isdigit() else " " for char in dtype.partition("_")[0]).split()  # float8_e4m3fn
    return int(digits[0]) if digits else 0


def unit_of(size: int) -> tuple[str, int]:
    """The unit in which a number of bytes is easy to read, and its bytes."""
    return next((unit for unit in reversed(UNITS) if size >= unit[1]), UNITS[0])


def amount(size: int) -> str:
    """Bytes as people read them, with three figures: "21.4 GB"."""
    name, unit = unit_of(size)
    return f"{size} B" if unit == 1 else f"{size / unit:.3g} {name}" if size < 999.5 * unit else f"{size / unit:.0f} {name}"


class _Walk:
    """Goes through the steps and keeps count."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._kept: Counter[int] = Counter()  # saved tensors in each storage
        self._sent: Counter[int] = Counter()  # gradients on their way in each storage
        self._saved = self._flowing = 0  # bytes; what is saved and on its way as well counts as saved
        self._summed = self._held = 0  # bytes of gradients that met, and of `.grad`
        self._sums: dict[tuple[int, int], int] = {}  # output of a node -> bytes of the sum that waits there
        self._waiting: dict[tuple[int, int], int] = {}  # output of a node -> storage of the one contribution that waits there
        self._late: list[Edge] = []  # contributions of this step that are added to what waits
        self.unknown = 0

    def steps(self) -> Iterator[tuple[int | None, int, int]]:
        """Node, bytes saved and bytes of gradients of each step, in order."""
        trace = self._trace
        leaves = [node for node in trace.nodes if node.is_leaf]
        self._held = sum(bytes_of(leaf.accumulated.before) for leaf in leaves if leaf.accumulated and leaf.accumulated.before)
        if any(leaf.outputs for leaf in leaves):
            yield None, *self._now()
        for node in (trace.nodes[id] for id in trace.forward):
            if not node.is_leaf:
                self._keep(node)
                yield node.id, *self._now()
        incoming: dict[int, list[Edge]] = {}
        arrived_at: set[tuple[int, int]] = set()
        for edge in trace.edges:
            if edge.gradient is not None:
                incoming.setdefault(edge.target, []).append(edge)
                arrived_at.add((edge.source, edge.output))
        seeded = [(node, output, seed) for node in trace.nodes for output, seed in enumerate(node.seeds) if seed is not None]
        started = 0  # held to the end by the call of backward
        for node, output, seed in seeded:
            if node.received and (storage := node.received[output]) is not None and (node.id, output) not in arrived_at:
                self._hold(storage)
            else:
                started += bytes_of(seed)
        self._held += started
        if seeded:
            yield seeded[0][0].id, *self._now()
        for node in (trace.nodes[id] for id in trace.backward):
            if node.is_leaf:
                self._accumulate(node)
                yield node.id, *self._now()
                continue
            self._place_sums(node)
            for edge in incoming.pop(node.id, ()):
                self._send(edge)
            yield node.id, *self._now()
            self._finish(node)
        self._held -= started
        for update in trace.updates:
            yield update.node, *self._now()

    def _now(self) -> tuple[int, int]:
        return self._saved, self._flowing + self._summed + self._held

    # -- what is saved

    def _keep(self, node: Node) -> None:
        for saved in node.saved:
            if saved.storage is None:
                self.unknown += saved.dtype == "unknown"
                continue
            self._kept[saved.storage] += 1
            if self._kept[saved.storage] == 1:
                self._saved += self._trace.storages[saved.storage]

    def _free(self, node: Node) -> None:
        for saved in node.saved:
            storage = saved.storage
            if storage is None or saved.state != "freed" or not self._kept[storage]:
                continue
            self._kept[storage] -= 1
            if not self._kept[storage]:
                self._saved -= self._trace.storages[storage]
                if self._sent[storage]:
                    self._flowing += self._trace.storages[storage]

    # -- what flows

    def _send(self, edge: Edge) -> None:
        """A contribution is there; if another waits already where it goes, the two meet when the step ends."""
        if edge.storage is None:
            self.unknown += 1
            return
        self._hold(edge.storage)
        where = edge.source, edge.output
        if where in self._waiting or where in self._sums:
            self._late.append(edge)
        else:
            self._waiting[where] = edge.storage

    def _place_sums(self, node: Node) -> None:
        """A sum that a node sends on lies in memory of its own."""
        for output, storage in enumerate(node.received):
            if storage is not None and (node.id, output) in self._sums:
                self._summed -= self._sums.pop((node.id, output))
                self._hold(storage)
                self._waiting[node.id, output] = storage

    def _finish(self, node: Node) -> None:
        """The step ends: what met becomes one, and what the node received and kept is let go."""
        for edge in self._late:
            if edge.storage is not None and edge.gradient is not None:
                self._let_go(edge.storage)
                self._sum((edge.source, edge.output), bytes_of(edge.gradient))
        self._late.clear()
        self._receive(node)
        self._free(node)

    def _receive(self, node: Node) -> bool:
        """What waited for a node is no longer on its way; whether its size was known."""
        known = False
        for output in range(len(node.outputs)):
            storage = self._waiting.pop((node.id, output), None)
            if storage is not None:
                self._let_go(storage)
            known = known or storage is not None or (node.id, output) in self._sums
            self._summed -= self._sums.pop((node.id, output), 0)
        return known

    def _sum(self, where: tuple[int, int], size: int) -> None:
        storage = self._waiting.pop(where, None)
        if storage is not None:
            self._let_go(storage)
        self._summed += size - self._sums.get(where, 0)
        self._sums[where] = size

    def _accumulate(self, leaf: Node) -> None:
        """The gradient of a leaf becomes its `.grad`, or is added to it."""
        known = self._receive(leaf)
        if known and leaf.accumulated is not None and leaf.accumulated.before is None and leaf.accumulated.after is not None:
            self._held += bytes_of(leaf.accumulated.after)

    def _hold(self, storage: int) -> None:
        self._sent[storage] += 1
        if self._sent[storage] == 1 and not self._kept[storage]:
            self._flowing += self._trace.storages[storage]

    def _let_go(self, storage: int) -> None:
        self._sent[storage] -= 1
        if not self._sent[storage] and not self._kept[storage]:
            self._flowing -= self._trace.storages[storage]
