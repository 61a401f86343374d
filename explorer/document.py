"""Trace -> the JSON document of format 1, as a value (`to_document`) or as text (`document_lines`); `from_document` is the way back.

Keys and their order are those of the format; `memory` and `flops` are worked out from the rest, and not read back. The same trace gives
the same bytes: nothing here depends on the clock, on addresses or on the order of sets. A float that is
not finite is written as the string "nan", "inf" or "-inf", all others so that they read back exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from explorer.checking import checks_document
from explorer.flops import Flops, count_flops
from explorer.footprint import memory
from explorer.model import Accumulated, Edge, Finding, Module, Node, Note, Saved, Source, Trace, Update
from explorer.reading import FORMAT, from_document

__all__ = ["FORMAT", "document_lines", "from_document", "to_document", "worked_out"]

_LATELY = 256  # notes
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)
_ASCII_ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False)


def to_document(trace: Trace) -> dict[str, Any]:
    """The document as dicts and lists; equal notes may be one and the same dict, so copy before you change one."""
    return {key: list(part) if isinstance(part, Iterator) else part for key, part in _parts(trace)}


def worked_out(trace: Trace) -> dict[str, Any]:
    """What the document tells of a whole trace beside its parts: its memory and its operations."""
    return {"memory": _memory(trace), "flops": _total(_counted(trace))}


def document_lines(trace: Trace, *, sources: bool = False) -> Iterator[bytes]:
    """The document as UTF-8 text, a line for each module, node, edge, update and finding; with the user's files where `sources` is set."""
    extra = [("sources", dict(sorted(trace.sources.items())))] if sources else []
    start = b"{"
    for key, part in [*_parts(trace), *extra]:
        yield start + _encoded(key) + b": "
        start = b",\n "
        if not isinstance(part, Iterator):
            yield _encoded(part)
            continue
        before = b"[\n  "
        for item in part:
            yield before + _encoded(item)
            before = b",\n  "
        yield b"]" if before != b"[\n  " else b"[]"
    yield b"}\n"


def _encoded(item: Any) -> bytes:
    text = _ENCODER.encode(item)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, as in a file name that is not UTF-8
        return _ASCII_ENCODER.encode(item).encode()


def _parts(trace: Trace) -> list[tuple[str, Any]]:
    """The top-level keys in order; the long lists as iterators, so that they need not be in memory at once."""
    counted = _counted(trace)
    write = _Writer(counted.nodes)
    made = trace.made_with
    return [
        ("format", FORMAT),
        ("title", trace.title),
        ("partial", trace.partial),
        ("pass", trace.number),
        ("passes", trace.passes),
        ("made_with", {name: getattr(made, name) for name in type(made).__slots__}),
        ("loss", _plain(trace.loss)),
        ("modules", map(_module, trace.modules)),
        ("nodes", map(write.node, trace.nodes)),
        ("edges", map(write.edge, trace.edges)),
        ("forward", list(trace.forward)),
        ("backward", list(trace.backward)),
        ("updates", map(write.update, trace.updates)),
        ("findings", map(write.finding, trace.findings)),
        ("checks", checks_document(trace.checks)),
        ("storages", list(trace.storages)),
        ("memory", _memory(trace)),
        ("flops", _total(counted)),
    ]


class _Writer:
    """Turns parts into dicts; a Note or Source that stands in many places near each other is turned once.

    Keyed by address, which is safe while the trace holds its parts. Only the last few are kept: their dicts take five times as much.
    """

    def __init__(self, flops: Mapping[int, tuple[int, int | None]]) -> None:
        self._flops = flops
        self._notes: dict[int, dict[str, Any]] = {}
        self._sources: dict[int, dict[str, Any]] = {}

    def node(self, node: Node) -> dict[str, Any]:
        note = self.note
        return {
            "id": node.id,
            "kind": node.kind,
            "name": node.name,
            "names": list(node.names),
            "op": node.op,
            "autograd": node.autograd,
            "module": node.module,
            "source": self.source(node.source),
            "outputs": [note(output) for output in node.outputs],
            "gradients": [note(gradient) for gradient in node.gradients],
            "seeds": [note(seed) for seed in node.seeds],
            "accumulated": self.accumulated(node.accumulated),
            "status": node.status,
            "reason": node.reason,
            "saved": [_saved(saved) for saved in node.saved],
            "formula": None
            if node.formula is None
            else {"text": node.formula.text, "source": node.formula.source, "latex": node.formula.latex},
            "time_us": {"forward": _plain(node.time.forward), "backward": _plain(node.time.backward)},
            "hooks": list(node.hooks),
            "arguments": {name: _values(value) for name, value in node.arguments.items()},
            "received": list(node.received),
            "flops": _flops(self._flops.get(node.id)),
        }

    def edge(self, edge: Edge) -> dict[str, Any]:
        return {
            "source": edge.source,
            "output": edge.output,
            "target": edge.target,
            "input": edge.input,
            "gradient": self.note(edge.gradient),
            "differentiable": edge.differentiable,
            "storage": edge.storage,
        }

    def update(self, update: Update) -> dict[str, Any]:
        return {
            "node": update.node,
            "optimizer": update.optimizer,
            "group": update.group,
            "before": self.note(update.before),
            "gradient": self.note(update.gradient),
            "after": self.note(update.after),
            "state": {name: self.note(note) for name, note in sorted(update.state.items())},
            "settings": {name: _values(value) for name, value in sorted(update.settings.items())},
        }

    def finding(self, finding: Finding) -> dict[str, Any]:
        return {
            "kind": finding.kind,
            "severity": finding.severity,
            "node": finding.node,
            "name": finding.name,
            "source": self.source(finding.source),
            "related": [{"role": related.role, "source": self.source(related.source)} for related in finding.related],
            "message": {language: finding.message[language] for language in ("en", "ko")},
            "remedy": {language: finding.remedy[language] for language in ("en", "ko")},
        }

    def accumulated(self, leaf: Accumulated | None) -> dict[str, Any] | None:
        return None if leaf is None else {"before": self.note(leaf.before), "after": self.note(leaf.after)}

    def note(self, note: Note | None) -> dict[str, Any] | None:
        if note is None:
            return None
        document = self._notes.get(id(note))
        if document is None:
            if len(self._notes) >= _LATELY:
                self._notes.clear()
            document = self._notes[id(note)] = _note(note)
        return document

    def source(self, source: Source | None) -> dict[str, Any] | None:
        if source is None:
            return None
        document = self._sources.get(id(source))
        if document is None:
            document = self._sources[id(source)] = {name: getattr(source, name) for name in Source.__slots__}
        return document


def _counted(trace: Trace) -> Flops:
    try:
        return count_flops(trace)
    except LookupError:  # the parts contradict each other
        return Flops(0, 0, {}, ())


def _total(counted: Flops) -> dict[str, Any]:
    return {"forward": counted.forward, "backward": counted.backward, "unknown": list(counted.unknown)}


def _memory(trace: Trace) -> dict[str, Any] | None:
    """The most that is held, and when: steps are counted from 1."""
    try:
        found = memory(trace)
    except LookupError:  # the parts contradict each other
        return None
    if found is None:
        return None
    place = found.peak
    saved, gradients = found.saved[place], found.gradients[place]
    return {
        "bytes": found.most,
        "saved": saved,
        "gradients": gradients,
        "step": place + 1,
        "node": found.nodes[place],
        "unknown": found.unknown,
    }


def _flops(counted: tuple[int, int | None] | None) -> dict[str, int | None] | None:
    return None if counted is None else {"forward": counted[0], "backward": counted[1]}


def _note(note: Note) -> dict[str, Any]:
    return {
        "shape": list(note.shape),
        "dtype": note.dtype,
        "device": note.device,
        "min": _plain(note.min),
        "max": _plain(note.max),
        "mean": _plain(note.mean),
        "std": _plain(note.std),
        "norm": _plain(note.norm),
        "zeros": note.zeros,
        "nans": note.nans,
        "infs": note.infs,
        "values": _values(note.values),
    }


def _module(module: Module) -> dict[str, Any]:
    return {"path": module.path, "class": module.class_name, "parent": module.parent, "parameters": module.parameters}


def _saved(saved: Saved) -> dict[str, Any]:
    return {**{name: getattr(saved, name) for name in Saved.__match_args__}, "shape": list(saved.shape)}


def _values(values: Any) -> Any:
    if isinstance(values, tuple | list):
        return [_values(value) for value in values]
    return _plain(values) if isinstance(values, float) else values


def _plain(number: float | None) -> float | str | None:
    if number is None or isfinite(number):
        return number
    return "nan" if number != number else "inf" if number > 0 else "-inf"
