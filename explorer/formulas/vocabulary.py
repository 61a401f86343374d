"""The functions that rules may call, with how each is typeset and how it is spelled in plain text.

What they do stands in `explorer.formulas.words`, under the same names.
"""

from __future__ import annotations

__all__ = ["LARGE", "WORDS"]

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
}
LARGE: set[str] = set()  # typeset with a sign that reaches as far as a product
