"""`autograd-explorer train`: programs, scripts and functions are trained into runs; what is killed goes on as if it had not been."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import explorer
from explorer import runs
from explorer.cli import main
from explorer.errors import FileError, RequestError

GENERATOR = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train(*, device, seed, steps, run, learning_rate=0.01, wide=False, slow=0.0):
    import time
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16 if wide else 8), nn.Dropout(0.2), nn.Tanh(), nn.Linear(16 if wide else 8, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.99)
    x = torch.randn(50, 4)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)
    run.register(model, optimizer, loader=loader, schedule=schedule)
    while True:
        for inputs, wanted in loader:
            optimizer.zero_grad()
            loss = (model(inputs) - wanted + 0.01 * torch.randn(1)).square().mean()
            loss.backward()
            optimizer.step()
            schedule.step()
            time.sleep(slow)
            yield {"loss": loss.item(), "norm": sum(p.norm() for p in model.parameters())}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(GENERATOR)
    return path


def weights(folder: Path) -> bytes:
    (place,) = folder.glob("checkpoint-*")
    return (place / "weights.safetensors").read_bytes() + (place / "state.safetensors").read_bytes() + (place / "state.json").read_bytes()


def losses(folder: Path) -> list[float]:
    scalars = runs.open_run(folder).scalars()
    assert scalars.steps.tolist() == list(range(1, len(scalars.steps) + 1))
    return list(scalars.metrics["loss"].tolist())


def test_a_run_that_goes_on_equals_one_that_was_not_interrupted(program: Path, tmp_path: Path) -> None:
    """After 13 of 40 steps, in the middle of an epoch: every loss, the weights, optimizer, schedule and random state are the same bits."""
    target = f"{program}:train"
    assert main(["train", target, "--run", str(tmp_path / "whole"), "--steps", "40", "--seed", "5"]) == 0
    assert main(["train", target, "--run", str(tmp_path / "parts"), "--steps", "13", "--seed", "5", "--set", "learning_rate=0.01"]) == 0
    assert main(["train", target, "--run", str(tmp_path / "parts"), "--steps", "40", "--resume"]) == 0
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    run = runs.open_run(tmp_path / "parts")
    assert (run.about.seed, run.about.steps, run.status().state) == (5, 40, "finished")
    assert [event.kind for event in run.events()] == ["started", "finished", "resumed", "finished"]
    # Asked for no more than there is: nothing changes.
    before = weights(tmp_path / "parts")
    assert main(["train", target, "--run", str(tmp_path / "parts"), "--resume"]) == 0
    assert weights(tmp_path / "parts") == before and len(losses(tmp_path / "parts")) == 40


def command(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "explorer", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(folder: Path, step: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(explorer.ExplorerError):
            if runs.open_run(folder).step() >= step:
                return
        time.sleep(0.02)
    raise AssertionError(f"step {step} was not reached")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_training_goes_on(program: Path, tmp_path: Path) -> None:
    """Killed three times at moments of their own, resumed each time: no finished step is lost, and the end is that of an unbroken run."""
    target, folder = f"{program}:train", tmp_path / "killed"
    steps = ["--steps", "300", "--set", "slow=0.01"]
    assert main(["train", target, "--run", str(tmp_path / "whole"), "--steps", "300"]) == 0
    reached = 0
    for number in range(3):
        process = command("train", target, "--run", str(folder), *steps, *(["--resume"] if number else []))
        wait_for(folder, reached + 60)
        process.kill()
        process.communicate()
        time.sleep(0.2)  # the child dies with its parent
        run = runs.open_run(folder)
        reached = run.step()
        assert run.status().state == "died"
        assert losses(folder) == losses(tmp_path / "whole")[:reached]
    assert list(folder.glob("checkpoint-*")), "a checkpoint a second"
    assert main(["train", target, "--run", str(folder), "--resume", "--set", "slow=0"]) == 0
    assert losses(folder) == losses(tmp_path / "whole")
    assert weights(folder) == weights(tmp_path / "whole")


def test_a_script_as_people_write_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each optimizer.step() is a step; the model is found; the first step is recorded; what it prints goes to standard error."""
    script = tmp_path / "tutorial.py"
    script.write_text(
        "import torch\nfrom torch import nn\n"
        "model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)\n"
        "criterion = nn.MSELoss()\n"
        "if __name__ == '__main__':\n"
        "    for epoch in range(6):\n"
        "        x = torch.randn(8, 3)\n"
        "        optimizer.zero_grad()\n"
        "        loss = criterion(model(x), x[:, :1])\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "        print('loss', loss.item())\n"
    )
    assert main(["train", str(script), "--run", str(tmp_path / "run"), "--json"]) == 0
    told, printed = capsys.readouterr()
    document = json.loads(told)
    assert (document["state"], document["step"], document["parameters"]) == ("finished", 6, 21)
    written = [float(line.split()[1]) for line in printed.splitlines() if line.startswith("loss ")]
    assert losses(tmp_path / "run") == written
    run = runs.open_run(tmp_path / "run")
    assert [parameter.name for parameter in run.parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    (first,) = run.traces()
    trace = explorer.load(first.path)
    assert first.step == 1 and trace.loss == pytest.approx(written[0])
    assert len(trace.updates) == 4
    assert main(["train", str(script), "--run", str(tmp_path / "three"), "--steps", "3"]) == 0
    assert losses(tmp_path / "three") == written[:3]
    assert runs.open_run(tmp_path / "three").status().state == "finished"
    assert main(["train", str(script), "--run", str(tmp_path / "run"), "--resume"]) == 2
    assert "run.register" in capsys.readouterr().err
    assert losses(tmp_path / "run") == written


BAD: dict[str, tuple[str, list[str], int, str]] = {
    "no metrics": ("def train(*, run, steps):\n    yield 3", [], 2, "yields a dict"),
    "raises": ("def train(*, run, steps):\n    yield {'loss': 1.0}\n    1 / 0", [], 3, "ZeroDivisionError"),
    "raises at once": ("1 / 0\ndef train(*, run): yield {}", [], 3, "ZeroDivisionError"),
    "crashes": ("import os\ndef train(*, run, steps):\n    yield {'loss': 1.0}\n    os.abort()", [], 3, "SIGABRT"),
    "no such setting": ("def train(*, run, steps, rate=1.0):\n    yield {'loss': 1.0}", ["--set", "speed=3"], 2, "rate"),
    "wrong kind": ("def train(*, run, steps, rate=1.0):\n    yield {'loss': 1.0}", ["--set", "rate=fast"], 2, "float"),
    "no setting": ("def train(*, run): yield {}", ["--set", "rate"], 2, "NAME=VALUE"),
    "fake": ("def train(*, run): yield {}", ["--device", "fake"], 2, "fake"),
    "absent": ("def train(*, run): yield {}", ["--device", "cuda:77"], 2, "cuda:77"),
    "nothing yielded": ("def train(*, run, steps):\n    return\n    yield", [], 2, "without a training step"),
    "no model": ("def train(*, run, steps):\n    run.register(3)\n    yield {'loss': 1.0}", [], 2, "torch.nn.Module"),
    "too long": ("import time\ndef train(*, run, steps):\n    while True:\n        time.sleep(.01)\n        yield {'loss': 1.0}",
                 ["--timeout", "1", "--steps", "1000000"], 3, "1"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_goes_wrong_gets_one_sentence(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong request exits 2, a program that fails 3 with its own traceback and the steps until then; never a traceback of ours."""
    text, words, code, said = BAD[what]
    (tmp_path / "program.py").write_text(text)
    folder = tmp_path / "run"
    assert main(["train", f"{tmp_path}/program.py:train", "--run", str(folder), *words]) == code
    printed = capsys.readouterr().err
    assert said in printed
    assert os.path.dirname(explorer.__file__) not in printed
    if what in ("raises", "crashes", "too long"):
        state = {"raises": "failed", "crashes": "died", "too long": "stopped"}[what]
        assert runs.open_run(folder).status().state == state
        assert runs.open_run(folder).step() >= 1
    elif code == 2:
        assert not folder.exists() or runs.open_run(folder).status().state == "failed"


def test_wrong_folders(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is there is not written over, one that is not there cannot be resumed, another model is refused; nothing is changed."""
    target, folder = f"{program}:train", tmp_path / "run"
    assert main(["train", target, "--run", str(folder), "--resume"]) == 2
    assert main(["train", target, "--run", str(folder), "--steps", "5"]) == 0
    before = weights(folder)
    assert main(["train", target, "--run", str(folder), "--steps", "9"]) == 2
    assert main(["train", target, "--run", str(folder), "--steps", "9", "--resume", "--set", "wide=true"]) == 2
    assert "another" in (told := capsys.readouterr().err) or "parameters" in told
    assert weights(folder) == before and len(losses(folder)) == 5
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("")
    assert main(["train", target, "--run", str(tmp_path / "notes"), "--steps", "9"]) == 2
    assert os.listdir(tmp_path / "notes") == ["todo.txt"]


@pytest.mark.torch
def test_a_checkpoint_that_was_changed_is_refused(program: Path, tmp_path: Path) -> None:
    """Cut, other tensors, nonsense, or a newer format: one sentence, exit 2, and what was stored stays."""
    from torch import nn

    from explorer.capture import checkpoints

    target, folder = f"{program}:train", tmp_path / "run"
    assert main(["train", target, "--run", str(folder), "--steps", "5"]) == 0
    (place,) = folder.glob("checkpoint-*")
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Tanh(), nn.Linear(8, 1))
    assert checkpoints.load_weights(folder, model) == 5
    assert checkpoints.load_state(place)["optimizer"]["param_groups"][0]["lr"] == pytest.approx(0.01 * 0.99**5)
    bads = [b"", b"\xff" * 64, b"[]", b'{"format": 99, "states": {}}', b'{"format": 1, "states": {"dict": [[1]]}}', b"[" * 9999]
    bads += [b'{"format": 1, "states": %s}' % (b'{"tuple": [' * 900 + b"]}" * 900)]
    for name in ("weights.safetensors", "state.safetensors", "state.json"):
        good = (place / name).read_bytes()
        for bad in [*bads, good[: len(good) // 2]]:
            (place / name).write_bytes(bad)
            with pytest.raises(FileError):
                checkpoints.load_weights(folder, model) if "weights" in name else checkpoints.load_state(place)
        (place / name).write_bytes(good)
    with pytest.raises(RequestError) as refused:
        checkpoints.load_weights(folder, nn.Linear(1, 1))
    assert refused.value.key == "training.other_weights"
    (place / "state.json").write_text("{")
    assert main(["train", target, "--run", str(folder), "--steps", "9", "--resume"]) == 2
    assert len(losses(folder)) == 5


def test_requests_and_ctrl_c(program: Path, tmp_path: Path) -> None:
    """A stop that is asked for ends with a checkpoint and exit 0, Ctrl-C with a checkpoint and exit 130; both can go on."""
    target, folder = f"{program}:train", tmp_path / "run"
    process = command("train", target, "--run", str(folder), "--steps", "100000", "--set", "slow=0.005")
    wait_for(folder, 10)
    runs.request(folder, "stop")
    process.communicate(timeout=20)
    assert process.returncode == 0
    run = runs.open_run(folder)
    first = run.step()
    assert run.status().state == "stopped"
    assert (folder / f"checkpoint-{first}").is_dir()
    process = command("train", target, "--run", str(folder), "--resume")
    wait_for(folder, first + 10)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    run = runs.open_run(folder)
    assert run.step() > first
    assert run.status().state == "stopped"
    assert (folder / f"checkpoint-{run.step()}").is_dir()


def test_what_runs_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are listed as text and as JSON, a damaged one with its sentence, and written as CSV and Parquet with every number."""
    for name, rate in (("a", "0.1"), ("b", "0.2")):
        assert main(["train", "simple_net", "--run", str(tmp_path / "runs" / name), "--steps", "7", "--set", f"learning_rate={rate}"]) == 0
    (tmp_path / "runs" / "c").mkdir()
    (tmp_path / "runs" / "c" / "run.json").write_text("{")
    capsys.readouterr()
    assert main(["runs", str(tmp_path / "runs"), "--lang", "ko"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and "완료" in lines[0] and "손상" in lines[2]
    assert main(["runs", str(tmp_path / "runs"), "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [document.get("settings", {}).get("learning_rate") for document in documents] == [0.1, 0.2, None]
    table = tmp_path / "all.csv"
    assert main(["runs", str(tmp_path / "runs"), "--export", str(table)]) == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [(row["run"], int(row["step"])) for row in rows] == [(name, step) for name in "ab" for step in range(1, 8)]
    assert [float(row["loss"]) for row in rows] == losses(tmp_path / "runs" / "a") + losses(tmp_path / "runs" / "b")
    assert main(["runs", str(tmp_path / "runs"), "--export", str(tmp_path / "all.parquet")]) == 0
    import pyarrow.parquet

    assert pyarrow.parquet.read_table(tmp_path / "all.parquet").num_rows == 14
    assert main(["runs", str(tmp_path / "runs"), "--export", str(tmp_path / "all.xls")]) == 2
    assert main(["runs", str(tmp_path / "nowhere")]) == 2
    assert main(["runs", str(tmp_path / "runs" / "c")]) == 2


def test_the_graph_in_which_a_nan_arose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A learning rate that explodes: the run stops at the first NaN, says how to see it, and the step done again has the finding."""
    (tmp_path / "p.py").write_text(
        "import torch\n"
        "def train(*, run, steps, seed):\n"
        "    torch.manual_seed(seed)\n"
        "    model = torch.nn.Linear(3, 1)\n"
        "    optimizer = torch.optim.SGD(model.parameters(), lr=1e9)\n"
        "    run.register(model, optimizer)\n"
        "    while True:\n"
        "        optimizer.zero_grad()\n"
        "        loss = (model(torch.randn(8, 3)).square() / 2).mean()\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "        yield {'loss': loss}\n"
    )
    target, folder = f"{tmp_path}/p.py:train", tmp_path / "run"
    assert main(["train", target, "--run", str(folder), "--steps", "90", "--on-nan", "stop"]) == 0
    run = runs.open_run(folder)
    nan = run.status().nan
    assert nan is not None and run.status().state == "stopped" and run.step() == nan
    before = losses(folder)
    assert f"--record-at {nan}" in capsys.readouterr().out
    assert main(["train", target, "--run", str(folder), "--resume", "--steps", str(nan), "--record-at", str(nan)]) == 0
    assert repr(losses(folder)) == repr(before)
    found = {recorded.step: recorded for recorded in runs.open_run(folder).traces()}
    assert {step: explorer.load(one.path).title for step, one in found.items()} == {step: f"run · {step}" for step in found}
    trace = explorer.load(found[nan].path)
    assert {"inf_forward", "nan_forward", "inf_gradient", "nan_gradient"} & {finding.kind for finding in trace.findings}
    assert all(trace.nodes[update.node].outputs[0].nans == 0 for update in trace.updates), "the parameters were still numbers"


def test_the_device_and_type_that_were_asked_for(tmp_path: Path) -> None:
    """--dtype reaches a program that knows of it not, and stands in the run."""
    (tmp_path / "p.py").write_text(GENERATOR.replace('"norm": ', '"bits": torch.get_default_dtype().itemsize, "norm": '))
    assert main(["train", f"{tmp_path}/p.py:train", "--run", str(tmp_path / "run"), "--steps", "2", "--dtype", "float64"]) == 0
    run = runs.open_run(tmp_path / "run")
    assert run.about.dtype == "float64"
    assert run.scalars().metrics["bits"].tolist() == [8, 8]
