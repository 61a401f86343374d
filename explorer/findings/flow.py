"""What findings ask of a trace again and again, worked out once: neighbours of nodes, what leads to the loss, which leaves are starved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from explorer.model import Edge, Node, Note, Source, Trace

__all__ = ["Evidence", "Flow", "Unused"]


@dataclass(frozen=True, slots=True)
class Unused:
    """A part of a called model whose parameters no op has read: its path, its class, their names.

    `skipped`: an optimizer that stepped after the pass holds some of them. `by_library`: it was a library's `forward` that left it out.
    """

    path: str
    class_name: str
    names: tuple[str, ...]
    skipped: bool = False
    by_library: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a recording saw around a pass, and the trace does not hold. `spent` and `skipped` are leaves, by node id.

    `spent` had a gradient when the pass began that had already served an update. `skipped` had none when an optimizer that holds them
    stepped after the pass. `followed`: another backward came before anything was updated. `has_optimizer`: the program has one.
    """

    spent: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()
    followed: bool = False
    has_optimizer: bool = False
    unused: tuple[Unused, ...] = ()
    backward: Source | None = None  # the line that started the engine


@dataclass
class Flow:
    """A trace with its edges by node."""

    trace: Trace
    evidence: Evidence = field(default_factory=Evidence)

    @cached_property
    def into(self) -> list[list[Edge]]:
        """The edges into each node."""
        found: list[list[Edge]] = [[] for _ in self.trace.nodes]
        for edge in self.trace.edges:
            found[edge.target].append(edge)
        return found

    @cached_property
    def out_of(self) -> list[list[Edge]]:
        """The edges out of each node."""
        found: list[list[Edge]] = [[] for _ in self.trace.nodes]
        for edge in self.trace.edges:
            found[edge.source].append(edge)
        return found

    @cached_property
    def seeded(self) -> list[int]:
        """The nodes that backward started from."""
        return [node.id for node in self.trace.nodes if any(seed is not None for seed in node.seeds)]

    @cached_property
    def useful(self) -> set[int]:
        """Nodes from which a value flows, by any edge, into a node that backward started from."""
        return self.leading_to(self.seeded)

    def leading_to(self, ends: Iterable[int]) -> set[int]:
        """`ends`, and all nodes from which a value flows to one of them."""
        reach = set(ends)
        pending = list(reach)
        into = self.into
        while pending:
            for edge in into[pending.pop()]:
                if edge.source not in reach:
                    reach.add(edge.source)
                    pending.append(edge.source)
        return reach

    @cached_property
    def unreached(self) -> set[int]:
        """Nodes that autograd could follow, and that no path of its own leads to from where backward started."""
        return {node.id for node in self.trace.nodes if node.status == "not executed" and node.reason == "not reached"}

    @cached_property
    def starved(self) -> list[Node]:
        """Leaves that want a gradient and that backward did not reach."""
        return [self.trace.nodes[number] for number in sorted(self.unreached) if self.trace.nodes[number].is_leaf] if self.seeded else []

    @cached_property
    def zeroed(self) -> list[Node]:
        """Leaves whose gradient is zero in every element."""
        return [node for node in self.trace.nodes if node.is_leaf and node.gradients and is_zero(node.gradients[0])]

    def is_by_library(self, node: Node) -> bool:
        """Whether the op was called in a library's code, and not in the program's own."""
        return node.source is not None and bool(self.trace.sources) and node.source.file not in self.trace.sources

    def is_missed(self, *, skipped: bool) -> bool:
        """Whether leaves without a gradient were meant to have one in this very pass: the update that came after it tells.

        An optimizer that stepped and does not hold them (that of a discriminator, say) speaks against it, and so does a second backward
        before any update, which may be theirs. `skipped`: an optimizer that stepped after the pass does hold some of them.
        """
        if any(update.optimizer is not None for update in self.trace.updates):
            return skipped
        return bool(self.trace.updates) or not self.evidence.followed

    def are_missed(self, leaves: Iterable[Node]) -> bool:
        """The same of leaves that took part."""
        return self.is_missed(skipped=not self.evidence.skipped.isdisjoint(leaf.id for leaf in leaves))


def is_zero(note: Note | None) -> bool:
    """Whether all elements are known to be exactly zero."""
    return note is not None and note.zeros is not None and note.zeros > 0 and note.zeros == note.numel


def is_nonzero(note: Note | None) -> bool:
    """Whether some element is known to be another number than zero."""
    return note is not None and note.zeros is not None and note.numel is not None and note.zeros < note.numel
