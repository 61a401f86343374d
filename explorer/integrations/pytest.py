"""A pytest plugin: the fixture `gradient_check`, there wherever Autograd Explorer is installed.

    def test_gradients(gradient_check):
        gradient_check(loss_fn)

Loading the plugin loads neither torch nor anything of ours that needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from explorer.text import say


@pytest.fixture
def gradient_check() -> Callable[..., Any]:
    """`gradient_check(loss_fn, *arguments)` fails the test unless the gradients of the loss are its derivatives; see `check_gradients`."""
    return check_gradients


def check_gradients(loss_fn: Callable[..., Any], *arguments: Any, tolerance: float | None = None, seed: int = 0, **named: Any) -> Any:
    """Verify the gradients of `loss_fn(*arguments, **named)`, and raise AssertionError that names what is wrong; else the report.

    It calls the function once and runs backward once, which adds to `.grad`. Gradients are compared with central differences in double
    precision, backward nodes with themselves, and findings of an error count. `tolerance` is the largest difference that passes, relative
    to the largest gradient of the same tensor; without one rounding alone passes. Random numbers begin at `seed`, and go on afterwards
    where they were.
    """
    __tracebackhide__ = True
    import explorer

    call = partial(loss_fn, *arguments, **named)
    call.__name__ = getattr(loss_fn, "__name__", type(loss_fn).__name__)  # type: ignore[attr-defined]
    checked = explorer.check(call, seed=seed)
    faults = checked.faults(tolerance=tolerance)
    if faults:
        raise AssertionError("\n".join([say("check.test.failed", name=checked.target), *(f"  - {fault}" for fault in faults)]))
    return checked
