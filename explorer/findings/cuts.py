"""Where the flow of gradients is cut, by the line that cuts, and the leaves that this starves.

A cut that leaves some leaf without any gradient is a warning. One that does not is an info: the value was taken as a constant, and what it
is computed from learns by another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from explorer.findings.copies import copies, exits, round_trips
from explorer.findings.flow import Flow, is_nonzero, is_zero
from explorer.findings.wording import Severity, called, finding, listed
from explorer.model import Finding, Node, Related

# Flat functions: autograd follows them, and what it sends back is zero.
FLAT = frozenset("round ceil floor trunc sign sgn heaviside round_ ceil_ floor_ trunc_ sign_ sgn_".split())
CASTS = frozenset({"_to_copy", "to"})
COMPARING = frozenset("gt ge lt le eq ne logical_not logical_and logical_or isnan isfinite isclose".split())
CONSTANT_REASONS = ("no_grad", "inference_mode")


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut at `node` of the value of `what`; `back` is where its numbers come back as a new tensor."""

    kind: str
    variant: str
    node: Node
    what: Node
    back: Node | None = None


def cuts(flow: Flow) -> Iterator[Finding]:
    """Each cut on the way to the loss, with the leaves that have no gradient because of it; parameters that lead nowhere."""
    found = _useful_cuts(flow)
    if flow.starved:
        for number, (node, what, back) in copies(flow).items():
            found.setdefault(number, Cut("detached", "number" if node.op == "item" else "copied", node, what, back))
        for number, (node, what, back) in exits(flow, set(found)).items():
            found.setdefault(number, Cut("detached", "left", node, what, back))
    for number, (node, what, back) in round_trips(flow).items():
        found.setdefault(number, Cut("detached", "round_trip", node, what, back))
    starving, ends = _blame(flow, found)
    yield from _cut_findings(flow, found, starving)
    yield from _ends(flow, ends)


def _useful_cuts(flow: Flow) -> dict[int, Cut]:
    """The nodes that cut off a value on its way to the loss."""
    found: dict[int, Cut] = {}
    nodes, into = flow.trace.nodes, flow.into
    for node in nodes:
        if node.status != "no gradient" or node.id not in flow.useful:
            continue
        kind = _kind(node)
        if kind is None:
            continue
        what = next((nodes[edge.source] for edge in into[node.id] if nodes[edge.source].status != "no gradient"), None)
        if what is not None:
            found[node.id] = Cut(*kind, node, what)
    return found


def _kind(node: Node) -> tuple[str, str] | None:
    if node.reason == "detach":
        return "detached", ""
    if node.reason in CONSTANT_REASONS:
        return "no_grad", ""
    if node.reason == "integer":
        return "integer_cut", "" if node.op in CASTS else "compared" if node.op in COMPARING else "chosen"
    return None


def _blame(flow: Flow, found: Mapping[int, Cut]) -> tuple[dict[int, list[Node]], dict[int, list[Node]]]:
    """Of each starved leaf the first cut behind it; of one without any, the op that its values end at. By cut and by end."""
    nodes, unreached = flow.trace.nodes, flow.unreached
    blame: dict[int, int] = {}
    end: dict[int, int] = {}
    for number in sorted(unreached, reverse=True):  # consumers come before producers
        if number in found:
            blame[number] = number
            continue
        behind = [target if target in found else blame.get(target, -1) for target in {edge.target for edge in flow.out_of[number]}]
        behind = [target for target in behind if target >= 0]
        if behind:
            blame[number] = min(behind)
        targets = [edge.target for edge in flow.out_of[number]]
        end[number] = max((end.get(target, target) for target in targets), default=number)
    starving: dict[int, list[Node]] = {}
    ends: dict[int, list[Node]] = {}
    for leaf in flow.starved:
        if leaf.id in blame:
            starving.setdefault(blame[leaf.id], []).append(leaf)
        elif nodes[leaf.id].kind in ("parameter", "input") and end[leaf.id] != leaf.id:
            ends.setdefault(end[leaf.id], []).append(leaf)
    return starving, ends


def _cut_findings(flow: Flow, found: Mapping[int, Cut], starving: Mapping[int, list[Node]]) -> Iterator[Finding]:
    lines: dict[tuple[object, ...], list[int]] = {}
    for number, cut in found.items():
        source = cut.node.source
        lines.setdefault((cut.kind, cut.variant, number if source is None else (source.file, source.line)), []).append(number)
    silent = [node for node in flow.trace.nodes if node.reason in CONSTANT_REASONS]
    for numbers in lines.values():
        guilty = [number for number in numbers if number in starving]
        cut = found[(guilty or numbers)[0]]
        leaves = [leaf for number in guilty for leaf in starving[number]]
        if leaves:
            yield _starving(flow, cut, leaves, len(silent))
        elif cut.kind == "detached" and cut.variant in ("", "round_trip"):
            yield finding("detached", "info", cut.node, name=called(cut.what), variant=cut.variant or "kept")
        elif cut.kind == "integer_cut" and not cut.variant:
            yield finding("integer_cut", "info", cut.node, name=called(cut.what), variant="kept")
    if silent and not any(found[number].kind == "no_grad" for number in starving):
        yield finding("no_grad", "info", silent[0], count=len(silent))


def _starving(flow: Flow, cut: Cut, leaves: list[Node], silent: int) -> Finding:
    missed = flow.are_missed(leaves) and not flow.is_by_library(cut.node)
    severity: Severity = "warning" if missed and cut.kind != "no_grad" else "info"
    starved = listed([called(leaf) for leaf in leaves])
    variant = cut.variant or ("starves" if cut.kind == "no_grad" else "")
    other = cut.back if cut.back is not None else cut.what if cut.variant == "copied" else None
    related = (Related("origin" if cut.back is None else "back", other.source),) if other is not None and other.source is not None else ()
    name = called(cut.node) if cut.variant == "copied" else called(cut.what)
    return finding(
        cut.kind, severity, cut.node, name=name, variant=variant, related=related,
        starved=starved, origin=called(cut.what), count=silent,
    )  # fmt: skip


def _ends(flow: Flow, ends: Mapping[int, list[Node]]) -> Iterator[Finding]:
    """Leaves that took part, and nothing of the loss is computed from them."""
    for number, leaves in ends.items():
        node = flow.trace.nodes[number]
        wanted = flow.are_missed(leaves) and not flow.is_by_library(node)
        variant = "read_out" if node.status == "no gradient" else "no_path"
        starved = listed([called(leaf) for leaf in leaves])
        yield finding(
            "unused_parameter", "warning" if wanted else "info", leaves[0], source=node.source, variant=variant, starved=starved,
            end=called(node),
        )  # fmt: skip


def flat(flow: Flow) -> Iterator[Finding]:
    """An op whose derivative is zero everywhere, and the leaves whose gradient is zero because of it."""
    ops = {node.id for node in flow.trace.nodes if node.op in FLAT and node.status == "executed" and any(map(is_nonzero, node.gradients))}
    if not ops or not flow.zeroed:
        return
    blame: dict[int, int] = {}
    for node in reversed(flow.trace.nodes):
        if node.id in ops:
            blame[node.id] = node.id
        elif node.gradients and is_zero(node.gradients[0]):
            behind = [blame[edge.target] for edge in flow.out_of[node.id] if edge.target in blame]
            if behind:
                blame[node.id] = min(behind)
    leaves: dict[int, list[Node]] = {}
    for leaf in flow.zeroed:
        if leaf.id in blame:
            leaves.setdefault(blame[leaf.id], []).append(leaf)
    for number, starved in sorted(leaves.items()):
        node = flow.trace.nodes[number]
        what = next((flow.trace.nodes[edge.source] for edge in flow.into[number]), node)
        yield finding(
            "integer_cut", "warning", node, name=called(what), variant="flat", starved=listed([called(leaf) for leaf in starved]),
            op=node.op or "",
        )  # fmt: skip
