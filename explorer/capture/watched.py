"""What being watched changes about a graph: a table of causes, and how each is recognised while it happens.

Torch asks, in few places, whether a dispatch mode is active, and then takes another op, of the same values and with another node. The
program is not run twice to find out. Nothing here needs torch.

| cause      | seen                            | unwatched                     |
| ---------- | ------------------------------- | ----------------------------- |
| `reshape`  | ViewBackward0                   | ReshapeAliasBackward0         |
| `ctc_loss` | CtcLossBackward1                | CtcLossBackward0              |
| `index`    | IndexPutBackward0               | IndexPutImplBackward0         |
| `compiled` | the ops of what was compiled    | one CompiledFunctionBackward  |

`reshape` is any composite op that reshapes a tensor whose elements lie so that no copy is needed, but not in order: reshape, flatten,
einsum and others. `view` itself is the same op either way, so what Python called has to be known: see `called`. `index` is the backward of
an indexed tensor, in a backward that makes a graph of its own.

Where torch would compute other numbers, if only in the last digit, it is not watched: the backward of the nodes in `ASKING`, in a backward
that makes a graph of its own (others run unwatched anyway). What they compute is in the graph, named as it always is, without its values.
"""

from __future__ import annotations

import dis
from collections.abc import Container, Iterable
from functools import cache
from types import CodeType, FrameType
from typing import Any

from explorer.capture.rows import Row

__all__ = ["ASKING", "CAUSES", "SUSPECTS", "called", "cause_of", "first_effects", "is_compiled"]

CAUSES = ("reshape", "ctc_loss", "index", "compiled")
ASKING = frozenset(
    "CumprodBackward0 LinalgDetBackward0 LinalgEigBackward0 LinalgEighBackward0 LinalgHouseholderProductBackward0 "
    "LinalgMatrixExpBackward0 MaskedFillBackward1 MaxBackward1 MedianBackward0 MinBackward1 NanmedianBackward0 OrmqrBackward0 "
    "ProdBackward0 ProdBackward1".split()
)
SUSPECTS = frozenset({"view", "_ctc_loss.Tensor", "index_put"})  # schemas that may be the effect of being watched
_VIEWS = frozenset({"view", "view_as", "unflatten", "quantile", "nanquantile"})  # what is called so is a view unwatched, too
_VIEWING = ("MaxUnpool", "MaxPool", "AdaptiveMaxPool", "FractionalMaxPool")  # nodes so called make views of their gradient
_LOADS = frozenset({"LOAD_METHOD", "LOAD_ATTR"})


def cause_of(schema: str, tensor: Any, frame: FrameType | None, node: str) -> str | None:
    """Why the op `schema` (one of `SUSPECTS`), called from `frame`, is another than unwatched; None if it is not.

    `node` is the name of the autograd node that the engine runs, "" if it runs none.
    `tensor` is its first argument: an ordinary one, and no other dispatch mode is active, under which torch would take the op anyway.
    """
    if frame is None or (schema == "view" and tensor.is_contiguous()):
        return None
    name = called(frame.f_code, frame.f_lasti)
    if schema == "view":
        is_view = name is None or name in _VIEWS or (name == "run_backward" and node.startswith(_VIEWING))
        return None if is_view or _is_transformed(frame) else "reshape"
    if schema == "index_put":
        return "index" if name == "run_backward" and node == "IndexBackward0" else None
    if schema == "_ctc_loss.Tensor":
        return "ctc_loss" if name != "_ctc_loss" and tensor.device.type == "cpu" else None
    return None


def _is_transformed(frame: FrameType | None) -> bool:
    """Whether a transformation of torch.func runs: its tensors are no ordinary ones, and reshaped by view unwatched, too."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("torch._functorch."):
            return True
        frame = frame.f_back
    return False


@cache
def called(code: CodeType, last: int) -> str | None:
    """The attribute that the instruction at byte `last` calls ("reshape"), the operator it applies ("BINARY_OP"); None if unknown.

    The call of `x.view(...)` begins where its `x.view` does; a function held by a plain variable tells nothing of what it is.
    """
    before = [one for one in dis.get_instructions(code) if one.offset <= last]  # while a call runs, `last` may lie within its cache
    if not before or (place := _place(before[-1])) is None:
        return None
    if "CALL" not in before[-1].opname:
        return before[-1].opname
    for one in reversed(before):  # of a chain a.b().c() the last is loaded after the others
        start = _place(one) if one.opname in _LOADS else None
        if start is not None and start[0] == place[0] and start[1] <= place[1]:
            return str(one.argval)
    return None


def _place(one: dis.Instruction) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Line and column where the expression of an instruction begins, and where it ends."""
    if one.positions is None:
        return None
    line, end_line, column, end_column = one.positions
    if line is None or column is None or end_line is None or end_column is None:
        return None
    return (line, column), (end_line, end_column)


def is_compiled(code: CodeType) -> bool:
    """Whether a frame of `code` is the door to something compiled; while it is recorded, what lies behind runs op by op."""
    return code.co_name == "compile_wrapper" and code.co_filename.endswith("eval_frame.py")


def first_effects(rows: Iterable[Row], drawn: Container[int]) -> dict[str, int]:
    """The index of the first drawn row of each cause, in the order of the table.

    An op without a node has none that could be another. Of what was compiled not every op is drawn; the first that is stands for it.
    """
    found: dict[str, int] = {}
    compiled = False
    for row in rows:
        cause = row.effect
        compiled = compiled or cause == "compiled"
        if row.index not in drawn or row.kind != "op":
            continue
        if compiled:
            found.setdefault("compiled", row.index)
        if cause is not None and cause != "compiled" and row.reason is None:
            found.setdefault(cause, row.index)
    return {cause: found[cause] for cause in CAUSES if cause in found}
