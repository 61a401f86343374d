"""Whether shapes fit, worked out by hand: aligned so that a page can draw where they do not, and why torch refuses; imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["ELEMENTWISE", "fit", "grown", "made", "reason"]

ELEMENTWISE = ("add", "sub", "mul", "div", "pow", "gt", "eq")

Shape = Sequence[int]


def broadcast(one: Shape, two: Shape) -> tuple[list[list[Any]], list[int] | None]:
    """Each column from the left, [size or None, size or None, result or None], and the shape together; None where they do not fit."""
    rank = max(len(one), len(two))
    columns: list[list[Any]] = []
    for left, right in zip(_padded(one, rank), _padded(two, rank), strict=True):
        known = [size for size in (left, right) if size is not None and size != 1]
        fine = len(set(known)) <= 1
        columns.append([left, right, (known[0] if known else 1) if fine else None])
    return columns, [column[2] for column in columns] if all(column[2] is not None for column in columns) else None


def _padded(shape: Shape, rank: int) -> list[int | None]:
    return [*([None] * (rank - len(shape))), *shape]


def fit(step: dict[str, Any], one: Shape, two: Shape | None) -> dict[str, Any] | None:
    """The two shapes of an op on two tensors, aligned; of reshape and view both numbers of elements. None where nothing is to fit.

    {"kind": "broadcast", "columns": [[4, None, 4], [3, 2, None]], "result": None}
    {"kind": "matmul", "columns": of the dimensions before the last two, "inner": [3, 2], "result": None}
    {"kind": "count", "elements": 12, "asked": 10}
    """
    if step["do"] in ELEMENTWISE and two is not None:
        columns, result = broadcast(one, two)
        return {"kind": "broadcast", "columns": columns, "result": result}
    if step["do"] == "matmul" and two is not None and one and two:
        inner = [one[-1], two[-2] if len(two) > 1 else two[-1]]
        columns, front = broadcast(one[:-2], two[:-2] if len(two) > 1 else ())
        fine = front is not None and inner[0] == inner[1]
        ends = [*one[-2:-1], *(two[-1:] if len(two) > 1 else ())]
        return {"kind": "matmul", "columns": columns, "inner": inner, "result": [*(front or ()), *ends] if fine else None}
    if step["do"] in ("reshape", "view"):
        return {"kind": "count", "elements": math.prod(one), "asked": _asked(step["shape"], math.prod(one))}
    return None


def _asked(shape: Shape, elements: int) -> int | None:
    """The number of elements of the shape asked for; None where -1 cannot be worked out."""
    known = math.prod(size for size in shape if size != -1)
    if -1 not in shape:
        return known
    return elements if known and elements % known == 0 and list(shape).count(-1) == 1 else None


def grown(step: dict[str, Any], one: Shape, two: Shape | None) -> int:
    """Elements of the result of an op that may have more than its operands together; 0 for any other."""
    told = fit(step, one, two)
    if told is not None and told.get("result") is not None:
        return math.prod(told["result"])
    if step["do"] == "expand":
        own = _padded(one, len(step["shape"]))[-len(step["shape"]) or len(one) :]
        return math.prod((size or 0) if asked == -1 else abs(asked) for asked, size in zip(step["shape"], own, strict=False))
    if step["do"] == "take":
        return len(step["rows"]) * math.prod(one[1:])
    if step["do"] in ("cat", "stack") and two is not None:
        return math.prod(one) + math.prod(two)
    return 0


def reason(step: dict[str, Any], one: Shape, two: Shape | None, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Why torch refuses a step: the key of a sentence after "tensors.why.", and its values; "other" where only torch's words say it.

    `facts` are those of the operand: its data type and device, whether it requires a gradient and is a leaf.
    """
    do, rank = step["do"], len(one)
    if do == "to_device":
        return ("meta", {}) if facts["device"] == "meta" else ("device", {"device": step["device"]})
    told = fit(step, one, two)
    if told is not None and told["kind"] == "broadcast" and told["result"] is None:
        number = next(n for n, column in enumerate(reversed(told["columns"]), 1) if column[2] is None)
        left, right, _ = told["columns"][-number]
        return "broadcast", {"number": number, "left": left, "right": right}
    if do == "matmul":
        if told is None:
            return "matmul_scalar", {}
        if told["inner"][0] != told["inner"][1]:
            return "matmul", {"left": told["inner"][0], "right": told["inner"][1]}
        if told["result"] is None:
            return "matmul_batch", {}
        return "matmul_dtype", {}
    if told is not None and told["kind"] == "count":
        if told["asked"] is None:
            return "count_unknown", {"elements": told["elements"]}
        if told["asked"] != told["elements"]:
            return "count", {"elements": told["elements"], "asked": told["asked"]}
        return "strides", {}
    dims = [step[name] for name in ("dim", "dim0", "dim1") if isinstance(step.get(name), int)]
    room = rank + (do in ("unsqueeze", "stack"))
    wrong = [dim for dim in dims if not -max(room, 1) <= dim < max(room, 1)]
    if wrong:
        return "dim", {"dim": wrong[0], "rank": rank, "low": -max(room, 1), "high": max(room, 1) - 1}
    if do == "permute":
        return "permute", {"rank": rank, "dims": ", ".join(map(str, range(rank)))}
    if do == "expand":
        return "expand", {}
    if do in ("slice", "set", "take"):
        return _indexing(step, one, facts)
    if do in ("add_", "mul_") and facts["requires_grad"] and facts["leaf"]:
        return "leaf", {}
    if do == "mean":
        return "mean", {"dtype": facts["dtype"]}
    if do in ("cat", "stack"):
        return do, {}
    if do == "requires_grad_":
        return "grad_dtype", {"dtype": facts["dtype"]}
    if do == "backward":
        return (
            ("backward_none", {})
            if not facts["requires_grad"]
            else ("backward_shape", {})
            if math.prod(one) != 1
            else ("backward_again", {})
        )
    if do in ("add_", "mul_"):
        return "cast", {"dtype": facts["dtype"]}
    if do in ("amax", "argmax") and not math.prod(one):
        return "empty", {}
    if facts["dtype"] == "bool" or facts["dtype"].startswith("complex"):
        return "unsupported", {"dtype": facts["dtype"]}
    return "other", {}


def made(step: dict[str, Any]) -> str:
    """Why torch makes no tensor so: the key of a sentence after "tensors.why."."""
    if any(size < 0 for size in step.get("shape", ())):
        return "negative"
    if step["do"] == "randint" and step["low"] >= step["high"]:
        return "no_range"
    return {"literal": "ragged", "arange": "counting"}.get(step["do"], "made")


def _indexing(step: dict[str, Any], one: Shape, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Why an index is refused."""
    if step["do"] == "take":
        return "index", {"size": one[0] if one else 0, "dim": 0}
    items = [item.strip() for item in step["index"].split(",")]
    if any(item.count(":") == 2 and item.rpartition(":")[2].strip().startswith("-") for item in items):
        return "step", {}
    taken = [item for item in items if item not in ("...", "None")]
    if len(taken) > len(one):
        return "too_many", {"count": len(taken), "rank": len(one)}
    place = len(one) - len(taken)
    for number, item in enumerate(taken):
        dim = number + (place if "..." in items[: items.index(item)] else 0)
        if ":" not in item and not -one[dim] <= int(item) < one[dim]:
            return "index", {"size": one[dim], "dim": dim}
    if step["do"] == "set":
        return ("leaf", {}) if facts["requires_grad"] else ("cast", {"dtype": facts["dtype"]})
    return "other", {}
