"""Ops that cannot be run again in double precision as they are, and what computes the same: a table.

Beside them ops that read one triangle of a matrix and take the other for its mirror (Cholesky, eigh): torch's gradient is that of the op
as a function of the whole matrix, so that is what is moved. Of a matrix that is not symmetric the replay then differs, and says so.

Each takes the arguments of its op, tensors in double precision, and `drawn`, what the op drew at random (the tensors that it gave or wrote
to). It gives what the op gives, None in place of what only backward reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

Drawn = list[torch.Tensor]


def _native_dropout(drawn: Drawn, x: torch.Tensor, p: float, train: bool | None = None) -> Any:
    mask = drawn[1]
    return x * mask * (0.0 if p == 1 else 1.0 / (1.0 - p)), mask


def _fused_dropout(drawn: Drawn, x: torch.Tensor, p: float, generator: Any = None) -> Any:
    return x * drawn[1] / p, drawn[1]  # p: the probability to be kept


def _rrelu(drawn: Drawn, x: torch.Tensor, *rest: Any, **named: Any) -> Any:
    return x * drawn[0].to(x.dtype)  # the noise is the slope: 1 where x is not negative


def _rnn_layer(
    drawn: Drawn,
    x: torch.Tensor,
    w_ih: torch.Tensor,
    w_hh: torch.Tensor,
    b_ih: torch.Tensor,
    b_hh: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    reverse: bool,
    *rest: Any,
) -> Any:
    """One layer of an LSTM over (time, batch, features), gates in the order input, forget, cell, output."""
    shape, outputs = h.shape, []
    h, c = h.reshape(-1, h.shape[-1]), c.reshape(-1, c.shape[-1])
    steps = range(x.shape[0])
    for step in reversed(steps) if reverse else steps:
        gates = x[step] @ w_ih.T + h @ w_hh.T
        if b_ih.numel():
            gates = gates + b_ih + b_hh
        i, f, g, o = gates.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    stacked = torch.stack(outputs[::-1] if reverse else outputs)
    return stacked, h.reshape(shape), c.reshape(shape), None


def _attention(drawn: Drawn, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: Any, **named: Any) -> Any:
    """The forms for one kind of device, which take (dropout_p, is_causal) or a bias before them; without dropout."""
    bias = named.get("attn_mask", named.get("attn_bias"))
    causal = bool(named.get("is_causal", False))
    flags = [value for value in rest if isinstance(value, bool)]
    if rest and isinstance(rest[0], torch.Tensor):
        bias = rest[0]
        flags = flags[1:]  # compute_log_sumexp
    if flags:
        causal = flags[0]
    scale = named.get("scale")
    groups = q.shape[1] // k.shape[1]
    if groups > 1:
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal, scale=scale), None


def _symmetric(matrix: torch.Tensor) -> torch.Tensor:
    return (matrix + matrix.mH) / 2


def _cholesky_ex(drawn: Drawn, matrix: torch.Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    return torch.linalg.cholesky_ex(_symmetric(matrix), upper=upper)


def _cholesky(drawn: Drawn, matrix: torch.Tensor, upper: bool = False) -> Any:
    return torch.linalg.cholesky(_symmetric(matrix), upper=upper)


def _eigh(drawn: Drawn, matrix: torch.Tensor, UPLO: str = "L", compute_v: bool = True) -> Any:
    return torch.linalg.eigh(_symmetric(matrix))


def _whole(factor: torch.Tensor, upper: bool) -> torch.Tensor:
    """The matrix of which this is the factor: the other triangle of the factor counts for backward, too."""
    return factor.mH @ factor if upper else factor @ factor.mH


def _cholesky_solve(drawn: Drawn, right: torch.Tensor, factor: torch.Tensor, upper: bool = False) -> Any:
    return torch.linalg.solve(_whole(factor, upper), right)


def _cholesky_inverse(drawn: Drawn, factor: torch.Tensor, upper: bool = False) -> Any:
    return torch.linalg.inv(_whole(factor, upper))


EQUIVALENTS: dict[str, Callable[..., Any]] = {
    "aten::native_dropout": _native_dropout,
    "aten::_fused_dropout": _fused_dropout,
    "aten::rrelu_with_noise": _rrelu,
    "aten::mkldnn_rnn_layer": _rnn_layer,
    "aten::_scaled_dot_product_flash_attention_for_cpu": _attention,
    "aten::_scaled_dot_product_efficient_attention": _attention,
    "aten::_scaled_dot_product_flash_attention": _attention,
    "aten::_scaled_dot_product_cudnn_attention": _attention,
    "aten::linalg_cholesky_ex": _cholesky_ex,
    "aten::cholesky": _cholesky,
    "aten::_linalg_eigh": _eigh,
    "aten::cholesky_solve": _cholesky_solve,
    "aten::cholesky_inverse": _cholesky_inverse,
}

# Random ops whose result does not follow what they are given, to autograd: a constant, as it was drawn.
DRAWN = frozenset(
    "bernoulli normal poisson multinomial binomial rand randn randint randperm rand_like randn_like randint_like normal_functional".split()
)
