"""The grad_fn chain as it stands: walked, described, released.

The walk uses an explicit stack. Nodes are known by their own number, never by `id`; they are held from the start of the engine call to
its end and released root first, so that the destruction of a deep graph does not recurse through our wrappers.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.capture.derivatives import names_for
from explorer.capture.notes import device_name, dtype_name, fresh_note, shape_of, sizes_of
from explorer.capture.rows import GraphNode, Row, SavedTensor
from explorer.model import Note

_RAW = "_raw_saved_"
_PREFIX = "torch::autograd::"
SHALLOW = 30_000  # nodes; the destruction of a deeper walked graph can overflow the stack of the user's own process
_NO_SEQUENCE = 2**64 - 1  # what AccumulateGrad answers


class Graph:
    """The nodes reachable from some roots, numbered in the order they were found."""

    def __init__(self, outputs: Iterable[Any], *, limit: int | None) -> None:
        self.nodes: list[Any] = []
        self.keys: dict[Any, int] = {}
        self.roots: list[tuple[int, int] | None] = []
        self.too_deep = False
        nodes, keys = self.nodes, self.keys
        most = float("inf") if limit is None else limit
        stack: list[Any] = []
        for output in outputs:
            edge = edge_of(output)
            if edge is not None and edge.node not in keys:
                keys[edge.node] = len(nodes)
                nodes.append(edge.node)
                stack.append(edge.node)
            self.roots.append(None if edge is None else (keys[edge.node], edge.output_nr))
        while stack:
            for following, _ in stack.pop().next_functions:
                if following is not None and following not in keys:
                    keys[following] = len(nodes)
                    nodes.append(following)
                    stack.append(following)
            if len(nodes) > most:
                self.too_deep = True
                break

    def release(self) -> None:
        """Let go of all nodes, those nearest the roots first, whatever else still holds them."""
        numbers = [node._sequence_nr() for node in self.nodes]
        order = sorted(range(len(self.nodes)), key=lambda key: -1 if numbers[key] == _NO_SEQUENCE else numbers[key], reverse=True)
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


def describe(node: Any, key: int, keys: dict[Any, int], rows: Mapping[int, Row]) -> GraphNode:
    """What stands on a node; gradients are added when the engine runs. `rows` are ops by the sequence number of their node."""
    following = [
        None if other is None else (keys[other], number) for other, number in node.next_functions if other is None or other in keys
    ]
    name, sequence = node.name(), node._sequence_nr()
    if name.startswith(_PREFIX):
        name = name[len(_PREFIX) :]
        if name == "AccumulateGrad":
            return GraphNode(key, name, sequence, following, [])
    metadata = node._input_metadata
    row = rows.get(sequence)
    known = row is not None and len(metadata) <= len(row.outputs) and name in names_for(row.schema)
    described = GraphNode(key, name, sequence, following, [] if known else [_metadata(item) for item in metadata])
    if not known:
        owner = getattr(node, "_forward_cls", None)
        if owner is not None:
            described.code = _backward_code(owner)
    return described


def _metadata(item: Any) -> Note:
    try:
        shape: tuple[int | str, ...] = sizes_of(item.shape)
    except RuntimeError:  # a strided nested tensor has no shape
        shape = ("*",)
    return fresh_note(shape, dtype_name(item.dtype), device_name(item.device))


def _backward_code(owner: Any) -> str:
    for name in ("backward", "vjp"):
        method = getattr(owner, name, None)
        if method is not None and getattr(torch.autograd.Function, name, None) is not method:
            try:
                return inspect.cleandoc("\n" + inspect.getsource(method))
            except (OSError, TypeError):
                return f"{owner.__qualname__}.{name} (its source is not available)"
    return f"{owner.__qualname__}.backward"


def saved_of(node: Any, find: Callable[[torch.Tensor], tuple[int, int] | None]) -> list[tuple[SavedTensor, Any]]:
    """What a node keeps, each with what `is_freed` can be asked later. Nothing that the user's hooks packed is unpacked."""
    found: list[tuple[SavedTensor, Any]] = []
    for attribute, name, raw in _raw_saved(node):
        if raw is None:
            found.append((SavedTensor(name, (), "unknown", 0, None, "freed"), None))
            continue
        data = raw.data
        if isinstance(data, torch.Tensor):
            place = find(data)
            shape = shape_of(data)
            saved = SavedTensor(
                name, shape, dtype_name(data.dtype), _bytes(data), place[0] if place else None, _state(node, name, raw, data)
            )
            # torch empties lists of saved tensors, and what we hold of one of their entries then points nowhere: ask the node again
            found.append((saved, (node, attribute) if "[" in name else raw))
        elif data is None and _state(node, name, raw, data) == "freed":
            found.append((SavedTensor(name, (), "unknown", 0, None, "freed"), None))
    return found


def is_freed(raw: Any) -> bool:
    """Whether a saved tensor, as `saved_of` told of it, is gone since."""
    if type(raw) is not tuple:
        return raw is None or raw.data is None
    node, attribute = raw
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


def _state(node: Any, name: str, raw: Any, data: Any) -> str:
    """Reading a saved tensor is the one way to learn that it is stale or freed; done only where no hook of the user's unpacks it."""
    try:
        if data is not None and data._version == 0:  # nothing was written to it since it was made
            return "kept"
        if raw.unpack_hook is not None:
            return "kept"
        if hasattr(node, f"_saved_{name}"):
            getattr(node, f"_saved_{name}")
        elif data is None:
            raw.unpack()
    except RuntimeError as error:
        return "stale" if "modified by an inplace" in str(error) else "freed"
    return "kept"


def _bytes(tensor: torch.Tensor) -> int:
    try:
        return int(tensor.nbytes)
    except (RuntimeError, TypeError, ValueError):  # symbolic sizes
        return 0
