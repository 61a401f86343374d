"""The user's Python frames: which expression an op comes from, and which variables hold which tensor.

Nothing is traced. At each op the stack is looked at; a frame of the user's that was there before and has ended since is read once, for
its variables, and let go. Its variables thereby live until the next op, and not longer.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch

import explorer
from explorer.capture.rows import Row
from explorer.capture.watched import is_compiled
from explorer.model import Source

USER, LIBRARY, TORCH, OURS, COMPILED = "user", "library", "torch", "ours", "compiled"

_TORCH = os.path.dirname(torch.__file__) + os.sep
_OURS = os.path.dirname(explorer.__file__) + os.sep
_PROGRAMS = os.path.join(_OURS, "capture", "programs") + os.sep
_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(sorted({_PATHS["purelib"] + os.sep, _PATHS["platlib"] + os.sep}))
_STANDARD = tuple(sorted({_PATHS["stdlib"] + os.sep, _PATHS["platstdlib"] + os.sep}))
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Place(NamedTuple):
    """Where an op was called: the first frame outside torch, and the innermost frame of all (to know repeated calls from one spot)."""

    source: Source | None
    spot: tuple[int, int]
    function_source: Source | None  # where a custom autograd.Function was applied, when the op runs inside its forward


class Frames:
    """The user's frames on the stack of one thread, as last seen."""

    def __init__(self, folder: str, *, harvest: Callable[[FrameType], None]) -> None:
        self.folder = os.path.realpath(folder) + os.sep
        self._harvest = harvest
        self._kinds: dict[int, str] = {}  # by id of the code
        self._sources: dict[tuple[int, int], Source] = {}
        self._codes: list[CodeType] = []  # held, so that ids stay their own
        self._stack: list[FrameType] = []
        self.files: dict[str, str] = {}
        self._last: FrameType | None = None  # from where the op before was called, and what came of it
        self._last_place: Place | None = None
        self.compiled = False  # whether the op placed last is the first of something that torch.compile was to compile

    def place(self, frame: FrameType | None, *, in_function: bool = False, sees: bool = True) -> Place:
        """Where the op called from `frame` belongs in the user's program; `in_function` looks for a custom Function around it.

        What runs on another thread is not to be taken for the end of what runs on this one: `sees` is False there.
        """
        if frame is None:
            return Place(None, (0, 0), None)
        last, found = self._last, self._last_place
        if frame is last and found is not None and not in_function and frame.f_lasti == found.spot[1] and sees:
            self.compiled = False
            return found
        origin, spot = frame, (id(frame.f_code), frame.f_lasti)
        function_source = self._applied(frame) if in_function else None
        source, kinds = None, self._kinds
        self.compiled = False
        while frame is not None:
            code = frame.f_code
            kind = kinds.get(id(code)) or self.kind(code)
            if kind is USER or kind is LIBRARY:
                if source is None:
                    source = self._sources.get((id(code), frame.f_lasti)) or self.at(code, frame.f_lasti)
                if kind is USER:
                    if sees and not (self._stack and self._stack[-1] is frame):
                        self._see(frame)
                    break
            elif kind is COMPILED:
                self.compiled = True
            frame = frame.f_back
        found = Place(source, spot, function_source)
        if sees:  # one call of the program's may run many ops; the frame lives at most until the next op, as those of the user's do
            self._last, self._last_place = origin, None if in_function else found
        return found

    def _applied(self, frame: FrameType | None) -> Source | None:
        """Where the outermost custom Function on the stack was applied."""
        applied = None
        while frame is not None:
            if frame.f_code is _APPLY:
                applied = frame
            frame = frame.f_back
        while applied is not None and self.kind(applied.f_code) in (TORCH, OURS, COMPILED):
            applied = applied.f_back
        return None if applied is None else self.source(applied)

    def in_constructor(self, frame: FrameType | None) -> bool:
        """Whether an `__init__` is running: the program is still building something."""
        while frame is not None:
            if frame.f_code.co_name == "__init__":
                return True
            frame = frame.f_back
        return False

    def kind(self, code: CodeType) -> str:
        """Whose code it is."""
        found = self._kinds.get(id(code))
        if found is None:
            path = code.co_filename
            if os.sep in path:  # asking the file system takes long, and where an absolute name leads does not change
                path = _real(path) if os.path.isabs(path) else os.path.realpath(path)
            found = self._kinds[id(code)] = COMPILED if is_compiled(code) else _kind(path, self.folder)
            self._codes.append(code)
        return found

    def source(self, frame: FrameType) -> Source | None:
        """The expression that `frame` is just evaluating."""
        return self.at(frame.f_code, frame.f_lasti)

    def at(self, code: CodeType, last: int) -> Source | None:
        """The expression of the instruction at byte `last` of `code`."""
        key = (id(code), last)
        found = self._sources.get(key)
        if found is None:
            found = self._source(code, last)
            if found is not None:
                self._codes.append(code)
                self._sources[key] = found
        return found

    def _source(self, code: CodeType, last: int) -> Source | None:
        span = _span(code.co_filename, code, last)
        if span is None:
            return None
        file = self.relative(code.co_filename)
        if self.kind(code) is USER and file not in self.files:
            self.files[file] = "".join(linecache.getlines(code.co_filename))
        return Source(file, span.line, span.code, code.co_qualname, span.column, span.end_column, span.end_line)

    def raised_at(self, error: BaseException) -> Source | None:
        """The innermost line of the user's that an error came through."""
        traceback, found = error.__traceback__, None
        while traceback is not None:
            if self.kind(traceback.tb_frame.f_code) == "user":
                found = self.at(traceback.tb_frame.f_code, traceback.tb_lasti)
            traceback = traceback.tb_next
        return found

    def relative(self, filename: str) -> str:
        """A path that says nothing of this machine: relative to the target's folder, or beginning with the library's package."""
        return _relative(filename, self.folder)

    def _see(self, frame: FrameType) -> None:
        """Take note that `frame` runs; frames of the user's above the deepest common one have ended and are harvested."""
        stack = self._stack
        if stack and stack[-1] is frame:
            return
        known = {id(seen): depth for depth, seen in enumerate(stack)}
        fresh: list[FrameType] = []
        outer: FrameType | None = frame
        while outer is not None and id(outer) not in known:
            kind = self.kind(outer.f_code)
            if kind is USER:
                fresh.append(outer)
            elif kind is COMPILED:
                self.compiled = True
            outer = outer.f_back
        keep = 0 if outer is None else known[id(outer)] + 1
        self._harvest_above(keep)
        stack.extend(reversed(fresh))

    def _harvest_above(self, keep: int) -> None:
        while len(self._stack) > keep:
            self._harvest(self._stack.pop())

    def visible(self) -> Iterator[FrameType]:
        """The user's frames seen last, innermost first."""
        return reversed(self._stack)

    def look(self, frame: FrameType | None) -> None:
        """Read the variables of all frames of the user's that are on the stack now."""
        self._last = self._last_place = None
        while frame is not None and self.kind(frame.f_code) is not USER:
            frame = frame.f_back
        if frame is not None:
            self._see(frame)
        for seen in self.visible():
            self._harvest(seen)

    def close(self) -> None:
        """Let every frame go; `look` has read them."""
        self._last = self._last_place = None
        self._stack.clear()


@lru_cache(maxsize=10_000)
def _kind(path: str, folder: str) -> str:
    """Whose code lies at a path; `folder` is the target's."""
    if path.startswith(_TORCH):
        return TORCH
    if path.startswith(_PROGRAMS):
        return USER
    if path.startswith(_OURS):
        return OURS
    if path.startswith(folder) and folder.startswith(_LIBRARIES) and folder not in _LIBRARIES:
        return USER  # the target itself is an installed package
    if path.startswith(("<frozen", "<string>", "<__array_function__", *_LIBRARIES, *_STANDARD)) or any(part in path for part in _PACKAGES):
        return LIBRARY
    return USER


@lru_cache(maxsize=10_000)
def _relative(filename: str, folder: str) -> str:
    if os.sep not in filename:
        return filename
    path = _real(filename)
    for root in (_PROGRAMS, folder, *_LIBRARIES, *_STANDARD):
        if path.startswith(root):
            return path[len(root) :].replace(os.sep, "/")
    for part in _PACKAGES:
        if part in path:
            return path.split(part, 1)[1].replace(os.sep, "/")
    return os.path.basename(path)


class _Span(NamedTuple):
    """Where an expression stands in its file; columns count characters."""

    line: int
    code: str
    column: int
    end_column: int
    end_line: int | None


@lru_cache(maxsize=20_000)
def _span(filename: str, code: CodeType, last: int) -> _Span | None:
    """Where the instruction at byte `last` stands. (Codes of equal text are equal, whatever their file: hence its name.)"""
    line, end_line, column, end_column = _position(code, last)
    if line is None:
        return None
    end_line = end_line or line
    if end_line > line and column is not None:
        line, end_line, column, end_column = _iterated(filename, line, column) or (line, end_line, column, end_column)
    if linecache.getline(filename, line)[: column or 0].rstrip().endswith(".") and end_column is not None:
        line, column = _whole_call(filename, line, column or 0, end_line, end_column)
    texts = [linecache.getline(filename, number).rstrip("\n") for number in range(line, end_line + 1)]
    column = _characters(texts[0], column or 0)
    end_column = len(texts[-1]) if end_column is None else _characters(texts[-1], end_column)
    return _Span(line, "\n".join(texts), column, end_column, end_line if end_line > line else None)


@lru_cache(maxsize=10_000)
def _real(filename: str) -> str:
    return os.path.realpath(filename) if os.sep in filename else filename


def _position(code: CodeType, last: int) -> tuple[int | None, int | None, int | None, int | None]:
    for index, position in enumerate(code.co_positions()):
        if index == last // 2:
            return position
    return (None, None, None, None)


def _characters(text: str, count: int) -> int:
    """Columns are counted in UTF-8 bytes by Python, in characters by us."""
    return count if text.isascii() else len(text.encode()[:count].decode(errors="ignore"))


def variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """The tensors and modules that variables of a frame hold; in lists, tuples and dicts, named like `w[0]`, after all others."""
    inner: list[tuple[str, Any]] = []
    for name, value in _locals(frame):
        what = _what(type(value))
        if what is NOTHING or name.startswith("__"):
            continue
        if what is HELD:
            yield name, value
        elif len(value) <= 100:
            if what is dict:
                inner += [(f"{name}[{key!r}]", item) for key, item in value.items() if isinstance(key, str | int)]
            else:
                inner += [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    yield from ((name, value) for name, value in inner if _what(type(value)) is HELD)


class Aliases:
    """Names of leaves in order: what a function calls an argument comes after what those call it who made it, though it ends first."""

    def __init__(self) -> None:
        self._given: dict[int, tuple[str, ...]] = {}  # row -> the names among its own that are only those of arguments, which stand last

    def add(self, row: Row, name: str, frame: FrameType) -> None:
        """A variable of this frame holds the leaf at `row`."""
        code = frame.f_code
        arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
        given = self._given.get(row.index, ())
        own = [known for known in row.names if known not in given]
        if name.partition("[")[0] in code.co_varnames[:arguments]:
            if name in row.names:
                return
            given = (*given, name)
        elif name not in own:
            own.append(name)
            given = tuple(known for known in given if known != name)
        row.names = (*own, *given)
        if given or row.index in self._given:
            self._given[row.index] = given


NOTHING, HELD = "nothing", "held"  # what a variable of some type may mean to us; or list, tuple, dict


_WHAT: dict[type, Any] = {}


def _what(kind: type) -> Any:
    found = _WHAT.get(kind)
    if found is None:
        if len(_WHAT) > 1_000:  # a program that makes classes on and on
            _WHAT.clear()
        found = HELD if issubclass(kind, torch.Tensor | torch.nn.Module) else kind if kind in (list, tuple, dict) else NOTHING
        _WHAT[kind] = found
    return found


def _locals(frame: FrameType) -> list[tuple[str, Any]]:
    """The local variables of a frame, none of them kept alive.

    Before Python 3.13 a function's `f_locals` is a copy that its frame keeps until it ends, with everything in it; nobody but us asked for
    it unless someone else holds it (the program, by `locals()`).
    """
    found = frame.f_locals
    items = list(found.items())
    if type(found) is dict and frame.f_code.co_flags & inspect.CO_OPTIMIZED and sys.getrefcount(found) <= 3:
        found.clear()
    return items


def _iterated(file: str, line: int, column: int) -> tuple[int, int, int, int] | None:
    """What a `for` loop at this place goes over; Python tells of the whole loop."""
    for loop in _loops(file):
        if (loop.lineno, loop.col_offset) == (line, column):
            over = loop.iter
            return over.lineno, over.end_lineno or over.lineno, over.col_offset, over.end_col_offset or over.col_offset
    return None


def _whole_call(file: str, line: int, column: int, end_line: int, end_column: int) -> tuple[int, int]:
    """The first line and column (in UTF-8 bytes) of a call `(…).name()` over several lines; Python tells only of `name()`."""
    for call in _calls(file):
        ends_there = (call.end_lineno, call.end_col_offset) == (end_line, end_column)
        if ends_there and isinstance(call.func, ast.Attribute) and (call.lineno, call.col_offset) < (line, column):
            return call.lineno, call.col_offset
    return line, column


@cache
def _syntax(file: str) -> tuple[ast.AST, ...]:
    try:
        return tuple(ast.walk(ast.parse("".join(linecache.getlines(file)))))
    except (SyntaxError, ValueError):
        return ()


def _calls(file: str) -> Iterator[ast.Call]:
    return (node for node in _syntax(file) if isinstance(node, ast.Call) and node.end_lineno != node.lineno)


def _loops(file: str) -> Iterator[ast.For | ast.AsyncFor]:
    return (node for node in _syntax(file) if isinstance(node, ast.For | ast.AsyncFor))


_APPLY = torch.autograd.Function.apply.__func__.__code__  # type: ignore[attr-defined]
