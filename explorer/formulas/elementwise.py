"""Rules of ops that work element by element. Each line: key, backward nodes, arguments; then the op and its derivatives."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["ELEMENTWISE"]

ADD, SUB, RSUB = "AddBackward0 AddBackward1", "SubBackward0 SubBackward1", "RsubBackward0 RsubBackward1"

ARITHMETIC: tuple[Rule, ...] = (
    rule("add", ADD, "a=self b=other; alpha=1", when={"alpha": (1,)}, forward="a + b", a="g", b="g"),
    rule("add_alpha", ADD, "a=self b=other; alpha=1", forward="a + alpha * b", a="g", b="alpha * g"),
    rule("sub", SUB, "a=self b=other; alpha=1", when={"alpha": (1,)}, forward="a - b", a="g", b="-g"),
    rule("sub_alpha", SUB, "a=self b=other; alpha=1", forward="a - alpha * b", a="g", b="-alpha * g"),
    rule("rsub", RSUB, "a=self b=other; alpha=1", when={"alpha": (1,)}, forward="b - a", a="-g", b="g"),
    rule("rsub_alpha", RSUB, "a=self b=other; alpha=1", forward="b - alpha * a", a="-alpha * g", b="g"),
    rule("mul", "MulBackward0 MulBackward1", "a=self b=other", forward="a * b", a="g * b", b="g * a"),
    rule("div", "DivBackward0 DivBackward1", "a=self b=other", forward="a / b", a="g / b", b="-g * y / b"),
    rule("neg", "NegBackward0", "x=self", forward="-x", x="-g"),
    rule("abs", "AbsBackward0", "x=self", forward="abs(x)", x="g * sign(x)"),
    rule("reciprocal", "ReciprocalBackward0", "x=self", forward="1 / x", x="-g * y**2"),
    rule("pow0", "PowBackward0", "x=self; n:exponent=2", when={"exponent": (0,)}, forward="x**0", x="0 * g"),
    rule("pow", "PowBackward0", "x=self; n:exponent=2", forward="x**n", x="n * g * x**(n - 1)"),
    rule(
        "pow_tensor",
        "PowBackward1",
        "a=self b=exponent",
        forward="a**b",
        a="where(b == 0, 0, g * b * a**(b - 1))",
        b="where(a == 0 and b >= 0, 0, g * y * log(a))",
    ),
    rule("pow_of_number", "PowBackward2", "a=self b=exponent", forward="a**b", b="where(a == 0 and b >= 0, 0, g * y * log(a))"),
    rule("sqrt", "SqrtBackward0", "x=self", forward="sqrt(x)", x="g / (2 * y)"),
    rule("rsqrt", "RsqrtBackward0", "x=self", forward="1 / sqrt(x)", x="-0.5 * g * y**3"),
    rule("exp", "ExpBackward0", "x=self", forward="exp(x)", x="g * y"),
    rule("exp2", "Exp2Backward0", "x=self", forward="2**x", x="g * y * log(2)"),
    rule("expm1", "Expm1Backward0", "x=self", forward="exp(x) - 1", x="g * (y + 1)"),
    rule("log", "LogBackward0", "x=self", forward="log(x)", x="g / x"),
    rule("log2", "Log2Backward0", "x=self", forward="log(x) / log(2)", x="g / (x * log(2))"),
    rule("log10", "Log10Backward0", "x=self", forward="log(x) / log(10)", x="g / (x * log(10))"),
    rule("log1p", "Log1PBackward0", "x=self", forward="log(1 + x)", x="g / (1 + x)"),
    rule(
        "addcmul", "AddcmulBackward0", "c=self a=tensor1 b=tensor2; v:value=1", forward="c + v * a * b", c="g", a="v * g * b", b="v * g * a"
    ),
    rule(
        "addcdiv",
        "AddcdivBackward0",
        "c=self a=tensor1 b=tensor2; v:value=1",
        forward="c + v * a / b",
        c="g",
        a="v * g / b",
        b="-v * g * a / b**2",
    ),
    rule("lerp", "LerpBackward0", "a=self b=end; w:weight=0.5", forward="a + w * (b - a)", a="g * (1 - w)", b="g * w"),
    rule("lerp", "LerpBackward1", "a=self b=end w=weight", forward="a + w * (b - a)", a="g * (1 - w)", b="g * w", w="g * (b - a)"),
)

CHOICES: tuple[Rule, ...] = (
    rule(
        "maximum",
        "MaximumBackward0",
        "a=self b=other",
        forward="max(a, b)",
        a="where(a == b, g / 2, where(a < b, 0, g))",
        b="where(a == b, g / 2, where(b < a, 0, g))",
    ),
    rule(
        "minimum",
        "MinimumBackward0",
        "a=self b=other",
        forward="min(a, b)",
        a="where(a == b, g / 2, where(a > b, 0, g))",
        b="where(a == b, g / 2, where(b > a, 0, g))",
    ),
    rule("where", "WhereBackward0", "c=condition a=self b=other", forward="where(c, a, b)", a="where(c, g, 0)", b="where(c, 0, g)"),
    rule(
        "masked_fill",
        "MaskedFillBackward0 MaskedFillBackward1",
        "x=self m=mask v=value",
        forward="where(m, v, x)",
        x="where(m, 0, g)",
        v="where(m, g, 0)",
    ),
    rule(
        "clamp_low", "ClampBackward1", "x=self; l:min=None u:max=None", when={"max": (None,)}, forward="max(x, l)", x="where(x >= l, g, 0)"
    ),
    rule(
        "clamp_high", "ClampBackward1", "x=self; l:min=None u:max=None", when={"min": (None,)}, forward="min(x, u)", x="where(x <= u, g, 0)"
    ),
    rule("clamp", "ClampBackward1", "x=self; l:min=None u:max=None", forward="min(max(x, l), u)", x="where(l <= x <= u, g, 0)"),
    rule("clamp_low", "ClampMinBackward0", "x=self; l:min=None", forward="max(x, l)", x="where(x >= l, g, 0)"),
    rule("clamp_high", "ClampMaxBackward0", "x=self; u:max=None", forward="min(x, u)", x="where(x <= u, g, 0)"),
    rule("hardtanh", "HardtanhBackward0", "x=self; l:min_val=-1 u:max_val=1", forward="min(max(x, l), u)", x="where(l < x < u, g, 0)"),
    rule("threshold", "ThresholdBackward0", "x=self; c:threshold=0 v:value=0", forward="where(x > c, x, v)", x="where(x <= c, 0, g)"),
    rule("flat", "RoundBackward0 FloorBackward0 CeilBackward0 TruncBackward0 SignBackward0", "x=self", x="0 * g"),
)

ACTIVATIONS: tuple[Rule, ...] = (
    rule("sin", "SinBackward0", "x=self", forward="sin(x)", x="g * cos(x)"),
    rule("cos", "CosBackward0", "x=self", forward="cos(x)", x="-g * sin(x)"),
    rule("tan", "TanBackward0", "x=self", forward="tan(x)", x="g * (1 + y**2)"),
    rule("asin", "AsinBackward0", "x=self", forward="arcsin(x)", x="g / sqrt(1 - x**2)"),
    rule("acos", "AcosBackward0", "x=self", forward="arccos(x)", x="-g / sqrt(1 - x**2)"),
    rule("atan", "AtanBackward0", "x=self", forward="arctan(x)", x="g / (1 + x**2)"),
    rule("sinh", "SinhBackward0", "x=self", forward="sinh(x)", x="g * cosh(x)"),
    rule("cosh", "CoshBackward0", "x=self", forward="cosh(x)", x="g * sinh(x)"),
    rule("erf", "ErfBackward0", "x=self", forward="erf(x)", x="2 / sqrt(pi()) * g * exp(-x**2)"),
    rule("tanh", "TanhBackward0", "x=self", forward="tanh(x)", x="g * (1 - y**2)"),
    rule("sigmoid", "SigmoidBackward0", "x=self", forward="sigmoid(x)", x="g * y * (1 - y)"),
    rule("relu", "ReluBackward0", "x=self", forward="max(x, 0)", x="where(y <= 0, 0, g)"),
    rule("leaky_relu", "LeakyReluBackward0 LeakyReluBackward1", "x=self; a:negative_slope=0.01",
         forward="where(x > 0, x, a * x)", x="where(x > 0, g, a * g)"),
    rule("prelu", "PreluKernelBackward0", "x=self w=weight", forward="where(x > 0, x, w * x)", x="where(x > 0, g, w * g)",
         w="where(x > 0, 0, g * x)"),
    rule("elu", "EluBackward0", "x=self; alpha=1 s:scale=1 k:input_scale=1", forward="where(x > 0, s * x, s * alpha * (exp(k * x) - 1))",
         x="where(x <= 0, s * alpha * k * g * exp(k * x), s * g)"),
    rule("celu", "CeluBackward0", "x=self; alpha=1", forward="where(x > 0, x, alpha * (exp(x / alpha) - 1))",
         x="where(x <= 0, g * exp(x / alpha), g)"),
    rule("gelu", "GeluBackward0", "x=self; approximate='none'", when={"approximate": ("none",)},
         forward="x * Phi", where={"Phi": "0.5 * (1 + erf(x / sqrt(2)))"}, x="g * (Phi + x * exp(-x**2 / 2) / sqrt(2 * pi()))"),
    rule("gelu_tanh", "GeluBackward0", "x=self; approximate='none'", when={"approximate": ("tanh",)}, forward="0.5 * x * (1 + t)",
         where={"k": "sqrt(2 / pi())", "t": "tanh(k * (x + 0.044715 * x**3))"},
         x="g * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * k * (1 + 0.134145 * x**2))"),
    rule("silu", "SiluBackward0", "x=self", forward="x * s", where={"s": "sigmoid(x)"}, x="g * s * (1 + x * (1 - s))"),
    rule("mish", "MishBackward0", "x=self", forward="x * t", where={"t": "tanh(softplus(x))"}, x="g * (t + x * sigmoid(x) * (1 - t**2))"),
    rule("hardsigmoid", "HardsigmoidBackward0", "x=self", forward="min(max(x / 6 + 0.5, 0), 1)", x="where(-3 < x < 3, g / 6, 0)"),
    rule("hardswish", "HardswishBackward0", "x=self", forward="x * min(max(x / 6 + 0.5, 0), 1)",
         x="where(x <= -3, 0, where(x < 3, g * (x / 3 + 0.5), g))"),
    rule("softplus", "SoftplusBackward0", "x=self; beta=1 c:threshold=20", forward="where(beta * x > c, x, log(1 + exp(beta * x)) / beta)",
         x="where(beta * x > c, g, g * sigmoid(beta * x))"),
    rule("log_sigmoid", "LogSigmoidBackward0", "x=self", forward="log(sigmoid(x))", x="g * sigmoid(-x)"),
)  # fmt: skip

ELEMENTWISE: tuple[Rule, ...] = (*ARITHMETIC, *CHOICES, *ACTIVATIONS)
