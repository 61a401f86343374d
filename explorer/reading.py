"""The JSON document of format 1 -> Trace, strictly: whatever is not as the format says gets one sentence that names the place.

A reader raises `Misfit` with the expected form; whoever reads the thing around it adds where it stands. Keys that are not known are passed
over, as the format may grow. Parts that stand in the document many times over become one object: see `_Reader.shared`.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from sys import intern
from types import MappingProxyType
from typing import Any

from explorer.errors import FileError
from explorer.fields import (
    LARGEST,
    NOT_FINITE,
    Misfit,
    Part,
    as_float,
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
    refuse,
    string,
    text,
    whole,
    within,
)
from explorer.model import (
    KINDS,
    MOST_VALUES,
    STATUSES,
    Accumulated,
    Edge,
    Finding,
    Formula,
    MadeWith,
    Module,
    Node,
    Note,
    Related,
    Saved,
    Source,
    Time,
    Trace,
    Update,
)

__all__ = ["FORMAT", "from_document"]

FORMAT = 1
_MOST_DIMENSIONS = 64  # torch's own limit
_SEVERITIES = ("error", "warning", "info")
_STATES = ("kept", "freed", "stale")
_RULE_SOURCES = ("derivatives.yaml", "explorer", "user code")


def from_document(document: Any, *, path: str = "trace.json") -> Trace:
    """The Trace that `document` (what a JSON parser gives) states; `path` names the file in the sentence of the FileError.

    Types and sizes are checked here, contradictions between the parts by `Trace.check`.
    """
    number = document.get("format") if type(document) is dict else None
    if type(number) is not int or number < FORMAT:
        raise FileError("file.not_a_trace", path=path)
    if number > FORMAT:
        raise FileError("file.newer", path=path, format=number, known=FORMAT)
    try:
        return _trace(document)
    except Misfit as misfit:
        raise FileError("file.field", path=path, place=misfit.place, expected=misfit.expected) from None


def _trace(document: dict[str, Any]) -> Trace:
    read = _Reader()
    made = within(document, "made_with", _made_with)
    return Trace(
        title=text(document, "title"),
        partial=flag(document, "partial"),
        number=count(document, "pass"),
        passes=count(document, "passes"),
        made_with=made,
        loss=number(document, "loss"),
        modules=each(document, "modules", _module),
        nodes=each(document, "nodes", read.node),
        edges=each(document, "edges", read.edge),
        forward=each(document, "forward", whole),
        backward=each(document, "backward", whole),
        updates=each(document, "updates", read.update),
        findings=each(document, "findings", read.finding),
        sources=MappingProxyType(named(document, "sources", string)) if "sources" in document else MappingProxyType({}),
    )


class _Reader:
    """Reads the parts that hold notes and sources, each equal one once."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Callable[[Any], Any], bytes], Any] = {}

    def shared(self, raw: Any, read: Callable[[Any], Part]) -> Part | None:
        """`read(raw)`, or None for null; the same object for the same raw value.

        Keyed by marshal's bytes, which tell 1 from 1.0 and 0.0 from -0.0 as equality does not.
        """
        if raw is None:
            return None
        try:
            key = (read, marshal.dumps(raw, 2))
        except ValueError:
            raise Misfit("", "flat enough") from None
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = read(raw)
        found: Part = part
        return found

    def note(self, raw: Any) -> Note | None:
        return self.shared(raw, _note)

    def some_note(self, raw: Any) -> Note:
        return self.shared(raw, _note) or refuse("object")

    def source(self, raw: Any) -> Source | None:
        return self.shared(raw, _source)

    def some_source(self, raw: Any) -> Source:
        return self.shared(raw, _source) or refuse("object")

    def formula(self, raw: Any) -> Formula | None:
        return self.shared(raw, _formula)

    def time(self, raw: Any) -> Time:
        return self.shared(raw, _time) or refuse("object")

    def accumulated(self, raw: Any) -> Accumulated | None:
        if raw is None:
            return None
        return Accumulated(within(raw, "before", self.note), within(raw, "after", self.note))

    def node(self, raw: Any) -> Node:
        return Node(
            id=whole(field(raw, "id"), "id"),
            kind=one_of(raw, "kind", KINDS),
            name=maybe_text(raw, "name"),
            names=each(raw, "names", string),
            op=maybe_text(raw, "op"),
            autograd=maybe_text(raw, "autograd"),
            module=intern(text(raw, "module")),
            source=within(raw, "source", self.source),
            outputs=each(raw, "outputs", self.some_note),
            gradients=each(raw, "gradients", self.note),
            seeds=each(raw, "seeds", self.note),
            accumulated=within(raw, "accumulated", self.accumulated),
            status=one_of(raw, "status", STATUSES),
            reason=maybe_text(raw, "reason"),
            saved=each(raw, "saved", _saved),
            formula=within(raw, "formula", self.formula),
            time=within(raw, "time_us", self.time),
        )

    def edge(self, raw: Any) -> Edge:
        return Edge(
            source=whole(field(raw, "source"), "source"),
            output=whole(field(raw, "output"), "output"),
            target=whole(field(raw, "target"), "target"),
            input=whole(field(raw, "input"), "input"),
            gradient=within(raw, "gradient", self.note),
            differentiable=flag(raw, "differentiable"),
        )

    def update(self, raw: Any) -> Update:
        return Update(
            node=whole(field(raw, "node"), "node"),
            optimizer=maybe_text(raw, "optimizer"),
            group=maybe_count(raw, "group"),
            before=within(raw, "before", self.some_note),
            gradient=within(raw, "gradient", self.note),
            after=within(raw, "after", self.some_note),
            state=MappingProxyType(named(raw, "state", self.some_note)),
            settings=MappingProxyType(named(raw, "settings", _setting)) if "settings" in raw else MappingProxyType({}),
        )

    def finding(self, raw: Any) -> Finding:
        return Finding(
            kind=text(raw, "kind"),
            severity=one_of(raw, "severity", _SEVERITIES),
            node=maybe_count(raw, "node"),
            name=maybe_text(raw, "name"),
            source=within(raw, "source", self.source),
            related=each(raw, "related", self.related),
            message=both_languages(raw, "message"),
            remedy=both_languages(raw, "remedy"),
        )

    def related(self, raw: Any) -> Related:
        return Related(text(raw, "role"), within(raw, "source", self.some_source))


def _note(raw: Any) -> Note:
    shape = _shape(raw)
    dtype = intern(text(raw, "dtype"))
    values = field(raw, "values")
    return Note(
        shape=shape,
        dtype=dtype,
        device=intern(text(raw, "device")),
        min=number(raw, "min"),
        max=number(raw, "max"),
        mean=number(raw, "mean"),
        std=number(raw, "std"),
        norm=number(raw, "norm"),
        zeros=maybe_count(raw, "zeros"),
        nans=maybe_count(raw, "nans"),
        infs=maybe_count(raw, "infs"),
        values=None if values is None else _values(values, dtype, shape),
    )


def _source(raw: Any) -> Source:
    return Source(
        file=text(raw, "file"),
        line=count(raw, "line"),
        code=text(raw, "code"),
        function=text(raw, "function"),
        column=count(raw, "column"),
        end_column=count(raw, "end_column"),
        end_line=maybe_count(raw, "end_line") if "end_line" in raw else None,
    )


def _formula(raw: Any) -> Formula:
    return Formula(text(raw, "text"), one_of(raw, "source", _RULE_SOURCES), maybe_text(raw, "latex"))


def _time(raw: Any) -> Time:
    return Time(number(raw, "forward"), number(raw, "backward"))


def _saved(raw: Any) -> Saved:
    return Saved(
        name=intern(text(raw, "name")),
        shape=_shape(raw),
        dtype=intern(text(raw, "dtype")),
        bytes=count(raw, "bytes"),
        shared_with=maybe_count(raw, "shared_with"),
        state=one_of(raw, "state", _STATES),
    )


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


def _values(raw: Any, dtype: str, shape: tuple[int | str, ...]) -> Any:
    """The nested values, each of the type that `dtype` calls for."""
    kind: Callable[[Any], Any]
    if "complex" in dtype:
        kind, expected = _complex, "string of a complex number"
    elif "float" in dtype:
        kind, expected = as_float, "number"
    elif dtype == "bool":
        kind, expected = _bool, "bool"
    else:
        kind, expected = _whole_or_float, "number"
    left = MOST_VALUES

    def nested(value: Any, depth: int) -> Any:
        nonlocal left
        if depth:
            if type(value) is not list:
                raise Misfit("values", f"nested lists of shape {list(shape)}")
            return tuple([nested(entry, depth - 1) for entry in value])
        found, left = kind(value), left - 1
        if found is None or left < 0:
            raise Misfit("values", f"{expected} in each place, at most {MOST_VALUES}")
        return found

    return nested(raw, len(shape))


def _bool(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _whole_or_float(value: Any) -> float | None:
    return value if type(value) is int and -LARGEST <= value < 2 * LARGEST else as_float(value)


def _complex(value: Any) -> str | None:
    try:
        return value if type(value) is str and len(value) < 100 and complex(value) is not None else None
    except ValueError:
        return None


def _setting(raw: Any) -> Any:
    if type(raw) is list:
        return tuple([_setting(entry) for entry in raw])
    if raw is not None and type(raw) not in (bool, int, float, str):
        raise Misfit("", "a number, bool, string or null")
    return NOT_FINITE.get(raw, raw) if type(raw) is str else raw


def _shape(raw: Any) -> tuple[int | str, ...]:
    sizes = field(raw, "shape")
    if type(sizes) is not list or len(sizes) > _MOST_DIMENSIONS:
        raise Misfit("shape", f"a list of at most {_MOST_DIMENSIONS} sizes")
    elements = 1
    for place, size in enumerate(sizes):
        if type(size) is not str and not (type(size) is int and 0 <= size < LARGEST):
            raise Misfit(f"shape[{place}]", "int >= 0 or string")
        elements *= size if type(size) is int else 1
    if elements >= LARGEST:
        raise Misfit("shape", "a shape of fewer than 2**63 elements")
    return tuple(sizes)
