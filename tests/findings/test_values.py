"""Memory that was asked for unfilled may hold anything, NaN too: that is no NaN of the program's until the loss has it."""

from __future__ import annotations

from dataclasses import replace

from explorer.findings import findings
from explorer.model import Trace
from tests.dummy import dummy_trace


def with_nan_in(trace: Trace, op: str, *, reaches_the_loss: bool) -> Trace:
    """The trace with a constant that `op` gave out as NaN; the loss has it too, or has not."""
    loss = next(node.id for node in trace.nodes if any(node.seeds))
    nodes = list(trace.nodes)
    made = next(node for node in nodes if node.kind == "constant" or not node.gradients[0])
    nodes[made.id] = replace(made, kind="constant", op=op, outputs=(replace(made.outputs[0], nans=1),))
    if reaches_the_loss:
        nodes[loss] = replace(nodes[loss], outputs=(replace(nodes[loss].outputs[0], nans=1),))
    return replace(trace, nodes=tuple(nodes), edges=tuple(edge for edge in trace.edges if edge.source != made.id))


def test_memory_that_is_not_filled_yet() -> None:
    """`new_empty` is blamed where its NaN reaches the loss, and only there; another op is blamed anyway."""
    trace = dummy_trace()
    found = {
        (op, reaches): [f.node for f in findings(with_nan_in(trace, op, reaches_the_loss=reaches)) if f.kind == "nan_forward"]
        for op in ("new_empty", "full")
        for reaches in (False, True)
    }
    assert found["new_empty", False] == []
    assert len(found["new_empty", True]) == len(found["full", False]) == 1
