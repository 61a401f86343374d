"""Modules as they are called, and what they own: paths, parameter names, buffers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from explorer.capture.rows import Owners
from explorer.model import Module


@dataclass(slots=True)
class Call:
    """A module that was called: its number and the number of the module whose call it was first seen in."""

    number: int
    module: nn.Module
    parent: int | None


class Scopes:
    """The stack of module calls of one recording."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.stack: list[int] = []
        self.held: dict[int, tuple[str, nn.Module]] = {}
        self.lent: dict[int, tuple[nn.Module, str, torch.Tensor]] = {}  # id -> module, name and parameter that it has only while it runs

    @property
    def current(self) -> int | None:
        """The number of the innermost module that is running."""
        return self.stack[-1] if self.stack else None

    def enter(self, module: nn.Module) -> None:
        call = self.calls.get(id(module))
        if call is None:
            call = self.calls[id(module)] = Call(len(self.calls), module, self.current)
        elif not self.stack:
            call.parent = None
        self.stack.append(call.number)

    def owned(self) -> Iterator[torch.Tensor]:
        """The parameters and buffers of all called modules, and of those within them."""
        for call in self.calls.values():
            if call.parent is None:
                for _, module in walk(call.module):
                    yield from (value for held in (module._parameters, module._buffers) for value in held.values() if value is not None)

    def leave(self, module: nn.Module) -> None:
        if "torch.distributed.fsdp" in sys.modules:  # FSDP2 takes its parameters together for the time of a forward
            self.lent.update({id(value): (module, name, value) for name, value in module._parameters.items() if value is not None})
        call = self.calls.get(id(module))
        if call is not None and call.number in self.stack:
            while self.stack.pop() != call.number:
                pass

    def hold(self, name: str, module: nn.Module) -> None:
        """A variable of the user's holds this module."""
        if name not in ("self", "cls") and id(module) not in self.held:
            self.held[id(module)] = (name, module)


def walk(root: nn.Module) -> list[tuple[str, nn.Module]]:
    """`root.named_modules()`, read from where torch keeps modules, since a program may use the method's name for something else."""
    seen: set[int] = set()
    found: list[tuple[str, nn.Module]] = []
    pending: list[tuple[str, nn.Module]] = [("", root)]
    while pending:
        path, module = pending.pop()
        if id(module) not in seen:
            seen.add(id(module))
            found.append((path, module))
            if module._modules:
                start = path + "." if path else ""
                pending += reversed([(start + name, child) for name, child in module._modules.items() if child is not None])
    return found


def every_path(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules under every path that leads to them, as (what their members' names begin with, module); one inside itself is not followed."""
    above: set[int] = set()  # modules on the path to the one at hand
    pending: list[tuple[str, nn.Module, bool]] = [("", root, False)]
    while pending:
        start, module, done = pending.pop()
        if done:
            above.discard(id(module))
            continue
        yield start, module
        if module._modules:
            above.add(id(module))
            pending.append((start, module, True))
            children = [(f"{start}{name}.", child, False) for name, child in module._modules.items() if child is not None]
            pending += reversed([child for child in children if id(child[1]) not in above])


def parameters(root: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """All parameters below `root` with their paths, tied ones under each of them."""
    for start, module in every_path(root):
        if module._parameters:
            yield from ((start + name, value) for name, value in module._parameters.items() if value is not None)


def buffers(root: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """All buffers below `root` with their paths."""
    for start, module in every_path(root):
        if module._buffers:
            yield from ((start + name, value) for name, value in module._buffers.items() if value is not None)


def owners(scopes: Scopes, leaves: Iterable[tuple[int, int]]) -> Owners:
    """Paths of all called modules, the module table, and the names that modules give to `leaves` (row, id of the tensor)."""
    walks: dict[int, list[tuple[str, nn.Module]]] = {}  # by id of the module they start at
    prefixes = _prefixes(scopes, walks)
    table: dict[str, Module] = {}
    paths: dict[int, str] = {}
    for root, prefix in prefixes:
        counts = _counts(walks[id(root)])
        for (path, module), count in zip(walks[id(root)], counts, strict=True):
            full = _joined(prefix, path)
            parent = None if path == "" else _joined(prefix, path.rpartition(".")[0])
            table[full] = Module(full, type(module).__name__, parent, count)
            paths.setdefault(id(module), full)
    for call in sorted(scopes.calls.values(), key=lambda call: call.number):
        if id(call.module) not in paths:  # made while the program ran, and part of no module that was there before
            _adopt(call, scopes, table, paths)
    numbered = {call.number: paths[id(call.module)] for call in scopes.calls.values()}
    return Owners(tuple(table.values()), numbered, _leaf_names(prefixes, scopes, leaves, walks))


def _prefixes(scopes: Scopes, walks: dict[int, list[tuple[str, nn.Module]]]) -> list[tuple[nn.Module, str]]:
    """The root modules and the prefix of each: "" for the only one that owns parameters. Fills `walks` for them."""
    held = [module for _, module in scopes.held.values() if module._modules]
    for module in held:
        walks.setdefault(id(module), walk(module))
    roots: dict[int, nn.Module] = {}
    for call in scopes.calls.values():
        if call.parent is None:
            owner = _owner(call.module, held, walks)
            roots.setdefault(id(owner), owner)
            if id(owner) not in walks:
                walks[id(owner)] = walk(owner)
    inner = {id(part) for root in roots.values() for _, part in walks[id(root)] if part is not root}
    outer = [root for root in roots.values() if id(root) not in inner]
    owning = [root for root in outer if any(value is not None for _, part in walks[id(root)] for value in part._parameters.values())]
    taken: set[str] = set()
    prefixes: list[tuple[nn.Module, str]] = []
    for root in outer:
        if len(owning) == 1 and root is owning[0]:
            taken |= set(root._modules)
            prefixes.insert(0, (root, ""))
    for root in outer:
        if not (len(owning) == 1 and root is owning[0]):
            prefixes.append((root, _free(_variable(root, scopes) or type(root).__name__.lower(), taken)))
    return prefixes


def _owner(module: nn.Module, held: list[nn.Module], walks: dict[int, list[tuple[str, nn.Module]]]) -> nn.Module:
    """The largest module that a variable holds and that has `module` inside; else the module itself."""
    best, size = module, 0
    for other in held:
        parts = walks[id(other)]
        if other is not module and len(parts) > size and any(part is module for _, part in parts):
            best, size = other, len(parts)
    return best


def _variable(module: nn.Module, scopes: Scopes) -> str | None:
    held = scopes.held.get(id(module))
    return held[0] if held else None


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _joined(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path else prefix or path


def _counts(parts: list[tuple[str, nn.Module]]) -> list[int]:
    """Number of parameters of each module with its children, shared ones once. The modules are a `walk`."""
    own = [_sizes(module) for _, module in parts]
    totals = [sum(sizes.values()) if sizes else 0 for sizes in own]
    place = {path: index for index, (path, _) in enumerate(parts)}
    above = [place[path.rpartition(".")[0]] if path else 0 for path, _ in parts]
    for index in range(len(parts) - 1, 0, -1):  # children stand behind their parents
        totals[above[index]] += totals[index]
    if any(totals[index] for index in _shared(parts)):
        return [sum({number: size for part in walk(module) for number, size in _sizes(part[1]).items()}.values()) for _, module in parts]
    places: dict[int, list[int]] = {}
    for index, sizes in enumerate(own):
        for number in sizes:
            places.setdefault(number, []).append(index)
    for number, indices in places.items():
        if len(indices) > 1:  # tied: once too often in whatever has two of them inside
            inside: Counter[int] = Counter()
            for index in indices:
                inside[index] += 1
                while index:
                    index = above[index]
                    inside[index] += 1
            for index, times in inside.items():
                totals[index] -= (times - 1) * own[indices[0]][number]
    return totals


def _shared(parts: list[tuple[str, nn.Module]]) -> list[int]:
    """Which of the modules stand in more than one place."""
    children = Counter(id(child) for _, module in parts for child in module._modules.values())
    if len(children) == sum(children.values()):
        return []
    return [index for index, (_, module) in enumerate(parts) if children[id(module)] > 1]


def _sizes(module: nn.Module) -> dict[int, int]:
    """The number of elements of a module's own parameters, by their ids."""
    if not module._parameters:
        return {}
    return {
        id(value): value.numel()
        for value in module._parameters.values()
        if value is not None and (type(value) is nn.Parameter or not isinstance(value, nn.UninitializedParameter))
    }


def _adopt(call: Call, scopes: Scopes, table: dict[str, Module], paths: dict[int, str]) -> None:
    by_number = {other.number: other for other in scopes.calls.values()}
    parent = None if call.parent is None else paths.get(id(by_number[call.parent].module))
    name = _variable(call.module, scopes) or type(call.module).__name__.lower()
    path = _free(_joined(parent or "", name), set(table))
    table[path] = Module(path, type(call.module).__name__, parent, _counts(walk(call.module))[0])
    paths[id(call.module)] = path


def _leaf_names(
    prefixes: list[tuple[nn.Module, str]],
    scopes: Scopes,
    leaves: Iterable[tuple[int, int]],
    walks: dict[int, list[tuple[str, nn.Module]]],
) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Kind and module names by row; modules that were never called, but that a variable holds, name what they own too."""
    known: dict[int, tuple[str, list[str]]] = {}
    covered = {id(part) for root, _ in prefixes for _, part in walks[id(root)]}
    others = [(module, name) for name, module in scopes.held.values() if id(module) not in covered]
    for root, prefix in [*prefixes, *others]:
        owned = list(every_path(root))
        for kind, tables in (
            ("parameter", [(start, module._parameters) for start, module in owned if module._parameters]),
            ("buffer", [(start, module._buffers) for start, module in owned if module._buffers]),
        ):
            for start, table in tables:
                for name, tensor in table.items():
                    if tensor is not None:
                        names = known.setdefault(id(tensor), (kind, []))[1]
                        if (full := _joined(prefix, start + name)) not in names:
                            names.append(full)
    places = {id(part): _joined(prefix, path) for root, prefix in prefixes for path, part in walk(root)}
    for module, name, tensor in scopes.lent.values():
        if id(module) in places:
            known.setdefault(id(tensor), ("parameter", [_joined(places[id(module)], name)]))
    named = {}
    for row, number in leaves:
        if number in known:
            kind, names = known[number]
            named[row] = (kind, tuple(names))
    return named
