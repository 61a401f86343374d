"""Checkpoints: weights, optimizer, random numbers and whatever else has a `state_dict`, so that a run can go on bit for bit.

    checkpoint-120/
      weights.safetensors   the model's state_dict
      state.safetensors     every other tensor
      state.json            the rest of the states, with references to those tensors

Opening one runs no code: there is no pickle in it. A new one is complete before the one before it is removed.
"""

from __future__ import annotations

import collections
import contextlib
import json
import math
import os
import random
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from explorer.errors import FileError, OutputError, RequestError

__all__ = ["Batches", "load_state", "load_weights", "newest", "random_state", "save_checkpoint", "set_random_state"]

PREFIX = "checkpoint-"
FORMAT = 1
LARGEST = 1 << 28  # bytes of state.json
DEEPEST = 100


def save_checkpoint(folder: Path, step: int, model: nn.Module, states: Mapping[str, Any]) -> Path:
    """Write a checkpoint after `step` and remove older ones. `states` may nest tensors, numbers, texts, lists and dicts."""
    tensors: dict[str, torch.Tensor] = {}
    weights = {name: value for name, value in model.state_dict().items() if isinstance(value, torch.Tensor)}
    rest = {name: value for name, value in model.state_dict().items() if name not in weights}
    document = {"format": FORMAT, "step": step, "states": _encoded({**states, "model": rest}, tensors, "")}
    part, place = folder / f".{PREFIX}part", folder / f"{PREFIX}{step}"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        save_file(_apart(weights), part / "weights.safetensors")
        save_file(_apart(tensors), part / "state.safetensors")
        (part / "state.json").write_text(json.dumps(document), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        os.rename(part, place)
    except (OSError, safetensors.SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError("training.no_checkpoint", path=str(folder), reason=getattr(error, "strerror", None) or str(error)) from error
    for number, old in _all(folder):
        if number != step:
            shutil.rmtree(old, ignore_errors=True)
    return place


def newest(folder: str | os.PathLike[str]) -> tuple[int, Path] | None:
    """The step and the folder of the last complete checkpoint of a run."""
    return max(_all(Path(folder)), default=None)


def _all(folder: Path) -> Iterator[tuple[int, Path]]:
    with contextlib.suppress(OSError):
        for place in folder.glob(f"{PREFIX}*"):
            word = place.name.removeprefix(PREFIX)
            if word.isascii() and word.isdigit() and len(word) < 19 and (place / "state.json").is_file():
                yield int(word), place


def load_weights(run: str | os.PathLike[str], model: nn.Module) -> int:
    """Put the weights of a run's last checkpoint into `model`; the step they are from."""
    found = newest(run)
    if found is None:
        raise RequestError("training.no_weights", path=os.fspath(run))
    step, place = found
    with _sound(place):
        weights = load_file(place / "weights.safetensors")
    own = model.state_dict()
    if {name: tuple(value.shape) for name, value in weights.items()} != {
        name: tuple(value.shape) for name, value in own.items() if isinstance(value, torch.Tensor)
    }:
        raise RequestError("training.other_weights", path=os.fspath(run))
    model.load_state_dict({**own, **weights})
    return step


def load_state(place: Path) -> dict[str, Any]:
    """The states of a checkpoint, as they were given to `save_checkpoint`."""
    with _sound(place):
        if (place / "state.json").stat().st_size > LARGEST:
            raise ValueError("too large")
        document = json.loads((place / "state.json").read_bytes())
        tensors = load_file(place / "state.safetensors")
        if document["format"] > FORMAT:
            raise FileError("runs.newer", path=str(place))
        return dict(_decoded(document["states"], tensors, DEEPEST))


@contextlib.contextmanager
def _sound(place: Path) -> Iterator[None]:
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError("runs.unreadable", path=str(place), reason=error.strerror or type(error).__name__) from error
    except (safetensors.SafetensorError, ValueError, TypeError, LookupError, RecursionError, AttributeError) as error:
        raise FileError("runs.damaged", path=str(place)) from error


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors on the CPU, no two of them in the same memory: a tied weight is written for each of its names."""
    seen: set[int] = set()
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        whole = getattr(tensor, "full_tensor", None)
        value = (tensor if whole is None else whole()).detach().cpu().contiguous()
        address = value.untyped_storage().data_ptr()
        if address in seen or value.untyped_storage().nbytes() != value.numel() * value.element_size():
            value = value.clone()
        seen.add(address)
        found[name] = value
    return found


def _encoded(value: Any, tensors: dict[str, torch.Tensor], path: str) -> Any:
    """A value as JSON; what JSON has no form for is a dict with one key, its kind."""
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, torch.Tensor):
        tensors[str(len(tensors))] = value
        return {"tensor": len(tensors) - 1}
    if isinstance(value, list):
        return [_encoded(one, tensors, f"{path}[]") for one in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(one, tensors, f"{path}[]") for one in value]}
    if isinstance(value, dict):
        kind = "counter" if isinstance(value, collections.Counter) else "dict"
        return {kind: [[_encoded(key, tensors, path), _encoded(one, tensors, f"{path}.{key}")] for key, one in value.items()]}
    if type(value).__module__ == "numpy":  # an array or a number of numpy's
        if not hasattr(value, "dtype") or value.dtype.kind not in "biuf":
            raise OutputError("training.cannot_keep", what=path.removeprefix("."), kind=type(value).__name__)
        return (
            _encoded(value.item(), tensors, path)
            if not value.shape
            else {"array": _encoded(value.tolist(), tensors, path), "of": str(value.dtype)}
        )
    raise OutputError("training.cannot_keep", what=path.removeprefix("."), kind=type(value).__name__)


def _decoded(value: Any, tensors: Mapping[str, torch.Tensor], depth: int) -> Any:
    if not depth:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [_decoded(one, tensors, depth - 1) for one in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        import numpy as np

        return np.array(_decoded(value["array"], tensors, depth - 1), dtype=np.dtype(str(value["of"])))
    [(kind, inner)] = value.items()
    match kind:
        case "float":
            return float(inner)
        case "tensor":
            return tensors[str(inner)]
        case "tuple":
            return tuple(_decoded(one, tensors, depth - 1) for one in inner)
        case "dict" | "counter":
            pairs = {_decoded(key, tensors, depth - 1): _decoded(one, tensors, depth - 1) for key, one in inner}
            return pairs if kind == "dict" else collections.Counter(pairs)
    raise ValueError(kind)


def random_state() -> dict[str, Any]:
    """Where the random numbers of Python, torch, its devices and numpy stand."""
    told: dict[str, Any] = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        told["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        told["mps"] = torch.mps.get_rng_state()
    if "numpy" in sys.modules:
        told["numpy"] = sys.modules["numpy"].random.get_state(legacy=False)
    return told


def set_random_state(state: Mapping[str, Any]) -> None:
    """The reverse."""
    random.setstate(state["python"])
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
    if "numpy" in state:
        import numpy as np

        np.random.set_state(state["numpy"])


class Batches:
    """Where a DataLoader stands: the random state its turn began with, and how many batches it has given since.

    That is enough to bring it back: the turn begins again with the same random numbers, and what it has given is passed over.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self._begun: dict[str, Any] | None = None
        self._taken = 0
        self._to_do: Mapping[str, Any] | None = None
        self._original = loader._get_iterator
        loader._get_iterator = self._iterator

    def state(self) -> dict[str, Any]:
        return {"begun": self._begun, "taken": self._taken}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """The next turn is the rest of the one that `state` is of."""
        self._to_do = state if state["begun"] is not None else None

    def _iterator(self) -> Iterator[Any]:
        state, self._to_do = self._to_do, None
        now = random_state()
        own = getattr(self.loader, "generator", None)
        if state is None:
            self._begun = {"random": now, "generator": None if own is None else own.get_state()}
            self._taken = 0
            return self._counted(self._original())
        self._begun, self._taken = dict(state["begun"]), state["taken"]
        set_random_state(self._begun["random"])
        if own is not None and self._begun["generator"] is not None:
            own.set_state(self._begun["generator"])
        batches = self._original()
        for _ in range(self._taken):
            next(batches, None)
        set_random_state(now)
        return self._counted(batches)

    def _counted(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._taken += 1
            yield batch

    def leave(self) -> None:
        """Let the loader be as it was."""
        with contextlib.suppress(AttributeError):
            del self.loader._get_iterator
