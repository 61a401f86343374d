"""Every example recorded for real: the trace holds its invariants, and each number in it is the one plain torch gives, bit for bit."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import explorer
from explorer.capture.programs import EXAMPLES
from explorer.model import Node, Note, Trace

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[1]
BIG = ("gpt2", "gpt2_xl", "llama_70b")
SMALL = [name for name in EXAMPLES if name not in BIG]
OWN_BACKWARD = {"karpathy_expression": 1, "tutorial_vector": 1, "repeated_backward": 3, "linear_regression": 20, "simple_net": 1,
                "forgotten_zero_grad": 3}  # fmt: skip


@dataclass
class Plain:
    """What plain torch gives in one backward pass: `.grad` of each leaf before and after it, and of each variable of `main`."""

    started_at: Any
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


def plain_passes(name: str) -> list[Plain]:
    """Runs the example without us, with backward called on the result where the program has not; one entry per pass."""
    module = importlib.import_module(EXAMPLES[name].module)
    passes: list[Plain] = []
    engine = torch.Tensor.backward
    last: dict[str, Any] = {}

    def backward(tensor: Any, *arguments: Any, **keywords: Any) -> None:
        one = Plain(started_at=tensor.detach().clone())
        frame = sys._getframe(1)
        variables = frame.f_locals if frame.f_code is module.main.__code__ else last
        leaves = dict(named_leaves(variables))
        kept = {}
        for key, value in variables.items():
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                value.retain_grad()
                value.grad = None  # a kept gradient adds up over passes, too
                kept[key] = value
        one.before = {key: copy(leaf.grad) for key, leaf in leaves.items()}
        engine(tensor, *arguments, **keywords)
        one.after = {key: copy(leaf.grad) for key, leaf in leaves.items()}
        one.variables = {key: copy(value.grad) for key, value in kept.items()}
        passes.append(one)

    def look(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is module.main.__code__:
            last.update(frame.f_locals)

    torch.Tensor.backward = backward
    sys.setprofile(look)
    try:
        torch.manual_seed(0)
        result = module.main()
        sys.setprofile(None)
        if not passes:
            result.backward()
    finally:
        sys.setprofile(None)
        torch.Tensor.backward = engine
    return passes


def copy(gradient: Any) -> Any:
    return None if gradient is None else gradient.detach().clone()


def named_leaves(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Leaves that want a gradient, by the name a trace should give them."""
    for name, value in variables.items():
        if isinstance(value, torch.nn.Module):
            yield from value.named_parameters()
        elif isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad:
            yield name, value


def same(note: Note | None, tensor: Any) -> bool:
    """Whether a note is of exactly this tensor: by its values where it holds them, else by shape, type and the exact statistics."""
    if note is None or tensor is None:
        return note is None and tensor is None
    if note.shape != tuple(tensor.shape) or note.dtype != str(tensor.dtype).removeprefix("torch."):
        return False
    if note.values is not None:
        return torch.equal(
            torch.nan_to_num(torch.tensor(note.values, dtype=tensor.dtype), nan=12345.0), torch.nan_to_num(tensor.cpu(), nan=12345.0)
        )
    exact = (note.min, note.max, note.zeros) == (tensor.min().item(), tensor.max().item(), int((tensor == 0).sum()))
    return exact and note.norm == pytest.approx(tensor.double().norm().item(), rel=1e-6)


def node_named(trace: Trace, name: str) -> Node:
    found = [node for node in trace.nodes if name in node.names]
    assert found, f"no node has the name {name}; there are {sorted({one for node in trace.nodes for one in node.names})}"
    return found[-1]  # a variable that is assigned again and again has the last one


def assert_equal_to(plain: Plain, trace: Trace) -> None:
    """Every leaf and every variable of the program has in the trace the gradient plain torch gave it."""
    leaves = {node.names: node for node in trace.nodes if node.kind in ("parameter", "input") and node.autograd is not None}
    for name, after in plain.after.items():
        node = node_named(trace, name)
        if after is None:
            assert node.gradients[0] is None, name
            assert node.status != "executed", name
            continue
        assert node.names in leaves, name
        assert node.accumulated is not None, name
        assert same(node.accumulated.before, plain.before[name]), name
        assert same(node.accumulated.after, after), name
        if plain.before[name] is None:
            assert same(node.gradients[0], after), name
    for name, gradient in plain.variables.items():
        node = node_named(trace, name)
        if gradient is not None and len(node.gradients) == 1:
            assert same(node.gradients[0], gradient), name


@pytest.mark.parametrize("name", SMALL)
def test_recorded_in_this_process(name: str) -> None:
    """With `explorer.record()` around it, each pass has plain torch's loss and gradients, and the trace holds its invariants."""
    plain = plain_passes(name)
    torch.manual_seed(0)
    with explorer.record(title=name) as recording:
        result = importlib.import_module(EXAMPLES[name].module).main()
        if name not in OWN_BACKWARD:
            result.backward()
    assert len(plain) == OWN_BACKWARD.get(name, 1)
    assert [trace.number for trace in recording.traces] == [number + 1 for number in range(len(plain))]
    for one, trace in zip(plain, recording.traces, strict=True):
        trace.check()
        assert trace.title == name
        if one.started_at.numel() == 1:
            assert trace.loss == one.started_at.item()
        assert_equal_to(one, trace)


FOUND = {  # by example and pass: its warnings and errors; all other passes have none
    ("detached_branch", 1): {"detached"},
    ("nan_where", 1): {"nan_gradient"},
    ("vanishing_sigmoids", 1): {"vanishing_gradient"},
    ("exploding_layers", 1): {"exploding_gradient"},
    ("dead_relus", 1): {"dead_units"},
    ("repeated_backward", 2): {"accumulated_gradient"},
    ("forgotten_zero_grad", 2): {"accumulated_gradient"},
    ("forgotten_zero_grad", 3): {"accumulated_gradient"},
}


@pytest.mark.parametrize("name", SMALL)
def test_findings_name_the_fault_and_nothing_else(name: str) -> None:
    """A sound example has no warning and no error in any pass; a faulty one has exactly its own."""
    torch.manual_seed(0)
    with explorer.record() as recording:
        result = importlib.import_module(EXAMPLES[name].module).main()
        if name not in OWN_BACKWARD:
            result.backward()
    for trace in recording.traces:
        found = {finding.kind for finding in trace.findings if finding.severity != "info"}
        assert found == FOUND.get((name, trace.number), set()), trace.number


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), [("repeated_backward", 3), ("forgotten_zero_grad", 2), ("linear_regression", 5)])
def test_a_later_pass(name: str, number: int, tmp_path: Path) -> None:
    """`--pass N` records that pass, with the gradients that were there before it."""
    trace = run_trace(name, tmp_path, "--pass", str(number))
    trace.check()
    assert trace.number == number
    assert_equal_to(plain_passes(name)[number - 1], trace)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tutorial_vector", "simple_net", "lstm", "shared_weights", "nan_where"])
def test_traced_in_a_child_process(name: str, tmp_path: Path) -> None:
    """`trace NAME` gives the same numbers, from a process of its own; traced twice, the JSON is the same byte for byte, times aside, and
    no absolute path is in it."""
    trace = run_trace(name, tmp_path, "-o", str(tmp_path / "1.json"))
    trace.check()
    assert trace.number == 1
    assert_equal_to(plain_passes(name)[0], trace)
    command_line("trace", name, "-o", str(tmp_path / "2.json"))
    documents = []
    for number in (1, 2):
        text = (tmp_path / f"{number}.json").read_text(encoding="utf-8")
        assert str(ROOT) not in text
        document = json.loads(text)
        for node in document["nodes"]:
            node["time_us"] = None
        documents.append(json.dumps(document))
    assert documents[0] == documents[1]


@pytest.mark.slow
def test_gpt2(tmp_path: Path) -> None:
    """Every parameter of GPT-2 is named and has plain torch's gradient; the tied weight has both names and both contributions."""
    trace = run_trace("gpt2", tmp_path)
    trace.check()
    (plain,) = plain_passes("gpt2")
    assert trace.loss == plain.started_at.item()
    assert trace.modules[0].parameters == 124_412_160
    for name, after in plain.after.items():
        node = node_named(trace, name)
        assert node.kind == "parameter", name
        assert node.accumulated is not None
        assert close(node.accumulated.after, after), name
    tied = node_named(trace, "tok_emb.weight")
    assert set(tied.names) >= {"tok_emb.weight", "out_head.weight"}
    assert len([edge for edge in trace.edges if edge.source == tied.id and edge.gradient is not None]) == 2


def close(note: Note | None, tensor: Any) -> bool:
    """Equal in shape, and in norm to float32's precision: with several threads a large sum may be added in another order."""
    return note is not None and note.shape == tuple(tensor.shape) and note.norm == pytest.approx(tensor.double().norm().item(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "leaves", "embedding"),
    [("gpt2_xl", 1_557_380_800, 628, (50257, 1600)), ("llama_70b", 70_553_706_496, 723, (128_256, 8192))],
)
def test_what_fits_nowhere_is_recorded_as_fake(name: str, parameters: int, leaves: int, embedding: tuple[int, int], tmp_path: Path) -> None:
    """Shapes and parameter count are those of the real model, every parameter has its name and a gradient, no statistic is made up."""
    trace = run_trace(name, tmp_path, "--device", "fake")
    trace.check()
    assert trace.modules[0].parameters == parameters
    assert node_named(trace, "tok_emb.weight").outputs[0].shape == embedding
    learned = [node for node in trace.nodes if node.kind == "parameter"]
    assert len(learned) == leaves and all(node.name and node.accumulated and node.accumulated.after for node in learned)
    assert trace.loss is None
    assert all(note.norm is None and note.values is None for node in trace.nodes if node.kind == "parameter" for note in node.outputs)


def run_trace(name: str, folder: Path, *arguments: str) -> Trace:
    command_line("trace", name, "-o", str(folder / "x.trace"), *arguments)
    return explorer.load(folder / "x.trace")


def command_line(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "explorer", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
