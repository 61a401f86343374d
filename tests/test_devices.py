"""Devices and data types: the list is complete, and what is not here is refused before torch is asked for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from explorer.capture.devices import DTYPES, check_device, check_dtype, list_devices  # noqa: E402
from explorer.capture.run import run_target  # noqa: E402
from explorer.errors import DeviceError  # noqa: E402
from explorer.findings import own_choices  # noqa: E402
from tests.dummy import dummy_trace  # noqa: E402

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


CHOOSES = """
import torch
def ignores(*, device, dtype):
    w = torch.ones(3, dtype=torch.float32, requires_grad=True)
    return (w * 2).sum()
def takes(*, device, dtype):
    w = torch.ones(3, device=device, dtype=dtype, requires_grad=True)
    return (w * 2).sum()
def says_nothing():
    w = torch.ones(3, requires_grad=True)
    return (w * 2).sum()
def casts():
    w = torch.ones(3, requires_grad=True)
    return (w.half() * 2).sum()
if __name__ == "__main__":
    ignores(device="cpu", dtype=None).backward()
"""


@pytest.mark.parametrize(
    ("name", "device", "dtype", "used", "count"),
    [
        (":ignores", None, "float64", "float32", 3),
        (":ignores", "fake", "bfloat16", "float32", 3),
        (":takes", "cpu", "float64", None, 0),
        (":takes", "fake", "float16", None, 0),
        (":says_nothing", "cpu", "bfloat16", None, 0),
        (":casts", "CPU", "float64", "float16", 3),
        (":casts", None, None, None, 0),
        ("", "cpu", "float16", "float32", 3),
        ("", "cpu", None, None, 0),
    ],
)
def test_what_the_program_chooses_itself_is_told(
    tmp_path: Path, name: str, device: str | None, dtype: str | None, used: str | None, count: int
) -> None:
    """A script or a callable, with the keyword or without: what it was asked for is taken, or the trace says what was instead."""
    path = tmp_path / "chooses.py"
    path.write_text(CHOOSES)
    (trace,) = run_target(f"{path}{name}", device=device, dtype=dtype).traces
    told = [finding for finding in trace.findings if finding.kind == "own_dtype"]
    assert len(told) == (used is not None)
    types = {note.dtype for node in trace.nodes if node.status != "no gradient" for note in node.outputs}
    if used is None:
        assert types == ({dtype} if dtype else {"float32", *(["float16"] if name == ":casts" else [])})
    else:
        assert used in types
        assert f"computes in {used}" in told[0].message["en"]
        assert f"({count} of " in told[0].message["en"]
        assert dtype is not None
        assert dtype in told[0].message["ko"]
        assert told[0].severity == "info"
        assert told[0].node is not None


@pytest.mark.parametrize(
    ("asked", "used", "told"),
    [
        ("cuda", "cpu", True), ("cuda", "cuda:1", False), ("cuda:0", "cuda:1", True), ("cpu", "cpu", False), ("fake", "cpu", False),
        ("mps", "mps:0", False), ("cpu", "cuda:0", True), (None, "cuda:0", False),
    ],
)  # fmt: skip
def test_another_device_than_asked_for_is_told(asked: str | None, used: str, told: bool) -> None:
    """A program that computes elsewhere is told of; a kind without a number stands for all of that kind."""
    trace = dummy_trace()
    moved = [replace(node, outputs=tuple(replace(note, device=used) for note in node.outputs)) for node in trace.nodes]
    found = own_choices(replace(trace, nodes=tuple(moved)), device=asked, dtype=None)
    assert [finding.kind for finding in found] == ["own_device"] * told
    assert all(f"{asked} was asked for" in finding.message["en"] and used in finding.message["ko"] for finding in found)
