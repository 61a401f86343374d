"""The verb serve: starts the web app as a program of its own, with every safe default as a flag."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import explorer
from explorer.errors import RequestError

__all__ = ["serve"]

SAFE = {  # as in .streamlit/config.toml, which is only read where the app is started from a checkout
    "server.address": ["localhost"],
    "server.allowedHosts": ["localhost", "127.0.0.1"],
    "server.maxUploadSize": ["20"],
    "server.enableCORS": ["true"],
    "server.enableXsrfProtection": ["true"],
    "server.enableStaticServing": ["false"],
    "server.enableAgentApi": ["false"],
    "server.showEmailPrompt": ["false"],
    "server.fileWatcherType": ["none"],
    "global.minCachedMessageSize": ["1000000000000.0"],
    "browser.gatherUsageStats": ["false"],
    "client.toolbarMode": ["minimal"],
    "client.showErrorDetails": ["none"],
}
THEME = {
    "theme.font": "'Source Sans', 'Explorer Text', sans-serif",  # the second is brought along by the player, for Hangul
    "theme.codeFont": "monospace",
    "theme.baseRadius": "small",
    "theme.light.primaryColor": "#0b62a4",
    "theme.light.backgroundColor": "#fbfbfa",
    "theme.light.secondaryBackgroundColor": "#f0f1f2",
    "theme.light.textColor": "#12161b",
    "theme.light.linkColor": "#0b62a4",
    "theme.light.borderColor": "#d5d9dd",
    "theme.dark.primaryColor": "#2573b8",
    "theme.dark.backgroundColor": "#15191d",
    "theme.dark.secondaryBackgroundColor": "#1f252b",
    "theme.dark.textColor": "#e6e9ec",
    "theme.dark.linkColor": "#6cb2eb",
    "theme.dark.borderColor": "#39424b",
}


def serve(arguments: argparse.Namespace) -> int:
    """Start the web app as a program of its own, in place of this one where the system allows."""
    opened = {} if arguments.trace is None else _variables(arguments.trace)
    if importlib.util.find_spec("streamlit") is None:
        raise RequestError("command.no_streamlit")
    if arguments.port is not None and _is_taken(arguments.port):
        raise RequestError("command.port_taken", port=arguments.port)
    environment = {name: value for name, value in os.environ.items() if name not in ("AUTOGRAD_EXPLORER_OPEN", "AUTOGRAD_EXPLORER_FIRST")}
    return _become(_streamlit_command(arguments.port), environment | opened)


def _variables(path: str) -> dict[str, str]:
    """What tells the page to open a recording, or a folder with runs; refused here and now where it cannot be read."""
    if not os.path.isdir(path):
        from explorer.files import load

        load(path)
        return {"AUTOGRAD_EXPLORER_OPEN": os.path.abspath(path)}
    from explorer.runs import is_run, list_folders, open_run

    if is_run(path):
        open_run(path)
    elif not list_folders(path):
        raise RequestError("runs.none", path=path)
    return {"AUTOGRAD_EXPLORER_RUNS": os.path.abspath(path), "AUTOGRAD_EXPLORER_FIRST": "train"}


def _streamlit_command(port: int | None) -> list[str]:
    page = Path(explorer.__file__).parent / "ui" / "shell.py"
    options = {**SAFE, **{name: [value] for name, value in THEME.items()}, "server.headless": ["false" if _has_screen() else "true"]}
    if port is not None:
        options["server.port"] = [str(port)]
    flags = [word for name, values in options.items() for value in values for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(page), *flags]


def _has_screen() -> bool:
    """Whether there is somebody whose browser could be opened."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _become(command: list[str], environment: dict[str, str]) -> int:
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    return subprocess.call(command, env=environment)
