"""`check` on the command line and in Python, the run without us beside it, and the fixture for other people's tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer
from explorer.capture import numeric
from explorer.capture.programs import EXAMPLES
from explorer.cli import main
from explorer.comparing import compared
from explorer.model import Checks, GradientCheck, NodeCheck, Trace
from explorer.report import Checked
from explorer.text import TEXTS
from explorer.verdicts import reason_text
from tests.dummy import dummy_trace
from tests.verifying import Tripled, checked, checkpointed, wrong_function

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.torch
Captured = pytest.CaptureFixture[str]

WRONG = """\
import torch

class Tripled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 3 * x

def loss():
    w = torch.ones(3, requires_grad=True)
    return Tripled.apply(w.sin()).sum()
"""
STALE = """\
import torch
a = torch.ones(3, requires_grad=True)
b = a.exp()
b.add_(1)
b.sum().backward()
"""
LEFT_OUT = """\
import torch
w = torch.ones(3, requires_grad=True)
w.grad = torch.ones(3)
(w.exp() * w.detach()).sum().backward()
"""


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def document(capsys: Captured, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of `check --json`."""
    code = main(["check", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_document_is_that_of_the_contract(capsys: Captured) -> None:
    """The keys, in order; leaves with both gradients; every executed node counted."""
    code, found = document(capsys, "logistic_neuron")
    assert code == 0
    assert list(found) == ["target", "device", "loss", "gradients", "nodes", "findings"]
    assert (found["target"], found["device"], found["loss"]) == ("logistic_neuron", "cpu", pytest.approx(0.0851879))
    w, _ = found["gradients"]
    assert list(w) == ["name", "shape", "autograd", "numeric", "checked", "max_abs_error", "max_rel_error", "verdict", "reason"]
    assert (w["name"], w["shape"], w["checked"], w["verdict"], w["reason"]) == ("w", [1], 1, "equal", None)
    assert w["numeric"] == pytest.approx(w["autograd"], rel=1e-6)
    assert found["nodes"] == {"checked": 6, "passed": 6, "failed": [], "skipped": []}
    assert found["findings"] == []


def test_a_wrong_gradient_ends_with_1(capsys: Captured) -> None:
    """A wrong verdict counts as an error, unless nothing is to count."""
    Path("wrong.py").write_text(WRONG)
    code, found = document(capsys, "wrong.py:loss")
    assert code == 1
    assert [(each["name"], each["verdict"]) for each in found["gradients"]] == [("w", "wrong")]
    assert main(["check", "wrong.py:loss", "--fail-on", "never"]) == 0
    assert "1 of 1" not in capsys.readouterr().out


@pytest.mark.parametrize(("language", "word"), [("en", "WRONG"), ("ko", "틀림")])
def test_the_report_reads_well(capsys: Captured, language: str, word: str) -> None:
    """A line for each leaf with its verdict, what the nodes gave, and in the end what it comes to; in both languages."""
    Path("wrong.py").write_text(WRONG)
    assert main(["check", "wrong.py:loss", "--lang", language]) == 1
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if line.split()[:1] == ["w"])
    assert word in line
    assert text.splitlines()[-1] == TEXTS["check.wrong"][language == "ko"].format(count=2)  # that of w, and that of its sine


def test_warnings_count_where_asked_for(capsys: Captured) -> None:
    """`--fail-on warning` ends with 1 where a finding warns, and by default that passes."""
    Path("again.py").write_text(LEFT_OUT)
    code, found = document(capsys, "again.py")
    assert (code, found["gradients"][0]["verdict"]) == (0, "equal")
    assert any(finding["severity"] == "warning" for finding in found["findings"])
    assert document(capsys, "again.py", "--fail-on", "warning")[0] == 1


def test_a_backward_that_raises_is_a_document_all_the_same(capsys: Captured) -> None:
    """What explains the error is a finding, so that 1 is the exit code; a program that merely fails ends with 3. Both print a document."""
    Path("stale.py").write_text(STALE)
    code, found = document(capsys, "stale.py")
    assert code == 1
    assert "stale_saved_tensor" in {finding["kind"] for finding in found["findings"]}
    Path("broken.py").write_text("import torch\nx = torch.ones(1)\nraise ValueError('no')\n")
    code, found = document(capsys, "broken.py")
    assert code == 3
    assert [finding["kind"] for finding in found["findings"]] == ["user_error"]
    Path("early.py").write_text("raise ValueError('no')\n")
    code, found = document(capsys, "early.py")
    assert (code, found["loss"], found["gradients"], found["nodes"]["checked"]) == (3, None, [], 0)


def test_a_wrong_request_ends_with_2(capsys: Captured) -> None:
    """One sentence, nothing run."""
    assert main(["check", "no_such_program"]) == 2
    assert "no_such_program" in capsys.readouterr().err


def test_the_run_without_us_is_compared(capsys: Captured) -> None:
    """Loss, gradients and nodes of the second run; where watching takes another op, it is named on both sides."""
    code, found = document(capsys, "logistic_neuron", "--unwatched")
    assert code == 0
    assert found["unwatched"]["same"] is True
    Path("turned.py").write_text(
        "import torch\ndef turned():\n    w = torch.ones(2, 3, requires_grad=True)\n    return torch.einsum('ij,kj->ik', w, w).sum()\n"
    )
    other = document(capsys, "turned.py:turned", "--unwatched")[1]["unwatched"]
    assert (other["same"], other["same_loss"], other["different_gradients"]) == (False, True, [])
    assert set(other["only_watched"]) == {"ViewBackward0"}
    assert set(other["only_unwatched"]) == {"ReshapeAliasBackward0"}
    assert main(["check", "turned.py:turned", "--unwatched"]) == 0
    assert "ReshapeAliasBackward0" in capsys.readouterr().out


def test_a_difference_between_the_runs_is_told() -> None:
    """Another loss, another gradient, a run that failed: each has its line."""
    trace = dummy_trace()
    plain = replace(trace, nodes=tuple(node for node in trace.nodes if node.autograd is not None))
    assert compared(trace, plain)["same"]
    assert compared(trace, replace(plain, loss=1.0))["same_loss"] is False
    w = plain.nodes[0]
    assert w.accumulated is not None
    changed = replace(w, accumulated=replace(w.accumulated, after=None))
    assert compared(trace, replace(plain, nodes=(changed, *plain.nodes[1:])))["different_gradients"] == ["w"]
    told = Checked(trace, "t", compared(trace, None, error="it crashed")).text()
    assert "it crashed" in told


def test_every_reason_has_a_sentence() -> None:
    """Whatever a check was skipped for is said in words; what a later version may give is shown as it is."""
    assert "IndexError" in reason_text("raised: IndexError", "ko")
    assert reason_text("of another age") == "of another age"
    trace = checked(checkpointed)
    assert all(" " in reason_text(check.reason) for check in trace.checks.each() if check.reason is not None)  # type: ignore[union-attr]


def test_skipped_nodes_are_listed_with_the_reason() -> None:
    """In the document one by one, in the report counted by what they are."""
    found = Checked(checked(checkpointed), "program").document()["nodes"]
    assert found["checked"] + len(found["skipped"]) == 7
    assert {each["op"] for each in found["skipped"]} == {"addmm", "tanh"}
    assert all("checkpoint" in each["reason"] for each in found["skipped"])


FORGOTTEN = """\
import torch
layer = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
for step in range(5):
    loss = (layer(torch.ones(2, 3)) - 1).square().mean()
    loss.backward()
    optimizer.step()
"""
FREED = """\
import torch
x = torch.tensor(2.0, requires_grad=True)
y = x.exp()
y.backward()
y.backward()
"""


def test_what_shows_only_in_the_second_pass_is_found(capsys: Captured) -> None:
    """Gradients that pile up and a freed graph: told with the number of the pass; with `--pass` that pass is all there is."""
    Path("forgotten.py").write_text(FORGOTTEN)
    code, found = document(capsys, "forgotten.py", "--fail-on", "warning")
    assert code == 1
    (finding,) = found["findings"]
    assert (finding["kind"], finding["node"], finding["pass"], finding["source"]["line"]) == ("accumulated_gradient", None, 2, 6)
    assert {each["verdict"] for each in found["gradients"]} == {"equal"}
    assert document(capsys, "forgotten.py", "--fail-on", "warning", "--pass", "1")[1]["findings"] == []
    Path("freed.py").write_text(FREED)
    assert main(["check", "freed.py"]) == 1
    told = capsys.readouterr()
    assert "Error: in pass 2, " in told.out
    assert "freed.py:5  y.backward()" in told.out
    assert "RuntimeError" in told.err
    assert [finding.kind for _, finding in explorer.check("freed.py").findings()] == ["freed_graph"]


def test_a_second_pass_that_takes_too_long_is_no_failure(capsys: Captured) -> None:
    """The verified pass is there; of what the program does afterwards nothing is known."""
    first = FORGOTTEN.replace("range(5)", "range(1)")
    Path("long.py").write_text(first + "import time\nwhile True: time.sleep(0.01 * float(layer(torch.ones(2, 3)).exp()[0]))\n")
    with ThreadPoolExecutor(1) as python:  # both wait for as long
        asked = python.submit(explorer.check, "long.py", timeout=8)
        code, found = document(capsys, "long.py", "--timeout", "8")
        checked = asked.result()
    assert (code, found["findings"]) == (0, [])
    assert [each["verdict"] for each in found["gradients"]] == ["equal", "equal"]
    assert (checked.passed, checked.findings(), checked.later) == (True, [], None)


def test_python_gets_the_same() -> None:
    """`explorer.check` takes a TARGET or a callable; what comes back prints itself, and has the trace."""
    done = explorer.check("logistic_neuron")
    assert done.passed
    assert isinstance(done.trace, Trace)
    assert str(done).splitlines()[-1] == TEXTS["check.passed"][0]
    w = torch.ones(3, requires_grad=True)
    bad = explorer.check(lambda: Tripled.apply(w.sin()).sum())
    assert not bad.passed
    assert bad.faults()[0].startswith("the gradient of w is not the derivative: at [0] autograd has 1.3")
    assert bad.faults()[1].startswith("the first backward to go wrong is that of Tripled.apply(w.sin()) at test_verifying.py:")
    with pytest.raises(explorer.ExplorerError):
        explorer.check(5)  # type: ignore[arg-type]


def test_faults_name_what_is_wrong() -> None:
    """Of a large tensor the sample; a wrong node; a tolerance of one's own; nothing to check at all."""
    trace = dummy_trace()
    large = GradientCheck(1, "w", (65,), None, None, 8, 0.5, 0.1, "wrong")
    (told, *_) = Checked(replace(trace, checks=Checks((), (large,))), "t").faults()
    assert "in a sample of 8" in told
    node = Checked(replace(trace, checks=Checks((NodeCheck(5, "wrong", 0.5),), (replace(large, verdict="equal"),))), "t")
    assert node.faults() == ["node 5 (sigmoid) gives something else when it is run again, off by 0.5"]
    close = Checked(replace(trace, checks=Checks((), (replace(large, verdict="close"),))), "t")
    assert close.faults() == []
    assert "more than the tolerance 0.01" in close.faults(tolerance=0.01)[0]
    nothing = Checked(replace(trace, checks=Checks((), (replace(large, verdict="skipped", reason="kink", max_rel_error=None),))), "t")
    assert "kink" in nothing.faults()[0]
    assert len(Checked(checked(wrong_function), "t").faults()) == 2


def test_the_fixture_fails_a_test_with_what_is_wrong(pytester: pytest.Pytester) -> None:
    """Right gradients pass, wrong ones fail with parameter, element and both numbers, in a test of anybody's."""
    pytester.makepyfile(
        mine=WRONG,
        test_mine="""
        import torch
        from mine import loss

        def test_good(gradient_check):
            report = gradient_check(lambda w: w.exp().sum(), torch.ones(2, requires_grad=True))
            assert report.passed

        def test_bad(gradient_check):
            gradient_check(loss)

        def test_nothing(gradient_check):
            gradient_check(lambda: torch.ones(1).sum())
        """,
    )
    result = pytester.runpytest_subprocess("-p", "no:autograd_explorer", "-p", "explorer.integrations.pytest", "-q")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: the gradients of loss do not pass:*",
            "*the gradient of w is not the derivative: at [[]0] autograd has 1.3*, a central difference 0.9*",
            "*first backward to go wrong is that of Tripled.apply(w.sin()) at mine.py:16*",
            "*Nothing here can run backward*",
        ]
    )


def test_the_plugin_is_light_and_declared() -> None:
    """Every pytest of whoever has the package installed loads it: no torch, and the entry point leads to it."""
    root = Path(explorer.__file__).parents[1]
    code = "import sys, explorer.integrations.pytest; print({'torch', 'numpy'} & set(sys.modules))"
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.stdout.strip() == "set()", done.stderr
    assert 'autograd_explorer = "explorer.integrations.pytest"' in (root / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if name != "gpt2" and not example.fake_only])
def test_every_example_is_right(name: str, capsys: Captured) -> None:
    """All gradients of leaves are equal or close, and every executed node was checked and agrees; by the command for some, and here."""
    if name in ("simple_net", "nan_where"):
        code, found = document(capsys, name, "--fail-on", "never")
        assert code == 0
    else:
        found = explorer.check(import_module(EXAMPLES[name].module).main, seed=0).document()
    assert {each["verdict"] for each in found["gradients"]} <= {"equal", "close"}
    assert found["gradients"]
    assert found["nodes"]["checked"] == found["nodes"]["passed"] > 0
    assert found["nodes"]["skipped"] == []


@pytest.mark.slow
def test_a_small_gpt2_is_checked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """GPT-2 with 2 layers of width 64 in float64: at least 99 % of the executed nodes, and every parameter."""
    from transformers import GPT2Config, GPT2LMHeadModel

    monkeypatch.setattr(numeric, "BUDGET", 2.0)  # as many elements of each parameter as this allows, instead of 20 seconds; one at least

    def loss() -> torch.Tensor:
        model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=200, n_positions=32)).double().train()
        tokens = torch.randint(200, (2, 16))
        return model(input_ids=tokens, labels=tokens).loss  # type: ignore[no-any-return]

    found = explorer.check(loss, seed=0).document()
    nodes = found["nodes"]
    assert nodes["failed"] == []
    assert nodes["checked"] >= 0.99 * (nodes["checked"] + len(nodes["skipped"]))
    assert len(found["gradients"]) == 28
    assert {each["verdict"] for each in found["gradients"]} <= {"equal", "close"}
    assert all(each["checked"] >= 8 or each["reason"] == reason_text("time") for each in found["gradients"])
