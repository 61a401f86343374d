"""A training that goes on by itself: started, found again by its folder, asked to stop; its settings read without running anything."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explorer import runs
from explorer.capture.launching import CHOICES, going_on, launch, settings_of
from explorer.capture.programs import TRAININGS
from explorer.errors import ExplorerError, OutputError, RequestError


@pytest.mark.torch
@pytest.mark.parametrize("name", TRAININGS)
def test_settings_are_those_of_the_function(name: str) -> None:
    """What is read from the source is what Python says, with what the example starts with in place of some."""
    import importlib

    example = TRAININGS[name]
    function = vars(importlib.import_module(example.module))[example.callable]
    defaults = {key: parameter.default for key, parameter in inspect.signature(function).parameters.items()}
    settings, steps = settings_of(name)
    expected = {
        key: value for key, value in {**defaults, **example.settings}.items() if key not in ("run", "device", "dtype", "seed", "steps")
    }
    assert {setting.name: setting.default for setting in settings} == expected
    assert steps == {**defaults, **example.settings}["steps"]


@pytest.mark.torch
def test_choices_are_those_of_the_programs() -> None:
    """The lists that a page offers are the tables that the programs look into."""
    from explorer.capture.programs.training import char_gpt, choices

    assert CHOICES["optimizer"] == tuple(choices.OPTIMIZERS)
    assert CHOICES["schedule"] == tuple(choices.SCHEDULES)
    assert CHOICES["text"] == tuple(char_gpt.TEXTS)


def test_settings_of_other_programs(tmp_path: Path) -> None:
    """Of the user's own function too; odd defaults are left out, broken files are refused, nothing runs, no torch is loaded."""
    path = tmp_path / "p.py"
    path.write_text(
        "print('ran')\n1 / 0\ndef train(a, b=2, *, run, rate=-0.5, deep=[1], name='x', fast=True, call=print, steps=7): yield\n"
    )
    settings, steps = settings_of(f"{path}:train")
    assert [(setting.name, setting.default) for setting in settings] == [("b", 2), ("rate", -0.5), ("name", "x"), ("fast", True)]
    assert steps == 7
    assert settings_of(str(path)) == settings_of(f"{path}:absent") == ([], None)
    path.write_text("def train(:")
    with pytest.raises(ExplorerError):
        settings_of(f"{path}:train")
    code = "import sys; from explorer.capture.launching import settings_of; settings_of('char_gpt'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.slow
def test_a_training_goes_on_by_itself(tmp_path: Path) -> None:
    """It is there when `launch` comes back, goes on without us, stops on demand, goes on again, and says why it did not start."""
    folder = tmp_path / "run"
    program = tmp_path / "p.py"
    program.write_text(
        "import time, torch\n"
        "def train(*, run, steps, rate=0.1):\n"
        "    model = torch.nn.Linear(1, 1)\n"
        "    run.register(model)\n"
        "    while True:\n"
        "        time.sleep(0.01)\n"
        "        print('at work')\n"
        "        yield {'loss': rate}\n"
    )
    target = f"{program}:train"
    launch(target, folder, steps=100_000, settings={"rate": 0.5})
    run = runs.open_run(folder) if (folder / "rank-0.sqlite").exists() else None
    end = time.monotonic() + 30
    while (run is None or run.step() < 5) and time.monotonic() < end:
        time.sleep(0.05)
        run = runs.open_run(folder) if (folder / "rank-0.sqlite").exists() else None
    assert run is not None and run.step() >= 5 and run.status().alive
    assert run.about.settings == {"rate": 0.5}
    with pytest.raises(OutputError):
        launch(target, folder)
    runs.request(folder, "stop")
    _ended(folder)
    assert b"at work" in (folder / "output.txt").read_bytes()
    stopped = runs.open_run(folder).step()
    launch(target, folder, steps=stopped + 3, resume=True)
    _ended(folder)
    assert runs.open_run(folder).step() == stopped + 3
    with pytest.raises(RequestError) as refused:
        launch(target, tmp_path / "other", settings={"speed": 1})
    assert "speed" in refused.value.message()


def _ended(folder: Path) -> None:
    end = time.monotonic() + 60
    while runs.open_run(folder).status().alive or going_on():
        assert time.monotonic() < end
        time.sleep(0.05)
