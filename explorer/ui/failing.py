"""A mistake of ours on the page: one sentence for the person, the traceback for the terminal."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from explorer.text import say
from explorer.ui.state import language

__all__ = ["told"]

Given = ParamSpec("Given")

_log = logging.getLogger("explorer")


def told(run: Callable[Given, None]) -> Callable[Given, None]:
    """`run`, but an exception that nobody foresaw becomes a sentence. Streamlit's own ways out (rerun, stop) are none."""

    @functools.wraps(run)
    def guarded(*args: Given.args, **named: Given.kwargs) -> None:
        try:
            run(*args, **named)
        except Exception:
            _log.exception("the page failed")
            st.error(say("page.unexpected", language()), icon=":material/error:")

    return guarded
