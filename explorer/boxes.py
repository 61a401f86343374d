"""What a picture is made of: boxes, and the clusters around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Box", "Cluster"]


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in the picture: a node ("n12"), a closed module ("m3", its third call "m3c2"), or a run of neighbours ("s40", after its
    first node).

    `nodes` are the nodes it stands for, `parts` the ids of the things folded into a segment, `cluster` the open module around it. `card`
    counts equal modules drawn as one, `steps` are the first and last turn of a loop that a segment holds. `names` is the module that
    holds nothing but this node. A box with `hosts` does not stand by itself: it is written into these, at `place`;
    a `small` one is a view-like op that stands on its edge as a word.
    """

    id: str
    kind: Literal["node", "module", "segment"]
    nodes: tuple[int, ...]
    module: int | None = None
    cluster: str | None = None
    parts: tuple[str, ...] = ()
    call: int = 0
    card: int = 0
    steps: tuple[int, int] | None = None
    names: int | None = None
    hosts: tuple[str, ...] = ()
    place: Literal["before", "line", "after"] | None = None
    small: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open module, or an open segment (`module` None): `module` is its index in `Trace.modules`, `parent` the cluster around it."""

    id: str
    module: int | None
    parent: str | None
    call: int = 0
    parts: tuple[str, ...] = ()
    steps: tuple[int, int] | None = None
