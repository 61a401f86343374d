"""Trace → Findings: what a person should know about a pass, one small function a kind.

What needs only the trace is found by `findings`; what only the recording knew (an error of the program, outputs without a graph) is made
by the functions after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from explorer.model import Edge, Finding, Node, Note, Related, Source, Trace
from explorer.sums import misfits
from explorer.text import LANGUAGES, say

Severity = Literal["error", "warning", "info"]


def findings(trace: Trace) -> tuple[Finding, ...]:
    """All findings that the trace itself shows, errors first."""
    found = [finding for find in KINDS for finding in find(trace)]
    return tuple(sorted(found, key=lambda finding: ("error", "warning", "info").index(finding.severity)))


def finding(
    kind: str,
    severity: Severity,
    node: Node | None,
    *,
    name: str | None = None,
    source: Source | None = None,
    variant: str = "",
    related: tuple[Related, ...] = (),
    **values: object,
) -> Finding:
    """A finding whose sentences stand in the table under its kind, and `variant` where a kind has several."""
    key = f"finding.{kind}.{variant}" if variant else f"finding.{kind}"
    return Finding(
        kind=kind,
        severity=severity,
        node=None if node is None else node.id,
        name=name if name is not None else None if node is None else called(node),
        source=source if source is not None else None if node is None else node.source,
        related=related,
        message={
            language: say(key, language, name=name or (called(node) if node else ""), **_worded(values, language)) for language in LANGUAGES
        },
        remedy={language: say(f"{key}.remedy", language) for language in LANGUAGES},
    )


def _worded(values: dict[str, object], language: str) -> dict[str, object]:
    return {key: say(value[1:], language) if isinstance(value, str) and value.startswith("@") else value for key, value in values.items()}


def called(node: Node) -> str:
    """What a sentence calls a node."""
    return node.name or (node.source.expression if node.source and len(node.source.expression) <= 40 else None) or node.op or node.kind


# -- what the trace shows


def replaced_gradient(trace: Trace) -> Iterator[Finding]:
    """The gradient a node received is not the sum of what was sent to it; the hooks that saw it on the way are named."""
    for number in sorted({node for node, _ in misfits(trace)}):
        node = trace.nodes[number]
        variant = {0: "", 1: "by_hook"}.get(len(node.hooks), "by_hooks")
        yield finding("replaced_gradient", "warning", node, variant=variant, hooks=", ".join(node.hooks))


def averaged_gradient(trace: Trace) -> Iterator[Finding]:
    """Under DistributedDataParallel `.grad` holds the average over all processes, beside what this process brought."""
    if not any(module.class_name == "DistributedDataParallel" for module in trace.modules):
        return
    averaged = [node for node in trace.nodes if node.kind == "parameter" and _is_another(node)]
    if averaged:
        yield finding("averaged_gradient", "info", averaged[0], count=len(averaged))


def _is_another(leaf: Node) -> bool:
    """Whether `.grad`, empty before the pass, holds another gradient after it than the leaf received."""
    brought, accumulated = leaf.gradients[0], leaf.accumulated
    if brought is None or accumulated is None or accumulated.before is not None or accumulated.after is None:
        return False
    after = accumulated.after
    return (after.min, after.max, after.mean, after.norm, after.values) != (
        brought.min, brought.max, brought.mean, brought.norm, brought.values
    )  # fmt: skip


def stale_saved_tensor(trace: Trace) -> Iterator[Finding]:
    """Backward stopped at a node because a tensor that it had saved was changed in place; the line that changed it is to blame."""
    asked = {edge.source for edge in trace.edges if edge.gradient is not None} | {node.id for node in trace.nodes if any(node.seeds)}
    writers = _writers(trace)
    for node in trace.nodes:
        if node.status != "not executed" or node.reason == "captured" or node.id not in asked:
            continue
        saved = next((saved for saved in node.saved if saved.state == "stale"), None)
        if saved is None:
            continue
        saver = called(node)
        changed = None if saved.shared_with is None else _changed_by(trace, saved.shared_with, node, writers)
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
    """The first op after `saver` that changed the tensor which `holder` now gives out."""
    changed = None
    while holder in writers and holder > saver.id:
        changed, holder = trace.nodes[holder], writers[holder]
    return changed


def accumulated_gradient(trace: Trace) -> Iterator[Finding]:
    """A leaf had a gradient before the pass, and this pass added to it."""
    for node in trace.nodes:
        before = node.accumulated.before if node.accumulated else None
        if before is not None and node.status == "executed" and (before.norm is None or before.norm != 0):
            yield finding("accumulated_gradient", "warning", node)


def detached(trace: Trace) -> Iterator[Finding]:
    """A value that could carry a gradient is detached on its way to something that backward started from."""
    yield from _cuts(trace, "detached", lambda node: node.reason == "detach")


def integer_cut(trace: Trace) -> Iterator[Finding]:
    """A value that could carry a gradient is cast to integers and still reaches the loss; a mask made by comparing is no cast."""
    yield from _cuts(trace, "integer_cut", lambda node: node.reason == "integer" and node.op == "_to_copy")


def _cuts(trace: Trace, kind: str, is_cut: Callable[[Node], bool]) -> Iterator[Finding]:
    useful = _reaches_loss(trace)
    could = {node.id for node in trace.nodes if node.status in ("executed", "not executed")}
    sources: dict[int, int] = {}
    for edge in trace.edges:
        if edge.source in could:
            sources.setdefault(edge.target, edge.source)
    for node in trace.nodes:
        if is_cut(node) and node.id in useful and node.id in sources:
            yield finding(kind, "warning", node, name=called(trace.nodes[sources[node.id]]))


def _reaches_loss(trace: Trace) -> set[int]:
    """Nodes from which a value flows, by any edge, into a node that backward started from."""
    reach = {node.id for node in trace.nodes if any(seed is not None for seed in node.seeds)}
    incoming: dict[int, list[int]] = {}
    for edge in trace.edges:
        incoming.setdefault(edge.target, []).append(edge.source)
    pending = sorted(reach)
    while pending:
        for source in incoming.get(pending.pop(), ()):
            if source not in reach:
                reach.add(source)
                pending.append(source)
    return reach


def no_grad(trace: Trace) -> Iterator[Finding]:
    """Part of the forward pass kept no graph on purpose."""
    silent = [node for node in trace.nodes if node.reason in ("no_grad", "inference_mode")]
    if silent:
        yield finding("no_grad", "info", silent[0], count=len(silent))


def shared_parameter(trace: Trace) -> Iterator[Finding]:
    """One parameter owned under several module paths."""
    paths = {module.path for module in trace.modules}
    for node in trace.nodes:
        owned = [name for name in node.names if ("." in name and name.rpartition(".")[0] in paths) or ("" in paths and "." not in name)]
        owned = [name for name in owned if node.kind == "parameter" and not name.endswith("]")]
        qualified = [name for name in owned if "." in name]
        if len(qualified) > 1:
            yield finding("shared_parameter", "info", node, count=len(qualified))


def frozen_parameter(trace: Trace) -> Iterator[Finding]:
    """A module's parameter that took part but requires no gradient."""
    for node in trace.nodes:
        if node.kind == "parameter" and node.reason == "frozen":
            yield finding("frozen_parameter", "info", node)


def nan_forward(trace: Trace) -> Iterator[Finding]:
    """The op that made the first NaN of the forward pass."""
    yield from _first_value(trace, "nan_forward", lambda note: bool(note.nans))


def inf_forward(trace: Trace) -> Iterator[Finding]:
    """The op that made the first infinity of the forward pass and lies on the way to the loss: masks are filled with it on purpose."""
    yield from _first_value(trace, "inf_forward", lambda note: bool(note.infs))


def _first_value(trace: Trace, kind: str, is_bad: Callable[[Note], bool]) -> Iterator[Finding]:
    seeded = {node.id for node in trace.nodes if any(node.seeds)}
    spoiled = {node.id for node in trace.nodes if any(map(is_bad, node.outputs))}
    if not spoiled or (kind == "inf_forward" and not seeded & spoiled):
        return
    fed = {edge.target for edge in trace.edges if is_bad(trace.nodes[edge.source].outputs[edge.output])}
    for node in trace.nodes:
        if node.id in spoiled and node.id not in fed:
            where = _left_out(trace, node) if kind == "nan_forward" else None
            if where is not None and node.kind == "constant" and node.op is not None:
                continue  # a NaN that was written down, as torch.logdet does, to be chosen where there is no result
            yield finding(kind, "error", node) if where is None else finding(kind, "error", node, variant="left_out", related=where)
            return


def nan_gradient(trace: Trace) -> Iterator[Finding]:
    """The op whose backward made the first NaN."""
    yield from _first_gradient(trace, "nan_gradient", lambda note: bool(note.nans))


def inf_gradient(trace: Trace) -> Iterator[Finding]:
    """The op whose backward made the first infinity."""
    yield from _first_gradient(trace, "inf_gradient", lambda note: bool(note.infs))


def _first_gradient(trace: Trace, kind: str, is_bad: Callable[[Note], bool]) -> Iterator[Finding]:
    sent = {edge.target for edge in trace.edges if edge.gradient is not None and is_bad(edge.gradient)}
    for number in trace.backward:
        node = trace.nodes[number]
        received = any(note is not None and is_bad(note) for note in node.gradients)
        if number in sent and not received:
            starved = any(note is not None and note.zeros for note in node.gradients)
            where = _left_out(trace, node) if kind == "nan_gradient" and starved else None
            yield finding(kind, "error", node) if where is None else finding(kind, "error", node, variant="left_out", related=where)
            return


def _left_out(trace: Trace, node: Node) -> tuple[Related, ...] | None:
    """The `torch.where` that leaves out what is not finite on the way from `node` to a finite loss; None if there is none."""
    ends = [note for end in trace.nodes if any(end.seeds) for note in end.outputs]
    if not ends or any(note.nans or note.infs for note in ends):
        return None
    outgoing: dict[int, list[Edge]] = {}
    for edge in trace.edges:
        outgoing.setdefault(edge.source, []).append(edge)
    pending, seen = [node.id], {node.id}
    while pending:
        for edge in outgoing.get(pending.pop(), ()):
            target = trace.nodes[edge.target]
            if target.op == "where" and _leaves_out(trace, edge):
                return () if target.source is None else (Related("where", target.source),)
            if edge.differentiable and target.id not in seen:
                seen.add(target.id)
                pending.append(target.id)
    return None


def _leaves_out(trace: Trace, branch: Edge) -> bool:
    """Whether a `torch.where` does not take some element of what `branch` brings to it, by the condition that it was given."""
    given = (edge for edge in trace.edges if edge.target == branch.target and edge.input == 0)
    condition = next((trace.nodes[edge.source].outputs[edge.output] for edge in given), None)
    if condition is None or condition.zeros is None or condition.numel is None:
        return False
    return (branch.input == 1 and condition.zeros > 0) or (branch.input == 2 and condition.zeros < condition.numel)


KINDS: tuple[Callable[[Trace], Iterator[Finding]], ...] = (
    nan_forward,
    inf_forward,
    nan_gradient,
    inf_gradient,
    stale_saved_tensor,
    replaced_gradient,
    averaged_gradient,
    accumulated_gradient,
    detached,
    integer_cut,
    no_grad,
    shared_parameter,
    frozen_parameter,
)


# -- what only the recording knew


def user_error(trace: Trace, failed: int | None, error: str, source: Source | None) -> Finding:
    """The program raised; `failed` is the op that did, if one did."""
    node = None if failed is None else trace.nodes[failed]
    return finding("user_error", "error", node, source=source, error=error if len(error) <= 300 else error[:297] + "…")


def no_graph(trace: Trace, outputs: Sequence[int]) -> Finding:
    """Nothing ran backward: say why, from the reason of the first output."""
    node = trace.nodes[outputs[0]] if outputs else None
    if node is None:
        return finding("no_graph", "error", None, why="@finding.no_graph." + ("no_backward" if trace.nodes else "empty"))
    reason = node.reason if node.reason in ("no_grad", "inference_mode", "detach", "integer", "item") else "constant"
    return finding("no_graph", "error", node, why=f"@finding.no_graph.{reason}")


def changed_by_watching(node: Node, cause: str) -> Finding:
    """Where the graph is another than that of a run which nobody watches, and why: a cause of `explorer.capture.watched`."""
    return finding("changed_by_watching", "info", node, why=f"@finding.changed_by_watching.{cause}")


def non_scalar_loss(count: int) -> Finding:
    """Backward was started with ones, because there was no single scalar loss."""
    return finding("non_scalar_loss", "info", None, count=count)


def own_choices(trace: Trace, *, device: str | None, dtype: str | None) -> tuple[Finding, ...]:
    """Where the program computed on another device or in another data type than was asked for: what it chooses itself wins."""
    used = [node for node in trace.nodes if node.status != "no gradient"] or list(trace.nodes)
    found: list[Finding] = []
    if device is not None and device != "fake":
        found += _own_choice("own_device", used, lambda note: note.device, lambda note: _is_on(note.device, device), device)
    if dtype is not None:
        found += _own_choice(
            "own_dtype", used, lambda note: note.dtype, lambda note: note.dtype == dtype or "float" not in note.dtype, dtype
        )
    return tuple(found)


def _own_choice(kind: str, used: list[Node], name: Callable[[Note], str], fits: Callable[[Note], bool], asked: str) -> Iterator[Finding]:
    others = [(node, note) for node in used for note in node.outputs if not fits(note)]
    if others:
        names = ", ".join(dict.fromkeys(name(note) for _, note in others))
        yield finding(kind, "info", others[0][0], asked=asked, names=names, count=len({node.id for node, _ in others}), total=len(used))


def _is_on(device: str, asked: str) -> bool:
    return device == asked or device.partition(":")[0] == asked
