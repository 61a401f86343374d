"""The record of one pass: `Trace` and its parts, frozen and made of plain values only.

Nothing here computes with tensors. A trace is written once by `explorer.capture` (or read from a file) and from then on only read.
The JSON document of a trace has the same names (see `explorer.document`), apart from `Trace.number`, which is called `pass` there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import Any, Literal

from explorer.errors import ExplorerError
from explorer.sharing import sharing
from explorer.verdicts import Checks, GradientCheck, NodeCheck, StepError

__all__ = [
    "Accumulated",
    "Arguments",
    "Checks",
    "Edge",
    "Finding",
    "Formula",
    "GradientCheck",
    "MadeWith",
    "Module",
    "Node",
    "NodeCheck",
    "Note",
    "Related",
    "Saved",
    "Source",
    "StepError",
    "StoredTensor",
    "Time",
    "Trace",
    "Update",
]

Kind = Literal["op", "parameter", "input", "constant", "buffer"]
Status = Literal["executed", "not executed", "no gradient"]

KINDS = ("op", "parameter", "input", "constant", "buffer")
STATUSES = ("executed", "not executed", "no gradient")
MOST_VALUES = 64  # a Note holds every value of a tensor with at most so many elements


@sharing("shape", "dtype", "device", "nans", "infs")
@dataclass(frozen=True, slots=True)
class Note:
    """What was noted of one tensor at one moment.

    Statistics run over all elements (population standard deviation); `norm` is the L2 norm. They are floats that may be nan or inf, and
    None where they were not computed (values left out, fake tensors) or do not exist (empty or complex tensors). `zeros`, `nans` and
    `infs` count elements. `values` holds all values as nested tuples (a bare number for a 0-d tensor) when there are at most 64: float,
    int, bool, or for complex tensors strings as Python writes them. An entry of `shape` is a str where the size is symbolic.
    """

    shape: tuple[int | str, ...]
    dtype: str
    device: str = "cpu"
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None
    norm: float | None = None
    zeros: int | None = None
    nans: int | None = None
    infs: int | None = None
    values: Any = None

    @property
    def numel(self) -> int | None:
        """Number of elements; None if a size is symbolic."""
        try:
            count: object = math.prod(self.shape)
        except TypeError:
            return None
        return count if isinstance(count, int) else None  # a text times a number is a text

    @property
    def item(self) -> float | None:
        """The value of a tensor with exactly one element, where it is known and real."""
        value = self.values
        while isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        return None if value is None or isinstance(value, tuple | str) else float(value)


@dataclass(frozen=True, slots=True)
class Source:
    """The exact expression a node comes from.

    `file` is relative to the target's folder; a library's begins with its package name. `code` is the whole source line (for an
    expression over several lines: all of them), `column` and `end_column` count characters from 0 in the first and in the last of these
    lines, so that on one line `code[column:end_column]` is the expression.
    """

    file: str
    line: int
    code: str
    function: str
    column: int
    end_column: int
    end_line: int | None = None

    @property
    def expression(self) -> str:
        """The text of the expression alone."""
        lines = self.code.split("\n")
        if len(lines) == 1:
            return self.code[self.column : self.end_column]
        return "\n".join([lines[0][self.column :], *lines[1:-1], lines[-1][: self.end_column]])


@dataclass(frozen=True, slots=True)
class Accumulated:
    """`.grad` of a leaf before and after the pass; None where it was None."""

    before: Note | None
    after: Note | None


@sharing("name", "shape", "dtype", "bytes", "state")
@dataclass(frozen=True, slots=True)
class Saved:
    """A tensor that a node keeps for its backward. `shared_with` is the node whose output has the same storage.

    `storage` is the number of the memory that it lies in, in `Trace.storages`; None where that is a leaf's or a buffer's, which is there
    whether it is kept or not, or where it is not known.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str
    bytes: int
    shared_with: int | None
    state: Literal["kept", "freed", "stale"]
    storage: int | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """The derivative rule of a node. `text` has a line per input ("self: grad * other"); `source` says whose it is."""

    text: str
    source: Literal["derivatives.yaml", "explorer", "user code"]
    latex: str | None = None


class Arguments(Mapping[str, Any]):
    """What an op was given that is no tensor, by name: numbers, words, None and tuples of these. Never changes."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def __hash__(self) -> int:
        return hash(tuple(self._given.items()))

    def __repr__(self) -> str:
        return f"Arguments({self._given!r})"


NO_ARGUMENTS = Arguments({})


@sharing()
@dataclass(frozen=True, slots=True)
class Time:
    """Microseconds of wall time of the op and of its backward node, while being watched."""

    forward: float | None = None
    backward: float | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A module: `path` as in `named_modules()` ("" for the root), the path of its `parent` (None for a root), parameters with children."""

    path: str
    class_name: str
    parent: str | None
    parameters: int


@sharing("kind", "op", "autograd", "status", "reason", "formula", "hooks", "arguments", same=("formula", "arguments"))
@dataclass(frozen=True, slots=True)
class Node:
    """One op with its autograd node, or one leaf with its AccumulateGrad.

    `op` is the aten name ("mul"; None for leaves), `autograd` the name of the grad_fn. `outputs`, `gradients` and `seeds` have one entry
    per output. A gradient is what the backward node received (after the user's hooks); None means that none was computed. `seeds` is
    what backward started with at this output. `reason` says why there is no gradient. `hooks` are the user's that saw the gradient before
    the node did, by the name of their function. `arguments` are those of the op that are no tensors, as they were given, by their names in
    its schema: numbers, words, None, tuples of these; "tensor" stands for a tensor in a tuple of several things. `received` has, per
    output, the number of the memory that the gradient lay in, where the node sends on what it received in that same memory.
    """

    id: int
    kind: Kind
    name: str | None
    names: tuple[str, ...]
    op: str | None
    autograd: str | None
    module: str
    source: Source | None
    outputs: tuple[Note, ...]
    gradients: tuple[Note | None, ...]
    seeds: tuple[Note | None, ...]
    accumulated: Accumulated | None
    status: Status
    reason: str | None
    saved: tuple[Saved, ...]
    formula: Formula | None
    time: Time = Time()
    hooks: tuple[str, ...] = ()
    arguments: Arguments = NO_ARGUMENTS
    received: tuple[int | None, ...] = ()

    @property
    def is_leaf(self) -> bool:
        return self.kind != "op"


@sharing("output", "input", "differentiable")
@dataclass(frozen=True, slots=True)
class Edge:
    """A value that flows from output number `output` of node `source` to input number `input` of node `target`.

    `input` counts the tensor arguments of the op. `gradient` is the contribution the engine delivered back along this edge, reduced and
    cast; None where none flowed. `differentiable` is False where autograd does not follow the edge. `storage` is the number of the memory
    that the contribution lay in, in `Trace.storages`.
    """

    source: int
    output: int
    target: int
    input: int
    gradient: Note | None
    differentiable: bool
    storage: int | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """A parameter changed after the backward pass, by an optimizer (`group`: its parameter group) or by hand (`optimizer` None).

    `settings` are the numbers of the group at that step (learning rate, momentum, …); `state` the optimizer's tensors after it.
    """

    node: int
    optimizer: str | None
    group: int | None
    before: Note
    gradient: Note | None
    after: Note
    state: Mapping[str, Note] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Related:
    """Another line that a finding speaks of."""

    role: str
    source: Source


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about this pass. `message` and `remedy` map "en" and "ko" to a sentence."""

    kind: str
    severity: Literal["error", "warning", "info"]
    node: int | None
    name: str | None
    source: Source | None
    related: tuple[Related, ...]
    message: Mapping[str, str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What made the trace: versions, device, default data type, seed."""

    explorer: str
    torch: str
    python: str
    device: str
    dtype: str
    seed: int | None


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A whole tensor kept with `--values all`: little-endian, contiguous `data`; `dtype` as in a Note."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded pass. `nodes[i].id == i`, in forward order; `backward` lists nodes in the order the engine ran them.

    `number` is the number of this pass, from 1 (0: the program never ran backward), `passes` how many were seen. `sources` maps the
    user's files to their text, `tensors` holds whole tensors by "n12.output0", "n12.gradient0" where they were asked for; both are part
    of the `.trace` file only. `checks` is None where nothing was verified. `storages` has the bytes of each piece of memory that saved
    tensors and contributions lay in.
    """

    title: str
    partial: bool
    number: int
    passes: int
    made_with: MadeWith
    loss: float | None
    modules: tuple[Module, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    forward: tuple[int, ...]
    backward: tuple[int, ...]
    updates: tuple[Update, ...] = ()
    findings: tuple[Finding, ...] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tensors: Mapping[str, StoredTensor] = field(default_factory=lambda: MappingProxyType({}))
    checks: Checks | None = None
    storages: tuple[int, ...] = ()

    def check(self) -> None:
        """Raise InvalidTrace at the first invariant that does not hold."""
        from explorer.invariants import check

        check(self)

    def outline(self) -> str:
        """What it is, in one line."""
        loss = "" if self.loss is None else f", loss {self.loss:.6g}"
        partial = ", partial" if self.partial else ""
        counts = f"{len(self.nodes)} nodes, {len(self.edges)} edges, {len(self.findings)} findings"
        return f"<Trace {self.title!r}: {counts}{loss}, pass {self.number} of {self.passes}{partial}>"

    def __repr__(self) -> str:
        """A few lines for whoever looks at it in a debugger or a terminal."""
        from explorer.summary import summary

        return summary(self)

    def _repr_svg_(self) -> str | None:
        """The picture, for a notebook; None where nothing here can draw."""
        try:
            from explorer.export import svg_text

            return svg_text(self)
        except (ImportError, ExplorerError):
            return None

    def _repr_html_(self) -> str:
        """The player in a frame, for a notebook; the words of `repr` where nothing here can draw."""
        try:
            from explorer.export import notebook_text

            return notebook_text(self)
        except (ImportError, ExplorerError):
            return f"<pre>{escape(repr(self))}</pre>"
