"""Nodes to be: an op with its autograd node, a leaf with its AccumulateGrad, or an autograd node that no recorded op made. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from explorer.capture.derivatives import followed_output
from explorer.capture.joining import join
from explorer.capture.rows import EXTERNAL, GONE, GraphNode, Input, Pass, Row
from explorer.model import NO_ARGUMENTS, Arguments, Note


@dataclass(slots=True, eq=False)
class Item:
    """A node to be. `time` orders items as they ran."""

    time: float
    row: Row | None = None
    node: GraphNode | None = None
    outputs: list[Note] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    first: Row | None = None
    id: int = -1

    @property
    def is_leaf(self) -> bool:
        return self.row is not None and self.row.kind != "op"


@dataclass(slots=True)
class Link:
    """An edge to be."""

    source: Item
    output: int
    target: Item
    input: int
    gradient: Note | None
    differentiable: bool
    storage: int = -1


class Items:
    """The items of a pass, found by row and by node key."""

    def __init__(self, rows: list[Row], part: Pass) -> None:
        self.rows, self.part = rows, part
        self.by_row: dict[int, Item] = {}
        self.by_key: dict[int, Item] = {}
        self._claims, self._places, copies = join(rows[: part.stop], part.nodes)
        self._joined = set(self._claims.values())
        self._dropped = _dropped(rows, part, self._joined, copies)
        self._identities: dict[int, Item] = {}
        self.stands_for: dict[tuple[int, int], tuple[Item, int]] = {}
        self.inner: list[tuple[Item, int, Item]] = []
        self._arguments: dict[int, Arguments] = {}  # by id of the dict in a row
        self._add_nodes()
        for row in rows[part.start : part.stop]:
            self.of_row(row.index)
        self._adopt_results()

    def _add_nodes(self) -> None:
        for node in self.part.nodes:
            if node.leaf is not None:
                item = self.of_row(node.leaf, always=True)
            elif node.key in self._claims:
                item = self.of_row(self._claims[node.key], always=True)
            else:
                item = Item(self._places.get(node.key, 0) - 0.5, node=node, outputs=self._outlines(node), names=list(node.names))
            assert item is not None
            item.node = node
            if item.row is not None and node.name == "CopySlices" and item.row.base is not None:
                item.outputs = [item.row.base]
            self.by_key[node.key] = item

    def arguments(self, row: Row | None) -> Arguments:
        """What an op was given that is no tensor, not to be changed; one object for all rows that have one."""
        found = None if row is None else row.arguments
        if not found:
            return NO_ARGUMENTS
        return self._arguments.get(id(found)) or self._arguments.setdefault(id(found), Arguments(found))

    def _outlines(self, node: GraphNode) -> list[Note]:
        """What an autograd node without op gave out, as far as it is known: by itself, or by a row that another node has taken."""
        if node.row is None:
            return list(node.outputs)
        return [Note(output.shape, output.dtype, output.device) for output in self.rows[node.row].outputs]

    def of_row(self, index: int, *, always: bool = False) -> Item | None:
        """The item of a row, made on first sight with what it reads; None if the row is not drawn."""
        if index in self.by_row:
            return self.by_row[index]
        pending = [(index, 0 if always else self.part.start)]
        while pending:  # an explicit stack: a chain of ops may be a million long
            number, reader = pending.pop()
            row = self.rows[number]
            if row is GONE or row.index in self.by_row or (row.index in self._dropped and not (always and row.index == index)):
                continue
            past = row.kind == "op" and row.index < self.part.start <= reader
            if past and row.index not in self._joined:  # a value of an earlier pass, which is over
                row = replace(row, kind="constant", schema="", inputs=[], reason="constant")
            self.by_row[row.index] = self._made(row)
            pending += [(item.row, row.index) for item in row.inputs]
        return self.by_row.get(index)

    def _made(self, row: Row) -> Item:
        if row.identity is None:
            outputs = [row.base] if row.writes_view and row.base is not None else list(row.outputs)
            return Item(row.index, row, None, outputs, list(row.names), row)
        item = self._identities.get(row.identity)
        if item is None:
            item = self._identities[row.identity] = Item(row.index, row, None, list(row.outputs), list(row.names), row)
            return item
        if row.index > (item.row.index if item.row else -1):
            item.row, item.outputs = row, list(row.outputs)
        item.time = min(item.time, row.index)
        item.names += [name for name in row.names if name not in item.names]
        return item

    def _adopt_results(self) -> None:
        """Outputs of ops inside custom Functions that became the Function's own, and roots whose node no op made."""
        by_sequence = {item.node.sequence: item for item in self.by_key.values() if item.row is None and item.node is not None}
        results = [(*place, index, output) for index in self.by_row for output, *place in self.rows[index].results]
        for sequence, number, index, output in sorted(results):
            if sequence in by_sequence:
                self.adopt(by_sequence[sequence], number, index, output)
        for key, number, place in self.part.root_rows:
            root = self.by_key.get(key)
            if root is not None and root.row is None and place is not None:
                self.adopt(root, number, *place)

    def adopt(self, item: Item, number: int, row: int, output: int) -> None:
        """The output of an autograd node without op is the tensor of row `row`: its value, and its names, are the node's."""
        source = self.by_row.get(row)
        if source is None or output >= len(source.outputs) or source.node is not None or (row, output) in self.stands_for:
            return
        index = output_index(item, number)
        item.outputs[index] = source.outputs[output]
        item.names += [name for name in source.names if name not in item.names]
        self.stands_for[row, output] = (item, index)
        if source.row is not None and source.row.kind != EXTERNAL:
            source.names = []
            self.inner.append((source, output, item))

    def producer(self, argument: Input, consumer: Item) -> tuple[Item, int] | None:
        """The item and output that an argument comes from; inside a custom Function, what the Function is made of."""
        found = self.stands_for.get((argument.row, argument.output))
        if found is not None and found[0] is not consumer:
            return found
        source = self.by_row.get(argument.row)
        return None if source is None else (source, min(argument.output, max(0, len(source.outputs) - 1)))

    def living(self) -> list[Item]:
        found = {id(item): item for item in [*self.by_row.values(), *self.by_key.values()]}
        return [item for item in found.values() if item.row is None or item.row.kind != EXTERNAL]


def _dropped(rows: list[Row], part: Pass, claimed: set[int], copies: set[int]) -> set[int]:
    """Rows that are not drawn: what only made or changed a leaf, copies inside in-place ops, constants and views that nobody read."""
    needed = {node.leaf for node in part.nodes if node.leaf is not None} | claimed
    needed |= {place[0] for _, _, place in part.root_rows if place is not None}
    consumers = [0] * len(rows)
    dropped: set[int] = set()
    absorbing = [False] * len(rows)
    aftermath = _aftermath(rows, part)
    for row in reversed(rows[: part.stop]):
        if row is GONE:
            continue
        index = row.index
        silent = row.kind != "op" or row.alias or index in aftermath or row.building
        gone = (
            index not in needed
            and consumers[index] == 0
            and (absorbing[index] or (row.absorbed and not row.schema) or index in copies or (silent and not row.failed))
        )
        if row.absorbed and index not in needed and consumers[index] == 0:
            gone = True
        if gone:
            dropped.add(index)
        for item in row.inputs:
            if gone:
                absorbing[item.row] = absorbing[item.row] or row.absorbed or absorbing[index]
            else:
                consumers[item.row] += 1
    return dropped


def _aftermath(rows: list[Row], part: Pass) -> set[int]:
    """Ops that only look back at the pass before, as `print(loss.item())` after its backward does."""
    found: set[int] = set()
    for row in rows[part.start : part.stop]:
        past = [item.row in found or (item.row < part.start and rows[item.row].kind == "op") for item in row.inputs]
        if row.kind == "op" and past and all(past):
            found.add(row.index)
    return found


def output_index(item: Item, number: int) -> int:
    """The op's output that has number `number` among those autograd follows."""
    if item.is_leaf:
        return 0
    index = number
    undefined = item.row.undefined if item.row is not None else item.node.undefined if item.node is not None else ()
    if item.row is not None and item.node is not None and (len(item.outputs) > 1 or undefined):
        index = followed_output(item.node.name, number)
    index -= sum(place < index for place in undefined)
    while len(item.outputs) <= index:
        outlines = item.node.outputs if item.node is not None else []
        item.outputs.append(outlines[min(len(item.outputs), len(outlines) - 1)])
    return index
