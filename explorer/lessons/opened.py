"""Which modules of a program stand open in a lesson's player."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.lessons.computed import MissingValue
from explorer.model import Trace
from explorer.places import places_of
from explorer.unfolding import Folding, after, first_folding

__all__ = ["folding_with"]


def folding_with(trace: Trace, paths: Sequence[str]) -> Folding:
    """What is open at first, and these modules, by their paths ("transformer.h.0"); raises MissingValue for one that never ran."""
    folding = first_folding(trace)
    for path in paths:
        frames = [frame.id for frame in places_of(trace).frames if trace.modules[frame.module].path == path]
        if not frames:
            raise MissingValue("lesson.no_module", path=path)
        folding = after(trace, folding, {"into": frames[0]})
    return folding
