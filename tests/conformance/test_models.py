"""HuggingFace models from a configuration, random weights, tiny: every name, every sum, every formula, and nothing changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import explorer
from explorer.model import Trace
from tests.conformance.reading import edges_out, whole

transformers = pytest.importorskip("transformers")


def gpt2() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """GPT-2 with two layers of width 16."""
    config = transformers.GPT2Config(vocab_size=61, n_positions=16, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    tokens = torch.randint(0, 61, (2, 8))
    return transformers.GPT2LMHeadModel(config), {"input_ids": tokens, "labels": tokens}


def bert() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """BERT for masked words with two layers of width 16."""
    config = transformers.BertConfig(
        vocab_size=53, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=16
    )
    tokens = torch.randint(0, 53, (2, 6))
    return transformers.BertForMaskedLM(config), {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "labels": tokens}


def resnet() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """ResNet with two stages and basic blocks on 16 x 16 images."""
    config = transformers.ResNetConfig(
        num_channels=3, embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic", num_labels=3
    )
    return transformers.ResNetForImageClassification(config), {"pixel_values": torch.randn(2, 3, 16, 16), "labels": torch.tensor([0, 2])}


MODELS: dict[str, Callable[[], tuple[nn.Module, dict[str, torch.Tensor]]]] = {"gpt2": gpt2, "bert": bert, "resnet": resnet}


def run(name: str, *, train: bool) -> tuple[nn.Module, torch.Tensor]:
    """One forward and backward of a fresh model with fixed seeds."""
    torch.manual_seed(11)
    model, batch = MODELS[name]()
    model.train(train)
    torch.manual_seed(12)
    loss = model(**batch).loss
    loss.backward()
    return model, loss.detach()


@pytest.fixture(
    scope="module",
    params=[(name, train) for name in MODELS for train in (False, True)],
    ids=lambda p: f"{p[0]}-{'train' if p[1] else 'eval'}",
)
def recorded(request: pytest.FixtureRequest) -> Any:
    """A plain run, the same run recorded, and the trace."""
    name, train = request.param
    plain, plain_loss = run(name, train=train)
    plain_random = torch.get_rng_state()
    with explorer.record() as recording:
        model, loss = run(name, train=train)
    return plain, plain_loss, plain_random, model, loss, torch.get_rng_state(), whole(recording.trace)


def by_name(trace: Trace) -> dict[str, Any]:
    """Parameter nodes by each of their names."""
    return {name: node for node in trace.nodes if node.kind == "parameter" for name in node.names}


def test_every_parameter_is_named(recorded: Any) -> None:
    """Each parameter is one node with its `named_parameters()` name; tied ones carry all of them."""
    _, _, _, model, _, _, trace = recorded
    expected: dict[nn.Parameter, list[str]] = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        expected[parameter].append(name)
    nodes = [node for node in trace.nodes if node.kind == "parameter"]
    used = [parameter for parameter in expected if parameter.grad is not None]
    assert {tuple(sorted(node.names)) for node in nodes} >= {tuple(sorted(expected[parameter])) for parameter in used}
    ran = [node for node in nodes if node.status == "executed"]
    assert {node.name for node in ran} == {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert len(ran) == len({node.names for node in ran})


def test_every_gradient_is_torchs(recorded: Any) -> None:
    """The gradient of each parameter node has the shape and the exact statistics of the plain run's `.grad`."""
    plain, _, _, _, _, _, trace = recorded
    nodes = by_name(trace)
    for name, parameter in plain.named_parameters():
        if parameter.grad is None:
            continue
        note, wide = nodes[name].gradients[0], parameter.grad.double()
        assert note is not None, name
        assert tuple(note.shape) == tuple(parameter.shape), name
        assert (note.min, note.max, note.zeros) == (wide.min().item(), wide.max().item(), int((wide == 0).sum())), name
        assert note.norm == pytest.approx(wide.norm().item(), rel=1e-9), name
        assert note.mean == pytest.approx(wide.mean().item(), rel=1e-9, abs=1e-15), name


def test_every_edge_sum_is_the_gradient(recorded: Any) -> None:
    """Where one edge brings all, edge and node agree exactly; every executed node got something; `check` has the rest."""
    *_, trace = recorded
    assert not trace.partial
    assert trace.number == 1
    for node in trace.nodes:
        if node.status != "executed":
            continue
        for number, gradient in enumerate(node.gradients):
            parts = [e.gradient for e in edges_out(trace, node, output=number) if e.gradient is not None]
            if gradient is None:
                assert (parts, node.seeds[number]) == ([], None), (node.op, node.names)
            elif len(parts) == 1 and node.seeds[number] is None:
                assert (parts[0].min, parts[0].max, parts[0].norm) == (gradient.min, gradient.max, gradient.norm), (node.op, node.names)
            else:
                assert len(parts) > 1 or node.seeds[number] is not None, (node.op, node.names)
                assert sum(part.mean for part in parts) + (node.seeds[number].mean if node.seeds[number] else 0.0) == pytest.approx(
                    gradient.mean, rel=1e-4, abs=1e-7
                )


def test_every_node_has_a_formula_or_a_reason(recorded: Any) -> None:
    """Each op with an autograd node has a formula line; each without one says why no gradient flows."""
    *_, trace = recorded
    for node in trace.nodes:
        if node.kind != "op":
            continue
        if node.autograd is not None:
            assert node.formula is not None, (node.op, node.autograd)
            assert node.formula.text, (node.op, node.autograd)
        else:
            assert node.status == "no gradient", (node.op, node.source)
            assert node.reason, (node.op, node.source)


def test_every_op_stands_in_its_module(recorded: Any) -> None:
    """Modules are the called ones of `named_modules()` under one root; parameters are used inside the module that owns them."""
    _, _, _, model, _, _, trace = recorded
    paths = {path for path, _ in model.named_modules(remove_duplicate=False)}
    listed = {module.path: module for module in trace.modules}
    assert "" in listed
    assert set(listed) - paths <= {p for p in listed if listed[p].parameters == 0}
    assert listed[""].parameters == sum(parameter.numel() for parameter in model.parameters())
    for name, node in by_name(trace).items():
        if len(node.names) == 1 and node.status == "executed":
            owner = name.rpartition(".")[0]
            assert {trace.nodes[e.target].module for e in edges_out(trace, node)} <= {
                p for p in listed if p == owner or owner.startswith(p)
            }, name


def test_nothing_changed_by_recording(recorded: Any) -> None:
    """Loss, gradients, buffers and random state are bit-equal to the plain run."""
    plain, plain_loss, plain_random, model, loss, random, trace = recorded
    assert torch.equal(plain_loss, loss)
    assert trace.loss == loss.item()
    assert torch.equal(plain_random, random)
    for (name, a), (_, b) in zip(plain.named_parameters(), model.named_parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), name
        assert a.grad is None or torch.equal(a.grad, b.grad), name
    assert all(torch.equal(a, b) for a, b in zip(plain.state_dict().values(), model.state_dict().values(), strict=True))


def test_sources_are_the_librarys_and_relative(recorded: Any) -> None:
    """Lines of the library begin with its package name; no path is absolute."""
    *_, trace = recorded
    files = {node.source.file.replace("\\", "/") for node in trace.nodes if node.source is not None}
    assert any(file.startswith("transformers/") for file in files)
    assert not any(file.startswith("/") or ".." in file or "site-packages" in file for file in files)
