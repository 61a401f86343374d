"""What the recorder writes down of a run, as plain values: a `Row` per op or leaf, a `GraphNode` per autograd node, a `Pass` per backward.

`explorer.capture.assemble` makes a `Trace` of them. Nothing here needs torch, so a journal of rows can be read after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.capture.verified import Verified
from explorer.findings import Evidence
from explorer.model import Finding, MadeWith, Module, Note, Source, StoredTensor

_PUBLIC = {"_local_scalar_dense": "item", "lift_fresh": ""}  # inner names of ops that people know by another, or by none
EXTERNAL = "external"  # the kind of a row for a tensor that was computed before the recording began


@dataclass(slots=True)
class Input:
    """A tensor argument: output `output` of row `row`; whether autograd may follow it."""

    row: int
    output: int
    needs_gradient: bool


@dataclass(slots=True)
class Row:
    """One op as it passed by, or one tensor that no recorded op made (then `schema` is "").

    `window` are the sequence numbers of autograd nodes made since the row before: the node of an op is the last of them, others belong to
    neighbours. Of the rest that needs words:
    `outputs` and `base` are tickets of a `Meter` as long as the program runs.
    `writes_view`: the op changed a view in place; `base` is then the Note of the whole base.
    `alias`: the row stands for a view read again after its base changed.
    `autograd`: the name of its node, where a variable still showed it.
    `identity`: rows with the same number are the same leaf, read again after it changed.
    `is_gradient`: a constant that is a leaf's `.grad`.
    `building`: the op ran in a constructor, outside any module's call; it is drawn only where something reads it.
    `foreign`: the op ran on a thread of the engine's, which counts its autograd nodes for itself.
    `results`: (output, sequence number of an autograd node, its output number) where an output became that of a custom Function.
    `undefined`: the places among the op's results where it gave out nothing; `outputs` goes on without them.
    `effect`: why the op is another than unwatched, a cause of `explorer.capture.watched`.
    `arguments`: what the op was given that is no tensor, by name; one object for all that were given the same, None for nothing.
    `unfilled`: a tensor that `torch.empty` or its like made, read before anything was written to it, or a view of one: not measured.
    `absorbed`: the op only made or changed a leaf; it is not drawn, nor is what served it alone.
    """

    index: int
    kind: str
    schema: str = ""
    window: tuple[int, int] = (0, 0)
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Note] = field(default_factory=list)
    names: Sequence[str] = ()
    module: int | None = None
    source: Source | None = None
    function_source: Source | None = None
    reason: str | None = None
    mutable: bool = False
    writes_view: bool = False
    base: Note | None = None
    alias: bool = False
    factory: bool = False
    absorbed: bool = False
    is_gradient: bool = False
    building: bool = False
    autograd: str | None = None
    failed: bool = False
    foreign: bool = False
    microseconds: float | None = None
    identity: int | None = None
    effect: str | None = None
    results: Sequence[tuple[int, int, int]] = ()
    undefined: Sequence[int] = ()
    unfilled: bool = False
    tensors: Sequence[StoredTensor | None] = ()
    arguments: dict[str, Any] | None = None

    @property
    def needs_gradient(self) -> bool:
        """Whether autograd may follow any of its inputs."""
        for item in self.inputs:  # noqa: SIM110  # asked of every op, and any() takes twice as long
            if item.needs_gradient:
                return True
        return False

    @property
    def op(self) -> str | None:
        """The aten name without overload: "mul.Tensor" → "mul"; other libraries' ops keep their namespace."""
        name = self.schema.split(".", 1)[0]
        return _PUBLIC.get(name, name) or None


GONE = Row(-1, "gone")  # stands in the place of every row that was let go


@dataclass(slots=True)
class SavedTensor:
    """A tensor that an autograd node keeps; `row` made its storage. Where `shape` is None it is the very output `output` of that row.

    `storage` is the number of the memory that it lies in, -1 for none that counts: see `explorer.capture.storages`.
    """

    name: str
    shape: tuple[int | str, ...] | None
    dtype: str
    bytes: int
    row: int | None
    state: str
    output: int = 0
    storage: int = -1


def moment_after(rows: Sequence[Row]) -> tuple[int, int]:
    """The window of a row that is not an op's, and yet stands in time: empty, after the last op."""
    end = next((row.window[1] for row in reversed(rows) if row.schema and not row.alias and not row.foreign), 0)
    return end, end


@dataclass(slots=True)
class GraphNode:
    """One autograd node as walked: `next` has (key of the node, its output number) per slot, None where nothing follows.

    `outputs` outlines what the op gave out (shape, type, device); it is empty where a recorded op, that of `row`, tells it. `received` and
    `sent` are what flowed in per output and out per slot, tickets of a `Meter` at first. `hooks` are the user's that saw what flowed in
    before the node did, by the name of their function, in the order in which they were registered. `undefined` are the numbers of outputs
    that are no tensors; `outputs` goes on without them. `carried` are the storages of what was sent, `arrived` those
    of what was received where some of it was sent on.
    """

    key: int
    name: str
    sequence: int
    next: list[tuple[int, int] | None]
    outputs: list[Note]
    leaf: int | None = None
    row: int | None = None
    code: str | None = None
    saved: Sequence[SavedTensor] = ()
    received: list[Note | None] | None = None
    sent: list[Note | None] | None = None
    carried: Sequence[int] = ()
    arrived: Sequence[int] = ()
    captured: Mapping[int, Note] | None = None
    names: Sequence[str] = ()
    hooks: Sequence[str] = ()
    undefined: Sequence[int] = ()
    microseconds: float | None = None
    tensors: Sequence[StoredTensor | None] = ()


@dataclass(slots=True)
class LeafGradient:
    """`.grad` of the leaf at a row, before and after the pass."""

    before: Note | None
    after: Note | None


@dataclass(slots=True)
class Write:
    """A leaf changed after backward. `optimizer` and `group` are None where the program did it by hand."""

    row: int
    optimizer: str | None
    group: int | None
    before: Note
    gradient: Note | None
    after: Note
    state: dict[str, Note]
    settings: dict[str, Any]


@dataclass(slots=True)
class Pass:
    """One outermost engine call: the rows (start ≤ index < stop) that came since the one before, its graph, and what was done after it.

    `roots` are (node key, output number, seed) per tensor that backward started from, `root_rows` (node key, output number, row and output
    that hold the tensor's value), `order` the keys in the order the engine ran them, `storages` the bytes of each storage by its number,
    `verified` what checks found, if any were made.
    """

    number: int
    start: int
    stop: int
    nodes: list[GraphNode] = field(default_factory=list)
    roots: list[tuple[int, int, Note]] = field(default_factory=list)
    root_rows: list[tuple[int, int, tuple[int, int] | None]] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    leaves: dict[int, LeafGradient] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    loss: float | None = None
    started: bool = False
    storages: Sequence[int] = ()
    verified: Verified | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """The program's modules and what they own: module table, path by module number, leaf kinds and names by row."""

    modules: tuple[Module, ...] = ()
    paths: Mapping[int, str] = field(default_factory=dict)
    leaves: Mapping[int, tuple[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a trace says of its making."""

    title: str
    made_with: MadeWith
    partial: bool = False
    error: str | None = None
    error_source: Source | None = None
    outputs: tuple[int, ...] | None = None
    passes: int = 0
    structure: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)  # its leaves are identities of rows
    backwards: Sequence[Source | None] = ()  # the lines that started the engine, pass by pass
