"""What needs no box of its own: leaves stand as lines in the op that reads them, view-like ops as words on their edge.

NOTE [guests]: of the 77 nodes of one block of GPT-2, 20 compute something; the rest are parameters, masks and changes of shape. A guest
keeps its id and can be clicked, coloured and reached like a box; only its place is inside another. A recording of up to `MOST` nodes, as
in a lesson, has no guests: there every step is the point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from explorer.folding import Item
from explorer.model import Node, Trace
from explorer.places import is_view_like

__all__ = ["Guest", "guests"]

FEW_READERS = 3  # a leaf with more readers stands as a chip in each of them

Place = Literal["before", "line", "after"]


@dataclass(frozen=True, slots=True)
class Guest:
    """Where a box is written instead of standing by itself: in which boxes, and where there."""

    hosts: tuple[str, ...]
    place: Place


def guests(trace: Trace, items: list[Item], marked: frozenset[int]) -> Mapping[str, Guest]:
    """Box id -> where it is written; boxes that stand by themselves are left out. Nodes that are `marked` always stand by themselves."""
    item_of = {node: item for item in items for node in item.nodes}
    into: dict[str, dict[str, None]] = {item.id: {} for item in items}  # id -> the boxes it reads, and the boxes that read it
    out: dict[str, dict[str, None]] = {item.id: {} for item in items}
    for edge in trace.edges:
        source, target = item_of.get(edge.source), item_of.get(edge.target)
        if source is not None and target is not None and source is not target:
            into[target.id][source.id] = None
            out[source.id][target.id] = None
    by_id = {item.id: item for item in items}
    single = {item.id: trace.nodes[item.nodes[0]] for item in items if item.frame is None and not item.parts}
    found: dict[str, Guest] = {}
    chained = {name for name, node in single.items() if is_view_like(node) and node.id not in marked}
    chained = {name for name in chained if len(into[name]) == 1}
    for name in single:
        if name in chained:
            _settle_weight(name, by_id, single, into, out, found)
    for name in single:  # in forward order: what a chain begins with is settled before the rest of it
        if name in chained and name not in found:
            _settle_view(name, by_id, single, chained, into, out, found)
    for name, node in single.items():
        if node.is_leaf and node.kind != "input" and node.id not in marked and out[name]:
            _settle_leaf(name, by_id, out, found)
    return found


def _settle_weight(
    name: str,
    by_id: dict[str, Item],
    single: dict[str, Node],
    into: dict[str, dict[str, None]],
    out: dict[str, dict[str, None]],
    found: dict[str, Guest],
) -> None:
    """The transposed weight of a linear layer stands with its weight."""
    (before,) = into[name]
    source = single.get(before)
    if source is None or not source.is_leaf or source.kind == "input" or len(out[name]) != 1:
        return
    (after,) = out[name]
    if after in single and by_id[after].scope == by_id[name].scope and not is_view_like(single[after]):
        found[name] = Guest((after,), "line")
        if len(out[before]) == 1:
            found[before] = Guest((after,), "line")


def _settle_view(
    name: str,
    by_id: dict[str, Item],
    single: dict[str, Node],
    chained: set[str],
    into: dict[str, dict[str, None]],
    out: dict[str, dict[str, None]],
    found: dict[str, Guest],
) -> None:
    """A change of shape stands behind the op whose result it alone takes, or, at the door of a module, before the op it is made for."""
    (before,) = into[name]
    scope = by_id[name].scope
    source = single.get(before)
    if source is not None and not source.is_leaf and len(out[before]) == 1 and by_id[before].scope == scope:
        host = found.get(before)
        if host is None or host.place == "after":
            found[name] = Guest(host.hosts if host is not None else (before,), "after")
        return
    if by_id[before].scope == scope:
        return
    chain, last = [name], name
    while len(out[last]) == 1:
        (last,) = out[last]
        if last not in chained or by_id[last].scope != scope:
            break
        chain.append(last)
    if last in chained or last not in single or by_id[last].scope != scope or len(out[chain[-1]]) != 1:
        return
    others = [one for one in into[last] if one not in found and not (one in single and single[one].is_leaf)]
    if others == [chain[-1]] and last not in found:
        for one in chain:
            found[one] = Guest((last,), "before")


def _settle_leaf(name: str, by_id: dict[str, Item], out: dict[str, dict[str, None]], found: dict[str, Guest]) -> None:
    if name in found:
        return
    readers: list[str] = []
    for reader in out[name]:
        guest = found.get(reader)
        readers += guest.hosts if guest is not None else [reader]
    hosts = tuple(dict.fromkeys(readers))
    scopes = {by_id[host].scope for host in hosts}
    if (len(hosts) == 1 and scopes == {by_id[name].scope}) or len(hosts) > FEW_READERS or len(scopes) > 1:
        found[name] = Guest(hosts, "line")
