"""The guard that stands after every test finds what it is there to find."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest

from tests import process_state

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_state, "GRACE", 0.2)


def test_an_untouched_process_has_no_differences() -> None:
    """Nothing done, nothing found."""
    assert process_state.differences(process_state.snapshot()) == []


def test_a_trace_function_and_a_switched_off_gc_are_found() -> None:
    """What is set in the interpreter is found by name."""
    before = process_state.snapshot()
    profile = sys.getprofile()
    sys.setprofile(lambda *event: None)
    gc.disable()
    found = process_state.differences(before)
    gc.enable()
    sys.setprofile(profile)
    assert [line.split(" was ")[0] for line in found] == ["sys.getprofile()", "gc enabled"]


def test_a_thread_that_keeps_python_alive_is_found() -> None:
    """A thread that is no daemon, still running, is found."""
    before, end = process_state.snapshot(), threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    found = process_state.differences(before)
    end.set()
    thread.join()
    assert found == ["thread 'forgotten' still runs"]


@pytest.mark.skipif(sys.platform != "linux", reason="children are looked up in /proc")
def test_a_child_process_is_found() -> None:
    """A child that still runs is found, with its command line; one that ended is not."""
    before = process_state.snapshot()
    with subprocess.Popen(SLEEPER) as child:
        found = process_state.differences(before)
        child.kill()
    assert len(found) == 1
    assert "time.sleep(60)" in found[0]
    assert process_state.differences(before) == []


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
def test_an_orphan_is_found() -> None:
    """What a child leaves running when it ends is found too."""
    before = process_state.snapshot()
    start = f"import subprocess; print(subprocess.Popen({SLEEPER!r}, stdout=-3, stderr=-3).pid)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", start], capture_output=True, text=True, check=True)
    found = process_state.differences(before)
    subprocess.run(["kill", "-9", done.stdout.strip()], check=True)
    assert len(found) == 1
    assert done.stdout.strip() in found[0]


@pytest.mark.torch
def test_a_hook_a_mode_and_a_patch_on_torch_are_found() -> None:
    """Global hooks, an entered mode, a changed default and a replaced function are found."""
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode

    before, backward = process_state.snapshot(), torch.Tensor.backward
    hook = torch.nn.modules.module.register_module_forward_hook(lambda *call: None)
    torch.Tensor.backward = lambda self: None
    with TorchDispatchMode(), torch.no_grad():
        found = process_state.differences(before)
    torch.Tensor.backward = backward
    hook.remove()
    assert [line.split(" was ")[0] for line in found] == ["module hooks", "dispatch modes", "grad mode", "torch.Tensor.backward"]
    assert process_state.differences(before) == []
