"""What is put into torch while someone records, and taken out after the last recording ends.

Global module hooks, global optimizer hooks, and wrappers around the engine's entry, `Tensor.register_hook` and `Function.apply`. Each asks
which recorder works on the calling thread and does nothing where there is none, so that recordings on several threads do not see each
other.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook, register_optimizer_step_pre_hook


class Listener(Protocol):
    """A recorder, as the hooks see it."""

    def enter_module(self, module: nn.Module) -> None: ...
    def leave_module(self, module: nn.Module) -> None: ...
    def before_step(self, optimizer: Optimizer, has_closure: bool) -> None: ...
    def after_step(self, optimizer: Optimizer, has_closure: bool) -> None: ...
    def hooked(self, tensor: torch.Tensor, hook: Any, handle: Any) -> None: ...
    def applied(self, result: Any) -> None: ...
    def run_engine(self, original: Callable[..., Any], outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...


_lock = threading.Lock()
_thread = threading.local()
_handles: list[Any] = []
_listening = 0
_KEY = "autograd_explorer.listener"  # in torch's own thread-local store, which the engine hands on to its threads
_original: Callable[..., Any] | None = None
_register_hook: Callable[..., Any] | None = None
_apply: Any = vars(torch.autograd.Function)["apply"]  # as it was last found
_stance: Any = None  # torch.compile's, from when it is first met


def current() -> Listener | None:
    """The recorder of this thread, or of the thread for which the engine runs this one."""
    found = getattr(_thread, "listener", None)
    if found is None and _listening and torch._C._is_key_in_tls(_KEY):
        found = torch._C._get_obj_in_tls(_KEY)
    return found


def install(listener: Listener) -> None:
    """Let `listener` hear of this thread's modules, optimizers and backward passes."""
    global _listening
    with _lock:
        if _listening == 0:
            _put_in()
        _listening += 1
    _thread.listener = listener
    torch._C._stash_obj_in_tls(_KEY, listener)


def remove() -> None:
    """The reverse of `install`, on the same thread."""
    global _listening
    _thread.listener = None
    torch._C._stash_obj_in_tls(_KEY, None)
    with _lock:
        _listening -= 1
        if _listening == 0:
            _take_out()


def run_compiled_eagerly() -> None:
    """From when torch.compile is loaded, let what it would compile run op by op.

    Under a dispatch mode it does so anyway, but then `fullgraph=True` raises, and torch never again tries to compile what it passed over.
    """
    if _stance is None and "torch._dynamo.decorators" in sys.modules:
        with _lock:
            if _listening:
                _take_stance()


def _take_stance() -> None:
    global _stance
    if _stance is None and "torch._dynamo.decorators" in sys.modules:
        _stance = torch.compiler.set_stance("force_eager")


def _put_in() -> None:
    global _original, _register_hook, _apply
    _take_stance()
    _handles.append(nn.modules.module.register_module_forward_pre_hook(_enter))
    _handles.append(nn.modules.module.register_module_forward_hook(_leave, always_call=True))
    _handles.append(register_optimizer_step_pre_hook(_before_step))
    _handles.append(register_optimizer_step_post_hook(_after_step))
    _original = torch.autograd.graph._engine_run_backward
    torch.autograd.graph._engine_run_backward = _engine  # type: ignore[assignment]
    torch.autograd._engine_run_backward = _engine  # type: ignore[attr-defined,assignment]
    _register_hook = torch.Tensor.register_hook
    torch.Tensor.register_hook = wraps(_register_hook)(_hook)  # type: ignore[method-assign]
    _apply = vars(torch.autograd.Function)["apply"]
    torch.autograd.Function.apply = classmethod(wraps(_apply.__func__)(_applied))  # type: ignore[assignment,method-assign]


def _take_out() -> None:
    global _original, _register_hook, _stance
    assert _original is not None and _register_hook is not None
    torch.Tensor.register_hook = _register_hook  # type: ignore[method-assign]
    _register_hook = None
    torch.autograd.Function.apply = _apply  # type: ignore[method-assign]
    if _stance is not None:
        _stance.__exit__(None, None, None)
        _stance = None
    torch.autograd.graph._engine_run_backward = _original
    torch.autograd._engine_run_backward = _original  # type: ignore[attr-defined]
    _original = None
    while _handles:
        _handles.pop().remove()


def _enter(module: nn.Module, args: Any) -> None:
    listener = current()
    if listener is not None:
        listener.enter_module(module)


def _leave(module: nn.Module, args: Any, output: Any) -> None:
    listener = current()
    if listener is not None:
        listener.leave_module(module)


def _before_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    listener = current()
    if listener is not None:
        listener.before_step(optimizer, _has_closure(args, kwargs))


def _after_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    listener = current()
    if listener is not None:
        listener.after_step(optimizer, _has_closure(args, kwargs))


def _has_closure(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(callable(value) for value in (*args[1:], *kwargs.values()))


def _engine(outputs: Any, *args: Any, **kwargs: Any) -> Any:
    original, listener = _original, current()
    assert original is not None
    if listener is None:
        return original(outputs, *args, **kwargs)
    return listener.run_engine(original, outputs, args, kwargs)


def _hook(tensor: torch.Tensor, hook: Any) -> Any:
    original, listener = _register_hook or torch.Tensor.register_hook, current()
    handle = original(tensor, hook)
    if listener is not None:
        listener.hooked(tensor, hook, handle)
    return handle


def _applied(function: Any, *args: Any, **kwargs: Any) -> Any:
    result, listener = _apply.__func__(function, *args, **kwargs), current()
    if listener is not None:
        listener.applied(result)
    return result
