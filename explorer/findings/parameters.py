"""Parameters of modules: shared, frozen."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.findings.wording import finding
from explorer.model import Finding, Trace


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
