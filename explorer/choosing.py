"""Which nodes may show: around one, on the paths between two, those whose gradient reaches one, those of one class or with a gradient."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from explorer.errors import RequestError
from explorer.model import Trace
from explorer.places import Places

__all__ = ["GRADIENT", "brief", "chosen_nodes", "frames_of", "known_node", "opened_frames"]

GRADIENT = "gradient"  # in place of the name of a class: what a gradient flows through
ID = re.compile(r"[ms]\d+(c\d+)?")
MOST_NAMED = 12  # classes or modules in a refusal


def chosen_nodes(
    trace: Trace,
    places: Places,
    *,
    focus: int | None,
    hops: int,
    between: tuple[int, int] | None,
    reaching: int | None,
    only: str | None,
) -> Collection[int]:
    """The nodes that all of these let show, in order; raises RequestError where nothing is left."""
    found: Collection[int] = range(len(trace.nodes))
    if focus is not None:
        found = _around(places, focus, hops)
    if between is not None:
        start, end = sorted(between)
        found = sorted(set(found) & _after(places, start) & _before(places, end))
        if not found:
            raise RequestError("drawing.no_path", first=start, second=end)
    if reaching is not None:
        found = sorted(set(found) & _sent(trace, reaching))
    if only is not None:
        found = sorted(set(found) & _only(trace, places, only))
        if not found:
            raise RequestError("drawing.nothing_left", only=brief(only))
    return found


def _around(places: Places, focus: int, hops: int) -> list[int]:
    """Nodes at most `hops` edges away from `focus`, in either direction."""
    near: dict[int, list[int]] = {}
    for target, inputs in enumerate(places.inputs):
        for source, _ in inputs:
            near.setdefault(source, []).append(target)
            near.setdefault(target, []).append(source)
    found, border = {focus}, [focus]
    for _ in range(hops):
        border = sorted({other for node in border for other in near.get(node, ())} - found)
        if not border:
            break
        found.update(border)
    return sorted(found)


def _after(places: Places, start: int) -> set[int]:
    """`start` and all that depends on it: a node comes after what it reads."""
    found = {start}
    for node in range(start + 1, len(places.inputs)):
        if any(source in found for source, _ in places.inputs[node]):
            found.add(node)
    return found


def _before(places: Places, end: int) -> set[int]:
    """`end` and all that it depends on."""
    found, waiting = {end}, [end]
    while waiting:
        for source, _ in places.inputs[waiting.pop()]:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _sent(trace: Trace, node: int) -> set[int]:
    """`node` and all from which a gradient can come to it: against the edges that carry one."""
    readers: dict[int, list[int]] = {}
    for edge in trace.edges:
        if edge.differentiable:
            readers.setdefault(edge.source, []).append(edge.target)
    found, waiting = {node}, [node]
    while waiting:
        for reader in readers.get(waiting.pop(), ()):
            if reader not in found:
                found.add(reader)
                waiting.append(reader)
    return found


def _only(trace: Trace, places: Places, only: str) -> set[int]:
    if only == GRADIENT:
        return {node.id for node in trace.nodes if any(note is not None for note in node.gradients) or any(node.seeds)}
    inside = frames_of(trace, places, only)
    return {number for number, chain in enumerate(places.chains) if not inside.isdisjoint(chain)}


def frames_of(trace: Trace, places: Places, only: str) -> frozenset[int]:
    """The calls of the modules of one class; raises RequestError if there is no such class."""
    known = sorted({trace.modules[frame.module].class_name for frame in places.frames})
    if only not in known:
        raise RequestError("drawing.no_class", only=brief(only), known=_listed([GRADIENT, *known]))
    return frozenset(number for number, frame in enumerate(places.frames) if trace.modules[frame.module].class_name == only)


def opened_frames(trace: Trace, places: Places, names: Iterable[str]) -> frozenset[str]:
    """Ids as the picture uses them, with those of modules given by their path, and of all modules around these."""
    found: set[str] = set()
    paths = {module.path: number for number, module in enumerate(trace.modules)}
    ids = {frame.id for frame in places.frames}
    inside: dict[int, set[str]] = {}
    for name in names:
        if name in ids or (name not in paths and ID.fullmatch(name)):
            found.add(name)
            continue
        if name not in paths:
            raise RequestError("drawing.no_module", name=brief(name), known=_listed(path for path in paths if path))
        if not inside:
            for chain in set(places.chains):
                for length, frame in enumerate(chain, start=1):
                    around = inside.setdefault(places.frames[frame].module, set())
                    around.update(places.frames[one].id for one in chain[:length])
        found |= inside.get(paths[name], set())
    return frozenset(found)


def known_node(trace: Trace, number: object) -> int:
    """The number of a node; raises RequestError if it is none."""
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(trace.nodes):
        return number
    if not trace.nodes:
        raise RequestError("drawing.no_focus_at_all", focus=brief(number))
    raise RequestError("drawing.no_focus", focus=brief(number), last=len(trace.nodes) - 1)


def _listed(names: Iterable[str]) -> str:
    found = [brief(name) for name in names]
    return ", ".join([*found[:MOST_NAMED], *(["…"] if len(found) > MOST_NAMED else [])])


def brief(value: object) -> str:
    """A value as a sentence can hold it."""
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
