"""What only the recording knew: an error of the program, outputs without a graph, what the program chose itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from explorer.findings.wording import finding
from explorer.model import Finding, Node, Note, Trace


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
