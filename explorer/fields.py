"""One field of a JSON object, read strictly.

Each reader takes the object and a key and raises `Misfit` with the form it expected; whoever reads the thing around it adds where it
stands, so that the sentence in the end names "nodes[3].outputs[0].shape".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from sys import intern
from types import MappingProxyType
from typing import Any, TypeVar

from explorer.parsing import Entries

__all__ = [
    "LARGEST",
    "NOT_FINITE",
    "Misfit",
    "Part",
    "as_float",
    "both_languages",
    "count",
    "each",
    "field",
    "flag",
    "maybe_count",
    "maybe_text",
    "named",
    "number",
    "one_of",
    "plain",
    "string",
    "text",
    "whole",
    "within",
]

Part = TypeVar("Part")

LARGEST = 2**63  # sizes, counts and ids stay below, as they do in torch
LONGEST_PLACE = 120  # characters of a place in a sentence
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Misfit(Exception):
    """Something at `place` that is not `expected`."""

    def __init__(self, place: str, expected: str) -> None:
        self.place, self.expected = place, expected

    @property
    def shown(self) -> str:
        """The place, as a sentence names it: its middle left out where keys are long, on one line."""
        place, half = self.place, LONGEST_PLACE // 2
        if len(place) > LONGEST_PLACE:
            place = f"{place[:half]}…{place[-half:]}"
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in place)

    def under(self, outer: str) -> Misfit:
        """The same, seen from one level up."""
        joined = outer + self.place if self.place.startswith("[") or not self.place else f"{outer}.{self.place}"
        return Misfit(joined, self.expected)


def field(raw: Any, key: str) -> Any:
    """What stands under `key`, of any type."""
    if type(raw) is not dict:
        raise Misfit("", "object")
    try:
        return raw[key]
    except KeyError:
        raise Misfit(key, "present") from None


def text(raw: Any, key: str) -> str:
    """A string."""
    value = field(raw, key)
    if type(value) is not str:
        raise Misfit(key, "string")
    return value


def maybe_text(raw: Any, key: str) -> str | None:
    """A string or null; one object for equal strings, as names repeat."""
    value = field(raw, key)
    if value is None:
        return None
    if type(value) is not str:
        raise Misfit(key, "string or null")
    return intern(value)


def flag(raw: Any, key: str) -> bool:
    """true or false."""
    value = field(raw, key)
    if type(value) is not bool:
        raise Misfit(key, "bool")
    return value


def count(raw: Any, key: str) -> int:
    """A whole number from 0."""
    return whole(field(raw, key), key)


def maybe_count(raw: Any, key: str) -> int | None:
    """A whole number from 0, or null."""
    value = field(raw, key)
    return None if value is None else whole(value, key)


def whole(value: Any, key: str = "") -> int:
    """The whole number from 0 that `value` is."""
    if type(value) is not int or not 0 <= value < LARGEST:
        raise Misfit(key, "int >= 0")
    return value


def string(value: Any) -> str:
    """The string that `value` is."""
    if type(value) is not str:
        raise Misfit("", "string")
    return value


def number(raw: Any, key: str) -> float | None:
    """A float, one of the three strings for what is not finite, or null."""
    value = field(raw, key)
    if value is None or type(value) is float:
        return value
    number = as_float(value)
    if number is None:
        raise Misfit(key, 'number, null, "nan", "inf" or "-inf"')
    return number


def one_of(raw: Any, key: str, words: tuple[str, ...]) -> Any:
    """One of `words`."""
    value = field(raw, key)
    if type(value) is not str or value not in words:
        raise Misfit(key, "one of " + ", ".join(words))
    return words[words.index(value)]


def within(raw: Any, key: str, read: Callable[[Any], Part]) -> Part:
    """What `read` makes of the value under `key`."""
    value = field(raw, key)
    try:
        return read(value)
    except Misfit as misfit:
        raise misfit.under(key) from None


def each(raw: Any, key: str, read: Callable[[Any], Part]) -> tuple[Part, ...]:
    """A list, or the entries of one that is still being read, each entry read by `read`."""
    value = field(raw, key)
    if type(value) is not list and type(value) is not Entries:
        raise Misfit(key, "list")
    if not value:
        return ()
    parts: list[Part] = []
    try:
        for entry in value:
            parts.append(read(entry))
    except Misfit as misfit:
        raise misfit.under(f"{key}[{len(parts)}]") from None
    return tuple(parts)


def named(raw: Any, key: str, read: Callable[[Any], Part]) -> dict[str, Part]:
    """An object with any keys, each value read by `read`."""

    def entries(value: Any) -> dict[str, Part]:
        if type(value) is not dict:
            raise Misfit("", "object")
        return {name: within(value, name, read) for name in value}

    return within(raw, key, entries)


def both_languages(raw: Any, key: str) -> Mapping[str, str]:
    """A sentence in English and in Korean."""
    return within(raw, key, lambda value: MappingProxyType({language: text(value, language) for language in ("en", "ko")}))


def plain(value: Any) -> Any:
    """A setting or an argument: a number, a word, null, or lists of these as tuples; what is not finite is written as a word."""
    if type(value) is list:
        return tuple([plain(entry) for entry in value])
    if value is not None and type(value) not in (bool, int, float, str):
        raise Misfit("", "a number, bool, string or null")
    return NOT_FINITE.get(value, value) if type(value) is str else value


def as_float(value: Any) -> float | None:
    """The float that `value` states; None if it states none."""
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value) if -LARGEST <= value < 2 * LARGEST else None
    return NOT_FINITE.get(value) if type(value) is str else None
