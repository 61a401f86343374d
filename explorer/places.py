"""Where each node stands: the calls of modules around it, outermost first.

A frame is one call of one module. A module that is called 500 times has 500 frames, each a run of neighbours in forward order, so that
what stands in a frame never has to be drawn both before and after something outside it. Modules that can never be called (ModuleList and
its like) and the root are looked through: their children read "h.3".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress
from operator import not_
from typing import Any, TypeVar, cast

from explorer.model import Node, Trace

__all__ = ["Chain", "Frame", "Places", "forget", "is_view_like", "places_of", "remembered"]

Found = TypeVar("Found")

NEVER_CALLED = frozenset({"ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})

VIEW_LIKE = frozenset(
    "view _unsafe_view reshape _reshape_alias alias transpose t numpy_T permute expand expand_as unsqueeze squeeze flatten unflatten "
    "contiguous clone view_as movedim swapaxes swapdims lift_fresh mT adjoint".split()
)

Chain = tuple[int, ...]


def is_view_like(node: Node) -> bool:
    """Whether an op only looks at its input in another shape."""
    return node.op in VIEW_LIKE and node.status != "not executed"


@dataclass(frozen=True, slots=True)
class Frame:
    """Call number `call`, from 0, of the module with index `module`; `id` is "m3", or "m3c1" for the second call."""

    id: str
    module: int
    call: int


@dataclass(frozen=True, slots=True)
class Places:
    """`chains[node]` are the frames around a node, as indices in `frames`; `labels` names each module as it reads inside its parent."""

    frames: tuple[Frame, ...]
    chains: tuple[Chain, ...]
    labels: tuple[str, ...]
    calls: tuple[int, ...]  # by module
    leaf: tuple[bool, ...]  # by node
    view_like: tuple[bool, ...]  # by node
    inputs: tuple[list[tuple[int, int]], ...]  # by node: the tensors that it reads, as (node, output)
    known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)  # what views have found out of it: see `remembered`


_latest: list[tuple[Trace, Places]] = []  # a person looks at one trace at a time, and at many views of it


def places_of(trace: Trace) -> Places:
    """The places of a trace's nodes; remembered for the last few traces."""
    for known, places in _latest:
        if known is trace:
            return places
    places = _find(trace)
    _latest.insert(0, (trace, places))
    del _latest[2:]
    return places


def remembered(places: Places, question: str, answer: Callable[[], Found]) -> Found:
    """What follows from the trace alone, found out for the first view that asks."""
    if question not in places.known:
        places.known[question] = answer()
    return cast("Found", places.known[question])


def forget() -> None:
    """Drop what is remembered of traces."""
    _latest.clear()


def _find(trace: Trace) -> Places:
    modules, labels = _modules(trace)
    frames: list[Frame] = []
    calls = [0] * len(trace.modules)
    first: dict[Chain, Chain] = {}  # modules around -> the frames of their first call
    chains: list[Chain | None] = [None] * len(trace.nodes)

    def frame(module: int) -> int:
        call = calls[module]
        calls[module] += 1
        frames.append(Frame(f"m{module}" if call == 0 else f"m{module}c{call}", module, call))
        return len(frames) - 1

    around: Chain = ()  # the modules of the op before, and the frames that are open
    opened: Chain = ()
    leaf = tuple([node.kind != "op" for node in trace.nodes])
    for node in compress(trace.nodes, map(not_, leaf)):
        chain = modules.get(node.module, ())
        if chain != around:
            same = _shared(chain, around)
            opened = opened[:same]
            for module in chain[same:]:
                opened = (*opened, frame(module))
            around = chain
            first.setdefault(chain, opened)
            for length in range(1, len(chain)):
                first.setdefault(chain[:length], opened[:length])
        chains[node.id] = opened
    inputs: list[list[tuple[int, int]]] = [[] for _ in trace.nodes]
    readers: dict[int, list[int]] = {}
    for edge in trace.edges:
        source = edge.source
        inputs[edge.target].append((source, edge.output))
        if leaf[source]:
            readers.setdefault(source, []).append(edge.target)
    for node in compress(trace.nodes, leaf):
        chains[node.id] = _home(node, [chains[reader] or () for reader in sorted(readers.get(node.id, ()))], modules, frames, first, frame)
    return Places(
        frames=tuple(frames),
        chains=tuple(chain or () for chain in chains),
        labels=labels,
        calls=tuple(calls),
        leaf=leaf,
        view_like=tuple([node.op in VIEW_LIKE and node.status != "not executed" for node in trace.nodes]),
        inputs=tuple(inputs),
    )


def _home(
    node: Node,
    readers: list[Chain],
    modules: dict[str, Chain],
    frames: list[Frame],
    first: dict[Chain, Chain],
    frame: Callable[[int], int],
) -> Chain:
    """A leaf is at home where its name says, if it is first read there; else where all that read it are."""
    home = modules.get(node.module, ())
    if not home and node.kind in ("parameter", "buffer") and node.name:
        home = modules.get(node.name.rpartition(".")[0], ())
    if not readers:
        known = next((length for length in range(len(home), 0, -1) if home[:length] in first), 0)
        chain = first[home[:known]] if known else ()
        for module in home[known:]:
            chain = (*chain, frame(module))
            first[home[: len(chain)]] = chain
        return chain
    inside = readers[0][: len(home)]
    if home and tuple(frames[number].module for number in inside) == home:
        return inside
    if home or node.name is None:
        return _common(readers)
    return ()


def _shared(one: Chain, other: Chain) -> int:
    """How many frames or modules two chains begin with alike."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length


def _common(chains: Iterable[Chain]) -> Chain:
    found: Chain | None = None
    for chain in chains:
        found = chain if found is None else found[: _shared(found, chain)]
    return found or ()


def _modules(trace: Trace) -> tuple[dict[str, Chain], tuple[str, ...]]:
    """Path -> the modules around a node there, without those never called and the root; and how each reads where it stands."""
    index = {module.path: number for number, module in enumerate(trace.modules)}
    chains: dict[str, Chain] = {"": ()}
    labels = [module.path for module in trace.modules]
    for module in trace.modules:
        waiting: list[str] = []
        path: str | None = module.path
        while path is not None and path not in chains:  # an explicit stack: paths may be deep, and parents may come later
            waiting.append(path)
            path = trace.modules[index[path]].parent if path in index else None
            if path in waiting:
                break
        chain = chains.get(path or "", ())
        for known in reversed(waiting):
            number = index.get(known)
            if number is not None and trace.modules[number].class_name not in NEVER_CALLED:
                outer = trace.modules[chain[-1]].path if chain else ""
                labels[number] = _label(known, outer)
                chain = (*chain, number)
            chains[known] = chain
    return chains, tuple(labels)


def _label(path: str, around: str) -> str:
    """The path as it reads inside the module `around`; a bare number, as in a Sequential, keeps the word before it."""
    inside = path[len(around) + 1 :] if around and path.startswith(around + ".") else path
    return ".".join(path.split(".")[-2:]) if inside.isdecimal() else inside
