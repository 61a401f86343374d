"""Rows of a recording and the graph of one pass, made into a frozen `Trace`. No torch: it works on a journal as well.

An `Item` is a node to be: an op with its autograd node, a leaf with its AccumulateGrad, or an autograd node that no recorded op made.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from explorer.capture.derivatives import formula_of, rule_of
from explorer.capture.joining import join
from explorer.capture.rows import EXTERNAL, Circumstances, GraphNode, Input, Owners, Pass, Row, row_from
from explorer.findings import findings, no_graph, user_error
from explorer.model import Accumulated, Edge, Formula, MadeWith, Node, Note, Saved, StoredTensor, Time, Trace, Update


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


def assemble(rows: Sequence[Row], part: Pass, owners: Owners, about: Circumstances) -> Trace:
    """The trace of one pass."""
    rows = list(rows)
    items = _Items(rows, part)
    links = _links(items)
    ordered, links = _in_order(items.living(), links)
    trace = _trace(ordered, links, items, part, owners, about)
    return _with_findings(trace, items, part, about)


def trace_from_journal(lines: Iterable[Mapping[str, Any]], *, title: str, made_with: MadeWith, error: str | None = None) -> Trace | None:
    """The partial trace of a program whose process ended without a word; None if no op ran."""
    rows: list[Row] = []
    for line in lines:
        row = row_from(line)
        while len(rows) <= row.index:  # rows that only absorbed others are not in the journal
            rows.append(Row(len(rows), "op", absorbed=True))
        rows[row.index] = row
    if not rows:
        return None
    for row in rows:
        row.inputs = [item for item in row.inputs if item.row < len(rows)]
    part = Pass(0, 0, len(rows))
    return assemble(rows, part, Owners(), Circumstances(title, made_with, partial=True, error=error))


class _Items:
    """The items of a pass, found by row and by node key."""

    def __init__(self, rows: list[Row], part: Pass) -> None:
        self.rows, self.part = rows, part
        self.by_row: dict[int, Item] = {}
        self.by_key: dict[int, Item] = {}
        self._claims, self._places, copies = join(rows[: part.stop], part.nodes)
        self._dropped = _dropped(rows, part, set(self._claims.values()), copies)
        self._identities: dict[int, Item] = {}
        self.stands_for: dict[tuple[int, int], tuple[Item, int]] = {}
        self.inner: list[tuple[Item, int, Item]] = []
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
                item = Item(self._places.get(node.key, 0) - 0.5, node=node, outputs=list(node.outputs), names=list(node.names))
            assert item is not None
            item.node = node
            if item.row is not None and node.name == "CopySlices" and item.row.base is not None:
                item.outputs = [item.row.base]
            self.by_key[node.key] = item

    def of_row(self, index: int, *, always: bool = False) -> Item | None:
        """The item of a row, made on first sight with what it reads; None if the row is not drawn."""
        if index in self.by_row:
            return self.by_row[index]
        pending = [index]
        while pending:  # an explicit stack: a chain of ops may be a million long
            row = self.rows[pending.pop()]
            if row.index in self.by_row or (row.index in self._dropped and not (always and row.index == index)):
                continue
            if not always and row.kind == "op" and row.index < self.part.start:  # a value of an earlier pass, which is over
                row = replace(row, kind="constant", schema="", inputs=[], reason="constant")
            self.by_row[row.index] = self._made(row)
            pending += [item.row for item in row.inputs]
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
        for index in sorted(self.by_row):
            for output, sequence, number in self.rows[index].results:
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
        index = _output_index(item, number)
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
        index = row.index
        silent = row.kind != "op" or row.alias or index in aftermath
        gone = (
            index not in needed
            and consumers[index] == 0
            and (absorbing[index] or (row.absorbed and not row.schema) or index in copies or (silent and not row.failed))
        )
        if row.absorbed and index not in needed and consumers[index] == 0:
            gone = True
        if gone:
            dropped.add(index)
        for item in row.origin:
            absorbing[item.row] = True
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


def _links(items: _Items) -> list[Link]:
    links: list[Link] = []
    for item in items.living():
        _link_item(item, items, links)
    inputs = Counter(id(link.target) for link in links)
    for source, output, item in items.inner:
        links.append(Link(source, output, item, inputs[id(item)], None, False))
        inputs[id(item)] += 1
    return links


def _link_item(item: Item, items: _Items, links: list[Link]) -> None:
    """The edges into an item: slots of its autograd node matched with arguments of its op, then the arguments autograd does not follow."""
    arguments = item.row.inputs if item.row is not None else []
    free = list(range(len(arguments)))
    sent = item.node.sent if item.node is not None else None
    waiting: list[tuple[Item, int, Note | None]] = []
    for slot, following in enumerate(item.node.next if item.node is not None and not item.is_leaf else []):
        if following is None:
            continue
        producer = items.by_key[following[0]]
        output = _output_index(producer, following[1])
        gradient = sent[slot] if sent is not None and slot < len(sent) else None
        match = next((j for j in free if _is_argument(arguments[j], producer, output, items, item)), None)
        if match is None:
            waiting.append((producer, following[1], gradient))
        else:
            free.remove(match)
            links.append(Link(producer, output, item, match, gradient, True))
    extra = len(arguments)
    for producer, number, gradient in waiting:
        match = next((j for j in free if producer.row is None and _may_stand_for(arguments[j], items)), None)
        if match is not None:
            free.remove(match)
            items.adopt(producer, number, arguments[match].row, arguments[match].output)
        links.append(Link(producer, _output_index(producer, number), item, extra if match is None else match, gradient, True))
        extra += match is None
    not_reached = item.node is None and item.row is not None and _status(item, set())[1] == "not reached"
    for j in free:
        found = items.producer(arguments[j], item)
        if found is not None and found[0] is not item and (found[0].row is None or found[0].row.kind != EXTERNAL):
            links.append(Link(*found, item, j, None, not_reached and arguments[j].needs_gradient))


def _is_argument(argument: Input, producer: Item, output: int, items: _Items, consumer: Item) -> bool:
    found = items.producer(argument, consumer) if argument.needs_gradient else None
    if found is None or found[0] is not producer:
        return False
    return producer.is_leaf or found[1] == output or len(producer.outputs) == 1


def _may_stand_for(argument: Input, items: _Items) -> bool:
    """Whether an argument may be the result of an autograd node that no op made: it needs a gradient, and its own row has no node."""
    source = items.by_row.get(argument.row)
    return bool(argument.needs_gradient and source is not None and source.node is None)


def _output_index(item: Item, number: int) -> int:
    """The op's output that has number `number` among those autograd follows."""
    if item.is_leaf:
        return 0
    index = number
    if item.row is not None and item.node is not None and len(item.outputs) > 1:
        rule = rule_of(item.node.name)
        if rule is not None and rule.differentiable_outputs is not None:
            followed = [i for i, flag in enumerate(rule.differentiable_outputs) if flag]
            index = followed[number] if number < len(followed) else number
    while len(item.outputs) <= index:
        outlines = item.node.outputs if item.node is not None else []
        item.outputs.append(outlines[min(len(item.outputs), len(outlines) - 1)])
    return index


def _in_order(items: list[Item], links: list[Link]) -> tuple[list[Item], list[Link]]:
    """Items in the order they ran, producers always first; ids are given."""
    waiting = {id(item): 0 for item in items}
    outgoing: dict[int, list[Link]] = {id(item): [] for item in items}
    links = [link for link in links if id(link.source) in waiting and id(link.target) in waiting]
    for link in links:
        waiting[id(link.target)] += 1
        outgoing[id(link.source)].append(link)
    heap = [(item.time, number, item) for number, item in enumerate(items) if not waiting[id(item)]]
    numbers = {id(item): number for number, item in enumerate(items)}
    heapq.heapify(heap)
    ordered: list[Item] = []
    while heap or len(ordered) < len(items):
        if not heap:  # only links that autograd does not follow can close a circle; the earliest item goes first
            left = min((item for item in items if item.id < 0), key=lambda item: (item.time, numbers[id(item)]))
            heap.append((left.time, numbers[id(left)], left))
        _, _, item = heapq.heappop(heap)
        if item.id >= 0:
            continue
        item.id = len(ordered)
        ordered.append(item)
        for link in outgoing[id(item)]:
            waiting[id(link.target)] -= 1
            if not waiting[id(link.target)] and link.target.id < 0:
                heapq.heappush(heap, (link.target.time, numbers[id(link.target)], link.target))
    links = [link for link in links if link.source.id < link.target.id]
    links.sort(key=lambda link: (link.target.id, link.input))
    return ordered, links


def _trace(ordered: list[Item], links: list[Link], items: _Items, part: Pass, owners: Owners, about: Circumstances) -> Trace:
    ran = {key for key in part.order}
    seeds: dict[tuple[int, int], Note] = {}
    for key, number, seed in part.roots:
        root = items.by_key[key]
        seeds[root.id, _output_index(root, number)] = seed
    nodes = tuple(_node(item, items, part, owners, ran, seeds) for item in ordered)
    updates = [
        Update(items.by_row[w.row].id, w.optimizer, w.group, w.before, w.gradient, w.after, w.state, w.settings)
        for w in part.writes
        if w.row in items.by_row
    ]
    return Trace(
        title=about.title,
        partial=about.partial,
        number=part.number if part.started or about.passes else 0,
        passes=about.passes,
        made_with=about.made_with,
        loss=part.loss,
        modules=owners.modules,
        nodes=nodes,
        edges=tuple(Edge(link.source.id, link.output, link.target.id, link.input, link.gradient, link.differentiable) for link in links),
        forward=tuple(node.id for node in nodes if node.kind == "op"),
        backward=_backward(items, part),
        updates=tuple(updates),
        sources=dict(sorted(about.sources.items())),
        tensors=_tensors(ordered),
    )


def _backward(items: _Items, part: Pass) -> tuple[int, ...]:
    order: dict[int, None] = {}
    for key in part.order:
        order.setdefault(items.by_key[key].id)
    return tuple(order)


def _node(item: Item, items: _Items, part: Pass, owners: Owners, ran: set[int], seeds: Mapping[tuple[int, int], Note]) -> Node:
    row, node = item.row, item.node
    kind, names = _naming(item, owners)
    gradients: list[Note | None] = [None] * len(item.outputs)
    if node is not None:
        for number, note in enumerate(node.received or []):
            if note is not None:
                gradients[_output_index(item, number)] = note
        for number, note in node.captured.items():
            gradients[_output_index(item, number)] = note
    status, reason = _status(item, ran)
    if kind == "parameter" and node is None and reason == "constant":
        reason = "frozen"
    first = item.first
    leaf = part.leaves.get(node.leaf) if node is not None and node.leaf is not None else None
    module = owners.paths.get(row.module, "") if row is not None and row.module is not None else ""
    if row is None:
        near = items.rows[min(int(item.time + 0.5), len(items.rows) - 1)] if items.rows else None
        module = owners.paths.get(near.module, "") if near is not None and near.module is not None else ""
        source = (near.function_source or near.source) if near is not None and node is not None and node.code else None
    else:
        source = first.source if first is not None else row.source
    return Node(
        id=item.id,
        kind=kind,  # type: ignore[arg-type]
        name=names[0] if names else None,
        names=tuple(names),
        op=_op(item, kind),
        autograd=node.name if node is not None else row.autograd if row is not None else None,
        module=module,
        source=source,
        outputs=tuple(item.outputs),
        gradients=tuple(gradients),
        seeds=tuple(seeds.get((item.id, output)) for output in range(len(item.outputs))),
        accumulated=Accumulated(leaf.before, leaf.after) if leaf is not None else None,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        saved=_saved(item, items),
        formula=_formula(node) if node is not None else formula_of(row.autograd) if row is not None and row.autograd else None,
        time=Time(row.microseconds if row is not None else None, node.microseconds if node is not None else None),
    )


def _naming(item: Item, owners: Owners) -> tuple[str, list[str]]:
    if item.row is None or item.row.kind == "op":
        return "op", item.names
    kind = item.row.kind
    rows = [item.row.index] + ([item.first.index] if item.first is not None else [])
    owned = next((owners.leaves[index] for index in rows if index in owners.leaves), None)
    if owned is None:
        return kind, item.names
    if owned[0] == "parameter" or kind not in ("parameter", "input"):
        kind = owned[0]
    return kind, [*owned[1], *(name for name in item.names if name not in owned[1])]


def _op(item: Item, kind: str) -> str | None:
    if item.row is not None:
        return item.row.op if kind in ("op", "constant") else None
    custom = item.node is not None and item.node.code is not None
    return item.node.name.removesuffix("Backward") if item.node is not None and custom else None


def _status(item: Item, ran: set[int]) -> tuple[str, str | None]:
    row, node = item.row, item.node
    if node is not None:
        if node.key in ran:
            return "executed", None
        return "not executed", "captured" if node.captured else None
    assert row is not None
    if row.failed:
        return "no gradient", "failed"
    if row.reason is not None:
        return "no gradient", row.reason
    if row.kind == "op" and row.window[0] == row.window[1] and not row.alias:
        return "no gradient", "not differentiable"
    return "not executed", "not reached"


def _saved(item: Item, items: _Items) -> tuple[Saved, ...]:
    if item.node is None:
        return ()
    found = []
    for saved in item.node.saved:
        owner = items.by_row.get(saved.row) if saved.row is not None else None
        shared = owner.id if owner is not None and owner.id >= 0 else None
        found.append(Saved(saved.name, saved.note.shape, saved.note.dtype, saved.bytes, shared, saved.state))  # type: ignore[arg-type]
    return tuple(found)


def _formula(node: GraphNode | None) -> Formula | None:
    if node is None:
        return None
    if node.code is not None:
        return Formula(node.code, "user code")
    return formula_of(node.name)


def _tensors(ordered: list[Item]) -> dict[str, StoredTensor]:
    kept: dict[str, StoredTensor] = {}
    for item in ordered:
        for number, tensor in enumerate(item.row.tensors if item.row is not None else []):
            if tensor is not None:
                kept[f"n{item.id}.output{number}"] = tensor
        for number, tensor in enumerate(item.node.tensors if item.node is not None else []):
            if tensor is not None:
                kept[f"n{item.id}.gradient{_output_index(item, number)}"] = tensor
    return kept


def _with_findings(trace: Trace, items: _Items, part: Pass, about: Circumstances) -> Trace:
    found = [*about.findings, *findings(trace)]
    if about.error is not None:
        failed = next((item.id for item in items.by_row.values() if item.row is not None and item.row.failed), None)
        found.insert(0, user_error(trace, failed, about.error, about.error_source))
    elif not part.started and not about.partial and not about.structure:
        outputs = [items.by_row[row].id for row in about.outputs or () if row in items.by_row]
        found.insert(0, no_graph(trace, outputs))
    return replace(trace, findings=tuple(found))
