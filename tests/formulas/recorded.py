"""Traces for the tests of arithmetic: programs and examples, recorded in this process; each example once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import explorer
from explorer.capture.programs import EXAMPLES
from explorer.model import Trace

__all__ = ["example", "traced", "whole_example"]


def traced(program: Callable[[], Any], **options: Any) -> Trace:
    """A function of ours, recorded in this process."""
    with explorer.record(**options) as recording:
        program()
    return recording.trace


@cache
def whole_example(name: str) -> Trace:
    """An example program with every number kept. That a child process records the same is for `tests/test_examples_recorded.py` to say."""
    return explorer.trace(import_module(EXAMPLES[name].module).main, values="all", seed=0)


def example(name: str) -> Trace:
    """An example program with the numbers that a recording usually has: those of small arrays."""
    return replace(whole_example(name), tensors={})
