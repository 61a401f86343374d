"""What autograd does to a tracer: stale tensors, NaN, and which line is to blame (T22, T38)."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import explorer
from explorer.model import Finding, Trace
from tests.conformance.reading import named, op, whole


def found(trace: Trace, kind: str) -> Finding:
    """The one finding of a kind."""
    (finding,) = [finding for finding in trace.findings if finding.kind == kind]
    assert finding.message["en"] and finding.message["ko"] and finding.remedy["en"] and finding.remedy["ko"]
    return finding


def line(finding: Finding) -> str:
    """The expression that a finding blames."""
    assert finding.source is not None
    return finding.source.expression


def stopped(program: Callable[[], None]) -> Trace:
    """The trace of a program whose backward raises because of a stale tensor."""
    with pytest.raises(RuntimeError, match="modified by an inplace operation"), explorer.record() as recording:
        program()
    return whole(recording.trace)


# -- T22


def test_T22_a_stale_saved_tensor_is_explained() -> None:
    """`b = a.sin(); a.add_(1)`: drawn, "stale", and the finding names the line that changed a and the line that had saved it."""

    def program() -> None:
        a = torch.tensor([1.0, 2.0], requires_grad=True) * 1
        b = a.sin()
        a.add_(1)
        b.sum().backward()

    trace = stopped(program)
    assert trace.partial
    assert [node.op for node in trace.nodes if node.kind == "op"] == ["mul", "sin", "add_", "sum"]
    (saved,) = named(trace, "b").saved
    assert (saved.name, saved.state) == ("self", "stale")
    finding = found(trace, "stale_saved_tensor")
    assert (finding.severity, line(finding), finding.node) == ("error", "a.add_(1)", op(trace, "add_").id)
    assert [(related.role, related.source.expression) for related in finding.related] == [("saved", "a.sin()")]
    assert "in place" in finding.message["en"] and "b" in finding.message["en"]
    error = found(trace, "user_error")
    assert line(error) == "b.sum().backward()"
    assert "modified by an inplace operation" in error.message["en"]
    assert named(trace, "b").status == "not executed"
    assert op(trace, "sum").status == "executed"


def test_T22_the_first_of_several_changes_is_to_blame() -> None:
    """Of two changes after the op, the first made the tensor stale; a change before the op did not."""

    def program() -> None:
        a = torch.tensor([1.0, 2.0], requires_grad=True) * 1
        a.mul_(3)
        b = a.sin()
        a.add_(1)
        a.sub_(2)
        b.sum().backward()

    assert line(found(stopped(program), "stale_saved_tensor")) == "a.add_(1)"


def test_T22_a_leaf_changed_without_a_graph() -> None:
    """A weight that is changed between forward and backward: the finding stands at the op that had saved it."""
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)

    def program() -> None:
        y = w * v
        with torch.no_grad():
            w.add_(1)
        y.sum().backward()

    finding = found(stopped(program), "stale_saved_tensor")
    assert line(finding) == "w * v"
    assert "in place" in finding.message["en"]


def test_T22_no_false_alarm() -> None:
    """A stale tensor that backward never asks for is no error: `grad` for another branch runs through."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        a = w * 1
        b = a.sin()
        v = torch.tensor([3.0, 4.0], requires_grad=True)
        loss = (b + v * 2).sum()
        a.add_(1)
        torch.autograd.grad(loss, v)
    trace = whole(recording.trace)
    assert named(trace, "b").saved[0].state == "stale"
    assert [finding for finding in trace.findings if finding.severity == "error"] == []


# -- T38


def test_T38_A_the_first_op_in_forward_order() -> None:
    """`sqrt(sqrt(x - 2))` at 1: the inner root made the first NaN, although the outer one's backward runs first."""
    x = torch.tensor(1.0, requires_grad=True)
    with explorer.record() as recording:
        loss = torch.sqrt(torch.sqrt(x - 2))
        loss.backward()
    trace = whole(recording.trace)
    finding = found(trace, "nan_forward")
    assert (finding.severity, line(finding)) == ("error", "torch.sqrt(x - 2)")
    assert trace.nodes[finding.node].outputs[0].nans == 1
    assert trace.loss is not None and math.isnan(trace.loss)


def test_T38_B_a_silent_nan_loss() -> None:
    """`log(-1)`: nothing raises, the loss is NaN, the gradient -1 is finite; reported all the same."""
    x = torch.tensor(-1.0, requires_grad=True)
    with explorer.record() as recording:
        loss = torch.log(x)
        loss.backward()
    trace = whole(recording.trace)
    finding = found(trace, "nan_forward")
    assert (finding.severity, line(finding)) == ("error", "torch.log(x)")
    assert x.grad is not None and x.grad.item() == -1.0
    assert "nan_gradient" not in {finding.kind for finding in trace.findings}


def test_T38_C_the_branch_that_where_leaves_out() -> None:
    """`where(x > 0, sqrt(x), 0)` at 0: the loss is 0, the gradient NaN; the finding blames the root and explains 0 times infinity."""
    x = torch.tensor(0.0, requires_grad=True)
    with explorer.record() as recording:
        loss = torch.where(x > 0, torch.sqrt(x), 0.0)
        loss.backward()
    trace = whole(recording.trace)
    assert trace.loss == 0.0
    assert x.grad is not None and x.grad.isnan()
    finding = found(trace, "nan_gradient")
    assert line(finding) == "torch.sqrt(x)"
    assert [(related.role, related.source.expression) for related in finding.related] == [
        ("where", "torch.where(x > 0, torch.sqrt(x), 0.0)")
    ]
    assert "torch.where" in finding.message["en"] and "loss is finite" in finding.message["en"]
    assert "torch.where" in finding.message["ko"]
    assert op(trace, "sqrt").gradients[0].item == 0.0


def test_T38_D_a_division_that_where_leaves_out() -> None:
    """`where(x == 0, 1, sin(x) / x)` at 0: the loss is 1, the gradient NaN; forward and backward findings say that where left it out."""
    x = torch.tensor(0.0, requires_grad=True)
    with explorer.record() as recording:
        loss = torch.where(x == 0, 1.0, torch.sin(x) / x)
        loss.backward()
    trace = whole(recording.trace)
    assert trace.loss == 1.0
    assert x.grad is not None and x.grad.isnan()
    for kind in ("nan_forward", "nan_gradient"):
        finding = found(trace, kind)
        assert line(finding) == "torch.sin(x) / x"
        assert [related.role for related in finding.related] == ["where"]
        assert "torch.where" in finding.message["en"] and "torch.where" in finding.message["ko"]
    assert op(trace, "div").gradients[0].item == 0.0


def test_T38_where_is_not_blamed_for_everything() -> None:
    """A NaN gradient without a where on the way, or with a where that takes the branch, is not explained by one."""
    for taken in (False, True):
        x = torch.tensor([0.0, 4.0], requires_grad=True)
        with explorer.record() as recording:
            root = torch.sqrt(x)
            kept = torch.where(x >= 0, root, 0.0) if taken else root
            loss = (kept * torch.tensor([0.0, 1.0])).sum()
            loss.backward()
        trace = whole(recording.trace)
        assert x.grad is not None and x.grad[0].isnan()
        finding = found(trace, "nan_gradient")
        assert line(finding) == "torch.sqrt(x)"
        assert finding.related == ()
        assert "torch.where" not in finding.message["en"]
