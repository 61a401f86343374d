"""Hostile files through the command line, in a process that may take no more than 600 MB: exit code 2, one sentence, in time, and
nothing run or written; and writing that is ended in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer import files
from explorer.errors import FileError
from tests import hostile
from tests.dummy import dummy_trace

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 600 << 20  # bytes
SECONDS = 5.0
HUGE = 80 << 20  # bytes of text in a `.json` that means to fill the memory
WHOLE = hostile.document_bytes(hostile.BASES[0])
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="limits and peaks as Linux has them")

# Runs the command line on each file of a folder and tells what happened: code, what was said, seconds, bytes at most, what was touched.
CHILD = """
import contextlib, io, json, os, resource, sys, time
from pathlib import Path
from explorer import cli, export, files
folder, good = Path(sys.argv[1]), sys.argv[2]
out = folder / "out"
def size(name):
    return next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith(name))
def told(path):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["export", str(path), "-o", str(out / "x.svg")])
    return code, said.getvalue()
with open(good, "rb"):
    files.load(good)
told(folder / "none")  # everything is imported
touched = []
def hook(event, arguments):
    writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes and not str(arguments[0]).startswith(str(out))) or event.startswith(
        ("exec", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess", "socket", "import", "pickle", "ctypes", "marshal.loads")
    ):
        touched.append(event + " " + str(arguments[0])[:100])
resource.setrlimit(resource.RLIMIT_AS, (size("VmSize") + %d,) * 2)
sys.addaudithook(hook)
found = {}
for path in sorted(folder.glob("*.bad")):
    touched.clear()
    Path("/proc/self/clear_refs").write_text("5") if os.access("/proc/self/clear_refs", os.W_OK) else None
    touched.clear()
    before, begin = size("VmRSS"), time.process_time()
    code, said = told(path)
    seconds = time.process_time() - begin
    found[path.name] = code, said, seconds, size("VmHWM") - before, list(touched), sorted(os.listdir(out))
print(json.dumps(found))
"""


def lying(offset: int, value: int, *, of: bytes = hostile.ARCHIVE, which: int = 0) -> bytes:
    """The archive with a four-byte field of a member's entry in the list of members changed."""
    data = bytearray(of)
    place = [found for found in range(len(data) - 3) if data[found : found + 4] == b"PK\x01\x02"][which]
    data[place + offset : place + offset + 4] = value.to_bytes(4, "little")
    return bytes(data)


def edited(**parts: Any) -> bytes:
    return hostile.document_bytes({**hostile.BASES[0], **parts})


def bomb(text: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return hostile.zipped([("trace.json", text), ("tensors.safetensors", hostile.EMPTY_TENSORS)], method)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def first_node(extra: bytes) -> bytes:
    """A document whose first node has one more key, of `extra`."""
    return WHOLE.replace(b'"nodes": [{', b'"nodes": [{"more": ' + extra + b", ", 1)


NODE = hostile.document_bytes(hostile.BASES[0]["nodes"][0])
FILES: dict[str, Callable[[], bytes]] = {
    "a bomb of blanks": lambda: bomb(b" " * HUGE),
    "a bomb of blanks in a document": lambda: bomb(WHOLE[:1] + b" " * (60 << 20) + WHOLE[1:]),
    "a bomb in a bomb": lambda: bomb(bomb(b" " * HUGE)),
    "a bomb of nodes": lambda: bomb(WHOLE[:-1] + b', "nodes": [' + NODE + (b"," + NODE) * 300_000 + b"]}"),
    "a bomb of tensors": lambda: hostile.zipped([("trace.json", WHOLE), ("tensors.safetensors", bytes(HUGE))]),
    "a header of tensors without end": lambda: hostile.zipped(
        [("trace.json", WHOLE), ("tensors.safetensors", (60 << 20).to_bytes(8, "little") + b"[" + b"[]," * (20 << 20))], zipfile.ZIP_STORED
    ),
    "both names for one member": lambda: lying(42, 0, which=1),
    "a member far beyond the end": lambda: lying(42, 2**31),
    "a compressed size of 4 GiB": lambda: lying(20, 2**32 - 2),
    "a size of 2 GiB": lambda: lying(24, 2**31 - 1),
    "a size of nothing": lambda: lying(24, 0),
    "a wrong checksum": lambda: lying(16, 1),
    "encrypted": lambda: lying(8, 8 << 16 | 1),
    "another compression": lambda: lying(10, 14),
    "a name behind a zero": lambda: hostile.ARCHIVE.replace(b"tensors.safetensors", b"tensors.safetensor\0"),
    "deep lists": lambda: edited(title=None).replace(b"null", nested(100_000), 1),
    "deep lists in a node": lambda: first_node(nested(100_000)),
    "deep objects": lambda: first_node(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "deep settings": lambda: edited(updates=[{**hostile.BASES[0]["updates"][0], "settings": {"lr": json.loads(nested(900))}}]),
    "lists in an unknown key": lambda: WHOLE[:-1] + b', "more": [[]' + b",[]" * (HUGE // 3) + b"]}",
    "lists in a node": lambda: first_node(b"[[]" + b",[]" * (HUGE // 3) + b"]"),
    "numbers in a node": lambda: first_node(b"[0.5" + b",0.5" * (HUGE // 4) + b"]"),
    "an order without end": lambda: WHOLE[:-1].replace(b'"forward": [', b'"forward": [' + b"0," * (HUGE // 2)) + b"}",
    "a string without end": lambda: first_node(b'"' + b"x" * HUGE),
    "a long string of wide letters": lambda: first_node('"😀'.encode() + b"x" * HUGE + b'"'),
    "a number without end": lambda: first_node(b"1" + b"0" * HUGE),
    "a fraction without end": lambda: first_node(b"0." + b"0" * HUGE),
    "blanks without end": lambda: WHOLE[:1] + b" " * HUGE + WHOLE[1:],
    "escapes without end": lambda: first_node(b'"' + b"\\u0041" * (HUGE // 6)),
    "commas without end": lambda: WHOLE[:-1] + b"," * HUGE + b"}",
    "cut in the middle": lambda: WHOLE[: len(WHOLE) // 2],
    "modules within modules": lambda: edited(
        modules=[{"path": f"m{n}", "class": "A", "parent": f"m{n - 1}" if n else None, "parameters": 0} for n in range(100_000)]
    ),
    "modules in a circle": lambda: edited(
        modules=[{"path": f"m{n}", "class": "A", "parent": f"m{(n + 1) % 50_000}", "parameters": 0} for n in range(50_000)]
    ),
    "two lists of nodes": lambda: WHOLE[:-1] + b', "nodes": []}',
    "a size beyond all": lambda: WHOLE.replace(b'"shape": [1]', b'"shape": [' + b"9" * 4000 + b"]", 1),
    "infinity for a count": lambda: WHOLE.replace(b'"zeros": 0', b'"zeros": 1e999', 1),
    "half a character": lambda: WHOLE.replace(b'"title": "', b'"title": "\xed\xa0\x80', 1),
}


@pytest.mark.slow
def test_hostile_files_are_refused_in_time_and_memory(tmp_path: Path) -> None:
    """Each gets one sentence and exit code 2, takes seconds and a bounded part of the memory, and nothing is run or written."""
    (tmp_path / "out").mkdir()
    for name, make in FILES.items():
        (tmp_path / f"{name}.bad").write_bytes(make())
    files.save(dummy_trace(), tmp_path / "good.trace")
    command = [sys.executable, "-c", CHILD % MEMORY, str(tmp_path), str(tmp_path / "good.trace")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(FILES)
    wrong = {}
    for name, (code, said, seconds, most, touched, left) in found.items():
        if code != 2 or len(said.strip().splitlines()) != 1 or seconds > SECONDS or most > MEMORY or touched or left or "memory" in said:
            wrong[name] = code, said, f"{seconds:.1f} s", f"{most >> 20} MB", touched, left
    for name, (_, said, seconds, most, *_) in found.items():
        print(f"{seconds:4.1f} s {most >> 20:4} MB  {name}: {said.strip()}")
    assert wrong == {}, json.dumps({name: wrong[name] for name in wrong}, indent=1)


# Saves again and again what is large enough to take a while, over a file that stands there.
WRITER = """
import resource, signal, sys
from explorer import files
from explorer.errors import OutputError
from tests.dummy import chain_trace
path, limit = sys.argv[1], int(sys.argv[2])
trace = chain_trace(3000)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("ready", flush=True)
try:
    while True:
        files.save(trace, path)
        if limit:
            break
except OutputError as error:
    print(error.key, flush=True)
"""


@pytest.mark.parametrize("suffix", [".trace", ".json"])
def test_killed_while_saving_leaves_a_whole_file(suffix: str, tmp_path: Path) -> None:
    """Whenever the writer is killed, the file is a whole trace: the one before or the one after."""
    path = tmp_path / f"a{suffix}"
    files.save(dummy_trace(), path)
    seen = set()
    for moment in (0.0, 0.03, 0.11, 0.24):
        first = path.stat().st_ino
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path), "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            end = time.monotonic() + 30
            while moment and path.stat().st_ino == first and time.monotonic() < end:
                time.sleep(0.002)  # one is saved; the next may be half written
            time.sleep(moment)
            writer.send_signal(signal.SIGKILL)
        seen.add(len(files.load(path).nodes))
    assert seen == {len(dummy_trace().nodes), 3001}


@pytest.mark.parametrize("suffix", [".trace", ".json"])
def test_no_space_left_while_saving(suffix: str, tmp_path: Path) -> None:
    """A file that may not grow past a limit: the sentence of a full disk, the earlier file as it was, and nothing beside it."""
    path = tmp_path / f"a{suffix}"
    files.save(dummy_trace(), path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", WRITER, str(path), "30000"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["ready", "file.write_full"], done.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    """What is no file is refused before it is opened: a pipe would never answer, a device never end."""
    os.mkfifo(tmp_path / "pipe.trace")
    for path in (tmp_path / "pipe.trace", Path("/dev/zero")):
        with pytest.raises(FileError) as caught:
            files.load(path)
        assert caught.value.key == "file.no_file"


@pytest.mark.slow
def test_a_large_trace_takes_little_memory(tmp_path: Path) -> None:
    """About 1 kB a node once it is loaded, and not much more while it is read, checked or saved (`tests/benchmarks/large.py`)."""
    nodes, path = 30_000, str(tmp_path / "large.trace")

    def figures(verb: str) -> list[float]:
        command = [sys.executable, str(ROOT / "tests/benchmarks/large.py"), verb, str(nodes), path]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return [float(word) for word in done.stdout.split()]

    _, saving, _ = figures("make")
    _, _, loaded, loading, checking = figures("read")
    assert loaded < 1200 and loading < 1500 and checking < 500 and saving < 1000
