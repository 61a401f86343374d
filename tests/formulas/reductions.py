"""Calls of reductions, of what is normalised by them, of matrix products and of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from tests.formulas.oracle import Case, case

CUBE = (2, 3, 4)
WAYS: list[dict[str, Any]] = [{"dim": 1}, {"dim": (0, 2)}, {"dim": -1, "keepdim": True}, {"dim": (1, 2), "keepdim": True}]
KINDS = ("mean", "sum", "none")
classes = torch.tensor([2, 0, 4, 2])
some_ignored = torch.tensor([2, -100, 4, 2])
per_class = torch.tensor([0.2, 1.0, 0.5, 2.0, 1.5], dtype=torch.float64)
images = torch.tensor([[[0, 1], [2, 2]], [[1, 1], [0, -100]]])


def ways(key: str, call: Callable[..., Any], *, low: float = -2.0, high: float = 2.0) -> list[Case]:
    """Over one dimension and over several, kept and not."""
    return [case(key, lambda x, way=way: call(x, **way), CUBE, low=low, high=high) for way in WAYS]


def kinds(key: str, call: Callable[..., Any], *shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> list[Case]:
    """A loss averaged, summed and left alone."""
    return [
        case(key if kind == "mean" else f"{key}_sum", lambda *xs, kind=kind: call(*xs, reduction=kind), *shapes, low=low, high=high)
        for kind in KINDS
    ]


def nll(call: Callable[..., Any], shape: tuple[int, ...]) -> list[Case]:
    names = {"mean": "nll", "sum": "nll_sum", "none": "nll_each"}
    return [case(names[kind], lambda x, kind=kind: call(x, reduction=kind), shape, contiguous=len(shape) == 4) for kind in KINDS]


CASES: list[Case] = [
    *[case("sum", torch.sum, shape) for shape in ((), (3,), CUBE)],
    *ways("sum", torch.sum),
    *[case("mean", torch.mean, shape) for shape in ((), (3,), CUBE)],
    *ways("mean", torch.mean),
    *ways("var", torch.var),
    *ways("var", lambda x, **way: torch.var(x, correction=0, **way)),
    case("var", torch.var, CUBE),
    *ways("std", torch.std),
    *ways("std", lambda x, **way: torch.std(x, correction=0, **way)),
    case("std", torch.std, CUBE),
    case("std", torch.std, (4,), low=1, high=1),
    case("norm", lambda x: x.norm(), (4,), low=0, high=0),
    case("prod", torch.prod, CUBE),
    case("prod", lambda x: torch.prod(x * (x > 0)), (5,)),
    case("prod", lambda x: torch.prod(x, 1), CUBE),
    case("prod", lambda x: torch.prod(x, -1, keepdim=True), CUBE),
    case("extreme", torch.max, CUBE),
    case("extreme", torch.min, CUBE),
    *ways("extreme", torch.amax),
    *ways("extreme", torch.amin),
    case("chosen", lambda x: torch.max(x, 1), CUBE),
    case("chosen", lambda x: torch.max(x, -1, keepdim=True), CUBE),
    case("chosen", lambda x: torch.min(x, 0), CUBE),
    case("chosen", lambda x: torch.max(x, 0), ()),
    case("chosen", lambda x: torch.topk(x, 2), CUBE),
    case("chosen", lambda x: torch.topk(x, 2, dim=1, largest=False), CUBE),
    case("chosen", lambda x: torch.sort(x, dim=1, descending=True), CUBE),
    case("chosen", torch.sort, (7,)),
    *[case("cumsum", lambda x, dim=dim: torch.cumsum(x, dim), CUBE) for dim in (0, 1, -1)],
    case("cumsum", lambda x: torch.cumsum(x, 0), ()),
    *ways("logsumexp", torch.logsumexp),
    *ways("norm", torch.linalg.vector_norm),
    case("norm", lambda x: x.norm(), CUBE),
    *ways("norm1", lambda x, **way: torch.linalg.vector_norm(x, 1, **way)),
    *[case("softmax", lambda x, dim=dim: F.softmax(x, dim), CUBE) for dim in (0, 1, -1)],
    case("softmax", lambda x: torch.ops.aten._safe_softmax(x, -1), CUBE),
    *[case("log_softmax", lambda x, dim=dim: F.log_softmax(x, dim), CUBE) for dim in (0, 1, -1)],
    # matrices
    case("mm", torch.mm, (3, 4), (4, 2)),
    case("mm", torch.mm, (1, 1), (1, 5)),
    case("bmm", torch.bmm, (2, 3, 4), (2, 4, 5)),
    case("mv", torch.mv, (3, 4), (4,)),
    case("dot", torch.dot, (4,), (4,)),
    case("addmm", torch.addmm, (3, 2), (3, 4), (4, 2)),
    case("addmm", torch.addmm, (2,), (3, 4), (4, 2)),
    case("addmm_scaled", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), (3, 1), (3, 4), (4, 2)),
    case("addmm", torch.baddbmm, (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    case("addmm", torch.baddbmm, (5,), (2, 3, 4), (2, 4, 5)),
    case("addmm_scaled", lambda c, a, b: torch.baddbmm(c, a, b, beta=0.5, alpha=2), (2, 1, 5), (2, 3, 4), (2, 4, 5)),
    case("addmv", torch.addmv, (3,), (3, 4), (4,)),
    case("addmv", lambda c, a, v: torch.addmv(c, a, v, beta=0.5, alpha=2), (1,), (3, 4), (4,)),
    # losses
    *kinds("mse", F.mse_loss, (3, 4), (3, 4)),
    *kinds("smooth_l1", F.smooth_l1_loss, (3, 4), (3, 4)),
    *kinds("smooth_l1", lambda x, t, reduction: F.smooth_l1_loss(x, t, beta=0.3, reduction=reduction), (3, 4), (3, 4)),
    *kinds("huber", F.huber_loss, (3, 4), (3, 4)),
    *kinds("huber", lambda x, t, reduction: F.huber_loss(x, t, delta=0.3, reduction=reduction), (3, 4), (3, 4)),
    *kinds("bce", F.binary_cross_entropy, (3, 4), (3, 4), low=0.1, high=0.9),
    *kinds("bce", lambda x, reduction: F.binary_cross_entropy(x, torch.ones_like(x), torch.full_like(x, 0.3), reduction=reduction), (5,),
           low=0.1, high=0.9),
    case("bce", lambda x: F.binary_cross_entropy((x > 0.5).double() + 0 * x, torch.ones_like(x)), (8,), low=0, high=1, precision=1e-7),
    case("bce", lambda x, t: F.binary_cross_entropy((x > 0.5).double() + 0 * x, t), (8,), (8,), low=0, high=1, precision=1e-7),
    *kinds("bce_logits", F.binary_cross_entropy_with_logits, (3, 4), (3, 4)),
    *kinds("bce_logits", lambda x, t, reduction: F.binary_cross_entropy_with_logits(
        x, t, weight=torch.full_like(x, 0.3), pos_weight=torch.tensor([1.0, 2.0, 3.0, 0.5]).double(), reduction=reduction), (3, 4), (3, 4)),
    *nll(lambda x, reduction: F.nll_loss(x, classes, reduction=reduction), (4, 5)),
    *nll(lambda x, reduction: F.nll_loss(x, some_ignored, reduction=reduction), (4, 5)),
    *nll(lambda x, reduction: F.nll_loss(x, classes, per_class, ignore_index=4, reduction=reduction), (4, 5)),
    *nll(lambda x, reduction: F.nll_loss(x, images, reduction=reduction), (2, 3, 2, 2)),
    case("nll", lambda x: F.nll_loss(x, torch.tensor(3)), (5,)),
]  # fmt: skip
