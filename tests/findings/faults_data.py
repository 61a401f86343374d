"""NaN that comes in with the data or with the parameters and reaches the loss or a gradient."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault

TARGETS = torch.tensor([1.0, float("nan"), 2.0, float("nan")])


def predicted() -> torch.Tensor:
    return nn.Linear(3, 1)(torch.randn(4, 3)).squeeze(1)


@fault("nan_forward", severity="error", says="NaN came in with y, which no op of this pass made; NaN there: 2 of 4")
def missing_target_in_the_loss() -> Any:
    y = torch.tensor([1.0, float("nan"), 2.0, float("nan")])  # <- missing_target_in_the_loss
    return F.mse_loss(predicted(), y)


@fault("nan_forward", severity="error", says="NaN came in with a tensor that")
def missing_target_of_the_module() -> Any:
    return F.mse_loss(predicted(), TARGETS)  # <- missing_target_of_the_module


@fault("nan_forward", severity="error", says="NaN came in with x")
def missing_value_times_zero_in_the_gradient() -> Any:
    x = torch.tensor([1.0, float("nan")])  # <- missing_value_times_zero_in_the_gradient
    w = torch.ones(2, requires_grad=True)
    return torch.where(x.isnan(), torch.zeros(()), w * x).sum()


@fault("nan_forward", severity="error", says="NaN came in with x, ")
def missing_value_after_one_that_is_masked() -> Any:
    masked = torch.tensor([1.0, float("nan")])
    x = torch.tensor([float("nan"), 1.0])  # <- missing_value_after_one_that_is_masked
    w = torch.ones(2, requires_grad=True)
    return (w * torch.nan_to_num(masked) * x).sum()


@fault("nan_forward", severity="error", line=False, says="weight had NaN already when this pass began; NaN there: 1 of 3")
def parameter_spoiled_before() -> Any:
    model = nn.Linear(3, 1)
    with torch.no_grad():
        model.weight[0, 0] = float("nan")
    return model(torch.ones(2, 3)).sum()


@fault("nan_forward", severity="error", says="negative")
def root_after_data_that_is_masked() -> Any:
    p, known = predicted(), ~torch.isnan(TARGETS)
    spread = torch.sqrt(-p[known].pow(2) - 1)  # <- root_after_data_that_is_masked
    return (spread * TARGETS[known]).sum()
