"""What autograd does to a tracer: derivatives that torch computes otherwise where it is watched (T08, T10, T34)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

import explorer
from explorer.capture.watched import ASKING
from tests.conformance.reading import close, named, whole

# By name: a program of one tensor whose backward asks whether it is watched, and the node that asks. The inputs are such that the two
# ways to compute it differ.
ASK: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "prod": (lambda x: (x * 2).prod(), "ProdBackward0"),
    "prod over rows": (lambda x: x.prod(1), "ProdBackward1"),
    "cumprod": (lambda x: x.cumprod(1), "CumprodBackward0"),
    "masked fill": (lambda x: (x * 1).masked_fill(x > 0.5, x.sum()), "MaskedFillBackward1"),
    "max": (lambda x: x.max(), "MaxBackward1"),
    "min": (lambda x: x.min(), "MinBackward1"),
    "median": (lambda x: x.median(), "MedianBackward0"),
    "nanmedian": (lambda x: x.nanmedian(), "NanmedianBackward0"),
    "determinant": (lambda x: torch.linalg.det(x), "LinalgDetBackward0"),
    "matrix exponential": (lambda x: torch.linalg.matrix_exp(x), "LinalgMatrixExpBackward0"),
    "eigenvalues": (lambda x: torch.linalg.eig(x).eigenvectors.abs(), "LinalgEigBackward0"),
    "symmetric eigenvalues": (lambda x: torch.linalg.eigh(x @ x.T).eigenvectors.abs(), "LinalgEighBackward0"),
    "householder": (lambda x: torch.linalg.householder_product(x, x[0]), "LinalgHouseholderProductBackward0"),
    "ormqr": (lambda x: torch.ormqr(x, x[0], x), "OrmqrBackward0"),
}


def nodes_behind(*tensors: torch.Tensor) -> Counter[str]:
    """The names of all nodes behind some tensors."""
    waiting = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        for following, _ in waiting.pop().next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return Counter(node.name() for node in seen)


def derivatives(program: Callable[[torch.Tensor], torch.Tensor]) -> tuple[list[torch.Tensor], Counter[str]]:
    """Value, gradient and gradient of the gradient at one place, and the names of the nodes behind the gradient."""
    torch.manual_seed(3)
    x = torch.rand(5, 5, requires_grad=True)
    value = program(x)
    (gradient,) = torch.autograd.grad(value.square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), x)
    return [value.detach(), gradient.detach(), second], nodes_behind(gradient)


def test_T34_every_node_that_asks_has_its_program() -> None:
    """The table of nodes that ask, and the programs here, name the same ones."""
    assert {node for _, node in ASK.values()} == ASKING


@pytest.mark.parametrize("name", ASK)
def test_T34_a_double_backward_is_computed_as_without_us(name: str) -> None:
    """Torch takes another way to a derivative where it is watched: every bit, and the graph, are those of an unwatched run."""
    program, node = ASK[name]
    plain, behind = derivatives(program)
    with explorer.record() as recording:
        watched, seen = derivatives(program)
    assert behind[node]
    assert seen == behind
    for one, other in zip(plain, watched, strict=True):
        assert torch.equal(one, other)
    first, second = (whole(trace) for trace in recording.traces)
    assert not [finding for trace in (first, second) for finding in trace.findings if finding.kind == "changed_by_watching"]
    assert all(node.op is not None for node in second.nodes if node.kind == "op" and node.autograd != "CopySlices")


def test_T34_a_double_backward_of_a_pass_that_nobody_wanted() -> None:
    """Where only the second pass is recorded, the first is computed as without us, too, and the graph goes on through it."""
    from explorer.capture.recorder import Recorder

    (_, gradient, second), _ = derivatives(ASK["prod"][0])
    for wanted in (2, 3):
        with Recorder(wanted=wanted) as recorder:
            (_, again, other), _ = derivatives(ASK["prod"][0])
        assert torch.equal(gradient, again) and torch.equal(second, other)
        traces = recorder.traces()
        if wanted == 2:
            (trace,) = traces
            close(whole(trace).nodes[named(trace, "x").id].gradients[0], second)


def test_T34_what_is_computed_unseen_is_drawn() -> None:
    """The product's own backward is in the second pass by name, with the value of what was read afterwards, and no made-up one."""
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        (g,) = torch.autograd.grad((x * 2).prod(), x, create_graph=True)
        (g * g).sum().backward()
    trace = whole(recording.trace)
    (quotient,) = [node for node in trace.nodes if node.op == "div"]
    assert quotient.autograd == "DivBackward0" and quotient.status == "executed" and quotient.formula is not None
    assert [(note.shape, note.values) for note in quotient.outputs] == [((3,), None)]
    close(named(trace, "g").outputs[0], torch.tensor([64.0, 32.0, 16.0]))


def test_T34_a_failing_double_backward_leaves_the_mode_as_it_was() -> None:
    """A node that asks, and then fails, leaves watching as it was: what follows is recorded, and afterwards nothing watches."""
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    with explorer.record() as recording:
        y = x * 1
        z = y.cumprod(0)
        y.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            torch.autograd.grad(z.sum(), x, create_graph=True)
        w = x * 3
        w.sum().backward()
    assert torch._C._len_torch_dispatch_stack() == 0
    close(named(whole(recording.trace), "w").outputs[0], torch.tensor([3.0, 6.0, 12.0]))


@pytest.mark.parametrize("wanted", [(True, True), (True, False), (False, True)])
def test_T34_a_result_that_nobody_asked_for_has_no_number(wanted: tuple[bool, bool]) -> None:
    """A convolution of data gives no gradient for the data: its other gradients keep their values, their edges and their order."""
    layer = torch.nn.Conv2d(1, 2, 3)
    asked = [one for one, want in zip(layer.parameters(), wanted, strict=True) if want]
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    with explorer.record() as recording:
        gradients = torch.autograd.grad(layer(image).square().sum(), asked, create_graph=True)
        torch.stack([(gradient * (number + 2)).sum() for number, gradient in enumerate(gradients)]).sum().backward()
    trace = whole(recording.trace)
    (node,) = [node for node in trace.nodes if node.op == "convolution_backward"]
    assert [note.values is not None for note in node.outputs] == [True] * len(asked)
    for number, gradient in enumerate(gradients):
        close(node.outputs[number], gradient.detach())
        close(node.gradients[number], torch.full_like(gradient, number + 2.0))
    followed = [(edge.output, edge.gradient.shape) for edge in trace.edges if edge.source == node.id and edge.gradient is not None]
    assert followed == [(number, tuple(gradient.shape)) for number, gradient in enumerate(gradients)]


def test_T10_the_backward_of_an_index_is_marked() -> None:
    """Watched, a double backward through an indexed tensor has another node, of the same values: the finding says so, once."""
    rows = torch.tensor([0, 2, 2])
    plain, behind = derivatives(lambda x: x[rows])
    with explorer.record() as recording:
        watched, seen = derivatives(lambda x: x[rows])
    assert (behind - seen, seen - behind) == (Counter(["IndexPutImplBackward0"]), Counter(["IndexPutBackward0"]))
    assert all(torch.equal(one, other) for one, other in zip(plain, watched, strict=True))
    (finding,) = [finding for finding in whole(recording.trace).findings if finding.kind == "changed_by_watching"]
    assert "IndexPutImplBackward0" in finding.message["en"] and "IndexPutImplBackward0" in finding.message["ko"]


@pytest.mark.parametrize("name", ["put", "unpool"])
def test_T10_a_double_backward_that_is_as_always_is_not_marked(name: str) -> None:
    """The backward of `index_put` puts zeros, and that of an unpooling makes views, watched or not: nothing is said of it."""
    places = torch.tensor([0, 2, 3])
    wide = torch.arange(9).mul(4).reshape(1, 1, 3, 3).expand(1, 2, 3, 3).contiguous(memory_format=torch.channels_last)

    def put(x: torch.Tensor) -> torch.Tensor:
        return x.index_put((places,), x[0, 0])

    def unpool(x: torch.Tensor) -> torch.Tensor:
        image = x[:3, :3].expand(1, 2, 3, 3).contiguous(memory_format=torch.channels_last)
        return torch.nn.functional.max_unpool2d(image, wide, [2, 2], output_size=(6, 6))

    program = put if name == "put" else unpool
    plain, behind = derivatives(program)
    with explorer.record() as recording:
        watched, seen = derivatives(program)
    assert behind == seen and all(torch.equal(one, other) for one, other in zip(plain, watched, strict=True))
    assert not [f for trace in recording.traces for f in trace.findings if f.kind == "changed_by_watching"]
