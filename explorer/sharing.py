"""Frozen dataclasses of which there are very many: quick to make, and what is mostly equal kept once.

NOTE [shared]: of the 20 fields of a node eight say what kind of op it is, and a recording has a few dozen of these. Such fields lie in one
tuple that equal objects share, behind properties of their names: a node takes 128 bytes instead of 192. To whoever reads, compares,
prints or replaces them the objects are dataclasses like others.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, TypeVar

__all__ = ["sharing"]

Part = TypeVar("Part")

MOST_SHARED = 2_000  # tuples remembered while objects are made


def sharing(*shared: str, same: tuple[str, ...] = ()) -> Callable[[type[Part]], type[Part]]:
    """A frozen dataclass with slots and plain defaults, made in a third of the time, with the fields `shared` in one object.

    The fields `same` are not hashed: they are shared where they are the same object, or equal to their default.

    A frozen dataclass sets each field through a call of `object.__setattr__`. Here the new object is for that moment one of a class with
    the same slots that is not frozen.
    """

    def made(cls: type[Part]) -> type[Part]:
        parts = fields(cls)  # type: ignore[arg-type]
        own = [one.name for one in parts if one.name not in shared]
        slots = [*own, "_shared"] if shared else own
        common = namedtuple("Common", shared)  # type: ignore[misc]
        names = {one.name for one in parts} | {"__slots__", "__dict__", "__weakref__", "__getstate__", "__setstate__"}
        scope = {name: value for name, value in vars(cls).items() if name not in names}
        scope |= {name: property(attrgetter(f"_shared.{name}")) for name in shared}
        scope |= {"__slots__": slots, "__reduce__": _reduced}
        new: Any = type(cls.__name__, (), scope)
        new.__qualname__ = cls.__qualname__
        new.__init__ = _init(new, slots, shared, same, common)
        new.__init__.__qualname__ = f"{cls.__qualname__}.__init__"
        return new

    return made


def _init(cls: Any, slots: list[str], shared: tuple[str, ...], same: tuple[str, ...], common: Any) -> Any:
    scope: dict[str, Any] = {f"_{one.name}": one.default for one in fields(cls)}
    scope |= {"_cls": cls, "_open": type(cls.__name__, (), {"__slots__": slots}), "_set": object.__setattr__, "_id": id}
    scope |= {"_known": {}, "_common": common, "_most": MOST_SHARED}
    wanted = ", ".join(one.name if one.default is MISSING else f"{one.name}=_{one.name}" for one in fields(cls))
    lines = ["_set(self, '__class__', _open)", *(f"self.{name} = {name}" for name in slots if name != "_shared")]
    if shared:
        key = ", ".join(f"_id({name})" if name in same else name for name in shared)
        lines += [
            f"key = ({key},)",
            "found = _known.get(key)",
            "if found is None:",
            "    if len(_known) >= _most: _known.clear()",
            f"    found = _known[key] = _common({', '.join(shared)})",  # which keeps alive what was asked for by its id
            "self._shared = found",
        ]
    lines.append("self.__class__ = _cls")
    exec(f"def __init__(self, {wanted}):\n    " + "\n    ".join(lines), scope)
    return scope["__init__"]


def _reduced(self: Any) -> tuple[Any, tuple[Any, ...]]:
    """What copies and pickles it."""
    return type(self), tuple(getattr(self, one.name) for one in fields(self))
