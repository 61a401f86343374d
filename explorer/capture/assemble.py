"""Rows of a recording and the graph of one pass, made into a frozen `Trace`. No torch: it works on a journal as well.

`explorer.capture.items` pairs ops with autograd nodes; here they are linked, ordered and written out.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from explorer.capture.derivatives import formula_of, rule_of
from explorer.capture.items import Item, Items, Link, output_index
from explorer.capture.rows import EXTERNAL, Circumstances, Input, Owners, Pass, Row
from explorer.capture.verified import checks_of
from explorer.capture.watched import first_effects
from explorer.findings import changed_by_watching, findings, no_graph, user_error
from explorer.model import NO_ARGUMENTS, Accumulated, Edge, Formula, MadeWith, Node, Note, Saved, StoredTensor, Time, Trace, Update


def assemble(rows: Sequence[Row], part: Pass, owners: Owners, about: Circumstances) -> Trace:
    """The trace of one pass."""
    rows = list(rows)
    items = Items(rows, part)
    links = _links(items)
    ordered, links = _in_order(items.living(), links)
    trace = _trace(ordered, links, items, part, owners, about)
    if part.verified is not None:
        trace = replace(trace, checks=checks_of(part.verified, trace, {key: item.id for key, item in items.by_key.items()}))
    return _with_findings(trace, items, part, about)


def trace_from_journal(written: Iterable[Row], *, title: str, made_with: MadeWith, error: str | None = None) -> Trace | None:
    """The partial trace of a program whose process ended without a word; None if no op ran."""
    rows: list[Row] = []
    for row in written:
        while len(rows) <= row.index:  # rows that only absorbed others are not in the journal
            rows.append(Row(len(rows), "op", absorbed=True))
        rows[row.index] = row
    if not rows:
        return None
    for row in rows:
        row.inputs = [item for item in row.inputs if item.row < len(rows)]
    part = Pass(0, 0, len(rows))
    return assemble(rows, part, Owners(), Circumstances(title, made_with, partial=True, error=error))


def _links(items: Items) -> list[Link]:
    links: list[Link] = []
    for item in items.living():
        _link_item(item, items, links)
    inputs = Counter(id(link.target) for link in links)
    for source, output, item in items.inner:
        links.append(Link(source, output, item, inputs[id(item)], None, False))
        inputs[id(item)] += 1
    return links


def _link_item(item: Item, items: Items, links: list[Link]) -> None:
    """The edges into an item: slots of its autograd node matched with arguments of its op, then the arguments autograd does not follow."""
    arguments = item.row.inputs if item.row is not None else []
    free = list(range(len(arguments)))
    sent = item.node.sent if item.node is not None else None
    carried = item.node.carried if item.node is not None else ()
    waiting: list[tuple[Item, int, Note | None, int]] = []
    for slot, following in enumerate(item.node.next if item.node is not None and not item.is_leaf else []):
        if following is None:
            continue
        producer = items.by_key[following[0]]
        output = output_index(producer, following[1])
        gradient = sent[slot] if sent is not None and slot < len(sent) else None
        storage = carried[slot] if slot < len(carried) else -1
        match = next((j for j in free if _is_argument(arguments[j], producer, output, items, item)), None)
        if match is None:
            waiting.append((producer, following[1], gradient, storage))
        else:
            free.remove(match)
            links.append(Link(producer, output, item, match, gradient, True, storage))
    extra = len(arguments)
    for producer, number, gradient, storage in waiting:
        match = next((j for j in free if producer.row is None and _may_stand_for(arguments[j], items)), None)
        if match is not None:
            free.remove(match)
            items.adopt(producer, number, arguments[match].row, arguments[match].output)
        links.append(Link(producer, output_index(producer, number), item, extra if match is None else match, gradient, True, storage))
        extra += match is None
    not_reached = item.node is None and item.row is not None and _status(item, set())[1] == "not reached"
    for j in free:
        found = items.producer(arguments[j], item)
        if found is not None and found[0] is not item and (found[0].row is None or found[0].row.kind != EXTERNAL):
            links.append(Link(*found, item, j, None, not_reached and arguments[j].needs_gradient))


def _is_argument(argument: Input, producer: Item, output: int, items: Items, consumer: Item) -> bool:
    found = items.producer(argument, consumer) if argument.needs_gradient else None
    if found is None or found[0] is not producer:
        return False
    return producer.is_leaf or found[1] == output or len(producer.outputs) == 1


def _may_stand_for(argument: Input, items: Items) -> bool:
    """Whether an argument may be the result of an autograd node that no op made: it needs a gradient, and its own row has no node."""
    source = items.by_row.get(argument.row)
    return bool(argument.needs_gradient and source is not None and source.node is None)


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


def _trace(ordered: list[Item], links: list[Link], items: Items, part: Pass, owners: Owners, about: Circumstances) -> Trace:
    ran = set(part.order)
    seeds: dict[tuple[int, int], Note] = {}
    for key, number, seed in part.roots:
        root = items.by_key[key]
        seeds[root.id, output_index(root, number)] = seed
    storages = _Storages(part.storages)
    nodes = tuple(_node(item, items, part, owners, ran, seeds, storages) for item in ordered)
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
        edges=tuple(_edge(link, storages) for link in links),
        forward=tuple(node.id for node in nodes if node.kind == "op"),
        backward=_backward(items, part),
        updates=tuple(updates),
        sources=dict(sorted(about.sources.items())),
        tensors=_tensors(ordered),
        storages=tuple(storages.sizes),
    )


class _Storages:
    """Storages numbered in the order in which a trace mentions them, which does not hang on the order of threads."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._numbers: dict[int, int] = {}
        self.sizes: list[int] = []

    def number(self, storage: int) -> int | None:
        if storage < 0:
            return None
        number = self._numbers.get(storage)
        if number is None:
            number = self._numbers[storage] = len(self.sizes)
            self.sizes.append(self._sizes[storage])
        return number


def _edge(link: Link, storages: _Storages) -> Edge:
    storage = None if link.gradient is None else storages.number(link.storage)
    return Edge(link.source.id, link.output, link.target.id, link.input, link.gradient, link.differentiable, storage)


def _backward(items: Items, part: Pass) -> tuple[int, ...]:
    order: dict[int, None] = {}
    for key in part.order:
        order.setdefault(items.by_key[key].id)
    return tuple(order)


def _node(
    item: Item, items: Items, part: Pass, owners: Owners, ran: set[int], seeds: Mapping[tuple[int, int], Note], storages: _Storages
) -> Node:
    row, node = item.row, item.node
    kind, names = _naming(item, owners)
    names = sorted(names, key=lambda name: "[" in name)  # a variable of its own says more than a place in a list
    gradients: list[Note | None] = [None] * len(item.outputs)
    if node is not None:
        for number, note in enumerate(node.received or []):
            if note is not None:
                gradients[output_index(item, number)] = note
        for number, note in (node.captured or {}).items():
            gradients[output_index(item, number)] = note
    status, reason = _status(item, ran)
    if kind == "parameter" and node is None and reason == "constant":
        reason = "frozen"
    first = item.first
    leaf = part.leaves.get(node.leaf if node is not None and node.leaf is not None else row.index) if row is not None else None
    if leaf is not None and reason == "not reached":  # a backward inside this one (a reentrant checkpoint) added to it
        reason = "inner backward"
    module = owners.paths.get(row.module, "") if row is not None and row.module is not None else ""
    if row is None:
        near = items.rows[min(int(item.time + 0.5), len(items.rows) - 1)] if items.rows else None
        module = owners.paths.get(near.module, "") if near is not None and near.module is not None else ""
        source = None if near is None else near.function_source or near.source
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
        saved=_saved(item, items, storages),
        formula=_formula(item),
        time=Time(row.microseconds if row is not None else None, node.microseconds if node is not None else None),
        hooks=tuple(node.hooks) if node is not None else (),
        arguments=items.arguments(row),
        received=_received(item, storages),
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
    if item.node is None:
        return None
    if item.node.code is not None:
        return item.node.name.removesuffix("Backward")
    rule = rule_of(item.node.name)  # made where nobody watched, it is the node of one op all the same
    return None if rule is None else Row(-1, "op", rule.schema).op


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


def _saved(item: Item, items: Items, storages: _Storages) -> tuple[Saved, ...]:
    if item.node is None:
        return ()
    found = []
    for saved in item.node.saved:
        owner = items.by_row.get(saved.row) if saved.row is not None else None
        shared = owner.id if owner is not None and owner.id >= 0 else None
        storage = storages.number(saved.storage)
        found.append(Saved(saved.name, saved.shape, saved.dtype, saved.bytes, shared, saved.state, storage))  # type: ignore[arg-type]
    return tuple(found)


def _received(item: Item, storages: _Storages) -> tuple[int | None, ...]:
    """The storages of what the node of an item received, by the item's own outputs."""
    if item.node is None or not item.node.arrived:
        return ()
    found: list[int | None] = [None] * len(item.outputs)
    for number, storage in enumerate(item.node.arrived):
        found[output_index(item, number)] = storages.number(storage)
    return tuple(found)


def _formula(item: Item) -> Formula | None:
    row, node = item.row, item.node
    name = node.name if node is not None else row.autograd if row is not None else None
    if node is not None and node.code is not None:
        return Formula(node.code, "user code")
    return None if not name else formula_of(name, None if row is None else row.arguments or NO_ARGUMENTS)


def _tensors(ordered: list[Item]) -> dict[str, StoredTensor]:
    kept: dict[str, StoredTensor] = {}
    for item in ordered:
        for number, tensor in enumerate(item.row.tensors if item.row is not None else []):
            if tensor is not None:
                kept[f"n{item.id}.output{number}"] = tensor
        for number, tensor in enumerate(item.node.tensors if item.node is not None else []):
            if tensor is not None:
                kept[f"n{item.id}.gradient{output_index(item, number)}"] = tensor
    return kept


def _with_findings(trace: Trace, items: Items, part: Pass, about: Circumstances) -> Trace:
    ids = {item.row.identity: item.id for item in items.by_row.values() if item.row is not None and item.row.identity is not None}
    spent, skipped = (frozenset(ids[one] for one in leaves if one in ids) for leaves in (about.evidence.spent, about.evidence.skipped))
    backward = about.backwards[part.number - 1] if part.started and part.number <= len(about.backwards) else None
    found = [*about.findings, *findings(trace, replace(about.evidence, spent=spent, skipped=skipped, backward=backward))]
    drawn = {index for index, item in items.by_row.items() if item.id >= 0}
    for cause, row in first_effects(items.rows[part.start : part.stop], drawn).items():
        found.append(changed_by_watching(trace.nodes[items.by_row[row].id], cause))
    if about.error is not None:
        failed = next((item.id for item in items.by_row.values() if item.row is not None and item.row.failed), None)
        found.insert(0, user_error(trace, failed, about.error, about.error_source, backwards=about.backwards))
    elif not part.started and not about.partial and not about.structure:
        outputs = [items.by_row[row].id for row in about.outputs or () if row in items.by_row]
        found.insert(0, no_graph(trace, outputs))
    return replace(trace, findings=tuple(found))
