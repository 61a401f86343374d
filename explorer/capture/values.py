"""Which row a tensor's value comes from, while the program runs.

Tensors are known by themselves as long as they live, else by their storage; nothing but leaves, constants and buffers is held. A leaf or
constant is measured when it is first read, and again when it changed since. Values changed in place through another tensor that shares
the storage are followed to the op that changed them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import torch
from torch import nn

from explorer.capture.faking import Aside
from explorer.capture.lending import Lent, is_unfilled
from explorer.capture.measuring import Meter, Ticket
from explorer.capture.notes import is_silent_view, measure, outline, scalar, store, version_of
from explorer.capture.ops import UNFILLED, Op
from explorer.capture.places import Place, is_gone, let_go, place_of, storage_of
from explorer.capture.rows import EXTERNAL, GONE, Input, Row, moment_after
from explorer.model import Note, StoredTensor


class Values:
    """The living tensors of a recording. `rows` is shared with the recorder; `module` tells the running module's number."""

    def __init__(
        self,
        rows: list[Row],
        *,
        meter: Meter,
        keep: bool,
        quiet: Callable[[], AbstractContextManager[None]],
        module: Callable[[], int | None],
        log: Callable[[Row], None],
    ) -> None:
        self.rows, self.meter, self.keep = rows, meter, keep
        self._quiet, self._module, self._log = quiet, module, log
        self.aside = Aside()
        self.leaves: dict[int, torch.Tensor] = {}  # identity -> leaf that needs a gradient
        self._count = self._retired = 0
        self.gradients: set[int] = set()  # ids of the leaves' .grad
        self.start = 0  # the first row after the last engine call
        self._places: dict[int, Place] = {}  # by id of the tensor
        self._most_places = 10_000
        self._versions: dict[int, int] = {}  # row of a leaf or constant -> version of its tensor when it was measured
        self._identities: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}  # by id of a leaf, constant or buffer -> itself, identity
        self._storages: dict[int, tuple[int, int]] = {}  # storage -> row, output that made it; we hold a weak reference to each of them
        self._leaf_storages: dict[int, int] = {}  # address of a storage -> identity of the leaf in it
        self._writers: dict[int, tuple[int, frozenset[int]]] = {}  # address of a storage -> last row that changed it, tensors read there
        self._newest_write = -1  # the last row of all among them
        self._changed: dict[int, int] = {}  # address of a storage -> number of rows when something wrote to it last
        self._apart: dict[int, weakref.ref[torch.Tensor]] = {}  # share a storage with others and yet count as their own (unsafe_split)
        self._most_storages = 10_000
        self.lent = Lent(self.note, meter.settled)

    # -- notes

    def note(self, tensor: torch.Tensor) -> Note:
        """The Note of a tensor, read so that no mode of anybody's sees it."""
        with torch._C._DisableTorchDispatch():
            return measure(tensor, statistics=self.meter.statistics)

    def number(self, tensor: torch.Tensor) -> float | None:
        """The value of a tensor with one element, also where no statistics are wanted; None where it has none, or is complex."""
        with torch._C._DisableTorchDispatch():
            return scalar(tensor)

    def stored(self, tensor: torch.Tensor) -> StoredTensor | None:
        """A whole copy, where whole tensors were asked for."""
        with torch._C._DisableTorchDispatch():
            return store(tensor)

    # -- where a value comes from

    def remember(self, tensor: torch.Tensor, row: int, output: int) -> None:
        """From now on the value of `tensor` is this output of this row."""
        self._places[id(tensor)] = place_of((weakref.ref(tensor), row, output))
        if len(self._places) > self._most_places:
            self._places = {number: place for number, place in self._places.items() if place.tensor() is not None}
            self._most_places = 2 * len(self._places) + 10_000

    def place(self, tensor: torch.Tensor) -> Place | None:
        """Where the value of a tensor that an op gave out, or that was read before, comes from."""
        place = self._places.get(id(tensor))
        return place if place is not None and place.tensor() is tensor else None

    def find(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """Row and output of a tensor seen before, by itself or by its storage."""
        place = self._places.get(id(tensor))
        return place[1:] if place is not None and place.tensor() is tensor else self._maker(tensor)

    def shown(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """Row and output of a tensor whose shape and type that row tells."""
        place = self._places.get(id(tensor))
        if place is None or place.tensor() is not tensor:
            return None
        row = self.rows[place.row]
        return place[1:] if place.output < len(row.outputs) and not row.writes_view else None

    def _maker(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """The row and output that made the storage of a tensor."""
        return self._storages.get(storage_of(tensor))  # while we hold a weak reference to a storage, no other one gets its address

    def leaf_row(self, tensor: torch.Tensor) -> int:
        """The row of a leaf that takes part in the graph."""
        with self._quiet():
            return self.read(tensor).row

    def inputs(self, tensors: list[torch.Tensor]) -> tuple[list[Input], bool]:
        """The values that an op reads, and whether autograd may follow any of them. What is most often read is known at a glance."""
        places, rows, newest = self._places, self.rows, self._newest_write
        found, any_needs = [], False
        for tensor in tensors:
            place = places.get(id(tensor))
            if place is None or place[1] < newest or place[0]() is not tensor:
                item = self.read(tensor)
            else:
                row, needs = rows[place[1]], tensor.requires_grad
                if row.kind == "op" and (not needs or (row.reason is None and (tensor._base is not None or not tensor.is_leaf))):
                    item = Input(place[1], place[2], needs)
                else:
                    item = self.read(tensor)
            any_needs = any_needs or item.needs_gradient
            found.append(item)
        return found, any_needs

    def read(self, tensor: torch.Tensor) -> Input:
        """The value that an op reads; a tensor not seen before is measured and gets a row."""
        needs = tensor.requires_grad
        place = self._places.get(id(tensor))
        value = place[1:] if place is not None and place.tensor() is tensor else None
        if self._writers and (value is None or value[0] < self._newest_write):
            value = self._after_writes(tensor, value, needs)
        if value is None:
            return Input(self._outside(tensor), 0, needs)
        index, output = value
        row = self.rows[index]
        if row.kind != "op":
            return Input(self._leaf_again(tensor, row), output, needs)
        if needs:
            if row.reason is None and tensor._base is not None:  # a view, no leaf; to ask it would remake its node, if its base has changed
                return Input(index, output, needs)
            if tensor.is_leaf and not is_silent_view(tensor):
                return Input(self._became_leaf(tensor, row, output), 0, needs)
            if row.reason is not None:
                self.became_result(tensor, row, output)
        return Input(index, output, needs)

    def became_result(self, tensor: torch.Tensor, row: Row, output: int) -> None:
        """An op made no node, yet its result has one: it is what a custom Function returned."""
        node = tensor.grad_fn
        if node is not None and not any(known[0] == output for known in row.results):
            row.results = (*row.results, (output, int(node._sequence_nr()), tensor.output_nr))

    def _after_writes(self, tensor: torch.Tensor, value: tuple[int, int] | None, needs: bool) -> tuple[int, int] | None:
        """The value after its storage was changed through another tensor: the op that changed it, or a row for the view read again."""
        write = self._writers.get(storage_of(tensor))
        if write is None or self._is_apart(tensor) or (value is not None and value[0] >= write[0]) or id(tensor) in write[1]:
            return value
        schema = self.rows[value[0]].schema if value is not None and self.rows[value[0]].kind == "op" else "alias"
        row = Row(len(self.rows), "op", schema, inputs=[Input(write[0], 0, needs)], alias=True)
        row.outputs.append(self.meter.hold(tensor))
        row.source, row.module = self.rows[write[0]].source, self._module()
        row.reason = None if needs and torch.is_grad_enabled() else "constant"
        self.rows.append(row)
        self.remember(tensor, row.index, 0)
        return (row.index, 0)

    def _outside(self, tensor: torch.Tensor) -> int:
        """A tensor that no recorded op made: a leaf, a constant, or part of a graph from before the recording."""
        needs = tensor.requires_grad
        kind = "constant"
        if needs:
            kind = EXTERNAL if not tensor.is_leaf else "parameter" if isinstance(tensor, nn.Parameter) else "input"
        maker = self._maker(tensor) if not needs or tensor.is_leaf else None
        row = Row(len(self.rows), kind, reason=None if needs else "constant", is_gradient=id(tensor) in self.gradients)
        if maker is not None and kind in ("parameter", "input"):
            self._absorb(maker[0])
        elif maker is not None and self.rows[maker[0]].kind == "op":
            row = Row(len(self.rows), "op", "alias", inputs=[Input(maker[0], maker[1], False)], alias=True, reason="constant")
        self._write_down(row, tensor)
        return row.index

    def _became_leaf(self, tensor: torch.Tensor, maker: Row, output: int) -> int:
        """The result of an op was made a leaf (`requires_grad_()`): what served only to make it is not drawn, unless it was a cut."""
        kind = "parameter" if isinstance(tensor, nn.Parameter) else "input"
        row = Row(len(self.rows), kind, source=maker.source, names=maker.names)
        if (
            maker.reason in ("detach", "no_grad", "custom_function")
            and any(item.needs_gradient for item in maker.inputs)
            and not self._is_update(maker)
        ):
            row.inputs = [Input(maker.index, output, False)]
        else:
            self._absorb(maker.index)
        self._write_down(row, tensor)
        return row.index

    def _is_update(self, maker: Row) -> bool:
        """Whether a new leaf was computed from gradients after backward, as in `w = (w - lr * w.grad).detach().requires_grad_()`."""
        pending, seen = [maker.index], {maker.index}
        while pending:
            row = self.rows[pending.pop()]
            if row.is_gradient:
                return True
            fresh = {item.row for item in row.inputs if item.row >= self.start} - seen
            seen |= fresh
            pending += fresh
        return False

    def begin_buffer(self, tensor: torch.Tensor) -> None:
        """A module is called for the first time: what its constructor computed for a buffer is the buffer, to be measured when read."""
        place = self.find(tensor)
        if place is None or self.rows[place[0]].kind != "op" or not self.rows[place[0]].building:
            return
        row = Row(len(self.rows), "constant", reason="constant")
        self.rows.append(row)
        self.remember(tensor, row.index, 0)
        self._writers.pop(storage_of(tensor), None)

    def _identify(self, row: Row, tensor: torch.Tensor) -> None:
        known = self._identities.get(id(tensor))
        if known is None or known[0]() is not tensor:
            known = self._identities[id(tensor)] = (weakref.ref(tensor), self._count)
            self._count += 1
        row.identity = known[1]
        self._versions[row.index] = version_of(tensor)
        if row.kind in ("parameter", "input"):
            self.leaves[row.identity] = tensor
            self._leaf_storages[storage_of(tensor)] = row.identity

    def _absorb(self, maker: int) -> None:
        self.rows.append(Row(len(self.rows), "op", inputs=[Input(maker, 0, False)], absorbed=True))
        if self.rows[maker].kind == "op":
            self.rows[maker].absorbed = True

    def _write_down(self, row: Row, tensor: torch.Tensor) -> None:
        row.index = len(self.rows)
        row.module = self._module() if row.kind == "op" else None
        self.rows.append(row)
        self.remember(tensor, row.index, 0)
        self._measure_leaf(row, tensor)
        self._log(row)

    def _measure_leaf(self, row: Row, tensor: torch.Tensor) -> None:
        with self._quiet():
            # what numpy may share, and change unseen, is measured now: data, not parameters, and nothing on a device
            later = row.kind == "parameter" or not tensor.is_cpu
            row.unfilled = row.schema.partition(".")[0] in UNFILLED and is_unfilled(tensor)
            row.outputs = [outline(tensor) if row.unfilled else self.meter.hold(tensor) if later else self.note(tensor)]
            row.tensors = [self.stored(tensor)] if self.keep and not row.unfilled else ()
        if row.kind != "op":
            self._identify(row, tensor)

    def _leaf_again(self, tensor: torch.Tensor, row: Row) -> int:
        """The row of a leaf or constant; a new one where the tensor changed since it was measured."""
        if tensor.requires_grad and row.kind == "constant" and tensor.is_leaf:
            row.kind = "parameter" if isinstance(tensor, nn.Parameter) else "input"
            row.schema, row.reason = "", None
            if row.outputs:
                self._identify(row, tensor)
        if not row.outputs:
            self._measure_leaf(row, tensor)
            self._log(row)  # once more, now that it is measured: the later line counts
            return row.index
        if self._versions.get(row.index) == version_of(tensor) and not self.lent.changed(tensor, row, start=self.start):
            return row.index
        again = Row(len(self.rows), row.kind, row.schema, names=row.names, source=row.source, reason=row.reason)
        again.window = moment_after(self.rows)
        self._write_down(again, tensor)
        return again.index

    def current(self, row: int, tensor: torch.Tensor) -> Ticket | None:
        """The Note of the leaf at a row, or the ticket for it, where it did not change since it was measured."""
        outputs = self.rows[row].outputs
        return outputs[0] if outputs and self._versions.get(row) == version_of(tensor) else None

    def fills(self, tensor: torch.Tensor, op: Op) -> bool:
        """Whether an op fills a tensor just made by a factory that nothing has read: that belongs to making it."""
        place = self.place(tensor)
        if place is None or not self.rows[place.row].factory or self.rows[place.row].outputs:
            return False
        row = self.rows[place.row]
        if "empty" in row.schema:
            row.schema = op.schema
        return True

    def changing(self, tensors: Iterable[object]) -> None:
        """Something is about to write to these: what is held of them is copied, and what keeps them saved may be stale."""
        self.meter.protect(tensors)
        for tensor in tensors:
            if isinstance(tensor, torch.Tensor):
                self._changed[storage_of(tensor)] = len(self.rows)

    def changed_since(self, tensor: torch.Tensor, row: int) -> bool:
        """Whether something may have written to a tensor after row `row`, as far as ops tell."""
        return self._changed.get(storage_of(tensor), -1) > row

    def leaf_of(self, tensor: torch.Tensor) -> tuple[int | None, torch.Tensor] | None:
        """The leaf that a write under no_grad changes, with its identity (None if it was never read); None if it is no such write."""
        if tensor.requires_grad and torch.is_grad_enabled():
            return None
        identity = self._leaf_storages.get(storage_of(tensor))
        if identity is not None and identity in self.leaves:
            return identity, self.leaves[identity]
        if (tensor.requires_grad and tensor.is_leaf) or self._is_gradient(tensor):
            return None, tensor  # clipping or zeroing a gradient changes no value of the graph
        return None

    def _is_gradient(self, tensor: torch.Tensor) -> bool:
        """Whether it is the `.grad` of a leaf."""
        place = self.place(tensor)
        return id(tensor) in self.gradients and (place is None or self.rows[place.row].is_gradient)

    def mutated(self, row: Row, written: list[torch.Tensor]) -> None:
        """An op changed these tensors in place; others that share their storage are to be read again."""
        for number, tensor in enumerate(written):
            if self._is_apart(tensor):
                continue
            base = tensor._base
            fresh = {id(tensor)}
            if base is not None:
                row.writes_view = True
                if number == 0:
                    row.base = self.meter.hold(base)
                    if self.keep:
                        row.tensors = [self.stored(base)]
                self.remember(base, row.index, number)
                self._places.pop(id(tensor), None)
                fresh = {id(base)}
            self._writers[storage_of(tensor)] = (row.index, frozenset(fresh))
            self._newest_write = max(self._newest_write, row.index)

    def made(self, tensor: torch.Tensor, row: int, output: int) -> None:
        """An op gave out a tensor: it owns the storage, if that is new. The weak reference keeps the address from being used again."""
        try:
            address: int = tensor.untyped_storage()._weak_ref()  # type: ignore[assignment]  # it says otherwise, and gives a number
        except (NotImplementedError, RuntimeError):
            return
        storages = self._storages
        if address in storages or (address in self._leaf_storages and self._is_of_leaf(address)):
            let_go(address)  # of this second reference
            return
        storages[address] = (row, output)
        if address in self._writers:
            del self._writers[address]
        if len(storages) > self._most_storages:
            for gone in [other for other in self._storages if is_gone(other)]:
                del self._storages[gone]
                let_go(gone)
            self._most_storages = 2 * len(self._storages) + 10_000

    def _is_of_leaf(self, address: int) -> bool:
        identity = self._leaf_storages.get(address)
        if identity is None:
            return False
        if identity in self.leaves and storage_of(self.leaves[identity]) == address:
            return True
        del self._leaf_storages[address]  # the leaf was given other data since
        return False

    def apart(self, tensor: torch.Tensor) -> None:
        """This tensor shares a storage, and yet changes to the others do not concern it."""
        self._apart[id(tensor)] = weakref.ref(tensor)

    def _is_apart(self, tensor: torch.Tensor) -> bool:
        found = self._apart.get(id(tensor)) if self._apart else None
        return found is not None and found() is tensor

    def living(self) -> dict[int, int]:
        """Identity -> id of every leaf, constant and buffer that is still there."""
        return {identity: number for number, (tensor, identity) in self._identities.items() if tensor() is not None}

    def retire(self, end: int) -> list[Row]:
        """Forget the rows before `end` whose tensors are gone: passes that nobody wants. Gives those that stay."""
        alive = {place.row for place in self._places.values() if place.tensor() is not None}
        for index in range(self._retired, end):
            if index not in alive:
                self.rows[index] = GONE
        staying = [self.rows[index] for index in range(self._retired, end) if index in alive]
        self._retired = max(end, self._retired)
        return staying

    def close(self) -> None:
        """Let go of everything."""
        storages, self._storages = self._storages, {}
        for address in storages:
            let_go(address)
        for held in (self._places, self.leaves, self._identities, self._apart, self._writers, self._leaf_storages):
            held.clear()

    def forget(self, tensor: torch.Tensor) -> None:
        """The value of a leaf changed: measure it anew when it is read again."""
        place = self.place(tensor)
        if place is not None:
            self._versions.pop(place.row, None)
