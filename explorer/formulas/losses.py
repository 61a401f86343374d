"""Rules of losses. Each has a line for the mean over all elements and one for the sum or no reduction at all."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["LOSSES"]

NONE, MEAN, SUM = 0, 1, 2  # as torch counts its reductions


def reduced(key: str, autograd: str, signature: str, each: str, where: dict[str, str] | None = None, **gradients: str) -> tuple[Rule, Rule]:
    """A loss that `each` element has, with its derivatives for upstream gradient g: averaged, and summed or left alone."""
    arguments = f"{signature}{'' if ';' in signature else ';'} reduction=1"
    mean = {name: f"({formula}) / N" for name, formula in gradients.items()}
    return (
        rule(key, autograd, arguments, when={"reduction": (MEAN,)}, forward=f"total({each}) / N", where={"N": "count(x)", **(where or {})},
             gradients=mean),
        rule(f"{key}_sum", autograd, arguments, where=where, gradients=gradients),
    )  # fmt: skip


BCE, LOGITS = "BinaryCrossEntropyBackward0", "BinaryCrossEntropyWithLogitsBackward0"
NLL, NLL2D = "NllLossBackward0", "NllLoss2DBackward0"
CLASSES = "x=self t=target w=weight?1; ignore:ignore_index=-100 reduction=1"
PICKED = {"p": "picked(t, shape(x), w, ignore)"}

LOSSES: tuple[Rule, ...] = (
    *reduced("mse", "MseLossBackward0", "x=self t=target", "(x - t)**2", x="2 * g * (x - t)", t="2 * g * (t - x)"),
    *reduced("smooth_l1", "SmoothL1LossBackward0", "x=self t=target; b:beta=1", "where(abs(d) < b, d**2 / (2 * b), abs(d) - b / 2)",
             {"d": "x - t"}, x="where(abs(d) < b, g * d / b, g * sign(d))", t="where(abs(d) < b, -g * d / b, -g * sign(d))"),
    *reduced("huber", "HuberLossBackward0", "x=self t=target; b:delta=1", "where(abs(d) <= b, d**2 / 2, b * (abs(d) - b / 2))",
             {"d": "x - t"}, x="where(abs(d) <= b, g * d, b * g * sign(d))", t="where(abs(d) <= b, -g * d, -b * g * sign(d))"),
    *reduced("bce", BCE, "x=self t=target w=weight?1", "-w * (t * max(log(x), -100) + (1 - t) * max(log(1 - x), -100))",
             x="g * w * (x - t) / max(x * (1 - x), 1e-12)", t="g * w * (log(1 - x) - log(x))"),
    *reduced("bce_logits", LOGITS, "x=self t=target w=weight?1 p=pos_weight?1",
             "-w * (p * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))",
             x="g * w * ((1 - t) * sigmoid(x) - p * t * (1 - sigmoid(x)))",
             t="g * w * (log(1 - sigmoid(x)) - p * log(sigmoid(x)))"),
    rule("nll", f"{NLL} {NLL2D}", CLASSES, when={"reduction": (MEAN,)}, forward="-total(p * x) / total(p)", where=PICKED,
         x="-g * p / total(p)"),
    rule("nll_sum", f"{NLL} {NLL2D}", CLASSES, when={"reduction": (SUM,)}, forward="-total(p * x)", where=PICKED, x="-g * p"),
    rule("nll_each", f"{NLL} {NLL2D}", CLASSES, where=PICKED, x="-by_class(g) * p"),
)  # fmt: skip
