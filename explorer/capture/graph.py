"""The grad_fn chain as it stands: walked, described, released.

The walk uses an explicit stack. Nodes are known by their own number, never by `id`; they are held from the start of the engine call to
its end and released root first, so that the destruction of a deep graph does not recurse through our wrappers.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.capture.notes import dtype_name, outline
from explorer.capture.rows import GraphNode, SavedTensor
from explorer.model import Note

_RAW = "_raw_saved_"
SHALLOW = 30_000  # nodes; the destruction of a deeper walked graph can overflow the stack of the user's own process
_NO_SEQUENCE = 2**64 - 1  # what AccumulateGrad answers


class Graph:
    """The nodes reachable from some roots, numbered in the order they were found."""

    def __init__(self, outputs: Iterable[Any], *, limit: int | None) -> None:
        self.nodes: list[Any] = []
        self.keys: dict[Any, int] = {}
        self.roots: list[tuple[int, int] | None] = []
        self.too_deep = False
        stack: list[Any] = []
        for output in outputs:
            edge = edge_of(output)
            self.roots.append(None if edge is None else (self._key(edge.node, stack), edge.output_nr))
        while stack:
            for following, _ in stack.pop().next_functions:
                if following is not None:
                    self._key(following, stack)
            if limit is not None and len(self.nodes) > limit:
                self.too_deep = True
                break

    def _key(self, node: Any, stack: list[Any]) -> int:
        key = self.keys.get(node)
        if key is None:
            key = self.keys[node] = len(self.nodes)
            self.nodes.append(node)
            stack.append(node)
        return key

    def release(self) -> None:
        """Let go of all nodes, those nearest the roots first, whatever else still holds them."""
        order = sorted(
            range(len(self.nodes)), key=lambda key: (sequence_of(self.nodes[key]) == _NO_SEQUENCE, -sequence_of(self.nodes[key]))
        )
        self.keys.clear()
        for key in order:
            self.nodes[key] = None
        self.nodes.clear()


def edge_of(output: Any) -> GradientEdge | None:
    """Where a tensor hangs in the graph; None for one that hangs in none, or in that of another level of torch.func."""
    if isinstance(output, GradientEdge):
        return output
    if not output.requires_grad:
        return None
    try:
        return get_gradient_edge(output)
    except AttributeError:  # a leaf of torch.func that an outer level looks at
        return None


def sequence_of(node: Any) -> int:
    """The number a node got when it was made, per thread."""
    return int(node._sequence_nr())


def describe(node: Any, key: int, keys: dict[Any, int]) -> GraphNode:
    """What stands on a node; gradients are added when the engine runs."""
    following = [
        None if other is None else (keys[other], number) for other, number in node.next_functions if other is None or other in keys
    ]
    name = node.name().removeprefix("torch::autograd::")
    outputs = [] if name == "AccumulateGrad" else [_metadata(item) for item in node._input_metadata]
    described = GraphNode(key, name, sequence_of(node), following, outputs)
    owner = getattr(node, "_forward_cls", None)
    if owner is not None:
        described.code = _backward_code(owner)
    return described


def _metadata(item: Any) -> Note:
    try:
        shape: tuple[int | str, ...] = tuple(int(size) if str(size).isdigit() else str(size) for size in item.shape)
    except RuntimeError:  # a strided nested tensor has no shape
        shape = ("*",)
    return Note(shape, dtype_name(item.dtype), str(item.device))


def _backward_code(owner: Any) -> str:
    for name in ("backward", "vjp"):
        method = getattr(owner, name, None)
        if method is not None and getattr(torch.autograd.Function, name, None) is not method:
            try:
                return inspect.cleandoc("\n" + inspect.getsource(method))
            except (OSError, TypeError):
                return f"{owner.__qualname__}.{name} (its source is not available)"
    return f"{owner.__qualname__}.backward"


def saved_of(node: Any, find: Callable[[torch.Tensor], tuple[int, int] | None]) -> list[tuple[SavedTensor, Callable[[], bool]]]:
    """What a node keeps, each with a question to ask later: was it freed? Nothing that the user's hooks packed is unpacked."""
    found: list[tuple[SavedTensor, Callable[[], bool]]] = []
    for attribute, name, raw in _raw_saved(node):
        if raw is None:
            found.append((SavedTensor(name, Note((), "unknown"), 0, None, "freed"), bool))
            continue
        data = raw.data
        state = _state(node, name, raw)
        if isinstance(data, torch.Tensor):
            place = find(data)
            saved = SavedTensor(name, outline(data), _bytes(data), place[0] if place else None, state)
            # torch empties lists of saved tensors, and what we hold of one of their entries then points nowhere: ask the node again
            found.append((saved, partial(_list_freed, node, attribute) if "[" in name else partial(_freed, raw)))
        elif data is None and state == "freed":
            found.append((SavedTensor(name, Note((), "unknown"), 0, None, "freed"), bool))
    return found


def _freed(raw: Any) -> bool:
    return raw.data is None


def _list_freed(node: Any, attribute: str) -> bool:
    try:
        return not getattr(node, attribute)
    except RuntimeError:
        return True


def _raw_saved(node: Any) -> Iterable[tuple[str, str, Any]]:
    """(attribute, name, SavedTensor) of all that a node keeps; None for a list that was freed."""
    kind = type(node)
    names = _SAVED_NAMES.get(kind)
    if names is None:
        names = [name for name in dir(node) if name.startswith(_RAW)]
        _SAVED_NAMES[kind] = names
    for attribute in names:
        name = attribute.removeprefix(_RAW)
        try:
            value = getattr(node, attribute)
        except RuntimeError:
            yield attribute, name, None
            continue
        if isinstance(value, list | tuple):
            yield from ((attribute, f"{name}[{index}]", item) for index, item in enumerate(value) if item is not None)
        elif value is not None:
            yield attribute, name, value


_SAVED_NAMES: weakref.WeakKeyDictionary[type, list[str]] = weakref.WeakKeyDictionary()


def _state(node: Any, name: str, raw: Any) -> str:
    """Reading a saved tensor is the one way to learn that it is stale or freed; done only where no hook of the user's unpacks it."""
    try:
        if raw.unpack_hook is not None:
            return "kept"
        if hasattr(node, f"_saved_{name}"):
            getattr(node, f"_saved_{name}")
        elif raw.data is None:
            raw.unpack()
    except RuntimeError as error:
        return "stale" if "modified by an inplace" in str(error) else "freed"
    return "kept"


def _bytes(tensor: torch.Tensor) -> int:
    try:
        return int(tensor.numel()) * tensor.element_size()
    except (RuntimeError, TypeError, ValueError):  # symbolic sizes
        return 0
