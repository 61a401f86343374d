"""Programs that make NaN or infinity, in the values of the forward pass or in gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault


@fault("nan_forward", severity="error", says="negative")
def root_of_a_negative_number() -> Any:
    w = torch.tensor([0.5, 2.0], requires_grad=True)
    return torch.sqrt(w - 1).sum()  # <- root_of_a_negative_number


@fault("nan_forward", severity="error", says="negative")
def logarithm_of_a_negative_number() -> Any:
    model = nn.Linear(3, 4)
    return torch.log(model(torch.randn(8, 3))).mean()  # <- logarithm_of_a_negative_number


@fault("nan_forward", severity="error", says="0/0")
def nothing_divided_by_nothing() -> Any:
    w = torch.tensor([0.0, 1.0], requires_grad=True)
    mask = torch.tensor([0.0, 0.0])
    total = (w * mask).sum()
    return total / mask.sum()  # <- nothing_divided_by_nothing


@fault("nan_forward", severity="error", says="-inf")
def row_masked_as_a_whole() -> Any:
    scores = torch.randn(3, 3, requires_grad=True)
    mask = torch.tensor([[True, True, True], [False, True, True], [False, False, True]])
    attention = scores.masked_fill(mask, float("-inf")).softmax(-1)  # <- row_masked_as_a_whole
    return (attention * torch.randn(3, 3)).sum()


@fault("nan_forward", severity="error", says="one element")
def deviation_of_one_sample() -> Any:
    w = torch.randn(1, 4, requires_grad=True)
    return ((w - w.mean(0)) / w.std(0, correction=1)).sum()  # <- deviation_of_one_sample


@fault("inf_forward", severity="error", says="logarithm")
def logarithm_of_zero() -> Any:
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    return -torch.log(torch.softmax(logits, -1))[0, 1]  # <- logarithm_of_zero


@fault("inf_forward", severity="error", says="zero")
def division_by_zero() -> Any:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    distance = torch.tensor([0.0, 1.0])
    return (w / distance).sum()  # <- division_by_zero


@fault("inf_forward", severity="error", says="float32")
def exponential_of_much() -> Any:
    w = torch.tensor([10.0, 100.0], requires_grad=True)
    return torch.exp(w).mean()  # <- exponential_of_much


@fault("inf_forward", severity="error", says="65504")
def overflow_in_half() -> Any:
    w = torch.full((4, 64), 40.0, dtype=torch.float16, requires_grad=True)
    return (w @ w.t()).float().mean()  # <- overflow_in_half


@fault("inf_gradient", severity="error", says="at 0")
def root_at_zero() -> Any:
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    return torch.sqrt(x).sum()  # <- root_at_zero


@fault("nan_gradient", severity="error", says="infinite")
def length_of_nothing() -> Any:
    points = torch.zeros(2, 3, requires_grad=True)
    return torch.sqrt((points**2).sum(-1)).sum()  # <- length_of_nothing


@fault("nan_gradient", severity="error", says="torch.where")
def branch_not_taken() -> Any:
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    safe = torch.where(x > 0, torch.sqrt(x), torch.zeros_like(x))  # <- branch_not_taken
    return safe.sum()


@fault("nan_gradient", severity="error")
def division_not_taken() -> Any:
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    sinc = torch.where(x == 0, torch.ones_like(x), torch.sin(x) / x)  # <- division_not_taken
    return sinc.sum()


@fault("nan_gradient", severity="error")
def deviation_of_equal_values() -> Any:
    w = torch.ones(4, requires_grad=True)
    spread = (w - w.mean()).pow(2).mean().sqrt()  # <- deviation_of_equal_values
    return spread * 2


class Sharpen(nn.Module):
    """A power below one, at a zero of relu."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x) ** 0.5  # <- power_of_relu


@fault("inf_gradient", severity="error", says="at 0")
def power_of_relu() -> Any:
    model = nn.Sequential(nn.Linear(3, 8), Sharpen(), nn.Linear(8, 1))
    return model(torch.randn(4, 3)).sum()


@fault("inf_gradient", severity="error", says="float16: 65504")
def gradient_cast_to_half() -> Any:
    w = torch.full((4,), 0.5, dtype=torch.float16, requires_grad=True)
    return (w.float() * 1e6).sum()  # <- gradient_cast_to_half


@fault("inf_gradient", severity="error", says="larger than the largest number")
def gradient_of_products_in_half() -> Any:
    w = torch.full((4,), 0.001, dtype=torch.float16, requires_grad=True)
    return (w * 300 * 300 * 10).sum()  # <- gradient_of_products_in_half


@fault("inf_gradient", severity="error", says="float32: 3.40e38")
def gradient_of_products_in_single() -> Any:
    w = torch.full((4,), 1e-30, requires_grad=True)
    return ((w * 1e20) * 1e25).sum()  # <- gradient_of_products_in_single


@fault("inf_forward", severity="error", says="edge of its range")
def logarithm_of_one_less_one() -> Any:
    return torch.log1p(torch.tensor([-1.0, 0.0], requires_grad=True)).sum()  # <- logarithm_of_one_less_one


@fault("inf_forward", severity="error", says="edge of its range")
def logit_of_one() -> Any:
    return torch.logit(torch.tensor([1.0, 0.5], requires_grad=True)).sum()  # <- logit_of_one


@fault("inf_forward", severity="error", says="edge of its range")
def inverse_tangent_of_one() -> Any:
    return torch.atanh(torch.tensor([1.0, 0.5], requires_grad=True)).sum()  # <- inverse_tangent_of_one


@fault("inf_forward", severity="error", says="edge of its range")
def inverse_error_function_of_one() -> Any:
    return torch.erfinv(torch.tensor([1.0, 0.5], requires_grad=True)).sum()  # <- inverse_error_function_of_one


@fault("inf_forward", severity="error", says="edge of its range")
def gamma_of_zero() -> Any:
    return torch.lgamma(torch.tensor([0.0, 0.5], requires_grad=True)).sum()  # <- gamma_of_zero


@fault("inf_forward", severity="error", says="logarithm of zero")
def logarithm_of_zero_in_place() -> Any:
    x = torch.tensor([0.0, 2.0], requires_grad=True) * 1
    return x.log_().sum()  # <- logarithm_of_zero_in_place


@fault("inf_forward", severity="error", says="division by zero")
def zero_to_a_negative_power() -> Any:
    exponent = torch.tensor([-1.0, 2.0], requires_grad=True)
    return (torch.tensor([0.0, 2.0]) ** exponent).sum()  # <- zero_to_a_negative_power


@fault("inf_gradient", severity="error", says="at the edge of its range its slope is infinite")
def slope_of_logit_at_one() -> Any:
    return torch.logit(torch.tensor([1.0, 0.5], requires_grad=True)).sum()  # <- slope_of_logit_at_one


@fault("inf_gradient", severity="error", says="the slope of a division by 0")
def slope_of_one_over_zero() -> Any:
    return (1 / torch.tensor([0.0, 0.5], requires_grad=True)).sum()  # <- slope_of_one_over_zero


@fault("inf_gradient", severity="error", says="the slope of a logarithm at 0")
def slope_of_a_logarithm_at_zero() -> Any:
    return torch.tensor([0.0, 0.5], requires_grad=True).log2().sum()  # <- slope_of_a_logarithm_at_zero


@fault("nan_gradient", severity="error", says="the slope of a division by 0")
def slope_of_nothing_over_nothing() -> Any:
    return (torch.zeros(2) / torch.tensor([0.0, 2.0], requires_grad=True)).sum()  # <- slope_of_nothing_over_nothing


@fault("nan_gradient", severity="error", says="a negative number to a power that is no integer")
def slope_of_a_power_of_a_negative_number() -> Any:
    return (torch.tensor([-0.5, 0.7], requires_grad=True) ** 1.5).sum()  # <- slope_of_a_power_of_a_negative_number


@fault("nan_gradient", severity="error", says="a value that it needs is not finite")
def slope_that_needs_an_infinite_value() -> Any:
    w = torch.tensor([0.0, 1.0], requires_grad=True)
    return (w * torch.exp(w.detach() * 100)).clamp(max=2.0).sum()  # <- slope_that_needs_an_infinite_value


@fault("nan_gradient", severity="error", says="-inf in every place")
def slope_of_a_row_masked_as_a_whole() -> Any:
    scores = torch.randn(2, 3, requires_grad=True)
    mask = torch.tensor([[True, True, True], [False, True, True]])
    return scores.masked_fill(mask, float("-inf")).softmax(-1).sum()  # <- slope_of_a_row_masked_as_a_whole


@fault("inf_forward", severity="error", says="float32")
def overflow_that_becomes_nan() -> Any:
    e = torch.exp(torch.tensor([100.0, 0.0], requires_grad=True))  # <- overflow_that_becomes_nan
    return (e / e.sum()).sum()


@fault("inf_forward", severity="error", says="logarithm of zero")
def entropy_of_a_certain_choice() -> Any:
    p = torch.softmax(torch.tensor([0.0, 200.0], requires_grad=True), -1)
    return -(p * p.log()).sum()  # <- entropy_of_a_certain_choice


@fault("inf_forward", severity="error", says="float32")
def overflow_that_clamp_hides() -> Any:
    w = torch.tensor([0.0, 1.0], requires_grad=True)
    large = torch.exp(w * 100)  # <- overflow_that_clamp_hides
    return large.clamp(max=2.0).sum()


@fault("inf_forward", severity="error", says="infinity is filled in there")
def mask_of_infinity_times_zero() -> Any:
    bias = torch.full((3,), float("-inf"))  # <- mask_of_infinity_times_zero
    return (torch.ones(3, requires_grad=True) + bias * torch.tensor([0.0, 0.0, 1.0])).softmax(-1)[0]


@fault("nan_forward", severity="error", says="infinity times zero")
def infinity_times_a_mask() -> Any:
    mask = torch.tensor([0.0, 1.0])
    return (torch.ones(2, requires_grad=True) + mask * float("-inf")).softmax(-1)[0]  # <- infinity_times_a_mask


@fault("inf_forward", severity="error", says="Infinity came in with x, which no op of this pass made; infinite there: 1 of 2")
def infinity_in_the_data() -> Any:
    x = torch.tensor([1.0, float("inf")])  # <- infinity_in_the_data
    return (torch.ones(2, requires_grad=True) * x).sum()
