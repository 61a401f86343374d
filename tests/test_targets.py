"""TARGET: what each form names, what is said when it names nothing, and where backward starts from what a callable returned."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from explorer.capture.programs import EXAMPLES
from explorer.capture.targets import arguments, find, load
from explorer.errors import TargetError


def key_of(act: Callable[[], object]) -> str:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value.key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the working folder; the path and the modules are put back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_every_example_is_found_by_name() -> None:
    """Each example program is a target under its name, with a file that is there."""
    for name, example in EXAMPLES.items():
        target = find(name)
        assert (target.title, target.name, target.fake_only) == (name, example.callable, example.fake_only)
        assert target.path is not None
        assert Path(target.path).is_file()


def test_files_scripts_and_modules(folder: Path) -> None:
    """A file alone is a script, a callable follows a colon; a module's sources are told from the parent of its package."""
    (folder / "p.py").write_text("")
    (folder / "pack" / "inner").mkdir(parents=True)
    (folder / "pack" / "__init__.py").write_text("raise RuntimeError('finding runs nothing')")
    script, function, module = find("p.py"), find(f"{folder}/p.py:Net.loss"), find("pack.inner.train:main")
    assert (script.title, script.path, script.name, script.folder) == ("p.py", str(folder / "p.py"), None, str(folder))
    assert (function.title, function.path, function.name) == ("p.py:Net.loss", str(folder / "p.py"), "Net.loss")
    assert (module.title, module.module, module.name, module.folder) == ("pack.inner.train:main", "pack.inner.train", "main", str(folder))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nothing_like_this_at_all", "running.no_example"),
        ("logistic_neurn", "running.no_example_near"),
        ("", "running.no_example"),
        ("missing.py", "running.no_file"),
        ("missing.py:main", "running.no_file"),
        ("here/missing.py", "running.no_file"),
        ("here", "running.is_folder"),
        ("here/", "running.is_folder"),
        ("notes.txt", "running.not_python"),
        ("./notes.txt", "running.not_python"),
        ("p.py:", "running.no_name"),
        (":main", "running.no_name"),
        ("no_such_module_anywhere:main", "running.no_module"),
        ("no.such.module:main", "running.no_module"),
    ],
)
def test_what_names_nothing_is_told(folder: Path, text: str, key: str) -> None:
    """Each wrong target has a sentence of its own, without running anything."""
    (folder / "here").mkdir()
    (folder / "notes.txt").write_text("")
    (folder / "p.py").write_text("")
    assert key_of(lambda: find(text)) == key


def test_loading_a_callable(folder: Path) -> None:
    """The file is a module in sys.modules before it runs, its folder is on the path, and a dotted name is followed."""
    (folder / "beside.py").write_text("value = 3\n")
    (folder / "p.py").write_text(
        "from __future__ import annotations\nimport dataclasses, sys, beside\n"
        "@dataclasses.dataclass\nclass Net:\n    width: int\n    @staticmethod\n    def loss():\n        return beside.value, sys.argv\n"
    )
    assert load(find("p.py:Net.loss"))() == (3, [str(folder / "p.py")])


def test_a_file_may_be_called_like_a_module(folder: Path) -> None:
    """A program called random.py does not become everybody's random."""
    (folder / "random.py").write_text("def main():\n    return 5\n")
    assert load(find("random.py:main"))() == 5
    assert hasattr(sys.modules["random"], "gauss")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("mian", "running.no_callable"),
        ("main.inner", "running.no_callable"),
        ("number", "running.not_callable"),
        ("steps", "running.not_run_yet"),
        ("later", "running.not_run_yet"),
    ],
)
def test_what_cannot_be_called_is_told(folder: Path, name: str, key: str) -> None:
    """A missing name, a value, a generator function and a coroutine each have their sentence; the callables there are are named."""
    (folder / "p.py").write_text("number = 3\ndef main(): ...\ndef steps():\n    yield\nasync def later(): ...\n")
    with pytest.raises(TargetError) as caught:
        load(find(f"p.py:{name}"))
    assert caught.value.key == key
    if key == "running.no_callable":
        assert caught.value.values["names"] == "main, steps, later"


def test_a_missing_module_inside_is_the_programs_error(folder: Path) -> None:
    """That the target's own module is missing is told as a wrong target; what it imports in vain is its own error."""
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "broken.py").write_text("import no_such_module_anywhere\n")
    assert key_of(lambda: load(find("pack.missing:main"))) == "running.no_module"
    with pytest.raises(ModuleNotFoundError):
        load(find("pack.broken:main"))


def test_keywords_that_are_passed() -> None:
    """Device, data type and seed go to a callable that accepts them by name; what it must have and nobody can give is told by name."""
    offered: dict[str, Any] = {"seed": 3, "device": "cuda"}
    defaults = {"device": "cpu", "dtype": "float32"}

    def chosen(call: Callable[..., Any]) -> dict[str, Any]:
        return arguments(call, "main", offered=offered, defaults=defaults)

    assert chosen(lambda: None) == {}
    assert chosen(lambda seed=0, *, other=1: None) == {"seed": 3}
    assert chosen(lambda *, device, dtype: None) == {"device": "cuda", "dtype": "float32"}
    assert chosen(lambda **anything: None) == offered
    assert chosen(lambda *anything: None) == {}
    with pytest.raises(TargetError) as caught:
        chosen(lambda x, seed, *, y, z=1: None)
    assert caught.value.key == "running.needs_arguments"
    assert caught.value.values["arguments"] == "x, y"


@pytest.mark.torch
def test_modules_are_asked_for_what_forward_takes() -> None:
    """A module takes what its forward takes, and its class what its constructor takes."""
    import torch

    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    assert arguments(Net, "Net", offered={}, defaults={}) == {}
    with pytest.raises(TargetError) as caught:
        arguments(Net(), "net", offered={}, defaults={})
    assert caught.value.values["arguments"] == "x"


class Watching:
    """What `backward_of` asks of a recorder."""

    def __init__(self) -> None:
        from explorer.capture.calls import Calls

        self.calls = Calls()
        self.outputs: list[Any] = []
        self.findings: list[Any] = []

    def set_outputs(self, tensors: list[Any]) -> None:
        self.outputs = list(tensors)

    def note_finding(self, finding: Any) -> None:
        self.findings.append(finding)


@pytest.mark.torch
def test_where_backward_starts() -> None:
    """From the scalar `loss` attribute or key, else from the only scalar that needs gradients, whatever nest it lies in."""
    import torch

    from explorer.capture.targets import backward_of

    @dataclasses.dataclass
    class Output:
        logits: torch.Tensor
        loss: torch.Tensor

    for wrap in (
        lambda loss, logits: loss,
        lambda loss, logits: (logits.detach(), [loss]),
        lambda loss, logits: {"logits": logits, "loss": loss, "other": logits.sum()},
        lambda loss, logits: Output(logits, loss),
        lambda loss, logits: SimpleNamespace(a={"b": (loss, logits)}),
    ):
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        recorder = Watching()
        loss = (w * w).sum()
        assert backward_of(wrap(loss, w * 2), recorder) is loss
        assert w.grad is not None
        assert w.grad.tolist() == [2.0, 4.0]
        assert any(output is loss for output in recorder.outputs)
        assert recorder.findings == []


@pytest.mark.torch
def test_without_a_loss_backward_starts_with_ones() -> None:
    """Several outputs and no single scalar: ones at each that needs gradients, and the finding says so."""
    import torch

    from explorer.capture.targets import backward_of

    w = torch.tensor([1.0, 2.0], requires_grad=True)
    recorder = Watching()
    assert backward_of([w * 3, w * 4, w.detach(), torch.tensor([1, 2])], recorder) is None
    assert w.grad is not None
    assert w.grad.tolist() == [7.0, 7.0]
    assert [finding.kind for finding in recorder.findings] == ["non_scalar_loss"]
    assert len(recorder.outputs) == 4


@pytest.mark.torch
def test_backward_is_not_called_where_it_cannot_or_need_not_be() -> None:
    """A callable that called backward itself is left alone, and one that returns nothing differentiable too; cycles are no trouble."""
    import torch

    from explorer.capture.targets import backward_of

    w = torch.tensor([1.0], requires_grad=True)
    called = Watching()
    called.calls.note([w.sum()], {"accumulate_grad": True})
    assert backward_of(w.sum(), called) is None
    cycle: list[Any] = [torch.ones(2), None, "text", 3, torch.nn.Linear(1, 1)]
    cycle.append(cycle)
    recorder = Watching()
    assert backward_of(cycle, recorder) is None
    assert w.grad is None
    assert len(recorder.outputs) == 1
