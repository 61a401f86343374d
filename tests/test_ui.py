"""The page as Streamlit runs it, without a browser: what it opens, what it says, what it hands to the player."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import streamlit as st
from fontTools.ttLib import TTFont
from streamlit.testing.v1 import AppTest

from explorer.capture.programs import EXAMPLES
from explorer.errors import ProgramError, TargetError
from explorer.explained import MOST_BY_HAND, MOST_EXPLAINED, explained
from explorer.files import assets_folder, load, save
from explorer.formulas import rule_for
from explorer.layout import picture
from explorer.model import Checks, NodeCheck
from explorer.payload import NAMED, payload, recorded
from explorer.player import joined_script
from explorer.steps import steps
from explorer.text import TEXTS
from explorer.ui import devices, explore, running, state
from explorer.ui.state import load_upload
from explorer.view import make_view
from tests.components import players
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace, note

ask = devices.ask  # the real one: the fixture puts another in its place
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def known_devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The devices are known at once, so that no test waits for torch; AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    answer = devices.Devices(names=("cpu", "fake"))
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    monkeypatch.delenv("AUTOGRAD_EXPLORER_OPEN", raising=False)
    explore.asked_devices.clear()
    yield
    explore.asked_devices.clear()
    sys.modules["__main__"] = main


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    return app


def player_data(app: AppTest) -> dict[str, Any]:
    """What the player got: the recording, and the picture that was handed over."""
    recording, picture = (json.loads(component.proto.json) for component in players(app))
    assert (picture["key"], picture["language"]) == (recording["key"], recording["language"])
    return {**recording, "picture": picture}


def test_opens_on_a_recorded_example() -> None:
    """The first thing on the page is the recorded neuron, drawn, with its steps and numbers."""
    app = opened()
    data = player_data(app)
    assert TEXTS["page.shipped"][0] in app.caption[0].value  # its numbers were not computed just now
    assert data["title"] == "logistic_neuron"
    assert data["loss_text"] == "0.0852"
    assert len(data["steps"]) == 12
    assert 'id="n0"' in data["picture"]["svg"]


@pytest.mark.parametrize("asked", ["../../secrets", "os.system", "app.py:main", "LOGISTIC_NEURON", ""])
def test_a_link_selects_only_shipped_examples(asked: str) -> None:
    """Whatever else stands in the address, the first example is shown and nothing runs."""
    app = opened(example=asked)
    assert player_data(app)["title"] == "logistic_neuron"
    assert "run" not in app.session_state


def test_the_address_chooses_example_and_language() -> None:
    """`?example=simple_net&lang=ko` opens that example, in Korean throughout what the player says."""
    data = player_data(opened(example="simple_net", lang="ko"))
    assert data["title"] == "simple_net"
    assert data["texts"]["next"] == TEXTS["player.next"][1]
    assert data["steps"][0]["text"].startswith("초기화")


def test_switching_the_language_keeps_the_recording() -> None:
    """Another language gives the player other words for the same recording, so that it keeps its step."""
    app = opened()
    before = player_data(app)
    app.query_params["lang"] = "ko"
    app.run()
    after = player_data(app)
    assert (before["language"], after["language"]) == ("en", "ko")
    assert before["key"] == after["key"]


def test_an_example_without_recording_says_so() -> None:
    """GPT-2 XL is not shipped as a recording: the page says what to do and offers the only device it runs on."""
    app = opened(example="gpt2_xl")
    assert not players(app)
    assert [info.value for info in app.info] == [TEXTS["page.not_recorded"][0]]
    assert next(box for box in app.selectbox if box.label == "Device").options == ["fake"]


def test_serve_opens_a_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that `serve` names is what is on screen first; a missing one is one sentence, not a traceback."""
    save(nonfinite_trace(), tmp_path / "mine.trace")
    monkeypatch.setenv("AUTOGRAD_EXPLORER_OPEN", str(tmp_path / "mine.trace"))
    assert player_data(opened())["title"] == "silent"
    monkeypatch.setenv("AUTOGRAD_EXPLORER_OPEN", str(tmp_path / "absent.trace"))
    app = opened()
    assert len(app.error) == 1
    assert "absent" in app.error[0].value


def finished(target: str, **found: Any) -> running.Run:
    run = running.Run(target)
    for name, value in found.items():
        setattr(run, name, value)
    run.thread = threading.Thread()
    return run


def test_a_finished_run_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run hands over example, device and seed, and what was recorded takes the place of the example."""
    asked: list[Any] = []

    def start(target: str, **options: Any) -> running.Run:
        asked.append((target, options))
        return finished(target, trace=dummy_trace(updates=True))

    monkeypatch.setattr(running, "start", start)
    app = opened(example="simple_net")
    app.button[0].click().run()
    ((target, options),) = asked
    assert options.pop("there")()
    assert (target, options) == ("simple_net", {"device": "cpu", "dtype": None, "seed": 0, "check": False})
    assert player_data(app)["title"] == "logistic_neuron"
    assert "run" not in app.session_state
    assert TEXTS["page.shipped"][0] not in app.caption[0].value


def test_verifying_keeps_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify asks for checks; the same pass, now verified, takes the place of what was open under the same key, so that its step stays."""
    asked: list[Any] = []
    trace = load(assets_folder() / "samples" / "logistic_neuron.trace")
    checked = replace(trace, checks=Checks((NodeCheck(4, "close", 1e-9),)))
    monkeypatch.setattr(running, "start", lambda target, **options: asked.append(options) or finished(target, trace=checked))
    app = opened(step="7")
    before = player_data(app)
    assert before["texts"]["not_verified"] == TEXTS["page.not_verified"][0]
    next(button for button in app.button if button.label == "Verify").click().run()
    assert asked[0]["check"] is True
    after = player_data(app)
    assert (after["key"], after["checks"]["counts"]) == (before["key"], {"close": 1})
    assert app.query_params["step"] in ("7", ["7"])


def test_nothing_is_verified_on_fake() -> None:
    """Where nothing is computed the button is off and says why."""
    (verify,) = (button for button in opened(device="fake").button if button.label == "Verify")
    assert verify.disabled
    assert verify.help == TEXTS["page.verify_fake"][0]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_failed_program_is_shown_as_theirs(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence of ours in the reader's language, their traceback below it, and the part that was recorded."""
    error = ProgramError("running.no_example", report="ZeroDivisionError: theirs", trace=dummy_trace(partial=True), name="<b>x</b>")
    monkeypatch.setattr(running, "start", lambda target, **_: finished(target, error=error, trace=error.trace))
    app = opened(lang=language)
    app.button[0].click().run()
    assert len(app.error) == 1
    assert "\\<b\\>x\\<" in app.error[0].value
    assert [code.value for code in app.code] == ["ZeroDivisionError: theirs"]
    assert player_data(app)["partial"] is True


def test_a_refused_run_keeps_what_was_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that cannot be met is one sentence; the recording on screen stays."""
    error = TargetError("running.no_example", name="no such thing")
    monkeypatch.setattr(running, "start", lambda target, **_: finished(target, error=error))
    app = opened()
    app.button[0].click().run()
    assert len(app.error) == 1
    assert player_data(app)["title"] == "logistic_neuron"


def test_a_run_that_left_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with neither a recording nor an error is one sentence too; a cancelled one leaves no error."""
    monkeypatch.setattr(running, "start", lambda target, **_: finished(target))
    app = opened()
    app.button[0].click().run()
    assert len(app.error) == 1
    cancelled = threading.Event()
    cancelled.set()
    monkeypatch.setattr(running, "start", lambda target, **_: finished(target, cancelled=cancelled))
    app = opened()
    app.button[0].click().run()
    assert not app.error
    assert player_data(app)["title"] == "logistic_neuron"


def test_an_upload_is_named_by_its_name(tmp_path: Path) -> None:
    """A good upload opens; a bad one is refused by the name it had, not by where it was put."""
    save(dummy_trace(), tmp_path / "good.trace")
    assert load_upload("good.trace", (tmp_path / "good.trace").read_bytes()).title == "logistic_neuron"
    with pytest.raises(Exception) as caught:
        load_upload("bad.trace", b"PK\x03\x04 nothing")
    assert "bad.trace" in str(caught.value)
    assert "tmp" not in str(caught.value)


@pytest.mark.parametrize("path", sorted((assets_folder() / "samples").glob("*.trace")), ids=lambda path: path.stem)
def test_samples_open(path: Path) -> None:
    """Every shipped recording is of an example, whole, and small."""
    trace = load(path)
    trace.check()
    assert path.stem in EXAMPLES
    assert not trace.partial
    assert path.stat().st_size < 300_000
    assert len(steps(trace)) > 1


@pytest.mark.parametrize("trace", [dummy_trace(updates=True, findings=True, checks=True, modules=True), nonfinite_trace()])
def test_the_payload_is_plain_json(trace: Any) -> None:
    """What goes to the player is JSON without NaN, and refers only to boxes and arrows that the picture holds."""
    drawn = picture(make_view(trace))
    data = payload(trace, view=drawn.view, svg=drawn.svg, width=drawn.width, height=drawn.height, key="k")
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert sum(count for _, count in data["picture"]["boxes"]) == len(trace.nodes)
    assert {box for box, _ in data["picture"]["boxes"] if box} <= {part.split('"')[0] for part in drawn.svg.split('id="')}
    assert {arrow for arrow, _ in data["picture"]["arrows"]} <= {part.split('"')[0] for part in drawn.svg.split('id="')}


def test_a_rule_is_written_once() -> None:
    """However many nodes have it, the player gets a rule once, as MathML that an XML parser takes and in words of the page's language."""
    chain = chain_trace(500)
    found = explained(chain, "ko")
    known = {node.autograd for node in chain.nodes if node.autograd and rule_for(node.autograd)}
    assert len(found["maths"]) == len(found["rule_words"]) == len(known) > 0
    assert len([number for number in found["rules"] if number is not None]) > 400
    assert all(ElementTree.fromstring(maths).tag.endswith("math") for maths in found["maths"])
    assert all(re.search("[가-힣]", words) for words in found["rule_words"])


def test_why_a_number_is_what_it_is_stays_small() -> None:
    """Arithmetic and gradients by hand are sent for small traces only; else the page says up to which size."""
    small, large = explained(dummy_trace(), "en"), explained(chain_trace(MOST_EXPLAINED + 1), "en")
    assert small["arithmetic"]["2"][2][0][2] == ["∂L/∂w = g × x = −0.0817 × 1.1 = −0.0898"]
    assert small["hand"]["1.0"]["verdict"] == "close"
    assert (large["arithmetic"], large["hand"]) == (None, None)
    assert str(MOST_EXPLAINED) in large["too_many"]
    assert str(MOST_BY_HAND) in large["too_many_by_hand"]
    assert len(json.dumps(large)) < 50 * MOST_EXPLAINED


def test_a_recording_that_contradicts_itself_is_shown() -> None:
    """Where a file of somebody else's gives a node a shape that its neighbours cannot have had, the page says so and shows the rest."""
    trace = dummy_trace()
    odd = replace(trace.nodes[2], outputs=(replace(trace.nodes[2].outputs[0], shape=(7, 3), values=None),), gradients=(note([1.0, 2.0]),))
    found = explained(replace(trace, nodes=(*trace.nodes[:2], odd, *trace.nodes[3:])), "en")
    assert found["hand"]["2.0"]["total"] is None
    assert found["hand"]["5.0"]["total"] is not None


def test_every_word_of_the_player_exists() -> None:
    """Each `words.something` in the player's scripts is in the table of texts, and the table holds nothing else for it."""
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (assets_folder() / "player").glob("*.js"))
    used = set(re.findall(r"\b(?:words|texts)\.([a-z_0-9]+)", scripts))
    known = {name.removeprefix("player.") for name in TEXTS if name.startswith("player.")}
    assert used <= known
    by_name = {name for name in known if re.match(r"(kind|reason|saved|role|verdict|verified|kept|overlay|scale|around|phase)_", name)} | {
        "seed",
        "pass",
    }
    filled_in = {"too_many_explained", "too_many_by_hand", "contradicts"}
    severities = {"error", "warning", "info", "errors", "warnings", "infos"}
    statistics = {"min", "max", "mean", "std", "norm", "zeros", "nans", "infs", "value", "gradient"}
    assert known - used - by_name - filled_in - severities - statistics == set()


def test_no_two_scripts_call_different_things_alike() -> None:
    """The player's modules are joined into one (NOTE [joined]): what they declare at their top has one name each."""
    declared = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", joined_script("file"), flags=re.MULTILINE)
    assert len(declared) > 100
    assert not re.search(r"^(?:const|let) [\[{]", joined_script("file"), flags=re.MULTILINE)  # several at once would not be seen here
    assert [name for name, count in Counter(declared).items() if count > 1] == []


def test_one_place_knows_whether_the_page_is_dark() -> None:
    """All components ask the same few lines."""
    scripts = [*assets_folder().rglob("*.js"), *(ROOT / "explorer" / "ui").rglob("*.py")]
    assert [path.name for path in scripts if "0.299" in path.read_text(encoding="utf-8")] == ["ground.js"]
    assert sum("themeAround(root)" in path.read_text(encoding="utf-8") for path in scripts) > 5


def test_the_page_loads_no_torch() -> None:
    """Nothing that the page imports loads torch."""
    code = "import sys, explorer.ui.explore, explorer.ui.shell; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, timeout=60)


def test_the_same_picture_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running the page again takes the picture from what the visitor's session kept."""
    drawn: list[Any] = []
    monkeypatch.setattr(state, "picture", lambda view: drawn.append(view) or picture(view))
    app = opened()
    app.run()
    assert len(drawn) == 1


def test_device_and_data_type_stay_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link may choose both among what there is, and chooses nothing else; a choice is kept, in another language too, and Run takes it."""
    asked: list[Any] = []
    monkeypatch.setattr(running, "start", lambda target, **options: asked.append(options) or finished(target, trace=dummy_trace()))
    app = opened(device="fake", dtype="bfloat16")
    app.button[0].click().run()
    assert (asked[0]["device"], asked[0]["dtype"]) == ("fake", "bfloat16")
    app.selectbox(key="dtype_en").select("float64").run()
    assert app.query_params["dtype"] in ("float64", ["float64"])
    app.query_params["lang"] = "ko"
    app.run()
    assert app.selectbox(key="dtype_ko").value == "float64"
    app = opened(device="cuda:9", dtype="complex128")
    assert (app.selectbox(key="device").value, app.selectbox(key="dtype_en").value) == ("cpu", "")


def test_only_what_is_here_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is absent, and a data type that the chosen device lacks, are no choices; the help says why, in the page's language."""
    answer = devices.Devices(("cpu", "mps", "fake"), (devices.Absent("cuda", "not_built"), devices.Absent("xpu", "not_found")))
    answer.unusable = {"mps": ("float64",)}
    answer.answered.set()
    monkeypatch.setattr(devices, "ask", lambda: answer)
    st.cache_resource.clear()
    app = opened(dtype="float64")
    assert (app.selectbox(key="device").options, app.selectbox(key="dtype_en").value) == (["cpu", "mps", "fake"], "float64")
    assert "cuda: this PyTorch was built without CUDA" in app.selectbox(key="device").help
    assert "xpu: no XPU" in app.selectbox(key="device").help
    assert any(caption.value == f"float64: {TEXTS['running.dtype.float64'][0]}" for caption in app.caption)
    app.selectbox(key="device").select("mps").run()
    dtype = next(box for box in app.selectbox if box.key.startswith("dtype_en"))
    assert (dtype.options, dtype.value) == (["as written", "float32", "bfloat16", "float16"], "")
    assert "dtype" not in app.query_params
    assert "float64: not usable: Apple's GPUs have no float64" in dtype.help
    app = opened(lang="ko", device="fake", dtype="float16")
    assert "설치된 PyTorch가 CUDA 없이" in app.selectbox(key="device").help
    assert any(caption.value == f"float16: {TEXTS['running.dtype.fake'][1]}" for caption in app.caption)
    assert TEXTS["running.dtype.fake"][1] in app.selectbox(key="dtype_ko").help
    st.cache_resource.clear()


@pytest.mark.torch
def test_the_page_understands_the_list_of_devices() -> None:
    """What the command line prints is what the page reads; without an answer the two that are always there stay."""
    found = ask()
    assert found.answered.wait(60)
    assert {"cpu", "fake"} <= set(found.names)
    assert {absent.why for absent in found.absent} <= {"not_built", "not_found"}
    assert set(found.names) | {absent.name for absent in found.absent} >= {"cpu", "fake"}
    assert found.unusable["cpu"] == ()
    late = ask(timeout=0.001)
    assert late.answered.wait(60)
    assert (late.names, late.absent) == (("cpu", "fake"), ())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_mistake_of_ours_is_one_sentence(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody foresaw is one sentence in the page's language; the traceback goes to the terminal."""
    monkeypatch.setattr(state, "picture", lambda view: 1 / 0)
    app = opened(lang=language)
    assert [error.value for error in app.error] == [TEXTS["page.unexpected"][("en", "ko").index(language)]]


def test_a_run_ends_when_its_visitor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose page was closed is cancelled after a while; one whose page is open, or comes back, goes on."""
    monkeypatch.setattr(running, "AWAY", 0.3)
    monkeypatch.setattr(running, "LOOK", 0.02)

    def run_target(target: str, *, cancelled: threading.Event, **_: Any) -> Any:
        assert cancelled.wait(1.0) == (target == "left")
        raise TargetError("running.no_example", name=target)

    monkeypatch.setattr("explorer.capture.run.run_target", run_target)
    for target, there in (("left", lambda: False), ("open", lambda: True), ("back", iter([False, True] * 999).__next__)):
        run = running.start(target, device="cpu", dtype=None, seed=0, there=there)
        assert run.thread is not None
        run.thread.join()
        assert run.error is not None


def test_the_font_for_text_has_all_that_the_page_says() -> None:
    """In Korean each letter of every sentence, for machines without a Korean font; in English none but the language's own name."""
    for column, language in enumerate(("en", "ko")):
        said = "".join(both[column] for both in TEXTS.values())
        data = recorded(dummy_trace(), language, key="k", around=said)["fonts"]["Text"]
        letters = {chr(code) for code in TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()}
        wanted = {letter for letter in said if "\uac00" <= letter <= "\ud7a3"}
        assert letters == wanted | set(NAMED)
        assert len(letters) == 3 or language == "ko"
