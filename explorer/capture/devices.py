"""What can be computed on here: the devices and data types, and a sentence for each that is not to be had.

Looking for devices loads torch; importing this module does not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from explorer.errors import DeviceError
from explorer.text import TEXTS, say

if TYPE_CHECKING:
    import torch

__all__ = ["ACCELERATORS", "DTYPES", "FAKE", "DataType", "Device", "check_device", "check_dtype", "limits", "list_devices", "why_no_dtype"]

FAKE = "fake"
DTYPES = ("float32", "float64", "bfloat16", "float16")
ACCELERATORS = {"cuda": "CUDA", "mps": "MPS (Apple GPU)", "xpu": "XPU (Intel GPU)"}  # always listed; others only where they are


@dataclass(frozen=True, slots=True)
class DataType:
    """What a device can do in a data type: whether it computes in it at all, else the `reason`; `limits` say what to expect of it."""

    usable: bool
    reason: str | None
    limits: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device by the `name` that `--device` takes; `reason` says why it is not `available`, `why` the same as a word.

    `memory` is the device's own in bytes, where torch tells; `dtypes` what it can do in each of `DTYPES`.
    """

    name: str
    kind: str
    available: bool
    description: str
    reason: str | None = None
    why: str | None = None
    memory: int | None = None
    dtypes: dict[str, DataType] = field(default_factory=dict)


def list_devices(language: str = "en") -> list[Device]:
    """Every device: cpu, what `torch.accelerator` finds, the known kinds that are absent, and fake; each kind tried in each data type."""
    computed: dict[str, dict[str, DataType]] = {}
    devices = []
    for device in _listed(language):
        if device.kind not in computed:
            computed[device.kind] = {dtype: _data_type(dtype, device, language) for dtype in DTYPES}
        devices.append(replace(device, dtypes=computed[device.kind]))
    return devices


def _listed(language: str = "en") -> list[Device]:
    devices = [Device("cpu", "cpu", True, say("running.device.cpu", language, threads=os.cpu_count() or 1))]
    present = _present_kind()
    for kind in [*ACCELERATORS, *([present] if present and present not in ACCELERATORS else [])]:
        devices += _present(kind) if kind == present else [_absent(kind, language)]
    return [*devices, Device(FAKE, FAKE, True, say("running.device.fake", language))]


def limits(dtype: str, kind: str, language: str = "en") -> str:
    """What to expect of a data type on a kind of device. Needs no torch."""
    if kind == FAKE:
        return say("running.dtype.fake", language)
    own = f"running.dtype.{dtype}.{kind}"
    return say(own if own in TEXTS else f"running.dtype.{dtype}", language)


def _data_type(dtype: str, device: Device, language: str) -> DataType:
    import torch

    told = limits(dtype, device.kind, language)
    if not device.available:
        return DataType(False, device.reason, told)
    if device.kind == FAKE or _computes(getattr(torch, dtype), device.name):
        return DataType(True, None, told)
    return DataType(False, say(why_no_dtype(dtype, device.kind), language, dtype=dtype), told)


def why_no_dtype(dtype: str, kind: str) -> str:
    """The key of the sentence that says why a kind of device does not compute in a data type."""
    own = f"running.dtype.none.{dtype}.{kind}"
    return own if own in TEXTS else "running.dtype.none"


def check_device(name: str) -> str:
    """The device's name as torch takes it, or fake; `DeviceError` if it is not here.

    NOTE [absent device] Asking torch for one may abort the whole process (a fake tensor on an absent device does), so the name is
    compared with the list and torch is not asked.
    """
    name = name.strip().lower()
    listed = _listed()
    usable = [device for device in listed if device.available]
    for device in usable:
        if name in (device.name, device.kind) or name == f"{device.name}:0":
            return name
    raise _no_device(name, listed, names=", ".join(device.name for device in usable))


def check_dtype(name: str, device: str) -> torch.dtype:
    """The data type called `name`; `DeviceError` if it is none of `DTYPES` or `device` cannot compute in it."""
    import torch

    if name not in DTYPES:
        raise DeviceError("running.no_dtype", dtype=name, names=", ".join(DTYPES))
    dtype: torch.dtype = getattr(torch, name)
    if device != FAKE and not _computes(dtype, device):
        usable = [other for other in DTYPES if _computes(getattr(torch, other), device)]
        raise DeviceError("running.dtype_unsupported", device=device, dtype=name, names=", ".join(usable))
    return dtype


def _computes(dtype: torch.dtype, device: str) -> bool:
    import torch

    try:
        ones = torch.ones(2, 2, dtype=dtype, device=device)
        return bool(((ones @ ones) == 2).all())
    except (RuntimeError, TypeError, NotImplementedError, AssertionError, ImportError):
        return False


def _present_kind() -> str | None:
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    return None if found is None else found.type


def _present(kind: str) -> list[Device]:
    """One entry for a single device, `kind:0`, `kind:1`, … for several."""
    import torch

    count = torch.accelerator.device_count()
    names = [kind] if count <= 1 else [f"{kind}:{index}" for index in range(count)]
    devices = []
    for index, name in enumerate(names):
        memory = _memory(kind, index)
        called = _called(kind, index)
        devices.append(Device(name, kind, True, f"{called}, {memory / 2**30:.0f} GiB" if memory else called, memory=memory))
    return devices


def _called(kind: str, index: int) -> str:
    """The name the hardware gives itself."""
    import torch

    module: Any = torch.get_device_module(kind)
    return str(module.get_device_name(index)) if hasattr(module, "get_device_name") else ACCELERATORS.get(kind, kind)


def _memory(kind: str, index: int) -> int | None:
    """The memory of a device in bytes, where torch tells; Apple's share the machine's, of which so much is meant for them."""
    import torch

    module: Any = torch.get_device_module(kind)
    if hasattr(module, "get_device_properties"):
        found = getattr(module.get_device_properties(index), "total_memory", None)
    else:
        found = module.recommended_max_memory() if hasattr(module, "recommended_max_memory") else None
    return int(found) if found else None


def _absent(kind: str, language: str) -> Device:
    what, why = ACCELERATORS[kind], _why_absent(kind)
    return Device(kind, kind, False, what, say(f"running.device.{why}", language, what=what), why)


def _why_absent(kind: str) -> str:
    return "not_found" if _is_built(kind) else "not_built"


def _is_built(kind: str) -> bool:
    import torch

    match kind:
        case "cuda":
            return bool(torch.backends.cuda.is_built())
        case "mps":
            return bool(torch.backends.mps.is_built())
        case _:
            return bool(torch.xpu._is_compiled())  # there is no public question


def _no_device(name: str, listed: list[Device], *, names: str) -> DeviceError:
    kind = name.partition(":")[0]
    of_kind = [device for device in listed if device.kind == kind]
    if not of_kind:
        return DeviceError("running.no_device.unknown", device=name, names=names)
    if of_kind[0].available:
        return DeviceError("running.no_device.number", device=name, count=len(of_kind), names=names)
    return DeviceError(f"running.no_device.{_why_absent(kind)}", device=name, what=ACCELERATORS[kind], names=names)
