"""Rules of whole layers that torch computes in one op: convolution, normalisation, pooling, dropout, attention, a recurrent layer."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["LAYERS"]

CONVOLUTION = "x=input W=weight b=bias?0; s:stride=(1,) p:padding=(0,) d:dilation=(1,) transposed=False o:output_padding=(0,) k:groups=1"
GEOMETRY = "s, p, d, k"
POOL = "x=self; k:kernel_size=() s:stride=() p:padding=(0,0)"

NORMALISED = "(h - mean(h, D) - n * mean(h * n, D)) * r"  # what is left of h once mean and scale cannot change

# What `windows.lstm_back` computes, from the last step to the first.
LSTM = (
    r"\begin{aligned} \left(i,\, f,\, u,\, o\right)_{t} &= \left(\sigma,\, \sigma,\, \tanh,\, \sigma\right)"
    r"\left(x_{t} U^{\top} + h_{t-1} W^{\top} + b + e\right) \\ c_{t} &= f \odot c_{t-1} + i \odot u, \quad h_{t} = o \odot \tanh c_{t} \\"
    r" \bar{c}_{t} &\leftarrow \bar{c}_{t} + \bar{h}_{t} \odot o \odot \left(1 - \tanh^{2} c_{t}\right) \\"
    r" \bar{a}_{t} &= \left(\bar{c}_{t} u i \left(1-i\right),\; \bar{c}_{t} c_{t-1} f \left(1-f\right),\;"
    r" \bar{c}_{t} i \left(1-u^{2}\right),\; \bar{h}_{t} \tanh\left(c_{t}\right) o \left(1-o\right)\right) \\"
    r" \frac{\partial L}{\partial U} &= \sum_{t} \bar{a}_{t}^{\top} x_{t}, \quad"
    r" \frac{\partial L}{\partial W} = \sum_{t} \bar{a}_{t}^{\top} h_{t-1}, \quad"
    r" \frac{\partial L}{\partial b} = \frac{\partial L}{\partial e} = \sum_{t} \bar{a}_{t} \\"
    r" \frac{\partial L}{\partial x_{t}} &= \bar{a}_{t} U, \quad \bar{h}_{t-1} = \bar{a}_{t} W + g_{t-1}, \quad"
    r" \bar{c}_{t-1} = \bar{c}_{t} \odot f \end{aligned}"
)


def attention(*, scaled: bool, causal: bool) -> Rule:
    """Scaled dot-product attention, with a scale that was given or the usual one, over all keys or only those up to the query."""
    return rule(
        "attention", "ScaledDotProductFlashAttentionForCpuBackward0",
        "Q=query K=key V=value M=attn_mask?0; is_causal=False k:scale=None" if scaled else
        "Q=query K=key V=value M=attn_mask?0; is_causal=False scale=None",
        when={"is_causal": (causal,)} if scaled else {"is_causal": (causal,), "scale": (None,)},
        forward="P @ V",
        where={
            **({} if scaled else {"k": "scaling(shape(Q))"}),
            "P": "softmax(k * (Q @ T(K)) + M" + (" + hidden(shape(Q), shape(K)))" if causal else ")"),
            "D": "g @ T(V)",
            "S": "P * (D - sum(P * D, -1))",
        },
        Q="k * (S @ K)", K="k * (T(S) @ Q)", V="T(P) @ g",
    )  # fmt: skip


LAYERS: tuple[Rule, ...] = (
    rule("convolution", "ConvolutionBackward0", CONVOLUTION, when={"transposed": (False,)},
         forward=f"conv(x, W, {GEOMETRY}) + by_channel(b, shape(x))", x=f"conv_back(g, W, shape(x), {GEOMETRY})",
         W=f"correlate(x, g, shape(W), {GEOMETRY})", b="sum_channels(g)"),
    rule("convolution_transposed", "ConvolutionBackward0", CONVOLUTION,
         forward=f"conv_back(x, W, shape(y), {GEOMETRY}) + by_channel(b, shape(x))", x=f"conv(g, W, {GEOMETRY})",
         W=f"correlate(g, x, shape(W), {GEOMETRY})", b="sum_channels(g)"),
    rule("batch_norm", "NativeBatchNormBackward0", "x=input w=weight?1 b=bias?0; training=True eps=1e-5", when={"training": (True,)},
         forward="n * by_channel(w, shape(x)) + by_channel(b, shape(x))",
         where={
             "D": "but_channels(shape(x))",
             "r": "1 / sqrt(mean((x - mean(x, D))**2, D) + eps)",
             "n": "(x - mean(x, D)) * r",
             "h": "g * by_channel(w, shape(x))",
         }, x=NORMALISED, w="sum_channels(g * n)", b="sum_channels(g)"),
    rule("batch_norm_eval", "NativeBatchNormBackward0", "x=input w=weight?1 b=bias?0 m=running_mean v=running_var; training=True eps=1e-5",
         forward="n * by_channel(w, shape(x)) + by_channel(b, shape(x))",
         where={
             "r": "1 / sqrt(by_channel(v, shape(x)) + eps)",
             "n": "(x - by_channel(m, shape(x))) * r",
         }, x="g * by_channel(w, shape(x)) * r", w="sum_channels(g * n)", b="sum_channels(g)"),
    rule("layer_norm", "NativeLayerNormBackward0", "x=input w=weight?1 b=bias?0; s:normalized_shape=()", outputs="y mu r",
         forward="n * w + b", where={"D": "last(s)", "n": "(x - mu) * r", "h": "g * w"}, x=NORMALISED, w="g * n", b="g"),
    rule("rms_norm", "FusedRmsNormBackward0", "x=input w=weight?1; s:normalized_shape=()", outputs="y r",
         forward="n * w", where={"D": "last(s)", "n": "x * r", "h": "g * w"}, x="(h - n * mean(h * n, D)) * r", w="g * n"),
    rule("group_norm", "NativeGroupNormBackward0", "x=input w=weight?1 b=bias?0; k:group=1", outputs="y mu r",
         forward="n * by_channel(w, shape(x)) + by_channel(b, shape(x))",
         where={
             "n": "(x - by_group(mu, shape(x))) * by_group(r, shape(x))",
             "h": "g * by_channel(w, shape(x))",
         },
         x="(h - mean_groups(h, k) - n * mean_groups(h * n, k)) * by_group(r, shape(x))", w="sum_channels(g * n)", b="sum_channels(g)"),
    rule("max_pool", "MaxPool2DWithIndicesBackward0 MaxPool3DWithIndicesBackward0", "x=self", outputs="y i", x="unpool(g, i, shape(x))"),
    rule("avg_pool", "AvgPool2DBackward0", f"{POOL} ceil_mode=False count:count_include_pad=True c:divisor_override=None",
         forward="windows(x, shape(y), k, s, p, count, c)", x="unwindow(g, shape(x), k, s, p, count, c)"),
    rule("adaptive_pool", "AdaptiveAvgPool2DBackward0", "x=self", forward="regions(x, shape(y))", x="unregion(g, shape(x))"),
    rule("upsample", "UpsampleNearest2DBackward0", "x=self; size:output_size=() a:scales_h=None b:scales_w=None",
         forward="enlarged(x, shape(y), a, b)", x="reduced(g, shape(x), a, b)"),
    rule("dropout", "NativeDropoutBackward0", "x=input; p=0.5 train=True", outputs="y m", when={"train": (True, None)},
         forward="x * m / (1 - p)", x="g * m / (1 - p)"),
    *(attention(scaled=scaled, causal=causal) for scaled in (False, True) for causal in (False, True)),
    rule("lstm", "MkldnnRnnLayerBackward0",
         "x=input U=weight0 W=weight1 b=weight2 e=weight3 h=hx_ c=cx_; back:reverse=False mode=2",
         when={"mode": (2,)}, outputs="y q z", text=LSTM,
         where={"R": "lstm_back(g0, g1, g2, x, U, W, b, e, h, c, back)"},
         x="item(R, 0)", U="item(R, 1)", W="item(R, 2)", b="item(R, 3)", e="item(R, 4)", h="item(R, 5)", c="item(R, 6)"),
)  # fmt: skip
