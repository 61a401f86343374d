"""torch as the witness of a rule: one op run in float64, its arguments seen as the recorder sees them, its gradients from autograd.grad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.capture.derivatives import names_for
from explorer.formulas.evaluation import Setting
from explorer.formulas.rules import Rule

__all__ = ["Case", "Ran", "case", "leaves", "ran", "setting", "stand_in"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One call of an op on random tensors: `key` of the rule that must be found for it, the shapes of the tensors, their range.

    `precision` is relative, and coarser where torch itself computes with constants in float32;
    `contiguous` cases are those of which torch refuses transposed tensors.
    """

    key: str
    call: Callable[..., Any]
    shapes: tuple[Shape, ...]
    low: float = -2.0
    high: float = 2.0
    precision: float = 1e-9
    contiguous: bool = False

    @property
    def name(self) -> str:
        return f"{self.key}-{'-'.join('x'.join(map(str, shape)) or 'number' for shape in self.shapes)}"


def case(
    key: str,
    call: Callable[..., Any],
    *shapes: Shape,
    low: float = -2.0,
    high: float = 2.0,
    precision: float = 1e-9,
    contiguous: bool = False,
) -> Case:
    return Case(key, call, shapes, low, high, precision, contiguous)


@dataclass(frozen=True)
class Ran:
    """What an op was given and gave: the name of its backward node, and what autograd.grad says of each tensor argument that needs it."""

    autograd: str
    inputs: dict[str, Any]
    arguments: dict[str, Any]
    outputs: list[Any]
    upstream: list[Any]
    expected: dict[tuple[str, int | None], np.ndarray]


class Watch(TorchDispatchMode):
    """Keeps every op with its arguments and results."""

    def __init__(self) -> None:
        super().__init__()
        self.ops: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.ops.append((func, args, kwargs or {}, result))
        return result


def leaves(one: Case, *, transposed: bool, seed: int = 0) -> list[torch.Tensor]:
    """The tensors of a case; `transposed` ones lie in memory with their dimensions reversed."""
    torch.manual_seed(seed)
    made = []
    for shape in one.shapes:
        tensor = torch.empty(shape[::-1] if transposed else shape, dtype=torch.float64).uniform_(one.low, one.high)
        made.append((tensor.permute([*reversed(range(tensor.dim()))]) if transposed else tensor).requires_grad_())
    return made


def ran(call: Callable[..., Any], tensors: Sequence[torch.Tensor]) -> Ran:
    """The call run once; its last op is the one that is looked at."""
    with Watch() as watch:
        result = call(*tensors)
    results = [one for one in (result if isinstance(result, tuple | list) else [result]) if one.requires_grad]
    node = results[0].grad_fn
    autograd = node.name().removeprefix("torch::autograd::")
    func, args, kwargs, raw = next(op for op in reversed(watch.ops) if autograd in names_for(op[0]._schema.name[6:] + _overload(op[0])))
    given = dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)) | kwargs
    if func._schema.is_mutable:  # what is changed is a clone of the first tensor, which looks now as it did before
        given["self"] = tensors[0]
    outputs = list(raw) if isinstance(raw, tuple | list) else [raw]
    seeds = [torch.randn_like(one) for one in results]
    upstream: list[Any] = [None] * len(outputs)
    for one, seed in zip(results, seeds, strict=True):
        upstream[one.output_nr] = seed.numpy()
    wanted = {(name, index): tensor for name, index, tensor in _tensors(given) if tensor.requires_grad}
    gradients = torch.autograd.grad(results, list(wanted.values()), seeds, allow_unused=True)
    return Ran(
        autograd=autograd,
        inputs={name: _numbers(value) for name, value in given.items() if _is_tensor(value)},
        arguments={name: _plain(value) for name, value in given.items() if not _is_tensor(value)},
        outputs=[_numbers(one) for one in outputs],
        upstream=upstream,
        expected={key: got.numpy() for key, got in zip(wanted, gradients, strict=True) if got is not None},
    )


def stand_in(
    autograd: str, inputs: dict[str, torch.Tensor], plain: dict[str, Any], outputs: list[torch.Tensor], flowed: list[torch.Tensor]
) -> Ran:
    """A run put together by hand, for an op that this torch does not make a node of."""
    seeds = [torch.randn_like(one) for one in flowed]
    wanted = {name: tensor for name, tensor in inputs.items() if tensor.requires_grad}
    gradients = torch.autograd.grad(flowed, list(wanted.values()), seeds)
    return Ran(
        autograd=autograd,
        inputs={name: _numbers(one) for name, one in inputs.items()},
        arguments=plain,
        outputs=[_numbers(one) for one in outputs],
        upstream=[one.numpy() for one in seeds] + [None] * (len(outputs) - len(seeds)),
        expected={(name, None): got.numpy() for name, got in zip(wanted, gradients, strict=True)},
    )


def setting(rule: Rule, of: Ran) -> Setting:
    """The rule with the numbers of the run."""
    shapes = {name: [np.shape(one) for one in value] if isinstance(value, list) else np.shape(value) for name, value in of.inputs.items()}
    return Setting(
        rule,
        upstream=of.upstream,
        inputs=of.inputs,
        outputs=of.outputs,
        arguments=of.arguments,
        shapes=shapes,
        output_shapes=[np.shape(one) for one in of.outputs],
    )


def _overload(func: Any) -> str:
    return f".{func._overloadname}" if func._overloadname != "default" else ""


def _is_tensor(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(one, torch.Tensor) for one in value)
    return isinstance(value, torch.Tensor)


def _tensors(given: dict[str, Any]) -> list[tuple[str, int | None, torch.Tensor]]:
    found: list[tuple[str, int | None, torch.Tensor]] = []
    for name, value in given.items():
        if isinstance(value, torch.Tensor):
            found.append((name, None, value))
        elif isinstance(value, list | tuple):
            found += [(name, index, one) for index, one in enumerate(value) if isinstance(one, torch.Tensor)]
    return found


def _numbers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_numbers(one) for one in value]
    return None if value is None else value.detach().numpy()


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
