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
from explorer.capture.notes import device_name, dtype_name, shape_of, sizes_of
from explorer.capture.rows import GraphNode, Row, SavedTensor
from explorer.model import Note

_RAW = "_raw_saved_"
_Handle: Any = torch._C._autograd.SavedTensor
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
    return Note(shape, dtype_name(item.dtype), device_name(item.device))


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
    names = _SAVED_NAMES.get(type(node))
    if names is None:
        names = _SAVED_NAMES[type(node)] = [(name, name.removeprefix(_RAW)) for name in dir(node) if name.startswith(_RAW)]
    found: list[tuple[SavedTensor, Any]] = []
    empty: list[tuple[str, Any]] = []
    for attribute, name in names:
        try:
            raw = getattr(node, attribute)
        except RuntimeError:
            found.append((SavedTensor(name, (), "unknown", 0, None, "freed"), None))
            continue
        if type(raw) is _Handle:
            data = raw.data
            if data is None:
                empty.append((name, raw))
            elif isinstance(data, torch.Tensor):
                found.append((_saved(node, name, raw, data, find), raw))
        elif isinstance(raw, list | tuple):
            # torch empties lists of saved tensors, and what we hold of one of their entries then points nowhere: ask the node again
            for index, item in enumerate(raw):
                data = None if item is None else item.data
                if isinstance(data, torch.Tensor):
                    found.append((_saved(node, f"{name}[{index}]", item, data, find), (node, attribute)))
                elif item is not None:
                    empty.append((f"{name}[{index}]", item))
    if all(raw is None for _, raw in found):  # else those without data were never saved: torch frees all of a node's at once
        gone = [name for name, raw in empty if _state(node, name, raw, None) == "freed"]
        found += [(SavedTensor(name, (), "unknown", 0, None, "freed"), None) for name in gone]
    return found


def _saved(node: Any, name: str, raw: Any, data: torch.Tensor, find: Callable[[torch.Tensor], tuple[int, int] | None]) -> SavedTensor:
    place = find(data)
    return SavedTensor(
        name, shape_of(data), dtype_name(data.dtype), _bytes(data), place[0] if place else None, _state(node, name, raw, data)
    )


def is_freed(raw: Any) -> bool:
    """Whether a saved tensor, as `saved_of` told of it, is gone since."""
    if type(raw) is not tuple:
        return raw is None or raw.data is None
    node, attribute = raw
    try:
        return not getattr(node, attribute)
    except RuntimeError:
        return True


_SAVED_NAMES: weakref.WeakKeyDictionary[type, list[tuple[str, str]]] = weakref.WeakKeyDictionary()


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
