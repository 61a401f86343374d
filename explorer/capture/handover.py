"""What a child process leaves of each pass, and how its parent takes it over; imports no torch.

    1.trace, 1.json   the whole pass, in each format that was asked for
    1.head.json       what is said of it without opening it: a document without nodes, edges and orders, and how many there are

A recording that is only to be kept is moved as a file: reading a million nodes to write them out again would take minutes and gigabytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explorer.document import from_document, to_document, worked_out
from explorer.errors import ExplorerError, FileError
from explorer.files import load, open_output, save
from explorer.findings import user_error
from explorer.invariants import check_structure
from explorer.model import Trace
from explorer.text import LANGUAGES, say

__all__ = ["FORMATS", "Recorded", "kept", "leave", "taken_over", "with_failure"]

FORMATS = (".trace", ".json")  # the first is what everything can be made of


@dataclass(slots=True)
class Recorded:
    """A pass as files that lie in `files` by their suffix. `head` is its trace without nodes, edges and orders, which `trace` has.

    `costs` is what the whole trace tells of its memory and its operations: `explorer.document.worked_out`.
    """

    head: Trace
    nodes: int
    edges: int
    files: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    _trace: Trace | None = None
    _costs: dict[str, Any] | None = None

    @property
    def costs(self) -> dict[str, Any]:
        if self._costs is None:
            self._costs = worked_out(self.trace)
        return self._costs

    @property
    def trace(self) -> Trace:
        """The whole trace, read on first use."""
        if self._trace is None:
            self._trace = load(next(self.files[suffix] for suffix in FORMATS if suffix in self.files))
        return self._trace

    def copy(self, path: str) -> bool:
        """Put the file of the suffix of `path` there as it is; False if there is none."""
        file = self.files.get(Path(path).suffix.lower())
        if file is not None:
            with open(file, "rb") as source, open_output(path) as stream:
                shutil.copyfileobj(source, stream, 1 << 20)
        return file is not None


def kept(trace: Trace) -> Recorded:
    """A recording that is no file."""
    return Recorded(trace, len(trace.nodes), len(trace.edges), _trace=trace)


def leave(trace: Trace, folder: Path, number: int, formats: Collection[str]) -> None:
    """Write a pass for the parent. Raises InvalidTrace for one that no reader would take."""
    check_structure(trace)
    for suffix in formats:
        save(trace, folder / f"{number}{suffix}")
    head = to_document(replace(trace, nodes=(), edges=(), forward=(), backward=(), updates=(), sources={}, tensors={}, storages=()))
    text = json.dumps({"nodes": len(trace.nodes), "edges": len(trace.edges), "head": head, "costs": worked_out(trace)})
    (folder / f"{number}.head.json").write_text(text, encoding="utf-8")


def taken_over(folder: Path, number: int, formats: Collection[str]) -> Recorded:
    """A pass that the child left. Raises FileError where the program has damaged what was there."""
    path = folder / f"{number}.head.json"
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        head = from_document(told["head"], path=path.name)
        nodes, edges, costs = int(told["nodes"]), int(told["edges"]), dict(told["costs"])
    except OSError as error:
        raise FileError("file.unreadable", path=path.name, reason=error.strerror or error) from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise FileError("file.damaged", path=path.name) from error
    return Recorded(head, nodes, edges, {suffix: folder / f"{number}{suffix}" for suffix in formats}, _costs=costs)


def with_failure(trace: Trace, error: ExplorerError) -> Trace:
    """A partial trace, with what happened to the program as its first finding unless it tells that already."""
    if not lacks_failure(trace):
        return trace
    message = {language: say(error.key, language, **error.values) for language in LANGUAGES}
    return replace(trace, findings=(replace(user_error(trace, None, "", None), message=message), *trace.findings))


def lacks_failure(trace: Trace) -> bool:
    """Whether a trace is partial and does not say why."""
    return trace.partial and not any(found.kind in ("user_error", "freed_graph") for found in trace.findings)
