"""The child process of the workbench: carries out recipes with torch and, beside it, with NumPy, and tells what came out.

A line of JSON on standard input is a recipe, a line on standard output the answer (explorer.capture.workbench says what stands in it).
Nothing is kept from one recipe to the next. The process ends when its standard input does, or when a recipe takes too long.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import sys
import warnings
from typing import Any

import numpy as np
import torch

from explorer.capture.fits import fit, grown, made, reason
from explorer.capture.recipe_lines import Line, lines
from explorer.capture.recipes import LARGEST, MAKES, TABLE, Recipe

__all__ = ["answer", "main"]

LIMIT = 30.0  # seconds for one recipe, should nobody be there to end it sooner
# What the lines of explorer.capture.recipe_lines (NOTE [lines]) may name beside tensors; NumPy and torch import on demand from within.
_NAMES = {"__builtins__": {"float": float, "__import__": __import__}, "torch": torch, "np": np}


def main() -> None:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    torch.set_num_threads(1)
    answers.write("{}\n")
    answers.flush()
    for line in sys.stdin:
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        told = json.dumps(answer(json.loads(line)), allow_nan=False)
        faulthandler.cancel_dump_traceback_later()
        answers.write(told + "\n")
        answers.flush()


def answer(recipe: Recipe) -> dict[str, Any]:
    """What a checked recipe gives, as far as it can be followed."""
    tensors: dict[str, torch.Tensor] = {}
    arrays: dict[str, Any] = {}
    apart: set[tuple[str, str]] = set()
    steps: list[dict[str, Any]] = []
    error: dict[str, Any] | None = None
    for step, line in zip(recipe, lines(recipe), strict=True):
        one = tuple(tensors[step["of"]].shape) if "of" in step else ()
        other = step.get("other")
        two = tuple(tensors[other].shape) if isinstance(other, str) and other in tensors else None
        told: dict[str, Any] = {"do": step["do"], "line": line.torch, "makes": line.makes, "of": list(line.of)}
        told["fit"] = None if "of" not in step else fit(step, one, two)
        if (size := grown(step, one, two)) > LARGEST:
            error = {"message": None, "why": "large", "values": {"size": size, "most": LARGEST}}
            steps.append(told | {"numpy": _nothing(line)})
            break
        result, failed, warned = _run(line, line.torch, tensors)
        told["numpy"] = _beside(step, line, arrays)
        told["warning"] = warned
        steps.append(told)
        if failed is not None:
            error = {"message": _told(failed)} | _why(step, line, tensors, one, two)
            if line.numpy is not None and told["numpy"]["line"] is not None and told["numpy"]["error"] is None:
                told["numpy"]["differs"] = ["works"]
            break
        told |= _relation(step, line, result, tensors)
        if line.makes is not None:
            tensors[line.makes] = result
        told["numpy"]["differs"] = _differences(step, told, result, arrays, apart)
    if error is not None:
        error |= {"step": len(steps) - 1, "shapes": {name: list(tensors[name].shape) for name in steps[-1]["of"]}}
    storages: dict[int, int] = {}
    return {
        "tensors": [_facts(name, tensor, storages) for name, tensor in tensors.items()],
        "steps": steps,
        "error": error,
        "torch": torch.__version__.partition("+")[0],
        "numpy": np.__version__,
    }


def _run(line: Line, code: str, values: dict[str, Any]) -> tuple[Any, Exception | None, str | None]:
    """The new value where one is made, or the exception; and the first warning."""
    places = {**values}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(code, _NAMES.copy(), places)  # NOTE [lines]
        except Exception as error:
            return None, error, None
    if line.makes is None:
        values.update(places)  # `a += 1` binds the name anew
    said = [str(one.message).partition(" (Triggered")[0] for one in warned]
    return None if line.makes is None else places[line.makes], None, said[0] if said else None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\nException raised")[0][:1000]


def _why(step: dict[str, Any], line: Line, tensors: dict[str, torch.Tensor], one: Any, two: Any) -> dict[str, Any]:
    """Why torch refused a step, in our words."""
    if step.get("requires_grad"):
        plain, failed, _ = _run(line, line.torch.replace(", requires_grad=True", ""), {})
        if failed is None:
            return {"why": "grad_dtype", "values": {"dtype": _dtype(plain)}}
    if "of" not in step:
        return {"why": made(step), "values": {}}
    operand = tensors[step["of"]]
    facts = {"dtype": _dtype(operand), "device": operand.device.type, "requires_grad": operand.requires_grad, "leaf": operand.is_leaf}
    why, values = reason(step, one, two, facts)
    return {"why": why, "values": values}


def _relation(step: dict[str, Any], line: Line, made: Any, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    """How the result stands to the memory of the operands: "same" tensor, "view" of it, "copy" of its values, or "new"; and to which."""
    if line.makes is None:
        return {"relation": "write", "shares": [name for name in tensors if _same_storage(tensors[name], tensors[step["of"]])]}
    shares = [name for name, tensor in tensors.items() if _same_storage(tensor, made)]
    if any(tensors[name] is made for name in line.of):
        return {"relation": "same", "shares": shares}
    if shares:
        return {"relation": "view", "shares": shares}
    return {"relation": "copy" if TABLE[step["do"]].moves else "new", "shares": []}


def _same_storage(one: torch.Tensor, two: torch.Tensor) -> bool:
    return one.untyped_storage()._cdata == two.untyped_storage()._cdata


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _facts(name: str, tensor: torch.Tensor, storages: dict[int, int]) -> dict[str, Any]:
    """All there is to know about a tensor, as plain values."""
    storage = tensor.untyped_storage()
    size = tensor.element_size()
    number = storages.setdefault(storage._cdata, len(storages))
    grad = tensor.grad if tensor.is_leaf else None
    return {
        "name": name,
        "rank": tensor.dim(),
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "storage": number,
        "storage_elements": storage.nbytes() // size,
        "storage_bytes": storage.nbytes(),
        "dtype": _dtype(tensor),
        "device": str(tensor.device),
        "elements": tensor.numel(),
        "element_bytes": size,
        "bytes": tensor.nbytes,
        "contiguous": tensor.is_contiguous(),
        "requires_grad": tensor.requires_grad,
        "leaf": tensor.is_leaf,
        "grad_fn": tensor.grad_fn.name() if tensor.grad_fn is not None else None,
        "grad": None if grad is None else _values(grad),
        "values": _values(tensor),
    }


def _values(tensor: torch.Tensor) -> list[Any] | None:
    """The elements in reading order; None on a device that keeps none."""
    if tensor.device.type == "meta":
        return None
    return [_plain(value) for value in tensor.detach().cpu().flatten().tolist()]


def _plain(value: Any) -> Any:
    """A number that JSON can hold; else as text: nan, inf, -inf, and complex numbers as a pair."""
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


# NumPy


def _nothing(line: Line) -> dict[str, Any]:
    return {"line": line.numpy, "error": None, "relation": None, "shares": [], "dtype": None, "shape": None, "strides": None, "differs": []}


def _beside(step: dict[str, Any], line: Line, arrays: dict[str, Any]) -> dict[str, Any]:
    """The same step with NumPy, unless an operand has no counterpart there; the array is put among `arrays`."""
    told = _nothing(line)
    if line.numpy is None or any(name not in arrays for name in line.of):
        return told | {"line": None}
    with np.errstate(all="ignore"):
        array, failed, _ = _run(line, line.numpy, arrays)
    if failed is not None:
        if line.makes is not None:
            arrays.pop(line.makes, None)
        return told | {"error": _told(failed)}
    if line.makes is None:
        return told
    shares = [name for name, other in arrays.items() if _root(other) is not None and _root(other) is _root(array)]
    arrays[line.makes] = array
    if step["do"] in MAKES:
        relation = "new"
    elif any(arrays[name] is array for name in line.of):
        relation = "same"
    else:
        relation = "view" if shares else "copy" if TABLE[step["do"]].moves else "new"
    about = {"relation": relation, "shares": shares, "dtype": str(array.dtype), "shape": list(array.shape), "strides": list(array.strides)}
    return told | about


def _root(array: Any) -> Any:
    """The array that owns the memory; None for a scalar, which has none to share."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array if isinstance(array, np.ndarray) else None


def _differences(step: dict[str, Any], told: dict[str, Any], made: Any, arrays: dict[str, Any], apart: set[tuple[str, str]]) -> list[str]:
    """In what NumPy's result is another (explorer.capture.workbench.Beside). Data types and numbers that were `apart` are told once."""
    beside = told["numpy"]
    if beside["line"] is None:
        return ["none"]
    if beside["error"] is not None:
        return ["error"]
    if told["makes"] is None:
        return []
    array = arrays[told["makes"]]
    found = []
    if not isinstance(array, np.ndarray):
        found.append("scalar")
    elif (beside["relation"] in ("view", "same")) != (told["relation"] in ("view", "same")):
        found.append("memory")
    if beside["shape"] != list(made.shape):
        found.append("shape")
    elif made.device.type != "meta" and not _equal(made, array):
        found += _new("seed" if "seed" in step else "values", "values", told, apart)
    if beside["dtype"] != _dtype(made):
        found += _new("dtype", "dtype", told, apart)
    return found


def _new(word: str, kind: str, told: dict[str, Any], apart: set[tuple[str, str]]) -> list[str]:
    """`word`, unless an operand differed in this already."""
    known = any((name, kind) in apart for name in told["of"])
    apart.add((told["makes"], kind))
    return [] if known else [word]


def _equal(made: torch.Tensor, array: Any) -> bool:
    """Whether both hold the same numbers, as far as the coarser data type can tell them apart."""
    ours = made.detach().cpu().resolve_conj().resolve_neg().to(torch.complex128).numpy()
    names = [name for name in (str(array.dtype), _dtype(made)) if name.startswith(("float", "complex"))]
    coarse = max([2.0**-50, *(float(np.finfo(name).eps) for name in names)])
    return bool(np.allclose(ours, np.asarray(array).astype(np.complex128), rtol=8 * coarse, atol=8 * coarse, equal_nan=True))
