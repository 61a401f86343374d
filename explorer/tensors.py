"""Whole tensors <-> the safetensors format: eight bytes of length, a JSON header, then the data end to end.

Written out here because the library's own way to write wants raw memory addresses, and because what a header declares is checked before
memory is taken. A data type that the format has no code for (complex128) is kept as bytes, its type and shape in the header's metadata.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from explorer.errors import FileError
from explorer.model import StoredTensor

__all__ = ["read_tensors", "tensor_blocks"]

LONGEST_HEADER = 100_000_000  # bytes; the limit of the format itself
_LONGEST_ENTRY = 1024  # bytes of a header for each tensor
CODES = {
    "bool": ("BOOL", 1),
    "uint8": ("U8", 1),
    "int8": ("I8", 1),
    "int16": ("I16", 2),
    "uint16": ("U16", 2),
    "int32": ("I32", 4),
    "uint32": ("U32", 4),
    "int64": ("I64", 8),
    "uint64": ("U64", 8),
    "float16": ("F16", 2),
    "bfloat16": ("BF16", 2),
    "float32": ("F32", 4),
    "float64": ("F64", 8),
    "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
    "complex64": ("C64", 8),
}
_DTYPES = {code: (dtype, size) for dtype, (code, size) in CODES.items()}
_NAME = re.compile(r"n(0|[1-9]\d{0,17})\.(output|gradient)(0|[1-9]\d{0,17})")
_DTYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def tensor_blocks(tensors: Mapping[str, StoredTensor]) -> Iterator[bytes]:
    """The bytes of a safetensors file, in pieces; wide types first, as the format wants them aligned."""
    names = sorted(tensors, key=lambda name: (-CODES.get(tensors[name].dtype, ("U8", 1))[1], name))
    header: dict[str, Any] = {}
    uncoded: dict[str, str] = {}
    end = 0
    for name in names:
        tensor = tensors[name]
        code, shape = CODES.get(tensor.dtype, ("U8", 1))[0], list(tensor.shape)
        if tensor.dtype not in CODES:
            uncoded[name] = json.dumps([tensor.dtype, shape])
            shape = [len(tensor.data)]
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [end, end + len(tensor.data)]}
        end += len(tensor.data)
    if uncoded:
        header = {"__metadata__": uncoded, **header}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for name in names:
        yield tensors[name].data


def read_tensors(stream: IO[bytes], *, size: int, most: int, path: str) -> dict[str, StoredTensor]:
    """The tensors, at `most` so many, in a stream of `size` bytes; `path` names the file in the sentence of the FileError."""
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > min(LONGEST_HEADER, (most + 4) * _LONGEST_ENTRY, size - 8):
        raise FileError("file.tensors", path=path)
    try:
        header = json.loads(stream.read(length).decode())
        uncoded = header.pop("__metadata__", {})
        return {
            name: StoredTensor(dtype, shape, _exactly(stream, count))
            for name, dtype, shape, count in _contiguous(header, uncoded, size - 8 - length)
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FileError("file.tensors", path=path) from error


def _contiguous(header: dict[str, Any], uncoded: dict[str, str], size: int) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Name, dtype, shape and bytes of each tensor in the order of the data; a ValueError where data overlaps, leaves a hole or misses its
    shape, all of it before the first tensor is read."""
    end, found = 0, []
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, width = _DTYPES[entry["dtype"]]
        shape, (start, stop) = entry["shape"], entry["data_offsets"]
        if not _NAME.fullmatch(name) or type(start) is not int or type(stop) is not int:
            raise ValueError(name)
        if start != end or stop - start != width * _elements(shape):
            raise ValueError(name)
        end = stop
        if name in uncoded:
            dtype, shape = json.loads(uncoded[name])
            whole, rest = divmod(stop - start, max(1, _elements(shape)))
            if not _DTYPE_NAME.fullmatch(dtype) or dtype in CODES or rest or (not whole and start != stop):
                raise ValueError(name)
        found.append((name, dtype, tuple(shape), stop - start))
    if end != size:
        raise ValueError("data after the last tensor, or too little of it")
    return found


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise ValueError("the data breaks off")
    return data


def _elements(shape: list[int]) -> int:
    """Number of elements; a ValueError unless `shape` is a short list of sizes."""
    if type(shape) is not list or len(shape) > 64 or any(type(size) is not int or not 0 <= size < 2**63 for size in shape):
        raise ValueError(shape)
    return math.prod(shape)
