"""The memory of each step, held against what torch really keeps while the same program runs without us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import explorer
from explorer.footprint import Memory, bytes_of, memory
from explorer.steps import steps
from tests.dummy import dummy_trace

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
nn, F = torch.nn, torch.nn.functional
Program = Callable[[], Any]


def mlp() -> Any:
    """Linear layers, one of which reads what another reads too."""
    model = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 2))
    return model, lambda: model(torch.randn(16, 6)).square().mean()


def residual() -> Any:
    """Gradients that meet: each block's input goes two ways; three blocks share one layer."""
    first, shared = nn.Linear(8, 24), nn.Linear(24, 24)

    def loss() -> Any:
        x = first(torch.randn(10, 8))
        for _ in range(3):
            x = x + torch.sigmoid(shared(x)) * x
        return x.square().mean()

    return nn.ModuleList([first, shared]), loss


def images() -> Any:
    """Convolution, batch norm with buffers, pooling that saves integers."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 5 * 5, 4))
    return model, lambda: F.cross_entropy(model(torch.randn(6, 3, 12, 12)), torch.arange(6) % 4)


def attention() -> Any:
    """The product's own small GPT: softmax, masks, dropout, tied weights, an embedding."""
    from explorer.capture.programs.gpt import GPTModel

    torch.manual_seed(0)
    cfg = {"vocab_size": 23, "context_length": 12, "emb_dim": 16, "n_heads": 2, "n_layers": 2, "drop_rate": 0.1, "qkv_bias": True}
    model = GPTModel(cfg, tie_weights=True)
    tokens = torch.randint(23, (2, 12))
    return model, lambda: F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())


def frozen() -> Any:
    """A frozen layer is saved for its input's gradient, and is no memory of the graph's."""
    model = nn.Sequential(nn.Linear(5, 50), nn.Linear(50, 50), nn.Linear(50, 1))
    model[1].requires_grad_(False)
    return model, lambda: model(torch.randn(20, 5)).exp().mean()


PROGRAMS = [mlp, residual, images, attention, frozen]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_memory_is_what_torch_keeps(program: Program) -> None:
    """At the end of each backward node: the storages that saved tensors really hold then, and those that gradients really lie in."""
    model, loss = program()
    torch.manual_seed(1)
    witnessed = witness(model, loss)
    model.zero_grad()
    torch.manual_seed(1)
    with explorer.record() as recording:
        loss().backward()
    trace = recording.trace
    found = memory(trace)
    assert found is not None and found.unknown == 0
    first = len(found.nodes) - len(trace.updates) - len(trace.backward)
    ours = [
        (trace.nodes[node].autograd, found.saved[first + place], found.gradients[first + place])
        for place, node in enumerate(trace.backward)
        if not trace.nodes[node].is_leaf
    ]
    assert [(name, saved) for name, saved, _ in ours] == [(name, saved) for name, saved, _ in witnessed]
    assert [gradients for _, _, gradients in ours] == [gradients for _, _, gradients in witnessed]
    most = max(range(len(witnessed)), key=lambda place: sum(witnessed[place][1:]))
    assert (trace.nodes[found.nodes[found.peak] or 0].autograd, found.most) == (witnessed[most][0], sum(witnessed[most][1:]))


def witness(model: Any, loss: Program) -> list[tuple[str, int, int]]:
    """Name, bytes saved and bytes of gradients when each node has run, by weak references to the storages themselves."""
    alive: dict[int, int] = {}  # address -> bytes; a weak reference keeps each address from being used again
    saved: set[int] = set()
    own = {tensor.untyped_storage()._cdata for tensor in [*model.parameters(), *model.buffers()]}

    def meet(tensor: Any) -> int:
        storage = tensor.untyped_storage()
        if storage._cdata not in alive:
            alive[storage._weak_ref()] = storage.nbytes()
        return int(storage._cdata)

    def pack(tensor: Any) -> Any:
        if tensor.untyped_storage()._cdata not in own:
            saved.add(meet(tensor))
        return tensor.detach() if tensor.requires_grad else tensor

    found: list[list[Any]] = []
    senders: dict[Any, list[int]] = {}  # node -> places in `found` of those that sent something to it

    def find_sum(node: Any, received: Any) -> None:
        """A sum of which nobody has seen the memory is there since its second part was sent."""
        for gradient in received:
            if gradient is not None and gradient.untyped_storage()._cdata not in alive and len(senders.get(node, ())) > 1:
                for point in found[senders[node][1] + 1 :]:
                    point[2] += gradient.untyped_storage().nbytes()
                meet(gradient)

    def look(node: Any, sent: Any, received: Any) -> None:
        find_sum(node, received)
        for gradient in (*sent, *received):
            if gradient is not None:
                meet(gradient)
        gradients = {meet(tensor.grad) for tensor in model.parameters() if tensor.grad is not None}
        there = {address for address in alive if address not in own and not torch.UntypedStorage._expired(address)} | gradients
        found.append([node.name(), sum(alive[one] for one in there & saved), sum(alive[one] for one in there - saved)])
        for following, _ in node.next_functions:
            if following is not None:
                senders.setdefault(following, []).append(len(found) - 1)

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = loss()
    for node in nodes_of(result.grad_fn):
        saved |= {
            meet(data) for data in raw_of(node) if data.dim() == 0 and data.dtype == torch.float64
        }  # a number: torch shows it to no hook
        if node.name().endswith("AccumulateGrad"):
            node.register_prehook(lambda received, node=node: find_sum(node, received))  # another hook would keep it from taking the memory
        else:
            node.register_hook(lambda sent, received, node=node: look(node, sent, received))
    result.backward()
    for address in alive:
        torch.UntypedStorage._free_weak_ref(address)
    return [(name, kept, flowing) for name, kept, flowing in found]


@pytest.mark.parametrize("name", ["logistic_neuron", "simple_net", "accumulation", "forgotten_zero_grad", "shared_weights"])
def test_the_steps_are_those_of_the_player(name: str) -> None:
    """One point for each step, of the same node; the last gradients stay until the program clears them."""
    trace = explorer.trace(name)
    found = memory(trace)
    assert found is not None
    assert found.nodes == tuple(step.node for step in steps(trace))
    held = sum(bytes_of(node.accumulated.after) for node in trace.nodes if node.accumulated and node.accumulated.after)
    seeds = 0 if trace.updates else sum(bytes_of(seed) for node in trace.nodes for seed in node.seeds if seed)  # until backward is over
    assert found.gradients[-1] == held + seeds > 0
    assert found.saved[-1] == 0 < max(found.saved)


def test_a_graph_that_is_retained_stays() -> None:
    """With `retain_graph=True` nothing that was saved is freed."""
    w = torch.randn(30, requires_grad=True)
    with explorer.record() as recording:
        w.exp().sum().backward(retain_graph=True)
    found = memory(recording.trace)
    assert found is not None
    assert found.saved[-1] == 30 * 4


def test_views_of_one_storage_count_once() -> None:
    """Three slices that are saved lie in one storage, all of which is held for as long as one of them is."""
    w = torch.randn(100, requires_grad=True)
    with explorer.record() as recording:
        x = w.sin()
        (x[:10].exp().sum() + x[10:20].pow(2).sum() + x[20:30].pow(3).sum()).backward()
    found = memory(recording.trace)
    assert found is not None
    saved = max(found.saved) - 10 * 4  # the result of exp
    assert saved == 100 * 4


def test_what_is_sparse_is_said_to_be_unknown() -> None:
    """The gradient of a sparse embedding lies in no storage: it is counted as unknown, not as large as the table."""
    table = nn.Embedding(1000, 8, sparse=True)
    with explorer.record() as recording:
        table(torch.arange(3)).square().sum().backward()
    found = memory(recording.trace)
    assert found is not None
    assert found.unknown == 1
    assert max(found.gradients) < 1000 * 8 * 4


def test_fake_tensors_have_the_memory_of_real_ones() -> None:
    """What a recording without numbers says of memory is what one with numbers says."""
    real, fake = memory(explorer.trace("simple_net")), memory(explorer.trace("simple_net", device="fake"))
    assert isinstance(real, Memory)
    assert real == fake


def test_a_trace_without_storages_has_no_memory() -> None:
    """The structure of a live loss, and recordings of earlier versions: nothing is known, and nothing is made up."""
    assert memory(replace(dummy_trace(), storages=())) is None
    assert memory(explorer.trace(torch.ones(2, requires_grad=True).exp().sum())) is None


def raw_of(node: Any) -> list[Any]:
    handles = [getattr(node, name) for name in dir(node) if name.startswith("_raw_saved_")]
    return [handle.data for handle in handles if isinstance(getattr(handle, "data", None), torch.Tensor)]


def nodes_of(root: Any) -> list[Any]:
    found, pending = [root], [root]
    while pending:
        for node, _ in pending.pop().next_functions:
            if node is not None and node not in found:
                found.append(node)
                pending.append(node)
    return found
