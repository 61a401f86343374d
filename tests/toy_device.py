"""A pretend accelerator, "toy": torch's engine gives it a thread of its own, and only its own kernels reach its numbers.

Importing registers it with torch for the whole process, for good; so tests use it in a child process, through `on_toy`. Each kernel runs
the CPU's on the same memory. It stands in for an accelerator where none is to be had: hooks run on another thread than the recorder's,
`torch.accelerator` finds a device, and copies to the host can be counted (`copies`). It has no streams, and nothing runs asynchronously.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

threads: set[int] = set()  # that kernels ran on
copies: list[int] = []  # elements of each copy to the host
_memory: dict[int, Any] = {}  # address of a toy storage -> the host storage whose memory it is

_COMPOSITE = ("CompositeExplicitAutograd", "CompositeImplicitAutograd", "CompositeExplicitAutogradNonFunctional")
_VIEWS = {"view", "as_strided", "_reshape_alias"}


def on_toy(program: str, *, timeout: float = 120) -> str:
    """What `program` prints in a process that has the device. It ends at once, because torch cannot take such a device down."""
    start = f"import os, sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests import toy_device\ntoy_device.register()\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}{program}\nsys.stdout.flush(); sys.stderr.flush(); os._exit(0)"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def register() -> None:
    """Make the device known to torch."""
    import torch
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    class Hooks(torch._C._acc.PrivateUse1Hooks):
        def is_available(self) -> bool:
            return True

        def has_primary_context(self, index: int) -> bool:
            return True

        def is_built(self) -> bool:
            return True

    class Module:
        """What `torch.toy` answers."""

        is_available = is_initialized = staticmethod(lambda: True)
        _is_in_bad_fork = staticmethod(lambda: False)
        device_count = staticmethod(lambda: 1)
        current_device = staticmethod(lambda: 0)
        get_device_name = staticmethod(lambda index=0: "Toy")
        manual_seed_all = staticmethod(lambda seed: None)
        get_rng_state = staticmethod(lambda device=0: torch.get_rng_state())
        set_rng_state = staticmethod(lambda state, device=0: torch.set_rng_state(state))
        get_amp_supported_dtype = staticmethod(lambda: [torch.bfloat16, torch.float16])

    _setup_privateuseone_for_python_backend("toy", backend_module=Module(), hook=Hooks())
    _register_kernels()


def _register_kernels() -> None:
    import torch

    aten = torch.ops.aten
    library = torch.library.Library("aten", "IMPL")
    for full in torch._C._dispatch_get_all_op_names():
        name, _, overload = full.removeprefix("aten::").partition(".")
        composite = any(torch._C._dispatch_has_kernel_for_dispatch_key(full, key) for key in _COMPOSITE)
        if full.startswith("aten::") and not composite and torch._C._dispatch_has_kernel_for_dispatch_key(full, "CPU"):
            op = getattr(getattr(aten, name), overload or "default")
            library.impl(full.removeprefix("aten::"), partial(_kernel, op), "PrivateUse1")
    library.impl("_copy_from", partial(_kernel, aten._copy_from.default), "PrivateUse1")
    library.impl("convolution_overrideable", partial(_kernel, aten.convolution.default), "PrivateUse1")
    library.impl("convolution_backward_overrideable", _convolution_backward, "PrivateUse1")
    globals()["_library"] = library  # taken back when it is collected


def _kernel(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Run `op` on the numbers themselves."""
    import torch
    from torch.utils._pytree import tree_map

    threads.add(threading.get_ident())
    name = op.overloadpacket.__name__
    if name in _VIEWS:
        return op.redispatch(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), *args, **kwargs)
    if name == "_copy_from":
        source, target = args[:2]
        if target.device.type == "cpu":
            copies.append(source.numel())
        _host(target).copy_(_host(source))
        return target
    if name == "_local_scalar_dense":
        copies.append(1)
    kinds = [str(argument.type) for argument in op._schema.arguments]  # a number wrapped in a tensor comes out of its wrapping on the way
    args = tuple(
        torch.tensor(value) if kind == "Tensor" and isinstance(value, int | float | complex) else value
        for value, kind in zip(args, kinds, strict=False)
    )
    inner_args, inner_kwargs = tree_map(_host, args), tree_map(_host, kwargs)
    result = op(*inner_args, **inner_kwargs)
    schema = op._schema
    if schema.is_mutable:
        written = []
        for index, argument in enumerate(schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                given = index < len(args)
                outer = args[index] if given else kwargs.get(argument.name)
                inner = inner_args[index] if given else inner_kwargs.get(argument.name)
                written.append(outer)
                if isinstance(outer, torch.Tensor) and outer.shape != inner.shape:
                    _fill(outer, inner)
        if not schema.returns:
            return None
        if all(returned.alias_info is not None for returned in schema.returns):
            return written[0] if len(schema.returns) == 1 else tuple(written)
    return tree_map(_on_device, result)


def _convolution_backward(gradient: Any, data: Any, weight: Any, *settings: Any) -> Any:
    import torch

    *settings, mask = settings
    tensors = _host(gradient), _host(data), _host(weight)
    results = torch.ops.aten.convolution_backward.default(*tensors, [weight.shape[0]], *settings, mask)
    return tuple(None if result is None else _on_device(result) for result in results)


def _host(value: Any) -> Any:
    """The numbers of a toy tensor, and the CPU in place of the device."""
    import torch

    if isinstance(value, torch.device):
        return torch.device("cpu")
    if not isinstance(value, torch.Tensor) or value.device.type != "toy":
        return value
    memory = _memory[value.untyped_storage()._cdata]
    return torch.empty(0, dtype=value.dtype).set_(memory, value.storage_offset(), value.shape, value.stride())


def _on_device(value: Any) -> Any:
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    made = torch._C._acc.create_empty_tensor((0,), value.dtype)
    _fill(made, value)
    return made


def _fill(tensor: Any, value: Any) -> None:
    """Let the toy tensor `tensor` be a copy of `value`, with memory of its own."""
    import torch

    copy = value.clone(memory_format=torch.preserve_format)
    memory = copy.untyped_storage()
    storage = torch._C._construct_storage_from_data_pointer(memory.data_ptr(), torch.device("toy:0"), memory.nbytes())
    cpu = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
    torch.ops.aten.set_.source_Storage_storage_offset.redispatch(cpu, tensor, storage, 0, copy.shape, copy.stride())
    _memory[storage._cdata] = memory
