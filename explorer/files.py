"""`.trace` and `.json` in and out. The only reader of files that this program did not necessarily write itself.

A `.trace` is a zip of `trace.json` (the document of format 1 and the user's files under "sources") and `tensors.safetensors`. Opening one
runs no code: there is no pickle in it. What a file declares about its size is held against limits before memory is taken.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import secrets
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NoReturn

from explorer.document import document_lines, from_document
from explorer.errors import ExplorerError, FileError, OutputError, RequestError
from explorer.invariants import check_structure
from explorer.model import Trace
from explorer.tensors import read_tensors, tensor_blocks

__all__ = ["assets_folder", "load", "open_output", "save"]

DOCUMENT, TENSORS = "trace.json", "tensors.safetensors"
LARGEST_DOCUMENT = 2 << 30  # bytes: a million nodes take a little over one GiB
LARGEST_TENSORS = 64 << 30  # bytes: every activation of a large model, while it still fits a workstation's memory
HIGHEST_RATIO = 500  # a document shrinks 10 to 100 times, 300 where a page of code stands at each node; a bomb 1,000 times
SMALL = 16 << 20  # bytes: what unpacks to no more is harmless whatever its ratio
LARGEST_DIRECTORY = 4096  # bytes: the list of the archive's two members takes about 200
_PIECE = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can state; the same trace gives the same file


def load(path: str | os.PathLike[str]) -> Trace:
    """The Trace in a `.trace` or `.json` file; which of both it is, its first bytes say."""
    if not isinstance(path, str | os.PathLike):
        raise FileError("file.not_a_path", kind=type(path).__name__)
    name = os.fspath(path)
    if "\0" in name:
        raise FileError("file.missing", path=name)
    try:
        if stat.S_ISDIR(os.stat(name).st_mode):
            raise FileError("file.is_folder", path=name)
        with open(name, "rb") as stream, _collector_paused():
            trace = _read(stream, name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileError("file.missing", path=name) from error
    except OSError as error:
        raise FileError("file.unreadable", path=name, reason=error.strerror or error) from error
    check_structure(trace)
    return trace


def save(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write `trace` to a `.trace` or `.json` file, whole or not at all. Tensors and sources are part of the `.trace` only."""
    if not isinstance(trace, Trace):
        raise RequestError("file.no_trace_given", kind=type(trace).__name__)
    suffix = Path(path).suffix.lower()
    if suffix not in (".trace", ".json"):
        raise OutputError("file.write_suffix", path=os.fspath(path))
    with open_output(path) as stream:
        if suffix == ".json":
            stream.writelines(_pieces(document_lines(trace)))
        else:
            _write_archive(trace, stream)


@contextmanager
def open_output(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stream whose content stands at `path` once the block has ended well; until then, and otherwise, what was there is untouched.

    Written beside it under another name and then moved. Trouble with the place raises OutputError.
    """
    name = os.fspath(path)
    if "\0" in name:
        raise OutputError("file.write_no_folder", path=name)
    part = ""
    try:
        target = os.path.realpath(name)
        if os.path.basename(name) in ("", ".", "..") or (os.path.lexists(target) and not os.path.isfile(target)):
            raise OutputError("file.write_folder", path=name)
        part = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.part")
        with open(part, "xb") as stream:
            yield stream
        os.replace(part, target)
        part = ""
    except OSError as error:
        _refuse_output(name, error)
    finally:
        if part:
            with suppress(OSError):  # it was never made, or its disk is gone
                os.unlink(part)


def assets_folder() -> Path:
    """The folder of shipped files: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "assets", package.parent / "assets"):
        if folder.is_dir():
            return folder
    raise ExplorerError("file.no_assets")


def _refuse_output(path: str, error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise OutputError("file.write_full", path=path) from error
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        raise OutputError("file.write_no_folder", path=path) from error
    raise OutputError("file.write_denied", path=path, reason=error.strerror or error) from error


def _read(stream: BinaryIO, path: str) -> Trace:
    start = stream.read(4)
    stream.seek(0)
    if start[:2] == b"PK":
        return _read_archive(stream, path)
    size = os.fstat(stream.fileno()).st_size
    if size > LARGEST_DOCUMENT:
        raise FileError("file.too_large", path=path, member=path, size=size, limit=LARGEST_DOCUMENT)
    return from_document(_parsed(stream.read(LARGEST_DOCUMENT + 1), path), path=path)


def _parsed(data: bytes, path: str) -> Any:
    """The JSON value in `data`."""

    def refuse_constant(number: str) -> NoReturn:
        raise FileError("file.bad_number", path=path, number=number)

    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        raise FileError("file.not_a_trace", path=path)
    try:
        return json.loads(data, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise FileError("file.broken_json", path=path, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise FileError("file.nested", path=path) from None
    except ValueError as error:  # not UTF-8, or an integer of thousands of digits
        raise FileError("file.damaged", path=path) from error


def _write_archive(trace: Trace, stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream, "w", allowZip64=True) as archive:
        _write_member(archive, DOCUMENT, zipfile.ZIP_DEFLATED, _pieces(document_lines(trace, sources=True)))
        _write_member(archive, TENSORS, zipfile.ZIP_STORED, tensor_blocks(trace.tensors))  # numbers hardly shrink


def _write_member(archive: zipfile.ZipFile, name: str, method: int, blocks: Iterable[bytes]) -> None:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = method
    member.create_system = 3  # the same bytes on every system
    member.external_attr = 0o644 << 16
    with archive.open(member, "w", force_zip64=True) as stream:
        for block in blocks:
            stream.write(block)


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about a MiB: one write for each line would cost more than the lines."""
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


def _read_archive(stream: BinaryIO, path: str) -> Trace:
    if _directory_size(stream) > LARGEST_DIRECTORY:
        raise FileError("file.members", path=path)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = {member.filename: member for member in _checked(archive.infolist(), path)}
            document = _parsed(_member_bytes(archive, members[DOCUMENT], path), path)
            trace = from_document(document, path=path)
            tensors = read_tensors(_member_bytes(archive, members[TENSORS], path), path=path)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError) as error:
        raise FileError("file.damaged", path=path) from error
    return replace(trace, tensors=MappingProxyType(tensors)) if tensors else trace


def _directory_size(stream: BinaryIO) -> int:
    """The size that the end of the archive declares for its list of members, which zipfile reads whole before anything is checked."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - 98))
    tail = stream.read(98)
    stream.seek(0)
    size = 0
    if tail[-22:-18] == b"PK\x05\x06":
        size = int.from_bytes(tail[-10:-6], "little")
    if tail[-42:-38] == b"PK\x06\x07":  # zip64: the record before its locator states the size
        size = int.from_bytes(tail[-98:-42][40:48], "little")
    return size


def _checked(members: list[zipfile.ZipInfo], path: str) -> list[zipfile.ZipInfo]:
    """The two members, if these two and nothing else are there, unencrypted and of believable size."""
    if sorted(member.filename for member in members) != [TENSORS, DOCUMENT]:
        raise FileError("file.members", path=path)
    for member in members:
        limit = LARGEST_DOCUMENT if member.filename == DOCUMENT else LARGEST_TENSORS
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileError("file.members", path=path)
        if member.file_size > limit:
            raise FileError("file.too_large", path=path, member=member.filename, size=member.file_size, limit=limit)
        ratio = member.file_size // max(1, member.compress_size)
        if ratio > HIGHEST_RATIO and member.file_size > SMALL:
            raise FileError("file.ratio", path=path, member=member.filename, ratio=ratio)
    return members


def _member_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> bytes:
    """The unpacked bytes; never more than the member declares, whose checksum the last read compares."""
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise FileError("file.damaged", path=path)
    return data


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python's cycle collector off: it would walk the growing document over and over, and finds nothing in it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
