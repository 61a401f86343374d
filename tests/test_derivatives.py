"""The parser of derivatives.yaml: against torch's own generator on every entry, and against live nodes of real torch."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.capture import derivatives
from explorer.capture.derivatives import HANDWRITTEN, formula_of, names_for, rule_of
from explorer.formulas import rule_of as maths_of

ROOT = Path(__file__).resolve().parents[1]


# --- without torch -----------------------------------------------------------------------------------------------------------------------


def test_a_rule_reads_as_it_stands_in_the_file() -> None:
    """`mul.Tensor` names MulBackward0, whose text has one line per input."""
    rule = rule_of("MulBackward0")
    assert rule is not None
    assert (rule.autograd, rule.schema, rule.inputs) == ("MulBackward0", "mul.Tensor", ("self", "other"))
    assert rule.text.splitlines() == [
        "self: mul_tensor_backward(grad, other, self.scalar_type())",
        "other: mul_tensor_backward(grad, self, other.scalar_type())",
    ]
    assert formula_of("MulBackward0").source == "derivatives.yaml"


def test_names_follow_the_in_place_functional_and_copy_forms() -> None:
    """An op, its in-place form and its overloads lead to the right node; ops that make no node have no name."""
    assert names_for("mul.Tensor") == names_for("mul_.Tensor") == names_for("aten::mul.Tensor") == {"MulBackward0"}
    assert names_for("relu") == names_for("relu.default") == names_for("relu_") == {"ReluBackward0"}
    assert names_for("pow_.Scalar") == {"PowBackward0"}  # not pow.Scalar, which is Scalar ** Tensor
    assert names_for("_to_copy") == {"ToCopyBackward0"}
    assert names_for("copy_") == {"CopyBackwards"}
    assert names_for("view_copy") >= {"ViewBackward0_copy"}
    assert names_for("select.int") == {"SelectBackward0", "SelectBackwardAutogradNestedTensor0"}
    assert names_for("detach") == names_for("eq.Tensor") == names_for("add.out") == names_for("no_such_op") == frozenset()


def test_every_named_node_has_a_formula() -> None:
    """A formula is one line per input without a line break in it, and handwritten nodes are marked as ours."""
    rules, names = derivatives._tables()
    assert {one for several in names.values() for one in several} == rules.keys()
    for rule in rules.values():
        assert len(rule.text.splitlines()) == len(rule.lines) > 0
        assert all(formula and "  " not in formula for _, formula in rule.lines)
    assert formula_of("torch::autograd::AccumulateGrad").source == "explorer"
    assert all(formula_of(name).text == text for name, text in HANDWRITTEN.items())
    assert formula_of("MyFunctionBackward") is None


def test_a_torch_without_torchgen_gives_no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file is missing, every rule is unknown and nothing fails."""
    caches = (derivatives._tables, derivatives.names_for, derivatives._formula)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(derivatives, "find_spec", lambda name: None)
    try:
        assert rule_of("MulBackward0") is None
        assert names_for("mul.Tensor") == frozenset()
    finally:
        for cache in caches:
            cache.cache_clear()


def test_reading_the_file_needs_neither_torch_nor_yaml_and_is_quick() -> None:
    """A fresh process reads all rules without loading torch, torchgen or PyYAML."""
    program = (
        "import sys; from explorer.capture.derivatives import rule_of; assert rule_of('AddmmBackward0');"
        "assert not {'torch', 'torchgen', 'yaml'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    derivatives._tables.cache_clear()
    start = time.perf_counter()
    rule_of("MulBackward0")
    assert time.perf_counter() - start < 0.5  # 0.015 s alone on a machine


# --- against torch's generator -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated() -> tuple[dict[Any, Any], list[Any]]:
    """What torchgen reads from the same files: its entries, and the entry it gives each native function."""
    pytest.importorskip("yaml")
    from torchgen.api.autograd import match_differentiability_info
    from torchgen.gen import get_grouped_by_view_native_functions, parse_native_yaml
    from torchgen.model import NativeFunction
    from torchgen.packaged.autograd.load_derivatives import load_derivatives

    native, tags = (str(derivatives._packaged("ATen", "native", name)) for name in ("native_functions.yaml", "tags.yaml"))
    entries, _ = load_derivatives(str(derivatives._packaged("autograd", "derivatives.yaml")), native, tags)
    entries = dict(entries)
    functions = []
    for group in get_grouped_by_view_native_functions(parse_native_yaml(native, tags).native_functions):
        functions += [group] if isinstance(group, NativeFunction) else group.functions(include_copy=True)
    return entries, match_differentiability_info(functions, dict(entries))


@pytest.mark.slow
def test_rules_equal_those_of_torchs_generator(generated: tuple[dict[Any, Any], list[Any]]) -> None:
    """Every name, formula, slot order and output of torchgen's 600-odd entries is ours too, and we have no other."""
    infos = {info.op: info for by_key in generated[0].values() for info in by_key.values() if info.op}
    assert {name for name in infos if not name.endswith("_copy")} == derivatives._tables()[0].keys()
    for name, info in infos.items():
        rule = rule_of(name)
        assert rule is not None, name
        theirs = sorted((one.var_names, " ".join(one.original_formula.split())) for one in info.derivatives)
        assert sorted((tuple(derivatives._split(inputs)), formula) for inputs, formula in rule.lines) == theirs, name
        assert rule.inputs == tuple(argument.name for argument in info.args_with_derivatives), name
        assert rule.lists == {one.name for one in info.args_with_derivatives if one.argument.type.is_list_like()}, name
        if info.output_differentiability_conditions is None:
            assert rule.differentiable_outputs == (tuple(info.output_differentiability or ()) or None), name


@pytest.mark.slow
def test_names_equal_those_of_torchs_generator(generated: tuple[dict[Any, Any], list[Any]]) -> None:
    """For every native function the names are torchgen's; ops on lists of tensors may have some more, out= variants have none."""
    for matched in generated[1]:
        function = matched.func.func
        theirs = {info.op for info in (matched.info or {}).values() if info.op}
        ours = names_for(str(function.name))
        if function.is_out_fn():
            assert ours == frozenset(), function.name
        elif str(function.name).startswith("_foreach_"):
            assert ours >= theirs, function.name
        elif str(function.name) != "copy_":
            assert ours == theirs, function.name


# --- against live nodes ------------------------------------------------------------------------------------------------------------------

# op with overload; the call on leaves of the named arguments; shapes of the leaves, in order. A list argument has the names "tensors[0]", …
LIVE: list[tuple[str, Callable[..., Any], dict[str, tuple[int, ...]]]] = []


def live(op: str, call: Callable[..., Any], **shapes: Any) -> None:
    LIVE.append((op, call, shapes))


def _live_ops() -> None:
    import torch
    import torch.nn.functional as F

    live("add.Tensor", lambda a, b: a + b, self=(2,), other=(2,))
    live("add.Tensor", lambda a: a + 1, self=(2,))
    live("mul.Tensor", lambda a, b: a * b, self=(2,), other=(2,))
    live("mul_.Tensor", lambda a, b: a.clone().mul_(b), other=(2,), _before=(2,))
    live("sub.Tensor", lambda a, b: a - b, self=(2,), other=(2,))
    live("rsub.Scalar", lambda a: 1 - a, self=(2,))
    live("div.Tensor", lambda a, b: a / b, self=(2,), other=(2,))
    live("neg", lambda a: -a, self=(2,))
    live("pow.Tensor_Scalar", lambda a: a**2, self=(2,))
    live("pow.Scalar", lambda a: 2**a, exponent=(2,))
    live("pow.Tensor_Tensor", lambda a, b: a**b, self=(2,), exponent=(2,))
    live("exp", torch.exp, self=(2,))
    live("log", torch.log, self=(2,))
    live("tanh", torch.tanh, self=(2,))
    live("sigmoid", torch.sigmoid, self=(2,))
    live("relu", torch.relu, self=(2,))
    live("relu_", lambda a: a.clone().relu_(), _before=(2,))
    live("gelu", F.gelu, self=(2,))
    live("_softmax", lambda a: F.softmax(a, 0), self=(2,))
    live("_log_softmax", lambda a: F.log_softmax(a, 0), self=(2,))
    live("mm", lambda a, b: a @ b, self=(2, 3), mat2=(3, 2))
    live("bmm", torch.bmm, self=(1, 2, 3), mat2=(1, 3, 2))
    live("addmm", lambda x, w, b: F.linear(x, w.T, b), mat1=(2, 3), mat2=(3, 4), self=(4,))
    live("addmm", torch.addmm, self=(2, 2), mat1=(2, 3), mat2=(3, 2))
    live("sum", torch.sum, self=(2,))
    live("sum.dim_IntList", lambda a: a.sum(0), self=(2,))
    live("mean", torch.mean, self=(2,))
    live("mean.dim", lambda a: a.mean(0), self=(2,))
    live("max.dim", lambda a: a.max(0).values, self=(2,))
    live("cat", lambda a, b: torch.cat([a, b]), **{"tensors[0]": (2,), "tensors[1]": (3,)})
    live("stack", lambda a, b: torch.stack([a, b]), **{"tensors[0]": (2,), "tensors[1]": (2,)})
    live("unbind.int", lambda a: a.unbind(0)[1], self=(2, 2))
    live("split.Tensor", lambda a: a.split(1)[1], self=(2,))
    live("view", lambda a: a.view(4), self=(2, 2))
    live("t", lambda a: a.t(), self=(2, 2))
    live("transpose.int", lambda a: a.transpose(0, 1), self=(2, 2))
    live("expand", lambda a: a.expand(2, 2), self=(2,))
    live("select.int", lambda a: a[0], self=(2,))
    live("slice.Tensor", lambda a: a[1:], self=(3,))
    live("index.Tensor", lambda a: a[torch.tensor([0, 1])], self=(3,))
    live("where.self", lambda a, b: torch.where(a > 0, a, b), self=(2,), other=(2,))
    live("masked_fill.Scalar", lambda a: a.masked_fill(torch.tensor([True, False]), 0.0), self=(2,))
    live("clone", torch.clone, self=(2,))
    live("_to_copy", lambda a: a.double(), self=(2,))
    live("copy_", lambda a: torch.zeros(2).copy_(a), src=(2,))
    live("embedding", lambda w: F.embedding(torch.tensor([0, 1]), w), weight=(3, 2))
    live("convolution", F.conv1d, input=(1, 2, 4), weight=(3, 2, 2), bias=(3,))
    live("native_layer_norm", lambda x, w, b: F.layer_norm(x, (3,), w, b), input=(2, 3), weight=(3,), bias=(3,))
    live("native_batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True), input=(4, 3), weight=(3,), bias=(3,))
    live("nll_loss_forward", lambda a: F.nll_loss(a, torch.tensor([0, 1])), self=(2, 3))
    live("mse_loss", F.mse_loss, self=(2,), target=(2,))
    live("binary_cross_entropy", lambda a: F.binary_cross_entropy(torch.sigmoid(a), torch.ones(2)), _before=(2,))


def test_live_nodes_have_the_names_and_slots_of_their_rule() -> None:
    """On fifty real ops the node's name is one of `names_for`, and slot k leads to the leaf of the argument that the rule names."""
    torch = pytest.importorskip("torch")
    LIVE.clear()
    _live_ops()
    assert len({op for op, _, _ in LIVE}) >= 45
    for op, call, shapes in LIVE:
        arguments = {name: torch.rand(shape).add(0.1).requires_grad_() for name, shape in shapes.items()}
        if "_before" in arguments:  # the leaf that an op before this one takes
            call_with = [arguments["_before"], *(one for name, one in arguments.items() if name != "_before")]
        else:
            call_with = list(arguments.values())
        node = call(*call_with).grad_fn
        name = node.name().removeprefix("torch::autograd::")
        assert name in names_for(op), (op, name)
        if name in HANDWRITTEN:
            continue
        rule = rule_of(name)
        assert rule is not None
        sizes = {listed: sum(one.startswith(f"{listed}[") for one in arguments) for listed in rule.lists}
        slots = rule.slots(sizes)
        assert len(slots) == len(node.next_functions), (op, slots, node.next_functions)
        for slot, (following, _) in zip(slots, node.next_functions, strict=True):
            if slot in arguments and following is not None and hasattr(following, "variable"):
                assert following.variable is arguments[slot], (op, slot)
            if following is None:
                assert slot not in arguments, (op, slot)


def test_maths_are_those_for_the_arguments() -> None:
    """Beside torch's line stands the rule we wrote, for the arguments of the op; where they are not known and matter there is none."""
    mul, gelu = formula_of("MulBackward0"), formula_of("GeluBackward0", {"approximate": "tanh"})
    assert mul is not None and mul.latex == maths_of("MulBackward0").latex
    assert gelu is not None and "tanh" in gelu.latex
    assert "erf" in formula_of("GeluBackward0", {}).latex
    assert formula_of("GeluBackward0").latex is None
    assert formula_of("AccumulateGrad").latex == maths_of("AccumulateGrad").latex
    assert formula_of("DigammaBackward0").latex is None
    assert formula_of("MulBackward0") is mul


def test_nodes_written_by_hand_in_cpp_have_a_text() -> None:
    """AccumulateGrad, CopySlices and CopyBackwards, taken from real graphs, are in the handwritten table with the slots it says."""
    torch = pytest.importorskip("torch")
    a, b = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    base = a * 2
    base[1:].mul_(b)
    assert formula_of(base.grad_fn.name()).text == HANDWRITTEN["CopySlices"]
    copied = (a * 2)[:2].clone().copy_(b)
    assert formula_of(copied.grad_fn.name()).text == HANDWRITTEN["CopyBackwards"]
    assert formula_of(copied.grad_fn.next_functions[1][0].name()).text == HANDWRITTEN["AccumulateGrad"]
    base.sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([2, 2, 2], [2, 2])


@pytest.mark.slow
def test_classes_of_torch_without_a_rule_are_the_handwritten_ones() -> None:
    """Every node class that this torch offers has a rule or a handwritten text, but for a named few."""
    torch = pytest.importorskip("torch")
    classes = {name for name in dir(torch._C._functions) if not name.startswith("_")}
    without = {name for name in classes if formula_of(name) is None}
    assert without <= {"SendRpcBackward"}, without
