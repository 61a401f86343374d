"""A finding, made of the sentences that stand in the table under its kind."""

from __future__ import annotations

from typing import Literal

from explorer.model import Finding, Node, Related, Source
from explorer.text import LANGUAGES, say

Severity = Literal["error", "warning", "info"]


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
