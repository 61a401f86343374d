"""Modules as they are called, and what they own: paths, parameter names, buffers."""

from __future__ import annotations

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

    def leave(self, module: nn.Module) -> None:
        call = self.calls.get(id(module))
        if call is not None and call.number in self.stack:
            while self.stack.pop() != call.number:
                pass

    def hold(self, name: str, module: nn.Module) -> None:
        """A variable of the user's holds this module."""
        if name not in ("self", "cls") and id(module) not in self.held:
            self.held[id(module)] = (name, module)


def walk(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """`root.named_modules()`, read from where torch keeps modules, since a program may use the method's name for something else."""
    seen: set[int] = set()
    pending: list[tuple[str, nn.Module]] = [("", root)]
    while pending:
        path, module = pending.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield path, module
            children = [(_joined(path, name), child) for name, child in module._modules.items() if child is not None]
            pending += reversed(children)


def parameters(root: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """All parameters below `root` with their paths, tied ones under each of them."""
    for path, module in _every_path(root):
        yield from ((_joined(path, name), value) for name, value in module._parameters.items() if value is not None)


def buffers(root: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """All buffers below `root` with their paths."""
    for path, module in _every_path(root):
        yield from ((_joined(path, name), value) for name, value in module._buffers.items() if value is not None)


def _every_path(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules under every path that leads to them; a module inside itself is not followed again."""
    pending: list[tuple[str, nn.Module, frozenset[int]]] = [("", root, frozenset())]
    while pending:
        path, module, above = pending.pop()
        yield path, module
        inside = above | {id(module)}
        children = [(_joined(path, name), child, inside) for name, child in module._modules.items() if child is not None]
        pending += reversed([child for child in children if id(child[1]) not in inside])


def owners(scopes: Scopes, leaves: Iterable[tuple[int, int]]) -> Owners:
    """Paths of all called modules, the module table, and the names that modules give to `leaves` (row, id of the tensor)."""
    prefixes = _prefixes(scopes)
    table: dict[str, Module] = {}
    paths: dict[int, str] = {}
    for root, prefix in prefixes:
        for path, module in walk(root):
            full = _joined(prefix, path)
            parent = None if path == "" else _joined(prefix, path.rpartition(".")[0])
            table[full] = Module(full, type(module).__name__, parent, _count(module))
            paths.setdefault(id(module), full)
    for call in sorted(scopes.calls.values(), key=lambda call: call.number):
        if id(call.module) not in paths:  # made while the program ran, and part of no module that was there before
            _adopt(call, scopes, table, paths)
    numbered = {call.number: paths[id(call.module)] for call in scopes.calls.values()}
    return Owners(tuple(table.values()), numbered, _leaf_names(prefixes, scopes, leaves))


def _prefixes(scopes: Scopes) -> list[tuple[nn.Module, str]]:
    """The root modules and the prefix of each: "" for the only one that owns parameters."""
    roots: list[nn.Module] = []
    for call in scopes.calls.values():
        if call.parent is None:
            owner = _owner(call.module, scopes)
            if not any(owner is root for root in roots):
                roots.append(owner)
    inner = {id(part) for root in roots for _, part in walk(root) if part is not root}
    roots = [root for root in roots if id(root) not in inner]
    owning = [root for root in roots if any(True for _ in parameters(root))]
    taken: set[str] = set()
    prefixes: list[tuple[nn.Module, str]] = []
    for root in roots:
        if len(owning) == 1 and root is owning[0]:
            taken |= set(root._modules)
            prefixes.insert(0, (root, ""))
    for root in roots:
        if not (len(owning) == 1 and root is owning[0]):
            prefixes.append((root, _free(_variable(root, scopes) or type(root).__name__.lower(), taken)))
    return prefixes


def _owner(module: nn.Module, scopes: Scopes) -> nn.Module:
    """The largest module that a variable holds and that has `module` inside; else the module itself."""
    best, size = module, 0
    for _, held in scopes.held.values():
        if held is module:
            continue
        parts = [part for _, part in walk(held)]
        if len(parts) > size and any(part is module for part in parts):
            best, size = held, len(parts)
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


def _count(module: nn.Module) -> int:
    """Number of parameters of a module with its children, shared ones once."""
    distinct = {id(parameter): parameter for _, parameter in parameters(module)}
    return sum(int(parameter.numel()) for parameter in distinct.values() if not isinstance(parameter, nn.UninitializedParameter))


def _adopt(call: Call, scopes: Scopes, table: dict[str, Module], paths: dict[int, str]) -> None:
    by_number = {other.number: other for other in scopes.calls.values()}
    parent = None if call.parent is None else paths.get(id(by_number[call.parent].module))
    name = _variable(call.module, scopes) or type(call.module).__name__.lower()
    path = _free(_joined(parent or "", name), set(table))
    table[path] = Module(path, type(call.module).__name__, parent, _count(call.module))
    paths[id(call.module)] = path


def _leaf_names(
    prefixes: list[tuple[nn.Module, str]], scopes: Scopes, leaves: Iterable[tuple[int, int]]
) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Kind and module names by row; modules that were never called, but that a variable holds, name what they own too."""
    known: dict[int, tuple[str, list[str]]] = {}
    covered = {id(part) for root, _ in prefixes for _, part in walk(root)}
    others = [(module, name) for name, module in scopes.held.values() if id(module) not in covered]
    for root, prefix in [*prefixes, *others]:
        for kind, name, tensor in _owned(root):
            names = known.setdefault(id(tensor), (kind, []))[1]
            if (full := _joined(prefix, name)) not in names:
                names.append(full)
    named = {}
    for row, number in leaves:
        if number in known:
            kind, names = known[number]
            named[row] = (kind, tuple(names))
    return named


def _owned(root: nn.Module) -> Iterator[tuple[str, str, torch.Tensor]]:
    yield from (("parameter", name, parameter) for name, parameter in parameters(root))
    yield from (("buffer", name, buffer) for name, buffer in buffers(root))
