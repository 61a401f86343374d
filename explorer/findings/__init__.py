"""Trace → Findings: what a person should know about a pass, one small function a kind.

What needs only the trace is found by `findings`; what only the recording knew (an error of the program, outputs without a graph) is made
by the functions of `explorer.findings.running` and `explorer.findings.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.findings.cuts import cuts, flat
from explorer.findings.depth import along_depth, saturated, underflow
from explorer.findings.errors import user_error
from explorer.findings.flow import Evidence, Flow, Unused
from explorer.findings.gradients import accumulated_gradient, averaged_gradient, replaced_gradient
from explorer.findings.parameters import frozen_parameter, shared_parameter, unused_parameter
from explorer.findings.running import changed_by_watching, no_graph, non_scalar_loss, own_choices
from explorer.findings.saved import stale_saved_tensor
from explorer.findings.units import dead_units
from explorer.findings.values import not_finite
from explorer.model import Finding, Trace

__all__ = [
    "KINDS",
    "Evidence",
    "Unused",
    "changed_by_watching",
    "findings",
    "no_graph",
    "non_scalar_loss",
    "own_choices",
    "user_error",
]

KINDS: tuple[Callable[[Flow], Iterator[Finding]], ...] = (
    not_finite,
    stale_saved_tensor,
    replaced_gradient,
    averaged_gradient,
    along_depth,
    saturated,
    underflow,
    dead_units,
    accumulated_gradient,
    cuts,
    flat,
    unused_parameter,
    shared_parameter,
    frozen_parameter,
)


def findings(trace: Trace, evidence: Evidence | None = None) -> tuple[Finding, ...]:
    """All findings that the trace itself shows, with what the recording knew beside it; errors first."""
    flow = Flow(trace, evidence or Evidence())
    found = [finding for find in KINDS for finding in find(flow)]
    return tuple(sorted(found, key=lambda finding: ("error", "warning", "info").index(finding.severity)))
