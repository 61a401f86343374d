"""The garbage collector held back while a picture is made.

NOTE [collecting]: a view of 10,000 boxes is some 100,000 small objects, none of which is garbage before the picture is done; the collector
would look through them, and through the whole trace, several times, for a third of the time that the picture takes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """No automatic collection inside; afterwards it is as it was."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
