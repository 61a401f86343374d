"""The functions that rules may call, with how each is typeset and how it is spelled in plain text.

What they do stands in `explorer.formulas.words`, under the same names.
"""

from __future__ import annotations

__all__ = ["BY_ELEMENT", "LARGE", "NUMBERS", "SHAPED", "WORDS"]

# Each word with how it is typeset and how it is spelled; @0, @1 … stand for its arguments, "^" binds them like the base of a power.
WORDS: dict[str, tuple[str, str]] = {
    "where": ("", ""),  # written as cases
    "exp": ("e^{@0}", "exp(@0)"),
    "log": (r"\ln\left(@0\right)", "ln(@0)"),
    "sqrt": (r"\sqrt{@0}", "√(@0)"),
    "abs": (r"\left|@0\right|", "|@0|"),
    "sign": (r"\operatorname{sign}\left(@0\right)", "sign(@0)"),
    "sin": (r"\sin\left(@0\right)", "sin(@0)"),
    "cos": (r"\cos\left(@0\right)", "cos(@0)"),
    "tan": (r"\tan\left(@0\right)", "tan(@0)"),
    "tanh": (r"\tanh\left(@0\right)", "tanh(@0)"),
    "sinh": (r"\sinh\left(@0\right)", "sinh(@0)"),
    "cosh": (r"\cosh\left(@0\right)", "cosh(@0)"),
    "arcsin": (r"\arcsin\left(@0\right)", "arcsin(@0)"),
    "arccos": (r"\arccos\left(@0\right)", "arccos(@0)"),
    "arctan": (r"\arctan\left(@0\right)", "arctan(@0)"),
    "erf": (r"\operatorname{erf}\left(@0\right)", "erf(@0)"),
    "sigmoid": (r"\sigma\left(@0\right)", "σ(@0)"),
    "softplus": (r"\ln\left(1+e^{@0}\right)", "ln(1 + exp(@0))"),
    "max": (r"\max\left(@0,\,@1\right)", "max(@0, @1)"),
    "min": (r"\min\left(@0,\,@1\right)", "min(@0, @1)"),
    "pi": (r"\pi", "π"),
    # numbers and shapes
    "shape": ("@0", "@0"),
    "count": ("N_{@0}", "count(@0)"),
    "size": ("n_{@1}", "count(@0, @1)"),
    "how_many": (r"\#\left(@0\right)", "#(@0)"),
    # sums over dimensions, and back
    "total": (r"\sum @0", "Σ(@0)"),
    "sum": (r"\sum_{@1} @0", "Σ(@0)"),
    "mean": (r"\operatorname{mean}_{@1}\left(@0\right)", "mean(@0)"),
    "spread": (r"\operatorname{expand}\left(@0\right)", "expand(@0)"),
    "product": (r"\prod @0", "Π(@0)"),
    "others": (r"\prod_{j \ne i} @0_{j}", "Π_others(@0)"),
    "sums_until": (r"\sum_{j \le i} @0_{j}", "cumsum(@0)"),
    "sums_from": (r"\sum_{j \ge i} @0_{j}", "reverse_cumsum(@0)"),
    "softmax": (r"\operatorname{softmax}\left(@0\right)", "softmax(@0)"),
    "scatter": (r"\operatorname{put}_{@1}\left(@0\right)", "put(@0 at @1)"),
    # matrices
    "T": (r"^@0^{\top}", "^@0ᵀ"),
    "outer": (r"@0 \, @1^{\top}", "@0 @ @1ᵀ"),
    # elements moved about
    "fit": (r"\operatorname{sum}_{\to @1}\left(@0\right)", "sum(@0)"),
    "reshape": (r"\operatorname{reshape}\left(@0\right)", "reshape(@0)"),
    "swap": (r"\operatorname{transpose}_{@1,@2}\left(@0\right)", "transpose(@0)"),
    "permute": (r"\operatorname{permute}\left(@0\right)", "permute(@0)"),
    "unpermute": (r"\operatorname{permute}^{-1}\left(@0\right)", "permute⁻¹(@0)"),
    "spread_to": (r"\operatorname{expand}\left(@0\right)", "expand(@0)"),
    "tile": (r"\operatorname{repeat}\left(@0\right)", "repeat(@0)"),
    "untile": (r"\operatorname{sum}_{\to @1}\left(@0\right)", "sum_copies(@0)"),
    "take": (r"^@0_{@2}", "^@0[@2]"),
    "put": (r"\operatorname{put}_{@3}\left(@0\right)", "put(@0 at @3)"),
    "cut": (r"^@0_{@2:@3}", "^@0[@2:@3]"),
    "put_slice": (r"\operatorname{put}_{@3:@4}\left(@0\right)", "put(@0 at @3:@4)"),
    "joined": (r"\left[\, g_{0} \;\; g_{1} \; \dots \right]_{@1}", "[g0, g1, …]"),
    "stacked": (r"\operatorname{stack}_{@1}\left(g_{0},\, g_{1},\, \dots\right)", "stack(g0, g1, …)"),
    "part": (r"^@0_{\left[@3\right]}", "^@0[@3]"),
    "item": (r"^@0_{@1}", "^@0[@1]"),
    "at": (r"^@0_{@1}", "^@0[@1]"),
    "add_at": (r"\sum_{j:\, @1_{j} = k} @0_{j}", "add(@0 at @1)"),
    "cleared": (r"^@0_{\notin @1}", "clear(@0 at @1)"),
    "chosen": (r"^@0_{@2}", "^@0[@2]"),
    "add_chosen": (r"\sum_{j:\, @2_{j} = k} @0_{j}", "add(@0 at @2)"),
    "along": (r"^@0_{@2}", "^@0[@2]"),
    "add_along": (r"\sum_{j:\, @2_{j} = k} @0_{j}", "add(@0 at @2)"),
    "cleared_along": (r"^@0_{\notin @2}", "clear(@0 at @2)"),
    "rows": (r"^@0_{@1}", "^@0[@1]"),
    "add_rows": (r"\sum_{j:\, @1_{j} = k} @0_{j}", "add(@0 at @1)"),
    "put_chosen": (r"\operatorname{put}_{@1}\left(@0\right)", "put(@0 at @1)"),
    "chosen_first": (r"^@0_{@1}", "^@0[@1]"),
    "flip": (r"\operatorname{flip}\left(@0\right)", "flip(@0)"),
    "roll": (r"\operatorname{roll}_{@1}\left(@0\right)", "roll(@0)"),
    "unroll": (r"\operatorname{roll}_{-@1}\left(@0\right)", "unroll(@0)"),
    "tril": (r"\operatorname{tril}_{@1}\left(@0\right)", "tril(@0)"),
    "triu": (r"\operatorname{triu}_{@1}\left(@0\right)", "triu(@0)"),
    "diagonal": (r"\operatorname{diagonal}\left(@0\right)", "diagonal(@0)"),
    "put_diagonal": (r"\operatorname{put}_{\mathrm{diagonal}}\left(@0\right)", "put_diagonal(@0)"),
    "pad": (r"\operatorname{pad}\left(@0\right)", "pad(@0)"),
    "unpad": (r"\operatorname{crop}\left(@0\right)", "crop(@0)"),
    # layers
    "by_channel": ("@0", "@0"),
    "but_channels": (r"\left\{0,\, 2,\, 3,\, \dots\right\}", "{0, 2, 3, …}"),
    "sum_channels": (r"\sum_{0,2,3,\dots} @0", "Σ(@0)"),
    "last": (r"\operatorname{dims}\left(@0\right)", "dims"),
    "mean_groups": (r"\operatorname{mean}_{\mathrm{group}}\left(@0\right)", "mean(@0)"),
    "by_group": ("@0", "@0"),
    "conv": (r"\operatorname{conv}\left(@0,\, @1\right)", "conv(@0, @1)"),
    "conv_back": (r"\operatorname{conv}^{\top}\left(@0,\, @1\right)", "convᵀ(@0, @1)"),
    "correlate": (r"\sum_{n} @0_{n} \star @1_{n}", "correlate(@0, @1)"),
    "unpool": (r"\sum_{j:\, @1_{j} = k} @0_{j}", "add(@0 at @1)"),
    "windows": (r"\operatorname{mean}_{\mathrm{window}}\left(@0\right)", "window_mean(@0)"),
    "unwindow": (r"\sum_{\mathrm{window}} \frac{@0}{n}", "Σ_windows(@0 / n)"),
    "regions": (r"\operatorname{mean}_{\mathrm{region}}\left(@0\right)", "region_mean(@0)"),
    "unregion": (r"\sum_{\mathrm{region}} \frac{@0}{n}", "Σ_regions(@0 / n)"),
    "enlarged": (r"\operatorname{nearest}\left(@0\right)", "nearest(@0)"),
    "reduced": (r"\sum_{\mathrm{copies}} @0", "sum_copies(@0)"),
    "picked": (r"w_{@0} \, \mathbf{1}_{\left[k = @0\right]}", "w[@0] × onehot(@0)"),
    "by_class": ("@0", "@0"),
    "scaling": (r"\frac{1}{\sqrt{d}}", "1/√d"),
    "hidden": (r"\mathrm{causal}", "causal mask"),
    "lstm_back": (r"\operatorname{LSTM}^{\top}\left(@0,\, @1,\, @2\right)", "LSTMᵀ(@0, @1, @2)"),
}

BY_ELEMENT = set("where exp log sqrt abs sign sin cos tan tanh sinh cosh arcsin arccos arctan erf sigmoid softplus max min pi".split())
LARGE = {"total", "sum", "product", "sum_channels", "reduced"}  # typeset with a sign that reaches as far as a product
SHAPED = ("shape", "count", "size")  # take the shape of a symbol, whose values need not be known
NUMBERS = {"count", "size", "pi", "scaling", "last", "but_channels"}  # give no array
