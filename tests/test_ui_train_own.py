"""A visitor's own training from the page: what is offered, what is handed over, and that nothing runs where it may not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.capture.launching import program_in
from explorer.text import LANGUAGES, TEXTS
from explorer.ui import local, train_own, train_process
from tests.test_ui_train import a_run, begun, known, page, runs, told  # noqa: F401  # fixtures of that page

MINE = """\
1 / 0  # were it run, the page would fail

def helper(x): return x

def train(*, run, device, steps=40, rate=0.5, deep=True, name="a b", shift=-3):
    yield {"loss": rate}
"""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page was opened on this machine, which AppTest cannot say."""
    monkeypatch.setattr(local, "refusal", lambda: None)


def own(kind: str, **state: Any) -> AppTest:
    app = AppTest.from_file(str(Path(train_own.__file__).parents[2] / "app.py"), default_timeout=60)
    app.switch_page("explorer/ui/train.py")
    app.session_state["train_kind"] = kind
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    return app


def handed(command: list[str]) -> tuple[str, set[str], dict[str, str]]:
    """The target, the settings and the other options of a command."""
    words = command[command.index("train") + 1 :]
    pairs = list(zip(words[1::2], words[2::2], strict=False))
    return words[0], {value for flag, value in pairs if flag == "--set"}, dict(pair for pair in pairs if pair[0] != "--set")


def test_pasted_code_is_trained(here: None, begun: list[list[str]]) -> None:  # noqa: F811
    """Its function's keywords are fields, its steps the usual number; what is started is a file with that code, kept beside the run."""
    app = own("code", train_code=MINE)
    assert next(box for box in app.number_input if box.label == "Steps").value == 40
    next(box for box in app.number_input if box.label == "shift").set_value(-7).run()
    next(box for box in app.checkbox if box.label == "deep").uncheck().run()
    app.button(key="train_start").click().run()
    (command,) = begun
    target, settings, options = handed(command)
    file = runs() / ".started" / "pasted-1" / "pasted.py"
    assert target == f"{file}:train" and file.read_text() == MINE
    assert settings == {"rate=0.5", "deep=False", "name=a b", "shift=-7"}
    assert options["--steps"] == "40" and options["--run"] == str(runs() / "pasted-1")
    writer = a_run(runs() / "pasted-1", target="pasted.py:train", alive=True)
    writer.event("stopped", 5, time.time())
    writer.close()
    (runs() / "pasted-1" / "checkpoint-5").mkdir()
    (runs() / "pasted-1" / "checkpoint-5" / "state.json").write_text("{}")
    train_process.all_started()[runs() / "pasted-1"].process.poll = lambda: 0  # type: ignore[method-assign]
    app = page()
    app.button(key="train_go_on_pasted-1").click().run()
    assert handed(begun[1])[0] == target
    train_process.all_started().clear()
    assert not [button for button in page().button if button.key == "train_go_on_pasted-1"], "what a folder says is nothing to run"


def test_a_file_is_trained(here: None, begun: list[list[str]], tmp_path: Path) -> None:  # noqa: F811
    """A function of a file with its settings; a script ends by itself; a file that is not there is one sentence."""
    (tmp_path / "mine.py").write_text(MINE)
    app = own("file", train_file=f"{tmp_path}/mine.py:train")
    assert next(box for box in app.text_input if box.label == "name").value == "a b"
    app.button(key="train_start").click().run()
    assert handed(begun[0])[0] == f"{tmp_path}/mine.py:train"
    app = own("file", train_file=f"{tmp_path}/mine.py")
    assert next(box for box in app.number_input if box.label == "Steps").value == 0
    app.button(key="train_start").click().run()
    target, settings, options = handed(begun[1])
    assert (target, settings) == (f"{tmp_path}/mine.py", set()) and "--steps" not in options
    for named, sentence in (("absent.py:train", "absent.py"), ("", TEXTS["code.no_file_named"][0])):
        app = own("file", train_file=named)
        app.button(key="train_start").click().run()
        assert len(app.error) == 1 and sentence in app.error[0].value.replace("\\", "")
    assert len(begun) == 2


@pytest.mark.parametrize("kind", ["code", "file"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_code_may_not_run_nothing_does(
    kind: str,
    language: str,
    begun: list[list[str]],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The choice is greyed out with the reason; a page that was left open runs nothing either."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.setattr(local, "refusal", lambda: None)
    app = own(kind, train_code=MINE, train_file=f"{tmp_path}/mine.py:train")
    monkeypatch.setattr(local, "refusal", lambda: "code.refused_open")
    app.query_params["lang"] = language
    app.button(key="train_start").click().run()
    assert all("mine.py" not in word and "pasted" not in word for command in begun for word in command)
    assert TEXTS["code.refused_open"][LANGUAGES.index(language)] in told(app)
    offered = [([option.content for option in group.proto.options], group.proto.disabled) for group in app.get("button_group")]
    names = [TEXTS[f"code.kind_{name}"][LANGUAGES.index(language)] for name in ("code", "file")]
    assert (names, True) in offered


@pytest.mark.parametrize(
    ("code", "name", "steps"),
    [(train_own.START, "train", 500), ("def f(*, steps=3):\n yield 1\ndef g(): return 2", "f", 3), ("print('a script')", None, None),
     ("def f(): yield\ndef g(): yield", None, None), ("def (", None, None)],
)  # fmt: skip
def test_what_pasted_code_trains(code: str, name: str | None, steps: int | None) -> None:
    """The generator called train, or the only one there is; else the code is a script."""
    assert (program_in(code)[0], program_in(code)[2]) == (name, steps)
