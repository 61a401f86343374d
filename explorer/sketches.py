"""Large tensors in little: a histogram and a heat map of each that was kept whole (`--values all`), for the inspector.

A cell of the heat map is the mean of the elements that fall into it, rows are all dimensions but the last; what is not finite is left
out of both and counted in the statistics.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import TYPE_CHECKING, Any

from explorer.formulas import Numbers

if TYPE_CHECKING:
    from explorer.model import Trace

__all__ = ["sketches"]

BINS = 24
ROWS, COLUMNS = 24, 32
MOST_SKETCHED = 600  # tensors: some 4 kB each
NAME = re.compile(r"n(\d+)\.(output|gradient)(\d+)")


def sketches(trace: Trace, nodes: Container[int] | None = None) -> dict[str, Any]:
    """Name of a tensor ("n12.output0") -> its sketch, for those that are stored and too large to be shown whole; of `nodes` alone."""
    if not trace.tensors:
        return {}
    numbers = Numbers(trace)
    found: dict[str, Any] = {}
    for name in sorted(trace.tensors):
        match = NAME.fullmatch(name)
        if match is None or len(found) >= MOST_SKETCHED or not int(match[1]) < len(trace.nodes):
            continue
        if nodes is not None and int(match[1]) not in nodes:
            continue
        node = trace.nodes[int(match[1])]
        notes = node.outputs if match[2] == "output" else node.gradients
        note = notes[int(match[3])] if int(match[3]) < len(notes) else None
        if note is None or note.values is not None:
            continue
        array = (numbers.output if match[2] == "output" else numbers.gradient)(node.id, int(match[3]))
        sketch = None if array is None else _sketch(array)
        if sketch is not None:
            found[name] = sketch
    return found


def _sketch(array: Any) -> dict[str, Any] | None:
    import numpy as np

    if array.dtype.kind not in "fiub" or array.size == 0:
        return None
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    if finite.size == 0:
        return None
    counts, edges = np.histogram(finite, bins=BINS)
    rows = wide.reshape(-1, wide.shape[-1]) if wide.ndim else wide.reshape(1, 1)
    return {"counts": counts.tolist(), "low": float(edges[0]), "high": float(edges[-1]), "heat": _pooled(rows)}


def _pooled(rows: Any) -> list[list[float | None]]:
    """Means over even blocks, at most ROWS × COLUMNS of them."""
    import numpy as np

    down = np.linspace(0, rows.shape[0], min(ROWS, rows.shape[0]) + 1).astype(int)
    across = np.linspace(0, rows.shape[1], min(COLUMNS, rows.shape[1]) + 1).astype(int)
    known = np.isfinite(rows)
    sums = np.add.reduceat(np.add.reduceat(np.where(known, rows, 0.0), down[:-1], axis=0), across[:-1], axis=1)
    counts = np.add.reduceat(np.add.reduceat(known.astype(np.int64), down[:-1], axis=0), across[:-1], axis=1)
    return [
        [float(f"{total / count:.4g}") if count else None for total, count in zip(line, many, strict=True)]
        for line, many in zip(sums.tolist(), counts.tolist(), strict=True)
    ]
