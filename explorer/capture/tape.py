"""What is kept of a run so that its ops can be run again in double precision: each op with its arguments, tensors by reference.

A tensor that an op on the tape made is a reference to that op's output; any other (a leaf, an input, a buffer) is copied the first time
an op reads it. What a run decided is kept as it went: random draws, and whatever is no floating point number though made of some (masks,
indices). Tensors themselves are not held, only their storages, so that no graph lives longer because it is verified.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch

from explorer.capture.notes import PLAIN_TYPES, is_plain
from explorer.capture.ops import Op, learn
from explorer.capture.watch import Watch

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder

_NESTED = (list, tuple)
_is_grad_enabled = torch.is_grad_enabled
_SEEDED = torch.Tag.nondeterministic_seeded
_DROPS = ("dropout_p", "dropout", "p")  # arguments by which an op draws nothing where they are 0


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor on the tape, by its number."""

    number: int


@dataclass(slots=True)
class Value:
    """A tensor on the tape: output `output` of entry `entry`, or, where `entry` is None, one from outside with a copy of its content.

    `place` tells how it lies in its storage. `kept` is its content where that is not to be computed again. `made_before`: it has a graph
    from before the tape. Its content is that of after it was made; later changes are entries of their own.
    """

    storage: int
    place: tuple[int, tuple[int, ...], tuple[int, ...]]
    dtype: torch.dtype
    device: torch.device
    entry: int | None = None
    output: int = 0
    kept: torch.Tensor | None = None
    made_before: bool = False

    @property
    def floats(self) -> bool:
        return self.dtype.is_floating_point or self.dtype.is_complex


@dataclass(slots=True)
class Entry:
    """One op. `args` and `kwargs` have a `Ref` in place of each tensor; `outputs` and `writes` are numbers of values.

    `cut`: autograd does not look through it (detach, no_grad). `random`: what it gave was drawn. `row` is the row that the recorder made.
    """

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    cut: bool
    random: bool
    row: int | None
    outputs: list[int] = field(default_factory=list)
    drawn: list[torch.Tensor] = field(default_factory=list)  # what a random op wrote, in the order of `writes`
    single: bool = True  # gave one tensor, not a tuple or a list


class Tape:
    """The ops of a recording as they ran."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.values: list[Value] = []
        self.leaves: dict[int, list[int]] = {}  # id of a leaf -> its values, one for each state in which it was read
        self.storages: dict[int, Any] = {}  # address -> storage, which must not be given to another tensor
        self.trouble: str | None = None
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], int, int]] = {}  # id -> tensor, value, version when it was copied
        self._lying: dict[tuple[Any, ...], int] = {}  # storage and how it lies there -> value
        self._changed: set[int] = set()  # storages that an entry wrote to
        self._filled: dict[int, int] = {}  # storages written to while a leaf lay there -> values before this one are from before that

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]

    # -- what the mode reports

    def before(self, op: Op, func: Any, args: Any, kwargs: Any, *, in_function: bool, row: int | None) -> Entry | None:
        """An op is about to run; None if it is not to be on the tape, since it only changes a leaf."""
        written = [tensor for tensor in op.written(args, kwargs) if isinstance(tensor, torch.Tensor)] if op.mutable else []
        if any(map(_is_leaf, written)):
            self._filled.update((_address(tensor), len(self.values)) for tensor in written)
            return None  # when the leaf is read next, it is copied anew
        reads: list[int] = []
        filled = self._referred(args, reads)
        named = {name: self._referred(value, reads) for name, value in kwargs.items()}
        writes = tuple(self._number(tensor) for tensor in written)
        cut = not in_function and (op.is_detach or not _is_grad_enabled())
        drawn = _SEEDED in func.tags and _draws(func, args, kwargs)
        return Entry(func, filled, named, tuple(reads), writes, cut, drawn, row)

    def after(self, entry: Entry, result: Any, args: Any, kwargs: Any, op: Op) -> None:
        """The op has run."""
        number = len(self.entries)
        self.entries.append(entry)
        entry.single = isinstance(result, torch.Tensor)
        from_floats = any(self.values[read].floats for read in entry.reads)
        for place, tensor in enumerate(_tensors((result,))):
            known = self._find(tensor) if entry.writes else None
            if known is not None and known in entry.writes:
                entry.outputs.append(known)
                continue
            value = self._value(tensor)
            value.entry, value.output = number, place
            if op.fresh and (entry.random or (from_floats and not value.floats)) and not entry.writes:
                value.kept = tensor.detach().clone()
            entry.outputs.append(self._add(value, tensor, cut=entry.cut))
        written = [tensor for tensor in op.written(args, kwargs) if isinstance(tensor, torch.Tensor)] if entry.writes else []
        for tensor in written:
            self._changed.add(_address(tensor))
            if entry.random:
                entry.drawn.append(tensor.detach().clone())

    # -- references

    def find(self, tensor: torch.Tensor) -> int | None:
        """The value of a tensor that is on the tape."""
        return self._find(tensor)

    def content(self, number: int) -> torch.Tensor | None:
        """What a value held when it was made, as far as that is still there."""
        value = self.values[number]
        if value.kept is not None:
            return value.kept
        storage = self.storages.get(value.storage)
        if storage is None or value.storage in self._changed:
            return None
        return torch.empty(0, dtype=value.dtype, device=value.device).set_(storage, *value.place)

    def _referred(self, value: Any, reads: list[int]) -> Any:
        if isinstance(value, torch.Tensor):
            number = self._number(value)
            reads.append(number)
            return Ref(number)
        if isinstance(value, _NESTED):
            return type(value)(self._referred(item, reads) for item in value) if type(value) in _NESTED else value
        return value

    def _number(self, tensor: torch.Tensor) -> int:
        """The value that is read; a leaf, and what no entry made, is copied."""
        leaf = _is_leaf(tensor)
        known = self._known.get(id(tensor))
        if known is not None and known[0]() is tensor:
            number, version = known[1], known[2]
            value = self.values[number]
            if leaf and number not in self.leaves.get(id(tensor), ()):
                return self._outside(tensor, leaf=True)  # it has become one
            if value.entry is None and (leaf or value.storage not in self._changed) and _version(tensor) != version:
                return self._outside(tensor, leaf=leaf)  # it was changed unseen, or as a leaf is
            if not leaf and tensor.requires_grad and value.entry is not None and self.entries[value.entry].cut:
                number = self._unpacked(number)
            return self._outside(tensor, leaf=leaf) if self._is_old(number) else number
        if leaf:
            self.leaves.pop(id(tensor), None)  # of a leaf that is gone
        else:
            found = self._lying.get(_lies(tensor))
            if found is not None and not self._is_old(found):
                self._remember(tensor, found)
                return found
        return self._outside(tensor, leaf=leaf)

    def _unpacked(self, number: int) -> int:
        """A result that an op saved for its backward is kept and handed out detached, and hung into the graph again by torch after that:
        the value that was detached."""
        while (maker := self.values[number].entry) is not None and self.values[number].storage not in self._changed:
            entry = self.entries[maker]
            if not (entry.cut and entry.func is torch.ops.aten.detach.default):
                break
            number = entry.reads[0]
        return number

    def _is_old(self, number: int) -> bool:
        """Whether a leaf was written to since where this value lies: one that needs no gradient any more is read from there."""
        return number < self._filled.get(self.values[number].storage, 0)

    def _find(self, tensor: torch.Tensor) -> int | None:
        known = self._known.get(id(tensor))
        if known is not None and known[0]() is tensor:
            return known[1]
        return self._lying.get(_lies(tensor))

    def _outside(self, tensor: torch.Tensor, *, leaf: bool) -> int:
        if type(tensor) not in PLAIN_TYPES or not is_plain(tensor):
            self.trouble = self.trouble or "kind"
        value = self._value(tensor)
        value.kept = tensor.detach().clone()
        value.made_before = tensor.requires_grad and not leaf
        number = self._add(value, tensor)
        if leaf:
            self.leaves.setdefault(id(tensor), []).append(number)
        return number

    def _value(self, tensor: torch.Tensor) -> Value:
        address, *place = _lies(tensor)
        if address not in self.storages:
            self.storages[address] = tensor.untyped_storage()
        return Value(address, tuple(place[:3]), tensor.dtype, tensor.device)

    def _add(self, value: Value, tensor: torch.Tensor, *, cut: bool = False) -> int:
        number = len(self.values)
        self.values.append(value)
        if not (cut and _lies(tensor) in self._lying):  # who lies where something was detached is not what was detached
            self._lying[_lies(tensor)] = number
        self._remember(tensor, number)
        return number

    def _remember(self, tensor: torch.Tensor, number: int) -> None:
        self._known[id(tensor)] = (weakref.ref(tensor), number, _version(tensor))


class Taped(Watch):
    """The dispatch mode of a recording that is verified: the ops go onto a tape, too."""

    def __init__(self, recorder: Recorder, tape: Tape) -> None:
        super().__init__(recorder)
        self._tape = tape

    def _learned(self, func: Any) -> Op:
        known = learn(func)
        op = self._ops[id(func)] = known if known.silent else replace(known, call=_Taping(self._recorder, self._tape, known, func))
        return op


class _Taping:
    """Runs an op, and puts it onto the tape if it is the program's."""

    def __init__(self, recorder: Recorder, tape: Tape, op: Op, func: Any) -> None:
        self._recorder, self._tape, self._op, self._func = recorder, tape, op, func

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, tape, op = self._recorder, self._tape, self._op
        if recorder.paused or tape.trouble is not None or get_ident() != recorder.thread:
            return op.call(*args, **kwargs)
        row = recorder.rows[-1] if recorder.rows else None
        if row is not None and (row.schema != op.schema or row.outputs or row.reason is not None):
            row = None  # the row of an earlier op: this one has none
        before: list[tuple[torch.Tensor, torch.Tensor]] = []
        try:
            entry = tape.before(
                op,
                self._func,
                args,
                kwargs,
                in_function=row is not None and row.function_source is not None,
                row=None if row is None else row.index,
            )
            before = _written_without_grad(entry, op, args, kwargs)
        except (RuntimeError, NotImplementedError, TypeError):  # a tensor without a storage, or one that cannot be copied
            tape.trouble, entry = "kind", None
        result = op.call(*args, **kwargs)
        if entry is not None:
            try:
                if before and all(torch.equal(tensor.detach(), content) for tensor, content in before):
                    return result  # as the clamp in cosine_similarity: to autograd and to the values alike it never was
                tape.after(entry, result, args, kwargs, op)
            except (RuntimeError, NotImplementedError, TypeError):
                tape.trouble = "kind"
        return result


def _written_without_grad(entry: Entry | None, op: Op, args: Any, kwargs: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """What an op that autograd does not look through is about to write to, with a copy of what is there."""
    if entry is None or not entry.cut or entry.random or not entry.writes or op.fresh:
        return []
    return [(tensor, tensor.detach().clone()) for tensor in op.written(args, kwargs) if isinstance(tensor, torch.Tensor)]


def _draws(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether an op that may draw random numbers does, with these arguments."""
    given = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    if func._schema.name == "aten::native_dropout" and given.get("train") is False:
        return False
    for argument in func._schema.arguments:
        if argument.name in _DROPS and str(argument.type) == "float" and func._schema.name != "aten::bernoulli":
            value = given.get(argument.name, argument.default_value)
            if value == 0:
                return False
    return not (func._schema.name.startswith("aten::rrelu") and given.get("training") is False)


def _is_leaf(tensor: torch.Tensor) -> bool:
    """A view can be one, too, of a base that needs no gradient; any other is not to be asked, as torch could remake its node."""
    return tensor.requires_grad and (tensor._base is None or not tensor._base.requires_grad) and tensor.is_leaf


def _lies(tensor: torch.Tensor) -> tuple[Any, ...]:
    return _address(tensor), tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _version(tensor: torch.Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, _NESTED):
            yield from _tensors(value)
