"""The parts of a document that repeat: notes, sources, formulas, shapes. Each is read strictly, and equal ones become one object.

Sources and formulas are few and all remembered. Notes are as many as nodes: only those read lately are, and whoever reads an edge or an
update says where an equal one may stand. That keeps a loaded trace small without a table as large as itself.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from math import copysign
from operator import itemgetter
from sys import intern
from typing import Any, TypeVar

from explorer.fields import LARGEST, Misfit, as_float, count, each, field, maybe_count, maybe_text, named, number, one_of, plain, text
from explorer.model import MOST_VALUES, NO_ARGUMENTS, Arguments, Formula, Note, Source

__all__ = ["Repeated"]

Number = TypeVar("Number", int, int | None)

_ZERO = 0.0
_LATELY = 1024  # notes remembered
_MOST_DIMENSIONS = 64  # torch's own limit
_RULE_SOURCES = ("derivatives.yaml", "explorer", "user code")


_FIELDS = itemgetter("dtype", "device", "min", "max", "mean", "std", "norm", "zeros", "nans", "infs", "values")


class Repeated:
    """Reads the parts that repeat, and remembers them."""

    def __init__(self) -> None:
        self._notes: dict[bytes, Note] = {}
        self._singles: dict[int, tuple[Note | None]] = {}
        self._figures: dict[float, float] = {}
        self._counts: dict[Any, Any] = {}
        self._sources: dict[bytes, Source] = {}
        self._formulas: dict[bytes, Formula] = {}
        self._arguments: dict[bytes, Arguments] = {}
        self._shapes: dict[tuple[int | str, ...], tuple[int | str, ...]] = {}

    def note(self, raw: Any) -> Note | None:
        """The note, or None for null."""
        return None if raw is None else self.some_note(raw)

    def some_note(self, raw: Any, *likely: Note | None) -> Note:
        """The note, as the same object as an equal one of the `likely` ones or of those read lately."""
        shape = self.shape(raw)
        for other in likely:
            if other is not None and other.shape == shape and _says(raw, other):
                return other
        key = _key(raw)
        note = self._notes.get(key)
        if note is None:
            note = self._read_note(raw, shape)
            if len(self._notes) >= _LATELY:
                self._notes.clear()
                self._singles.clear()
                self._figures.clear()
                self._counts.clear()
            self._notes[key] = note
        return note

    def notes(self, raw: Any, key: str) -> tuple[Any, ...]:
        """A list of notes; mostly it is of one, and that of an op that passes on what it gets is the same again."""
        notes = each(raw, key, self.some_note if key == "outputs" else self.note)
        return self._singles.setdefault(id(notes[0]), notes) if len(notes) == 1 else notes

    def figure(self, raw: Any, key: str) -> float | None:
        """A statistic, as the same object as an equal one read lately: a view has those of its base."""
        value = number(raw, key)
        return None if value is None else self.known(value)

    def known(self, value: float) -> float:
        """The float as the same object as an equal one read lately; a zero with its sign."""
        if value:
            return self._figures.setdefault(value, value)
        return _ZERO if copysign(1.0, value) > 0 else value

    def whole(self, value: Number) -> Number:
        """A count or a number of bytes, which comes again and again."""
        return self._counts.setdefault(value, value)

    def _read_note(self, raw: Any, shape: tuple[int | str, ...]) -> Note:
        dtype, values = intern(text(raw, "dtype")), field(raw, "values")
        return Note(
            shape=shape,
            dtype=dtype,
            device=intern(text(raw, "device")),
            min=self.figure(raw, "min"),
            max=self.figure(raw, "max"),
            mean=self.figure(raw, "mean"),
            std=self.figure(raw, "std"),
            norm=self.figure(raw, "norm"),
            zeros=self.whole(maybe_count(raw, "zeros")),
            nans=self.whole(maybe_count(raw, "nans")),
            infs=self.whole(maybe_count(raw, "infs")),
            values=None if values is None else _values(values, dtype, shape, self.known),
        )

    def shape(self, raw: Any) -> tuple[int | str, ...]:
        """The shape of a note or of a saved tensor."""
        shape = _shape(raw)
        return self._shapes.setdefault(shape, shape)

    def source(self, raw: Any) -> Source | None:
        """The source, or None for null."""
        return None if raw is None else self.some_source(raw)

    def some_source(self, raw: Any) -> Source:
        """The source."""
        key = _key(raw)
        return self._sources.get(key) or self._sources.setdefault(key, _source(raw))

    def formula(self, raw: Any) -> Formula | None:
        """The formula, or None for null."""
        if raw is None:
            return None
        key = _key(raw)
        return self._formulas.get(key) or self._formulas.setdefault(key, _formula(raw))

    def arguments(self, raw: Any) -> Arguments:
        """The plain arguments of the op of a node."""
        given = field(raw, "arguments")
        if given == {}:
            return NO_ARGUMENTS
        key = _key(given)
        return self._arguments.get(key) or self._arguments.setdefault(key, Arguments(named(raw, "arguments", plain)))


def _key(raw: Any) -> bytes:
    """The same for the same raw value only: unlike equality, marshal's bytes tell 1 from 1.0 and 0.0 from -0.0."""
    try:
        return marshal.dumps(raw, 2)
    except ValueError:
        raise Misfit("", "flat enough") from None


def _says(raw: Any, note: Note) -> bool:
    """Whether a note that was read from `raw` would be equal to `note`, whose shape is that of `raw`, to the sign of a zero; False where
    that takes a closer look (null, and what is not finite)."""
    try:
        dtype, device, low, high, mean, std, norm, zeros, nans, infs, values = _FIELDS(raw)
    except KeyError:
        return False
    return (
        mean == note.mean
        and norm == note.norm
        and std == note.std
        and low == note.min
        and high == note.max
        and type(low) is type(high) is type(mean) is type(std) is type(norm) is float
        and (
            0.0 not in (low, high, mean, std, norm)
            or list(map(str, (low, high, mean, std, norm))) == list(map(str, (note.min, note.max, note.mean, note.std, note.norm)))
        )
        and type(zeros) is type(nans) is type(infs) is int
        and (zeros, nans, infs, dtype, device) == (note.zeros, note.nans, note.infs, note.dtype, note.device)
        and (values is note.values is None or _are(values, note.values))
    )


def _are(raw: Any, values: Any) -> bool:
    """Whether nested lists are these nested tuples of floats; False where that takes a closer look (zeros, which have a sign)."""
    if type(raw) is list:
        return type(values) is tuple and len(raw) == len(values) and all(map(_are, raw, values))
    return type(raw) is type(values) is float and raw == values != 0.0


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


def _values(raw: Any, dtype: str, shape: tuple[int | str, ...], known: Callable[[float], float]) -> Any:
    """The nested values, each of the type that `dtype` calls for; floats are the objects that `known` gives for equal ones."""
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
                raise Misfit("values", f"lists nested {len(shape)} deep")
            return tuple([nested(entry, depth - 1) for entry in value])
        found, left = kind(value), left - 1
        if found is None or left < 0:
            raise Misfit("values", f"{expected} in each place, at most {MOST_VALUES}")
        return known(found) if type(found) is float and found == found else found

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


def _shape(raw: Any) -> tuple[int | str, ...]:
    sizes = field(raw, "shape")
    if type(sizes) is not list or len(sizes) > _MOST_DIMENSIONS:
        raise Misfit("shape", f"a list of at most {_MOST_DIMENSIONS} sizes")
    elements = 1
    for place, size in enumerate(sizes):
        if type(size) is int and 0 <= size < LARGEST:
            elements *= size
        elif type(size) is not str:
            raise Misfit(f"shape[{place}]", "int >= 0 or string")
    if elements >= LARGEST:
        raise Misfit("shape", "a shape of fewer than 2**63 elements")
    return tuple(sizes)
