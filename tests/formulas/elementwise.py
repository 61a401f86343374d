"""Calls of ops that work element by element, for the rules of `explorer.formulas.elementwise`."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.formulas.oracle import Case, case

BINARY = [((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((2, 3, 4), (3, 1)), ((), (2, 3)), ((2, 1), (1, 3)), ((), ())]
mask = torch.tensor([[True, False, True, True], [False, True, False, True], [True, True, False, False]])


def binary(key: str, call: object, *, low: float = -2.0, high: float = 2.0) -> list[Case]:
    """A call on two tensors, over every way they may be broadcast."""
    return [case(key, call, *shapes, low=low, high=high) for shapes in BINARY]  # type: ignore[arg-type]


def unary(key: str, call: object, *, low: float = -2.0, high: float = 2.0, precision: float = 1e-9) -> list[Case]:
    """A call on one tensor: a number, a row, and a batch of matrices."""
    return [case(key, call, shape, low=low, high=high, precision=precision) for shape in ((), (5,), (2, 3, 4))]  # type: ignore[arg-type]


CASES: list[Case] = [
    *binary("add", lambda a, b: a + b),
    *unary("add", lambda a: a + 3),
    *unary("add", lambda a: torch.ops.aten.add.Scalar(a, 3)),
    *binary("add_alpha", lambda a, b: torch.add(a, b, alpha=0.5)),
    *unary("add_alpha", lambda a: torch.ops.aten.add.Scalar(a, 3, 0.5)),
    *binary("sub", lambda a, b: a - b),
    *unary("sub", lambda a: torch.ops.aten.sub.Scalar(a, 3)),
    *binary("sub_alpha", lambda a, b: torch.sub(a, b, alpha=0.5)),
    *unary("sub_alpha", lambda a: torch.ops.aten.sub.Scalar(a, 3, 0.5)),
    *binary("rsub", lambda a, b: torch.rsub(a, b)),
    *unary("rsub", lambda a: 1 - a),
    *binary("rsub_alpha", lambda a, b: torch.rsub(a, b, alpha=2)),
    *unary("rsub_alpha", lambda a: torch.rsub(a, 3, alpha=2)),
    *binary("mul", lambda a, b: a * b),
    *unary("mul", lambda a: a * 2.5),
    *unary("mul", lambda a: torch.ops.aten.mul.Scalar(a, 2.5)),
    *binary("div", lambda a, b: a / b, low=0.5),
    *unary("div", lambda a: a / 2.5),
    *unary("div", lambda a: torch.ops.aten.div.Scalar(a, 2.5)),
    *unary("neg", lambda x: -x),
    *unary("abs", torch.abs),
    *unary("reciprocal", torch.reciprocal, low=0.5),
    *unary("pow0", lambda x: x**0),
    *unary("pow", lambda x: x**2),
    *unary("pow", lambda x: x**3),
    *unary("pow", lambda x: x**0.5, low=0.1),
    *unary("pow", lambda x: x**-1.5, low=0.1),
    *binary("pow_tensor", lambda a, b: a**b, low=0.1),
    case("pow_tensor", lambda a, b: torch.pow(a.round(), b.round()), (40,), (40,), low=0.0, high=1.0),
    *unary("pow_of_number", lambda b: 2.5**b),
    case("pow_of_number", lambda b: torch.pow(0, b), (4,), low=0.1),
    *unary("sqrt", torch.sqrt, low=0.1),
    *unary("rsqrt", torch.rsqrt, low=0.1),
    *unary("exp", torch.exp),
    *unary("exp2", torch.exp2),
    *unary("expm1", torch.expm1),
    *unary("log", torch.log, low=0.1),
    *unary("log2", torch.log2, low=0.1),
    *unary("log10", torch.log10, low=0.1),
    *unary("log1p", torch.log1p, low=-0.5),
    case("addcmul", torch.addcmul, (3, 4), (4,), (3, 1)),
    case("addcmul", lambda c, a, b: torch.addcmul(c, a, b, value=0.3), (4,), (3, 4), (3, 4)),
    case("addcdiv", torch.addcdiv, (3, 4), (4,), (3, 1), low=0.5),
    case("addcdiv", lambda c, a, b: torch.addcdiv(c, a, b, value=0.3), (4,), (3, 4), (3, 4), low=0.5),
    *binary("lerp", lambda a, b: torch.lerp(a, b, 0.3)),
    case("lerp", torch.lerp, (3, 4), (3, 4), (4,)),
    *binary("maximum", torch.maximum),
    case("maximum", lambda a, b: torch.maximum(a.round(), b.round()), (40,), (40,)),
    *binary("minimum", torch.minimum),
    case("minimum", lambda a, b: torch.minimum(a.round(), b.round()), (40,), (40,)),
    case("where", lambda a, b: torch.where(mask, a, b), (3, 4), (3, 4)),
    case("where", lambda a, b: torch.where(mask, a, b), (4,), (3, 1)),
    case("where", lambda a: torch.where(mask, a, 2.0), (3, 4)),
    case("masked_fill", lambda x: x.masked_fill(mask, 2.0), (3, 4)),
    case("masked_fill", lambda x: x.masked_fill(mask[0], 2.0), (2, 3, 4)),
    case("masked_fill", lambda x, v: x.masked_fill(mask, v), (3, 4), ()),
    *unary("clamp_low", lambda x: x.clamp(min=-0.5)),
    *unary("clamp_high", lambda x: x.clamp(max=0.5)),
    *unary("clamp", lambda x: x.clamp(-0.5, 0.7)),
    case("clamp", lambda x: x.round().clamp(-1, 1), (20,)),
    *unary("clamp_low", lambda x: torch.clamp_min(x, 0.3)),
    *unary("clamp_high", lambda x: torch.clamp_max(x, 0.3)),
    *unary("hardtanh", F.hardtanh),
    *unary("hardtanh", F.relu6, high=8.0),
    case("hardtanh", lambda x: F.hardtanh(x.round()), (20,)),
    *unary("threshold", lambda x: F.threshold(x, 0.5, -3.0)),
    *unary("flat", torch.round),
    *unary("flat", torch.floor),
    *unary("flat", torch.ceil),
    *unary("flat", torch.trunc),
    *unary("flat", torch.sign),
    *unary("sin", torch.sin),
    *unary("cos", torch.cos),
    *unary("tan", torch.tan, low=-1, high=1),
    *unary("asin", torch.asin, low=-0.9, high=0.9),
    *unary("acos", torch.acos, low=-0.9, high=0.9),
    *unary("atan", torch.atan),
    *unary("sinh", torch.sinh),
    *unary("cosh", torch.cosh),
    *unary("erf", torch.erf),
    *unary("tanh", torch.tanh),
    *unary("sigmoid", torch.sigmoid),
    *unary("relu", torch.relu),
    *unary("leaky_relu", F.leaky_relu),
    *unary("leaky_relu", lambda x: F.leaky_relu(x, 0.2)),
    *unary("leaky_relu", lambda x: F.leaky_relu_(x.clone(), 0.2)),
    case("prelu", F.prelu, (2, 3, 4), (3,)),
    case("prelu", F.prelu, (2, 3), (1,)),
    *unary("elu", F.elu),
    *unary("elu", lambda x: F.elu(x, 0.7)),
    *unary("elu", F.selu),
    *unary("celu", lambda x: F.celu(x, 0.7), precision=1e-6),
    *unary("gelu", F.gelu),
    *unary("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    *unary("silu", F.silu),
    *unary("mish", F.mish),
    *unary("hardsigmoid", F.hardsigmoid, low=-5, high=5, precision=1e-6),
    *unary("hardswish", F.hardswish, low=-5, high=5),
    *unary("softplus", F.softplus),
    *unary("softplus", lambda x: F.softplus(x, beta=2.0, threshold=1.0)),
    *unary("log_sigmoid", F.logsigmoid),
]
