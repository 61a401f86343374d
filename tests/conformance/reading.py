"""How the conformance tests read a trace: find a node, compare a note with a tensor, and check what must hold in every trace."""

from __future__ import annotations

import math
from collections import defaultdict

import torch

from explorer.model import Edge, Node, Note, Trace

__all__ = ["close", "edge", "edges_into", "edges_out", "named", "op", "ops", "same", "tensor", "whole"]


def named(trace: Trace, name: str) -> Node:
    """The one node that carries `name` among its names."""
    found = [node for node in trace.nodes if name in node.names]
    assert len(found) == 1, f"{name!r} names {[(n.id, n.op, n.names) for n in found]}, all names: {[n.names for n in trace.nodes]}"
    return found[0]


def ops(trace: Trace, *names: str) -> list[Node]:
    """All nodes of these aten names, in forward order."""
    return [node for node in trace.nodes if node.op in names]


def op(trace: Trace, *names: str) -> Node:
    """The one node of these aten names."""
    found = ops(trace, *names)
    assert len(found) == 1, f"{names} found {len(found)} times among {[n.op for n in trace.nodes]}"
    return found[0]


def edges_into(trace: Trace, node: Node) -> list[Edge]:
    """The edges that end at `node`, by input number."""
    return sorted((e for e in trace.edges if e.target == node.id), key=lambda e: (e.input, e.source, e.output))


def edges_out(trace: Trace, node: Node, *, output: int | None = None) -> list[Edge]:
    """The edges that begin at `node`, or at one output of it."""
    return [e for e in trace.edges if e.source == node.id and output in (None, e.output)]


def edge(trace: Trace, source: Node, target: Node) -> Edge:
    """The one edge from `source` to `target`."""
    found = [e for e in trace.edges if e.source == source.id and e.target == target.id]
    assert len(found) == 1, f"{len(found)} edges from {source.id} {source.op} {source.names} to {target.id} {target.op} {target.names}"
    return found[0]


def tensor(note: Note | None) -> torch.Tensor:
    """The noted values as a tensor of the noted type."""
    assert note is not None, "nothing was noted"
    assert note.values is not None, "no values were noted"
    return torch.tensor(note.values, dtype=getattr(torch, note.dtype)).reshape([int(size) for size in note.shape])


def same(note: Note | None, expected: torch.Tensor) -> None:
    """The note is of exactly this tensor, bit for bit (NaN equals NaN)."""
    _same_kind(note, expected)
    assert torch.equal(tensor(note).nan_to_num(nan=12345.0), expected.detach().nan_to_num(nan=12345.0)), f"{note} is not {expected}"


def close(note: Note | None, expected: torch.Tensor | float, *, rtol: float = 1e-6) -> None:
    """The note is of this tensor up to the rounding of float32."""
    expected = torch.as_tensor(expected, dtype=getattr(torch, note.dtype) if note is not None and not torch.is_tensor(expected) else None)
    _same_kind(note, expected)
    torch.testing.assert_close(tensor(note), expected.detach(), rtol=rtol, atol=1e-7)


def _same_kind(note: Note | None, expected: torch.Tensor) -> None:
    assert note is not None, f"nothing was noted where {expected} was expected"
    assert tuple(note.shape) == tuple(expected.shape), f"{note} has not the shape of {expected}"
    assert note.dtype == str(expected.dtype).removeprefix("torch."), f"{note} has not the type of {expected}"


def whole(trace: Trace) -> Trace:
    """`trace`, after `Trace.check()` and an own look at the same promises; for every trace in these tests."""
    trace.check()
    assert [node.id for node in trace.nodes] == list(range(len(trace.nodes)))
    assert all(e.source < e.target for e in trace.edges)
    assert len({(e.source, e.output, e.target, e.input) for e in trace.edges}) == len(trace.edges)
    assert len(set(trace.backward)) == len(trace.backward)
    assert list(trace.forward) == sorted(set(trace.forward))
    paths = {module.path for module in trace.modules}
    replaced = {finding.node for finding in trace.findings if finding.kind == "replaced_gradient"}
    for node in trace.nodes:
        assert len(node.outputs) == len(node.gradients) == len(node.seeds), node
        assert node.module == "" or node.module in paths, node
        assert (node.name is None and not node.names) or node.name == node.names[0], node
        assert (node.status == "executed") == (node.id in trace.backward), node
        if node.kind == "op" and node.status == "no gradient":
            assert node.reason is not None, node
            assert all(gradient is None for gradient in node.gradients), node
        if node.id not in replaced:
            _sums_hold(trace, node)
    return trace


def _sums_hold(trace: Trace, node: Node) -> None:
    """Seed plus contributions make the gradient, output by output, where all values were noted."""
    parts: dict[int, list[Note]] = defaultdict(list)
    for out in edges_out(trace, node):
        if out.gradient is not None:
            assert out.differentiable, out
            parts[out.output].append(out.gradient)
    for number, (gradient, seed) in enumerate(zip(node.gradients, node.seeds, strict=True)):
        if seed is not None:
            parts[number].append(seed)
        if node.status != "executed":
            continue
        if gradient is None:
            assert not parts[number], (node, number)
            continue
        assert parts[number], f"output {number} of {node} has a gradient that came from nowhere"
        if gradient.values is not None and "complex" not in gradient.dtype:
            total = sum(tensor(part).double() for part in parts[number])
            low = gradient.dtype in ("bfloat16", "float16")
            torch.testing.assert_close(total, tensor(gradient).double(), rtol=2e-2 if low else 1e-5, atol=1e-6, equal_nan=True)
        elif gradient.norm is not None and math.isfinite(gradient.norm) and len(parts[number]) == 1:
            assert math.isclose(parts[number][0].norm or 0.0, gradient.norm, rel_tol=1e-5, abs_tol=1e-12), (node, number)
