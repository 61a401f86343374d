"""Small traces built by hand, with the numbers torch 2.13 gives, so that everything that only reads a trace is tested without torch.

`dummy_trace` is the logistic neuron (x=1.1, w=2.2, b=0, label 1), `nonfinite_trace` holds NaN and inf, `chain_trace` is as deep as asked,
`note` notes nested lists.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from explorer.model import (
    Accumulated,
    Checks,
    Edge,
    Finding,
    Formula,
    GradientCheck,
    MadeWith,
    Module,
    Node,
    NodeCheck,
    Note,
    Related,
    Saved,
    Source,
    StepError,
    Time,
    Trace,
    Update,
)

MADE_WITH = MadeWith(explorer="0.1.0", torch="2.13.0", python="3.11.9", device="cpu", dtype="float32", seed=0)

SOURCE_TEXT = """\
import torch
import torch.nn.functional as F

y = torch.tensor([1.0])
x = torch.tensor([1.1])
w = torch.tensor([2.2], requires_grad=True)
b = torch.tensor([0.0], requires_grad=True)

z = x * w + b
a = torch.sigmoid(z)
loss = F.binary_cross_entropy(a, y)
loss.backward()
"""

X, W, B = 1.100000023841858, 2.200000047683716, 0.0  # 1.1 and 2.2 as float32 holds them
Z, A, LOSS = 2.4200000762939453, 0.918339729309082, 0.0851878821849823
GRAD_W, GRAD_Z, GRAD_A = -0.08982629328966141, -0.08166026324033737, -1.0889215469360352
NEW_W, NEW_B = 2.2089827060699463, 0.008166026324033737  # after SGD with lr 0.1


def note(values: Any, dtype: str = "float32", *, device: str = "cpu", keep: bool = True) -> Note:
    """The Note of `values` (nested lists or one number), statistics as torch has them; without values above 64 or on `keep=False`."""
    flat = [float(value) for value in _flatten(values)]
    shape = _shape(values)
    lowest, highest, mean, std, norm = _statistics(flat)
    return Note(
        shape=shape,
        dtype=dtype,
        device=device,
        min=lowest,
        max=highest,
        mean=mean,
        std=std,
        norm=norm,
        zeros=sum(value == 0 for value in flat),
        nans=sum(math.isnan(value) for value in flat),
        infs=sum(math.isinf(value) for value in flat),
        values=_nested(values) if keep and len(flat) <= 64 else None,
    )


def source_line(number: int, expression: str, text: str = SOURCE_TEXT, file: str = "neuron.py") -> Source:
    """The Source of `expression` in line `number` (from 1) of `text`."""
    code = text.splitlines()[number - 1]
    column = code.index(expression)
    return Source(file, number, code, "<module>", column, column + len(expression), number)


def dummy_trace(
    *, modules: bool = False, updates: bool = False, findings: bool = False, checks: bool = False, partial: bool = False
) -> Trace:
    """The logistic neuron: 8 nodes (0 x, 1 w, 2 mul, 3 b, 4 add, 5 sigmoid, 6 y, 7 loss), 7 edges; more of it on request.

    `modules` puts it into nn.Modules two levels deep, `updates` adds one step of SGD (lr 0.1), `findings` one of each severity,
    `checks` what verification says of a few of its nodes.
    """
    nodes = _module_nodes() if modules else _plain_nodes()
    return Trace(
        title="logistic_neuron",
        partial=partial,
        number=1,
        passes=1,
        made_with=MADE_WITH,
        loss=LOSS,
        modules=_MODULES if modules else (),
        nodes=nodes,
        edges=_neuron_edges(),
        forward=(2, 4, 5, 7),
        backward=(7, 5, 4, 3, 2, 1),
        updates=_neuron_updates() if updates else (),
        storages=(4,),
        findings=_neuron_findings() if findings else (),
        sources=MappingProxyType({"neuron.py": SOURCE_TEXT}),
        checks=_neuron_checks() if checks else None,
    )


def nonfinite_trace() -> Trace:
    """`y = x.log(); loss = y.sum()` at x = [1, 0, -1]: y is [0, -inf, nan], the gradient of x is [1, inf, -1]."""
    text = "x = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)\ny = x.log()\nloss = y.sum()\nloss.backward()\n"
    x, log, total = (source_line(*at, text=text, file="silent.py") for at in ((1, "torch.tensor"), (2, "x.log()"), (3, "y.sum()")))
    inf, nan = math.inf, math.nan
    gradient = note([1.0, inf, -1.0])
    ones = note([1.0, 1.0, 1.0])
    nodes = (
        _leaf(0, "x", [1.0, 0.0, -1.0], source=x, gradient=gradient),
        _op(1, "y", "log", "LogBackward0", note([0.0, -inf, nan]), ones, log, "self: grad.div(self.conj())", saved=("self", (3,), 12, 0)),
        _op(2, "loss", "sum", "SumBackward0", note(nan), note(1.0), total, "self: grad.expand_symint(self.sym_sizes())", seed=note(1.0)),
    )
    return Trace(
        title="silent",
        partial=False,
        number=1,
        passes=1,
        made_with=MADE_WITH,
        loss=nan,
        modules=(),
        nodes=nodes,
        edges=(Edge(0, 0, 1, 0, gradient, True), Edge(1, 0, 2, 0, ones, True)),
        forward=(1, 2),
        backward=(2, 1, 0),
        findings=(
            _finding("nan_forward", "error", 1, "y", log, "`y` holds 1 NaN of 3.", "`y`에 3개 중 1개의 NaN이 있습니다."),
            _finding("inf_gradient", "error", 1, "y", log, "The backward of `y` made an inf.", "`y`의 역전파에서 inf가 생겼습니다."),
        ),
        sources=MappingProxyType({"silent.py": text}),
    )


def chain_trace(length: int) -> Trace:
    """`y = x = 1.0` requiring grad, then `length` times `y = -y`: as deep as asked, without overflow."""
    one = note(1.0)
    line = Source("chain.py", 3, "    y = -y", "<module>", 8, 10, 3)
    minus = note(-1.0)
    nodes = [_leaf(0, "x", 1.0, source=None, gradient=(one, minus)[length % 2])]
    edges = []
    for number in range(1, length + 1):
        last = number == length
        gradient = (one, minus)[(length - number) % 2]
        formula = "self: grad.neg()"
        nodes.append(
            _op(number, None, "neg", "NegBackward0", (one, minus)[number % 2], gradient, line, formula, seed=one if last else None)
        )
        edges.append(Edge(number - 1, 0, number, 0, (one, minus)[(length - number + 1) % 2], True))
    return Trace(
        title="chain",
        partial=False,
        number=1,
        passes=1,
        made_with=MADE_WITH,
        loss=(1.0, -1.0)[length % 2],
        modules=(),
        nodes=tuple(nodes),
        edges=tuple(edges),
        forward=tuple(range(1, length + 1)),
        backward=tuple(range(length, -1, -1)),
    )


_MODULES = (
    Module("", "Neuron", None, 2),
    Module("cell", "Affine", "", 2),
    Module("cell.scale", "Scale", "cell", 1),
    Module("cell.shift", "Shift", "cell", 1),
    Module("act", "Sigmoid", "", 0),
)
_MODULE_OF = {1: "cell.scale", 2: "cell.scale", 3: "cell.shift", 4: "cell.shift", 5: "act"}
_PARAMETERS = {1: "cell.scale.w", 3: "cell.shift.b"}


def _plain_nodes() -> tuple[Node, ...]:
    def at(line: int, expression: str) -> Source:
        return source_line(line, expression)

    mul = "self: mul_tensor_backward(grad, other, self.scalar_type())\nother: mul_tensor_backward(grad, self, other.scalar_type())"
    add = "self: handle_r_to_c(self.scalar_type(), grad)\nother: handle_r_to_c(other.scalar_type(), maybe_multiply(grad, alpha.conj()))"
    cross = "self: binary_cross_entropy_backward(grad, self, target, weight, reduction)"
    sigmoid = Formula("self: sigmoid_backward(grad, result)", "derivatives.yaml", r"\bar{z} = \bar{a}\, a (1 - a)")
    upstream = note([GRAD_Z])
    return (
        _constant(0, "x", [X], at(5, "torch.tensor([1.1])")),
        _leaf(1, "w", [W], source=at(6, "torch.tensor([2.2], requires_grad=True)"), gradient=note([GRAD_W])),
        _op(2, None, "mul", "MulBackward0", note([Z]), upstream, at(9, "x * w"), mul, saved=("self", (1,), 4, 0)),
        _leaf(3, "b", [B], source=at(7, "torch.tensor([0.0], requires_grad=True)"), gradient=upstream),
        _op(4, "z", "add", "AddBackward0", note([Z]), upstream, at(9, "x * w + b"), add),
        _op(
            5,
            "a",
            "sigmoid",
            "SigmoidBackward0",
            note([A]),
            note([GRAD_A]),
            at(10, "torch.sigmoid(z)"),
            sigmoid,
            saved=("result", (1,), 4, 5, 0),
            time=Time(12.5, 8.25),
        ),
        _constant(6, "y", [1.0], at(4, "torch.tensor([1.0])")),
        _op(
            7,
            "loss",
            "binary_cross_entropy",
            "BinaryCrossEntropyBackward0",
            note(LOSS),
            note(1.0),
            at(11, "F.binary_cross_entropy(a, y)"),
            cross,
            saved=("self", (1,), 4, 5),
            seed=note(1.0),
        ),
    )


def _module_nodes() -> tuple[Node, ...]:
    return tuple(_in_module(node) for node in _plain_nodes())


def _in_module(node: Node) -> Node:
    changes: dict[str, Any] = {"module": _MODULE_OF.get(node.id, "")}
    if node.id in _PARAMETERS:
        changes |= {"kind": "parameter", "name": _PARAMETERS[node.id], "names": (_PARAMETERS[node.id],), "source": None}
    return replace(node, **changes)


def _neuron_edges() -> tuple[Edge, ...]:
    upstream = note([GRAD_Z])
    return (
        Edge(0, 0, 2, 0, None, False),
        Edge(1, 0, 2, 1, note([GRAD_W]), True),
        Edge(2, 0, 4, 0, upstream, True),
        Edge(3, 0, 4, 1, upstream, True),
        Edge(4, 0, 5, 0, upstream, True),
        Edge(5, 0, 7, 0, note([GRAD_A]), True),
        Edge(6, 0, 7, 1, None, False),
    )


def _neuron_updates() -> tuple[Update, ...]:
    settings: Mapping[str, Any] = MappingProxyType({"lr": 0.1, "momentum": 0.9, "nesterov": False})
    return (
        Update(1, "SGD", 0, note([W]), note([GRAD_W]), note([NEW_W]), MappingProxyType({"momentum_buffer": note([GRAD_W])}), settings),
        Update(3, "SGD", 0, note([B]), note([GRAD_Z]), note([NEW_B]), MappingProxyType({"momentum_buffer": note([GRAD_Z])}), settings),
    )


def _neuron_checks() -> Checks:
    """The node of each verdict but wrong, and the gradient of w with its curve."""
    nodes = (NodeCheck(7, "equal", 0.0), NodeCheck(5, "close", 1e-9), NodeCheck(2, "skipped", None, "raised: IndexError"))
    curve = (StepError(0.1, 1e-3), StepError(1e-5, 1e-11))
    return Checks(nodes, (GradientCheck(1, "w", (1,), (GRAD_W,), (GRAD_W + 1e-9,), 1, 1e-9, 1.1e-8, "equal", None, curve),))


def _neuron_findings() -> tuple[Finding, ...]:
    line, other = source_line(10, "torch.sigmoid(z)"), source_line(9, "x * w + b")
    return (
        _finding("user_error", "error", None, None, None, "The program raised ValueError.", "프로그램에서 ValueError가 발생했습니다."),
        _finding(
            "vanishing_gradient",
            "warning",
            5,
            "a",
            line,
            "The gradient shrinks here.",
            "여기에서 기울기가 작아집니다.",
            related=(Related("input", other),),
        ),
        _finding("frozen_parameter", "info", 0, "x", None, "`x` requires no gradient.", "`x`는 기울기를 요구하지 않습니다."),
    )


def _finding(
    kind: str, severity: Any, node: int | None, name: str | None, source: Source | None, en: str, ko: str, related: tuple[Related, ...] = ()
) -> Finding:
    remedy = {"en": "Look at this line.", "ko": "이 줄을 살펴보세요."}
    return Finding(kind, severity, node, name, source, related, MappingProxyType({"en": en, "ko": ko}), MappingProxyType(remedy))


def _constant(number: int, name: str, values: Any, source: Source) -> Node:
    return Node(
        id=number,
        kind="constant",
        name=name,
        names=(name,),
        op=None,
        autograd=None,
        module="",
        source=source,
        outputs=(note(values),),
        gradients=(None,),
        seeds=(None,),
        accumulated=None,
        status="no gradient",
        reason="requires_grad is False",
        saved=(),
        formula=None,
    )


def _leaf(number: int, name: str, values: Any, *, source: Source | None, gradient: Note) -> Node:
    return Node(
        id=number,
        kind="input",
        name=name,
        names=(name,),
        op=None,
        autograd="AccumulateGrad",
        module="",
        source=source,
        outputs=(note(values),),
        gradients=(gradient,),
        seeds=(None,),
        accumulated=Accumulated(None, gradient),
        status="executed",
        reason=None,
        saved=(),
        formula=None,
    )


def _op(
    number: int,
    name: str | None,
    op: str,
    autograd: str,
    output: Note,
    gradient: Note,
    source: Source,
    formula: str | Formula,
    *,
    saved: tuple[Any, ...] | None = None,
    seed: Note | None = None,
    time: Time | None = None,
) -> Node:
    rule = Formula(formula, "derivatives.yaml") if isinstance(formula, str) else formula
    kept = () if saved is None else (Saved(saved[0], saved[1], "float32", saved[2], saved[3], "freed", *saved[4:]),)
    return Node(
        id=number,
        kind="op",
        name=name,
        names=() if name is None else (name,),
        op=op,
        autograd=autograd,
        module="",
        source=source,
        outputs=(output,),
        gradients=(gradient,),
        seeds=(seed,),
        accumulated=None,
        status="executed",
        reason=None,
        saved=kept,
        formula=rule,
        time=time or Time(),
    )


def _flatten(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for entry in values:
            yield from _flatten(entry)
    else:
        yield values


def _shape(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list):
        return ()
    return (len(values), *(_shape(values[0]) if values else ()))


def _nested(values: Any) -> Any:
    return tuple(_nested(entry) for entry in values) if isinstance(values, list) else values


def _statistics(flat: list[float]) -> tuple[float | None, ...]:
    """min, max, mean, population std and L2 norm; NaN in, NaN out, as torch has it."""
    if not flat:
        return (None,) * 5
    if any(math.isnan(value) for value in flat):
        return (math.nan,) * 5
    if any(math.isinf(value) for value in flat):
        return (min(flat), max(flat), sum(flat) / len(flat), math.nan, math.inf)
    mean = math.fsum(flat) / len(flat)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in flat) / len(flat))
    return (min(flat), max(flat), mean, std, math.sqrt(math.fsum(value * value for value in flat)))
