"""Running code that somebody brings: who may, what is asked for, how it is shown. Without a browser; tests/browser/test_code.py has one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import ProgramError
from explorer.text import TEXTS
from explorer.ui import devices, editor, explore, local, running, source
from tests.dummy import dummy_trace

ROOT = Path(__file__).resolve().parent.parent
HERE = {"server.address": "localhost", "server.allowedHosts": ["localhost", "127.0.0.1"], "browser.serverAddress": "localhost"}
ASKED = {"host": ["localhost:8501"], "origin": ["http://localhost:8501"]}
refusal = local.refusal  # the real one: the fixture puts another in its place


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page was opened on this machine, which AppTest cannot say; devices are known at once."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.setattr(local, "refusal", lambda: None)
    monkeypatch.delenv(local.ALLOW, raising=False)
    monkeypatch.delenv("AUTOGRAD_EXPLORER_OPEN", raising=False)
    explore.asked_devices.clear()
    yield
    explore.asked_devices.clear()
    sys.modules["__main__"] = main


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked to run; nothing does."""
    asked: list[Any] = []

    def start(target: Any, **_: Any) -> running.Run:
        asked.append(target)
        return running.Run("x", trace=dummy_trace())

    monkeypatch.setattr(running, "start", start)
    return asked


def opened(kind: str = "example", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params.update(query)
    app.session_state["kind"] = kind
    app.run()
    assert not app.exception
    return app


def offered(app: AppTest) -> list[tuple[list[str], bool]]:
    """Each choice of the kind of program: its options, and whether it is greyed out."""
    groups = [group.proto for group in app.get("button_group")]
    return [([option.content for option in group.options], group.disabled) for group in groups if "kind_" in group.id]


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


# -- who may ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["localhost", "LOCALHOST:8501", "127.0.0.1", "127.0.0.2:80", "::1", "[::1]:8501", "http://localhost:3"])
def test_names_of_this_machine(place: str) -> None:
    """These are no other machine's."""
    assert local.is_here(place)


@pytest.mark.parametrize(
    "place",
    ["", "None", "*", "*.localhost", "0.0.0.0", "::", "[::]", "example.com", "localhost.example.com", "127.0.0.1.example.com",
     "me@localhost", "localhost@example.com", "localhost/x", "localhost:x", "192.168.0.7:8501", "ⅼocalhost", "unix:///tmp/socket", "127.1"],
)  # fmt: skip
def test_names_that_may_be_of_another(place: str) -> None:
    """Whatever is not surely this machine counts as another."""
    assert not local.is_here(place)


@pytest.mark.parametrize(
    "changed",
    [{"server.address": None}, {"server.address": "0.0.0.0"}, {"server.address": "192.168.0.7"},
     {"server.allowedHosts": ["localhost", "*"]}, {"server.allowedHosts": ["app.example.com"]},
     {"browser.serverAddress": "app.example.com"}, {"server.corsAllowedOrigins": ["https://example.com"]}],
)  # fmt: skip
def test_a_server_for_others(changed: dict[str, Any]) -> None:
    """A server that listens for other machines, or was told a name that others use, runs nobody's code; ours as it comes does."""
    assert local.listening(HERE)
    assert local.listening({**HERE, "server.allowedHosts": []})
    assert not local.listening({**HERE, **changed})


@pytest.mark.parametrize(
    ("changed", "address"),
    [({"host": []}, None), ({"host": ["example.com"]}, None), ({"host": ["localhost:8501", "example.com"]}, None),
     ({"origin": ["https://example.com"]}, None), ({"origin": ["null"]}, None), ({"origin": ["http://localhost:3000"]}, None),
     ({"x-forwarded-for": ["10.0.0.9"]}, None), ({"x-forwarded-host": ["localhost"]}, None), ({"forwarded": ["for=10.0.0.9"]}, None),
     ({"via": ["1.1 proxy"]}, None), ({"x-real-ip": ["10.0.0.9"]}, None), ({}, "10.0.0.9"), ({}, "somewhere")],
)  # fmt: skip
def test_a_request_from_elsewhere(changed: dict[str, list[str]], address: str | None) -> None:
    """Another name of the server, another page that asks, something that hands the request on, an address that is not this machine's."""
    assert not local.foreign(ASKED, None)
    assert not local.foreign({"host": ["127.0.0.1:80"]}, "127.0.0.1")
    assert local.foreign({**ASKED, **changed}, address)


def test_the_owner_may_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest has no request, so it counts as foreign, and a server without an address as open; the owner's word overrules either."""
    monkeypatch.setattr(local.st, "get_option", HERE.get)
    assert refusal() == "code.refused_foreign"
    monkeypatch.setattr(local.st, "get_option", {}.get)
    assert refusal() == "code.refused_open"
    for value, said in (("", "code.refused_open"), ("0", "code.refused_open"), ("yes", "code.refused_open"), ("1", None)):
        monkeypatch.setenv(local.ALLOW, value)
        assert refusal() == said


@pytest.mark.parametrize(("language", "column"), [("en", 0), ("ko", 1)])
@pytest.mark.parametrize("why", ["code.refused_open", "code.refused_foreign"])
def test_what_may_not_run_is_greyed_out(language: str, column: int, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where code may not run, both choices are there, greyed out, with the reason in a sentence; else nothing speaks of it."""
    names = [TEXTS[f"code.kind_{kind}"][column] for kind in source.KINDS]
    app = opened(lang=language)
    assert offered(app) == [(names, False)]
    assert TEXTS[why][column] not in [caption.value for caption in app.caption]
    monkeypatch.setattr(local, "refusal", lambda: why)
    app = opened(lang=language)
    assert offered(app) == [(names[:1], False), (names[1:], True)]
    assert TEXTS[why][column] in [caption.value for caption in app.caption]


@pytest.mark.parametrize("kind", ["code", "file"])
@pytest.mark.parametrize("label", ["Run", "Verify"])
def test_a_page_left_open_or_made_up_runs_nothing(kind: str, label: str, monkeypatch: pytest.MonkeyPatch, started: list[Any]) -> None:
    """Whatever a browser sends for a choice that is greyed out, the server asks again before it starts anything."""
    monkeypatch.setattr(local, "refusal", lambda: "code.refused_foreign")
    app = opened(kind)
    app.session_state["file"] = "os:getcwd"
    press(app, label)
    assert started == []
    assert len(app.error) == 1
    assert not [one for one in app.get("bidi_component") if "editor" in one.proto.component_name]


def test_no_address_chooses_code(started: list[Any]) -> None:
    """A link selects nothing but shipped examples: no kind, no file and no code come out of an address."""
    app = opened(kind="example", program="file", file="os:getcwd", code="print(1)")
    press(app, "Run")
    assert started == ["logistic_neuron"]


# -- what is asked for -----------------------------------------------------------------------------------------------------------------


def test_pasted_code_is_run(started: list[Any]) -> None:
    """Run takes what the editor holds, at first the program that it begins with; the code never stands in the address."""
    app = opened("code")
    press(app, "Run")
    app.session_state["editor"] = {"code": "print('mine')"}
    app.session_state["code"] = "print('mine')"
    press(app, "Run")
    assert started == [running.Pasted(editor.START), running.Pasted("print('mine')")]
    assert "mine" not in str(app.query_params)


@pytest.mark.parametrize(("code", "key"), [("", "code.empty"), (" \n\t", "code.empty"), ("#" * 500_001, "code.too_long")])
def test_code_that_cannot_be_run(code: str, key: str, started: list[Any]) -> None:
    """Nothing, or too much of it, is one sentence."""
    app = opened("code")
    app.session_state["code"] = code
    press(app, "Run")
    assert started == []
    assert len(app.error) == 1
    assert TEXTS[key][0][:20] in app.error[0].value.replace("\\", "")


def test_a_file_is_run(started: list[Any]) -> None:
    """Run takes what stands in the field; an empty one is one sentence; another language keeps it."""
    app = opened("file")
    press(app, "Run")
    assert started == []
    assert [error.value.replace("\\", "") for error in app.error] == [TEXTS["code.no_file_named"][0]]
    app.text_input(key="file_field").input(" train.py:loss ").run()
    press(app, "Run")
    assert started == ["train.py:loss"]
    app.query_params["lang"] = "ko"
    app.run()
    assert app.text_input(key="file_field").value == " train.py:loss "


def test_the_editor_folds_away_for_its_own_program_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an example was run, the editor is open when it is first shown; where what it holds was recorded, it makes room."""
    for target, folded in (("logistic_neuron", False), (running.PASTED, True)):
        run = running.Run(target, trace=dummy_trace())
        monkeypatch.setattr(running, "start", lambda *_, run=run, **__: run)
        app = opened()
        press(app, "Run")
        app.session_state["kind"] = "code"
        app.run()
        assert app.session_state["workbench_en"] is not folded


def test_what_a_program_printed_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program printed that went well stands below the player, once."""
    monkeypatch.setattr(running, "start", lambda target, **_: running.Run("x", trace=dummy_trace(), output="loss 1.5\n"))
    app = opened("code")
    press(app, "Run")
    assert [code.value for code in app.code] == ["loss 1.5"]


# -- two sides of it -------------------------------------------------------------------------------------------------------------------


def comparing(monkeypatch: pytest.MonkeyPatch, run: running.Run, kind: str = "example", **query: str) -> tuple[AppTest, list[Any]]:
    """The page with the panel open after Compare was pressed, if it can be; what was asked to run."""
    asked: list[Any] = []
    monkeypatch.setattr(running, "compare", lambda target, **options: asked.append((target, options)) or run)
    app = opened(kind, **query)
    app.session_state["beside_asked"] = True
    app.run()
    if any(button.label == "Compare" for button in app.button):
        press(app, "Compare")
    return app, asked


def test_two_sides_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare runs what is chosen on both sides; the first is then what the player shows, and the table belongs to it."""
    run = running.Run("x", trace=dummy_trace(), second=dummy_trace(), side=running.Side("cpu", "bfloat16"))
    app, ((target, options),) = comparing(monkeypatch, run, "code")
    assert target == running.Pasted(editor.START)
    assert (options["first"], options["second"], options["seed"]) == (running.Side("cpu", None), running.Side("cpu", "bfloat16"), 0)
    assert TEXTS["contrast.equal"][0].format(count=14) in app.success[0].value.replace("\\", "")
    key = app.session_state["opened"].key
    assert app.session_state["contrast"][0] == key
    app.session_state["contrast"] = ("another", app.session_state["contrast"][1])
    app.run()
    assert not app.success  # a table of something else is not shown beside it


def test_what_two_sides_begin_with_cannot_be_lost() -> None:
    """What a side is set to is what its choices begin with, so that a browser that missed one message shows the same; a choice stays."""
    app = opened()
    app.session_state["beside_asked"] = True
    app.run()
    assert [(box.proto.set_value, box.options[box.proto.default]) for box in choices_of(app, "Second")] == [
        (False, "cpu"),
        (False, "bfloat16"),
    ]
    choices_of(app, "Second")[1].select("float64").run()
    app.query_params["lang"] = "ko"
    app.run()
    assert [box.value for box in choices_of(app, "둘째")] == ["cpu", "float64"]
    assert app.session_state["sides"] == {"first": running.Side("cpu", None), "second": running.Side("cpu", "float64")}


def choices_of(app: AppTest, side: str) -> list[Any]:
    """The device and the data type of one side."""
    return [box for box in app.selectbox if box.label.startswith(f"{side}: ")]


def test_a_side_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says on which side the program failed; what was open stays open."""
    error = ProgramError("running.interrupted", report="theirs", trace=dummy_trace(partial=True))
    run = running.Run("x", trace=error.trace, error=error, side=running.Side("cpu", "float16"))
    app, _ = comparing(monkeypatch, run)
    assert app.error[0].value.replace("\\", "").startswith("cpu · float16: The program was stopped")
    assert app.session_state["opened"].origin == "sample"
    assert "contrast" not in app.session_state


def test_nothing_is_compared_without_values_or_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of which only shapes are known is not compared; pasted code is not where it may not run."""
    run = running.Run("x", trace=dummy_trace(), second=dummy_trace())
    app, asked = comparing(monkeypatch, run, example="gpt2_xl")
    assert asked == []
    monkeypatch.setattr(local, "refusal", lambda: "code.refused_open")
    app, asked = comparing(monkeypatch, run, "code")
    assert asked == []
    assert len(app.error) == 1


# -- how it runs -----------------------------------------------------------------------------------------------------------------------


def test_pasted_code_runs_as_a_script_of_its_own() -> None:
    """It is called pasted.py wherever something speaks of it, in the trace, in its traceback and in what it printed; its folder is gone."""
    code = "import torch\nx = torch.ones(2, requires_grad=True)\nx.sum().backward()\nprint('가', __file__)\nraise ValueError(__file__)\n"
    run = running.start(running.Pasted(code), device="cpu", dtype=None, seed=0)
    assert run.thread is not None
    run.thread.join()
    assert run.error is not None
    assert run.trace is not None
    assert (run.trace.title, run.trace.sources) == ("pasted.py", {"pasted.py": code})
    assert run.output == "가 pasted.py\n"
    assert run.error.message().startswith("The program failed with ValueError: pasted.py;")
    assert 'File "pasted.py", line 5, in <module>' in run.error.report  # type: ignore[attr-defined]


def test_a_loop_without_end_is_cancelled(tmp_path: Path) -> None:
    """Cancel ends pasted code that never comes to an end, and what it printed until then is there."""
    looping = tmp_path / "looping"
    code = f"print('round and round', flush=True)\nopen({str(looping)!r}, 'w').close()\nwhile True: pass\n"
    run = running.start(running.Pasted(code), device="cpu", dtype=None, seed=0)
    assert run.thread is not None
    deadline = time.monotonic() + 60
    while not looping.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.cancelled.set()
    run.thread.join(20)
    assert not run.alive
    assert run.error is not None
    assert (run.error.key, run.trace, run.output) == ("running.cancelled", None, "round and round\n")
