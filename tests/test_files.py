"""`.trace` and `.json` in and out: whole, atomic, the same bytes each time, and safe to open whoever wrote them."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import stat
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

import explorer
from explorer import files
from explorer.document import to_document
from explorer.errors import FileError, InvalidTrace, OutputError
from explorer.model import StoredTensor, Trace
from explorer.tensors import CODES, read_tensors, tensor_blocks
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace

ROOT = Path(__file__).resolve().parent.parent
TENSORS = {
    "n0.output0": StoredTensor("float32", (1,), struct.pack("<f", 1.1)),
    "n2.gradient0": StoredTensor("bool", (3,), b"\1\0\1"),
    "n2.output0": StoredTensor("int64", (2, 0), b""),
    "n4.output0": StoredTensor("complex128", (2,), struct.pack("<4d", 1, 2, 3, float("nan"))),
    "n5.output0": StoredTensor("bfloat16", (), b"\x80\x3f"),
    "n5.gradient0": StoredTensor("float8_e8m0fnu", (0, 5), b""),
}
WHOLE = replace(dummy_trace(modules=True, updates=True, findings=True), tensors=MappingProxyType(TENSORS))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A whole `.trace` file."""
    path = tmp_path / "neuron.trace"
    files.save(WHOLE, path)
    return path


def archive(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of these members at `path`."""
    with zipfile.ZipFile(path, "w", method) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return path


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as source:
        return {name: source.read(name) for name in source.namelist()}


def refused(path: Path | str) -> str:
    """The key of the sentence with which `path` is refused; the sentence names the file and is one in both languages."""
    with pytest.raises(FileError) as caught:
        files.load(path)
    assert os.fspath(path) in caught.value.message("en")
    assert os.fspath(path) in caught.value.message("ko")
    assert "\n" not in str(caught.value)
    return caught.value.key


@pytest.mark.parametrize("trace", [WHOLE, dummy_trace(), nonfinite_trace(), chain_trace(3)], ids=lambda trace: trace.title)
def test_trace_comes_back(trace: Trace, tmp_path: Path) -> None:
    """A `.trace` holds everything, the user's files and whole tensors too."""
    files.save(trace, tmp_path / "a.trace")
    assert files.load(tmp_path / "a.trace") == trace


def test_json_leaves_out_files_and_tensors(tmp_path: Path) -> None:
    """A `.json` holds the document; sources and tensors are part of the `.trace` only."""
    files.save(WHOLE, tmp_path / "a.json")
    assert files.load(tmp_path / "a.json") == replace(WHOLE, sources={}, tensors={})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == to_document(WHOLE)


def test_content_decides_not_the_suffix(saved: Path, tmp_path: Path) -> None:
    """A renamed file opens: the first bytes say what it is."""
    renamed = saved.rename(tmp_path / "neuron.json")
    assert files.load(renamed) == WHOLE


def test_json_by_another_hand_opens(tmp_path: Path) -> None:
    """Indented, with a byte order mark and with whole numbers for floats, as other programs write JSON."""
    document = to_document(WHOLE)
    document["edges"][1]["gradient"]["std"] = 0
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document, indent=4), encoding="utf-8-sig")
    assert files.load(path).edges == WHOLE.edges


@pytest.mark.parametrize("suffix", [".trace", ".json"])
def test_same_trace_same_file(suffix: str, tmp_path: Path) -> None:
    """Written twice, and once more after reading: the same bytes."""
    first, second, third = (tmp_path / f"{name}{suffix}" for name in "abc")
    files.save(WHOLE, first)
    files.save(replace(WHOLE, tensors=dict(reversed(TENSORS.items()))), second)
    files.save(files.load(first), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_archive_holds_two_members(saved: Path) -> None:
    """A zip of exactly `trace.json` and `tensors.safetensors`, without a moment in time."""
    with zipfile.ZipFile(saved) as source:
        assert source.namelist() == ["trace.json", "tensors.safetensors"]
        assert {member.date_time for member in source.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_tensors_are_what_the_library_reads(saved: Path) -> None:
    """`tensors.safetensors` opens with the safetensors library: same names, shapes and bytes."""
    safetensors = pytest.importorskip("safetensors")
    found = dict(safetensors.deserialize(members_of(saved)["tensors.safetensors"]))
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert bytes(found[name]["data"]) == tensor.data
        if tensor.dtype in CODES:
            assert (found[name]["dtype"], tuple(found[name]["shape"])) == (CODES[tensor.dtype][0], tensor.shape)


def test_a_broken_trace_is_not_opened(tmp_path: Path) -> None:
    """A file whose parts contradict each other is refused on loading, before anything stumbles over it."""
    document = to_document(dummy_trace())
    document["edges"][0]["target"] = 99
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InvalidTrace) as caught:
        files.load(tmp_path / "a.json")
    assert caught.value.key == "trace.edge_nowhere"


# Files that are not what they should be.


def test_missing_folder_and_unreadable(tmp_path: Path) -> None:
    """No such file, a folder, a name that cannot be: each has its sentence."""
    assert refused(tmp_path / "none.trace") == "file.missing"
    assert refused(tmp_path) == "file.is_folder"
    (tmp_path / "file").write_bytes(b"x")
    assert refused(tmp_path / "file" / "a.trace") == "file.missing"
    assert refused("a\0.trace") == "file.missing"
    assert refused("a\ud800.trace") == "file.missing"
    assert refused(tmp_path / ("n" * 300)) == "file.unreadable"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(saved: Path) -> None:
    """A file that may not be read says so."""
    saved.chmod(0)
    assert refused(saved) == "file.unreadable"


TEXTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "file.not_a_trace"),
    "text": (b"hello", "file.not_a_trace"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "file.not_a_trace"),
    "a pickle": (b"\x80\x04\x95\x0b\0\0\0", "file.not_a_trace"),
    "a list": (b"[1, 2]", "file.not_a_trace"),
    "an object of something else": (b'{"a": 1}', "file.not_a_trace"),
    "newer": (b'{"format": 2, "all": "new"}', "file.newer"),
    "cut": (b'{"format": 1, "title": "ne', "file.broken_json"),
    "two documents": (b'{"format": 1} {"format": 1}', "file.broken_json"),
    "NaN": (b'{"format": 1, "loss": NaN}', "file.bad_number"),
    "Infinity": (b'{"format": 1, "loss": -Infinity}', "file.bad_number"),
    "not UTF-8": (b'{"format": 1, "title": "\xff\xfe"}', "file.damaged"),
    "a number of 5,000 digits": (b'{"format": ' + b"9" * 5000 + b"}", "file.damaged"),
    "lists nested deeply": (b'{"format": ' + b"[" * 200_000, "file.nested"),
    "objects nested deeply": (b'{"a": ' * 200_000, "file.nested"),
    "incomplete": (b'{"format": 1}', "file.field"),
}


@pytest.mark.parametrize(("data", "key"), TEXTS.values(), ids=TEXTS.keys())
def test_other_files_are_refused(data: bytes, key: str, tmp_path: Path) -> None:
    """What is not a trace gets one sentence that says what it is instead."""
    path = tmp_path / "a.json"
    path.write_bytes(data)
    assert refused(path) == key


def test_deep_values_are_refused(tmp_path: Path) -> None:
    """Nesting that JSON still takes is refused where values stand, without recursion."""
    document = to_document(dummy_trace())
    deep: Any = 1.0
    for _ in range(400):
        deep = [deep]
    document["nodes"][0]["outputs"][0] = {**document["nodes"][0]["outputs"][0], "values": deep}
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    assert refused(tmp_path / "a.json") == "file.field"


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "no tensors": (lambda parts: {"trace.json": parts["trace.json"]}, "file.members"),
    "no document": (lambda parts: {"tensors.safetensors": parts["tensors.safetensors"]}, "file.members"),
    "one more": (lambda parts: {**parts, "run.py": b"print()"}, "file.members"),
    "a folder": (lambda parts: {**parts, "folder/": b""}, "file.members"),
    "a way out": (lambda parts: {"../trace.json": parts["trace.json"], "tensors.safetensors": b""}, "file.members"),
    "an absolute way": (lambda parts: {"/trace.json": parts["trace.json"], "tensors.safetensors": b""}, "file.members"),
    "empty": (lambda parts: {}, "file.members"),
    "document of something else": (lambda parts: {**parts, "trace.json": b"{}"}, "file.not_a_trace"),
    "a list for a document": (lambda parts: {**parts, "trace.json": b"[]"}, "file.not_a_trace"),
    "document cut": (lambda parts: {**parts, "trace.json": parts["trace.json"][:-100]}, "file.broken_json"),
    "newer": (lambda parts: {**parts, "trace.json": b'{"format": 3}'}, "file.newer"),
    "bomb": (lambda parts: {**parts, "trace.json": b" " * 50_000_000}, "file.ratio"),
    "bomb of tensors": (lambda parts: {**parts, "tensors.safetensors": bytes(50_000_000)}, "file.ratio"),
    "no header": (lambda parts: {**parts, "tensors.safetensors": b""}, "file.tensors"),
    "header beyond the end": (lambda parts: {**parts, "tensors.safetensors": b"\xff" * 20}, "file.tensors"),
}


@pytest.mark.parametrize(("change", "key"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_archives_are_refused(
    change: Callable[[dict[str, bytes]], dict[str, bytes]], key: str, saved: Path, tmp_path: Path
) -> None:
    """Wrong members, names that lead elsewhere, bombs and damage are refused, each with its sentence."""
    assert refused(archive(tmp_path / "bad.trace", change(members_of(saved)))) == key


def test_a_member_twice_is_refused(saved: Path, tmp_path: Path) -> None:
    """Two documents in one archive would be two truths."""
    path, parts = tmp_path / "bad.trace", members_of(saved)
    with zipfile.ZipFile(path, "w") as target, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("trace.json", "trace.json", "tensors.safetensors"):
            target.writestr(name, parts[name])
    assert refused(path) == "file.members"


def test_other_compression_is_refused(saved: Path, tmp_path: Path) -> None:
    """Only what is stored or deflated is unpacked: others shrink without bound."""
    assert refused(archive(tmp_path / "bad.trace", members_of(saved), method=zipfile.ZIP_LZMA)) == "file.members"


def test_declared_sizes_are_held_against_the_limits(saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A document or tensors larger than the limit are refused by what the archive declares, and so is a `.json` file."""
    monkeypatch.setattr(files, "LARGEST_TENSORS", 10)
    assert refused(saved) == "file.too_large"
    monkeypatch.setattr(files, "LARGEST_DOCUMENT", 1000)
    assert refused(saved) == "file.too_large"
    files.save(WHOLE, tmp_path / "a.json")
    assert refused(tmp_path / "a.json") == "file.too_large"


def test_a_false_size_is_found_out(saved: Path) -> None:
    """An archive that declares less than it holds unpacks to no more than it declares, and is refused."""
    data = bytearray(saved.read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
    data[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    saved.write_bytes(data)
    assert refused(saved) in ("file.damaged", "file.broken_json")


def test_a_long_list_of_members_is_not_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of very many members is refused before its list is taken into memory."""
    path = archive(saved.with_name("bad.trace"), {f"member{number}": b"" for number in range(1000)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the list was read"))
    assert refused(path) == "file.members"


def test_cut_anywhere_is_refused(saved: Path) -> None:
    """A `.trace` cut off at any place is refused with a sentence."""
    data = saved.read_bytes()
    for length in (*range(0, len(data), len(data) // 40), len(data) - 1):
        saved.write_bytes(data[:length])
        assert refused(saved) in ("file.damaged", "file.not_a_trace", "file.members")


@pytest.mark.parametrize("suffix", [".trace", ".json"])
def test_damage_anywhere_never_shows_a_traceback(suffix: str, tmp_path: Path) -> None:
    """Bytes changed at random give a trace, a FileError or an InvalidTrace, and nothing else."""
    saved = tmp_path / f"a{suffix}"
    files.save(WHOLE, saved)
    data, draw = saved.read_bytes(), random.Random(0)
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(draw.choice([1, 1, 4, 40])):
            damaged[draw.randrange(len(data))] = draw.randrange(256)
        saved.write_bytes(damaged)
        try:
            files.load(saved)
        except (FileError, InvalidTrace) as error:
            assert "\n" not in str(error)  # noqa: PT017


def tensors_in(data: bytes) -> dict[str, StoredTensor]:
    """What a `tensors.safetensors` of these bytes holds."""
    return read_tensors(io.BytesIO(data), size=len(data), most=20, path="bad.trace")


TENSOR_FILES: dict[str, dict[str, Any]] = {
    "no such type": {"n0.output0": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}},
    "shape beyond the data": {"n0.output0": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4]}},
    "offsets beyond the data": {"n0.output0": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}},
    "a hole": {"n0.output0": {"dtype": "U8", "shape": [3], "data_offsets": [1, 4]}},
    "an overlap": {
        "n0.output0": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
        "n2.output0": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]},
    },
    "data left over": {"n0.output0": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}},
    "negative size": {"n0.output0": {"dtype": "U8", "shape": [-2, -2], "data_offsets": [0, 4]}},
    "a name of something else": {"weight": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}},
    "no shape": {"n0.output0": {"dtype": "U8", "data_offsets": [0, 4]}},
    "not an object": {"n0.output0": 4},
    "offsets that are no numbers": {"n0.output0": {"dtype": "U8", "shape": [4], "data_offsets": ["0", "4"]}},
    "metadata of no type": {
        "__metadata__": {"n0.output0": "[1, 2]"},
        "n0.output0": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
    },
    "metadata that does not divide": {
        "__metadata__": {"n0.output0": '["complex128", [3]]'},
        "n0.output0": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
    },
}


@pytest.mark.parametrize("header", TENSOR_FILES.values(), ids=TENSOR_FILES.keys())
def test_tensors_that_lie_are_refused(header: dict[str, Any]) -> None:
    """What a header declares must be what the data is, before memory is taken for it."""
    text = json.dumps(header).encode()
    with pytest.raises(FileError) as caught:
        tensors_in(len(text).to_bytes(8, "little") + text + b"data")
    assert caught.value.key == "file.tensors"


def test_tensors_of_another_writer_open() -> None:
    """A header with foreign metadata, as the safetensors library writes it, is read."""
    header = b'{"__metadata__":{"format":"pt"},"n0.output0":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    found = tensors_in(len(header).to_bytes(8, "little") + header + struct.pack("<f", 2.0))
    assert found == {"n0.output0": StoredTensor("float32", (1,), struct.pack("<f", 2.0))}
    assert tensors_in(b"".join(tensor_blocks({}))) == {}


# Writing.


@pytest.mark.parametrize("name", ["a.svg", "a", "a.trace.gz", "trace"])
def test_other_suffixes_are_refused(name: str, tmp_path: Path) -> None:
    """`save` writes `.trace` and `.json`; any other suffix is said to be wrong, and nothing is written."""
    with pytest.raises(OutputError) as caught:
        files.save(WHOLE, tmp_path / name)
    assert caught.value.key == "file.write_suffix"
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is missing, a folder in the file's place, a name that cannot be: one sentence each."""
    (tmp_path / "folder.trace").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    for name, key in {
        "none/a.trace": "file.write_no_folder",
        "file/a.trace": "file.write_no_folder",
        "folder.trace": "file.write_folder",
        "a\0.trace": "file.write_no_folder",
        "a\ud800.trace": "file.write_no_folder",
        "n" * 300 + ".trace": "file.write_denied",
    }.items():
        with pytest.raises(OutputError) as caught:
            files.save(WHOLE, f"{tmp_path}/{name}")
        assert caught.value.key == key
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.trace"]


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no devices with names here")
def test_a_device_is_never_replaced() -> None:
    """An output that is a device is refused, not moved away (root could)."""
    with pytest.raises(OutputError) as caught, files.open_output("/dev/null"):
        pass
    assert caught.value.key == "file.write_folder"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("half-way"), KeyboardInterrupt()])
def test_a_failed_write_keeps_what_was_there(error: BaseException, saved: Path) -> None:
    """Disk full, an error or a cancel half-way: the earlier file is whole and nothing else lies around."""
    before = saved.read_bytes()

    def write_half() -> None:
        with files.open_output(saved) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises((OutputError, RuntimeError, KeyboardInterrupt)) as caught:
        write_half()
    if isinstance(error, OSError):
        assert caught.value.key == "file.write_full"  # type: ignore[union-attr]
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk to try")
def test_a_full_disk_is_said() -> None:
    """The system's own word for a full disk becomes our sentence."""
    with pytest.raises(OutputError) as caught:
        files._refuse_output("a.trace", _error_of_a_full_disk())
    assert caught.value.key == "file.write_full"


def _error_of_a_full_disk() -> OSError:
    try:
        with open("/dev/full", "wb", buffering=0) as stream:
            stream.write(b"x")
    except OSError as error:
        return error
    raise AssertionError("the disk was not full")


@pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")
def test_a_new_file_is_an_ordinary_one(tmp_path: Path) -> None:
    """Permissions as any new file has them; a link stays a link and its target gets the content."""
    plain, target, link = tmp_path / "plain", tmp_path / "target.trace", tmp_path / "link.trace"
    plain.touch()
    target.touch()
    link.symlink_to(target)
    files.save(WHOLE, link)
    assert link.is_symlink()
    assert files.load(target) == WHOLE
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


# The package.


def test_assets_are_found_either_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Inside the package where it is installed, beside it in a checkout; if in neither, a sentence says so."""
    assert (files.assets_folder() / "trace.schema.json").is_file()
    package = tmp_path / "explorer"
    package.mkdir()
    monkeypatch.setattr(files, "__file__", str(package / "files.py"))
    with pytest.raises(explorer.ExplorerError) as caught:
        files.assets_folder()
    assert caught.value.key == "file.no_assets"
    (tmp_path / "assets").mkdir()
    assert files.assets_folder() == tmp_path.resolve() / "assets"
    (package / "assets").mkdir()
    assert files.assets_folder() == package.resolve() / "assets"


def fresh(code: str) -> str:
    """What `code` prints in a new process that stands in the checkout."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_files_open_without_torch(saved: Path) -> None:
    """Loading, checking and saving work where torch, numpy and streamlit cannot be imported."""
    code = f"""
import sys
for name in ("torch", "numpy", "streamlit", "safetensors"):
    sys.modules[name] = None
import explorer
trace = explorer.load({str(saved)!r})
trace.check()
explorer.save(trace, {str(saved.with_name("b.trace"))!r})
print(repr(trace))
"""
    assert fresh(code) == repr(WHOLE)
    assert saved.with_name("b.trace").read_bytes() == saved.read_bytes()


def test_import_is_light() -> None:
    """`import explorer` loads none of the heavy libraries, and nothing of ours before it is used."""
    code = (
        "import explorer, sys; print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'numpy', 'streamlit', 'zipfile'}))"
    )
    assert fresh(code) == "[]"


def test_public_names() -> None:
    """The package offers exactly these names, and says of another that it has none."""
    assert explorer.__all__ == sorted(explorer.__all__, key=lambda name: (not name[0].isupper(), name))
    assert dir(explorer) == sorted(explorer.__all__)
    assert explorer.load is files.load
    assert explorer.save is files.save
    assert explorer.Trace is Trace
    with pytest.raises(AttributeError, match="no attribute 'weave'"):
        explorer.weave  # noqa: B018


def test_export_stays_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module `explorer.export` cannot take the place of the function of that name."""
    module = ModuleType("explorer.export")
    explorer.export_marker = 1
    monkeypatch.delattr(explorer, "export_marker")
    before = explorer.__dict__.get("export")
    explorer.export = module  # type: ignore[assignment]
    assert explorer.__dict__.get("export") is before


def test_a_stream_is_read_once_in_memory(saved: Path) -> None:
    """The archive is read through the open file: a copy in memory opens the same."""
    assert files._read(io.BufferedReader(io.BytesIO(saved.read_bytes())), str(saved)) == WHOLE  # type: ignore[arg-type]
