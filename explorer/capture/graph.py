"""The grad_fn chain as it stands: walked, described, released.

The walk uses an explicit stack. Nodes are known by their own number, never by `id`; they are held from the start of the engine call to
its end and released root first, so that the destruction of a deep graph does not recurse through our wrappers.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.capture.derivatives import names_for
from explorer.capture.notes import device_name, dtype_name, shape_of, sizes_of
from explorer.capture.rows import GraphNode, Row, SavedTensor
from explorer.capture.storages import NONE, Storages
from explorer.model import Note

_RAW = "_raw_saved_"
_Handle: Any = torch._C._autograd.SavedTensor
_PREFIX = "torch::autograd::"
SHALLOW = 30_000  # nodes; the destruction of a deeper walked graph can overflow the stack of the user's own process
_NO_SEQUENCE = 2**64 - 1  # what AccumulateGrad answers


_NOTHING: list[tuple[int, int] | None] = []


class Graph:
    """The nodes reachable from some roots, numbered in the order they were found."""

    def __init__(self, outputs: Iterable[Any], *, limit: int | None) -> None:
        self.nodes: list[Any] = []
        self.keys: dict[Any, int] = {}
        self.roots: list[tuple[int, int] | None] = []
        self.too_deep = False
        self.next: list[list[tuple[int, int] | None]] = []  # per node and slot: the node that follows, and which of its outputs
        nodes, keys, following = self.nodes, self.keys, self.next
        most = float("inf") if limit is None else limit
        stack: list[int] = []
        for output in outputs:
            edge = edge_of(output)
            if edge is not None and edge.node not in keys:
                keys[edge.node] = len(nodes)
                stack.append(len(nodes))
                nodes.append(edge.node)
                following.append(_NOTHING)
            self.roots.append(None if edge is None else (keys[edge.node], edge.output_nr))
        while stack:
            here = stack.pop()
            slots: list[tuple[int, int] | None] = []
            for node, number in nodes[here].next_functions:
                if node is None:
                    slots.append(None)
                    continue
                key = keys.get(node)
                if key is None:
                    key = keys[node] = len(nodes)
                    stack.append(key)
                    nodes.append(node)
                    following.append(_NOTHING)
                slots.append((key, number))
            if slots:
                following[here] = slots
            if len(nodes) > most:
                self.too_deep = True
                break

    def release(self) -> None:
        """Let go of all nodes, those nearest the roots first, whatever else still holds them."""
        numbers = [node._sequence_nr() for node in self.nodes]
        numbers = [-1 if number == _NO_SEQUENCE else number for number in numbers]
        order = sorted(range(len(numbers)), key=numbers.__getitem__, reverse=True)
        self.keys.clear()
        self.next = []
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


def describe(node: Any, key: int, following: list[tuple[int, int] | None], rows: Mapping[int, Row]) -> GraphNode:
    """What stands on a node; gradients are added when the engine runs. `rows` are ops by the sequence number of their node."""
    name, sequence = node.name(), node._sequence_nr()
    if name.startswith(_PREFIX):
        name = name[len(_PREFIX) :]
        if name == "AccumulateGrad":
            return GraphNode(key, name, sequence, following, [])
    row = rows.get(sequence)
    if row is not None and row.outputs and name in names_for(row.schema):
        return GraphNode(key, name, sequence, following, [], None, row.index)
    described = GraphNode(key, name, sequence, following, [_metadata(item) for item in node._input_metadata])
    owner = getattr(node, "_forward_cls", None)
    if owner is not None:
        described.code = _backward_code(owner)
    return described


def name_early(row: Row, tensor: torch.Tensor) -> None:
    """What the node of an op is called, while a tensor still shows it: backward may never reach it. Asking a view could remake it."""
    if row.kind == "op" and row.reason is None and row.autograd is None and tensor._base is None and tensor.grad_fn is not None:
        row.autograd = tensor.grad_fn.name().removeprefix("torch::autograd::")


def _metadata(item: Any) -> Note:
    """What a node says of one of its outputs; few are unlike all others, and equal ones are one object."""
    try:
        key = (*item.shape, item.dtype, item.device)
        return _METADATA[key]
    except KeyError:
        note = Note(sizes_of(key[:-2]), dtype_name(key[-2]), device_name(key[-1]))
    except TypeError:  # symbolic sizes
        return Note(sizes_of(item.shape), dtype_name(item.dtype), device_name(item.device))
    except RuntimeError:  # a strided nested tensor has no shape
        return Note(("*",), dtype_name(item.dtype), device_name(item.device))
    if len(_METADATA) >= MOST_METADATA:
        _METADATA.clear()
    return _METADATA.setdefault(key, note)


_METADATA: dict[Any, Note] = {}
MOST_METADATA = 1_000


def _backward_code(owner: Any) -> str:
    for name in ("backward", "vjp"):
        method = getattr(owner, name, None)
        if method is not None and getattr(torch.autograd.Function, name, None) is not method:
            try:
                return inspect.cleandoc("\n" + inspect.getsource(method))
            except (OSError, TypeError):
                return f"{owner.__qualname__}.{name} (its source is not available)"
    return f"{owner.__qualname__}.backward"


def saved_of(node: Any, described: GraphNode, values: Known, storages: Storages | None = None) -> tuple[list[SavedTensor], Any]:
    """What a node keeps, and what `is_freed` can be asked of it later. Nothing that the user's hooks packed is unpacked."""
    names = _SAVED_NAMES.get(type(node))
    if names is None:
        names = _saved_names(type(node))
    if not names:
        return _NONE_SAVED
    found: list[SavedTensor] = []
    empty: list[tuple[str, Any]] = []
    first, row = None, described.row
    for attribute, name in names:
        try:
            raw = getattr(node, attribute)
        except RuntimeError:
            found.append(SavedTensor(name, (), "unknown", 0, None, "freed"))
            continue
        if type(raw) is _Handle:
            data = raw.data
            if data is None:
                empty.append((name, raw))
            elif isinstance(data, torch.Tensor):
                sure = data._version == 0 or (row is not None and not values.changed_since(data, row))
                found.append(_saved(name, data, values, storages, "kept" if sure else _state(node, name, raw)))
                first = raw
        elif isinstance(raw, list | tuple):
            for index, item in enumerate(raw):
                data = None if item is None else item.data
                if isinstance(data, torch.Tensor):
                    found.append(_saved(f"{name}[{index}]", data, values, storages, _state(node, f"{name}[{index}]", item)))
                    # torch empties lists of saved tensors, and what we hold of one of their entries then points nowhere: ask the node
                    first = first or (node, attribute)
                elif item is not None:
                    empty.append((f"{name}[{index}]", item))
    if first is None:  # else those without data were never saved: torch frees all of a node's at once
        gone = [name for name, raw in empty if _state(node, name, raw) == "freed"]
        found += [SavedTensor(name, (), "unknown", 0, None, "freed") for name in gone]
    if described.code is not None:
        found += [_saved(name, tensor, values, storages, "kept") for name, tensor in _attributes(node)]
    return found, first


def _saved_names(kind: type) -> list[tuple[str, str]]:
    """The attributes by which nodes of a type tell what they keep, and the name of each. The types of Functions come and go: not held."""
    kind = BackwardCFunction if issubclass(kind, BackwardCFunction) else kind
    if kind not in _SAVED_NAMES:
        _SAVED_NAMES[kind] = [(name, name.removeprefix(_RAW)) for name in dir(kind) if name.startswith(_RAW)]
    return _SAVED_NAMES[kind]


_SAVED_NAMES: dict[type, list[tuple[str, str]]] = {}
_NONE_SAVED: tuple[list[SavedTensor], Any] = ([], None)


class Known(Protocol):
    """What is known of the tensors of a recording."""

    def find(self, tensor: torch.Tensor) -> tuple[int, int] | None: ...
    def shown(self, tensor: torch.Tensor) -> tuple[int, int] | None: ...
    def changed_since(self, tensor: torch.Tensor, row: int) -> bool: ...


def _saved(name: str, data: torch.Tensor, values: Known, storages: Storages | None, state: str) -> SavedTensor:
    shown = values.shown(data)
    storage = NONE if storages is None else storages.number(data)
    if shown is not None:  # the row's Note tells the rest, when a trace is made
        return SavedTensor(name, None, "", 0, shown[0], state, shown[1], storage)
    place = values.find(data)
    row = place[0] if place else None
    return SavedTensor(name, shape_of(data), dtype_name(data.dtype), _bytes(data), row, state, storage=storage)


def _attributes(context: Any) -> Iterable[tuple[str, torch.Tensor]]:
    """What a custom Function keeps as attributes of ctx, one by one and within lists, tuples and dicts; torch does not free it."""
    pending = [(f"ctx.{name}", value) for name, value in vars(context).items()]
    while pending:
        name, value = pending.pop(0)
        if isinstance(value, torch.Tensor):
            yield name, value
        elif type(value) in (list, tuple) and len(value) <= 100:
            pending = [(f"{name}[{index}]", item) for index, item in enumerate(value)] + pending
        elif type(value) is dict and len(value) <= 100:
            pending = [(f"{name}[{key!r}]", item) for key, item in value.items()] + pending


def is_freed(raw: Any) -> bool:
    """Whether what a node kept, as `saved_of` told of it, is gone since."""
    if type(raw) is not tuple:
        return bool(raw.data is None)
    node, attribute = raw
    try:
        return not getattr(node, attribute)
    except RuntimeError:
        return True


def is_spent(node: Any) -> bool:
    """Whether the engine has let go of what this node saved."""
    lost = False
    for attribute, name in _saved_names(type(node)):
        try:
            raw = getattr(node, attribute)
        except RuntimeError:
            return True
        if type(raw) is _Handle:
            if raw.data is not None:
                return False
            lost = lost or _state(node, name, raw) == "freed"
    return lost


def _state(node: Any, name: str, raw: Any) -> str:
    """Reading a saved tensor is the one way to learn that it is stale or freed; done only where no hook of the user's unpacks it."""
    try:
        if raw.unpack_hook is not None:
            return "kept"
        if hasattr(type(node), f"_saved_{name}"):
            getattr(node, f"_saved_{name}")
        elif raw.data is None:
            raw.unpack()
    except RuntimeError as error:
        return "stale" if "modified by an inplace" in str(error) else "freed"
    return "kept"


def _bytes(tensor: torch.Tensor) -> int:
    try:
        return int(tensor.nbytes)
    except (RuntimeError, TypeError, ValueError):  # symbolic sizes
        return 0
