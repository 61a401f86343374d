"""What is known of an op before it runs: its name, what it writes to, whether its result depends on the numbers it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from explorer.capture.watched import SUSPECTS

# Ops that read nothing but the shape, type and device of their arguments: what they make are constants.
FACTORIES = frozenset(
    "empty_like zeros_like ones_like full_like rand_like randn_like randint_like new_empty new_zeros new_ones new_full new_empty_strided "
    "lift_fresh lift_fresh_copy lift".split()
)

# Those among them, and others, that give out memory with whatever is in it.
UNFILLED = frozenset("empty empty_like empty_strided empty_permuted new_empty new_empty_strided".split())

# Ops whose result has exactly the elements of their first argument, in another order, shape or place.
PERMUTING = frozenset(
    "view t transpose.int permute unsqueeze squeeze squeeze.dim squeeze.dims _unsafe_view _reshape_alias detach alias clone".split()
)

SILENT = frozenset({"profiler", "prim", "profile"})

# NOTE [questions] Tensors that are subclasses answer for their shape by an op. torch may ask while it holds the lock of a view whose node
# it makes anew: whoever then asks that view for its node, or whether it is a leaf, waits for ever.
QUESTIONS = frozenset(
    "size stride storage_offset numel dim sym_size sym_stride sym_storage_offset sym_numel layout is_contiguous sym_is_contiguous "
    "is_strides_like_format is_non_overlapping_and_dense".split()
)


@dataclass(frozen=True, slots=True)
class Op:
    """An aten overload: `schema` is "mul.Tensor", other libraries' ops are "library::name.overload".

    A `silent` op computes nothing of the program's: it marks time for the profiler, or asks a tensor for its device or its shape, see
    NOTE [questions]. One that is `uncounted` changes tensors whose versions torch counts up only where no dispatch mode watches. A
    `fresh` one gives out new storages, not views or its own arguments; the parts that one gives out `apart` share a storage, and yet
    none of them concerns the others. `call` runs it. One that is `suspect`
    may run in place of another only because it is watched: see `explorer.capture.watched`. One
    with `lists` takes lists of tensors. `names` are those of its arguments.
    """

    schema: str
    name: str
    is_detach: bool
    mutable: bool
    factory: bool
    silent: bool
    uncounted: bool
    permutes: bool
    fresh: bool
    apart: bool
    suspect: bool
    lists: bool
    names: tuple[str, ...]
    writes: tuple[tuple[int, str], ...]
    call: Callable[..., Any]

    def written(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments that the op changes, in the order of the schema."""
        found: list[Any] = []
        for position, name in self.writes:
            value = args[position] if position < len(args) else kwargs.get(name)
            found += value if isinstance(value, list | tuple) else [value]
        return found

    def plain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments that are no tensors and no lists of them, by name; in a list of both "tensor" stands for each tensor."""
        given = [*zip(self.names, args, strict=False), *kwargs.items()]
        return {name: plain for name, value in given if (plain := _plain(value)) is not TENSOR}


TENSOR = "tensor"


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in PLAIN:
        return value
    if isinstance(value, torch.Tensor):
        return TENSOR
    if kind is list or kind is tuple:
        parts = tuple([_plain(part) for part in value])
        return TENSOR if parts and all(part is TENSOR for part in parts) else parts
    return str(value).removeprefix("torch.")  # a data type, a device, a symbolic size


PLAIN = frozenset({int, float, bool, str, type(None)})


@cache
def learn(func: Any) -> Op:
    """The `Op` of an overload as dispatch modes get it."""
    schema = func._schema
    library, name = schema.name.split("::", 1)
    overload = schema.overload_name
    full = f"{name}.{overload}" if overload else name
    if library != "aten":
        full, name = f"{library}::{full}", f"{library}::{name}"
    writes = tuple(
        (i, argument.name) for i, argument in enumerate(schema.arguments) if argument.alias_info and argument.alias_info.is_write
    )
    takes_tensors = any("Tensor" in str(argument.type) for argument in schema.arguments)
    returns_tensors = any("Tensor" in str(returned.type) for returned in schema.returns)
    factory = returns_tensors and not writes and (name in FACTORIES or not takes_tensors)
    silent = library in SILENT or (library == "aten" and name in QUESTIONS)
    uncounted = bool(writes) and name.startswith("_foreach_")
    permutes = full in PERMUTING
    fresh = any(returned.alias_info is None for returned in schema.returns)
    apart = fresh and name.startswith("unsafe_")
    call = getattr(func, "_op", func)  # what calling `func` comes to
    return Op(
        schema=full,
        name=name,
        is_detach=name in ("detach", "detach_"),
        mutable=bool(writes),
        factory=factory,
        silent=silent,
        uncounted=uncounted,
        permutes=permutes,
        fresh=fresh,
        apart=apart,
        suspect=full in SUSPECTS,
        lists=any("List[" in (kind := str(argument.type)) and "Tensor" in kind for argument in schema.arguments),
        names=tuple(argument.name for argument in schema.arguments),
        writes=writes,
        call=call,
    )
