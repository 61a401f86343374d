"""Bad input through the command line: one sentence, the right exit code, the partial trace, no traceback of ours, no process left."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.capture import run
from explorer.cli import main
from explorer.files import load, save
from explorer.text import TEXTS, say
from tests.dummy import dummy_trace
from tests.faulty import LOSS, left_behind, program

__all__ = ["left_behind", "program"]

Write = Callable[..., str]
LeftBehind = Callable[[], list[int]]
Captured = pytest.CaptureFixture[str]

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def fails(capfd: Captured, *words: str, code: int = 2) -> str:
    """The sentence of a command that must fail with nothing else on standard error, and nothing on standard output."""
    assert main(words) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    return err.rstrip("\n")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative names lead into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


# The words of the command


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("paint",),
        ("trace",),
        ("trace", "gpt2"),
        ("trace", "gpt2", "-o", "x.json", "--colour"),
        ("trace", "gpt2", "-o", "x.json", "--pass", "0"),
        ("trace", "gpt2", "-o", "x.json", "--pass", "some"),
        ("trace", "gpt2", "-o", "x.json", "--timeout", "0"),
        ("trace", "gpt2", "-o", "x.json", "--timeout", "nan"),
        ("trace", "gpt2", "-o", "x.json", "--memory-limit", "-1"),
        ("trace", "gpt2", "-o", "x.json", "--seed", "1.5"),
        ("trace", "gpt2", "-o", "x.json", "--depth", "-1"),
        ("trace", "gpt2", "-o", "x.json", "--values", "some"),
        ("export", "x.trace"),
        ("serve", "--port", "70000"),
        ("examples", "--all"),
    ],
)
def test_a_wrong_command(capfd: Captured, words: tuple[str, ...]) -> None:
    """A word that does not belong is told in one sentence that leads to the help; the exit code is 2."""
    assert "--help" in fails(capfd, *words)


# The target


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("no_such_example", "no_example"),
        ("gpt3", "no_example_near"),
        ("missing.py", "no_file"),
        ("missing.py:main", "no_file"),
        (".", "no_example"),
        ("./", "is_folder"),
        ("notes.txt", "not_python"),
        ("no_such_module_anywhere:main", "no_module"),
        ("p.py:", "no_name"),
    ],
)
def test_a_target_that_is_not_there(capfd: Captured, program: Write, target: str, key: str) -> None:
    """A missing file, a folder, a file that is no program, a missing module: told before anything runs."""
    program("", "p.py")
    program("", "notes.txt")
    begins = TEXTS[f"running.{key if target != '.' else 'is_folder'}"][0].split("{")[0]
    assert fails(capfd, "trace", target, "-o", "x.json").startswith(begins)


def test_a_target_that_cannot_be_called(capfd: Captured, program: Write) -> None:
    """A file without the callable names those it has; one that needs arguments names them."""
    program("def train(data, *, width): ...\nrate = 0.1\n", "p.py")
    said = fails(capfd, "trace", "p.py:main", "-o", "x.json")
    assert said == say("running.no_callable", place="p.py", name="main", names="train")
    assert fails(capfd, "trace", "p.py:train", "-o", "x.json") == say("running.needs_arguments", name="train", arguments="data, width")
    assert fails(capfd, "trace", "p.py:rate", "-o", "x.json") == say("running.not_callable", name="rate", place="p.py", kind="float")
    assert not Path("x.json").exists()


def test_a_pass_that_is_not_made(capfd: Captured, program: Write) -> None:
    """Asking for pass 3 of one is a wrong request; nothing is written."""
    said = fails(capfd, "trace", program(LOSS + "loss.backward()\n"), "-o", "x.json", "--pass", "3")
    assert said == say("running.too_few_passes", wanted=3, passes=1)
    assert os.listdir() == ["program.py"]


def test_a_device_that_is_not_there(capfd: Captured, program: Write) -> None:
    """An absent device or unknown data type is refused with those there are; so is a program too large for a real one."""
    path = program(LOSS)
    assert "use one of cpu" in fails(capfd, "trace", path, "-o", "x.json", "--device", "hpu")
    assert "float32" in fails(capfd, "trace", path, "-o", "x.json", "--dtype", "int4")
    assert "--device fake" in fails(capfd, "trace", "gpt2_xl", "-o", "x.json")


def test_without_torch(capfd: Captured, program: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where PyTorch is not installed a program is refused with how to get it."""
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "torch.py").write_text("raise ImportError('No module named torch')\n")
    monkeypatch.setenv("PYTHONPATH", str(absent))
    assert fails(capfd, "trace", program(LOSS), "-o", "x.json") == say("running.no_torch", python=sys.executable)


# The output


@pytest.mark.parametrize("verb", ["trace", "export"])
def test_an_output_that_cannot_be_written(capfd: Captured, program: Write, verb: str) -> None:
    """Suffix and place of every output are checked before the program runs; a file that is there stays as it is."""
    source = program("open('ran', 'w').close()\n") if verb == "trace" else program("", "x.trace")
    Path("folder.svg").mkdir()
    Path("kept.json").write_text("kept")
    for output in ("x", "x.bmp", ".svg", "missing/x.svg", "folder.svg", "/dev/null/x.svg", "/proc/x.svg"):
        fails(capfd, verb, source, "-o", "kept.json", "-o", output)
    fails(capfd, verb, source, "-o", "x.svg", "-o", "./x.svg")
    assert Path("kept.json").read_text() == "kept"
    assert not Path("ran").exists()
    assert sorted(os.listdir()) == sorted(["folder.svg", "kept.json", Path(source).name])


# The recording


def test_a_file_that_is_not_a_trace(capfd: Captured) -> None:
    """A missing file, a folder, another kind of file, a truncated and a newer one: each is refused by export and serve alike."""
    save(dummy_trace(), "whole.trace")
    whole = Path("whole.trace").read_bytes()
    Path("cut.trace").write_bytes(whole[: len(whole) // 2])
    Path("text.trace").write_text("hello")
    Path("empty.trace").write_bytes(b"")
    Path("newer.json").write_text('{"format": 2}')
    Path("folder.trace").mkdir()
    for name in ("missing.trace", "cut.trace", "text.trace", "empty.trace", "newer.json", "folder.trace"):
        assert name in fails(capfd, "export", name, "-o", "x.svg")
        assert name in fails(capfd, "serve", name)


# The program


def test_a_program_that_raises(capfd: Captured, program: Write, left_behind: LeftBehind) -> None:
    """Its own traceback and one sentence; what was recorded until then is written, marked partial; exit code 3."""
    path = program(LOSS + "print('so far')\nraise ValueError('half-way')\n")
    assert main(["trace", path, "-o", "x.json", "-o", "x.trace"]) == 3
    out, err = capfd.readouterr()
    assert out.splitlines()[0].startswith("x.json: ")
    assert out.splitlines()[0].endswith("(partial)")
    assert err.splitlines() == [
        "so far",
        "Traceback (most recent call last):",
        f'  File "{path}", line 5, in <module>',
        "    raise ValueError('half-way')",
        "ValueError: half-way",
        say("running.raised", error="ValueError: half-way"),
    ]
    assert load("x.trace").partial
    assert json.loads(Path("x.json").read_text())["partial"] is True
    assert left_behind() == []


def test_a_program_that_fails_before_any_op(capfd: Captured, program: Write) -> None:
    """Where nothing was recorded nothing is written."""
    assert main(["trace", program("x = (\n"), "-o", "x.json"]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[-2].startswith("SyntaxError")
    assert not Path("x.json").exists()


@linux
@pytest.mark.parametrize(
    ("ending", "options", "sentence"),
    [
        ("while True: pass", ("--timeout", "1"), say("running.timeout", seconds="1")),
        ("import os; os.abort()", (), say("running.crashed", signal="SIGABRT")),
        ("kept = [bytearray(b'1' * 10**7) for i in range(10**4)]", ("--memory-limit", "1"), say("running.memory", limit="1")),
        ("while True: print('x' * 100)", (), say("running.output", limit=1)),
        ("raise SystemExit(4)", (), say("running.exited", code=4)),
    ],
)
def test_a_program_that_must_be_ended(
    capfd: Captured,
    program: Write,
    left_behind: LeftBehind,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    """A loop, a crash, too much memory, output without end, giving up: one sentence, exit code 3, the partial trace, nothing left."""
    monkeypatch.setattr(run, "OUTPUT_LIMIT", 10**6)
    assert main(["trace", program(LOSS + ending + "\n"), "-o", "x.json", *options]) == 3
    out, err = capfd.readouterr()
    assert err.endswith(sentence + "\n")
    assert "explorer/capture" not in err
    assert out.endswith("(partial)\n")
    document = json.loads(Path("x.json").read_text())
    assert document["partial"] is True
    assert {"mul", "sum"} <= {node["op"] for node in document["nodes"]}
    assert left_behind() == []


@pytest.mark.parametrize(
    ("line", "code", "key"),
    [
        ("print(loss.item())", "loss.item()", "running.needs_values"),
        ("if loss > 0: pass", "loss > 0", "running.needs_values"),
        ("import numpy; numpy.asarray(loss.detach())", "numpy.asarray(loss.detach())", "running.needs_values"),
        ("print(f'{loss:.3f}')", "f'{loss:.3f}'", "running.needs_values"),
        ("torch.save({'w': w}, 'w.pt')", "torch.save({'w': w}, 'w.pt')", "running.needs_values"),
        ("w[w > 0].sum().backward()", "w[w > 0]", "running.needs_values.size"),
    ],
)
def test_a_program_that_reads_numbers_where_there_are_none(capfd: Captured, program: Write, line: str, code: str, key: str) -> None:
    """On the device fake: one sentence that names the line and what stands there, exit code 2, and what was recorded until then."""
    path = program(LOSS.replace("torch.tensor([2.0]", "torch.randn(1") + line + "\n")  # of a literal even fake tensors know the number
    assert main(["trace", path, "-o", "x.json", "--device", "fake"]) == 2
    out, err = capfd.readouterr()
    assert err == say(key, file="program.py", line=4, code=code) + "\n"
    assert out.splitlines()[0].endswith("(partial)")
    assert json.loads(Path("x.json").read_text())["partial"] is True


def test_an_error_of_the_programs_own_on_the_device_fake(capfd: Captured, program: Write) -> None:
    """What has nothing to do with numbers is told as on any device: the program's traceback, exit code 3."""
    assert main(["trace", program(LOSS + "w.view(7)\n"), "-o", "x.json", "--device", "fake"]) == 3
    assert "Traceback" in capfd.readouterr().err
