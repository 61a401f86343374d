"""The text of a document -> its parts, one after the other: a document of a million nodes is never in memory as a whole.

`document_parts` gives each key of the outermost object with its value; where that is one of the long lists, its entries come one at a
time as they are asked for. An entry is read by Python's own parser. What is no JSON, what nests without end and what would take memory
out of proportion gets one sentence.

NOTE [cut] The parser sees a piece of the text, and cannot tell its end from the document's. A complaint close to the end of the piece, or
about a string that does not end, may be due to the cut: the value is parsed again with more text. That is doubled until it takes some
MB, so that all of it together costs little more than parsing once.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from explorer.errors import FileError

__all__ = ["Entries", "document_parts"]

PIECE = 1 << 16  # bytes read at a time
LARGEST_STEP = 8 << 20  # bytes read at a time where one entry is long
LARGEST_PART = 64 << 20  # bytes of memory that the text of one entry may take; a node with 60,000 outputs takes 30 MB
MOST_OPENED = 1 << 20  # lists and objects in one entry; such a node has 250,000
MOST_ENTRIES = 4 << 20  # and their entries; such a node has 1,600,000
WIDEST_GAP = 1 << 20  # blanks in a row
_NEAR_END = 16  # characters: no word, number sign or escape of JSON is longer
_BLANKS = re.compile(r"[ \t\n\r]*")

Parse = Callable[[str, int], tuple[Any, int]]


class Entries:
    """The entries of a list that is still being read; to be gone through once, before what follows is asked for."""

    def __init__(self, entries: Iterator[Any]) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Any]:
        return self._entries


def document_parts(read: Callable[[int], bytes], *, path: str, lists: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Key and value of each part of the document whose bytes `read` gives; of the `lists` the value is Entries.

    Raises a FileError that names `path` at whatever is not as it should be; an empty file is no trace.
    """
    first = read(PIECE)
    if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        raise FileError("file.not_a_trace", path=path)
    text = _Text(first, read, path)
    text.next()
    text.at += 1
    seen: set[str] = set()
    while _another(text, "}", first=not seen):
        if text.next() != '"':
            text.refuse()
        key = text.value()
        if text.next() != ":":
            text.refuse()
        text.at += 1
        if key in seen:
            raise FileError("file.field", path=path, place=key, expected="present once")
        seen.add(key)
        if key in lists and text.next() == "[":
            entries = _entries(text)
            yield key, Entries(entries)
            for _ in entries:
                pass
        else:
            yield key, text.value()
    if text.next():
        text.refuse()


def _entries(text: _Text) -> Iterator[Any]:
    text.at += 1
    first = True
    while _another(text, "]", first=first):
        yield text.value()
        first = False


def _another(text: _Text, end: str, *, first: bool) -> bool:
    """Whether another entry follows; steps over the comma before it, or over the `end` of all."""
    char = text.next()
    if char == end:
        text.at += 1
        return False
    if not first:
        if char != ",":
            text.refuse()
        text.at += 1
    return True


class _Text:
    """A piece of the text, the place in it up to which it is read, and where the piece stands in the whole."""

    def __init__(self, first: bytes, read: Callable[[int], bytes], path: str) -> None:
        self._unread = first
        self._read = read
        self._path = path
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._parse: Parse = json.JSONDecoder(parse_constant=self._refuse_constant).raw_decode
        self._ended = False
        self._line, self._column = 1, 0  # of the piece's first character
        self.piece, self.at = "", 0

    def next(self) -> str:
        """The first character that is not blank, which is not yet read; "" at the end."""
        gap = 0
        while True:
            place = self.at
            found = _BLANKS.match(self.piece, place)
            self.at = place if found is None else found.end()
            gap += self.at - place
            if self.at < len(self.piece):
                return self.piece[self.at]
            if gap > WIDEST_GAP:
                raise FileError("file.damaged", path=self._path)
            if not self._more():
                return ""

    def value(self) -> Any:
        """The value that begins at the next character."""
        self.next()
        while True:
            try:
                value, end = self._parse(self.piece, self.at)
            except json.JSONDecodeError as error:
                place, complete = error.pos, not error.msg.startswith("Unterminated string")
            except RecursionError:
                raise FileError("file.nested", path=self._path) from None
            except ValueError as error:  # an integer of thousands of digits
                raise FileError("file.damaged", path=self._path) from error
            else:
                if end < len(self.piece) or type(value) in (dict, list, str) or not self._more():  # a number may go on
                    self.at = end
                    return value
                continue
            if (complete and place < len(self.piece) - _NEAR_END) or not self._more():
                self.at = place
                self.refuse()

    def _more(self) -> bool:
        """Put what follows behind what is left of the piece; False at the end of the text."""
        if self._ended:
            return False
        rest = self.piece[self.at :]
        if len(rest) > PIECE and (
            sys.getsizeof(rest) > LARGEST_PART or rest.count("[") + rest.count("{") > MOST_OPENED or rest.count(",") > MOST_ENTRIES
        ):
            raise FileError("file.part", path=self._path, line=self._position(self.at)[0], limit=LARGEST_PART)
        self._line, self._column = self._position(self.at)
        data = self._unread or self._read(min(max(PIECE, len(rest)), LARGEST_STEP))
        self._unread, self._ended = b"", not data
        try:
            self.piece, self.at = rest + self._decode(data, self._ended), 0
        except UnicodeDecodeError as error:
            raise FileError("file.damaged", path=self._path) from error
        return True

    def refuse(self) -> NoReturn:
        """Say where it goes wrong."""
        line, column = self._position(self.at)
        raise FileError("file.broken_json", path=self._path, line=line, column=column + 1)

    def _refuse_constant(self, number: str) -> NoReturn:
        raise FileError("file.bad_number", path=self._path, number=number)

    def _position(self, at: int) -> tuple[int, int]:
        """Line (from 1) and column (from 0) of a place in the piece."""
        lines = self.piece.count("\n", 0, at)
        if not lines:
            return self._line, self._column + at
        return self._line + lines, at - self.piece.rindex("\n", 0, at) - 1
