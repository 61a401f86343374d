"""The ops on a tape run again in double precision, as they are or with one tensor a little different.

A first run gives every value that the outputs depend on. Each run after it repeats only what depends on the changed tensor, and what lies
in a storage that some op writes to: there values are not kept, but made anew. What autograd does not look through (detach, no_grad, whole
numbers, random draws) keeps the value of the first run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.graph import _engine_run_backward

from explorer.capture.dependence import needed_entries, storage_groups
from explorer.capture.equivalents import DRAWN, EQUIVALENTS
from explorer.capture.tape import Entry, Ref, Tape

WIDE = {True: torch.complex128, False: torch.float64}


class NoReplay(Exception):
    """Why something cannot be run again: the reason of a check."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Root:
    """Where backward began: a value and what was handed to backward there."""

    number: int
    seed: torch.Tensor


@dataclass(slots=True)
class Plan:
    """What to run again when some values change: entries in order, and what comes from outside and is copied, as it is written to."""

    entries: list[int]
    fresh: list[int]
    changed: frozenset[int]


class Replay:
    """The part of a tape that some roots depend on. Raises NoReplay where it cannot be run at all."""

    def __init__(self, tape: Tape, roots: Sequence[Root]) -> None:
        self.tape, self.roots = tape, roots
        self.needed = needed_entries(tape, [root.number for root in roots])
        self._groups = storage_groups(tape, self.needed)
        cut = [tape.entries[number] for number in self.needed if tape.entries[number].cut]
        self._cut = {tape.values[output].storage for entry in cut for output in entry.outputs}
        self._opaque: dict[int, str] = {}  # entries that could not be run, and the reason
        self.base: dict[int, Any] = {}
        self._default = torch.get_default_dtype()
        self._cast: Callable[[Any], Any] = _wide
        self._quick: dict[int, tuple[Any, list[Any], list[tuple[int, int]], dict[str, Any], int]] = {}
        with double():
            self._run_base()
        self.outputs = [self.base[root.number] for root in self.roots]

    @property
    def precision(self) -> float:
        """The rounding of the coarsest type that the program computed in, relative."""
        types = {value.dtype for number in self.base if (value := self.tape.values[number]).floats}
        return max((torch.finfo(dtype).eps for dtype in types), default=2.0**-23)

    # -- the first run

    def _run_base(self) -> None:
        values, env = self.tape.values, self.base
        for number in self.needed:
            entry = self.tape.entries[number]
            self._bring_in(entry, env)
            try:
                self._execute(entry, env)
            except (RuntimeError, NotImplementedError, TypeError, IndexError, ValueError) as error:
                self._opaque[number] = f"no_replay: {_name(entry)}"
                for output in entry.outputs:
                    content = self.tape.content(output)
                    if entry.writes or content is None:
                        raise NoReplay(self._opaque[number]) from error
                    env[output] = _wide(content)
            if number not in self._opaque and (quick := _quick(self.tape, entry, env)) is not None:
                self._quick[number] = quick
            if entry.random and not entry.writes and not self._is_plainly_drawn(entry):
                self._opaque.setdefault(number, f"random: {_name(entry)}")
        for root in self.roots:
            if root.number not in env:
                env[root.number] = _wide(values[root.number].kept)

    def _bring_in(self, entry: Entry, env: dict[int, Any]) -> None:
        for read in entry.reads:
            if read not in env:
                value = self.tape.values[read]
                if value.entry is not None or value.kept is None:
                    raise NoReplay(f"no_replay: {_name(entry)}")
                env[read] = _wide(value.kept)
                if value.storage in self._groups:
                    env[read] = env[read].clone()

    def _is_plainly_drawn(self, entry: Entry) -> bool:
        """Whether autograd, too, takes what a random op gave for a constant."""
        return _name(entry) in DRAWN or entry.func._schema.name in EQUIVALENTS

    def _execute(self, entry: Entry, env: dict[int, Any]) -> None:
        """Run one op on what `env` holds, and put there what it gives."""
        values, cast = self.tape.values, self._cast
        name = entry.func._schema.name
        instead = EQUIVALENTS.get(name)
        if entry.random and name not in EQUIVALENTS:
            if not entry.writes:
                for output in entry.outputs:
                    env[output] = cast(values[output].kept).clone()
                return
            for target, content in zip(entry.writes, entry.drawn, strict=True):
                env[target].copy_(cast(content))
            for output in entry.outputs:
                env.setdefault(output, env[entry.writes[0]])
            return
        if not entry.writes and entry.outputs and all(values[output].kept is not None for output in entry.outputs) and not instead:
            for output in entry.outputs:  # decided as the program did
                env[output] = cast(values[output].kept).clone()
            return
        args: list[Any] = [_filled(item, env) for item in entry.args]
        kwargs = {key: _filled(item, env) for key, item in entry.kwargs.items()}
        if instead is not None and (entry.random or name not in _ONLY_RANDOM):
            drawn = entry.drawn or [cast(values[output].kept) for output in entry.outputs if values[output].kept is not None]
            result = instead(drawn, *args, **kwargs)
        else:
            if cast is _wide:
                args, kwargs = _doubled(entry, args, kwargs)
            result = entry.func(*args, **kwargs)
        given: list[Any] = [result] if isinstance(result, torch.Tensor) else list(_flat(result))
        for output, tensor in zip(entry.outputs, given, strict=False):
            if output in entry.writes:
                continue
            value = values[output]
            if value.kept is not None and not value.floats:
                tensor = value.kept.clone()
            env[output] = cast(tensor) if tensor is not None else None

    # -- runs with a change

    def reason_against(self, changed: Iterable[int]) -> str | None:
        """Why a change of these values does not show in the outputs as autograd means it; None if it does."""
        dependent = self._dependent(changed)
        for number in self.needed:
            entry = self.tape.entries[number]
            touched = [read for read in entry.reads if read in dependent]
            if number in self._opaque and touched:
                return self._opaque[number]
            if entry.cut and touched:
                if any(write in dependent for write in entry.writes):
                    return "changed_unseen"
                if any(self.tape.values[output].storage in self._groups for output in entry.outputs) and not entry.writes:
                    return "changed_unseen"
        return None

    def _dependent(self, changed: Iterable[int]) -> set[int]:
        """The values that follow the changed ones, as autograd sees it."""
        values, tape = self.tape.values, self.tape
        dependent = set(changed)
        spoiled: set[int] = set()  # storages that hold something dependent, and are written to
        for number in self.needed:
            entry = tape.entries[number]
            follows = any(read in dependent or values[read].storage in spoiled for read in entry.reads)
            if not follows or entry.cut:
                continue
            dependent.update(read for read in entry.reads if values[read].storage in spoiled)
            dependent.update(output for output in entry.outputs if values[output].floats and self._follows(entry))
            for write in entry.writes:
                dependent.add(write)
                spoiled.add(values[write].storage)
            spoiled.update(values[output].storage for output in entry.outputs if values[output].storage in self._groups)
        return dependent

    def _follows(self, entry: Entry) -> bool:
        return not (entry.random and not entry.writes and entry.func._schema.name not in EQUIVALENTS)

    def is_seen_elsewhere(self, number: int) -> bool:
        """Whether something that must not change with a value lies in the same memory: what was detached of it."""
        return self.tape.values[number].storage in self._cut

    def is_root(self, number: int) -> bool:
        """Whether backward began at this very value."""
        return any(root.number == number for root in self.roots)

    def is_changed_in_place(self, number: int) -> bool:
        """Whether some op writes to the storage that a value lies in."""
        return self.tape.values[number].storage in self._groups

    def plan(self, changed: Iterable[int]) -> Plan:
        """What has to be run again when these values change."""
        values, entries = self.tape.values, self.tape.entries
        changed = frozenset(changed)
        dependent = self._dependent(changed)
        run = {number for number in self.needed if not entries[number].cut and any(read in dependent for read in entries[number].reads)}
        fresh: set[int] = set()
        pending = list(run)
        seen_groups: set[int] = set()
        while pending:
            entry = entries[pending.pop()]
            for value in (*entry.reads, *entry.outputs, *entry.writes):
                storage = values[value].storage
                if storage in self._groups and storage not in seen_groups:
                    seen_groups.add(storage)
                    more, outside = self._groups[storage]
                    fresh |= outside
                    pending += [number for number in more if number not in run]
                    run |= more
        return Plan(sorted(run), sorted(fresh - changed), changed)

    def difference(self, plan: Plan, changes: Mapping[int, torch.Tensor]) -> float:
        """How much the seeded sum of the outputs changes when these values are replaced."""
        env = _Overlay(self.base)
        for number in plan.fresh:
            env[number] = _wide(self.tape.values[number].kept).clone()
        env.update(changes)
        entries, values = self.tape.entries, self.tape.values
        for number in plan.entries:
            entry = entries[number]
            if number in self._opaque:
                continue
            if entry.cut and not entry.writes and not any(values[output].storage in self._groups for output in entry.outputs):
                continue  # constant
            quick = self._quick.get(number)
            if quick is None:
                self._execute(entry, env)
                continue
            func, template, places, kwargs, output = quick
            args = template.copy()
            for place, read in places:
                args[place] = env[read]
            env[output] = func(*args, **kwargs)
        total = 0.0
        for root, before in zip(self.roots, self.outputs, strict=True):
            if (now := env[root.number]) is not before:
                total += float(((now - before) * root.seed.conj()).real.sum() if now.is_complex() else ((now - before) * root.seed).sum())
        return total

    # -- what rounding does

    def rounding(self, numbers: Sequence[int]) -> dict[int, torch.Tensor]:
        """For each of these values how far its gradient, by autograd over the ops as the program ran them, is from that in double
        precision: what rounding does to it. Nothing where that cannot be found out."""
        try:
            exact, rough = self._gradients(numbers, _wide), self._gradients(numbers, _as_it_was)
        except (RuntimeError, NotImplementedError, TypeError, ValueError, NoReplay):
            return {}
        return {number: (exact[number] - _wide(rough[number])).abs() for number in exact.keys() & rough.keys()}

    def _gradients(self, numbers: Sequence[int], cast: Callable[[Any], Any]) -> dict[int, torch.Tensor]:
        env: dict[int, Any] = {}
        values = self.tape.values
        before, self._cast = torch.get_default_dtype(), cast
        try:
            torch.set_default_dtype(torch.float64 if cast is _wide else self._default)
            for number in self.needed:
                entry = self.tape.entries[number]
                for read in entry.reads:
                    if read not in env:
                        env[read] = cast(values[read].kept).clone().requires_grad_(read in numbers)
                with torch.set_grad_enabled(not entry.cut):
                    self._execute(entry, env)
            for root in self.roots:
                if root.number not in env:  # a leaf that backward began at
                    env[root.number] = cast(values[root.number].kept).clone().requires_grad_(root.number in numbers)
            total: Any = sum((env[root.number] * root.seed.conj().to(env[root.number].dtype)).real.sum() for root in self.roots)
            wanted = [number for number in numbers if number in env and env[number].requires_grad]
            inputs = tuple(env[number] for number in wanted)
            # the engine itself: what torch.autograd calls is watched, and would take this for a pass of the program's
            found = _engine_run_backward((total,), (torch.ones_like(total),), False, False, inputs, True, accumulate_grad=False)
            return {number: gradient for number, gradient in zip(wanted, found, strict=True) if gradient is not None}
        finally:
            self._cast = _wide
            torch.set_default_dtype(before)

    def size(self) -> float:
        """The magnitude that the rounding of `difference` is relative to."""
        return sum(float((value.abs() * root.seed.abs()).sum()) for value, root in zip(self.outputs, self.roots, strict=True))


class _Overlay(dict[int, Any]):
    """Values of one run, above those of the first."""

    def __init__(self, below: dict[int, Any]) -> None:
        super().__init__()
        self._below = below

    def __missing__(self, key: int) -> Any:
        return self._below[key]


_ONLY_RANDOM = frozenset({"aten::native_dropout", "aten::_fused_dropout", "aten::rrelu_with_noise"})


def _name(entry: Entry) -> str:
    return str(entry.func._schema.name).removeprefix("aten::")


def _filled(item: Any, env: Mapping[int, Any]) -> Any:
    if type(item) is Ref:
        return env[item.number]
    if type(item) in (list, tuple):
        return [_filled(part, env) for part in item]
    return item


def _quick(tape: Tape, entry: Entry, env: Mapping[int, Any]) -> Any:
    """What is needed to run an op again without further questions, as most can be: plain arguments, one result, in double precision."""
    if entry.random or entry.writes or len(entry.outputs) != 1 or not entry.single or entry.func._schema.name in EQUIVALENTS:
        return None
    nested = any(type(item) in (list, tuple) and any(type(part) is Ref for part in item) for item in entry.args)
    value = tape.values[entry.outputs[0]]
    if nested or value.kept is not None or any(type(item) in (Ref, list) for item in entry.kwargs.values()):
        return None
    args, kwargs = _doubled(entry, list(entry.args), dict(entry.kwargs))
    places = [(place, item.number) for place, item in enumerate(args) if type(item) is Ref]
    alike = env[entry.outputs[0]].dtype is WIDE[value.dtype.is_complex] or not value.floats
    return (getattr(entry.func, "_op", entry.func), args, places, kwargs, entry.outputs[0]) if alike else None


def _flat(result: Any) -> Iterator[Any]:
    for item in result if isinstance(result, list | tuple) else (result,):
        if isinstance(item, list | tuple):
            yield from _flat(item)
        elif item is None or isinstance(item, torch.Tensor):
            yield item


def _wide(tensor: Any) -> Any:
    """In double precision, where it is floating point."""
    if tensor.is_floating_point() or tensor.is_complex():
        return tensor.to(WIDE[tensor.is_complex()])
    return tensor


def _as_it_was(tensor: Any) -> Any:
    return tensor


def _doubled(entry: Entry, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with double precision asked for wherever a floating point type was."""

    def wide(item: Any) -> Any:
        if isinstance(item, torch.dtype) and (item.is_floating_point or item.is_complex):
            return WIDE[item.is_complex]
        return item

    args, kwargs = [wide(item) for item in args], {key: wide(item) for key, item in kwargs.items()}
    for place, argument in enumerate(entry.func._schema.arguments):
        if argument.name == "half_to_float" and place < len(args):
            args[place] = False
    return args, kwargs


@contextmanager
def double() -> Iterator[None]:
    """Double precision by default, in no graph."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        with torch.no_grad():
            yield
    finally:
        torch.set_default_dtype(before)


def relative_error(replayed: torch.Tensor, recorded: torch.Tensor) -> float:
    """How far a replayed output is from the recorded one, relative to its size."""
    wide = _wide(recorded)
    if not bool(wide.isfinite().all()):
        return math.inf
    size = float(wide.abs().max()) if wide.numel() else 0.0
    gap = float((replayed - wide).abs().max()) if wide.numel() else 0.0
    return gap if size == 0 else gap / size
