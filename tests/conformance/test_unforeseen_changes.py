"""Numbers changed where no op tells of it, after they flowed and before they are measured: by numpy, through `.data`, inside hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from torch import nn
from torch.autograd import Function

import explorer
from explorer.model import Note, Trace
from tests.conformance.reading import close, edge, named, op, ops, tensor, whole

Hook = Callable[[torch.Tensor], None]


def through_data(gradient: torch.Tensor) -> None:
    gradient.data.mul_(0.5)


def through_numpy(gradient: torch.Tensor) -> None:
    array = gradient.detach().numpy()
    array *= 0.5


def in_place(gradient: torch.Tensor) -> None:
    gradient.mul_(0.5)


changes = pytest.mark.parametrize("change", [in_place, through_data, through_numpy])
sizes = pytest.mark.parametrize("size", [9, 90])  # with all values, and without


def recorded(program: Callable[[], Any], *, values: str = "stats") -> tuple[Any, Trace]:
    torch.manual_seed(5)
    with explorer.record(values=values) as recording:
        result = program()
    return result, whole(recording.trace)


def about(note: Note | None, expected: torch.Tensor) -> None:
    """The note's figures are those of `expected`."""
    assert note is not None
    assert note.min == float(expected.min())
    assert note.max == float(expected.max())
    assert note.norm == pytest.approx(float(expected.detach().double().norm()), rel=1e-9)
    if note.values is not None:
        assert torch.equal(torch.tensor(note.values), expected)


@pytest.mark.parametrize("size", [4, 100])
def test_a_buffer_of_numpys_is_filled_anew(size: int) -> None:
    """`torch.from_numpy(buffer)` is read in each of three passes, the buffer filled before each: every pass shows what it read."""
    buffer = numpy.zeros(size, dtype="float32")
    x, w = torch.from_numpy(buffer), torch.ones(size, requires_grad=True)
    with explorer.record() as recording:
        for step in range(3):
            buffer[:] = numpy.arange(size) + step
            (x * w).sin().sum().backward()
    for step, trace in enumerate(recording.traces):
        about(named(whole(trace), "x").outputs[0], torch.arange(size) + float(step))


def test_a_buffer_of_numpys_is_filled_anew_within_a_pass() -> None:
    """The products show what was read, and every op keeps the autograd node that is its own."""
    buffer = numpy.zeros(4, dtype="float32")
    x, w, terms = torch.from_numpy(buffer), torch.ones(4, requires_grad=True), []
    with explorer.record() as recording:
        for step in range(3):
            buffer[:] = step + 1
            terms.append((x * w).sin().sum())
        torch.stack(terms).sum().backward()
    trace = whole(recording.trace)
    products = ops(trace, "mul")
    assert [node.outputs[0].max for node in products] == [1.0, 2.0, 3.0]
    assert all(node.autograd == "MulBackward0" for node in products)
    assert named(trace, "x").outputs[0].max == 3.0  # one node, as of any leaf that changes within a pass: what it held last


@pytest.mark.parametrize("size", [4, 100])
def test_a_result_is_changed_through_an_array(size: int) -> None:
    """Views taken of a result between two changes through its array show what they had when they were made."""

    def program() -> None:
        w = torch.ones(size, requires_grad=True)
        y = w * 2
        array = y.detach().numpy()
        array *= 3
        z = y.view(2, -1).t()
        array += 1
        total = (z * 1).sum()
        array *= 0
        total.backward()

    _, trace = recorded(program)
    assert [ops(trace, name)[0].outputs[0].max for name in ("detach", "view", "t")] == [2.0, 6.0, 6.0]
    assert [node.outputs[0].max for node in ops(trace, "mul")] == [2.0, 7.0]


class Doubling(Function):
    """Changes the gradient it is given."""

    change: Hook

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        Doubling.change(gradient)
        return gradient


@changes
@sizes
def test_a_function_changes_what_it_is_given(change: Hook, size: int) -> None:
    """What flowed into the Function is what it was given; what flowed out, the changed tensor, though it is the very same."""
    Doubling.change = staticmethod(change)

    def program() -> torch.Tensor:
        w = torch.rand(size, requires_grad=True)
        Doubling.apply(w.exp()).square().sum().backward()
        return w.detach()

    w, trace = recorded(program)
    node = op(trace, "Doubling")
    given = op(trace, "pow").outputs[0]
    assert given.norm is not None
    about(node.gradients[0], 2 * w.exp())
    about(edge(trace, op(trace, "exp"), node).gradient, w.exp())
    about(op(trace, "exp").gradients[0], w.exp())


@changes
@sizes
def test_a_hook_of_a_tensor_changes_the_gradient(change: Hook, size: int) -> None:
    """The edge shows what flowed before the hook, the node what it received after it, where views carry it on too."""

    def program() -> None:
        w = torch.ones(size, requires_grad=True)
        y = w * 2
        y.register_hook(change)
        (y.view(3, -1).t() * 5).sum().backward()

    _, trace = recorded(program)
    product = next(node for node in ops(trace, "mul") if node.outputs[0].shape == (size,))
    view = op(trace, "view")
    assert edge(trace, product, view).gradient is not None
    about(edge(trace, product, view).gradient, torch.full((size,), 5.0))
    about(edge(trace, view, op(trace, "t")).gradient, torch.full((3, size // 3), 5.0))
    about(product.gradients[0], torch.full((size,), 2.5))
    about(named(trace, "w").gradients[0], torch.full((size,), 5.0))


@changes
@sizes
def test_a_hook_of_a_node_changes_what_it_sends(change: Hook, size: int) -> None:
    """A post-hook of the user's on a node, registered before ours, changes in place what is sent on; the node had received it unchanged."""

    def program() -> None:
        w = torch.ones(size, requires_grad=True)
        y = (w * 2).view(3, -1)
        assert y.grad_fn is not None
        y.grad_fn.register_hook(lambda sent, received: change(sent[0]))
        (y * 5).sum().backward()

    _, trace = recorded(program)
    view = op(trace, "view")
    about(view.gradients[0], torch.full((3, size // 3), 5.0))
    product = next(node for node in ops(trace, "mul") if node.outputs[0].shape == (size,))
    about(edge(trace, product, view).gradient, torch.full((size,), 2.5))
    about(product.gradients[0], torch.full((size,), 2.5))


def test_a_hook_of_a_node_replaces_what_a_view_sends() -> None:
    """A view sends on what it received, unless a hook of the user's put something else in its place."""

    def program() -> None:
        w = torch.ones(90, requires_grad=True)
        y = (w * 2).view(3, -1)
        assert y.grad_fn is not None
        y.grad_fn.register_hook(lambda sent, received: (sent[0] * 3,))
        (y * 5).sum().backward()

    _, trace = recorded(program)
    view = op(trace, "view")
    about(view.gradients[0], torch.full((3, 30), 5.0))
    product = next(node for node in ops(trace, "mul") if node.outputs[0].shape == (90,))
    about(edge(trace, product, view).gradient, torch.full((90,), 15.0))


@changes
@sizes
def test_a_hook_changes_a_gradient_that_was_accumulated(change: Hook, size: int) -> None:
    """What flowed in stands as it flowed in, `.grad` as the hook left it."""

    def program() -> None:
        w = nn.Parameter(torch.ones(size))
        w.register_post_accumulate_grad_hook(lambda p: change(p.grad))
        (w.view(3, -1) * 5).sum().backward()

    _, trace = recorded(program)
    w = named(trace, "w")
    about(w.gradients[0], torch.full((size,), 5.0))
    assert w.accumulated is not None
    about(w.accumulated.after, torch.full((size,), 2.5))
    about(edge(trace, w, op(trace, "view")).gradient, torch.full((size,), 5.0))


def test_whole_tensors_leave_the_users_as_they_were() -> None:
    """With `values="all"` numpy sees no memory of the user's, so that a storage can still be resized; odd strides are copied."""

    def program() -> torch.Tensor:
        w = torch.ones(100, requires_grad=True)
        y = w * 2
        total = (y + 1).sum() + torch.arange(3).expand(1, 3)[:, :1].expand(1, 1).float().sum()
        y.untyped_storage().resize_(0)
        total.backward()
        return w.grad if w.grad is not None else w

    gradient, trace = recorded(program, values="all")
    assert trace.tensors
    about(named(trace, "w").gradients[0], gradient)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_whole_tensors_of_tangents_never_made() -> None:
    """Forward mode's zeros, which have no memory, are kept as the zeros they are."""

    def program() -> torch.Tensor:
        x = torch.ones(3)
        return torch.func.jvp(lambda a, b: (a * b).sum(), (x, x), (x, torch.zeros(3)))[1]

    result, _ = recorded(program, values="all")
    assert float(result) == 3.0


def test_a_storage_made_smaller_has_no_figures() -> None:
    """A result whose memory was taken away before it was measured is shown without figures, not with those of whatever lies there now."""

    def program() -> None:
        w = torch.ones(8000, requires_grad=True)
        y = w * 2
        total = (y + 1).sum()
        y.untyped_storage().resize_(4)
        total.backward()

    _, trace = recorded(program)
    note = op(trace, "mul").outputs[0]
    assert (note.shape, note.min, note.norm) == ((8000,), None, None)
    assert not [finding for finding in trace.findings if finding.severity == "error"]


def test_looking_at_a_view_does_not_remake_its_node() -> None:
    """Torch remakes the node of a view whose base changed when it is first asked for; that is when the program asks, not when it reads."""

    def program() -> bool:
        w = torch.ones(4, 4, requires_grad=True)
        y = w * 2
        view = y.view(16)
        y[0] = 3.0
        copy = view.data
        later = w.sin()
        assert copy.shape == (16,)
        assert view.grad_fn is not None
        assert later.grad_fn is not None
        return view.grad_fn._sequence_nr() > later.grad_fn._sequence_nr()

    assert program()
    assert recorded(lambda: [program(), torch.ones(1, requires_grad=True).sum().backward()])[0][0]


@pytest.mark.parametrize("how", ["detach", "data", "never"])
@pytest.mark.parametrize("size", [3, 300])
def test_a_parameter_written_to_by_numpy_is_measured_again(how: str, size: int) -> None:
    """What numpy writes into a parameter's memory between two ops shows where it is read next; results computed before keep theirs."""
    weight = nn.Parameter(torch.ones(size))
    with explorer.record() as recording:
        first = weight * 2
        if how == "detach":
            weight.detach().numpy()[:] = 5
        elif how == "data":
            weight.data.numpy()[1] = 5
        second = weight * 3
        third = weight * 4
        (first + second + third).sum().backward()
    trace = whole(recording.trace)
    leaf = named(trace, "weight")
    for node, expected in (
        (leaf, weight),
        (named(trace, "first"), first),
        (named(trace, "second"), second),
        (named(trace, "third"), third),
    ):
        found = node.outputs[0]
        assert (found.min, found.max) == (expected.min().item(), expected.max().item())
        assert found.norm == pytest.approx(expected.norm().item())
    assert leaf.outputs[0].max == (1.0 if how == "never" else 5.0)
    assert len([node for node in trace.nodes if node.kind == "parameter"]) == 1


# -- memory that nobody filled


def by_part(x: torch.Tensor) -> torch.Tensor:
    made = torch.empty(3)
    made[0] = 5
    made[1:] = x.detach()[1:]
    return (made * x).sum()


def by_out(x: torch.Tensor) -> torch.Tensor:
    made = torch.empty(3)
    torch.mul(x.detach(), 2, out=made)
    return (made * x).sum()


def by_numpy(x: torch.Tensor) -> torch.Tensor:
    made = torch.empty(3)
    room = made.numpy()
    room[:] = 4
    return (made * x).sum()


def by_numpy_later(x: torch.Tensor) -> torch.Tensor:
    made = torch.empty_like(x)
    nothing = (torch.zeros_like(made) * x).sum()
    made.view(3, 1)
    made.numpy()[:] = 4
    return nothing + (made * x).sum()


def by_data(x: torch.Tensor) -> torch.Tensor:
    made = x.new_empty(3)
    made.data.fill_(4)
    return (made * x).sum()


def at_once(x: torch.Tensor) -> torch.Tensor:
    made = torch.empty(3).fill_(4)
    return (made * x).sum()


FILLED = {by_part: [5.0, 2.0, 3.0], by_out: [2.0, 4.0, 6.0]} | dict.fromkeys((by_numpy, by_numpy_later, by_data, at_once), [4.0] * 3)


@pytest.mark.parametrize("program", FILLED)
@pytest.mark.parametrize("values", ["stats", "all"])
def test_memory_that_nobody_filled_has_no_numbers(program: Callable[[torch.Tensor], torch.Tensor], values: str) -> None:
    """What `torch.empty` gives out, and a view of it, has a shape and no values before something is written to it, and then those."""
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    kept = [torch.full((3,), 7.75) for _ in range(100)]
    del kept  # what lies in memory now
    with explorer.record(values=values) as recording:
        program(x).backward()
    trace = whole(recording.trace)
    product = next(node for node in trace.nodes if node.op == "mul" and node.status == "executed" and node.outputs[0].max != 0)
    made = next(trace.nodes[one.source] for one in trace.edges if one.target == product.id and one.input == 0)
    assert tensor(made.outputs[0]).tolist() == FILLED[program]
    close(product.outputs[0], torch.tensor(FILLED[program]) * x.detach())
    notes = [note for node in trace.nodes for note in node.outputs if note.values is not None]
    if program is not by_part:  # of what is filled in part, all is shown: nobody knows which part
        assert 7.75 not in {value for note in notes for value in tensor(note).flatten().tolist()}
    for node in trace.nodes:
        if node.op in ("empty", "new_empty", "empty_like") and program in (by_part, by_out, by_data):
            assert node.outputs[0].shape == (3,) and (node.outputs[0].norm, node.outputs[0].values) == (None, None)
            assert f"n{node.id}.output0" not in trace.tensors
