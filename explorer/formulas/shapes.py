"""Rules of ops that move elements about, and of those that torch writes by hand."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["SHAPES", "SPOKEN"]

VIEWS = (
    "ViewBackward0 UnsafeViewBackward0 ReshapeAliasBackward0 UnsqueezeBackward0 UnsqueezeBackward1"
    " SqueezeBackward0 SqueezeBackward1 SqueezeBackward2"
)

SHAPES: tuple[Rule, ...] = (
    rule("copy", "CopyBackwards", "x=self s=src", forward="spread_to(s, shape(x))", x="0 * g", s="g"),
    rule("same", "CloneBackward0 AliasBackward0 ToCopyBackward0", "x=self", forward="x", x="g"),
    rule("reshape", VIEWS, "x=self", forward="reshape(x, shape(y))", x="reshape(g, shape(x))"),
    rule("t", "TBackward0", "A=self", forward="T(A)", A="T(g)"),
    rule("transpose", "TransposeBackward0 TransposeBackward1", "x=self; i:dim0=0 j:dim1=1", forward="swap(x, i, j)", x="swap(g, i, j)"),
    rule("permute", "PermuteBackward0", "x=self; dims=()", forward="permute(x, dims)", x="unpermute(g, dims)"),
    rule("expand", "ExpandBackward0", "x=self; size=()", forward="spread_to(x, shape(y))", x="fit(g, shape(x))"),
    rule("repeat", "RepeatBackward0", "x=self; repeats=()", forward="tile(x, repeats)", x="untile(g, shape(x))"),
    rule("select", "SelectBackward0", "x=self; dim=0 i:index=0", forward="take(x, dim, i)", x="put(g, shape(x), dim, i)"),
    rule("slice", "SliceBackward0", "x=self; dim=0 a:start=None b:end=None s:step=1", forward="cut(x, dim, a, b, s)",
         x="put_slice(g, shape(x), dim, a, b, s)"),
    rule("split", "SplitBackward0 UnsafeSplitBackward0 SplitWithSizesBackward0", "x=self; dim=0", x="joined(gs, dim)"),
    rule("unbind", "UnbindBackward0", "x=self; dim=0", x="stacked(gs, dim)"),
    rule("cat", "CatBackward0", "xs=tensors[]; dim=0", xs="part(g, shape(xs), dim, i)"),
    rule("stack", "StackBackward0", "xs=tensors[]; dim=0", xs="take(g, dim, i)"),
    rule("index", "IndexBackward0", "x=self I=indices[]", forward="at(x, I)", x="add_at(g, I, shape(x))"),
    rule("index_select", "IndexSelectBackward0", "x=self I=index; dim=0", forward="chosen(x, dim, I)", x="add_chosen(g, dim, I, shape(x))"),
    rule("index_add", "IndexAddBackward0", "x=self I=index s=source; dim=0 alpha=1", x="g", s="alpha * chosen(g, dim, I)"),
    rule("index_put", "IndexPutBackward0", "x=self I=indices[] v=values; accumulate=False", when={"accumulate": (False,)},
         x="cleared(g, I)", v="at(g, I)"),
    rule("index_put_add", "IndexPutBackward0", "x=self I=indices[] v=values; accumulate=False", x="g", v="at(g, I)"),
    rule("gather", "GatherBackward0", "x=self I=index; dim=0", forward="along(x, dim, I)", x="add_along(g, dim, I, shape(x))"),
    rule("scatter", "ScatterBackward0", "x=self I=index s=src; dim=0", x="cleared_along(g, dim, I)", s="along(g, dim, I)"),
    rule("scatter", "ScatterBackward1", "x=self I=index; dim=0", x="cleared_along(g, dim, I)"),
    rule("scatter_add", "ScatterAddBackward0", "x=self I=index s=src; dim=0", x="g", s="along(g, dim, I)"),
    rule("embedding", "EmbeddingBackward0", "W=weight I=indices; p:padding_idx=-1 scale_grad_by_freq=False",
         when={"scale_grad_by_freq": (False,)}, forward="rows(W, I)", W="add_rows(g, I, shape(W), p)"),
    rule("masked_select", "MaskedSelectBackward0", "x=self m=mask", x="put_chosen(g, m, shape(x))"),
    rule("masked_scatter", "MaskedScatterBackward0", "x=self m=mask s=source", x="where(m, 0, g)", s="chosen_first(g, m, shape(s))"),
    rule("flip", "FlipBackward0", "x=self; dims=()", forward="flip(x, dims)", x="flip(g, dims)"),
    rule("roll", "RollBackward0", "x=self; s:shifts=() dims=()", forward="roll(x, s, dims)", x="unroll(g, s, dims)"),
    rule("tril", "TrilBackward0", "x=self; k:diagonal=0", forward="tril(x, k)", x="tril(g, k)"),
    rule("triu", "TriuBackward0", "x=self; k:diagonal=0", forward="triu(x, k)", x="triu(g, k)"),
    rule("diagonal", "DiagonalBackward0", "x=self; k:offset=0 i:dim1=0 j:dim2=1", forward="diagonal(x, k, i, j)",
         x="put_diagonal(g, shape(x), k, i, j)"),
    rule("pad", "ConstantPadNdBackward0", "x=self; p:pad=() v:value=0", forward="pad(x, p, v)", x="unpad(g, p)"),
)  # fmt: skip


def spoken(key: str, name: str, text: str) -> Rule:
    """A node that torch writes by hand in C++: what it does cannot be worked out from what a trace holds, but said."""
    return Rule(key=key, autograd=(name,), text=text)


SPOKEN: tuple[Rule, ...] = (
    spoken("accumulate", "AccumulateGrad", r"\mathrm{grad} \leftarrow \mathrm{grad} + g"),
    spoken("copy_slices", "CopySlices",
           r"\frac{\partial L}{\partial \mathrm{base}} = \begin{cases} f^{\prime}\left(g\right) & \mathrm{slice} \\ g & \neg \mathrm{slice}"
           r" \end{cases}"),
    spoken("graph_root", "GraphRoot", r"g = \frac{\partial L}{\partial L} = 1"),
    spoken("identity", "Identity", r"\frac{\partial L}{\partial x} = g"),
    spoken("undefined", "UndefinedGrad", r"\frac{\partial L}{\partial x} = g"),
    spoken("undefined_backward", "UndefinedGradBackward", r"\frac{\partial L}{\partial x} = \varnothing"),
    spoken("error", "Error", r"\varnothing"),
    spoken("error", "DelayedError", r"\varnothing"),
    spoken("not_implemented", "NotImplemented", r"\varnothing"),
    spoken("not_implemented", "WarnNotImplemented", r"\frac{\partial L}{\partial x} = \varnothing"),
)  # fmt: skip
