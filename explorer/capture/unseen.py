"""Nodes whose backward asks whether it is watched, and computes otherwise if so: while one of them runs, nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import get_ident
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._python_dispatch import _get_current_dispatch_mode as _top_mode

from explorer.capture.watched import ASKING

_modes = torch._C._len_torch_dispatch_stack


def unseen(nodes: Iterable[Any], mode: TorchDispatchMode, *, back: Callable[[], None]) -> list[Any]:
    """Take `mode` off around each of the nodes that asks; gives the handles of the hooks that do it. `back` is called when it is on again.

    Where another mode is active, torch takes the other way unwatched, too, and nothing is done. The stack of modes is taken off and put
    back as torch itself does it, without the mode's own notes of where it was entered: should the node fail, the engine puts the stack
    back as it was.
    """
    threads: set[int] = set()

    def before(received: Any) -> None:
        if _modes() == 1 and _top_mode() is mode:
            torch._C._pop_torch_dispatch_stack(None)
            threads.add(get_ident())

    def after(sent: Any, received: Any) -> None:
        if get_ident() in threads:
            threads.remove(get_ident())
            torch._C._push_on_torch_dispatch_stack(mode)
            back()

    handles: list[Any] = []
    for node in nodes:
        if node.name() in ASKING:
            handles += [node.register_prehook(before), node.register_hook(after)]
    return handles
