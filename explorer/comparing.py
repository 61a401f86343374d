"""A watched run beside one without us: what watching changed."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from explorer.checking import plain
from explorer.findings.wording import called
from explorer.model import Node, Note, Trace

__all__ = ["compared"]

SUMMED = 1e-9  # relative: the same numbers added up in another order, as statistics of batches are


def compared(watched: Trace, unwatched: Trace | None, *, error: str | None = None) -> dict[str, Any]:
    """The part "unwatched" of a report: both losses, leaves whose `.grad` differs, and the autograd nodes that only one of them has.

    `error` says why there was no second run to compare with. Gradients are compared by what is noted of them: all values of small ones, of
    large ones the least, the largest, zeros and statistics.
    """
    found: dict[str, Any] = {
        "error": error,
        "same": False,
        "same_loss": False,
        "watched_loss": plain(watched.loss),
        "loss": None,
        "different_gradients": [],
        "only_watched": {},
        "only_unwatched": {},
    }
    if unwatched is None:
        return found
    others = [node.accumulated.after for node in unwatched.nodes if node.accumulated is not None]
    for node in watched.nodes:
        if node.accumulated is not None and _is_walked(node):
            here = node.accumulated.after
            same = next((place for place, other in enumerate(others) if _is_same(here, other)), None)
            if same is None:
                found["different_gradients"].append(called(node))
            else:
                del others[same]
    ours = Counter(str(node.autograd) for node in watched.nodes if _is_walked(node))
    theirs = Counter(str(node.autograd) for node in unwatched.nodes)
    found["only_watched"], found["only_unwatched"] = dict(sorted((ours - theirs).items())), dict(sorted((theirs - ours).items()))
    found["loss"] = plain(unwatched.loss)
    found["same_loss"] = found["loss"] == found["watched_loss"]
    found["same"] = found["same_loss"] and not (found["different_gradients"] or found["only_watched"] or found["only_unwatched"])
    return found


def _is_walked(node: Node) -> bool:
    """Whether it is a node of the graph behind the loss: an op outside of it may know the name of its node, too."""
    return node.autograd is not None and (node.status == "executed" or (node.status == "not executed" and node.reason != "not reached"))


def _is_same(one: Note | None, two: Note | None) -> bool:
    if one is None or two is None:
        return one is two
    exact = ("shape", "dtype", "min", "max", "zeros", "nans", "infs", "values")
    if any(repr(getattr(one, name)) != repr(getattr(two, name)) for name in exact):
        return False
    if one.norm is None or two.norm is None or repr(one.norm) == repr(two.norm):
        return True
    return math.isclose(one.norm, two.norm, rel_tol=SUMMED)
