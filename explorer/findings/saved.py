"""Tensors saved for backward that were not there any more as they were."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.findings.flow import Flow
from explorer.findings.wording import called, finding
from explorer.model import Finding, Node, Related, Trace

# Ops whose result has the storage of what they were given.
VIEWS = frozenset(
    "view _unsafe_view reshape select slice t transpose permute unsqueeze squeeze expand alias as_strided diagonal narrow unfold detach "
    "split split_with_sizes chunk unbind view_as_real view_as_complex real imag _reshape_alias".split()
)


def stale_saved_tensor(flow: Flow) -> Iterator[Finding]:
    """Backward stopped at a node because a tensor that it had saved was changed in place; the line that changed it is to blame."""
    trace = flow.trace
    asked = {edge.source for edge in trace.edges if edge.gradient is not None} | {node.id for node in trace.nodes if any(node.seeds)}
    writers = _writers(trace)
    for node in trace.nodes:
        if node.status != "not executed" or node.reason == "captured" or node.id not in asked:
            continue
        saved = next((saved for saved in node.saved if saved.state == "stale"), None)
        if saved is None:
            continue
        saver = called(node)
        holder = saved.shared_with if saved.shared_with is not None else node.id if saved.name == "result" else None
        changed = None if holder is None else _changed_by(trace, holder, node, writers)
        related = () if changed is None or node.source is None else (Related("saved", node.source),)
        if changed is not None:
            yield finding("stale_saved_tensor", "error", changed, related=related, saver=saver, saved=saved.name)
        else:
            yield finding("stale_saved_tensor", "error", node, variant="elsewhere", saved=saved.name)


def _writers(trace: Trace) -> dict[int, int]:
    """Of each op that changes a tensor in place, by id: the node that made what it changed."""
    in_place = {node.id for node in trace.nodes if node.op is not None and node.op.endswith("_") and not node.op.endswith("__")}
    return {edge.target: edge.source for edge in trace.edges if edge.input == 0 and edge.target in in_place}


def _changed_by(trace: Trace, holder: int, saver: Node, writers: dict[int, int]) -> Node | None:
    """The first op after `saver` that changed the tensor which `holder` gives out, itself or through a view of it."""
    changed = None
    while holder in writers and holder > saver.id:
        changed, holder = trace.nodes[holder], writers[holder]
    if changed is not None:
        return changed
    same = {holder}  # what has the storage of what was saved
    for edge in trace.edges:  # by target
        target = trace.nodes[edge.target]
        if edge.source in same and edge.input == 0:
            if edge.target in writers and edge.target > saver.id:
                return target
            if target.op in VIEWS or edge.target in writers:
                same.add(edge.target)
    return None
