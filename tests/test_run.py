"""The child process: what comes back from it, how it is stopped, what it may see, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.capture import run
from explorer.capture.handover import leave, taken_over
from explorer.capture.processes import child_environment
from explorer.capture.run import Result, run_target
from explorer.errors import FileError, ProgramError, RequestError, TargetError
from tests.dummy import dummy_trace
from tests.faulty import LOSS, left_behind, program

__all__ = ["left_behind", "program"]

Write = Callable[..., str]
LeftBehind = Callable[[], list[int]]
ENDLESS = LOSS + "loss.backward()\nwhile True:\n    pass\n"

posix = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_script_gives_its_pass(program: Write) -> None:
    """A script's backward pass comes back as one trace with its numbers, and what it printed with it."""
    result = run_target(program(LOSS + "loss.backward()\nprint('grad', w.grad.item())\n"))
    (trace,) = result.traces
    (leaf,) = [node for node in trace.nodes if node.name == "w"]
    assert (trace.title, trace.number, trace.loss, trace.partial) == ("program.py", 1, 6.0, False)
    assert leaf.gradients[0] is not None
    assert leaf.gradients[0].item == 3.0
    assert result.output_tail == "grad 3.0\n"
    trace.check()


def test_all_passes_and_one_of_them(program: Write) -> None:
    """`wanted` chooses a pass by number, or all."""
    path = program(LOSS + "for i in range(1, 4):\n    (w * i).sum().backward()\n")
    assert [trace.number for trace in run_target(path, wanted="all").traces] == [1, 2, 3]
    assert [(trace.number, trace.loss) for trace in run_target(path, wanted=2).traces] == [(2, 4.0)]


def test_too_few_passes(program: Write) -> None:
    """Asking for a pass that the program does not make is a wrong request, and says how many there were."""
    with pytest.raises(TargetError) as caught:
        run_target(program(LOSS + "loss.backward()\n"), wanted=3)
    assert caught.value.key == "running.too_few_passes"
    assert caught.value.values == {"wanted": 3, "passes": 1}


def test_the_program_ends_after_its_pass_unless_told_otherwise(program: Write, tmp_path: Path) -> None:
    """Without `to_end` nothing runs after the wanted pass and its update; with it everything does."""
    path = program(LOSS + "loss.backward()\n(w * 1).sum().backward()\nopen(__file__ + '.after', 'w').close()\n")
    after = tmp_path / "program.py.after"
    assert run_target(path).traces[0].number == 1
    assert not after.exists()
    result = run_target(path, to_end=True)
    assert after.exists()
    assert (result.traces[0].number, result.traces[0].passes) == (1, 2)


def test_the_end_of_a_script_is_the_end_python_gives_it(program: Write, tmp_path: Path) -> None:
    """Files left open are written, exit functions run, threads are waited for, and sys.exit(0) is no failure."""
    path = program(
        "import atexit, sys, threading, time\n"
        + LOSS
        + "loss.backward()\n"
        + "kept = open(__file__ + '.open', 'w'); kept.write('unflushed')\n"
        + "atexit.register(lambda: open(__file__ + '.atexit', 'w').close())\n"
        + "threading.Thread(target=lambda: (time.sleep(0.3), open(__file__ + '.thread', 'w').close())).start()\n"
    )
    run_target(path)
    assert (tmp_path / "program.py.open").read_text() == "unflushed"
    assert (tmp_path / "program.py.atexit").exists()
    assert (tmp_path / "program.py.thread").exists()
    assert run_target(program(LOSS + "loss.backward()\nraise SystemExit(0)\n")).traces[0].partial is False


def test_a_thread_without_end_does_not_spoil_the_record(program: Write) -> None:
    """The wanted pass is over: a thread that goes on for ever neither runs into the time limit nor makes the trace partial."""
    path = program("import threading, time\n" + LOSS + "threading.Thread(target=time.sleep, args=(1000,)).start()\nloss.backward()\n")
    assert run_target(path, timeout=60.0).traces[0].partial is False


def test_a_script_sees_what_python_would_show_it(program: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is __main__, its folder is first on the path, the working folder is unchanged, and there is no input to read."""
    (tmp_path / "beside.py").write_text("value = 7\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    text = (
        "import os, sys, beside\n"
        "print(__name__, sys.argv == [__file__], sys.path[0] == os.path.dirname(__file__), beside.value, os.path.basename(os.getcwd()))\n"
        "print(sys.modules['__main__'].__file__ == __file__, '' in sys.path)\n"
        "try:\n    input()\nexcept EOFError:\n    print('no input')\n"
    )
    assert run_target(program(text)).output_tail.splitlines() == ["__main__ True True 7 elsewhere", "True False", "no input"]


def test_nothing_computed_is_no_failure(program: Write) -> None:
    """A program without any op gives an empty trace with the finding `no_graph`."""
    (trace,) = run_target(program("print('hello')\n")).traces
    assert not trace.partial
    assert [finding.kind for finding in trace.findings] == ["no_graph"]


def test_random_numbers_begin_at_the_seed(program: Write) -> None:
    """random, NumPy and torch are seeded before the program; the same seed gives the same numbers, another gives others."""
    path = program("import random, torch, numpy\nprint(random.random(), numpy.random.rand(), torch.rand(1).item(), hash('a'))\n")
    first, second, other = (run_target(path, seed=seed).output_tail for seed in (0, 0, 1))
    assert first == second
    assert len(set(first.split()) & set(other.split())) == 0


def test_dtype_becomes_the_default(program: Write) -> None:
    """A script has no keyword for the data type, so it becomes torch's default; a callable that takes it is handed it alone."""
    script = program("import torch\nprint(torch.zeros(1).dtype)\n")
    assert run_target(script, dtype="float64").output_tail == "torch.float64\n"
    text = "import torch\ndef main(*, dtype, seed):\n    print(dtype, seed, torch.zeros(1).dtype)\n"
    assert run_target(program(text) + ":main", dtype="float64", seed=5).output_tail == "torch.float64 5 torch.float32\n"


# Limits


@linux
def test_a_loop_is_stopped_in_time(program: Write, left_behind: LeftBehind) -> None:
    """After the time limit the program is gone and what it had recorded comes with the error."""
    began = time.monotonic()
    with pytest.raises(ProgramError) as caught:
        run_target(program(ENDLESS), timeout=1)
    assert caught.value.key == "running.timeout"
    assert time.monotonic() - began < 30
    assert caught.value.trace is not None
    assert caught.value.trace.partial
    assert {node.op for node in caught.value.trace.nodes} >= {"mul", "sum"}
    told = [found.message["en"] for found in caught.value.trace.findings if found.kind == "user_error"]
    assert told == [caught.value.message("en")]
    assert left_behind() == []


@pytest.mark.parametrize("spoiled", ["{", "[]", "{}", '{"nodes": null, "edges": 0, "head": {}}', "[" * 100_000])
def test_a_damaged_recording_is_told(tmp_path: Path, spoiled: str) -> None:
    """What a program did to the files it was about to hand over is told in a sentence; undamaged they say what the trace says."""
    trace = dummy_trace(modules=True, updates=True, findings=True)
    leave(trace, tmp_path, 1, [".trace", ".json"])
    found = taken_over(tmp_path, 1, [".trace", ".json"])
    assert (found.nodes, found.edges, found.head.findings) == (len(trace.nodes), len(trace.edges), trace.findings)
    assert found.trace == trace
    (tmp_path / "1.head.json").write_text(spoiled)
    with pytest.raises(FileError):
        taken_over(tmp_path, 1, [".trace"])
    with pytest.raises(FileError):
        taken_over(tmp_path, 2, [".trace"])


@linux
@pytest.mark.slow
def test_a_loop_that_never_lets_python_run_is_stopped_too(program: Write, left_behind: LeftBehind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop in C that holds the interpreter cannot write its trace; the journal still gives one."""
    monkeypatch.setattr(run, "GRACE", 0.5)
    with pytest.raises(ProgramError) as caught:
        run_target(program("import itertools\n" + LOSS + "sum(itertools.repeat(0))\n"), timeout=1)
    assert caught.value.key == "running.timeout"
    assert caught.value.trace is not None
    assert {node.op for node in caught.value.trace.nodes} >= {"mul", "sum"}
    assert left_behind() == []


@linux
def test_memory_is_limited(program: Write, left_behind: LeftBehind) -> None:
    """Memory is counted over all processes of the program, and beyond the limit they all end."""
    text = LOSS + "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'kept = [b\"1\" * 10**7 for i in range(10**4)]'])\n"
    with pytest.raises(ProgramError) as caught:
        run_target(program(text), memory_limit=1, timeout=60)
    assert caught.value.key == "running.memory"
    assert caught.value.trace is not None
    assert left_behind() == []


@linux
def test_output_is_limited(program: Write, left_behind: LeftBehind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that prints without end is stopped, and no more than the limit is handed on."""
    monkeypatch.setattr(run, "OUTPUT_LIMIT", 10**6)
    seen: list[int] = []
    with pytest.raises(ProgramError) as caught:
        run_target(program(LOSS + "while True:\n    print('x' * 1000)\n"), output=lambda chunk: seen.append(len(chunk)))
    assert caught.value.key == "running.output"
    assert caught.value.trace is not None
    assert caught.value.output.endswith("x\n") or caught.value.output.endswith("x")
    assert 10**6 <= sum(seen) < 1.2 * 10**6
    assert left_behind() == []


@linux
def test_cancel_ends_everything(program: Write, left_behind: LeftBehind) -> None:
    """Cancelling from another thread ends the program and the processes it started, also those in a session of their own."""
    text = (
        "import subprocess as s\nfor new in (False, True):\n    s.Popen(['sleep', '600'], start_new_session=new)\nprint('up', flush=True)\n"
    )
    cancelled = threading.Event()
    with pytest.raises(ProgramError) as caught:
        run_target(program(text + ENDLESS), cancelled=cancelled, output=lambda chunk: cancelled.set())
    assert caught.value.key == "running.cancelled"
    assert left_behind() == []


@linux
def test_an_interrupt_of_the_caller_ends_everything(program: Write, left_behind: LeftBehind) -> None:
    """Whatever leaves the call, Ctrl-C included, takes the child with it."""

    def interrupt(chunk: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_target(program("print('up', flush=True)\n" + ENDLESS), output=interrupt)
    assert left_behind() == []


@linux
@pytest.mark.parametrize("program_text", ["while True:\n    pass\n", "import itertools\nsum(itertools.repeat(0))\n"])
def test_no_child_survives_its_parent(program: Write, left_behind: LeftBehind, tmp_path: Path, program_text: str) -> None:
    """A parent killed outright takes the program, its processes and its files along, even when the program lets no Python run."""
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    text = "import os, subprocess\nopen(os.path.join(os.environ['TMPDIR'], 'own'), 'w').close()\nsubprocess.Popen(['sleep', '600'])\n"
    path = program(text + "print('up', flush=True)\n" + program_text)
    code = f"from explorer.capture.run import run_target\nrun_target({path!r}, output=lambda chunk: print('up', flush=True))\n"
    environment = {**os.environ, "PYTHONPATH": str(Path(run.__file__).parents[2]), "TMPDIR": str(rooms)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        assert len(list(rooms.glob("autograd-explorer-*/journal"))) == 1
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert left_behind() == []
    end = time.monotonic() + 10
    while list(rooms.glob("autograd-explorer-*")) and time.monotonic() < end:
        time.sleep(0.05)
    assert [path.name for path in rooms.iterdir()] == ["own"]


@linux
def test_a_program_that_ends_leaves_nothing(program: Write, left_behind: LeftBehind) -> None:
    """Processes that a program forgot end with it, and its folder of results is gone."""
    run_target(program("import subprocess\nsubprocess.Popen(['sleep', '600'])\n" + LOSS + "loss.backward()\n"))
    assert left_behind() == []


# Failures


def test_the_programs_own_error_is_shown_as_its_own(program: Write) -> None:
    """The report is the program's traceback with its lines and torch's, without ours; the trace ends at the op that failed."""
    with pytest.raises(ProgramError) as caught:
        run_target(program(LOSS + "def f(x):\n    return x @ torch.ones(5, 5)\nf(loss * w)\n"))
    error = caught.value
    assert error.key == "running.raised"
    assert [line.split(", ", 1)[1] for line in error.report.splitlines() if line.startswith("  File")] == [
        "line 6, in <module>",
        "line 5, in f",
    ]
    assert error.report.startswith("Traceback (most recent call last):\n")
    assert "return x @ torch.ones(5, 5)" in error.report
    assert "explorer" not in error.report
    assert error.trace is not None
    assert error.trace.partial
    assert "user_error" in [finding.kind for finding in error.trace.findings]


def test_syntax_errors_are_the_programs_own(program: Write) -> None:
    """A file that is not Python fails as Python tells it, with the line and no frame of ours."""
    for suffix in ("", ":main"):
        with pytest.raises(ProgramError) as caught:
            run_target(program("x = (\n") + suffix)
        assert caught.value.key == "running.raised"
        assert "SyntaxError: '(' was never closed" in caught.value.report
        assert caught.value.report.startswith("  File ")
        assert "explorer/capture" not in caught.value.report


@pytest.mark.parametrize(
    ("ending", "key"), [("raise SystemExit(3)", "running.exited"), ("raise SystemExit('no data')", "running.exited_saying")]
)
def test_giving_up_is_a_failure(program: Write, ending: str, key: str) -> None:
    """sys.exit with anything but 0 is told as what it is."""
    with pytest.raises(ProgramError) as caught:
        run_target(program(LOSS + ending + "\n"))
    assert caught.value.key == key
    assert caught.value.trace is not None


@posix
@pytest.mark.parametrize(
    ("ending", "key"),
    [("os.abort()", "running.crashed"), ("os.kill(os.getpid(), 9)", "running.killed"), ("os._exit(0)", "running.vanished")],
)
def test_a_crash_loses_nothing(program: Write, ending: str, key: str) -> None:
    """When the interpreter dies, what was computed until then is rebuilt from the journal, and a crash names its line."""
    with pytest.raises(ProgramError) as caught:
        run_target(program("import os\n" + LOSS + ending + "\n"))
    error = caught.value
    assert error.key == key
    assert error.trace is not None
    assert error.trace.partial
    assert [node.op for node in error.trace.nodes][-2:] == ["mul", "sum"]
    if key == "running.crashed":
        assert error.values["signal"] == "SIGABRT"
        assert 'program.py", line 5 in <module>' in error.report
        assert "worker.py" not in error.report


def test_deep_recursion_and_deep_graphs(program: Write) -> None:
    """A recursion of 20,000 calls runs, and a graph of 100,000 nodes is recorded and let go without a crash."""
    text = (
        "import sys, torch\nw = torch.tensor(1.0, requires_grad=True)\n"
        "def deep(n):\n    return 0 if n == 0 else 1 + deep(n - 1)\nprint(deep(20_000))\n"
        "y = w\nfor i in range({n}):\n    y = y * 1.0001\ny.backward()\n"
    )
    result = run_target(program(text.replace("{n}", "2_000")), values="none")
    assert result.output_tail == "20000\n"
    assert sum(node.op == "mul" for node in result.traces[0].nodes) == 2_000


def test_endless_recursion_is_the_programs_error(program: Write) -> None:
    """A recursion without end is told as Python's RecursionError, in a report of readable length."""
    with pytest.raises(ProgramError) as caught:
        run_target(program("def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\nf(0)\n"))
    assert "RecursionError" in caught.value.report
    assert len(caught.value.report.splitlines()) < 400


def test_fake_tensors_have_no_numbers(program: Write) -> None:
    """On the fake device a program runs by shapes alone; asking for a number is told in a sentence that says so."""
    result = run_target(
        program("import torch\nw = torch.randn(100_000, 100_000, requires_grad=True)\n(w @ w).sum().backward()\n"), device="fake"
    )
    assert result.traces[0].made_with.device == "fake"
    assert result.traces[0].loss is None
    with pytest.raises(ProgramError) as caught:
        run_target(program("import torch\nprint(torch.randn(3).sum().item())\n"), device="fake")
    assert caught.value.key == "running.needs_values"
    assert caught.value.exit_code == 2


# Around it


def test_only_the_allowed_environment_goes_in() -> None:
    """Paths, locale and settings of torch pass; secrets do not, whatever they are called."""
    outer = {
        "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "PYTHONPATH": "/p", "OMP_NUM_THREADS": "2", "CUDA_HOME": "1", "HF_HOME": "/hf",
        "AWS_SECRET_ACCESS_KEY": "s", "HF_TOKEN": "s", "GITHUB_TOKEN": "s", "DATABASE_URL": "s", "SSH_AUTH_SOCK": "s", "PYTHON_KEY": "s",
        "PYTHONINSPECT": "1", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
    }  # fmt: skip
    inner = child_environment(outer, token="t", seed=None)
    allowed = {"PATH", "HOME", "LC_ALL", "PYTHONPATH", "OMP_NUM_THREADS", "CUDA_HOME", "HF_HOME"}
    allowed |= {"ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA"}  # which instructions compute decides the last digits
    assert set(inner) == allowed | {"PYTHONHASHSEED", "MPLBACKEND", "AUTOGRAD_EXPLORER_RUN"}


def test_secrets_do_not_reach_the_program(program: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child really has is the allowed environment, and no open file of ours beside its three streams and what it opened."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    result = run_target(program("import os\nprint(sorted(os.environ))\n"))
    assert "AWS" not in result.output_tail
    assert "PATH" in result.output_tail


def test_progress_and_output_come_in_the_callers_thread(program: Write) -> None:
    """Phases are told in order, and both callbacks run where `run_target` was called."""
    phases: list[str] = []
    threads: set[int] = set()

    def progress(phase: str, done: int, total: int | None) -> None:
        threads.add(threading.get_ident())
        if phase not in phases:
            phases.append(phase)

    run_target(program(LOSS + "print(1)\nloss.backward()\n"), progress=progress, output=lambda chunk: threads.add(threading.get_ident()))
    assert (phases[0], phases[-1]) == ("starting", "reading")
    assert threads == {threading.get_ident()}


def test_two_threads_run_two_programs(program: Write) -> None:
    """Calls do not disturb each other."""
    paths = [program(LOSS.replace("3", str(number)) + "loss.backward()\n", f"p{number}.py") for number in (4, 5)]
    results: dict[str, Result] = {}
    threads = [threading.Thread(target=lambda path=path: results.update({path: run_target(path)})) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[path].traces[0].loss for path in paths] == [8.0, 10.0]


def test_signal_handlers_do_not_stop_a_program(program: Write) -> None:
    """A program that sets a handler, which Python allows on its main thread only, runs on as it would without us."""
    text = "from signal import SIG_IGN, SIGTERM\nimport signal\nbefore = signal.signal(SIGTERM, SIG_IGN)\n"
    text += "print(signal.signal(SIGTERM, before) == SIG_IGN)\n"
    assert run_target(program(text)).output_tail == "True\n"


@pytest.mark.slow
def test_processes_of_the_program_are_its_own(program: Write) -> None:
    """Forked data loaders and spawned pools work as without us, find the script's functions, and their ops are not in the record."""
    text = (
        "import multiprocessing, torch\nfrom torch.utils.data import DataLoader\n"
        "def square(n):\n    return n * n\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n        print(pool.map(square, [3]))\n"
        "    w = torch.tensor([2.0], requires_grad=True)\n"
        "    for x in DataLoader([torch.ones(1)] * 2, num_workers=1):\n        (w * x).sum().backward()\n"
    )
    result = run_target(program(text), wanted=2, to_end=True)
    assert result.output_tail == "[9]\n"
    assert (result.traces[0].number, result.traces[0].passes) == (2, 2)


def test_wrong_choices_are_refused(program: Write) -> None:
    """From Python too, a pass before the first and an unknown kind of values are told before anything runs."""
    for settings in ({"wanted": 0}, {"wanted": "some"}, {"values": "some"}):
        with pytest.raises(RequestError) as caught:
            run_target(program(LOSS), **settings)
        assert caught.value.key == "running.wrong_choice"


def test_no_memory_to_start(monkeypatch: pytest.MonkeyPatch, program: Write) -> None:
    """A system that gives no process is told in a sentence."""

    def refuse(*words: object, **settings: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(RequestError) as caught:
        run_target(program(LOSS))
    assert caught.value.key == "running.cannot_start"


def test_the_parent_loads_no_torch() -> None:
    """Starting programs and reading their traces needs no torch in this process."""
    code = "import sys, explorer.capture.run; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(run.__file__).parents[2], timeout=60)
    assert done.stdout == "False\n", done.stderr
