"""Calls of ops that move elements about."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.formulas.oracle import Case, case

CUBE = (2, 3, 4)
rows = torch.tensor([2, 0, 2])
columns = torch.tensor([1, 1, 3])
places = torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]])
choice = torch.tensor([[True, False, True], [False, True, True]])
words = torch.tensor([[1, 0, 1], [4, 1, 0]])

CASES: list[Case] = [
    case("copy", lambda x, s: x.clone().copy_(s), (2, 3), (2, 3)),
    case("copy", lambda x, s: x.clone().copy_(s), (2, 3), (3,)),
    case("same", torch.clone, CUBE),
    case("same", torch.ops.aten.alias, CUBE),
    case("same", lambda x: x.to(torch.float32), CUBE, precision=1e-6),
    case("reshape", lambda x: x.clone(memory_format=torch.contiguous_format).view(6, 4), CUBE),
    case("reshape", lambda x: torch.ops.aten._unsafe_view(x.clone(memory_format=torch.contiguous_format), (6, 4)), CUBE),
    case("reshape", lambda x: torch.ops.aten._reshape_alias(x, (3, 2), (2, 1)), (2, 3), contiguous=True),
    case("reshape", lambda x: x.unsqueeze(1), CUBE),
    case("reshape", torch.squeeze, (2, 1, 3, 1)),
    case("reshape", lambda x: x.squeeze(1), (2, 1, 3)),
    case("reshape", lambda x: x.squeeze((1, 3)), (2, 1, 3, 1)),
    case("t", torch.t, (2, 3)),
    case("t", torch.t, (3,)),
    *[case("transpose", lambda x, i=i, j=j: x.transpose(i, j), CUBE) for i, j in ((0, 1), (-1, -2), (0, 2))],
    case("transpose", lambda x: x.clone().transpose_(0, 2), CUBE),
    *[case("permute", lambda x, dims=dims: x.permute(dims), CUBE) for dims in ((2, 0, 1), (-1, 0, -2), (0, 1, 2))],
    case("expand", lambda x: x.expand(5, 2, 3, 4), (2, 1, 4)),
    case("expand", lambda x: x.expand(-1, 3), (2, 1)),
    case("expand", lambda x: x.expand(2, 3), ()),
    case("repeat", lambda x: x.repeat(2, 3), (2, 3)),
    case("repeat", lambda x: x.repeat(2, 1, 3), (2, 3)),
    *[case("select", lambda x, dim=dim, at=at: x.select(dim, at), CUBE) for dim, at in ((0, 1), (1, -1), (-1, 2))],
    *[case("slice", call, CUBE) for call in (lambda x: x[1:], lambda x: x[:, :2], lambda x: x[..., 1:4:2], lambda x: x[:, -2:])],
    case("split", lambda x: x.split(2, 2), CUBE),
    case("split", lambda x: x.split([1, 3], -1), CUBE),
    case("split", lambda x: torch.unsafe_split(x, 2, 2), CUBE),
    case("split", lambda x: x.split(3, 2), CUBE),
    case("unbind", lambda x: x.unbind(1), CUBE),
    case("unbind", torch.unbind, CUBE),
    case("cat", lambda *xs: torch.cat(xs), (2, 3), (1, 3), (4, 3)),
    case("cat", lambda *xs: torch.cat(xs, -1), (2, 3), (2, 1)),
    case("cat", lambda *xs: torch.cat(xs, 1), (0,), (2, 2, 2)),
    case("stack", lambda *xs: torch.stack(xs), (2, 3), (2, 3)),
    case("stack", lambda *xs: torch.stack(xs, -1), (2, 3), (2, 3), (2, 3)),
    case("index", lambda x: x[rows], (3, 4)),
    case("index", lambda x: x[rows, columns], (3, 4)),
    case("index", lambda x: x[:, rows], CUBE),
    case("index", lambda x: x[:, :, columns], CUBE),
    case("index", lambda x: x[x.detach() > 0], (3, 4)),
    case("index", lambda x: x[rows[:2], :, columns[:2]], (3, 3, 4)),
    case("index_select", lambda x: x.index_select(1, rows), CUBE),
    case("index_select", lambda x: x.index_select(-1, columns), CUBE),
    case("index_add", lambda x, s: x.index_add(1, rows, s), CUBE, (2, 3, 4)),
    case("index_add", lambda x, s: x.index_add(0, rows, s, alpha=0.5), (3, 2), (3, 2)),
    case("index_put", lambda x, v: x.index_put((rows[:2],), v), (3, 4), (2, 4)),
    case("index_put", lambda x, v: x.index_put((rows[:2],), v), (3, 4), ()),
    case("index_put_add", lambda x, v: x.index_put((rows, columns), v, accumulate=True), (3, 4), (3,)),
    case("gather", lambda x: x.gather(0, places), (3, 4)),
    case("gather", lambda x: x.gather(-1, places), (2, 3)),
    case("scatter", lambda x, s: x.scatter(1, torch.tensor([[0, 2], [3, 1]]), s), (3, 4), (2, 2)),
    case("scatter", lambda x: x.scatter(1, torch.tensor([[0, 2], [3, 1]]), 5.0), (3, 4)),
    case("scatter_add", lambda x, s: x.scatter_add(0, places, s), (3, 4), (2, 4)),
    case("embedding", lambda w: F.embedding(words, w), (5, 3)),
    case("embedding", lambda w: F.embedding(words, w, padding_idx=1), (5, 3)),
    case("reshape", lambda x: x.clone().unsqueeze_(1), CUBE),
    case("masked_select", lambda x: x.masked_select(choice), (2, 3)),
    case("masked_select", lambda x: x.masked_select(choice), (3,)),
    case("masked_scatter", lambda x, s: x.masked_scatter(choice, s), (2, 3), (2, 4)),
    case("flip", lambda x: x.flip(0, -1), CUBE),
    case("roll", lambda x: x.roll(2), CUBE),
    case("roll", lambda x: x.roll((1, -2), (0, 2)), CUBE),
    case("tril", torch.tril, CUBE),
    case("tril", lambda x: x.tril(-1), (4, 4)),
    case("triu", lambda x: x.triu(1), CUBE),
    case("diagonal", torch.diagonal, (3, 4)),
    case("diagonal", lambda x: x.diagonal(-1, 2, 0), CUBE),
    case("diagonal", lambda x: x.diagonal(1, -2, -1), CUBE),
    case("pad", lambda x: F.pad(x, (1, 2)), CUBE),
    case("pad", lambda x: F.pad(x, (1, 2, 0, 3), value=7.0), CUBE),
    case("pad", lambda x: F.pad(x, (-1, 2)), CUBE),
]
