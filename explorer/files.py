"""`.trace` and `.json` in and out. The only reader of files that this program did not necessarily write itself.

A `.trace` is a zip of `trace.json` (the document of format 1 and the user's files under "sources") and `tensors.safetensors`. Opening one
runs no code: there is no pickle in it. What a file declares about its size is held against limits before memory is taken.
"""

from __future__ import annotations

import errno
import gc
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
from typing import IO, BinaryIO, NoReturn

from explorer.document import document_lines
from explorer.errors import ExplorerError, FileError, OutputError, RequestError
from explorer.invariants import check_structure
from explorer.model import Trace
from explorer.parsing import document_parts
from explorer.reading import LISTS, from_parts
from explorer.tensors import read_tensors, tensor_blocks

__all__ = ["assets_folder", "load", "open_output", "save"]

DOCUMENT, TENSORS = "trace.json", "tensors.safetensors"
LARGEST_DOCUMENT = 2 << 30  # bytes: a million nodes take a little over one GiB
LARGEST_TENSORS = 64 << 30  # bytes: every activation of a large model, while it still fits a workstation's memory
# A document shrinks 10 to 60 times, 300 where a page of code stands at each node; a bomb 1,000 times. What unpacks to no more than the
# first size is harmless whatever its ratio.
HIGHEST_RATIOS = ((16 << 20, 500), (64 << 20, 200))
LARGEST_DIRECTORY = 4096  # bytes: the list of the archive's two members takes about 200
_LONGEST_END = (1 << 16) + 22 + 76  # bytes: the end of an archive with the longest comment, and what zip64 puts before it
_SHORTEST_HEADER = 30  # bytes before a member's name
_UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000  # flags: encrypted, a patch, encrypted strongly, its header masked
_PIECE = 1 << 20
# What zipfile raises on an archive that is cut, changed or of a kind that it cannot read.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError, UnicodeError)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can state; the same trace gives the same file


def load(path: str | os.PathLike[str]) -> Trace:
    """The Trace in a `.trace` or `.json` file; which of both it is, its first bytes say."""
    if not isinstance(path, str | os.PathLike):
        raise FileError("file.not_a_path", kind=type(path).__name__)
    name = os.fspath(path)
    if not _possible(name):
        raise FileError("file.missing", path=name)
    try:
        kind = os.stat(name).st_mode
        if stat.S_ISDIR(kind):
            raise FileError("file.is_folder", path=name)
        if not stat.S_ISREG(kind):  # a pipe would keep us waiting, a device never end
            raise FileError("file.no_file", path=name)
        with open(name, "rb") as stream, _collector_paused():
            trace = _read(stream, name)
        check_structure(trace)
    except MemoryError:
        raise FileError("file.memory", path=name) from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileError("file.missing", path=name) from error
    except OSError as error:
        raise FileError("file.unreadable", path=name, reason=error.strerror or error) from error
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
    if not _possible(name):
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


def _possible(name: str) -> bool:
    """Whether a file could have this name: a zero ends it, and half a character is none."""
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


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
    return _read_document(stream, path)


def _read_document(stream: IO[bytes], path: str) -> Trace:
    return from_parts(document_parts(stream.read, path=path, lists=LISTS), path=path)


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
            with _member(archive, members[DOCUMENT], path) as part:
                trace = _read_document(part, path)
            with _member(archive, members[TENSORS], path) as part:
                most = sum(2 * len(node.outputs) for node in trace.nodes)  # a value and a gradient of each
                tensors = read_tensors(part, size=members[TENSORS].file_size, most=most, path=path)
    except _DAMAGE as error:
        raise FileError("file.damaged", path=path) from error
    return replace(trace, tensors=MappingProxyType(tensors)) if tensors else trace


def _directory_size(stream: BinaryIO) -> int:
    """The size that the end of the archive declares for its list of members, which zipfile reads whole before anything is checked."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _LONGEST_END))
    tail = stream.read(_LONGEST_END)
    stream.seek(0)
    end = len(tail) - 22
    if tail[-22:-18] != b"PK\x05\x06" or tail[-2:] != b"\0\0":  # a comment follows
        end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        return 0
    if tail[max(0, end - 20) :][:4] == b"PK\x06\x07":  # zip64: the record before its locator states the size
        return int.from_bytes(tail[max(0, end - 76) :][40:48], "little")
    return int.from_bytes(tail[end + 12 : end + 16], "little")


def _checked(members: list[zipfile.ZipInfo], path: str) -> list[zipfile.ZipInfo]:
    """The two members, if these two and nothing else are there, one behind the other, unencrypted and of believable size."""
    if sorted(member.orig_filename for member in members) != [TENSORS, DOCUMENT]:
        raise FileError("file.members", path=path)
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        limit = LARGEST_DOCUMENT if member.filename == DOCUMENT else LARGEST_TENSORS
        if member.flag_bits & _UNREADABLE or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileError("file.members", path=path)
        if member.header_offset < end:  # two names for the same bytes, or one member inside the other
            raise FileError("file.members", path=path)
        end = member.header_offset + _SHORTEST_HEADER + len(member.filename) + member.compress_size
        if member.file_size > limit:
            raise FileError("file.too_large", path=path, member=member.filename, size=member.file_size, limit=limit)
        ratio = member.file_size // max(1, member.compress_size)
        if any(ratio > highest and member.file_size > size for size, highest in HIGHEST_RATIOS):
            raise FileError("file.ratio", path=path, member=member.filename, ratio=ratio)
    return members


@contextmanager
def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> Iterator[IO[bytes]]:
    """The unpacked bytes; never more than the member declares, and at the end of the block none may be left. The last read compares the
    checksum."""
    with archive.open(member) as stream:
        yield stream
        if stream.read(1) or stream.tell() != member.file_size:
            raise FileError("file.damaged", path=path)


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
