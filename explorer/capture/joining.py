"""Which autograd node belongs to which op. No torch: plain rows in, plain numbers out.

# NOTE [joining]
The sequence counter read when an op passes by tells which nodes were made since the op before: its window. Usually the last of them is
the op's own. The window alone is wrong where a Python Function makes its node before its inner ops, where CopySlices is made after the op
that changed a view, where an in-place op clones its old self first, and where a view's node is made anew because its base changed. So a
node must also have a name that derivatives.yaml gives the op; else the next op without a node of its own, the op before that changed
something, or a view read again may take it. What nobody takes stands for itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from explorer.capture.derivatives import names_for
from explorer.capture.rows import GraphNode, Row

NEAR = 16  # ops looked at before and after the window's own


def join(rows: Sequence[Row], nodes: Sequence[GraphNode]) -> tuple[dict[int, int], dict[int, int], set[int]]:
    """(row of each joined node key, place in time of each node key as a row index, rows that only copied for an in-place op)."""
    timed = [row for row in rows if row.schema and not row.alias and not row.foreign]
    ends = [row.window[1] for row in timed]
    claims: dict[int, int] = {}
    taken: set[int] = set()
    places: dict[int, int] = {}
    copies: set[int] = set()
    for node in sorted((node for node in nodes if node.leaf is None), key=lambda node: -node.sequence):
        at = bisect_right(ends, node.sequence)
        places[node.key] = timed[at].index if at < len(timed) else len(rows)
        inside = at < len(timed) and timed[at].window[0] <= node.sequence
        if not inside and at < len(timed):
            continue  # made while nobody watched
        row = _claimant(node.name, at, timed, rows, taken, copies)
        if row is not None:
            claims[node.key] = row
            taken.add(row)
    return claims, places, copies


def _claimant(name: str, at: int, timed: list[Row], rows: Sequence[Row], taken: set[int], copies: set[int]) -> int | None:
    if name == "CopySlices":
        return _before(lambda row: row.writes_view, at, timed, taken)
    if at < len(timed) and _may(timed[at], name, taken):
        return timed[at].index
    following = at + 1
    while following < min(len(timed), at + NEAR) and timed[following].window[0] == timed[following].window[1]:
        if _may(timed[following], name, taken):
            copies.update(row.index for row in timed[at:following] if row.op == "clone" and row.index not in taken)
            return timed[following].index
        following += 1
    again = _alias(name, at, timed, rows, taken)
    if again is not None:
        return again
    return _before(lambda row: row.mutable and name in names_for(row.schema), at, timed, taken)


def _may(row: Row, name: str, taken: set[int]) -> bool:
    return row.index not in taken and not row.failed and name in names_for(row.schema)


def _before(fits: object, at: int, timed: list[Row], taken: set[int]) -> int | None:
    assert callable(fits)
    for row in reversed(timed[max(0, at - NEAR) : at]):
        if row.index not in taken and fits(row):
            return row.index
    return None


def _alias(name: str, at: int, timed: list[Row], rows: Sequence[Row], taken: set[int]) -> int | None:
    """The view read again just before the op at `at`, or soon after: its node is made when torch, not the op, first asks for it."""
    if at >= len(timed):
        return None
    index = timed[at].index - 1
    while index >= 0 and (not rows[index].schema or rows[index].alias):
        row = rows[index]
        if row.alias and index not in taken and (name == "AsStridedBackward0" or name in names_for(row.schema)):
            return index
        index -= 1
    if name != "AsStridedBackward0":
        return None
    following = rows[timed[at].index + 1 : timed[at].index + NEAR]
    return next((row.index for row in following if row.alias and row.index not in taken), None)
