"""What on a tape depends on what: the part that some values need, and what lies in the same memory as something that is written to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from explorer.capture.tape import Tape


def needed_entries(tape: Tape, roots: Iterable[int]) -> list[int]:
    """The entries that the roots depend on, in order; where a storage is written to, all that write there."""
    writers: dict[int, list[int]] = defaultdict(list)
    for number, entry in enumerate(tape.entries):
        for write in entry.writes:
            writers[tape.values[write].storage].append(number)
    wanted: set[int] = set()
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        number = pending.pop()
        if number in seen:
            continue
        seen.add(number)
        value = tape.values[number]
        makers = [*writers.get(value.storage, ()), *([] if value.entry is None else [value.entry])]
        for maker in makers:
            if maker not in wanted:
                wanted.add(maker)
                entry = tape.entries[maker]
                pending += entry.reads
                pending += entry.writes
    return sorted(wanted)


def storage_groups(tape: Tape, needed: Iterable[int]) -> dict[int, tuple[set[int], set[int]]]:
    """Storages that a needed entry writes to: the entries that make or change something in them, and the values there from outside."""
    needed = list(needed)
    written = {tape.values[write].storage for number in needed for write in tape.entries[number].writes}
    groups: dict[int, tuple[set[int], set[int]]] = {storage: (set(), set()) for storage in written}
    for number in needed:
        entry = tape.entries[number]
        for value in (*entry.outputs, *entry.writes):
            if (storage := tape.values[value].storage) in groups:
                groups[storage][0].add(number)
        for value in entry.reads:
            if (storage := tape.values[value].storage) in groups and tape.values[value].entry is None:
                groups[storage][1].add(value)
    return groups
