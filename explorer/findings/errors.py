"""What stopped a program, in plain words: torch's own messages, recognised by what is constant in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from explorer.findings.flow import Flow
from explorer.findings.wording import called, finding
from explorer.model import Finding, Node, Related, Source, Trace

__all__ = ["user_error"]

LONGEST = 300  # characters of an error's own message
# What an error's message has in it, and the variant that explains it; the first that fits counts.
KNOWN = (
    (r"leaf Variable that requires grad is being used in an in-place|view of a leaf Variable", "leaf_in_place"),
    (r"does not require grad and does not have a grad_fn", "no_graph"),
    (r"grad can be implicitly created only for scalar outputs", "not_scalar"),
    (r"Can't call numpy\(\) on Tensor that requires grad", "numpy"),
    (r"appears to not have been used in the graph", "unused"),
    (r"Only Tensors of floating point and complex dtype can require gradients|only Tensors of floating point", "integer_leaf"),
    (r"Inference tensors cannot be saved for backward|Inplace update to inference tensor", "inference"),
    (r"is a view and (is being|its base or another view of its base has been) modified in-?place", "view_in_place"),
    (r"[Oo]ut of memory|can't allocate memory|not enough memory", "memory"),
    (r"Expected all tensors to be on the same device|Input type .* and weight type .* should be the same", "device"),
    (r"expected scalar type|dtype to be|same dtype|not implemented for '|Expected .* to have .* dtype|expected m1 and m2", "dtype"),
    (r"shapes cannot be multiplied|must match the size of tensor|is invalid for input of size|Sizes of tensors must match", "shape"),
    (r"size mismatch|shape mismatch|Expected size|expected input.* to have \d+ channels|doesn't match the broadcast shape", "shape"),
    (r"index out of range|out of bounds|is out of range", "index"),
)  # fmt: skip
FREED = "Trying to backward through the graph a second time"


def user_error(trace: Trace, failed: int | None, error: str, source: Source | None, *, backwards: Sequence[Source | None] = ()) -> Finding:
    """The program raised; `failed` is the op that did, if one did. `backwards` are the lines that started the engine so far."""
    node = None if failed is None else trace.nodes[failed]
    if FREED in error:
        return _freed(trace, source, backwards)
    variant = next((variant for pattern, variant in KNOWN if re.search(pattern, error)), None)
    if variant is None and "NoneType" in error and source is not None and ".grad" in source.code:
        variant = "no_grad_yet"
    told = error if len(error) <= LONGEST else error[: LONGEST - 3] + "…"
    if variant is None:
        return finding("user_error", "error", node, source=source, error=told)
    if variant == "no_graph":
        return _no_graph(trace, source, told)
    return finding("user_error", "error", node, source=source, variant=variant, error=told, shapes=_shapes(trace, node))


def _freed(trace: Trace, source: Source | None, backwards: Sequence[Source | None]) -> Finding:
    """Backward over a graph whose saved tensors an earlier backward has let go."""
    asked = {edge.source for edge in trace.edges if edge.gradient is not None} | {node.id for node in trace.nodes if any(node.seeds)}
    stopped = [node for node in trace.nodes if node.id in asked and node.status == "not executed" and not node.is_leaf]
    freed = [node for node in stopped if any(saved.state == "freed" for saved in node.saved)]
    node = next(iter((freed or stopped)[-1:]), None)
    first = backwards[-2] if len(backwards) > 1 else None
    related = tuple(Related(role, place) for role, place in (("first backward", first), ("op", node.source if node else None)) if place)
    variant = "" if node is not None else "somewhere"
    return finding("freed_graph", "error", node, source=source, variant=variant, remedy="once" if variant else "", related=related)


def _no_graph(trace: Trace, source: Source | None, error: str) -> Finding:
    """Backward began at a tensor without a graph: the cut before it, or that nothing there requires a gradient."""
    root = _started_at(trace, source)
    reach = Flow(trace).leading_to([] if root is None else [root.id])
    fed = {edge.target for edge in trace.edges if trace.nodes[edge.source].status != "no gradient"}
    cut = next((trace.nodes[number] for number in sorted(reach, reverse=True) if number in fed and trace.nodes[number].reason), None)
    reason = cut.reason if cut is not None and cut.reason in ("detach", "no_grad", "inference_mode", "integer", "item") else "constant"
    related = (Related("cut", cut.source),) if cut is not None and cut.source is not None and reason != "constant" else ()
    node = cut or root
    return finding(
        "user_error", "error", node, name=called(node) if node else "", source=source, variant=f"no_graph.{reason}", related=related,
        error=error,
    )  # fmt: skip


def _started_at(trace: Trace, source: Source | None) -> Node | None:
    """The node that backward was called on: the one with the name before `.backward`, else the last op."""
    name = source.expression.partition(".backward")[0] if source is not None else ""
    named = [node for node in trace.nodes if name and name in node.names]
    ops = [node for node in trace.nodes if node.kind == "op"]
    return next(iter((named or ops)[-1:]), None)


def _shapes(trace: Trace, node: Node | None) -> str:
    """The shapes that a failed op was given, as far as they are known."""
    given = [] if node is None else [trace.nodes[edge.source].outputs[edge.output] for edge in trace.edges if edge.target == node.id]
    return ", ".join(f"[{', '.join(map(str, note.shape))}]" for note in given) or "?"
