"""The structure of a graph that already exists: what `explorer.trace(loss)` shows without running anything.

There is no record of the forward pass, so values are not known, except those of the leaves, which are still there to be read.
"""

from __future__ import annotations

import platform
from types import FrameType

import torch
from torch import nn

import explorer
from explorer.capture.assemble import assemble
from explorer.capture.frames import USER, Frames, variables
from explorer.capture.graph import SHALLOW, Graph, describe, saved_of
from explorer.capture.modules import Scopes, owners, parameters
from explorer.capture.notes import dtype_name, measure
from explorer.capture.rows import Circumstances, LeafGradient, Pass, Row
from explorer.errors import RequestError
from explorer.model import MadeWith, Trace

_held: list[Graph] = []  # graphs too deep to be destroyed safely: kept until the process ends


def structure(loss: torch.Tensor, *, frame: FrameType | None = None, deep: bool = False) -> Trace:
    """The graph behind `loss`; nodes have not been executed by us. Refuses more than 30,000 nodes unless `deep`."""
    if not loss.requires_grad:
        raise RequestError("running.no_graph_here")
    graph = Graph([loss], limit=None if deep else SHALLOW)
    if graph.too_deep:
        graph.release()
        raise RequestError("running.too_deep")
    rows: list[Row] = []
    leaves: list[tuple[int, torch.Tensor]] = []
    storages: dict[int, tuple[int, int]] = {}
    part = Pass(0, 0, 0)
    for node in graph.nodes:
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            kind = "parameter" if isinstance(variable, nn.Parameter) else "input"
            rows.append(Row(len(rows), kind, outputs=[measure(variable)], identity=len(rows)))
            leaves.append((rows[-1].index, variable))
            storages[variable.untyped_storage()._cdata] = (rows[-1].index, 0)
            part.leaves[rows[-1].index] = LeafGradient(*[None if variable.grad is None else measure(variable.grad)] * 2)
    by_variable = {id(variable): row for row, variable in leaves}
    for key, node in enumerate(graph.nodes):
        described = describe(node, key, graph.keys, {})
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            described.leaf = by_variable[id(variable)]
        else:
            described.saved = [saved for saved, _ in saved_of(node, lambda tensor: storages.get(tensor.untyped_storage()._cdata))]
        part.nodes.append(described)
    part.stop = len(rows)
    part.loss = measure(loss).item if loss.numel() == 1 else None
    scopes = _names(frame, graph, rows, leaves, part)
    if loss.is_leaf is False and graph.roots[0] is not None:
        root = part.nodes[graph.roots[0][0]]
        root.outputs[graph.roots[0][1]] = measure(loss)
    made = MadeWith(
        explorer.__version__,
        str(torch.__version__),
        platform.python_version(),
        str(loss.device),
        dtype_name(torch.get_default_dtype()),
        None,
    )
    trace = assemble(
        rows,
        part,
        owners(scopes, [(row, id(leaf)) for row, leaf in leaves]),
        Circumstances("loss", made, partial=False, passes=0, structure=True),
    )
    if deep and len(graph.nodes) > SHALLOW:
        _held.append(graph)
    else:
        graph.release()
    return trace


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
                        row.names.append(name)
                    elif row is None and value.requires_grad and not value.is_leaf and value.grad_fn in graph.keys:
                        node = part.nodes[graph.keys[value.grad_fn]]
                        node.names.append(name)
                        if value.output_nr < len(node.outputs):
                            node.outputs[value.output_nr] = measure(value)
        frame = frame.f_back
    return scopes
