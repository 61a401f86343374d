"""The user's hooks on tensors and on autograd nodes, by the names of their functions."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.hooks import RemovableHandle


class Hooks:
    """What is known of them in one recording.

    Torch numbers all hooks. Those on tensors are heard of when they are registered; that somebody has a pre-hook on a node shows only
    where we add our own, which costs much: it is looked for where there are numbers that are neither ours nor a tensor's.
    """

    def __init__(self) -> None:
        self.of_node: dict[int, list[tuple[str, Any]]] = {}  # sequence number of a node -> names of hooks on its output, their handles
        self._most = 1_000
        self._known = 0  # the number that torch gives to the next hook, as far as is known
        self._others = False

    def is_known(self) -> None:
        """All hooks registered until now are ours, or were looked for."""
        self._known = RemovableHandle.next_id

    def are_ours(self, count: int) -> None:
        """So many were just registered by us."""
        self._known += count

    def may_be_on_nodes(self) -> bool:
        """Whether hooks were registered that are neither ours nor on tensors."""
        self._others = self._others or RemovableHandle.next_id != self._known
        return self._others

    def registered(self, tensor: torch.Tensor, hook: Any, handle: Any) -> None:
        """The user registered a hook on a tensor that an op made; those of leaves are read from them when the engine runs."""
        self._known += 1
        node = tensor.grad_fn
        if node is not None:
            self.of_node.setdefault(node._sequence_nr(), []).append((name_of(hook), handle))
        if len(self.of_node) > self._most:  # a program that registers them on and on
            self.of_node = {number: hooks for number, hooks in self.of_node.items() if any(_is_active(handle) for _, handle in hooks)}
            self._most = 2 * len(self.of_node) + 1_000

    def on(self, sequence: int) -> list[str]:
        """The hooks on what the node of this sequence number gives out."""
        return [name for name, handle in self.of_node.get(sequence, ()) if _is_active(handle)]


def name_of(hook: Any) -> str:
    """What a hook is called in the user's source."""
    inner = getattr(hook, "func", hook)  # of a functools.partial
    return str(getattr(inner, "__name__", None) or type(inner).__name__)


def _is_active(handle: Any) -> bool:
    hooks = handle.hooks_dict_ref()
    return hooks is not None and handle.id in hooks
