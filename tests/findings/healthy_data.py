"""NaN that stands for missing data, and NaN that is only looked at: neither the loss nor a gradient has one."""

from __future__ import annotations

from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.healthy_models import healthy

TARGETS = torch.tensor([1.0, float("nan"), 2.0, float("nan")])


def predicted() -> torch.Tensor:
    return nn.Linear(3, 1)(torch.randn(4, 3)).squeeze(1)


@healthy
def targets_of_the_module_masked() -> Any:
    p, known = predicted(), ~torch.isnan(TARGETS)
    return F.mse_loss(p[known], TARGETS[known])


@healthy
def targets_from_numpy_masked() -> Any:
    y = torch.from_numpy(numpy.array([1.0, numpy.nan, 2.0, numpy.nan], dtype=numpy.float32))
    known = ~torch.isnan(y)
    return F.mse_loss(predicted()[known], y[known])


@healthy
def targets_replaced_by_where() -> Any:
    missing = torch.isnan(TARGETS)
    return ((predicted() - torch.where(missing, torch.zeros(()), TARGETS)).pow(2) * ~missing).sum()


@healthy
def mean_without_nan() -> Any:
    x = torch.tensor([[1.0, float("nan")], [2.0, 3.0]])
    return nn.Linear(1, 1)(x.nanmean(0)[:, None]).sum()


@healthy
def features_replaced_beside_their_mask() -> Any:
    x = torch.tensor([[1.0, float("nan"), 2.0], [0.5, 1.5, float("nan")]])
    return nn.Linear(6, 1)(torch.cat([torch.nan_to_num(x, 0.0), (~x.isnan()).float()], 1)).pow(2).mean()


@healthy
def gradients_of_the_step_before_looked_at() -> Any:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(3, 2)).sum().backward()
        model.weight.grad[0, 0] = float("nan")  # type: ignore[index]
        if torch.isfinite(sum(p.grad.norm() for p in model.parameters() if p.grad is not None)):  # type: ignore[arg-type]
            optimizer.step()


@healthy
def a_metric_that_is_nan() -> Any:
    p = predicted()
    with torch.no_grad():
        score = (p - p).sum() / (p - p).sum()
    assert score.isnan()
    return p.pow(2).mean()
