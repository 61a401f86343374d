"""The speed of this machine, measured when asked for: a child process trains the model for some seconds while the page goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from explorer.footprint import amount
from explorer.sizes import Configuration, operations_of, training_memory
from explorer.text import say
from explorer.ui.failing import told
from explorer.ui.known import asked_devices
from explorer.ui.llm_words import floating, rate
from explorer.ui.running import visitor
from explorer.ui.state import language
from explorer.ui.words import escaped

__all__ = ["Measurement", "free_memory", "panel"]

SECONDS = 10.0  # that steps are counted for; a step that has begun is done to its end
LIMIT = 120.0  # seconds for all of it, torch's start and the first step included
LOOK = 0.2
SPARED = 0.8  # of the free memory may be taken
Case = tuple[Configuration, str, str, str]  # with optimizer, precision, device


@dataclass(slots=True)
class Measurement:
    """One measurement, written by its thread and read by the page."""

    case: Case
    answer: dict[str, Any] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


def free_memory() -> int | None:
    """Bytes that are free here, where the system says so."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def panel(config: Configuration, *, optimizer: str, precision: str) -> None:
    """The button, the measurement in progress, or what was measured."""
    device = next((name for name in asked_devices().names if name not in ("cpu", "fake")), "cpu")
    case = (config, optimizer, precision, device)
    now: Measurement | None = st.session_state.get("llm_measurement")
    if now is not None and now.alive:
        _progress()
        return
    if now is not None and now.case == case and now.answer:
        st.markdown(_said(now))
    help = _text("measure_about", device=device)
    if st.button(_text("measure"), icon=":material/timer:", key="llm_measure", help=help):
        needed = training_memory(config, optimizer=optimizer, precision="float32" if precision == "mixed" else precision).total
        free = free_memory()
        if device == "cpu" and free is not None and needed > SPARED * free:
            st.warning(escaped(_text("measure_memory", needed=amount(needed), free=amount(free))), icon=":material/memory:")
            return
        st.session_state.llm_measurement = _start(case, visitor())
        st.rerun()


def _text(key: str, **values: object) -> str:
    return say(f"llm.{key}", language(), **values)


def _said(now: Measurement) -> str:
    config, _, precision, device = now.case
    if "error" in now.answer:
        return escaped(_text("measure_failed", device=device, reason=now.answer["error"]))
    if "steps" not in now.answer:
        return escaped(_text("measure_slow", seconds=round(LIMIT)))
    speed = now.answer["steps"] * config.context_length / now.answer["seconds"]
    return _text(
        "measured", device=device, precision=_text(f"precision.{precision}"), speed=rate(speed), steps=now.answer["steps"],
        rate=floating(speed * operations_of(config).step_token),
    )  # fmt: skip


@st.fragment(run_every=0.5)
@told
def _progress() -> None:
    now: Measurement | None = st.session_state.get("llm_measurement")
    if now is None:
        return
    if not now.alive:
        if now.cancelled.is_set():
            del st.session_state.llm_measurement
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/timer: {escaped(_text('measuring', device=now.case[3]))}")
        if st.button(say("page.cancel", language()), icon=":material/stop:", key="llm_measure_cancel"):
            now.cancelled.set()


def _start(case: Case, there: Callable[[], bool]) -> Measurement:
    now = Measurement(case)
    now.thread = threading.Thread(target=_watch, args=(now, there), daemon=True, name="measurement")
    now.thread.start()
    return now


def _watch(now: Measurement, there: Callable[[], bool]) -> None:
    """Ask the child; it ends when it is done, cancelled, left, or takes too long."""
    config, optimizer, precision, device = now.case
    asked = {"config": config.as_gpt_config(), "tied": config.tied, "optimizer": optimizer, "precision": precision}
    question = json.dumps({**asked, "device": device, "seconds": SECONDS})
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.capture.pace"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(question)
            child.stdin.close()
            ends = time.monotonic() + LIMIT
            while child.poll() is None and time.monotonic() < ends and not now.cancelled.wait(LOOK) and there():
                pass
            answered = child.poll() is not None
        finally:
            child.kill()
        try:
            now.answer = json.loads(child.stdout.read()) if answered else {"seconds": LIMIT}
        except ValueError:  # it ended without a word: the system killed it
            now.answer = {"error": f"exit {child.returncode}"}
