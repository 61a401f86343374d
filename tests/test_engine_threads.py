"""Backward on the engine's own threads: what is recorded when hooks and kernels run on another thread than the recorder's.

A pretend accelerator (`tests.toy_device`) makes torch's engine use its device thread. No test here ran on a GPU.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.toy_device import on_toy  # noqa: E402

pytestmark = pytest.mark.torch

RECORD = """
import json, threading, torch, explorer
from explorer.document import to_document
from torch.utils.checkpoint import checkpoint

def recorded(program):
    '''The passes of `program` on the CPU and on the device, as documents without times.'''
    both = {}
    for device in ("cpu", "toy"):
        torch.manual_seed(0)
        with explorer.record("threads") as recording:
            program(device)
        for trace in recording.traces:
            trace.check()
        both[device] = [to_document(trace) for trace in recording.traces]
    return both
"""

WANTED = "nodes that the engine's thread makes count for themselves: the ops of a double backward there are not joined to them yet"


def recorded(program: str) -> dict[str, list[dict[str, Any]]]:
    """The traces of `def program(device)` on both devices."""
    return dict(json.loads(on_toy(f"{RECORD}\n{textwrap.dedent(program)}\nprint(json.dumps(recorded(program)))").splitlines()[-1]))


def without_device(document: Any) -> Any:
    """The document as it would be on any device: no device names and no times."""
    if isinstance(document, dict):
        return {key: without_device(value) for key, value in document.items() if key not in ("device", "time_us", "made_with")}
    if isinstance(document, list):
        return [without_device(value) for value in document]
    return document


def same(both: dict[str, list[dict[str, Any]]]) -> bool:
    return bool(without_device(both["cpu"]) == without_device(both["toy"]))


def test_the_pretend_device_uses_a_thread_of_the_engine() -> None:
    """Backward's kernels and hooks run on another thread than the one that calls backward, else nothing here is tested."""
    printed = on_toy("""
import threading, torch
w = torch.ones(3, device="toy", requires_grad=True)
loss = (w * w).sum()
hooked = []
loss.grad_fn.register_hook(lambda *_: hooked.append(threading.get_ident()))
loss.backward()
print(hooked != [threading.get_ident()], len(toy_device.threads), w.grad.cpu().tolist())
""")
    assert printed.split("\n")[0] == "True 2 [2.0, 2.0, 2.0]"


def test_a_network_is_recorded_as_on_the_cpu() -> None:
    """Order, edges, gradients, updates and statistics of a trained network are the CPU's, device names apart."""
    both = recorded("""
    def program(device):
        net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).to(device)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            x = torch.linspace(-1, 1, 12).reshape(3, 4).to(device)
            loss = (net(x) ** 2).mean()
            loss.backward()
            optimizer.step()
    """)
    assert len(both["toy"]) == 2
    assert {note["device"] for node in both["toy"][0]["nodes"] for note in node["gradients"] if note} == {"toy:0"}
    for cpu, toy in zip(both["cpu"], both["toy"], strict=True):
        assert [node["op"] for node in toy["nodes"] if node["op"] not in ("_to_copy", None)] == [
            node["op"] for node in cpu["nodes"] if node["op"] is not None
        ]
        assert [update["after"]["norm"] for update in toy["updates"]] == [update["after"]["norm"] for update in cpu["updates"]]


def test_nodes_on_two_threads_stay_in_order() -> None:
    """Part of the graph lies on the CPU, whose nodes run on the caller's thread: a node comes before all it sends to."""
    both = recorded("""
    def program(device):
        a = torch.linspace(0, 1, 6, requires_grad=True)
        for _ in range(6):
            b = (a * 2).to(device).sin()
            a = b.cpu() + a
        (a.sum() + (b * b).sum().cpu()).backward()
    """)
    (document,) = both["toy"]
    place = {node: number for number, node in enumerate(document["backward"])}
    sent = [edge for edge in document["edges"] if edge["gradient"] is not None]
    assert len(place) == len(document["backward"]) > 20
    assert {document["nodes"][node]["outputs"][0]["device"] for node in place} == {"cpu", "toy:0"}
    assert all(place[edge["target"]] < place[edge["source"]] for edge in sent)


def test_a_checkpoint_that_recomputes_on_the_device_thread() -> None:
    """A non-reentrant checkpoint runs its forward anew on the engine's thread: none of it is taken for the program's forward."""
    both = recorded("""
    def program(device):
        layer = torch.nn.Linear(2, 2).to(device)
        x = torch.ones(1, 2, device=device, requires_grad=True)
        checkpoint(layer, x, use_reentrant=False).sum().backward()
    """)
    assert same(both)


def test_an_inner_backward_on_the_device_thread() -> None:
    """What a reentrant checkpoint's own backward brings to the weights is told, wherever it ran."""
    both = recorded("""
    def program(device):
        layer = torch.nn.Linear(2, 2).to(device)
        x = torch.ones(1, 2, device=device, requires_grad=True)
        checkpoint(layer, x, use_reentrant=True).sum().backward()
    """)
    assert same(both)
    reasons = {node["name"]: node["reason"] for node in both["toy"][0]["nodes"]}
    assert reasons["weight"] == "inner backward"


def test_a_step_with_a_closure() -> None:
    """An optimizer whose closure runs backward inside the step: the update is recorded."""
    both = recorded("""
    def program(device):
        w = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
    """)
    assert [len(document["updates"]) for document in both["toy"]] == [len(document["updates"]) for document in both["cpu"]] == [1]


def test_an_optimizer_that_steps_inside_backward() -> None:
    """`register_post_accumulate_grad_hook` with a step in it: the update is recorded, although another thread made it."""
    both = recorded("""
    def program(device):
        w = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.1)
        w.register_post_accumulate_grad_hook(lambda leaf: optimizer.step())
        (w * w).sum().backward()
    """)
    assert [len(document["updates"]) for document in both["toy"]] == [len(document["updates"]) for document in both["cpu"]]


@pytest.mark.xfail(strict=True, reason=WANTED)
def test_a_double_backward() -> None:
    """The second-order graph, whose nodes the device thread made, is the same as the CPU's, ops joined to their nodes."""
    both = recorded("""
    def program(device):
        w = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
        (g,) = torch.autograd.grad((w**3).sum(), w, create_graph=True)
        (g * g).sum().backward()
    """)
    assert len(both["toy"]) == 2
    assert [(node["op"], node["autograd"]) for node in both["toy"][1]["nodes"]] == [
        (node["op"], node["autograd"]) for node in both["cpu"][1]["nodes"]
    ]


def test_another_threads_backward_over_the_same_nodes() -> None:
    """A thread that nobody records runs backward over nodes that are being watched: that is not taken for the recorded pass."""
    from explorer import record

    w = torch.tensor([1.0, 2.0], requires_grad=True)
    threads: list[Any] = []

    class Meanwhile(torch.autograd.Function):
        """Its backward lets another thread go through the trunk first."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            import threading

            thread = threading.Thread(target=lambda: torch.autograd.grad(trunk.sum() * 10, w, retain_graph=True))
            thread.start()
            thread.join()
            threads.append(thread)
            return gradient

    with record() as recording:
        trunk = w * 3
        Meanwhile.apply(trunk).sum().backward()
    (trace,) = recording.traces
    assert len(threads) == 1
    trace.check()
    ran = [trace.nodes[number].autograd for number in trace.backward]
    assert ran == ["SumBackward0", "MeanwhileBackward", "MulBackward0", "AccumulateGrad"]
    trunk_node = next(node for node in trace.nodes if node.autograd == "MulBackward0")
    assert trunk_node.gradients[0] is not None
    assert trunk_node.gradients[0].values == (1.0, 1.0)


def test_nothing_is_kept_by_the_engines_thread() -> None:
    """After a recording on the device its recorder can be let go: the engine's thread keeps nothing of it."""
    printed = on_toy("""
import gc, weakref, torch, explorer
w = torch.ones(3, device="toy", requires_grad=True)
with explorer.record() as recording:
    (w * w).sum().backward()
gone = weakref.ref(recording.recorder)
del recording
for _ in range(3):  # what a tensor of Python's own device holds may take a second round
    gc.collect()
print(gone() is None, len(w._backward_hooks or ()))
""")
    assert printed.split() == ["True", "0"]


def test_a_recording_copies_in_batches() -> None:
    """Statistics of a whole recording on the device come to the host in far fewer copies than there are tensors."""
    printed = on_toy("""
import torch, explorer
net = torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(30))).to("toy")
x = torch.ones(4, 8).to("toy")
toy_device.copies.clear()
with explorer.record() as recording:
    net(x).square().sum().backward()
trace = recording.trace
notes = [note for node in trace.nodes for note in (*node.outputs, *node.gradients) if note is not None]
print(len(notes), sum(note.norm is not None for note in notes), len(toy_device.copies))
""")
    notes, measured, copies = map(int, printed.split())
    assert notes == measured > 200
    assert copies <= 20
