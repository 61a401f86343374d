"""Where NaN or infinity in the values began, and whether it went on to spoil anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from explorer.findings.flow import Flow
from explorer.findings.wording import called
from explorer.model import Node, Note, Source
from explorer.text import LANGUAGES, say

__all__ = ["first_reader", "leading", "makers", "origins", "spoiled_ends", "what_of", "where_of"]

IsBad = Callable[[Note], bool]


def origins(flow: Flow, is_bad: IsBad) -> list[Node]:
    """The nodes that gave out the first of it: they were given none."""
    trace = flow.trace
    fed = {edge.target for edge in trace.edges if is_bad(trace.nodes[edge.source].outputs[edge.output])}
    return [node for node in trace.nodes if node.id not in fed and any(map(is_bad, node.outputs))]


def makers(flow: Flow, is_bad: IsBad) -> list[Node]:
    """The nodes whose backward made it, in the order the engine ran them: they received none of the kind and sent some."""
    trace = flow.trace
    sent = {edge.target for edge in trace.edges if edge.gradient is not None and is_bad(edge.gradient)}
    nodes = (trace.nodes[number] for number in trace.backward if number in sent)
    return [node for node in nodes if not any(note is not None and is_bad(note) for note in node.gradients)]


def spoiled_ends(flow: Flow, is_bad: IsBad) -> set[int]:
    """The nodes that backward started from and that have it; without a backward, those where nobody reads it any more."""
    nodes = flow.trace.nodes
    if flow.seeded:
        return {number for number in flow.seeded if any(map(is_bad, nodes[number].outputs))}
    read = {(edge.source, edge.output) for edge in flow.trace.edges}
    return {node.id for node in nodes for place, note in enumerate(node.outputs) if is_bad(note) and (node.id, place) not in read}


def leading(flow: Flow, ends: Iterable[int], is_bad: IsBad) -> set[int]:
    """`ends`, and all nodes from which it flows on to one of them without a gap."""
    nodes = flow.trace.nodes
    reach = set(ends)
    pending = list(reach)
    while pending:
        for edge in flow.into[pending.pop()]:
            if edge.source not in reach and is_bad(nodes[edge.source].outputs[edge.output]):
                reach.add(edge.source)
                pending.append(edge.source)
    return reach


def first_reader(flow: Flow, node: Node) -> Node | None:
    """The first op that was given what `node` gives out, and whose line is known."""
    readers = (flow.trace.nodes[edge.target] for edge in flow.out_of[node.id])
    return min((reader for reader in readers if reader.source is not None), key=lambda reader: reader.id, default=None)


def where_of(flow: Flow, node: Node) -> Source | None:
    """The line of a node; of a tensor that was made elsewhere, the line that first reads it."""
    reader = first_reader(flow, node)
    return node.source or (reader.source if reader else None)


def what_of(flow: Flow, node: Node) -> dict[str, str]:
    """What sentences call a node, for each language: a tensor without a name is the one that an op reads."""
    reader = None if node.name or node.source else first_reader(flow, node)
    if reader is None:
        return dict.fromkeys(LANGUAGES, called(node))
    expression = called(replace(reader, name=None))  # the line that reads it, not the name of what came of it
    return {language: say("finding.read_by", language, reader=expression) for language in LANGUAGES}
