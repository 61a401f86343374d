"""The signs on boxes: what a finding says of them, and what verification says.

Each sign differs in shape, so that its colour need not be seen. A box that stands for many nodes has the sign of the gravest.
"""

from __future__ import annotations

from explorer.model import Finding
from explorer.view import Box, View

__all__ = ["COLORS", "SIGNS", "Marks"]

SIGNS = {"error": "⌧", "warning": "⚠", "wrong": "✗", "close": "≈", "equal": "✓", "skipped": "–"}  # of two that meet, the first counts
COLORS = {"error": "error", "warning": "warning", "wrong": "error", "close": "muted", "equal": "muted", "skipped": "muted"}


class Marks:
    """The signs of a view's boxes."""

    def __init__(self, view: View) -> None:
        self._findings: dict[int, list[Finding]] = {}
        for finding in view.trace.findings:
            if finding.node is not None:
                self._findings.setdefault(finding.node, []).append(finding)
        checks = view.trace.checks
        self._verdicts: dict[int, str] = {} if checks is None else {check.node: check.verdict for check in checks.nodes}
        if checks is not None:
            self._verdicts |= {check.node: "wrong" for check in checks.gradients if check.verdict == "wrong"}
        boxes = view.boxes if self._findings or self._verdicts else ()
        self.met = {mark for box in boxes for mark in (self.severity(box), self.verdict(box)) if mark is not None}

    def findings(self, box: Box) -> list[Finding]:
        """What was found of the nodes that `box` stands for."""
        if not self._findings:
            return []
        if len(box.nodes) == 1:
            return self._findings.get(box.nodes[0], [])
        return [finding for node in box.nodes for finding in self._findings.get(node, ())]

    def severity(self, box: Box) -> str | None:
        """The gravest finding that speaks of the box; information alone does not mark it."""
        found = self.findings(box)
        return _first({finding.severity for finding in found}) if found else None

    def verdict(self, box: Box) -> str | None:
        """What verification says of the box; "skipped" only where nothing in it was verified."""
        if not self._verdicts:
            return None
        return _first({self._verdicts[node] for node in box.nodes if node in self._verdicts})


def _first(found: set[str]) -> str | None:
    return next((mark for mark in SIGNS if mark in found), None)
