"""Autograd Explorer: what PyTorch really computed, recorded once and read many times.

The public names are loaded when they are first used, so that `import explorer` loads neither torch nor streamlit.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.capture.recording import record, trace
    from explorer.capture.training import watch
    from explorer.capture.verify import check
    from explorer.errors import ExplorerError
    from explorer.export import export
    from explorer.files import load, save
    from explorer.model import Trace

__version__ = "0.1.0"

__all__ = ["ExplorerError", "Trace", "__version__", "check", "export", "load", "record", "save", "trace", "watch"]

_HOMES = {
    "ExplorerError": "explorer.errors",
    "Trace": "explorer.model",
    "check": "explorer.capture.verify",
    "export": "explorer.export",
    "load": "explorer.files",
    "record": "explorer.capture.recording",
    "save": "explorer.files",
    "trace": "explorer.capture.recording",
    "watch": "explorer.capture.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
    from explorer.errors import RequestError

    raise RequestError("running.no_torch", python=sys.executable)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `explorer.export` the function: an import of the module of the same name would put the module in its place."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
