"""What belongs to the user, bit for bit, so that two moments or two runs can be compared with `==`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks")


def user_state(*things: Any, optimizer: Any = None, rng: bool = True) -> dict[str, Any]:
    """State of modules and tensors (in the order given), of an optimizer, and of torch's and Python's random numbers.

    For a module: parameters and buffers with values, `.grad`, `requires_grad` and version, training mode, hooks and attribute names.
    Tensors become bytes, so that NaN equals NaN and −0.0 differs from 0.0. It runs no op that autograd would see.
    """
    state: dict[str, Any] = {}
    for number, thing in enumerate(things):
        for name, value in _module(thing) if hasattr(thing, "named_modules") else _tensor(thing):
            state[f"{number}.{name}"] = value
    if optimizer is not None:
        state |= {f"optimizer.{name}": value for name, value in _optimizer(optimizer)}
    if rng:
        state |= dict(_random())
    return state


def _module(model: Any) -> Iterator[tuple[str, Any]]:
    for path, module in model.named_modules():
        yield f"{path}.class", type(module)
        yield f"{path}.training", module.training
        yield f"{path}.attributes", sorted(vars(module))
        yield f"{path}.forward", getattr(module.forward, "__func__", module.forward)
        for table in HOOKS:
            yield f"{path}.{table}", list(getattr(module, table, None) or ())
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        yield from ((f"{name}.{what}", value) for what, value in _tensor(tensor))


def _tensor(tensor: Any) -> Iterator[tuple[str, Any]]:
    yield "value", frozen(tensor)
    yield "version", tensor._version
    yield "requires_grad", tensor.requires_grad
    yield "hooks", list(tensor._backward_hooks or ())
    yield "post accumulate hooks", list(getattr(tensor, "_post_accumulate_grad_hooks", None) or ())
    yield "attributes", sorted(vars(tensor))
    if tensor.is_leaf:
        yield "grad", None if tensor.grad is None else frozen(tensor.grad)


def _optimizer(optimizer: Any) -> Iterator[tuple[str, Any]]:
    for number, group in enumerate(optimizer.param_groups):
        yield f"group {number}", {name: value for name, value in group.items() if name != "params"}
    for number, entries in enumerate(optimizer.state.values()):
        for name, value in entries.items():
            yield f"state {number}.{name}", frozen(value) if hasattr(value, "detach") else value
    for table in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"):
        yield table, list(getattr(optimizer, table, ()))


def _random() -> Iterator[tuple[str, Any]]:
    import random

    import torch

    yield "random numbers of torch", bytes(torch.get_rng_state().tolist())
    yield "random numbers of Python", random.getstate()


def frozen(tensor: Any) -> tuple[str, tuple[int, ...], str, bytes]:
    """dtype, shape, layout and bits of a tensor."""
    import torch

    with torch.no_grad():
        plain = tensor.detach()
        layout = str(plain.layout)
        if layout != "torch.strided":
            plain = plain.to_dense()
        bits = plain.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        return str(tensor.dtype), tuple(plain.shape), layout, bits.view(torch.uint8).numpy().tobytes() if bits.numel() else b""
