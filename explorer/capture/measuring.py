"""Measures tensors late, in batches: what is to be noted is held by reference until about a cache's worth has come together.

`Meter.hold` gives a ticket for the Note to be; `Meter.note` makes the Note, later, when a trace is put together. What is held is measured
before anything can change it: before an op writes to its storage (`protect` copies it), and before the program goes on after the engine ran
(`flush`). One numpy pass over a batch costs a fraction of a pass over each of its tensors.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy
import torch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from explorer.capture.accelerated import figures_on_device, is_capturing, stream_of
from explorer.capture.journal import Outline
from explorer.capture.lending import is_lent
from explorer.capture.notes import (
    PLAIN_TYPES,
    SAFE_SQUARES,
    device_name,
    dtype_name,
    figures,
    is_plain,
    measure,
    measure_plain,
    outline,
    shape_of,
    sizes_of,
)
from explorer.capture.places import storage_of
from explorer.capture.rows import Pass, Row
from explorer.model import MOST_VALUES, Note

Ticket = Any  # a number that stands in the place of a Note until that is made

BATCH = 1 << 16  # elements held before they are measured: few enough to stay in a cache, enough that a pass over them all is what counts
FAR = 1 << 22  # elements held on devices: a copy from there costs as much as a pass over many
MOST_HELD = 4_096  # tensors held before they are measured
LARGE = 1 << 14  # elements from which on a tensor is measured at once: a pass of its own costs it no more
_FLOATS = {
    torch.float32: None,
    torch.float64: None,
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
}  # measured as they are, or as
_keys = torch._C._dispatch_keys
_flatten = torch._C._nn.flatten_dense_tensors
_undispatched = torch._C._DisableTorchDispatch
_functorch_level = torch._C._functorch.maybe_current_level


# A tensor that waits to be measured: ticket, tensor, number of elements, the only version to measure (None: any), stream that computes it.
Held = tuple[Ticket, torch.Tensor, int, int | None, Any]


class Batch(NamedTuple):
    """What was found of some tickets: rows of `table` are min, max, mean, std, norm, zeros, `sizes` the numbers of elements.

    `elements` are those of all that are small enough to be listed, one after the other.
    """

    tickets: list[Ticket]
    table: numpy.ndarray[Any, Any]
    sizes: list[int]
    elements: numpy.ndarray[Any, Any]


class Meter:
    """Notes of tensors, by ticket. Without `statistics` only shape, data type and device are noted.

    `measured` is called after a batch, when the tickets given out so far have become Notes. Batches may be measured from another thread.
    """

    def __init__(self, *, statistics: bool, measured: Callable[[], None] | None = None) -> None:
        self.statistics = statistics
        self._measured = measured
        self._lock = threading.RLock()
        self._first = 0  # tickets before this one are forgotten
        self._outlines: list[tuple[Any, Any, Any]] = []  # shape, data type and device as torch tells them, or as they are written
        self._notes: dict[Ticket, Note] = {}
        self._batches: list[Batch] = []
        self._shared: dict[Ticket, Ticket | Note] = {}
        self._held: list[Held] = []
        self._waiting = self._far = 0  # elements held, in this machine's memory and on devices
        self._addresses: dict[int, list[int]] = {}  # of the storages in which something held lies -> its places among the held
        self._kinds: dict[int, bool | None] = {}  # dispatch keys -> lies in this machine's memory, lies on a device, or cannot be read

    # -- taking in

    def hold(self, tensor: torch.Tensor, *, copy: bool = False, counted: bool = False) -> Ticket:
        """A ticket for the Note of `tensor` as it is now. `copy` where it could change without our seeing it.

        `counted` where it could too, and its version tells: not for what an op has just given out, because torch counts after that.
        """
        outlines = self._outlines
        ticket = self._first + len(outlines)
        if type(tensor) not in PLAIN_TYPES:
            return self._at_once(ticket, tensor)
        if not self.statistics:
            try:
                outlines.append((tensor.shape, tensor.dtype, "cpu" if tensor.is_cpu else tensor.device))
            except RuntimeError:  # a strided nested tensor has no shape
                return self._at_once(ticket, tensor)
            return ticket
        keys = _keys(tensor).raw_repr()
        try:
            here = self._kinds[keys]
        except KeyError:
            here = self._kinds[keys] = _lies_here(tensor)
        if here is None:
            return self._at_once(ticket, tensor)
        size, dtype = tensor.numel(), tensor.dtype
        if not size or tensor.is_inference():
            return self._at_once(ticket, tensor)
        if here and (size >= LARGE or dtype not in _FLOATS):
            with _undispatched():
                return self.take(measure_plain(tensor))
        stream = None
        if here:
            self._waiting += size
            if copy or is_lent(tensor):
                tensor = _copied(tensor)
        else:
            if is_capturing(tensor):
                return self.take(outline(tensor))
            self._far += size
            stream = stream_of(tensor)
        outlines.append((tensor.shape, dtype, "cpu" if here else tensor.device))
        with self._lock:
            held = self._held
            self._addresses.setdefault(tensor.untyped_storage()._cdata, []).append(len(held))
            held.append((ticket, tensor, size, tensor._version if counted else None, stream))
        if self._waiting > BATCH or len(held) >= MOST_HELD or self._far > FAR:
            self.flush()
        return ticket

    def _at_once(self, ticket: Ticket, tensor: torch.Tensor) -> Ticket:
        with _undispatched():
            note = measure(tensor, statistics=self.statistics)
        return self.take(note)

    def take(self, note: Note) -> Ticket:
        """A ticket for a Note that is there already."""
        ticket = self.next
        self._outlines.append((note.shape, note.dtype, note.device))
        self._notes[ticket] = note
        return ticket

    def share(self, tensor: torch.Tensor, source: Ticket | Note, *, copy: bool = False) -> Ticket:
        """A ticket for a tensor that has the elements of another in another order or shape: what is known of them, or will be, holds."""
        if tensor.numel() <= MOST_VALUES or not self.statistics or is_lent(tensor):  # values are listed in their own order
            return self.hold(tensor, copy=copy)
        ticket = self.next
        self._outlines.append((shape_of(tensor), dtype_name(tensor.dtype), device_name(tensor.device)))
        self._shared[ticket] = source
        return ticket

    def protect(self, tensors: Iterable[Any]) -> None:
        """These tensors are about to be written to: copy what is held of their storages."""
        if not self._held:
            return
        with self._lock:
            for tensor in tensors:
                for place in self._addresses.pop(storage_of(tensor), ()) if isinstance(tensor, torch.Tensor) else ():
                    ticket, held, size, *_ = self._held[place]
                    copy = _copied(held)
                    self._held[place] = (ticket, copy, size, None, None if copy.is_cpu else stream_of(copy))

    # -- measuring

    def flush(self) -> None:
        """Measure what is held, and let it go."""
        with self._lock:
            held, self._held = self._held, []
            self._addresses.clear()
            self._waiting = self._far = 0
            groups: dict[torch.dtype | None, list[Held]] = {}
            for entry in held:
                _, tensor, _, version, _ = entry
                if (version is None or version == tensor._version) and _is_there(tensor):  # else nobody can know any more
                    groups.setdefault(tensor.dtype if tensor.is_cpu else None, []).append(entry)
            for dtype, entries in groups.items():
                if dtype is None:
                    self._measure_far(entries)
                else:
                    self._batches.append(self._batch(_together(entries, _FLOATS[dtype]), entries))
        if held and self._measured is not None:
            self._measured()

    def _batch(self, array: numpy.ndarray[Any, Any], entries: list[Held]) -> Batch:
        """What is found of the entries, whose elements stand in `array` one after the other; those that need care become Notes at once."""
        sizes = [size for _, _, size, *_ in entries]
        ends = list(accumulate(sizes))
        counts = numpy.array(sizes)
        table, careful = _table(array, counts, numpy.array(ends) - counts)
        tickets = [ticket for ticket, *_ in entries]
        small = counts <= MOST_VALUES
        if careful.size:
            for index in careful.tolist():
                shape, dtype, device = self._outline(tickets[index])
                part = array[ends[index] - sizes[index] : ends[index]]
                listed = _shaped(part.tolist(), shape) if sizes[index] <= MOST_VALUES else None
                self._notes[tickets[index]] = Note(shape, dtype, device, values=listed, **figures(part))
            small[careful] = False
            kept = numpy.setdiff1d(numpy.arange(len(entries)), careful)
            tickets, sizes, table = [tickets[index] for index in kept], [sizes[index] for index in kept], table[kept]
        return Batch(tickets, table, sizes, array[numpy.repeat(small, counts)] if small.any() else array[:0].copy())

    def _measure_far(self, held: list[Held]) -> None:
        """What lies on a device is measured there, all of it at once."""
        with _undispatched(), nullcontext() if _functorch_level() is None else temporarily_clear_interpreter_stack():
            found = figures_on_device([tensor for _, tensor, *_ in held], streams=[stream for *_, stream in held])
        for (ticket, *_), figures_of_it in zip(held, found, strict=True):
            self._notes[ticket] = Note(*self._outline(ticket), **figures_of_it)

    # -- giving out

    def outline(self, ticket: Ticket | Note) -> Note | Outline:
        """Shape, data type and device; the Note itself where there is one."""
        return ticket if isinstance(ticket, Note) else self._outline(ticket)

    def _outline(self, ticket: Ticket) -> Outline:
        shape, dtype, device = self._outlines[ticket - self._first]
        if type(dtype) is str:
            return shape, dtype, device
        return sizes_of(shape), dtype_name(dtype), device if type(device) is str else device_name(device)

    def note(self, ticket: Ticket | Note) -> Note:
        """The Note of a ticket; without statistics where they are not known."""
        if isinstance(ticket, Note):
            return ticket
        if self._batches:
            self._settle()
        found = self._notes.get(ticket)
        if found is not None:
            return found
        shape, dtype, device = self._outline(ticket)
        if ticket not in self._shared:
            return Note(shape, dtype, device)
        known = self.note(self._shared[ticket])
        found = Note(shape, dtype, device, known.min, known.max, known.mean, known.std, known.norm, known.zeros, known.nans, known.infs)
        self._notes[ticket] = found
        return found

    def settled(self, ticket: Ticket | Note) -> Note:
        """The Note of a ticket, whose tensor is measured now if it was not yet."""
        if not isinstance(ticket, Note):
            self.flush()
        return self.note(ticket)

    def _settle(self) -> None:
        with self._lock:
            batches, self._batches = self._batches, []
        for batch in batches:
            elements, end = batch.elements.tolist(), 0
            for ticket, row, size in zip(batch.tickets, batch.table.tolist(), batch.sizes, strict=True):
                shape, dtype, device = self._outline(ticket)
                low, high, mean, std, norm, zeros = row
                listed = None
                if size <= MOST_VALUES:
                    start, end = end, end + size
                    listed = _shaped(elements[start:end], shape)
                self._notes[ticket] = Note(shape, dtype, device, low, high, mean, std, norm, int(zeros), 0, 0, listed)

    @property
    def next(self) -> Ticket:
        """The ticket that will be given out next."""
        return self._first + len(self._outlines)

    def forget(self, before: Ticket) -> None:
        """Forget all tickets before this one."""
        self.flush()
        self._settle()
        kept = {ticket: source for ticket, source in self._shared.items() if ticket >= before}
        self._shared = {
            ticket: self.note(source) if isinstance(source, int) and source < before else source for ticket, source in kept.items()
        }
        self._notes = {ticket: note for ticket, note in self._notes.items() if ticket >= before}
        del self._outlines[: before - self._first]
        self._first = before


def resolve(rows: Iterable[Row], part: Pass, meter: Meter) -> None:
    """Put the Notes of a pass, and of the rows it may refer to, in the place of their tickets."""
    rows = list(rows)
    for row in rows:
        resolve_row(row, meter)
    note = meter.note
    for node in part.nodes:
        for saved in node.saved:
            if saved.shape is None and saved.row is not None:
                shown = rows[saved.row].outputs[saved.output]
                saved.shape, saved.dtype, saved.bytes = shown.shape, shown.dtype, (shown.numel or 0) * _item_size(shown.dtype)
        if node.received is not None:
            node.received = [None if ticket is None else note(ticket) for ticket in node.received]
        if node.sent is not None:
            node.sent = [None if ticket is None else note(ticket) for ticket in node.sent]
        if node.captured is not None:
            node.captured = {number: note(ticket) for number, ticket in node.captured.items()}
    for write in part.writes:
        write.before, write.after = note(write.before), note(write.after)
        write.gradient = None if write.gradient is None else note(write.gradient)
        write.state = {name: note(ticket) for name, ticket in write.state.items()}
    part.roots = [(key, number, note(seed)) for key, number, seed in part.roots]
    for leaf in part.leaves.values():
        leaf.after = None if leaf.after is None else note(leaf.after)


@cache
def _item_size(dtype: str) -> int:
    return int(getattr(torch, dtype).itemsize)


def resolve_row(row: Row, meter: Meter) -> None:
    """The same for one row."""
    if row.outputs and type(row.outputs[0]) is not Note:
        row.outputs = [meter.note(ticket) for ticket in row.outputs]
    if row.base is not None and type(row.base) is not Note:
        row.base = meter.note(row.base)


def _lies_here(tensor: torch.Tensor) -> bool | None:
    with _undispatched():
        return tensor.device.type == "cpu" if is_plain(tensor) else None


def _is_there(tensor: torch.Tensor) -> bool:
    """Whether the storage of a tensor still holds all its elements: it may have been emptied, or made smaller, unseen."""
    size, needed = tensor.untyped_storage().nbytes(), tensor.itemsize
    if size < needed * tensor.numel():  # or it is expanded
        last = tensor.storage_offset() + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
        return bool(size >= needed * (last + 1))
    return True


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that no graph, no mode, and no transform of torch.func's sees."""
    with _undispatched():
        if _functorch_level() is None:
            return tensor.detach().clone()
        with temporarily_clear_interpreter_stack():
            return tensor.detach().clone()


def _together(entries: list[Held], dtype: torch.dtype | None) -> numpy.ndarray[Any, Any]:
    """The elements of all entries, one after the other."""
    with _undispatched(), torch.no_grad(), nullcontext() if _functorch_level() is None else temporarily_clear_interpreter_stack():
        flat = _flatten([tensor for _, tensor, *_ in entries])
        return numpy.from_dlpack((flat if dtype is None else flat.to(dtype)).detach())


def _table(
    array: numpy.ndarray[Any, Any], counts: numpy.ndarray[Any, Any], starts: numpy.ndarray[Any, Any]
) -> tuple[numpy.ndarray[Any, Any], numpy.ndarray[Any, Any]]:
    """The `table` of a batch, and which of its rows are not to be trusted: what is not finite, or too small or large to square."""
    table = numpy.empty((len(counts), 6))
    with numpy.errstate(all="ignore"):
        low, high = numpy.minimum.reduceat(array, starts), numpy.maximum.reduceat(array, starts)
        exact = array.astype(numpy.float64, copy=False)
        mean = numpy.add.reduceat(exact, starts) / counts
        centred = exact - numpy.repeat(mean, counts)
        centred *= centred
        spread = numpy.add.reduceat(centred, starts)
        squares = spread + counts * mean * mean
        table[:, 0], table[:, 1], table[:, 2] = low, high, mean
        table[:, 3], table[:, 4] = numpy.sqrt(spread / counts), numpy.sqrt(squares)
        zero = array == 0
        table[:, 5] = numpy.add.reduceat(zero, starts, dtype=numpy.int64) if zero.any() else 0
        constant = low == high
        table[constant, 3], table[constant, 2] = 0.0, low[constant]
        safe = (squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1]) & (constant | (spread > SAFE_SQUARES[0]))
    return table, numpy.flatnonzero(~(safe | (constant & (low == 0))))


def _shaped(values: list[float], shape: tuple[int | str, ...]) -> Any:
    """A flat list as nested tuples of the shape."""
    if len(shape) == 1:
        return tuple(values)
    if not shape:
        return values[0]
    level: list[Any] = values
    for size in reversed(shape[1:]):
        assert isinstance(size, int)
        level = [tuple(level[start : start + size]) for start in range(0, len(level), size)]
    return tuple(level)
