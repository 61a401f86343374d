"""The lines of the list of traps, and how the tests that stand for them did.

T: what autograd does to a tracer. P: what other tools get wrong. A test stands for the line in its name (`test_T04_custom_function_blame`);
a line that cannot be met is a strict xfail with its reason, never a missing test.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

__all__ = ["LINES", "line_of", "missing", "summary"]

LINES: dict[str, str] = {
    "T01": "deep graphs: the child survives, the user's own process is asked first",
    "T02": "ids of nodes are reused",
    "T03": "sequence numbers count per thread",
    "T04": "a custom Function's node, not that of its inner op; the same for a reentrant checkpoint",
    "T05": "in-place ops that clone their old self first",
    "T06": "CopySlices belongs to the op that changed the view",
    "T07": "reading a view after its base changed",
    "T08": "the fast path of TransformerEncoderLayer in eval",
    "T09": "torch.compile",
    "T10": "reshape while watched: known effects of watching",
    "T11": "contributions are reduced over a broadcast",
    "T12": "verification leaves .grad alone",
    "T13": "Python Function nodes: apply, saved tensors, tensors kept as ctx attributes",
    "T14": "a tensor hook of the user's replaces a gradient",
    "T15": "a post-hook of the user's replaces gradients",
    "T16": "the user's hooks work beside ours, in any order",
    "T17": "recorded numbers do not change later",
    "T18": "no hook stays behind",
    "T19": "AccumulateGrad is held weakly",
    "T20": "no uncollectable cycle",
    "T21": "a checkpoint's forward runs as often as without us",
    "T22": "a stale saved tensor",
    "T23": "nodes that did not run",
    "T24": "backward twice over one graph",
    "T25": "several edges to one tensor; tied weights",
    "T26": "slots are not arguments; index outputs",
    "T27": "sparse gradients, strided and jagged nested tensors",
    "T28": "fake tensors on an absent device",
    "T29": "fake mode works on a copy",
    "T30": "DDP: local contribution, averaged .grad",
    "T31": "FSDP2: names do not come from identity",
    "T32": "a forward that raises in the middle",
    "T33": "tensors of every kind get a note",
    "T34": "double backward is a pass of its own",
    "T35": "output numbers of unbind, split, chunk, topk",
    "T36": "input reaches output through setitem",
    "T37": "cuts: detach, no_grad, item, long",
    "T38": "NaN: the first op in forward order, silent ones, the branch not taken",
    "T39": "running statistics and random state",
    "T40": "inner detach is nobody's cut",
    "T41": "seeds count beside edges",
    "T42": "gradients from before the run",
    "P01": "2,000 to 1,000,000 ops in a row",
    "P02": "tensor subclasses and views of views",
    "P03": "drawing after backward freed the buffers",
    "P04": "user code is never run again",
    "P05": "leaf, saved self and saved other; shared storages",
    "P06": "outputs in any nest",
    "P07": "an output that needs no gradient",
    "P08": "attributes that hide nn.Module's; autograd.grad inside forward",
    "P09": "the same module twice gives the same trace",
    "P10": "torch is not patched",
    "P11": "no system dot",
    "P12": "NaN and infinity in histograms and charts",
    "P13": "before backward nothing is computed",
    "P14": "a layout that takes too long is stopped",
    "P15": "the user's state is as without us",
    "P16": "plain tensor programs",
}


def line_of(test: str) -> str | None:
    """The line that a test stands for: "tests/…/test_x.py::test_T04_blame[cpu]" → "T04"."""
    found = re.match(r"test_([TP]\d+)_", test.rpartition("::")[2])
    return found and found[1]


def missing(tests: Iterable[str]) -> list[str]:
    """The lines without a test, and what is named like the test of a line that there is not."""
    have = {line for test in tests if (line := line_of(test)) is not None}
    return [f"{line}: no test" for line in LINES if line not in have] + [f"{line}: no such line" for line in sorted(have - LINES.keys())]


def summary(outcomes: Mapping[str, Iterable[tuple[str, str]]]) -> list[str]:
    """The count, in words, of (test, reason) by outcome; a line is as good as the worst of its tests. Nothing where no line was tested.

    "failed" and "error" make a line failed, "xfailed" xfailed, "skipped" skipped; then it has passed.
    """
    worst: dict[str, str] = {}
    reasons: dict[str, list[str]] = defaultdict(list)
    for outcome, name in (("failed", "failed"), ("error", "failed"), ("xfailed", "xfailed"), ("skipped", "skipped"), ("passed", "passed")):
        for test, reason in outcomes.get(outcome, ()):
            line = line_of(test)
            if line in LINES:
                worst.setdefault(line, name)
                if worst[line] == name and reason and reason not in reasons[line]:
                    reasons[line].append(reason)
    if not worst:
        return []
    by_name = {name: [line for line in LINES if worst.get(line) == name] for name in ("passed", "failed", "xfailed", "skipped")}
    counts = [f"{len(lines)} {name}" for name, lines in by_name.items() if lines]
    text = [f"traps: {len(worst)} of {len(LINES)} lines, " + ", ".join(counts)]
    for name in ("failed", "xfailed", "skipped"):
        text += [f"  {line} {name}: {'; '.join(reasons[line]) or LINES[line]}" for line in by_name[name]]
    return text
