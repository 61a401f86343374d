"""Which devices there are: asked of a child process in the background, since finding out takes torch; and what the page says of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field

from explorer.capture.devices import ACCELERATORS, DTYPES, limits, why_no_dtype
from explorer.text import say

__all__ = ["Absent", "Devices", "ask", "device_help", "dtype_help", "dtypes_of"]


@dataclass(frozen=True, slots=True)
class Absent:
    """A device that is not here; `why` is a word for the reason."""

    name: str
    why: str


@dataclass(slots=True)
class Devices:
    """The answer, once it is there; until then the two that are always there. `unusable` are the data types that a device lacks."""

    names: tuple[str, ...] = ("cpu", "fake")
    absent: tuple[Absent, ...] = ()
    unusable: dict[str, tuple[str, ...]] = field(default_factory=dict)
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
        absent = tuple(Absent(entry["name"], entry["why"]) for entry in known if not entry["available"])
        unusable = {entry["name"]: _unusable(entry["dtypes"]) for entry in known if entry["available"]}
        names = tuple(entry["name"] for entry in known if entry["available"])
        devices.absent, devices.unusable, devices.names = absent, unusable, names or devices.names
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no torch, or too slow: the two that are always there stay
    finally:
        devices.answered.set()


def _unusable(dtypes: dict[str, dict[str, object]]) -> tuple[str, ...]:
    return tuple(name for name, told in dtypes.items() if not told["usable"])


def dtypes_of(devices: Devices, device: str) -> tuple[str, ...]:
    """The data types that a device can compute in."""
    return tuple(name for name in DTYPES if name not in devices.unusable.get(device, ()))


def device_help(devices: Devices, language: str) -> str:
    """What the choice of the device means, and why others are not offered."""
    lines = [
        f"- {absent.name}: {say(f'running.device.{absent.why}', language, what=ACCELERATORS[absent.name])}"
        for absent in devices.absent
        if absent.name in ACCELERATORS
    ]
    told = say("page.device_help", language)
    return "\n".join([told, "", say("page.device_absent", language), "", *lines]) if lines else told


def dtype_help(devices: Devices, device: str, language: str) -> str:
    """What the choice of the data type means, and what each cannot do on this device."""
    kind = device.partition(":")[0]
    usable = dtypes_of(devices, device)
    if kind == "fake":
        lines = [f"- fake: {limits(DTYPES[0], kind, language)}"]
    else:
        lines = [f"- {name}: {_told(name, kind, language, usable=name in usable)}" for name in DTYPES]
    return "\n".join([say("page.dtype_help", language), "", *lines])


def _told(dtype: str, kind: str, language: str, *, usable: bool) -> str:
    if usable:
        return limits(dtype, kind, language)
    return say("command.no_dtype", language, reason=say(why_no_dtype(dtype, kind), language, dtype=dtype))
