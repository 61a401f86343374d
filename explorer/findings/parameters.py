"""Parameters of modules: shared, frozen, never read."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.findings.flow import Flow
from explorer.findings.wording import MOST_NAMES, Severity, called, finding, listed
from explorer.model import Finding


def shared_parameter(flow: Flow) -> Iterator[Finding]:
    """One parameter owned under several module paths."""
    paths = {module.path for module in flow.trace.modules}
    for node in flow.trace.nodes:
        if node.kind != "parameter":
            continue
        owned = [name for name in node.names if ("." in name and name.rpartition(".")[0] in paths) or ("" in paths and "." not in name)]
        qualified = [name for name in owned if "." in name and not name.endswith("]")]
        if len(qualified) > 1:
            yield finding("shared_parameter", "info", node, count=len(qualified))


def frozen_parameter(flow: Flow) -> Iterator[Finding]:
    """A module's parameters that took part but require no gradient; of many, as in a frozen backbone, in one."""
    frozen = [node for node in flow.trace.nodes if node.kind == "parameter" and node.reason == "frozen"]
    if len(frozen) > MOST_NAMES:
        names = listed([called(node) for node in frozen])
        yield finding("frozen_parameter", "info", frozen[0], variant="several", names=names, count=len(frozen))
    else:
        yield from (finding("frozen_parameter", "info", node) for node in frozen)


def unused_parameter(flow: Flow) -> Iterator[Finding]:
    """Parameters of a model that was called, which no op has read: a layer that was made and forgotten."""
    for unused in flow.evidence.unused:
        severity: Severity = "warning" if flow.is_missed(skipped=unused.skipped) and not unused.by_library else "info"
        yield finding("unused_parameter", severity, None, name=unused.path, kind_of=unused.class_name, starved=listed(unused.names))
