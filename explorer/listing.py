"""Lists that the command line prints as text, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.flops import operations
from explorer.footprint import amount
from explorer.text import say
from explorer.text.columns import width_of

if TYPE_CHECKING:
    from explorer.capture.devices import Device

__all__ = ["WIDTH", "cost_line", "device_table", "width_of", "wrapped"]

WIDTH = 80


def device_table(devices: Sequence[Device], language: str) -> str:
    """Each device with its state, and below it what it can do in each data type; of several of a kind, below the last."""
    column = max(width_of(device.name) for device in devices) + 2
    lines: list[str] = []
    for device, following in zip(devices, [*devices[1:], None], strict=True):
        if device.available:
            state = say("command.available", language, description=device.description)
        else:
            state = say("command.absent", language, reason=device.reason)
        lines += wrapped(device.name.ljust(column), state, indent=column)
        if device.available and (following is None or following.kind != device.kind):
            lines += _data_types(device, column, language)
    return "\n".join(lines)


def cost_line(memory: dict[str, Any], flops: dict[str, Any], language: str) -> str:
    """The memory and the operations of a pass in one line."""
    values = {"bytes": amount(memory["bytes"]), "saved": amount(memory["saved"]), "step": memory["step"], "node": memory["node"]}
    return say("memory.line", language, **values, forward=operations(flops["forward"]), backward=operations(flops["backward"]))


def _data_types(device: Device, column: int, language: str) -> list[str]:
    told: dict[str, list[str]] = {}  # data types of which the same is to be said stand together
    for name, dtype in device.dtypes.items():
        words = dtype.limits if dtype.usable else say("command.no_dtype", language, reason=dtype.reason)
        told.setdefault(words, []).append(name)
    inner = column + max((width_of(name) for name in device.dtypes), default=0) + 2
    lines = []
    for words, names in told.items():
        if len(names) == 1:
            lines += wrapped(" " * column + names[0].ljust(inner - column), words, indent=inner)
        else:
            lines += wrapped(" " * column, f"{', '.join(names)}: {words}", indent=column + 2)
    return lines


def wrapped(start: str, words: str, *, indent: int) -> list[str]:
    """`start` and `words` in lines of at most `WIDTH` columns, those after the first indented. Broken between words only."""
    lines, line = [], start
    for word in words.split():
        joined = f"{line}{word}" if line.endswith(" ") else f"{line} {word}"
        if width_of(joined) > WIDTH and line.strip():
            lines.append(line.rstrip())
            joined = " " * indent + word
        line = joined
    return [*lines, line]
