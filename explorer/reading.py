"""The JSON document of format 1 -> Trace, strictly: whatever is not as the format says gets one sentence that names the place.

A reader raises `Misfit` with the expected form; whoever reads the thing around it adds where it stands. Keys that are not known are passed
over, as the format may grow. Parts that stand in the document many times over become one object: see `explorer.repeated`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sys import intern
from types import MappingProxyType
from typing import Any

from explorer.checking import read_checks
from explorer.errors import FileError
from explorer.fields import (
    LARGEST,
    Misfit,
    Part,
    both_languages,
    count,
    each,
    field,
    flag,
    maybe_count,
    maybe_text,
    named,
    number,
    one_of,
    plain,
    string,
    text,
    whole,
    within,
)
from explorer.model import (
    KINDS,
    NO_ARGUMENTS,
    STATUSES,
    Accumulated,
    Edge,
    Finding,
    MadeWith,
    Module,
    Node,
    Note,
    Related,
    Saved,
    Time,
    Trace,
    Update,
)
from explorer.repeated import Repeated

__all__ = ["FORMAT", "LISTS", "from_document", "from_parts"]

FORMAT = 1
LISTS = frozenset({"modules", "nodes", "edges", "updates", "findings"})  # read entry by entry
_SEVERITIES = ("error", "warning", "info")
_STATES = ("kept", "freed", "stale")
_OPTIONAL = frozenset({"sources", "checks", "storages"})
_NO_TIME = Time()
_MOST_TIMES = 20_000  # figures remembered


def from_document(document: Any, *, path: str = "trace.json") -> Trace:
    """The Trace that `document` (what a JSON parser gives) states; `path` names the file in the sentence of the FileError.

    Types and sizes are checked here, contradictions between the parts by `Trace.check`.
    """
    return from_parts(document.items() if type(document) is dict else (), path=path)


def from_parts(parts: Iterable[tuple[str, Any]], *, path: str) -> Trace:
    """The same from key after key, the long lists as `Entries` where they are still being read.

    A wrong part is only told once the format is known: what a later version writes is not called broken.
    """
    read = _Reader().parts()
    found: dict[str, Any] = {}
    known, wrong = False, None
    for key, value in parts:
        if key == "format":
            known = _check_format(value, path)
        elif key in read and wrong is None:
            name, reader = read[key]
            try:
                found[name] = reader({key: value}, key)
            except Misfit as misfit:
                wrong = misfit
            except RecursionError:
                raise FileError("file.nested", path=path) from None
        if known and wrong is not None:
            break
    if not known:
        raise FileError("file.not_a_trace", path=path)
    missing = next((key for key, (name, _) in read.items() if name not in found and key not in _OPTIONAL), None)
    if wrong is None and missing is not None:
        wrong = Misfit(missing, "present")
    if wrong is not None:
        raise FileError("file.field", path=path, place=wrong.shown, expected=wrong.expected)
    return Trace(**found)


def _check_format(number: Any, path: str) -> bool:
    if type(number) is not int or number < FORMAT:
        raise FileError("file.not_a_trace", path=path)
    if number > FORMAT:
        raise FileError("file.newer", path=path, format=number, known=FORMAT)
    return True


class _Reader:
    """Reads the parts of a document; what stands in it many times becomes one object."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._repeated = Repeated()
        self._times: dict[float | None, float | None] = {}

    def parts(self) -> dict[str, tuple[str, Callable[[Any, str], Any]]]:
        """For each key of the document the name that its part has in a Trace, and what reads it."""

        def one(read: Callable[[Any], Part]) -> Callable[[Any, str], Part]:
            return lambda raw, key: within(raw, key, read)

        def many(read: Callable[[Any], Part]) -> Callable[[Any, str], tuple[Part, ...]]:
            return lambda raw, key: each(raw, key, read)

        return {
            "title": ("title", text),
            "partial": ("partial", flag),
            "pass": ("number", count),
            "passes": ("passes", count),
            "made_with": ("made_with", one(_made_with)),
            "loss": ("loss", number),
            "modules": ("modules", many(_module)),
            "nodes": ("nodes", many(self.node)),
            "edges": ("edges", many(self.edge)),
            "forward": ("forward", many(self.id)),
            "backward": ("backward", many(self.id)),
            "updates": ("updates", many(self.update)),
            "findings": ("findings", many(self.finding)),
            "checks": ("checks", one(read_checks)),
            "storages": ("storages", many(lambda raw: self._repeated.whole(whole(raw)))),
            "sources": ("sources", lambda raw, key: MappingProxyType(named(raw, key, string))),
        }

    def id(self, raw: Any, key: str = "") -> int:
        value = whole(raw, key)
        return self._nodes[value].id if value < len(self._nodes) and self._nodes[value].id == value else value

    def flow(self, raw: Any, source: int, output: int, target: int) -> Note | None:
        """What an edge brought: often all that its source received, or what its target received passed on."""
        if raw is None:
            return None
        nodes = self._nodes
        received = nodes[source].gradients if source < len(nodes) else ()
        passed_on = nodes[target].gradients if target < len(nodes) else ()
        return self._repeated.some_note(raw, *received[output : output + 1], *passed_on[:1])

    def changed(self, node: int) -> Callable[[Any], Note | None]:
        """Reads what an update says of `node`: much of it stands at the node, too."""
        known: tuple[Note | None, ...] = ()
        if node < len(self._nodes):
            leaf = self._nodes[node]
            known = (*leaf.outputs, *leaf.gradients, None if leaf.accumulated is None else leaf.accumulated.after)
        return lambda raw: None if raw is None else self._repeated.some_note(raw, *known)

    def accumulated(self, raw: Any) -> Accumulated | None:
        if raw is None:
            return None
        return Accumulated(within(raw, "before", self._repeated.note), within(raw, "after", self._repeated.note))

    def node(self, raw: Any) -> Node:
        node = Node(
            id=count(raw, "id"),
            kind=one_of(raw, "kind", KINDS),
            name=maybe_text(raw, "name"),
            names=each(raw, "names", _word),
            op=maybe_text(raw, "op"),
            autograd=maybe_text(raw, "autograd"),
            module=intern(text(raw, "module")),
            source=within(raw, "source", self._repeated.source),
            outputs=self._repeated.notes(raw, "outputs"),
            gradients=self._repeated.notes(raw, "gradients"),
            seeds=self._repeated.notes(raw, "seeds"),
            accumulated=within(raw, "accumulated", self.accumulated),
            status=one_of(raw, "status", STATUSES),
            reason=maybe_text(raw, "reason"),
            saved=each(raw, "saved", self.saved),
            formula=within(raw, "formula", self._repeated.formula),
            time=within(raw, "time_us", self.time),
            hooks=each(raw, "hooks", _word) if "hooks" in raw else (),
            arguments=self._repeated.arguments(raw) if "arguments" in raw else NO_ARGUMENTS,
            received=each(raw, "received", self.maybe_storage) if "received" in raw else (),
        )
        self._nodes.append(node)
        return node

    def time(self, raw: Any) -> Time:
        """The times of a node: of a hundred thousand, told to the nanosecond, most were met before."""
        forward, backward = number(raw, "forward"), number(raw, "backward")
        if forward is None and backward is None:
            return _NO_TIME
        if len(self._times) > _MOST_TIMES:
            self._times.clear()
        known = self._times.setdefault
        return Time(forward and known(forward, forward), backward and known(backward, backward))  # a zero keeps its sign

    def saved(self, raw: Any) -> Saved:
        other = field(raw, "shared_with")
        return Saved(
            name=intern(text(raw, "name")),
            shape=self._repeated.shape(raw),
            dtype=intern(text(raw, "dtype")),
            bytes=self._repeated.whole(count(raw, "bytes")),
            shared_with=None if other is None else self.id(other, "shared_with"),
            state=one_of(raw, "state", _STATES),
            storage=self.storage(raw),
        )

    def edge(self, raw: Any) -> Edge:
        source, target = self.id(field(raw, "source"), "source"), self.id(field(raw, "target"), "target")
        output = count(raw, "output")
        return Edge(
            source=source,
            output=output,
            target=target,
            input=count(raw, "input"),
            gradient=within(raw, "gradient", lambda value: self.flow(value, source, output, target)),
            differentiable=flag(raw, "differentiable"),
            storage=self.storage(raw),
        )

    def storage(self, raw: Any) -> int | None:
        return within(raw, "storage", self.maybe_storage) if "storage" in raw else None

    def maybe_storage(self, raw: Any) -> int | None:
        """The number of a storage: many are also that of a node, and stand at one after the other."""
        return None if raw is None else self._repeated.whole(self.id(raw))

    def update(self, raw: Any) -> Update:
        node = self.id(field(raw, "node"), "node")
        note = self.changed(node)
        return Update(
            node=node,
            optimizer=maybe_text(raw, "optimizer"),
            group=maybe_count(raw, "group"),
            before=within(raw, "before", note) or _refuse("before"),
            gradient=within(raw, "gradient", note),
            after=within(raw, "after", note) or _refuse("after"),
            state=MappingProxyType(named(raw, "state", self._repeated.some_note)),
            settings=MappingProxyType(named(raw, "settings", plain)) if "settings" in raw else MappingProxyType({}),
        )

    def finding(self, raw: Any) -> Finding:
        return Finding(
            kind=text(raw, "kind"),
            severity=one_of(raw, "severity", _SEVERITIES),
            node=maybe_count(raw, "node"),
            name=maybe_text(raw, "name"),
            source=within(raw, "source", self._repeated.source),
            related=each(raw, "related", self.related),
            message=both_languages(raw, "message"),
            remedy=both_languages(raw, "remedy"),
        )

    def related(self, raw: Any) -> Related:
        return Related(text(raw, "role"), within(raw, "source", self._repeated.some_source))


def _refuse(place: str) -> Any:
    raise Misfit(place, "object")


def _word(raw: Any) -> str:
    return intern(string(raw))


def _module(raw: Any) -> Module:
    return Module(text(raw, "path"), text(raw, "class"), maybe_text(raw, "parent"), count(raw, "parameters"))


def _made_with(raw: Any) -> MadeWith:
    seed = field(raw, "seed")
    if seed is not None and (type(seed) is not int or not -LARGEST <= seed < 2 * LARGEST):
        raise Misfit("seed", "int or null")
    return MadeWith(
        explorer=text(raw, "explorer"),
        torch=text(raw, "torch"),
        python=text(raw, "python"),
        device=text(raw, "device"),
        dtype=text(raw, "dtype"),
        seed=seed,
    )
