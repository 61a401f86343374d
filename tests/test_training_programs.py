"""The programs that train: each learns what it is to learn, what it is learned from is free, and all settings can be chosen."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer import runs
from explorer.capture.observing import Watching
from explorer.capture.programmed import Programmed
from explorer.capture.programs import TOPICS, TRAININGS
from explorer.capture.trainer import train_target
from explorer.errors import RequestError
from explorer.files import assets_folder
from explorer.runs import About

pytestmark = pytest.mark.torch
COMMON = {"optimizer", "learning_rate", "schedule", "batch_size", "weight_decay", "clip_norm", "device", "seed", "steps", "run"}
TINY = {"layers": 1, "heads": 2, "width": 32, "context": 16, "batch_size": 8, "show_every": 20}


def program(name: str) -> Any:
    return vars(importlib.import_module(TRAININGS[name].module))[TRAININGS[name].callable]


def trained(name: str, folder: Path, steps: int, **settings: Any) -> runs.Run:
    """Train an example in this process, without recording steps."""
    settings = {**{key: value for key, value in TRAININGS[name].settings.items() if key != "steps"}, **settings}
    watching = Watching(folder, about=About(name, steps=steps), record_first=False)
    programmed = Programmed(watching, steps=steps, told=lambda done, steps, loss: None)
    with watching:
        programmed.follow(program(name)(run=programmed, steps=steps, **settings))
    return runs.open_run(folder)


def last(run: runs.Run, metric: str) -> float:
    return float(run.scalars().of(metric)[1][-1])


@pytest.mark.parametrize("name", TRAININGS)
def test_every_training_program_has_its_texts_and_settings(name: str) -> None:
    """Title and description in both languages, a known topic, a file, and every common setting with a plain default."""
    example = TRAININGS[name]
    assert example.topic in TOPICS
    assert example.path.is_file() and example.source_file.endswith(".py")
    for language in ("en", "ko"):
        assert example.title(language) and example.description(language)
    parameters = inspect.signature(program(name)).parameters
    assert parameters.keys() >= COMMON
    assert set(example.settings) <= parameters.keys()
    assert all(parameter.default is not parameter.empty for parameter in parameters.values() if parameter.name != "run")


@pytest.mark.parametrize(
    ("name", "steps", "metric", "least"),
    [("simple_net", 300, "accuracy", 0.8), ("moons", 300, "validation_accuracy", 0.97), ("two_spirals", 500, "validation_accuracy", 0.9),
     ("digits", 150, "validation_accuracy", 0.9)],
)  # fmt: skip
def test_a_program_learns(name: str, steps: int, metric: str, least: float, tmp_path: Path) -> None:
    """After some hundred steps it answers right, on examples that it has not seen where there are some."""
    run = trained(name, tmp_path / "run", steps)
    assert run.step() == steps
    assert last(run, metric) >= least
    assert last(run, "loss") < run.scalars().metrics["loss"][0]


def test_the_surface_between_the_moons(tmp_path: Path) -> None:
    """What is stored to draw: the points once, and how likely the second class is on a grid, right at most of the points."""
    run = trained("moons", tmp_path / "run", 200)
    texts = [(step, name, json.loads(text)) for step, name, text in run.texts()]
    (points,) = [told for step, name, told in texts if name == "points"]
    surfaces = [(step, told) for step, name, told in texts if name == "surface"]
    assert [step for step, _ in surfaces] == [1, 50, 100, 150, 200]
    told = surfaces[-1][1]
    size = len(told["likely"])
    right = 0
    for (x, y), label in zip(points["points"], points["classes"], strict=True):
        column = round((x - told["x"][0]) / (told["x"][1] - told["x"][0]) * (size - 1))
        row = round((y - told["y"][0]) / (told["y"][1] - told["y"][0]) * (size - 1))
        right += (told["likely"][row][column] > 0.5) == (label == 1)
    assert right / len(points["classes"]) > 0.95


def test_a_gpt_is_trained_and_tuned(tmp_path: Path) -> None:
    """The loss falls from that of a guess; the tuned one begins far below it, from the saved weights; both show what they write."""
    first = trained("char_gpt", tmp_path / "first", 120, **TINY)
    assert first.scalars().metrics["loss"][0] == pytest.approx(math.log(71), abs=0.4)
    assert last(first, "validation_loss") < 3.2
    samples = [text for _, name, text in first.texts() if name == "sample"]
    assert len(samples) == 7 and all(len(text) == 300 for text in samples)
    tuned = trained("char_gpt_fine_tuned", tmp_path / "second", 5, **TINY, start_from=str(tmp_path / "first"))
    assert tuned.scalars().metrics["loss"][0] < first.scalars().metrics["loss"][0] - 0.5
    with pytest.raises(RequestError) as refused:
        trained("char_gpt_fine_tuned", tmp_path / "third", 5, **{**TINY, "width": 16}, start_from=str(tmp_path / "first"))
    assert refused.value.key == "training.other_weights"
    with pytest.raises(RequestError) as refused:
        train_target("char_gpt_fine_tuned", tmp_path / "fourth")
    assert refused.value.key == "training.needs"
    assert not (tmp_path / "fourth").exists()


def test_korean_is_written_in_syllables(tmp_path: Path) -> None:
    """It is learned in jamo, of which there are about ninety with the punctuation, and shown in syllables."""
    from explorer.capture.programs.training import char_gpt

    characters = char_gpt.alphabet("korean_stories")
    assert 80 < len(characters) < 110 and "ᄀ" in characters and "가" not in characters
    run = trained("char_gpt_korean", tmp_path / "run", 40, **TINY)
    sample = [text for _, name, text in run.texts() if name == "sample"][-1]
    assert any("가" <= letter <= "힣" for letter in sample)
    assert sample == unicodedata.normalize("NFC", sample)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "warmup_cosine"])
def test_every_optimizer_and_schedule(optimizer: str, schedule: str, tmp_path: Path) -> None:
    """Each trains; the learning rate that is stored follows the schedule."""
    run = trained(
        "simple_net", tmp_path / "run", 20, optimizer=optimizer, schedule=schedule, learning_rate=0.01, clip_norm=1.0, weight_decay=0.01
    )
    rates = run.scalars().metrics["learning_rate"]
    assert rates.max() <= 0.01 * (1 + 1e-9)
    assert (rates[-1] < 0.002) == (schedule != "constant")
    norm = float((run.measures().gradient.astype("f8") ** 2).sum(1).max()) ** 0.5
    assert norm <= 1.0001, "clipped before the optimizer saw it"


def test_what_is_learned_from_is_free() -> None:
    """Every text and data file ships with a word on its author, its source and why it may be used."""
    for folder in ("texts", "digits"):
        told = (assets_folder() / folder / "README.md").read_text(encoding="utf-8")
        files = [path for path in (assets_folder() / folder).iterdir() if path.name != "README.md"]
        assert files and all(f"`{path.name}`" in told for path in files)
        assert "CC BY" in told
    for path in (assets_folder() / "texts").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert 8_000 < len(text) < 500_000
        assert text == unicodedata.normalize("NFC", text) and "\r" not in text


def test_digits_are_the_digits() -> None:
    """1,797 images, about as many of each digit."""
    from explorer.capture.programs.training import digits

    images, labels = digits.read_digits()
    assert images.shape == (1797, 1, 8, 8) and float(images.max()) == 1.0 and float(images.min()) == 0.0
    assert torch.bincount(labels).min() > 170
