"""The command line: what each verb prints and writes, in both languages, and what it starts."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import explorer
from explorer import cli, serving
from explorer.arguments import SUFFIXES
from explorer.cli import main
from explorer.files import load, save
from explorer.runs import About, Writer, start_folder
from explorer.text import say
from tests.dummy import dummy_trace
from tests.faulty import LOSS, left_behind, program

__all__ = ["left_behind", "program"]

Write = Callable[..., str]
Captured = pytest.CaptureFixture[str]
ROOT = Path(explorer.__file__).parents[1]
VERBS = ("trace", "export", "check", "examples", "devices", "train", "runs", "serve")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative names lead into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


# Help


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_documents_everything(capsys: Captured, verb: str, language: str) -> None:
    """Every verb has help with an example and its exit codes, every option a text, in both languages, and nothing more is listed."""
    from explorer.arguments import parser

    top = parser(language, cli.VERBS)
    (verbs,) = [action for action in top._actions if action.dest == "verb"]
    assert tuple(verbs.choices or ()) == VERBS
    part = verbs.choices[verb] if verb else top  # type: ignore[index]
    assert all(action.help for action in part._actions if action is not verbs)
    told = part.format_help()
    assert not verb or f"autograd-explorer {verb}" in (part.epilog or "")
    assert bool(re.search("[가-힣]", told)) == (language == "ko")


def test_help_and_version_end_well(capsys: Captured) -> None:
    """--help and --version print to standard output and end with 0."""
    for words in (["--help"], ["trace", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 0
    assert capsys.readouterr().out.endswith(f"autograd-explorer {explorer.__version__}\n")


def test_the_examples_in_the_help_can_be_parsed() -> None:
    """Every command that the help shows is one that the parser takes."""
    from explorer.arguments import parser
    from explorer.text import say

    for verb in VERBS:
        for line in say(f"command.{verb}.examples").splitlines():
            assert parser("en", cli.VERBS).parse_args(line.split()[1:]).verb == verb


def test_suffixes_are_those_that_export_writes() -> None:
    """The command line offers the formats that there are, without loading what draws."""
    from explorer.export import FORMATS

    assert set(SUFFIXES) == set(FORMATS)


def test_the_command_starts_without_torch_and_streamlit() -> None:
    """Parsing, listing examples and exporting load neither, so that a recording opens where they are not installed."""
    save(dummy_trace(), "x.trace")
    code = (
        "import sys; from explorer.cli import main; main(['examples']); main(['export', 'x.trace', '-o', 'x.json']); "
        "print({'torch', 'streamlit'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


# trace and export


def test_trace_writes_and_says_so(capfd: Captured, program: Write) -> None:
    """Each output gets its line on standard output; what the program prints goes to standard error."""
    path = program(LOSS + "loss.backward()\nprint('its own line')\n")
    assert main(["trace", path, "-o", "x.json", "-o", "x.trace", "-o", "x.svg"]) == 0
    out, err = capfd.readouterr()
    assert err == "its own line\n"
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["x.json", "x.trace", "x.svg"]
    assert lines[0].endswith("nodes, loss 6, pass 1 of 1")
    assert load("x.trace").loss == 6.0
    assert "<svg" in Path("x.svg").read_text()


def test_json_is_alone_on_standard_output(capfd: Captured, program: Write) -> None:
    """With --json standard output is one JSON document whatever the program prints, and it tells what was written."""
    path = program("import os\n" + LOSS + "loss.backward()\nprint('noise')\nos.write(1, b'more noise\\n')\n")
    assert main(["trace", path, "-o", "x.json", "--json"]) == 0
    out, err = capfd.readouterr()
    document = json.loads(out)
    assert {name: document[name] for name in ("paths", "loss", "pass", "passes", "partial")} == {
        "paths": ["x.json"], "loss": 6.0, "pass": 1, "passes": 1, "partial": False,
    }  # fmt: skip
    whole = json.loads(Path("x.json").read_text())
    assert (document["nodes"], document["edges"]) == (len(whole["nodes"]), len(whole["edges"]))
    assert document["findings"] == whole["findings"]
    assert "noise" in err


def test_json_tells_of_errors_too(capfd: Captured, program: Write) -> None:
    """A failed command with --json prints one document with the error in both languages; a partial record is described in it."""
    assert main(["trace", "missing.py", "-o", "x.json", "--json"]) == 2
    out, err = capfd.readouterr()
    error = json.loads(out)["error"]
    assert error["kind"] == "TargetError"
    assert error["message"]["en"] + "\n" == err
    assert main(["trace", program(LOSS + "1 / 0\n"), "-o", "x.json", "--json"]) == 3
    document = json.loads(capfd.readouterr().out)
    assert (document["paths"], document["partial"], document["error"]["kind"]) == (["x.json"], True, "ProgramError")


def test_all_passes(capfd: Captured, program: Write) -> None:
    """--pass all writes a list into .json and numbered files otherwise, and says what it wrote."""
    path = program(LOSS + "for i in range(1, 4):\n    (w * i).sum().backward()\n")
    assert main(["trace", path, "-o", "x.json", "-o", "x.trace", "--pass", "all"]) == 0
    assert [line.split(":")[0] for line in capfd.readouterr().out.splitlines()[:4]] == ["x.json", "x-1.trace", "x-2.trace", "x-3.trace"]
    assert [document["pass"] for document in json.loads(Path("x.json").read_text())] == [1, 2, 3]
    assert [load(f"x-{number}.trace").number for number in (1, 2, 3)] == [1, 2, 3]


def test_no_graph_is_told_and_is_no_failure(capfd: Captured, program: Write) -> None:
    """A program whose output has no graph gives its forward record, a line that says why, and exit code 0."""
    path = program("import torch\ndef main():\n    return torch.ones(2) * 3\n")
    assert main(["trace", path + ":main", "-o", "x.json"]) == 0
    out = capfd.readouterr().out
    assert "no backward pass" in out
    assert "error: " in out
    kinds = [finding["kind"] for finding in json.loads(Path("x.json").read_text())["findings"]]
    assert "no_graph" in kinds


def test_korean(capfd: Captured) -> None:
    """--lang ko speaks Korean, in results and in errors."""
    save(dummy_trace(), "x.trace")
    assert main(["export", "x.trace", "-o", "x.json", "--lang", "ko"]) == 0
    assert "노드" in capfd.readouterr().out
    assert main(["export", "missing.trace", "-o", "x.json", "--lang=ko"]) == 2
    assert "없습니다" in capfd.readouterr().err


def test_recordings_are_not_read_to_be_kept(program: Write, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """`.trace` and `.json` go from the program's process to their place as they are, the same bytes as if they had been read and saved."""
    handover = importlib.import_module("explorer.capture.handover")

    def refuse(path: object) -> None:
        raise AssertionError("nobody asked for what is in it")

    text = program("import torch\nw = torch.ones(3, requires_grad=True)\nfor _ in range(2):\n    (w / 0).sum().backward()\n")
    with monkeypatch.context() as patch:
        patch.setattr(handover, "load", refuse)
        assert main(["trace", text, "-o", "a.trace", "-o", "a.json"]) == 0
        capsys.readouterr()
        assert main(["trace", text, "-o", "only.json", "--json"]) == 0
    trace = load("a.trace")
    told = json.loads(capsys.readouterr().out)
    assert (told["nodes"], told["edges"], told["pass"], told["passes"]) == (len(trace.nodes), len(trace.edges), 1, 1)
    assert [found["kind"] for found in told["findings"]] == [found.kind for found in trace.findings]
    save(trace, "b.trace")
    save(trace, "b.json")
    for suffix in (".trace", ".json"):
        assert Path(f"a{suffix}").read_bytes() == Path(f"b{suffix}").read_bytes()
    assert Path("only.json").exists()
    assert main(["trace", text, "-o", "all.json", "--pass", "all"]) == 0
    assert [part["pass"] for part in json.loads(Path("all.json").read_bytes())] == [1, 2]


def test_what_cannot_be_drawn_does_not_keep_the_recording_back(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """Of several outputs those that can be written are, in whatever order they are named; then the refusal is told."""
    monkeypatch.setattr("explorer.payload.MOST_PLAYED", 1)
    save(dummy_trace(), "x.trace")
    assert main(["export", "x.trace", "-o", "a.html", "-o", "b.json", "-o", "c.dot"]) == 2
    assert sorted(path.name for path in Path().iterdir()) == ["b.json", "c.dot", "x.trace"]
    printed = capsys.readouterr()
    assert "b.json" in printed.out
    assert "at most 1 nodes" in printed.err
    assert main(["export", "x.trace", "-o", "a.html", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "RequestError"


def test_view_options_reach_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of the picture is handed on under the names that export takes, and nothing that was not asked for."""
    module = importlib.import_module("explorer.export")  # the name explorer.export is the function
    seen: list[dict[str, object]] = []
    monkeypatch.setattr(module, "export", lambda trace, path, **view: seen.append(view))
    save(dummy_trace(), "x.trace")
    assert main(["export", "x.trace", "-o", "x.svg"]) == 0
    words = "--depth 2 --expand all --open fc1 --focus 3 --hops 1 --between 0 3 --reaching 3 --only gradient"
    words += " --direction backward --flow right --overlay gradient --step 4 --lang ko --theme dark"
    assert main(["export", "x.trace", "-o", "x.svg", *words.split()]) == 0
    assert seen == [
        {},
        {
            "depth": 2, "expand": "all", "opened": ["fc1"], "focus": 3, "hops": 1, "between": [0, 3], "reaching": 3, "only": "gradient",
            "direction": "backward", "flow": "right", "overlay": "gradient", "step": 4,
            "language": "ko", "theme": "dark",
        },
    ]  # fmt: skip


def test_progress_only_on_a_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar is drawn where standard error is a terminal, wiped before the program's output, and nowhere else."""
    quiet = cli.Bar("en")
    quiet.show("forward", 10, 20)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = cli.Bar("en")
    bar.show("forward", 10, 20)
    bar.show("backward", 3, None)
    bar.pass_on(b"line\n")
    bar.clear()
    assert capsys.readouterr().err == "\r\x1b[Kforward pass [##########..........] 10\r\x1b[Kbackward pass 3\r\x1b[Kline\n"


# examples and devices


def test_examples_are_listed(capsys: Captured) -> None:
    """The list names every example, among them those that always exist; --json gives the fields of the contract."""
    assert main(["examples", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"logistic_neuron", "simple_net", "gpt2", "gpt2_xl"} <= {entry["name"] for entry in listed}
    for entry in listed:
        assert set(entry) == {"name", "title", "topic", "source_file"}
        assert set(entry["title"]) == {"en", "ko"}
    assert main(["examples"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [entry["name"] for entry in listed]


@pytest.mark.torch
def test_devices_are_listed(capsys: Captured) -> None:
    """The list holds the kinds of the contract; --json gives its fields."""
    assert main(["devices", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"cpu", "cuda", "mps", "xpu", "fake"} <= {entry["kind"] for entry in listed}
    fields = {"name", "kind", "available", "description", "reason", "why", "memory", "dtypes"}
    assert all(set(entry) == fields for entry in listed)
    assert all(set(told) == {"usable", "reason", "limits"} for entry in listed for told in entry["dtypes"].values())
    assert main(["devices"]) == 0
    starts = [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert starts == [entry["name"] for entry in listed]


# serve


def test_serve_starts_streamlit_safely(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app listens on this machine only, reports nothing, and opens the recording it was given; safety is in the flags."""
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(serving, "_become", lambda command, environment: started.append((command, environment)) or 0)
    monkeypatch.setattr(serving, "_is_taken", lambda port: False)
    save(dummy_trace(), "x.trace")
    assert main(["serve", "x.trace", "--port", "8599"]) == 0
    assert main(["serve"]) == 0
    (command, environment), (_, plain) = started
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(command[4]).parts[-2:] == ("ui", "shell.py")
    assert environment["AUTOGRAD_EXPLORER_OPEN"] == str(Path("x.trace").resolve())
    assert "AUTOGRAD_EXPLORER_OPEN" not in plain
    flags = list(zip(command[5::2], command[6::2], strict=True))
    assert ("--server.port", "8599") in flags
    assert {(f"--{name}", value) for name, values in serving.SAFE.items() for value in values} <= set(flags)


def test_serve_opens_a_folder_of_runs(monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path) -> None:
    """A run, or a folder that holds some, is what the Train page shows, which then comes first; a folder without any is refused."""
    started: list[dict[str, str]] = []
    monkeypatch.setattr(serving, "_become", lambda command, environment: started.append(environment) or 0)
    Writer(start_folder(tmp_path / "runs" / "one", About(name="one"))).close()
    assert main(["serve", str(tmp_path / "runs")]) == main(["serve", str(tmp_path / "runs" / "one")]) == 0
    assert [each["AUTOGRAD_EXPLORER_RUNS"] for each in started] == [str(tmp_path / "runs"), str(tmp_path / "runs" / "one")]
    assert {each["AUTOGRAD_EXPLORER_FIRST"] for each in started} == {"train"}
    (tmp_path / "empty").mkdir()
    assert main(["serve", str(tmp_path / "empty")]) == 2
    assert "no training runs" in capsys.readouterr().err
    (tmp_path / "runs" / "one" / "rank-0.sqlite").write_bytes(b"nothing of ours" * 1000)
    assert main(["serve", str(tmp_path / "runs" / "one")]) == 2
    assert "damaged" in capsys.readouterr().err


def test_serve_refuses_a_taken_port(capsys: Captured) -> None:
    """A port in use is told before anything starts."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert main(["serve", "--port", str(holder.getsockname()[1])]) == 2
    assert "in use" in capsys.readouterr().err


# As a process


def test_a_terminal_without_the_letters() -> None:
    """Where standard output is ASCII, Korean and the JSON of it are escaped and nothing fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    for words in (["examples", "--json"], ["examples", "--lang", "ko"]):
        done = subprocess.run([sys.executable, "-m", "explorer", *words], capture_output=True, env=environment, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.isascii()


def start(*words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "explorer", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_everything(program: Write, left_behind: Callable[[], list[int]], number: int, code: int) -> None:
    """Interrupted or terminated, the command ends quietly with the usual code and takes the program along."""
    path = program("import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('up', flush=True)\nwhile True: pass\n")
    with start("trace", path, "-o", "x.json") as command:
        assert command.stderr is not None
        assert command.stderr.readline() == "up\n"
        time.sleep(0.1)
        command.send_signal(number)
        assert command.wait(timeout=30) == code
        assert command.stderr.read() == ""
    assert left_behind() == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_keeps_what_was_recorded(program: Write, left_behind: Callable[[], list[int]], tmp_path: Path) -> None:
    """Interrupted after some ops, the command writes them, marked partial, says so in one line, and ends with the usual code."""
    path = program("import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 3\nz = y + 1\nprint('up', flush=True)\nwhile True: pass\n")
    with start("trace", path, "-o", str(tmp_path / "x.json")) as command:
        assert command.stderr is not None
        assert command.stderr.readline() == "up\n"
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=30) == 130
        assert command.stderr.read() == say("running.interrupted") + "\n"
    document = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert document["partial"]
    assert [node["op"] for node in document["nodes"] if node["kind"] == "op"] == ["mul", "add"]
    assert [one["message"]["en"] for one in document["findings"] if one["kind"] == "user_error"] == [say("running.interrupted")]
    assert left_behind() == []


@pytest.mark.skipif(os.name != "posix", reason="closed pipes are POSIX")
def test_a_reader_that_has_enough() -> None:
    """`autograd-explorer examples | head -1` ends without a complaint."""
    with start("examples", "--json") as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == ""
        assert command.wait(timeout=30) == 0


def test_a_page_with_the_player(tmp_path: Path) -> None:
    """`export` writes a page with the player in it, opened at the step and in the language asked for; a missing step is refused."""
    recording, page = str(ROOT / "assets" / "samples" / "logistic_neuron.trace"), tmp_path / "a.html"
    assert main(["export", recording, "-o", str(page), "--step", "8", "--lang", "ko", "--theme", "dark"]) == 0
    text = page.read_text(encoding="utf-8")
    assert '<html lang="ko" data-theme="dark">' in text and '"start":8' in text
    assert main(["export", recording, "-o", str(page), "--step", "99"]) == 2
    assert page.read_text(encoding="utf-8") == text


def test_what_a_fake_run_is_made_for_is_told(capsys: Captured) -> None:
    """Beside what was written: the most memory at once, where, and the operations; `--json` has them for every pass."""
    assert main(["trace", "simple_net", "--device", "fake", "-o", "x.json"]) == 0
    memory, flops = (json.loads(Path("x.json").read_text())[key] for key in ("memory", "flops"))
    values = {"bytes": f"{memory['bytes']} B", "saved": f"{memory['saved']} B", "step": memory["step"], "node": memory["node"]}
    told = say("memory.line", **values, forward=f"{flops['forward']} FLOP", backward=f"{flops['backward']} FLOP")
    assert capsys.readouterr().out.splitlines()[1] == told
    assert main(["trace", "simple_net", "--json", "-o", "x.json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["memory"], document["flops"]) == (memory, flops)
