"""The LLM page as Streamlit runs it, without a browser: what it says of a configuration, keeps, undoes and hands over."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.files import assets_folder, load
from explorer.footprint import memory
from explorer.sizes import PRESETS, checked, kept_for_backward, parameters
from explorer.speeds import DEVICES, training_speed, weights_read, writing_speed
from explorer.ui import devices, explore, llm, llm_graph, llm_measure
from explorer.ui.llm_words import difference, long, rate, share, short
from explorer.ui.running import Pasted, Run
from tests.components import players
from tests.test_sizes import PUBLISHED

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The devices are known at once, and AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.delenv("AUTOGRAD_EXPLORER_OPEN", raising=False)
    explore.asked_devices.clear()
    yield
    explore.asked_devices.clear()
    sys.modules["__main__"] = main


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Pasted]:
    """The programs that would have been run; none is."""
    programs: list[Pasted] = []

    def start(target: Pasted, **options: Any) -> Run:
        assert options["device"] == "fake"
        programs.append(target)
        return Run(target.name)

    monkeypatch.setattr(llm_graph.running, "start", start)
    return programs


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(query)
    app.switch_page("explorer/ui/llm.py")
    app.run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.markdown, app.caption, app.info, app.error)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def headline(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def field(app: AppTest, name: str, language: str = "en") -> Any:
    every = (box for kind in (app.number_input, app.selectbox, app.toggle) for box in kind)
    return next(box for box in every if re.fullmatch(rf"llm_{name}_{language}(_\d+)?", box.key))


def asked(app: AppTest) -> dict[str, str]:
    """What the address says, but for the language."""
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items() if name != "lang"}


@pytest.mark.parametrize(("name", "untied", "tied"), PUBLISHED)
def test_the_published_counts_stand_on_the_page(name: str, untied: int, tied: int) -> None:
    """E3: for each preset both counts, in one language or the other, and the table adds up to the one of the model."""
    language = "ko" if name in ("medium", "xl") else "en"
    app = page(lang=language, model=name)
    assert f"{tied:,}" in headline(app).values()
    words = told(app)
    assert f"**{tied:,}**" in words and f"**{untied:,}**" in words
    table = next(one.value for one in app.markdown if "`trf_blocks.*.att.W_query`" in one.value)
    assert f"**{tied:,}**" in table.splitlines()[-1]
    field(app, "tied", language).set_value(False).run()
    assert f"{untied:,}" in headline(app).values()


def test_a_change_is_shown_kept_in_the_address_and_undone() -> None:
    """The sentence says what differs, the headline by how much; undo brings back value and address."""
    app = page()
    assert "Exactly GPT-2 small" in told(app) and asked(app) == {}
    field(app, "emb_dim").set_value(1536).run()
    wider = replace(PRESETS["small"], emb_dim=1536)
    assert headline(app)["Parameters"] == f"{parameters(wider):,}"
    assert "`emb_dim` 768 → **1,536**" in told(app)
    change = parameters(wider) / parameters(PRESETS["small"]) - 1
    assert app.metric[0].delta == f"+{change:.1%} since GPT-2 small"
    assert asked(app) == {"emb_dim": "1536"}
    field(app, "tied").set_value(False).run()
    assert asked(app) == {"emb_dim": "1536", "tied": "0"}
    for _ in range(2):
        app.button(key="llm_undo").click().run()
    assert headline(app)["Parameters"] == "124,412,160" and asked(app) == {} and app.button(key="llm_undo").disabled


def test_an_impossible_configuration_says_what_to_change() -> None:
    """One sentence; the numbers stay those of the last that could be; a press takes what is proposed."""
    app = page()
    field(app, "n_heads").set_value(7).run()
    assert [one.value.replace("\\", "") for one in app.error] == [
        "7 heads cannot share an embedding of 768 equally: choose 6 heads, or emb_dim 770."
    ]
    assert headline(app)["Parameters"] == "124,412,160"
    app.button(key="llm_use_n_heads").click().run()
    assert not app.error and field(app, "n_heads").value == 6
    field(app, "n_layers").set_value(0).run()
    assert "n_layers is 0" in app.error[0].value.replace("\\", "")
    app.button(key="llm_use_n_layers").click().run()
    assert not app.error and field(app, "n_layers").value == 1
    field(app, "batch").set_value(-3).run()
    assert "batch is -3" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("query", "is_wrong"),
    [
        ({"emb_dim": "0", "lang": "ko"}, True),
        ({"n_layers": "999999999999999"}, True),
        ({"drop_rate": "7", "batch": "-2"}, True),
        ({"vocab_size": "abc", "drop_rate": "nan", "tied": "maybe", "model": "<script>", "device": "../etc", "batch": "9" * 4000}, False),
        ({"share": "0", "peak": "-1", "device": "own", "lang": "ko"}, False),
        ({"emb_dim": "1000000", "n_heads": "1", "n_layers": "10000", "batch": "1000000", "context_length": "10000000"}, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whatever_the_address_says(query: dict[str, str], is_wrong: bool, started: list[Pasted]) -> None:
    """The page stands, says what is wrong where a number cannot be, and starts nothing."""
    app = page(**query)
    assert len(app.metric) == 4 and "nan" not in told(app)
    assert bool(app.error) == is_wrong
    assert started == []


def test_a_graph_is_drawn_when_asked_for_and_only_then(started: list[Pasted]) -> None:
    """A preset's is there at once; another one is run by a press, as the program that can be taken home."""
    app = page(model="medium")
    assert players(app) and "llm_draw" not in {one.key for one in app.button}
    app = page(n_layers="3", qkv_bias="1")
    assert not players(app) and started == []
    app.button(key="llm_draw").click().run()
    (program,) = started
    assert '"n_layers": 3' in program.code and '"qkv_bias": True' in program.code and program.name == "my_gpt.py"


def test_no_graph_of_very_many_layers() -> None:
    """The page says so instead of beginning something that takes minutes."""
    app = page(n_layers="5000")
    assert "up to 200 layers" in told(app) and "llm_draw" not in {one.key for one in app.button}


@pytest.mark.torch
@pytest.mark.slow
def test_a_graph_that_was_asked_for_is_shown(tmp_path: Path) -> None:
    """Run for real, with fake tensors: what it keeps for backward is what the page says."""
    pytest.importorskip("torch")
    app = page(n_layers="2", emb_dim="48", n_heads="4")
    app.button(key="llm_draw").click().run()
    run = app.session_state["llm_run"][1]
    run.thread.join(120)
    app.run()
    app.run()
    (opened,) = app.session_state["llm_graphs"].values()
    found = memory(opened.trace)
    assert found is not None and players(app)
    assert max(found.saved) == kept_for_backward(checked({"n_layers": 2, "emb_dim": 48, "n_heads": 4}))


@pytest.mark.parametrize("name", PRESETS)
def test_the_shipped_graphs_are_of_the_presets(name: str) -> None:
    """Their parameters, and what they keep for backward, are what is computed for the preset."""
    trace = load(assets_folder() / "sizes" / f"{name}.trace")
    trace.check()
    found = memory(trace)
    assert found is not None and max(found.saved) == kept_for_backward(PRESETS[name])
    counts = {node.name: node.outputs[0].numel for node in trace.nodes if node.kind == "parameter"}
    assert sum(count or 0 for count in counts.values()) == parameters(PRESETS[name])
    assert trace.made_with.device == "fake"


def test_what_is_taken_home() -> None:
    """JSON that can be read back, a program with the dictionary, a table that adds up."""
    config = checked({"emb_dim": 96, "n_heads": 4, "ff_multiple": 3, "tied": False})
    assert checked(json.loads(json.dumps({**config.as_gpt_config(), "tied": config.tied}))) == config
    rows = list(csv.DictReader(io.StringIO(llm._csv(config).removeprefix("\ufeff"))))
    assert sum(int(row["Together"]) for row in rows) == parameters(config)
    assert {row["In the model"] for row in rows} >= {"tok_emb", "trf_blocks.*.att.W_query", "out_head"}


def test_speeds_follow_from_what_is_published() -> None:
    """Half the peak is half the speed; a token written reads every weight but those of embeddings, and all keys and values."""
    small = PRESETS["small"]
    peak = DEVICES["a100"].peak("mixed")
    assert peak == 312e12 and DEVICES["a100"].peak("float32") == 19.5e12 and DEVICES["m1max"].peak("mixed") == 10.4e12
    assert training_speed(small, peak=peak, share=0.5) == 2 * training_speed(small, peak=peak / 2, share=0.5)
    assert training_speed(small, peak=peak, share=1.0) == pytest.approx(312e12 / (3 * (2 * 123_532_032 + 4 * 12 * 1024 * 768)))
    read = weights_read(small, width=2)
    assert read == 2 * (124_412_160 - 1024 * 768)  # the head reads the token embedding
    assert read == weights_read(replace(small, tied=False), width=2)
    assert writing_speed(small, bandwidth=2.039e12, precision="mixed") == pytest.approx(2.039e12 / (read + 2 * 12 * 1024 * 768 * 2))


def test_numbers_as_people_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded no further than what is known of them."""
    monkeypatch.setattr("explorer.ui.llm_words.language", lambda: "en")
    assert [short(count) for count in (124_412_160, 1_557_380_800, 999_999, 12)] == ["124M", "1.56B", "1M", "12"]
    assert [rate(count) for count in (146_111, 99_999, 7.4, 0.031)] == ["150,000", "100,000", "7", "0.03"]
    assert [share(part, 1000) for part in (680, 57, 0.001, 0)] == ["68%", "5.7%", "<\u00a00.1%", "0%"]
    assert [difference(now, 100.0) for now in (121.3, 50, 999, 35_830)] == ["+21.3%", "−50.0%", "+899.0%", "× 358"]
    assert [long(seconds) for seconds in (2e-6, 0.056, 90, 7200, 86400 * 3, 1e12)] == [
        "2 µs",
        "56 ms",
        "1.5 min",
        "2 h",
        "3 days",
        "32,000 years",
    ]


# -- measured ----------------------------------------------------------------------------------------------------------------------------


def tiny(**changes: Any) -> llm_measure.Case:
    config = checked({"vocab_size": 50, "context_length": 16, "emb_dim": 16, "n_heads": 2, "n_layers": 1, **changes})
    return config, "adam", "mixed", "cpu"


@pytest.mark.torch
@pytest.mark.slow
def test_this_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process really trains: so many steps in so many seconds; what is said follows from them. Impossible ones say why."""
    pytest.importorskip("torch")
    monkeypatch.setattr("explorer.ui.llm_measure.language", lambda: "en")
    monkeypatch.setattr(llm_measure, "SECONDS", 0.2)
    now = llm_measure.Measurement(tiny())
    llm_measure._watch(now, lambda: True)
    assert now.answer["steps"] >= 1 and now.answer["seconds"] > 0
    speed = now.answer["steps"] * 16 / now.answer["seconds"]
    assert f"**{rate(speed)} tokens/s** in {now.answer['steps']} steps" in llm_measure._said(now)


@pytest.mark.parametrize("how", ["cancelled", "left", "late"])
def test_a_measurement_ends_when_nobody_waits_for_it(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled, left, or past its limit: the child is ended, and nothing is claimed."""
    monkeypatch.setattr("explorer.ui.llm_measure.language", lambda: "en")
    children: list[subprocess.Popen[str]] = []
    real = subprocess.Popen

    def sleeper(command: list[str], **options: Any) -> Any:
        assert command[1:] == ["-m", "explorer.capture.pace"]
        children.append(real([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return children[0]

    monkeypatch.setattr(subprocess, "Popen", sleeper)
    monkeypatch.setattr(llm_measure, "LIMIT", 0.3 if how == "late" else 30)
    now = llm_measure.Measurement(tiny())
    if how == "cancelled":
        now.cancelled.set()
    llm_measure._watch(now, lambda: how != "left")
    assert children[0].poll() is not None
    assert "No step was done" in llm_measure._said(now).replace("\\", "")


def test_what_does_not_fit_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence says how much is needed and how much there is; no process is started."""
    monkeypatch.setattr(llm_measure, "free_memory", lambda: 1_000_000_000)
    monkeypatch.setattr(llm_measure, "_start", lambda *_: pytest.fail("it was started"))
    app = page(model="xl")
    app.button(key="llm_measure").click().run()
    assert "this machine has 1 GB free" in app.warning[0].value.replace("\\", "")
