"""Whether code that somebody brings may run here: only while the page can be opened from this machine alone, or if its owner says so.

Whoever may run code may do all that the account may do that the server runs under. So each sign of another machine is enough to refuse:
how the server listens, under what name the browser asks for it, and whether somebody hands the request on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

__all__ = ["ALLOW", "foreign", "is_here", "listening", "refusal"]

ALLOW = "AUTOGRAD_EXPLORER_ALLOW_CODE"  # "1": whoever can open the page may run code
HANDED_ON = ("forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host", "true-client-ip", "cf-connecting-ip")
HOST = re.compile(r"(?:https?://)?([\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?", re.ASCII)


def refusal() -> str | None:
    """Why no code of a visitor runs, as the key of a sentence; None where it may run. To be asked again whenever something is to run."""
    if os.environ.get(ALLOW) == "1":
        return None
    options = {name: st.get_option(name) for name in ("server.address", "server.allowedHosts", "server.corsAllowedOrigins")}
    options["browser.serverAddress"] = st.get_option("browser.serverAddress")
    if not listening(options):
        return "code.refused_open"
    context = st.context
    headers = {name.lower(): context.headers.get_all(name) for name in context.headers}
    return "code.refused_foreign" if foreign(headers, context.ip_address) else None


def listening(options: Mapping[str, object]) -> bool:
    """Whether a server with these options is there for this machine alone."""
    named: list[object] = []
    for name in ("server.allowedHosts", "server.corsAllowedOrigins"):
        value = options.get(name)
        named += value if isinstance(value, list | tuple) else [value] if value else []
    if options.get("browser.serverAddress"):
        named.append(options["browser.serverAddress"])
    return all(is_here(str(one)) for one in [options.get("server.address"), *named])


def foreign(headers: Mapping[str, Sequence[str]], address: str | None) -> bool:
    """Whether a request with these headers (names in small letters) from this address may come from another machine.

    Without a name of the server it is not known, and counts as foreign.
    """
    if address is not None and not _is_loopback(address):
        return True
    if any(name.startswith("x-forwarded") or name in HANDED_ON for name in headers):
        return True
    hosts, origins = headers.get("host", ()), headers.get("origin", ())
    if len(hosts) != 1 or not is_here(hosts[0]):
        return True
    return any(urlsplit(origin).netloc.lower() != hosts[0].lower() for origin in origins)


def is_here(place: str) -> bool:
    """Whether a host, with or without scheme and port, is a name of this machine that no other can have."""
    if _is_loopback(place):
        return True
    found = HOST.fullmatch(place.lower())
    return found is not None and (found[1] == "localhost" or _is_loopback(found[1].strip("[]")))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
