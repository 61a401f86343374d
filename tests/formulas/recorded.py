"""Traces for the tests of arithmetic: programs of this process, and the examples, each recorded once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import explorer
from explorer.model import Trace

__all__ = ["example", "traced", "whole_example"]


def traced(program: Callable[[], Any], **options: Any) -> Trace:
    """A function of ours, recorded in this process."""
    with explorer.record(**options) as recording:
        program()
    return recording.trace


@cache
def whole_example(name: str) -> Trace:
    """An example program with every number kept."""
    return explorer.trace(name, values="all")


def example(name: str) -> Trace:
    """An example program with the numbers that a recording usually has: those of small arrays."""
    return replace(whole_example(name), tensors={})
