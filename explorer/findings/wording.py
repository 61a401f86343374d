"""A finding, made of the sentences that stand in the table under its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from explorer.model import Finding, Node, Related, Source
from explorer.text import LANGUAGES, say

Severity = Literal["error", "warning", "info"]
MOST_NAMES = 3  # that a sentence lists
LONGEST_NAME = 40  # characters of an expression that still reads as a name


def finding(
    kind: str,
    severity: Severity,
    node: Node | None,
    *,
    name: str | None = None,
    source: Source | None = None,
    variant: str = "",
    remedy: str = "",
    related: tuple[Related, ...] = (),
    **values: object,
) -> Finding:
    """A finding whose sentences stand in the table under its kind, and `variant` where a kind has several.

    `remedy` is the variant whose remedy is given, where that is another's. A value that begins with @ is the key of a sentence; one that
    is a mapping has a text for each language.
    """
    key = f"finding.{kind}.{variant}" if variant else f"finding.{kind}"
    cure = f"finding.{kind}.{remedy}.remedy" if remedy else f"{key}.remedy"
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
        remedy={language: say(cure, language, **_worded(values, language)) for language in LANGUAGES},
    )


def _worded(values: dict[str, object], language: str) -> dict[str, object]:
    return {key: _in_language(value, language) for key, value in values.items()}


def _in_language(value: object, language: str) -> object:
    if isinstance(value, Mapping):
        return value[language]
    return say(value[1:], language) if isinstance(value, str) and value.startswith("@") else value


def called(node: Node) -> str:
    """What a sentence calls a node."""
    if node.name:
        return node.name
    expression = node.source.expression if node.source else ""
    return (expression if 0 < len(expression) <= LONGEST_NAME and "\n" not in expression else None) or node.op or node.kind


def listed(names: Sequence[str]) -> dict[str, str]:
    """Names in a row, for each language: the first few, and how many more there are."""
    shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    if more <= 0:
        return dict.fromkeys(LANGUAGES, shown)
    return {language: say("finding.and_more", language, names=shown, count=more) for language in LANGUAGES}
