"""Trace → Findings: what a person should know about a pass, one small function a kind.

What needs only the trace is found by `findings`; what only the recording knew (an error of the program, outputs without a graph) is made
by the functions of `explorer.findings.running`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.findings.cuts import detached, integer_cut, no_grad
from explorer.findings.gradients import accumulated_gradient, averaged_gradient, replaced_gradient
from explorer.findings.parameters import frozen_parameter, shared_parameter
from explorer.findings.running import changed_by_watching, no_graph, non_scalar_loss, own_choices, user_error
from explorer.findings.saved import stale_saved_tensor
from explorer.findings.values import inf_forward, inf_gradient, nan_forward, nan_gradient
from explorer.model import Finding, Trace

__all__ = ["KINDS", "changed_by_watching", "findings", "no_graph", "non_scalar_loss", "own_choices", "user_error"]

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


def findings(trace: Trace) -> tuple[Finding, ...]:
    """All findings that the trace itself shows, errors first."""
    found = [finding for find in KINDS for finding in find(trace)]
    return tuple(sorted(found, key=lambda finding: ("error", "warning", "info").index(finding.severity)))
