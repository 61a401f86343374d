"""How long pictures take: `python tests/benchmarks/layout.py [--rows gpt2,resnet50] [--limit 10] [--repeat 5] [--peers]` prints the table.

For each model: the first, collapsed picture; opening one module of it with everything else laid out before; and everything open. Each from
a trace in memory to the finished SVG, nothing remembered (but for opening) except the running Graphviz; medians. Beside it one plain call
of the same Graphviz, everything open, modules as clusters, stopped after `--limit` seconds, and with `--peers` what other tools hand to
it. The widths of the models are small: only their structure is drawn.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import graphviz
import torch

import explorer
from explorer import layout, places
from explorer.engine import engine, place
from explorer.errors import ExplorerError
from explorer.model import Trace
from explorer.picture import placing
from explorer.view import View, make_view
from tests.benchmarks import workloads
from tests.benchmarks.peers import PEERS
from tests.benchmarks.workloads import Made
from tests.dummy import chain_trace

LONG = 100_000
LIMIT = 10.0  # seconds that plain Graphviz and the peers get
DRAWN_BY = ("torchviz", "torchview")  # peers whose answer is DOT text


def gpt2(layers: int) -> Made:
    return workloads.gpt2(n_layer=layers, n_embd=64, n_head=4, vocab_size=1000, n_positions=64, bos_token_id=None, eos_token_id=None)


def resnet50() -> Made:
    from transformers import ResNetConfig, ResNetForImageClassification

    body = ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 32, 64], num_labels=10))
    return workloads.Labelled(body, "pixel_values"), (torch.randn(1, 3, 64, 64), torch.tensor([7]))


def t5_small() -> Made:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=100, d_model=32, d_kv=8, d_ff=64, num_layers=6, num_heads=4, use_cache=False, decoder_start_token_id=0)
    tokens = torch.randint(100, (1, 16))
    return workloads.Labelled(T5ForConditionalGeneration(config), "input_ids"), (tokens, tokens)


def chain(length: int) -> Made:
    return workloads.Chain(length), (torch.ones(()),)


@dataclass(frozen=True)
class Row:
    """A model, and the milliseconds that its pictures may take: the first, and the one with everything open (None: not drawn)."""

    title: str
    make: Callable[[], Made] | None
    first: float
    everything: float | None


OPENING = 20.0
ROWS = {
    "gpt2": Row("GPT-2, 12 blocks", partial(gpt2, 12), 50, 60),
    "resnet50": Row("ResNet-50", resnet50, 50, 60),
    "t5": Row("T5-small", t5_small, 50, 150),
    "gpt2_48": Row("GPT-2, 48 blocks", partial(gpt2, 48), 50, 250),
    "lstm": Row("LSTM, 500 steps", workloads.lstm, 50, 700),
    "chain": Row("chain of 10,000", partial(chain, 10_000), 50, 700),
    "chain_100k": Row("chain of 100,000", None, 2000, None),
}


def recorded(row: Row) -> Trace:
    """The trace of one forward and backward pass; one made by hand where so deep a graph cannot be taken apart in this process."""
    if row.make is None:
        return chain_trace(LONG)
    torch.manual_seed(0)
    model, inputs = row.make()
    with explorer.record(row.title, values="none") as recording:
        model.train()(*inputs).sum().backward()
    return recording.trace


@dataclass
class Calls:
    """What Graphviz was asked: how often, and for how many things at most."""

    count: int = 0
    largest: int = 0


@contextmanager
def counted() -> Iterator[Calls]:
    """Counts the calls of the layout."""
    calls, before = Calls(), placing.place

    def counting(text: str, format: str, *, seconds: float | None = None) -> bytes:
        calls.count += 1
        answer = before(text, format, seconds=seconds)
        calls.largest = max(calls.largest, sum(row.startswith(b"node ") for row in answer.splitlines()))
        return answer

    placing.place = counting
    try:
        yield calls
    finally:
        placing.place = before


def forget() -> None:
    """Nothing is remembered any more; Graphviz goes on running."""
    placing.forget()
    places.forget()
    gc.collect()


def timed(run: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - began)


def drawn(trace: Trace, **options: object) -> View:
    """The view that was drawn: as a page shows it, and everything open as a file holds it, where more may stand."""
    view = make_view(trace, **options)  # type: ignore[arg-type]
    if view.expand == "all":
        layout.draw(view, "svg")
        return view
    return layout.picture(view).view


def cold(trace: Trace, repeat: int, **options: object) -> float:
    """The median over fresh starts."""
    found = []
    for _ in range(repeat):
        forget()
        found.append(timed(lambda: drawn(trace, **options)))
    return statistics.median(found)


def opening(trace: Trace, repeat: int) -> tuple[str, float] | None:
    """The slowest of opening a closed thing of the first picture, and then one in it; each has never been open before."""
    found: dict[str, list[float]] = {}
    for _ in range(repeat):
        forget()
        view = drawn(trace)
        opened: list[str] = []
        inside: tuple[str, ...] = ()
        for _ in range(2):
            closed = [box for box in view.boxes if box.kind != "node" and box.id not in opened]
            if not closed:
                break
            fresh = [box for box in closed if box.id in inside] or closed
            inside = fresh[len(fresh) // 2].parts
            opened.append(fresh[len(fresh) // 2].id)
            found.setdefault(" ".join(opened), []).append(timed(lambda: drawn(trace, opened=tuple(opened))))  # noqa: B023
            view = drawn(trace, opened=tuple(opened))
    return max(((name, statistics.median(times)) for name, times in found.items()), key=lambda pair: pair[1], default=None)


# -- the same Graphviz, asked plainly ------------------------------------------------------------------------------------------------


def plainly(trace: Trace) -> str:
    """DOT text of all nodes, each in the clusters of the modules around it."""
    where = places.places_of(trace)
    graph = graphviz.Digraph(node_attr={"shape": "box"})
    inside: dict[tuple[int, ...], list[str]] = {(): []}
    for node in trace.nodes:
        chain = where.chains[node.id]
        for length in range(1, len(chain) + 1):
            inside.setdefault(chain[:length], [])
        inside[chain].append(f'n{node.id} [label="{node.op or node.kind}"]')
    children: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for chain in inside:
        if chain:
            children.setdefault(chain[:-1], []).append(chain)
    waiting: list[tuple[int, ...] | None] = [()]
    while waiting:
        chain_or_end = waiting.pop()
        if chain_or_end is None:
            graph.body.append("}")
            continue
        if chain_or_end:
            graph.body.append(f"subgraph cluster_{chain_or_end[-1]} {{")
            waiting.append(None)
        graph.body += inside[chain_or_end]
        waiting += reversed(children.get(chain_or_end, []))
    graph.body += [f"n{edge.source} -> n{edge.target}" for edge in trace.edges]
    graph.body = [f"{line}\n" for line in graph.body]
    return str(graph.source)


def asked(text: Callable[[], str], limit: float) -> str:
    """How long Graphviz takes for a text, or why it has none."""
    try:
        source = text()
        return f"{timed(lambda: place(source, 'svg', seconds=limit)):,.0f}"
    except ExplorerError as error:
        return f"over {limit * 1000:,.0f}" if "longer" in str(error) else "crashed"
    except (ImportError, RecursionError, RuntimeError, ValueError, AttributeError) as error:
        return type(error).__name__


def of_peer(name: str, row: Row) -> str:
    """The DOT text that a peer hands to Graphviz."""
    if row.make is None:
        raise ValueError("made by hand")
    model, inputs = row.make()
    graph = PEERS[name](model, inputs)
    return str(getattr(graph, "visual_graph", graph).source)


def within(value: float, target: float | None) -> str:
    return f"{value:,.0f}" if target is None else f"{value:,.0f} ({target:,.0f}{'' if value <= target else ', missed'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for plain Graphviz and each peer; 0 leaves them out")
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    place("digraph { a }", "plain-ext")
    print(f"milliseconds, medians of {arguments.repeat}; targets in brackets; Graphviz: {engine()}")
    peers = list(DRAWN_BY) if arguments.peers else []
    heads = ["graph", "nodes", "first picture", "open one", "all open", "calls", "largest call", "plain Graphviz", *peers]
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
    for name in arguments.rows.split(","):
        row = ROWS[name]
        trace = recorded(row)
        first = cold(trace, arguments.repeat)
        one = opening(trace, arguments.repeat)
        cells = [row.title, f"{len(trace.nodes):,}", within(first, row.first), "–" if one is None else within(one[1], OPENING)]
        forget()
        with counted() as calls:
            drawn(trace, **({} if row.everything is None else {"expand": "all"}))
        cells.append("–" if row.everything is None else within(cold(trace, arguments.repeat, expand="all"), row.everything))
        cells += [f"{calls.count}", f"{calls.largest}"]
        cells.append(asked(partial(plainly, trace), arguments.limit) if arguments.limit and row.everything is not None else "–")
        cells += [asked(partial(of_peer, peer, row), arguments.limit) if arguments.limit else "–" for peer in peers]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
