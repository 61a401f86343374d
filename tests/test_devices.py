"""Devices and data types: the list is complete, and what is not here is refused before torch is asked for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from explorer.capture.devices import DTYPES, check_device, check_dtype, list_devices  # noqa: E402
from explorer.capture.run import run_target  # noqa: E402
from explorer.cli import main  # noqa: E402
from explorer.errors import DeviceError, ProgramError  # noqa: E402
from explorer.findings import own_choices  # noqa: E402
from explorer.listing import WIDTH, device_table, width_of  # noqa: E402
from explorer.text import TEXTS, say  # noqa: E402
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
        assert all(device.available == (device.reason is None) == (device.why is None) and device.description for device in devices)
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


@pytest.mark.parametrize("name", ["tpu", "", "cpu:3", "cuda:zero", "meta", "../../etc"])
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


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_device_says_what_it_can_do(language: str) -> None:
    """In each data type: usable or a reason, and what to expect; an absent device computes in none."""
    for device in list_devices(language):
        assert tuple(device.dtypes) == DTYPES
        for told in device.dtypes.values():
            assert told.usable == (told.reason is None)
            assert told.limits
            assert told.usable == device.available  # on this machine; Apple's GPU is in the next test
    short = {device.kind: device.dtypes["float16"].limits for device in list_devices(language)}
    assert short["cpu"] != short["cuda"] != short["fake"]
    assert "65504" in short["cpu"]


def test_a_gpu_without_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apple's: listed with the memory torch recommends, without float64, which is refused by name before anything runs. Not run on one."""
    found = SimpleNamespace(recommended_max_memory=lambda: 16 * 2**30)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: SimpleNamespace(type="mps"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    monkeypatch.setattr(torch, "get_device_module", lambda kind: found)
    monkeypatch.setattr("explorer.capture.devices._computes", lambda dtype, device: device == "cpu" or dtype is not torch.float64)
    (device,) = [device for device in list_devices() if device.kind == "mps"]
    assert (device.name, device.memory, device.description) == ("mps", 16 * 2**30, "MPS (Apple GPU), 16 GiB")
    assert device.dtypes["float64"].reason == "Apple's GPUs have no float64"
    assert [name for name, told in device.dtypes.items() if told.usable] == ["float32", "bfloat16", "float16"]
    with pytest.raises(DeviceError) as caught:
        check_dtype("float64", "mps")
    assert str(caught.value) == 'The device "mps" does not compute in float64; use one of float32, bfloat16, float16.'


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_table_fits_a_terminal(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight GPUs with long names: 80 columns, nothing lost, data types once for all of a kind."""
    Gpus.use(monkeypatch, count=8)
    named = SimpleNamespace(
        get_device_name=lambda index: "NVIDIA H200 " * 9, get_device_properties=lambda index: SimpleNamespace(total_memory=2**37)
    )
    monkeypatch.setattr(torch, "get_device_module", lambda kind: named)
    monkeypatch.setattr("explorer.capture.devices._computes", lambda dtype, device: dtype is not torch.bfloat16)
    devices = list_devices(language)
    table = device_table(devices, language)
    assert max(map(width_of, table.splitlines())) <= WIDTH
    words = table.split()
    for device in devices:
        assert words.count(device.name) == 1
        said = device.description if device.available else device.reason
        assert said is not None
        assert " ".join(said.split()) in " ".join(words)
    assert table.count(say("running.dtype.none", language, dtype="bfloat16").split()[0]) >= 2
    assert words.count("float64") == 2  # cpu, cuda; of fake all stand in one line
    assert width_of("장치 a") == 6


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["--device", "cpu:3"], "running.no_device.number"),
        (["--device", ""], "running.no_device.unknown"),
        (["--dtype", "int8"], "running.no_dtype"),
        (["--dtype", ""], "running.no_dtype"),
    ],
)
def test_what_cannot_be_met_is_refused_before_the_program_starts(
    tmp_path: Path, options: list[str], key: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 2, and not a line of the program has run."""
    path = tmp_path / "program.py"
    path.write_text("open(__file__ + '.ran', 'w').close()\n")
    code = main(["trace", str(path), "-o", str(tmp_path / "out.json"), *options])
    told = capfd.readouterr().err
    assert not Path(f"{path}.ran").exists()
    assert code == 2
    assert told.count("\n") == 1
    assert "use one of" in told
    assert TEXTS[key][0].partition("{")[0] in told


def test_data_types() -> None:
    """The four floating types exist by name on the CPU and as fake; any other word is refused."""
    for name in DTYPES:
        assert check_dtype(name, "fake") is getattr(torch, name)
        assert check_dtype(name, "cpu") is getattr(torch, name)
    with pytest.raises(DeviceError) as caught:
        check_dtype("int8", "cpu")
    assert caught.value.key == "running.no_dtype"
    with pytest.raises(DeviceError):
        check_dtype("float8", "cpu")


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


def test_an_op_that_a_data_type_lacks_is_the_programs_error(tmp_path: Path) -> None:
    """Torch has no Cholesky decomposition for float16: its own sentence, with the program's line, and what ran before is kept."""
    path = tmp_path / "short.py"
    path.write_text("import torch\nw = torch.eye(3, requires_grad=True)\nloss = torch.linalg.cholesky(w * 4).sum()\nloss.backward()\n")
    assert run_target(str(path), device="cpu", dtype="float64").traces[0].loss == 6.0
    with pytest.raises(ProgramError) as caught:
        run_target(str(path), device="cpu", dtype="float16")
    assert caught.value.key == "running.raised"
    assert "Half" in str(caught.value)
    assert "short.py" in caught.value.report
    assert "explorer" not in caught.value.report
    (trace,) = caught.value.traces
    assert trace.partial
    assert trace.findings[0].kind == "user_error"
    assert "mul" in [node.op for node in trace.nodes]
