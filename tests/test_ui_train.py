"""The Train page as Streamlit runs it, without a browser: what it offers, starts, shows and asks of a run."""

from __future__ import annotations

import csv
import importlib
import inspect
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from streamlit.testing.v1 import AppTest

from explorer.capture.programs import TRAININGS
from explorer.files import save
from explorer.runs import About, Writer, read_about, start_folder
from explorer.text import LANGUAGES, TEXTS
from explorer.ui import devices, explore, shell, train_edit, train_process
from explorer.ui.train_charts import groups
from explorer.ui.train_data import Followed, follow
from explorer.ui.train_process import Asked
from explorer.ui.train_settings import offered, steps_of
from tests.components import players
from tests.dummy import dummy_trace

ROOT = Path(__file__).resolve().parent.parent
CREATED = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The devices are known at once, the runs lie in a folder of the test, and AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.delenv("AUTOGRAD_EXPLORER_OPEN", raising=False)
    monkeypatch.setenv("AUTOGRAD_EXPLORER_RUNS", str(tmp_path / "runs"))
    for cached in (explore.asked_devices, follow, train_process.all_started):
        cached.clear()
    yield
    for cached in (explore.asked_devices, follow, train_process.all_started):
        cached.clear()
    sys.modules["__main__"] = main


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the processes that would have been started."""
    commands: list[list[str]] = []

    class Process:
        returncode, pid = 0, 2**22 + 1  # no process has that number

        def __init__(self, command: list[str], **options: Any) -> None:
            commands.append(command)
            assert options["stdin"] == subprocess.DEVNULL
            assert sys.platform == "win32" or options["start_new_session"]  # it outlives the server

        def poll(self) -> None:
            return None

    monkeypatch.setattr(subprocess, "Popen", Process)
    return commands


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(query)
    app.switch_page("explorer/ui/train.py")
    app.run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    badges = [element.proto.body for element in app.get("markdown")]
    progress = [element.proto.text for element in app.get("progress")]
    return "\n".join([*(element.value for kind in kinds for element in kind), *badges, *progress]).replace("\\", "")


def a_run(folder: Path, *, steps: int = 5, alive: bool = False, ends: str = "finished", name: str | None = None, **more: Any) -> Writer:
    """A run of some steps, recorded at step 1; whoever asks for a living one closes it."""
    about = {"target": "moons", "device": "cpu", "dtype": "float32", "seed": 0, "steps": 10, "parameters": 6, "created": CREATED, **more}
    start_folder(folder, About(name=name or folder.name, **about))
    writer = Writer(folder, parameters=[("layer.weight", (2, 2)), ("layer.bias", (2,))])
    writer.event("started", 0, time.time())
    save(dummy_trace(updates=True), folder / "traces" / "1.trace")
    writer.trace(1, "1.trace", "first")
    for step in range(1, steps + 1):
        measured = np.full(6, step, dtype="<f4").tobytes()
        writer.step(step, step * 0.1, {"loss": 1.0 / step, "validation_loss": 1.5 / step, "accuracy": 0.5}, measured)
    if not alive:
        writer.event(ends, steps, time.time(), **({"error": "ValueError: no"} if ends == "failed" else {}))
        writer.close()
    return writer


def runs() -> Path:
    return train_process.root()


# -- what is offered -------------------------------------------------------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("program", TRAININGS)
def test_settings_are_those_of_the_program(program: str) -> None:
    """What is read from the source is what the function takes: names, defaults, and for a choice all it can be."""
    example = TRAININGS[program]
    module = importlib.import_module(example.module)
    keywords = inspect.signature(getattr(module, example.callable)).parameters
    own = {name: keyword.default for name, keyword in keywords.items()} | dict(example.settings)
    found = {one.name: one for one in offered(program)}
    assert all(one.default == own[one.name] for one in found.values())
    assert steps_of(program) == own["steps"]
    numbers = {name for name, value in own.items() if isinstance(value, int | float) and name not in ("seed", "steps")}
    assert numbers <= set(found)
    choices = importlib.import_module("explorer.capture.programs.training.choices")
    assert found["optimizer"].choices == tuple(choices.OPTIMIZERS)
    assert found["schedule"].choices == tuple(choices.SCHEDULES)
    if "text" in found:
        assert found["text"].choices == tuple(module.TEXTS)


def test_every_setting_has_a_name_in_words() -> None:
    """No program has a setting that the page would call by its Python name."""
    names = {one.name for program in TRAININGS for one in offered(program)}
    assert {name for name in names if f"train.setting.{name}" not in TEXTS} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_page_says_what_to_do(language: str) -> None:
    """Without a run there is one sentence, and nothing is made on the disk."""
    app = page(lang=language)
    assert [info.value for info in app.info] == [TEXTS["train.empty"][LANGUAGES.index(language)]]
    assert not runs().exists()


# -- starting --------------------------------------------------------------------------------------------------------------------------


def test_start_hands_over_what_was_chosen(begun: list[list[str]]) -> None:
    """The command holds program, folder, device, steps, seed and each setting as it stands on the page."""
    app = page(program="digits")
    next(box for box in app.number_input if box.label == "Learning rate").set_value(0.02)
    next(box for box in app.number_input if box.label == "Steps").set_value(7)
    next(box for box in app.selectbox if box.label == "Optimiser").set_value("adamw")
    app.button(key="train_start").click().run()
    (command,) = begun
    words = command[command.index("train") :]
    assert words[:4] == ["train", "digits", "--run", str(runs() / "digits-1")]
    given = dict(zip(words[2::2], words[3::2], strict=False))
    assert (given["--steps"], given["--device"], given["--seed"], given["--on-nan"]) == ("7", "cpu", "0", "mark")
    settings = {word for flag, word in pairwise(words) if flag == "--set"}
    assert {"learning_rate=0.02", "optimizer=adamw", "batch_size=64", "dropout=0.2"} <= settings
    assert app.query_params["run"] == "digits-1"
    assert "digits-1 is starting" in told(app)


@pytest.mark.parametrize("asked", ["../../secrets", "/etc", "app.py:main", ""])
def test_a_link_starts_and_reads_nothing(begun: list[list[str]], asked: str) -> None:
    """Whatever an address names, nothing starts, and only runs of the folder are opened."""
    app = page(program=asked, run=asked)
    assert begun == []
    assert not app.error
    assert next(box for box in app.selectbox if box.label == "Program").value == "moons"


def test_a_program_that_needs_weights_waits_for_them(begun: list[list[str]]) -> None:
    """Fine-tuning cannot be started before there is something to go on from; then it takes that model's shape."""
    assert page(program="char_gpt_fine_tuned").button(key="train_start").disabled
    settings = {"text": "shakespeare", "layers": 2, "heads": 2, "width": 16, "context": 8}
    a_run(runs() / "gpt", target="char_gpt", settings=settings)
    (runs() / "gpt" / "checkpoint-5").mkdir()
    (runs() / "gpt" / "checkpoint-5" / "weights.safetensors").write_bytes(b"")
    app = page(program="char_gpt_fine_tuned")
    app.button(key="train_start").click().run()
    (command,) = begun
    assert {f"start_from={runs() / 'gpt'}", "layers=2", "width=16"} <= set(command)
    assert page(program="char_gpt_korean_fine_tuned").button(key="train_start").disabled  # those weights know other letters


def test_not_too_many_at_once(begun: list[list[str]]) -> None:
    """One more than the page allows is refused in a sentence."""
    for _ in range(train_process.MOST_AT_ONCE):
        train_process.start(Asked("moons"))
    app = page()
    app.button(key="train_start").click().run()
    assert len(begun) == train_process.MOST_AT_ONCE
    assert [error.value.replace("\\", "") for error in app.error] == [TEXTS["train.too_many"][0].format(most=4)]


def test_names_are_not_given_twice(begun: list[list[str]]) -> None:
    """Each training has a folder of its own, also before the first has made its."""
    names = [train_process.start(Asked(target)).name for target in ("moons", "moons", "../my file.py:train")]
    assert names == ["moons-1", "moons-2", "train-1"]


def test_why_a_training_did_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended without a run leaves a sentence in the language of the page."""
    app = page(lang="ko")
    message = {"en": "There is no cuda here.", "ko": "여기에는 cuda가 없습니다."}

    class Process:
        returncode, pid = 2, 2**22 + 1

        def __init__(self, command: list[str], *, stdout: Any, **options: Any) -> None:
            stdout.write(json.dumps({"error": {"kind": "DeviceError", "message": message}}).encode())

        def poll(self) -> int:
            return 2

    monkeypatch.setattr(subprocess, "Popen", Process)
    app.button(key="train_start").click().run()
    assert [error.value.replace("\\", "") for error in app.error] == [f"moons-1: 시작하지 못했습니다. {message['ko']}"]


# -- a run -----------------------------------------------------------------------------------------------------------------------------


def test_a_finished_run_is_found() -> None:
    """A run that lies in the folder is listed and shown, wherever it came from."""
    a_run(runs() / "deep" / "mine", name="First try")
    app = page()
    words = told(app)
    assert "First try" in words and "finished" in words and "step 5 of 10" in words and "loss 0.2" in words
    assert len(app.get("plotly_chart")) == 4  # loss, accuracy, layers × steps, update to weight
    assert app.button(key="train_run_deep/mine").label == "First try"


def test_a_living_run_is_asked() -> None:
    """Pause, resume, stop and record reach the process that trains; what cannot be asked now is greyed out."""
    writer = a_run(runs() / "one", alive=True)
    try:
        app = page()
        assert "running" in told(app) and "left" in told(app)
        app.button(key="train_record_one").click().run()
        app.button(key="train_pause_one").click().run()
        assert app.button(key="train_pause_one").disabled
        assert "pausing" in told(app)
        writer.event("paused", 5, time.time())
        app.run()
        assert "paused" in told(app)
        assert app.button(key="train_record_one").disabled
        app.button(key="train_resume_one").click().run()
        writer.event("continued", 5, time.time())
        app.run()
        app.button(key="train_stop_one").click().run()
        asked = [json.loads(line)["kind"] for line in (runs() / "one" / "requests.jsonl").read_text().splitlines()]
        assert asked == ["record", "pause", "resume", "stop"]
    finally:
        writer.close()


@pytest.mark.parametrize(("ends", "sentence"), [("failed", "ValueError: no"), ("started", "gone without a word")])
def test_a_run_that_went_wrong_says_so(ends: str, sentence: str) -> None:
    """A failed program and a killed one each get their sentence."""
    a_run(runs() / "bad", ends=ends)
    app = page()
    assert sentence in told(app)


def test_a_stopped_run_goes_on(begun: list[list[str]]) -> None:
    """Where there is a checkpoint of a shipped program, a press takes it up again."""
    a_run(runs() / "one", ends="stopped")
    assert not [button for button in page().button if button.key == "train_go_on_one"]
    (runs() / "one" / "checkpoint-5").mkdir()
    (runs() / "one" / "checkpoint-5" / "state.json").write_text("{}")
    page().button(key="train_go_on_one").click().run()
    assert begun[0][begun[0].index("train") :][:5] == ["train", "moons", "--run", str(runs() / "one"), "--resume"]
    app = page()
    assert "going on" in told(app)  # until the process has opened the run
    assert not [button for button in app.button if button.key == "train_go_on_one"]


def test_one_press_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit may tell of one press several times; a second press a moment later is one."""
    writer = a_run(runs() / "one", alive=True)
    monkeypatch.setattr("explorer.ui.state.TWICE", 3600.0)
    try:
        app = page()
        app.button(key="train_record_one").click().run()
        app.button(key="train_record_one").click().run()
        assert (runs() / "one" / "requests.jsonl").read_text().count("record") == 1
        monkeypatch.setattr("explorer.ui.state.TWICE", 0.0)
        app.button(key="train_record_one").click().run()
        assert (runs() / "one" / "requests.jsonl").read_text().count("record") == 2
    finally:
        writer.close()


def test_a_broken_run_is_one_sentence() -> None:
    """A folder that is damaged does not take the page with it, nor the runs beside it."""
    a_run(runs() / "good")
    a_run(runs() / "broken")
    (runs() / "broken" / "rank-0.sqlite").write_bytes(b"nothing of ours" * 1000)
    app = page(run="broken")
    assert len(app.error) == 1 and "damaged" in app.error[0].value
    app = page(run="good")
    assert not app.error and "damaged" in told(app)


def test_the_step_of_a_graph_is_opened() -> None:
    """The button opens the recording nearest to the step in the player; NaN leads to the step that explains it."""
    writer = a_run(runs() / "one", alive=True)
    writer.step(6, 0.6, {"loss": float("nan")})
    writer.event("nan", 6, time.time(), metric="loss", value="nan")
    save(dummy_trace(), runs() / "one" / "traces" / "7.trace")
    writer.trace(7, "7.trace", "nan")
    writer.step(7, 0.7, {"loss": float("nan")})
    writer.event("finished", 7, time.time())
    writer.close()
    app = page()
    assert "not finite after step 6" in told(app)
    assert not players(app)
    app.slider(key="train_scrub_one_7").set_value(2).run()
    assert "Shown is step 1 of one, recorded as the first." in told(app)
    app.button(key="train_nan_later_one").click().run()
    assert "Shown is step 7 of one, recorded because the loss was not finite." in told(app)
    recording, picture = (json.loads(component.proto.json) for component in players(app))
    assert recording["key"] == picture["key"] and "7.trace" in recording["key"]
    app.button(key="train_close_one").click().run()
    assert not players(app)


def test_the_step_of_a_nan_is_recorded_by_doing_it_again(begun: list[list[str]]) -> None:
    """Where the step in which the loss became NaN was not recorded, a press resumes the run up to it and records it."""
    writer = a_run(runs() / "one", alive=True)
    writer.event("nan", 5, time.time(), metric="loss", value="nan")
    writer.event("stopped", 5, time.time())
    writer.close()
    page().button(key="train_nan_again_one").click().run()
    (command,) = begun
    words = command[command.index("train") :]
    assert words == ["train", "moons", "--run", str(runs() / "one"), "--steps", "5", "--record-at", "5", "--resume", "--json"]
    save(dummy_trace(), runs() / "one" / "traces" / "5.trace")
    writer = Writer(runs() / "one", goes_on=True)
    writer.trace(5, "5.trace", "asked")
    writer.close()
    app = page()
    app.button(key="train_nan_open_one").click().run()
    assert "Shown is step 5 of one" in told(app)
    assert not [button for button in app.button if button.key == "train_nan_again_one"]


def test_looking_again_reads_what_is_new(tmp_path: Path) -> None:
    """What was put together from many looks equals what one look reads; a run that was resumed is read anew."""
    writer = a_run(tmp_path / "one", alive=True)
    followed = Followed(tmp_path / "one")
    for step in range(6, 9):
        writer.text(step, "sample", f"text {step}")
        followed.look()  # between a text and its step
        writer.step(step, step * 0.1, {"loss": 1.0, "late": 2.0})
        followed.look()
    seen, whole = followed.look(), Followed(tmp_path / "one").look()
    assert seen.texts == whole.texts and len(seen.texts) == 3
    assert seen.scalars.steps.tolist() == whole.scalars.steps.tolist() == list(range(1, 9))
    for name in whole.scalars.metrics:
        assert np.array_equal(seen.scalars.metrics[name], whole.scalars.metrics[name], equal_nan=True)
        assert seen.scalars.known[name].tolist() == whole.scalars.known[name].tolist()
    assert seen.speed == pytest.approx(10.0)
    writer.event("resumed", 8, time.time())
    writer.forget_after(4)
    writer.step(5, 0.5, {"loss": 9.0})
    assert followed.look().scalars.of("loss")[1].tolist()[-1] == 9.0
    writer.close()


def test_metrics_that_belong_together_share_a_chart(tmp_path: Path) -> None:
    """The loss comes first, with its validation; the learning rate last."""
    writer = a_run(tmp_path / "one", steps=1, alive=True)
    writer.step(2, 0.2, {"learning_rate": 0.1, "val_accuracy": 0.5, "loss": 1.0})
    found = groups(Followed(tmp_path / "one").look().scalars)
    writer.close()
    assert list(found) == ["loss", "accuracy", "learning_rate"]
    assert found["loss"] == ["loss", "validation_loss"] and found["accuracy"] == ["accuracy", "val_accuracy"]


def test_the_pages_keep_language_and_address() -> None:
    """Each page has links to the others, which hold the language and what stood in that page's address."""
    a_run(runs() / "one")
    app = page(lang="ko", run="one")
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert set(links) == {TEXTS[f"page.{name}"][1] for name in shell.PAGES}
    assert "lang=ko" in links[TEXTS["page.train"][1]].query_string and "run=one" in links[TEXTS["page.train"][1]].query_string
    assert links[TEXTS["page.explore"][1]].query_string == "lang=ko"


def test_serve_with_a_folder_opens_this_page_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `serve` was given runs, the first page that is shown is this one; an address that names an example is kept."""
    a_run(runs() / "one")
    monkeypatch.setenv("AUTOGRAD_EXPLORER_FIRST", "train")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "step 5 of 10" in told(app)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["example"] = "simple_net"
    assert "step 5 of 10" not in told(app.run())


# -- keeping house, and comparing ------------------------------------------------------------------------------------------------------


def test_a_run_is_renamed_and_tagged() -> None:
    """The name and the tags are kept in the run and stand in the list."""
    a_run(runs() / "one")
    app = page()
    app.text_input(key="train_name_one").set_value("A better [name]").run()
    app.text_input(key="train_tags_one").set_value("good, , fast,good").run()
    about = read_about(runs() / "one")
    assert (about.name, about.tags) == ("A better [name]", ("good", "fast"))
    assert "#good #fast" in told(app).replace(" · ", " ") and "A better [name]" in told(app)


def test_a_deleted_run_comes_back() -> None:
    """Deleted it is not in the list, undone it is whole again; one that is alive cannot be deleted."""
    a_run(runs() / "one")
    app = page(run="one")
    app.button(key="train_delete_one").click().run()
    assert not (runs() / "one").exists() and "one was deleted." in told(app)
    assert TEXTS["train.empty"][0] in told(app)
    app.button(key="train_undo").click().run()
    assert "step 5 of 10" in told(app) and "was deleted" not in told(app)
    writer = a_run(runs() / "two", alive=True)
    assert page(run="two").button(key="train_delete_two").disabled
    writer.close()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_metrics_are_taken_home(tmp_path: Path, suffix: str) -> None:
    """The file holds every step with its numbers; what a step did not have is empty."""
    writer = a_run(tmp_path / "one", alive=True)
    writer.step(6, 0.6, {"loss": 0.25})
    writer.close()
    content = train_edit._written(tmp_path / "one", suffix)
    if suffix == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    else:
        rows = [
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in parquet.read_table(io.BytesIO(content)).to_pylist()
        ]
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert (rows[1]["loss"], rows[5]["loss"], rows[5]["accuracy"]) == ("0.5", "0.25", "")


def test_runs_are_compared() -> None:
    """Marked runs stand over each other, with their largest difference, their results and the settings that differ."""
    a_run(runs() / "one", settings={"learning_rate": 0.1, "optimizer": "sgd"})
    writer = a_run(runs() / "two", settings={"learning_rate": 0.2, "optimizer": "sgd"}, device="cuda", alive=True)
    writer.step(3, 0.3, {"loss": 1.0})
    writer.event("finished", 5, time.time())
    writer.close()
    app = page()
    for name in ("one", "two"):
        app.checkbox(key=f"train_mark_{name}_0").check().run()
    words = told(app)
    assert "Comparison of 2 runs" in words
    assert "Largest difference to one · cpu · float32: +0.6667 at step 3 (two · cuda · float32)." in words
    assert (
        "| Learning rate | 0.1 | 0.2 |" in words and "| Device | cpu | cuda |" in words and "Optimiser" not in words.partition("Result")[2]
    )
    assert "| lowest value | 0.2 | 0.2 |" in words
    assert len(app.get("plotly_chart")) == 2
    app.button(key="train_compare_end").click().run()
    assert "Comparison" not in told(app) and "step 5 of 10" in told(app)


def test_equal_runs_are_said_to_be_equal() -> None:
    """Two runs with the same numbers are the same bit for bit, and nothing else is claimed."""
    for name in ("one", "two"):
        a_run(runs() / name)
    app = page()
    for name in ("one", "two"):
        app.checkbox(key=f"train_mark_{name}_0").check().run()
    words = told(app)
    assert "Bit for bit the same as one at all 5 common steps: two." in words
    assert TEXTS["train.all_same"][0] in words
