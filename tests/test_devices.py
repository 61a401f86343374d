"""Devices and data types: the list is complete, and what is not here is refused before torch is asked for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from explorer.capture.devices import DTYPES, check_device, check_dtype, list_devices  # noqa: E402
from explorer.errors import DeviceError  # noqa: E402

pytestmark = pytest.mark.torch


class Gpus:
    """A machine with two CUDA devices, as `torch.accelerator` would tell of it."""

    @staticmethod
    def use(monkeypatch: pytest.MonkeyPatch, *, count: int = 2, kind: str = "cuda") -> None:
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: SimpleNamespace(type=kind))
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)
        told = SimpleNamespace(
            get_device_name=lambda index: f"GPU number {index}", get_device_properties=lambda index: SimpleNamespace(total_memory=8 * 2**30)
        )
        monkeypatch.setattr(torch, "get_device_module", lambda kind: told)


def test_the_known_kinds_are_always_listed() -> None:
    """cpu, cuda, mps, xpu and fake are in the list on every machine; a missing one has a reason, an available one has none."""
    for language in ("en", "ko"):
        devices = list_devices(language)
        assert {"cpu", "cuda", "mps", "xpu", "fake"} <= {device.kind for device in devices}
        assert all(device.available == (device.reason is None) and device.description for device in devices)
    assert [device.available for device in devices if device.kind in ("cpu", "fake")] == [True, True]


def test_several_devices_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices of a kind are two entries that can be asked for by number; a third is refused."""
    Gpus.use(monkeypatch)
    found = [device for device in list_devices() if device.kind == "cuda"]
    assert [(device.name, device.available, device.description) for device in found] == [
        ("cuda:0", True, "GPU number 0, 8 GiB"),
        ("cuda:1", True, "GPU number 1, 8 GiB"),
    ]
    assert [check_device(name) for name in ("cuda", "cuda:1", "CPU", "fake")] == ["cuda", "cuda:1", "cpu", "fake"]
    with pytest.raises(DeviceError) as caught:
        check_device("cuda:2")
    assert caught.value.key == "running.no_device.number"


def test_a_single_device_goes_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """One device has no number in the list, and may be asked for with it; a kind that is not in our table is listed where it is."""
    Gpus.use(monkeypatch, count=1, kind="hpu")
    assert [device.name for device in list_devices() if device.kind == "hpu"] == ["hpu"]
    assert check_device("hpu:0") == "hpu:0"


@pytest.mark.parametrize("name", ["tpu", "", "cpu:3", "cuda:zero", "meta"])
def test_what_is_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other word is refused with the list of what there is, and torch is never asked for it."""
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: None)
    monkeypatch.setattr(torch, "zeros", None)
    monkeypatch.setattr(torch, "ones", None)
    with pytest.raises(DeviceError) as caught:
        check_device(name)
    assert caught.value.key.startswith("running.no_device.")
    assert "cpu, fake" in str(caught.value)


def test_an_absent_accelerator_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not built and not found are two different sentences."""
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: None)
    for built, key in ((False, "running.no_device.not_built"), (True, "running.no_device.not_found")):
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda built=built: built)
        with pytest.raises(DeviceError) as caught:
            check_device("cuda")
        assert caught.value.key == key


def test_data_types() -> None:
    """The four floating types exist by name on the CPU and as fake; any other word is refused."""
    for name in DTYPES:
        assert check_dtype(name, "fake") is getattr(torch, name)
        assert check_dtype(name, "cpu") is getattr(torch, name)
    with pytest.raises(DeviceError) as caught:
        check_dtype("int8", "cpu")
    assert caught.value.key == "running.no_dtype"


def test_a_device_that_lacks_a_data_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that cannot compute in a type is told with the types it can."""
    real = torch.ones

    def ones(*size: int, dtype: torch.dtype, device: str) -> torch.Tensor:
        if dtype is torch.float64:
            raise TypeError("no float64 here")
        return real(*size, dtype=dtype)

    monkeypatch.setattr(torch, "ones", ones)
    with pytest.raises(DeviceError) as caught:
        check_dtype("float64", "mps")
    assert caught.value.key == "running.dtype_unsupported"
    assert caught.value.values["names"] == "float32, bfloat16, float16"
