"""Recipes: how tensors are made and what is done with them, as plain values chosen from one table; imports no torch.

A recipe is a list of steps, `{"do": "reshape", "of": "a", "shape": [3, 4]}`. The tensors that steps make are called a, b, c, … in order.
As text, the way it stands in an address, the same is `arange(0,12);reshape(a,[3,4])`. Nothing in it is ever run as code: `checked` lets
through what stands in the table with plain arguments in bounds; `explorer.capture.recipe_lines` writes the code from those.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from explorer.errors import RequestError

__all__ = [
    "DEVICES", "DTYPES", "LARGEST", "MAKES", "MOST_STEPS", "NAMES", "OPS", "PICTURES", "TABLE", "Op", "Recipe", "arguments", "as_number",
    "checked", "index_written", "is_nest",
]  # fmt: skip

LARGEST = 10_000  # elements of a tensor
MOST_STEPS = 24
MOST_RANK = 8
FURTHEST = 1_000_000  # a size, dimension or position
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "complex128")
DEVICES = ("cpu", "meta", "cuda", "mps", "xpu")
NAMES = tuple("abcdefghijklmnopqrstuvwxyz")
PICTURES = ("digit", "digits", "sunset")

Recipe = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Op:
    """A row of the table. `takes` is "name:kind=default …"; the lines name what they are filled with, NumPy's is "" where there is none.

    `moves`: the result holds values of the operand, only elsewhere. `writes`: it changes its operand and makes nothing.
    """

    name: str
    takes: str
    torch: str
    numpy: str = ""
    moves: bool = False
    writes: bool = False


MAKES = {op.name: op for op in (
    Op("literal", "values:values dtype:dtype requires_grad:flag",
       "torch.tensor({values}{dtype}{requires_grad})", "np.array({values}{np_dtype})"),
    Op("arange", "start:number=0 end:number step:number=1 dtype:dtype", "torch.arange({range}{dtype})", "np.arange({range}{np_dtype})"),
    Op("linspace", "start:number=0 end:number steps:count",
       "torch.linspace({start}, {end}, {steps})", "np.linspace({start}, {end}, {steps})"),
    Op("zeros", "shape:shape dtype:dtype", "torch.zeros({shape}{dtype})", "np.zeros({shape_tuple}{np_dtype})"),
    Op("ones", "shape:shape dtype:dtype", "torch.ones({shape}{dtype})", "np.ones({shape_tuple}{np_dtype})"),
    Op("full", "shape:shape value:number dtype:dtype",
       "torch.full({shape_tuple}, {value}{dtype})", "np.full({shape_tuple}, {value}{np_dtype})"),
    Op("eye", "n:count dtype:dtype", "torch.eye({n}{dtype})", "np.eye({n}{np_dtype})"),
    Op("rand", "shape:shape seed:seed=0", "torch.rand({shape}, generator=torch.Generator().manual_seed({seed}))",
       "np.random.default_rng({seed}).random({shape_tuple})"),
    Op("randn", "shape:shape seed:seed=0", "torch.randn({shape}, generator=torch.Generator().manual_seed({seed}))",
       "np.random.default_rng({seed}).standard_normal({shape_tuple})"),
    Op("randint", "low:int=0 high:int=10 shape:shape seed:seed=0",
       "torch.randint({low}, {high}, {shape_tuple}, generator=torch.Generator().manual_seed({seed}))",
       "np.random.default_rng({seed}).integers({low}, {high}, {shape_tuple})"),
    Op("image", "name:picture", "torch.tensor({name}, dtype=torch.uint8)", "np.array({name}, dtype=np.uint8)"),
)}  # fmt: skip

OPS = {op.name: op for op in (
    Op("reshape", "of:tensor shape:shape", "{of}.reshape({shape})", "{of}.reshape({shape})", moves=True),
    Op("view", "of:tensor shape:shape", "{of}.view({shape})", "{of}.reshape({shape}, copy=False)", moves=True),
    Op("flatten", "of:tensor", "{of}.flatten()", "{of}.ravel()", moves=True),
    Op("transpose", "of:tensor dim0:int=0 dim1:int=1", "{of}.transpose({dim0}, {dim1})", "{of}.swapaxes({dim0}, {dim1})", moves=True),
    Op("T", "of:tensor", "{of}.T", "{of}.T", moves=True),
    Op("permute", "of:tensor dims:shape", "{of}.permute({dims})", "{of}.transpose({dims})", moves=True),
    Op("slice", "of:tensor index:index", "{of}[{index}]", "{of}[{index}]", moves=True),
    Op("take", "of:tensor rows:shape", "{of}[[{rows}]]", "{of}[[{rows}]]", moves=True),
    Op("squeeze", "of:tensor dim:dim", "{of}.squeeze({dim})", "{of}.squeeze({dim})", moves=True),
    Op("unsqueeze", "of:tensor dim:int=0", "{of}.unsqueeze({dim})", "np.expand_dims({of}, {dim})", moves=True),
    Op("expand", "of:tensor shape:shape", "{of}.expand({shape})", "np.broadcast_to({of}, {shape_tuple})", moves=True),
    Op("flip", "of:tensor dim:int=0", "{of}.flip({dim})", "np.flip({of}, {dim})", moves=True),
    Op("contiguous", "of:tensor", "{of}.contiguous()", "np.ascontiguousarray({of})", moves=True),
    Op("clone", "of:tensor", "{of}.clone()", "{of}.copy()", moves=True),
    Op("detach", "of:tensor", "{of}.detach()", moves=True),
    Op("to_dtype", "of:tensor dtype:dtype!", "{of}.to(torch.{dtype})", "{of}.astype(np.{dtype})", moves=True),
    Op("to_device", "of:tensor device:device", '{of}.to("{device}")', moves=True),
    Op("cat", "of:tensor other:tensor dim:int=0", "torch.cat([{of}, {other}], dim={dim})", "np.concatenate([{of}, {other}], axis={dim})"),
    Op("stack", "of:tensor other:tensor dim:int=0", "torch.stack([{of}, {other}], dim={dim})", "np.stack([{of}, {other}], axis={dim})"),
    *(Op(name, "of:tensor other:operand", f"{{of}} {sign} {{other}}", f"{{of}} {sign} {{other}}")
      for name, sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("div", "/"), ("pow", "**"), ("gt", ">"), ("eq", "=="))),
    Op("matmul", "of:tensor other:tensor", "{of} @ {other}", "{of} @ {other}"),
    *(Op(name, "of:tensor dim:dim keepdim:flag", f"{{of}}.{name}({{dim}}{{keepdim}})", f"{{of}}.{plain}({{dim}}{{keepdims}})")
      for name, plain in (("sum", "sum"), ("mean", "mean"), ("amax", "max"))),
    Op("argmax", "of:tensor dim:dim", "{of}.argmax({dim})", "{of}.argmax({dim})"),
    *(Op(name, "of:tensor", f"{{of}}.{name}()", f"np.{name}({{of}})") for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "abs")),
    Op("neg", "of:tensor", "-{of}", "-{of}"),
    Op("sigmoid", "of:tensor", "{of}.sigmoid()", "1 / (1 + np.exp(-{of}))"),
    Op("relu", "of:tensor", "{of}.relu()", "np.maximum({of}, 0)"),
    Op("set", "of:tensor index:index value:number", "{of}[{index}] = {value}", "{of}[{index}] = {value}", writes=True),
    Op("add_", "of:tensor value:number", "{of}.add_({value})", "{of} += {value}", writes=True),
    Op("mul_", "of:tensor value:number", "{of}.mul_({value})", "{of} *= {value}", writes=True),
    Op("requires_grad_", "of:tensor", "{of}.requires_grad_()", writes=True),
    Op("backward", "of:tensor", "{of}.backward()", writes=True),
)}  # fmt: skip

TABLE = MAKES | OPS


@cache
def arguments(op: str) -> tuple[tuple[str, str, Any], ...]:
    """Each argument of an op: name, kind, default; a `tensor` has none, and a kind that may be left out has None."""
    found = []
    for word in TABLE[op].takes.split():
        name, _, rest = word.partition(":")
        kind, _, default = rest.partition("=")
        found.append((name, kind, int(default) if default else None))
    return tuple(found)


def checked(recipe: object) -> Recipe:
    """`recipe` with all arguments written out, if all of it is in the table and in bounds; else raises RequestError."""
    if not isinstance(recipe, Sequence) or isinstance(recipe, str):
        raise RequestError("tensors.bad.recipe")
    if len(recipe) > MOST_STEPS:
        raise RequestError("tensors.bad.long", most=MOST_STEPS)
    done: Recipe = []
    names: list[str] = []
    for number, step in enumerate(recipe, 1):
        if not isinstance(step, Mapping) or not isinstance(step.get("do"), str) or step["do"] not in TABLE:
            what = step.get("do") if isinstance(step, Mapping) else step
            raise RequestError("tensors.bad.unknown", step=number, what=repr(what)[:60])
        op = TABLE[step["do"]]
        known = [name for name, _, _ in arguments(op.name)]
        for name in step.keys() - {"do", *known}:
            raise RequestError("tensors.bad.argument", step=number, op=op.name, name=str(name)[:40])
        clean: dict[str, Any] = {"do": op.name}
        for name, kind, default in arguments(op.name):
            value = step.get(name)
            clean[name] = value = default if value is None else value
            if value is None and kind in ("dtype", "flag", "dim"):
                continue
            if value is None or not _KINDS[kind](value, names):
                raise RequestError("tensors.bad.argument", step=number, op=op.name, name=name)
        if (size := _size(clean)) > LARGEST:
            raise RequestError("tensors.bad.large", step=number, size=size, most=LARGEST)
        done.append(clean)
        if not op.writes:
            names.append(NAMES[len(names)])
    return done


def _size(step: dict[str, Any]) -> int:
    """Elements of what a step makes from nothing; 0 for an op on tensors, and where torch will say that there is no such tensor."""
    if step["do"] not in MAKES:
        return 0
    if step["do"] == "arange":
        start, end, jump = (as_number(step[name]) for name in ("start", "end", "step"))
        if any(isinstance(one, complex) or not math.isfinite(one) for one in (start, end, jump)) or not jump:
            return 0
        return max(0, math.ceil((end - start) / jump))
    if step["do"] == "literal":
        return sum(1 for _ in _leaves(step["values"]))
    if step["do"] == "eye":
        return int(step["n"]) ** 2
    if step["do"] == "linspace":
        return int(step["steps"])
    return math.prod(max(0, size) for size in step.get("shape", ()))


def _leaves(values: object) -> Iterator[object]:
    waiting = [values]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list | tuple):
            waiting.extend(one)
        else:
            yield one


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= FURTHEST


def _is_number(value: object) -> bool:
    """A number; NaN, infinities and complex numbers are written as text."""
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return (isinstance(value, float) and math.isfinite(value)) or (isinstance(value, str) and as_number(value) is not None)


def as_number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value) if value in ("nan", "inf", "-inf") else complex(value) if len(value) < 60 and value[-1:] == "j" else None
    except ValueError:
        return None


def is_nest(values: object, depth: int = 0) -> bool:
    if isinstance(values, list | tuple):
        return depth < MOST_RANK and len(values) <= LARGEST and all(is_nest(one, depth + 1) for one in values)
    return _is_number(values)


_KINDS: dict[str, Callable[[Any, list[str]], bool]] = {
    "tensor": lambda value, names: value in names,
    "operand": lambda value, names: value in names or _is_number(value),
    "int": lambda value, names: _is_int(value),
    "dim": lambda value, names: _is_int(value),
    "count": lambda value, names: _is_int(value) and value >= 0,
    "seed": lambda value, names: _is_int(value) and value >= 0,
    "number": lambda value, names: _is_number(value),
    "flag": lambda value, names: isinstance(value, bool),
    "shape": lambda value, names: isinstance(value, list | tuple) and len(value) <= MOST_RANK and all(map(_is_int, value)),
    "index": lambda value, names: isinstance(value, str) and index_written(value) is not None,
    "dtype": lambda value, names: value in DTYPES,
    "dtype!": lambda value, names: value in DTYPES,
    "device": lambda value, names: value in DEVICES,
    "picture": lambda value, names: value in PICTURES,
    "values": lambda value, names: is_nest(value),
}


def index_written(text: str) -> str | None:
    """The index as Python writes it, where `text` is made of whole numbers, `start:stop:step`, `...` and `None`; else None."""
    items = []
    for item in text.split(","):
        word = item.strip()
        parts = word.split(":")
        if word in ("...", "None"):
            items.append(word)
        elif len(parts) <= 3 and word and all(re.fullmatch(r"\s*-?\d{1,7}\s*" + ("|" if len(parts) > 1 else ""), part) for part in parts):
            items.append(":".join(str(int(part)) if part.strip() else "" for part in parts))
        else:
            return None
    return ", ".join(items) if len(items) <= MOST_RANK else None
