"""The structure of a graph that already exists: what `explorer.trace(loss)` shows without running anything.

There is no record of the forward pass, so values are not known, except those of the leaves and of tensors that variables hold, which are
still there to be read. Nothing has to be joined or ordered either: sequence numbers tell in which order the nodes were made.
"""

from __future__ import annotations

import gc
import platform
from dataclasses import replace
from types import FrameType

import torch
from torch import nn

import explorer
from explorer.capture.assemble import assemble
from explorer.capture.derivatives import formula_of
from explorer.capture.frames import USER, Frames, variables
from explorer.capture.graph import SHALLOW, Graph, describe, saved_of
from explorer.capture.modules import Scopes, owners, parameters
from explorer.capture.notes import dtype_name, measure, scalar
from explorer.capture.places import storage_of
from explorer.capture.rows import Circumstances, GraphNode, LeafGradient, Owners, Pass, Row
from explorer.errors import RequestError
from explorer.findings import findings
from explorer.model import Accumulated, Edge, Finding, Formula, MadeWith, Node, Saved, Time, Trace

_held: list[Graph] = []  # graphs too deep to be destroyed safely: kept until the process ends
_UNTIMED = Time()
_NONE = (None,)


def structure(loss: torch.Tensor, *, frame: FrameType | None = None, deep: bool = False) -> Trace:
    """The graph behind `loss`; nodes have not been executed by us. Refuses more than 30,000 nodes unless `deep`."""
    if not loss.requires_grad:
        raise RequestError("running.no_graph_here")
    collecting = gc.isenabled()
    gc.disable()  # much is made and nothing let go: looking for garbage would take half of the time
    try:
        graph = Graph([loss], limit=None if deep else SHALLOW)
        if graph.too_deep:
            graph.release()
            raise RequestError("running.too_deep")
        trace = _read(graph, loss, frame)
        if deep and len(graph.nodes) > SHALLOW:
            _held.append(graph)
        else:
            graph.release()
        return trace
    finally:
        if collecting:
            gc.enable()


def _read(graph: Graph, loss: torch.Tensor, frame: FrameType | None) -> Trace:
    rows: list[Row] = []
    leaves: list[tuple[int, torch.Tensor]] = []
    storages: dict[int, tuple[int, int]] = {}
    part = Pass(0, 0, 0)
    for key, node in enumerate(graph.nodes):
        described = describe(node, key, graph.next[key], {})
        if described.name == "AccumulateGrad":
            variable = node.variable
            described.leaf = len(rows)
            kind = "parameter" if isinstance(variable, nn.Parameter) else "input"
            rows.append(Row(described.leaf, kind, outputs=[measure(variable)], identity=described.leaf))
            leaves.append((described.leaf, variable))
            storages[storage_of(variable)] = (described.leaf, 0)
            part.leaves[described.leaf] = LeafGradient(*[None if variable.grad is None else measure(variable.grad)] * 2)
        part.nodes.append(described)
    known = _Leaves(storages)
    for node, described in zip(graph.nodes, part.nodes, strict=True):
        if described.leaf is None:
            described.saved, _ = saved_of(node, described, known)
    part.stop = len(rows)
    part.loss = scalar(loss) if loss.numel() == 1 else None
    scopes = _names(frame, graph, rows, leaves, part)
    if loss.is_leaf is False and graph.roots[0] is not None:
        root = part.nodes[graph.roots[0][0]]
        root.outputs[graph.roots[0][1]] = measure(loss)
    dtype = dtype_name(torch.get_default_dtype())
    made = MadeWith(explorer.__version__, str(torch.__version__), platform.python_version(), str(loss.device), dtype, None)
    owned = owners(scopes, [(row, id(leaf)) for row, leaf in leaves])
    about = Circumstances("loss", made, partial=False, passes=0, structure=True)
    return _in_sequence(rows, part, owned, about) or assemble(rows, part, owned, about)


class _Leaves:
    """What is known of tensors without a recording: whether they lie in a leaf's storage."""

    def __init__(self, storages: dict[int, tuple[int, int]]) -> None:
        self._storages = storages

    def find(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        return self._storages.get(storage_of(tensor))

    def shown(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        return None

    def changed_since(self, tensor: torch.Tensor, row: int) -> bool:
        return True


def _in_sequence(rows: list[Row], part: Pass, owned: Owners, about: Circumstances) -> Trace | None:
    """The trace: leaves, then the other nodes as they were made; None where that is not an order of the graph (several threads made it)."""
    ops = sorted((node for node in part.nodes if node.leaf is None), key=lambda node: node.sequence)
    ids = [0 if node.leaf is None else node.leaf for node in part.nodes]
    for number, node in enumerate(ops, len(rows)):
        ids[node.key] = number
    nodes, edges, leaves = [_leaf(row, part, owned) for row in rows], [], len(rows)
    for number, node in enumerate(ops, leaves):
        count = 0
        for following in node.next:
            if following is None:
                continue
            source = ids[following[0]]
            if source >= number:
                return None
            edges.append(Edge(source, following[1] if source >= leaves else 0, number, count, None, True))
            count += 1
        nodes.append(_op(node, number))
    trace = Trace(
        title=about.title,
        partial=False,
        number=0,
        passes=0,
        made_with=about.made_with,
        loss=part.loss,
        modules=owned.modules,
        nodes=tuple(nodes),
        edges=tuple(edges),
        forward=tuple(range(len(rows), len(nodes))),
        backward=(),
    )
    return replace(trace, findings=_found(trace, len(rows)))


def _leaf(row: Row, part: Pass, owned: Owners) -> Node:
    owner, names = owned.leaves.get(row.index, (row.kind, ()))
    names = (*names, *sorted((name for name in row.names if name not in names), key=lambda name: "[" in name))
    gradient = part.leaves[row.index].before
    return Node(
        id=row.index,
        kind="parameter" if owner == "parameter" else row.kind,  # type: ignore[arg-type]
        name=names[0] if names else None,
        names=names,
        op=None,
        autograd="AccumulateGrad",
        module="",
        source=None,
        outputs=tuple(row.outputs),
        gradients=(None,),
        seeds=(None,),
        accumulated=Accumulated(gradient, gradient),
        status="not executed",
        reason=None,
        saved=(),
        formula=formula_of("AccumulateGrad"),
    )


def _op(node: GraphNode, number: int) -> Node:
    names = tuple(sorted(node.names, key=lambda name: "[" in name)) if node.names else ()
    nothing = _NONE if len(node.outputs) == 1 else (None,) * len(node.outputs)
    saved = tuple([Saved(item.name, item.shape, item.dtype, item.bytes, item.row, item.state) for item in node.saved]) if node.saved else ()  # type: ignore[arg-type]
    formula = formula_of(node.name) if node.code is None else Formula(node.code, "user code")
    return Node(
        id=number,
        kind="op",
        name=names[0] if names else None,
        names=names,
        op=None if node.code is None else node.name.removesuffix("Backward"),
        autograd=node.name,
        module="",
        source=None,
        outputs=tuple(node.outputs),
        gradients=nothing,
        seeds=nothing,
        accumulated=None,
        status="not executed",
        reason=None,
        saved=saved,
        formula=formula,
        time=_UNTIMED,
        hooks=(),
    )


def _found(trace: Trace, leaves: int) -> tuple[Finding, ...]:
    """What the trace shows. Unless something bad is known of some value, only leaves can have anything to show."""
    bad = any(note.nans or note.infs for node in trace.nodes for note in node.outputs)
    return findings(trace if bad else replace(trace, nodes=trace.nodes[:leaves], edges=()))


def _names(frame: FrameType | None, graph: Graph, rows: list[Row], leaves: list[tuple[int, torch.Tensor]], part: Pass) -> Scopes:
    """Names from the variables of the caller's frames: leaves by themselves, other nodes by the tensors that hold them."""
    scopes = Scopes()
    kinds = Frames(".", harvest=lambda frame: None)
    by_tensor = {id(tensor): rows[row] for row, tensor in leaves}
    while frame is not None:
        if kinds.kind(frame.f_code) is USER:
            for name, value in variables(frame):
                if isinstance(value, nn.Module):
                    scopes.hold(name, value)
                    if any(id(parameter) in by_tensor for _, parameter in parameters(value)):
                        scopes.enter(value)
                        scopes.leave(value)
                elif isinstance(value, torch.Tensor):
                    row = by_tensor.get(id(value))
                    if row is not None and name not in row.names:
                        row.names = (*row.names, name)
                    elif row is None and value.requires_grad and not value.is_leaf and value.grad_fn in graph.keys:
                        node = part.nodes[graph.keys[value.grad_fn]]
                        node.names = (*node.names, name)
                        if value.output_nr < len(node.outputs):
                            node.outputs[value.output_nr] = measure(value)
        frame = frame.f_back
    return scopes
