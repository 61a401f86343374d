"""Which devices there are: asked of a child process in the background, since finding out takes torch."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field

__all__ = ["Devices", "ask"]


@dataclass(slots=True)
class Devices:
    """The answer, once it is there; until then the two that are always there."""

    names: tuple[str, ...] = ("cpu", "fake")
    answered: threading.Event = field(default_factory=threading.Event)


def ask(timeout: float = 60) -> Devices:
    """Start asking; the answer arrives in the object returned."""
    devices = Devices()
    threading.Thread(target=_ask, args=(devices, timeout), daemon=True, name="devices").start()
    return devices


def _ask(devices: Devices, timeout: float) -> None:
    command = [sys.executable, "-m", "explorer", "devices", "--json"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True)
        known = json.loads(answer.stdout)
        names = tuple(entry["name"] for entry in known if entry["available"])
        devices.names = names or devices.names
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        pass  # no torch, or too slow: the two that are always there stay
    finally:
        devices.answered.set()
