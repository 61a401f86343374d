"""Parameters that no op has read: parts of a called model that its forward left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from torch import nn

from explorer.capture.modules import Scopes, parameters, walk
from explorer.findings import Unused


def unread(
    scopes: Scopes,
    paths: Mapping[int, str],
    *,
    read: Collection[int],
    skipped: Collection[int],
    is_users: Callable[[nn.Module], bool],
) -> tuple[Unused, ...]:
    """What belongs to called modules and was not read. Tensors are known by their ids; `skipped` are held by an optimizer that stepped.

    A model of which nothing was read was called with other parameters (`torch.func.functional_call`, shards): it says nothing. Some
    members of a list of modules are often left out on purpose (experts, heads, dropped layers): then none of them counts.
    """
    found: list[Unused] = []
    called = {id(call.module) for call in scopes.calls.values()}
    roots = [call.module for call in scopes.calls.values() if call.parent is None]
    inside = {id(part) for root in roots if _is_read(root, read) for _, part in walk(root)}
    for call in scopes.calls.values():
        if id(call.module) not in inside or call.number not in paths:
            continue
        start = paths[call.number]
        for name, part in _left_out(call.module, called, read):
            path = f"{start}.{name}" if start else name
            members = list(parameters(part)) if isinstance(part, nn.Module) else [("", part)]
            names = tuple(f"{path}.{inner}" if inner else path for inner, _ in members)
            held = any(id(member) in skipped for _, member in members)
            found.append(Unused(path, type(part).__name__, names, skipped=held, by_library=not is_users(call.module)))
    return tuple(found)


def _left_out(module: nn.Module, called: Collection[int], read: Collection[int]) -> Iterator[tuple[str, nn.Module | nn.Parameter]]:
    """Members of a called module of which nothing was called or read, and that have something to learn."""
    for name, value in module._parameters.items():
        if value is not None and id(value) not in read and _learns(value):
            yield name, value
    for name, child in module._modules.items():
        if child is None or id(child) in called:
            continue
        learning = [value for _, value in parameters(child) if _learns(value)]
        if learning and not _is_read(child, read) and not any(id(part) in called for _, part in walk(child)):
            yield name, child


def _is_read(module: nn.Module, read: Collection[int]) -> bool:
    return any(id(value) in read for _, value in parameters(module))


def _learns(value: nn.Parameter) -> bool:
    return value.requires_grad and not isinstance(value, nn.UninitializedParameter)
