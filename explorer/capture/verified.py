"""What verification found of a pass while the program ran, and the `Checks` of its trace made of that. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer.model import Checks, GradientCheck, Node, NodeCheck, Trace

_WORST = ("wrong", "skipped", "close", "equal")


@dataclass(slots=True)
class Verified:
    """Checks whose `node` is still the key of an autograd node, as the graph was walked."""

    nodes: dict[int, NodeCheck] = field(default_factory=dict)
    gradients: list[GradientCheck] = field(default_factory=list)


def checks_of(found: Verified, trace: Trace, ids: Mapping[int, int]) -> Checks:
    """The checks of `trace`, whose node of key `key` is `ids[key]`: each executed node has one, be it only that nobody looked."""
    nodes: dict[int, NodeCheck] = {}
    for key, check in found.nodes.items():
        if key in ids:
            here = ids[key]
            other = nodes.get(here)
            if other is None or _WORST.index(check.verdict) < _WORST.index(other.verdict):
                nodes[here] = replace(check, node=here)
    for here in trace.backward:
        nodes.setdefault(here, NodeCheck(here, "skipped", None, "not_watched"))
    executed = set(trace.backward)
    gradients = [
        replace(check, node=ids[check.node], name=_called(trace.nodes[ids[check.node]])) for check in found.gradients if check.node in ids
    ]
    return Checks(
        tuple(nodes[here] for here in sorted(nodes) if here in executed),
        tuple(sorted(gradients, key=lambda check: (not trace.nodes[check.node].is_leaf, check.node, check.output))),
    )


def _called(node: Node) -> str | None:
    return node.name or node.op
