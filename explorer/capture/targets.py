"""TARGET -> the program it names, and what a program returned -> the loss.

`find` only looks (no code of the user runs, no torch); `load` and `run_script` run in the child process. The forms of a TARGET are an
example's name, `path/file.py`, `path/file.py:callable` and `package.module:callable`.
"""

from __future__ import annotations

import builtins
import dataclasses
import difflib
import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.errors import TargetError
from explorer.findings import non_scalar_loss

__all__ = ["Target", "arguments", "backward_of", "find", "load", "run_script", "tensors_in"]

_NOT_OPENED = (type, types.ModuleType, types.FunctionType, types.MethodType)  # what a program may return, but not to show us tensors


@dataclass(frozen=True, slots=True)
class Target:
    """A program that was found. `name` is the callable, dotted (None: a script); `path` its file, `module` its module, where named so.

    Sources are told relative to `folder`.
    """

    title: str
    folder: str
    path: str | None = None
    module: str | None = None
    name: str | None = None
    fake_only: bool = False


def find(text: str, *, training: bool = False) -> Target:
    """The program that `text` names, or how it is trained; `TargetError` with what is wrong otherwise."""
    place, colon, name = text.rpartition(":")
    if not colon or text.endswith(".py"):
        place, name = text, ""
    elif not name or not place:
        raise TargetError("running.no_name", target=text)
    if place.endswith(".py") or os.sep in place or (os.altsep and os.altsep in place):
        return _file(place, name)
    return _module(place, name) if name else _example(text, training=training)


def _file(place: str, name: str) -> Target:
    path = os.path.abspath(os.path.expanduser(place))
    if os.path.isdir(path):
        raise TargetError("running.is_folder", path=place.rstrip("/\\"))
    if not os.path.exists(path):
        raise TargetError("running.no_file", path=place)
    if not path.endswith(".py"):
        raise TargetError("running.not_python", path=place)
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise TargetError("running.unreadable", path=place, reason=error.strerror or type(error).__name__) from None
    title = os.path.basename(path) + (f":{name}" if name else "")
    return Target(title, os.path.dirname(path), path=path, name=name or None)


def _module(module: str, name: str) -> Target:
    """Looks for the topmost package only: looking further would run its code."""
    top = module.partition(".")[0]
    spec = importlib.machinery.PathFinder.find_spec(top, [os.getcwd()]) or _installed(top)
    if spec is None:
        raise TargetError("running.no_module", module=module)
    places = list(spec.submodule_search_locations or ())
    folder = os.path.dirname(places[0] if places else spec.origin or "") or os.getcwd()
    return Target(f"{module}:{name}", folder, module=module, name=name)


def _installed(top: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):  # ValueError: an empty name, or a module without a spec
        return None


def _example(name: str, *, training: bool) -> Target:
    from explorer.capture.programs import EXAMPLES, TRAININGS

    known = {**EXAMPLES, **TRAININGS} if training else EXAMPLES
    if name in known:
        example = known[name]
        path, _, function = str(example.target).rpartition(":")
        return Target(name, os.path.dirname(path), path=path, name=function, fake_only=example.fake_only)
    if os.path.isdir(name):
        raise TargetError("running.is_folder", path=name)
    if os.path.exists(name):
        raise TargetError("running.not_python", path=name)
    close = difflib.get_close_matches(name, known, n=1)
    raise TargetError("running.no_example_near", name=name, near=close[0]) if close else TargetError("running.no_example", name=name)


def run_script(path: str) -> None:
    """Run the file as `python path` would: it is `__main__`, and its folder comes first where modules are looked for."""
    main = types.ModuleType("__main__")
    main.__dict__.update(
        __file__=path, __builtins__=builtins, __cached__=None, __loader__=importlib.machinery.SourceFileLoader("__main__", path)
    )
    sys.modules["__main__"] = main
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(path))
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, main.__dict__)


def load(target: Target, *, generator: bool = False) -> Callable[..., Any]:
    """Import what `target` names; a `generator` function only where one is wanted.

    An exception out of the user's code passes through; what is missing is a `TargetError`.
    """
    module = _import_file(target) if target.path else _import_module(target)
    place = os.path.basename(target.path) if target.path else target.module
    value: Any = module
    for part in (target.name or "").split("."):
        if not hasattr(value, part):
            raise _no_callable(module, place=str(place), name=str(target.name))
        value = getattr(value, part)
    if not callable(value):
        raise TargetError("running.not_callable", name=target.name, place=place, kind=type(value).__name__)
    for kind, is_kind in (("generator", inspect.isgeneratorfunction), ("coroutine", inspect.iscoroutinefunction)):
        if is_kind(value) and not (generator and kind == "generator"):
            raise TargetError("running.not_run_yet", name=target.name, kind=kind)
    return value


def _import_file(target: Target) -> types.ModuleType:
    assert target.path is not None
    sys.argv = [target.path]
    sys.path.insert(0, target.folder)
    stem = os.path.splitext(os.path.basename(target.path))[0]
    name = f"_target_{stem}" if stem in sys.modules else stem  # a file called random.py must not become everybody's random
    spec = importlib.util.spec_from_file_location(name, target.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _import_module(target: Target) -> types.ModuleType:
    assert target.module is not None
    sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(target.module)
    except ModuleNotFoundError as error:
        if error.name and f"{target.module}.".startswith(f"{error.name}."):
            raise TargetError("running.no_module", module=target.module) from None
        raise


def _no_callable(module: types.ModuleType, *, place: str, name: str) -> TargetError:
    own = [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    if not own:
        return TargetError("running.no_callable_at_all", place=place, name=name)
    return TargetError("running.no_callable", place=place, name=name, names=", ".join(own[:8]))


def arguments(call: Callable[..., Any], name: str, *, offered: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords to call with: those `offered` that it accepts, and of `defaults` those that it cannot do without."""
    try:
        # An nn.Module's __call__ accepts anything; its forward is what counts.
        asked = call if inspect.isclass(call) else getattr(call, "forward", call)
        parameters = inspect.signature(asked).parameters.values()
    except (TypeError, ValueError):  # made in C, and says nothing
        return {}
    chosen: dict[str, Any] = {}
    missing: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            chosen = {**offered, **chosen}
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.name in offered and parameter.kind is not parameter.POSITIONAL_ONLY:
            chosen[parameter.name] = offered[parameter.name]
        elif parameter.default is parameter.empty:
            if parameter.name in defaults and parameter.kind is not parameter.POSITIONAL_ONLY:
                chosen[parameter.name] = defaults[parameter.name]
            else:
                missing.append(parameter.name)
    if missing:
        raise TargetError("running.needs_arguments", name=name, arguments=", ".join(missing))
    return chosen


def backward_of(result: object, recorder: Any) -> Any:
    """Run backward once from what a callable returned, unless the callable did; the loss it started from, or None.

    A callable that called `autograd.grad` on the way to its loss has not: that is a pass of its own, and the loss begins another.

    The loss is the scalar `loss` attribute or key, else the only scalar that needs gradients; without one, backward starts from all
    outputs that need gradients, with ones, and the finding `non_scalar_loss` says so.
    """
    import torch
    from torch.utils._python_dispatch import _disable_current_modes

    outputs = tensors_in(result)
    recorder.set_outputs(outputs)
    loss = _loss(result, outputs)
    if not recorder.calls.leave(loss):
        return None
    if loss is not None:
        if loss.requires_grad:
            loss.backward()
        return loss
    roots = [tensor for tensor in outputs if tensor.requires_grad]
    if roots:
        recorder.note_finding(non_scalar_loss(len(roots)))
        with _disable_current_modes():  # these ones are ours, not an op of the program
            ones = [torch.ones_like(root) for root in roots]
        torch.autograd.backward(roots, ones)
    return None


def _loss(result: object, outputs: list[Any]) -> Any:
    import torch

    named = result.get("loss") if isinstance(result, Mapping) else getattr(result, "loss", None)
    if isinstance(named, torch.Tensor) and _is_scalar(named):
        return named
    scalars = [tensor for tensor in outputs if tensor.requires_grad and _is_scalar(tensor)]
    return scalars[0] if len(scalars) == 1 else None


def _is_scalar(tensor: Any) -> bool:
    """Whether torch can start backward at it by itself: one number, and a real one."""
    return not tensor.is_nested and tensor.numel() == 1 and not tensor.is_complex()


def tensors_in(result: object) -> list[Any]:
    """Every tensor in a nest of tuples, lists, mappings, dataclasses and plain objects, in order, each once."""
    import torch

    found: list[Any] = []
    seen: set[int] = set()
    waiting = [result]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, Mapping):
            waiting += reversed(list(value.values()))
        elif isinstance(value, list | tuple):
            waiting += reversed(value)
        elif not isinstance(value, (*_NOT_OPENED, torch.nn.Module)) and hasattr(value, "__dict__"):
            waiting += reversed(list(vars(value).values()))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):  # with slots
            waiting += reversed([getattr(value, field.name) for field in dataclasses.fields(value) if hasattr(value, field.name)])
    return found
