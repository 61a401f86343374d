"""Rules of sums, means, extremes and what is normalised by them."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["REDUCTIONS"]

SPREAD = "spread(g, shape(x), dim, keepdim)"  # g, as it was before the dimensions were summed away
DIMS = "x=self; dim=None keepdim=False"

REDUCTIONS: tuple[Rule, ...] = (
    rule("sum", "SumBackward0", "x=self", forward="total(x)", x="spread(g, shape(x))"),
    rule("sum", "SumBackward1", DIMS, forward="sum(x, dim)", x=SPREAD),
    rule("mean", "MeanBackward0", "x=self", forward="total(x) / N", where={"N": "count(x)"}, x="spread(g, shape(x)) / N"),
    rule("mean", "MeanBackward1", DIMS, forward="sum(x, dim) / n", where={"n": "size(x, dim)"}, x=f"{SPREAD} / n"),
    rule("var", "VarBackward0", "x=self; dim=None c:correction=1 keepdim=False", forward="sum(d**2, dim) / (n - c)",
         where={"n": "size(x, dim)", "d": "x - mean(x, dim)"}, x=f"2 * {SPREAD} * d / (n - c)"),
    rule("std", "StdBackward0", "x=self; dim=None c:correction=1 keepdim=False", forward="sqrt(sum(d**2, dim) / (n - c))",
         where={"n": "size(x, dim)", "d": "x - mean(x, dim)"}, x="spread(where(y == 0, 0, g / y), shape(x), dim, keepdim) * d / (n - c)"),
    rule("prod", "ProdBackward0", "x=self", forward="product(x)", x="g * others(x)"),
    rule("prod", "ProdBackward1", DIMS, forward="product(x, dim)", x=f"{SPREAD} * others(x, dim)"),
    rule("extreme", "MaxBackward1 MinBackward1", "x=self", x="where(x == y, g / n, 0)", where={"n": "how_many(x == y)"}),
    rule("extreme", "AmaxBackward0 AminBackward0", "x=self; dim=() keepdim=False", where={
            "m": "spread(y, shape(x), dim, keepdim)",
            "n": "how_many(x == m, dim)",
        }, x=f"where(x == m, {SPREAD} / n, 0)"),
    rule("chosen", "MaxBackward0 MinBackward0", "x=self; dim=None keepdim=False", outputs="y i", x="scatter(g, i, shape(x), dim, keepdim)"),
    rule("chosen", "TopkBackward0", "x=self; k=1 dim=-1 largest=True sorted=True", outputs="y i", x="scatter(g, i, shape(x), dim, True)"),
    rule("chosen", "SortBackward0", "x=self; dim=-1 descending=False", outputs="y i", x="scatter(g, i, shape(x), dim, True)"),
    rule("cumsum", "CumsumBackward0", "x=self; dim=None", forward="sums_until(x, dim)", x="sums_from(g, dim)"),
    rule("logsumexp", "LogsumexpBackward0", DIMS, forward="log(sum(exp(x), dim))", where={"m": "spread(y, shape(x), dim, keepdim)"},
         x=f"{SPREAD} * exp(x - m)"),
    rule("norm", "LinalgVectorNormBackward0", "x=self; p:ord=2 dim=None keepdim=False", when={"ord": (2,)}, forward="sqrt(sum(x**2, dim))",
         where={"m": "spread(y, shape(x), dim, keepdim)"}, x=f"where(m == 0, 0, {SPREAD} * x / m)"),
    rule("norm1", "LinalgVectorNormBackward0", "x=self; p:ord=2 dim=None keepdim=False", when={"ord": (1,)}, forward="sum(abs(x), dim)",
         x=f"{SPREAD} * sign(x)"),
    rule("softmax", "SoftmaxBackward0 SafeSoftmaxBackward0", "x=self; dim=-1", forward="exp(x) / sum(exp(x), dim)",
         x="y * (g - sum(g * y, dim))"),
    rule("log_softmax", "LogSoftmaxBackward0", "x=self; dim=-1", forward="x - log(sum(exp(x), dim))", x="g - exp(y) * sum(g, dim)"),
)  # fmt: skip
