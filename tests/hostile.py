"""Documents and archives that were changed by someone who means harm: what the fuzz tests of files are made of."""

from __future__ import annotations

import copy
import io
import json
import math
import struct
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from explorer.document import to_document
from explorer.model import StoredTensor
from explorer.tensors import tensor_blocks
from tests.dummy import dummy_trace, nonfinite_trace

__all__ = [
    "ARCHIVE",
    "BASES",
    "EMPTY_TENSORS",
    "changed_archive",
    "changed_document",
    "changed_tensors",
    "changed_text",
    "document_bytes",
    "zipped",
]

SAMPLES = Path(__file__).resolve().parent.parent / "assets/samples"
NAMES = ("accumulation", "causal_attention", "cnn", "d2l_detach", "nan_where", "repeated_backward", "simple_net", "vanishing_sigmoids")


def recorded(name: str) -> dict[str, Any]:
    """The document of a shipped recording, as another program would read it."""
    with zipfile.ZipFile(SAMPLES / f"{name}.trace") as archive:
        return dict(json.loads(archive.read("trace.json")))


BASES = [
    {**json.loads(json.dumps(to_document(dummy_trace(modules=True, updates=True, findings=True)))), "sources": {"neuron.py": "x = 1\n"}},
    json.loads(json.dumps(to_document(nonfinite_trace()))),
    *map(recorded, NAMES),
]

NUMBERS: list[Any] = [
    *(
        0,
        1,
        -1,
        2,
        7,
        63,
        64,
        65,
        255,
        2**31,
        2**32 - 1,
        2**53 + 1,
        2**62,
        2**63 - 1,
        2**63,
        2**64,
        -(2**63),
        2**64 - 1,
        10**300,
        True,
        False,
    ),
    *(0.0, -0.0, 0.5, 1.0, -1.5, 1e-320, 1e300, 1.7976931348623157e308, -1e308, 1e16, 123456.789, 999999.5, 1e-5),
]
WORDS: list[Any] = [
    *("", " ", "a", "nan", "inf", "-inf", "NaN", "Infinity", "null", "0", "True", "float32", "complex64", "bool", "int64", "bfloat16"),
    *("op", "parameter", "constant", "buffer", "executed", "no gradient", "not executed", "detach", "item", "integer", "not reached"),
    *(
        "\ud800",
        "\udcff",
        "\0",
        "\x1b[31m",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\uffff",
        "\U0001f600",
        "가",
        "é" * 50,
        "\n",
        "\r\n",
        "\t",
        "\x7f",
    ),
    *(
        "</script><script>alert(1)</script>",
        "<b>&amp;",
        '"',
        "\\",
        "'",
        "{}",
        "{0}",
        "{name}",
        "%s",
        "%n",
        "../../etc/passwd",
        "C:\\x",
        "@finding.no",
    ),
    *("x" * 5000, "1+2j", "nan+nanj", "1e999", "-1e999j", "h.0", "h.0.1", ".", "..", "a.b.c", "-1", "n0", "cluster_m0", "__proto__", "lr"),
]


def scalar(draw: Random) -> Any:
    return copy.deepcopy(draw.choice(draw.choice([NUMBERS, WORDS, [None, True, False], [[], {}, [None], [[]], [0], [1, 1], {"": 0}]])))


def any_value(draw: Random, depth: int = 0) -> Any:
    """Any JSON value, more often one that looks like something."""
    kind = draw.randrange(12)
    if depth > 2 or kind < 8:
        return scalar(draw)
    if kind < 10:
        return [any_value(draw, depth + 1) for _ in range(draw.choice([0, 1, 2, 3, 65]) if depth < 2 else draw.randrange(3))]
    if kind < 11:
        return {draw.choice(WORDS): any_value(draw, depth + 1) for _ in range(draw.randrange(4))}
    deep = scalar(draw)
    for _ in range(draw.choice([2, 63, 64, 65, 200, 450])):
        deep = [deep] if draw.random() < 0.9 else {"a": deep}
    return deep


def place_in(document: Any, draw: Random) -> tuple[Any, Any]:
    """A container in the document, and a key or index in it."""
    here = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = draw.choice(keys)
        inner = here[key]
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.12:
            return here, key
        here = inner


def changed_document(draw: Random) -> dict[str, Any]:
    """A recorded document with a few changes anywhere in it: values replaced, keys dropped, parts doubled, swapped or moved."""
    document = copy.deepcopy(draw.choice(BASES))
    for _ in range(draw.choice([1, 1, 1, 2, 3, 6, 20])):
        change(document, draw)
        if not document:
            break
    return document


def change(document: dict[str, Any], draw: Random) -> None:
    here, key = place_in(document, draw)
    if draw.random() < 0.6:
        here[key] = alike(here[key], document, draw)
        return
    match draw.randrange(12):
        case 0 | 1 | 2:
            here[key] = scalar(draw)
        case 3:
            here[key] = any_value(draw)
        case 4:
            del here[key]
        case 5 | 6:  # what stands somewhere else
            there, other = place_in(document, draw)
            here[key] = copy.deepcopy(there[other])
        case 7:
            there, other = place_in(document, draw)
            here[key], there[other] = copy.deepcopy(there[other]), copy.deepcopy(here[key])
        case 8 if isinstance(here, list):
            here.insert(draw.randrange(len(here) + 1), copy.deepcopy(here[key]))
        case 9 if isinstance(here, list):
            draw.shuffle(here)
        case 8 | 9:
            here[draw.choice(WORDS)] = any_value(draw)
        case _:
            here[key] = None


def alike(value: Any, document: dict[str, Any], draw: Random) -> Any:
    """Another value of the same kind, from a list or from another place of the document: much of what this makes is accepted."""
    if draw.random() < 0.3:
        for _ in range(20):
            there, other = place_in(document, draw)
            if type(there[other]) is type(value) and (not isinstance(value, dict) or there[other].keys() == value.keys()):
                return copy.deepcopy(there[other])
    match value:
        case bool():
            return not value
        case int():
            return draw.choice([value + 1, max(value - 1, 0), value * 2, 0, 1, *(number for number in NUMBERS if type(number) is int)])
        case float():
            return draw.choice(
                [-value, value * 2, value * 1e30, int(value) if math.isfinite(value) else 0, "nan", "inf", "-inf", *NUMBERS[-12:]]
            )
        case str():
            return draw.choice(WORDS)
        case list():
            return draw.choice([[], value[:-1], value[::-1], value + value[:1], [value]])
        case dict():
            return {key: alike(inner, document, draw) if draw.random() < 0.1 else inner for key, inner in value.items()}
    return draw.choice([0, 0.5, "inf", None, [], WORDS[draw.randrange(len(WORDS))]])


def document_bytes(document: Any) -> bytes:
    """As JSON; half characters as escapes."""
    return json.dumps(document).encode()


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members, twice the same name if asked for."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            member = zipfile.ZipInfo(name)
            member.compress_type = method
            archive.writestr(member, data)
    return target.getvalue()


EMPTY_TENSORS = (2).to_bytes(8, "little") + b"{}"
ARCHIVE = zipped([("trace.json", document_bytes(BASES[0])), ("tensors.safetensors", EMPTY_TENSORS)])
# Where the fields of a zip's headers stand: signature, offsets of two- and four-byte fields after it.
HEADERS = {
    b"PK\x03\x04": [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)],
    b"PK\x01\x02": [(6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (38, 4), (42, 4)],
    b"PK\x05\x06": [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)],
}


def changed_archive(draw: Random) -> bytes:
    """A `.trace` whose headers lie, or that is cut, doubled, or put together wrongly."""
    data = bytearray(ARCHIVE)
    for _ in range(draw.choice([1, 1, 2, 4])):
        match draw.randrange(5):
            case 0 | 1 | 2:
                signature = draw.choice(list(HEADERS))
                places = [place for place in range(len(data) - 3) if data[place : place + 4] == signature]
                if places:
                    offset, size = draw.choice(HEADERS[signature])
                    value = draw.choice([0, 1, 2, 8, 12, 30, 100, 0x2041, 0xFFFF, 2**31, 2**32 - 1, draw.randrange(len(data))])
                    start = draw.choice(places) + offset
                    data[start : start + size] = (value % 256**size).to_bytes(size, "little")
            case 3:
                start = draw.randrange(len(data) or 1)
                del data[start : start + draw.choice([1, 4, 30, len(data)])]
            case 4:
                start = draw.randrange(len(data) + 1)
                data[start:start] = draw.choice([b"PK\x05\x06" + b"\0" * 18, b"PK\x06\x07" + b"\xff" * 16, b"\0" * 100, bytes(data[:200])])
    return bytes(data)


TENSORS = {
    "n0.output0": StoredTensor("float32", (1,), struct.pack("<f", 1.1)),
    "n2.gradient0": StoredTensor("bool", (3,), b"\1\0\1"),
    "n2.output0": StoredTensor("int64", (2, 0), b""),
    "n4.output0": StoredTensor("complex128", (2,), struct.pack("<4d", 1, 2, 3, float("nan"))),
}


def changed_tensors(draw: Random) -> bytes:
    """A `tensors.safetensors` whose header lies."""
    data = b"".join(tensor_blocks(TENSORS))
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(draw.choice([1, 1, 2, 4])):
        change(header, draw)
        if not header:
            break
    text = json.dumps(header).encode()
    told = draw.choice([len(text)] * 6 + [0, 1, len(text) - 1, len(text) + 1, 2**40, 2**64 - 1])
    return told.to_bytes(8, "little") + text + body[: draw.choice([len(body)] * 6 + [0, 1])]


PATCHES = [
    b"",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"NaN",
    b"1e999",
    b"-",
    b"\\u12",
    b"\0",
]


def changed_text(draw: Random) -> bytes:
    """The text of a document with bytes changed; now and then so long that it is read in many pieces."""
    document = draw.choice(BASES)
    if draw.random() < 0.1:
        document = {
            **document,
            "nodes": [{**node, "op": "x" * 90_000 if place % 3 else node["op"]} for place, node in enumerate(document["nodes"])],
        }
    data = bytearray(json.dumps(document, indent=draw.choice([None, None, 1]), ensure_ascii=draw.random() < 0.5).encode("utf-8", "replace"))
    for _ in range(draw.choice([1, 1, 2, 5])):
        start = draw.randrange(len(data))
        end = start + draw.choice([0, 0, 1, 5, 50, len(data)])
        patch = draw.choice(PATCHES) * draw.choice([1, 1, 3])
        data[start:end] = draw.choice([patch, bytes(data[start : start + 30]), bytes([draw.randrange(256)])])
    return bytes(data)
