"""The invariants of a Trace, one violation each; and what a Trace shows of itself."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from explorer.errors import InvalidTrace
from explorer.files import load, save
from explorer.model import Checks, Edge, Finding, Formula, Module, NodeCheck, Note, Saved, StoredTensor, Time, Trace, Update
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace, note

WHOLE = dummy_trace(modules=True, updates=True, findings=True)
NO_STATISTICS = Note((1,), "float32")


def with_node(trace: Trace, number: int, **changes: Any) -> Trace:
    """The trace with node `number` changed."""
    return replace(trace, nodes=tuple(replace(node, **changes) if node.id == number else node for node in trace.nodes))


def with_edge(trace: Trace, place: int, **changes: Any) -> Trace:
    """The trace with edge `place` changed."""
    edges = list(trace.edges)
    edges[place] = replace(edges[place], **changes)
    return replace(trace, edges=tuple(edges))


def with_gradient(gradient: Note) -> Trace:
    """The neuron with another gradient at `z`, node 4."""
    return with_node(WHOLE, 4, gradients=(gradient,))


def fan_out(gradient: Note, *terms: Note, seed: Note | None = None) -> Trace:
    """One leaf whose output goes into as many ops as there are terms; its gradient and what each edge brought."""
    chain = chain_trace(len(terms))
    leaf = replace(chain.nodes[0], outputs=(gradient,), gradients=(gradient,), seeds=(seed,))
    nodes = (leaf, *(replace(node, gradients=(None,), seeds=(None,)) for node in chain.nodes[1:]))
    return replace(chain, nodes=nodes, edges=tuple(Edge(0, 0, place + 1, 0, term, True) for place, term in enumerate(terms)))


@pytest.mark.parametrize("trace", [WHOLE, dummy_trace(), nonfinite_trace(), chain_trace(3)], ids=lambda trace: trace.title)
def test_dummies_hold_every_invariant(trace: Trace) -> None:
    """The traces that other tests are built on are themselves true."""
    trace.check()


MISSING_FINDING = Finding("no_grad", "info", 8, None, None, (), MappingProxyType({}), MappingProxyType({}))
BROKEN: dict[str, tuple[str, Callable[[], Trace]]] = {
    "id out of place": ("trace.node_id", lambda: with_node(WHOLE, 3, id=4)),
    "ids negative": ("trace.node_id", lambda: with_node(WHOLE, 0, id=-1)),
    "edge from nowhere": ("trace.edge_nowhere", lambda: with_edge(WHOLE, 0, source=-1)),
    "edge to nowhere": ("trace.edge_nowhere", lambda: with_edge(WHOLE, 0, target=8)),
    "edge backwards": ("trace.edge_backwards", lambda: with_edge(WHOLE, 2, source=5)),
    "edge to itself": ("trace.edge_backwards", lambda: with_edge(WHOLE, 2, source=4)),
    "no such output": ("trace.edge_output", lambda: with_edge(WHOLE, 2, output=1)),
    "negative output": ("trace.edge_output", lambda: with_edge(WHOLE, 2, output=-1)),
    "negative input": ("trace.edge_input", lambda: with_edge(WHOLE, 2, input=-1)),
    "input taken twice": ("trace.edge_twice", lambda: with_edge(WHOLE, 1, input=0)),
    "gradients miss an output": ("trace.outputs", lambda: with_node(WHOLE, 2, gradients=())),
    "a seed too many": ("trace.outputs", lambda: with_node(WHOLE, 2, seeds=(None, None))),
    "forward names a node twice": ("trace.order_twice", lambda: replace(WHOLE, forward=(2, 4, 2))),
    "backward names a node twice": ("trace.order_twice", lambda: replace(WHOLE, backward=(7, 7))),
    "forward names a missing node": ("trace.order_missing", lambda: replace(WHOLE, forward=(8,))),
    "backward names a missing node": ("trace.order_missing", lambda: replace(WHOLE, backward=(-1,))),
    "module without its parent": (
        "trace.module_parent",
        lambda: replace(WHOLE, modules=(Module("", "A", None, 0), Module("a.b", "B", "a", 0))),
    ),
    "module listed twice": ("trace.module_twice", lambda: replace(WHOLE, modules=(*WHOLE.modules, WHOLE.modules[1]))),
    "module inside itself": ("trace.module_circle", lambda: replace(WHOLE, modules=(Module("a", "A", "b", 0), Module("b", "B", "a", 0)))),
    "module too deep": (
        "trace.module_depth",
        lambda: replace(WHOLE, modules=(WHOLE.modules[0], *(Module(f"{n}", "A", f"{n - 1}" if n else "", 0) for n in range(200)))),
    ),
    "module its own parent": ("trace.module_circle", lambda: replace(WHOLE, modules=(Module("", "A", "", 0),))),
    "node in an unlisted module": ("trace.node_module", lambda: with_node(WHOLE, 2, module="nowhere")),
    "saved with a missing node": (
        "trace.saved_node",
        lambda: with_node(WHOLE, 2, saved=(Saved("self", (1,), "float32", 4, 8, "freed"),)),
    ),
    "saved in memory that is not listed": (
        "trace.storage",
        lambda: with_node(WHOLE, 2, saved=(Saved("self", (1,), "float32", 4, None, "freed", 99),)),
    ),
    "gradient in memory that is not listed": ("trace.storage", lambda: with_edge(WHOLE, 0, storage=99)),
    "received in memory that is not listed": ("trace.storage", lambda: with_node(WHOLE, 2, received=(99,))),
    "finding on a missing node": ("trace.finding_node", lambda: replace(WHOLE, findings=(MISSING_FINDING,))),
    "check of a missing node": ("trace.check_node", lambda: replace(WHOLE, checks=Checks((NodeCheck(8, "equal", 0.0),)))),
    "update of a missing node": (
        "trace.update_node",
        lambda: replace(WHOLE, updates=(Update(8, "SGD", 0, note(1.0), None, note(1.0)),)),
    ),
    "tensor of a missing node": ("trace.tensor_node", lambda: replace(WHOLE, tensors={"n8.output0": StoredTensor("uint8", (), b"a")})),
    "tensor of a missing output": ("trace.tensor_node", lambda: replace(WHOLE, tensors={"n1.gradient1": StoredTensor("uint8", (), b"a")})),
    "tensor without a place": ("trace.tensor_node", lambda: replace(WHOLE, tensors={"weight": StoredTensor("uint8", (), b"a")})),
    "negative size": ("trace.note_shape", lambda: with_node(WHOLE, 0, outputs=(Note((-1,), "float32"),))),
    "too few values": ("trace.note_values", lambda: with_node(WHOLE, 0, outputs=(Note((2,), "float32", values=(1.0,)),))),
    "values nested too deeply": ("trace.note_values", lambda: with_node(WHOLE, 0, outputs=(Note((1,), "float32", values=((1.0,),)),))),
    "values of a scalar in a list": ("trace.note_values", lambda: with_node(WHOLE, 0, outputs=(Note((), "float32", values=(1.0,)),))),
    "a value where a row belongs": ("trace.note_values", lambda: with_node(WHOLE, 0, outputs=(Note((1, 1), "float32", values=(1.0,)),))),
    "more values than 64": ("trace.note_values", lambda: with_node(WHOLE, 0, outputs=(Note((65,), "float32", values=(1.0,) * 65),))),
    "negative count": ("trace.note_counts", lambda: with_node(WHOLE, 0, outputs=(replace(note([1.0]), nans=-1),))),
    "more zeros than elements": ("trace.note_counts", lambda: with_node(WHOLE, 0, outputs=(replace(note([1.0]), zeros=2),))),
    "more of all than elements": ("trace.note_counts", lambda: with_node(WHOLE, 0, outputs=(replace(note([1.0]), zeros=1, infs=1),))),
    "statistics of nothing": ("trace.note_empty", lambda: with_node(WHOLE, 0, outputs=(Note((0,), "float32", min=0.0),))),
    "a note of an edge": ("trace.note_values", lambda: with_edge(WHOLE, 1, gradient=Note((2,), "float32", values=(1.0,)))),
    "a note of an optimizer's state": (
        "trace.note_values",
        lambda: replace(WHOLE, updates=(replace(WHOLE.updates[0], state={"step": Note((2,), "float32", values=(1.0,))}),)),
    ),
    "gradient off by a value": ("trace.sum", lambda: with_gradient(note([-0.0817]))),
    "gradient nan, edges finite": ("trace.sum", lambda: with_gradient(note([math.nan]))),
    "gradient inf, edges finite": ("trace.sum", lambda: with_gradient(note([math.inf]))),
    "gradient finite, edge nan": ("trace.sum", lambda: with_edge(WHOLE, 4, gradient=note([math.nan]))),
    "wrong sign of inf": ("trace.sum", lambda: fan_out(note([math.inf]), note([-math.inf]))),
    "gradient out of nowhere": ("trace.sum_source", lambda: replace(WHOLE, edges=WHOLE.edges[:4] + WHOLE.edges[5:])),
    "gradient of another shape": ("trace.sum_shape", lambda: with_gradient(note([[-0.08166026324033737]]))),
    "leaf misses an edge": ("trace.sum", lambda: fan_out(note([5.0]), note([2.0]), note([2.0]))),
    "seed forgotten": ("trace.sum", lambda: fan_out(note([5.0]), note([5.0]), seed=note([1.0]))),
    "statistics off": ("trace.sum", lambda: fan_out(note([1.0] * 100), note([1.001] * 100))),
    "statistics nan": ("trace.sum", lambda: fan_out(note([math.nan] * 100), note([1.0] * 100))),
    "complex off": ("trace.sum", lambda: fan_out(Note((), "complex64", values="(1+2j)"), Note((), "complex64", values="(1+2.1j)"))),
}


@pytest.mark.parametrize(("key", "build"), BROKEN.values(), ids=BROKEN.keys())
def test_check_refuses(key: str, build: Callable[[], Trace]) -> None:
    """Each contradiction is refused with its own sentence, in both languages."""
    with pytest.raises(InvalidTrace) as caught:
        build().check()
    assert caught.value.key == key
    assert not [language for language in ("en", "ko") if "{" in caught.value.message(language)]


FINE: dict[str, Callable[[], Trace]] = {
    "no modules listed": lambda: replace(WHOLE, modules=()),
    "root is not named in a prefix": lambda: with_node(WHOLE, 5, module=""),
    "a hook replaced the gradient": lambda: replace(
        with_gradient(note([-0.04])), findings=(replace(WHOLE.findings[1], kind="replaced_gradient", node=4),)
    ),
    "no values, no statistics": lambda: with_gradient(NO_STATISTICS),
    "a note with a symbolic size": lambda: with_node(WHOLE, 0, outputs=(Note((2, "j1"), "float32", values=((1.0,), (2.0, 3.0))),)),
    "an empty note": lambda: with_node(WHOLE, 0, outputs=(note([]),)),
    "nothing flowed on one edge": lambda: replace(
        (both := fan_out(note([2.0]), note([2.0]), note([9.0]))), edges=(both.edges[0], replace(both.edges[1], gradient=None))
    ),
    "x*x": lambda: fan_out(note([4.0, 6.0]), note([2.0, 3.0]), note([2.0, 3.0])),
    "seed and edge": lambda: fan_out(note([6.0]), note([5.0]), seed=note([1.0])),
    "float32 rounding": lambda: fan_out(note([0.30000001192092896]), note([0.10000000149011612]), note([0.20000000298023224])),
    "bfloat16 rounding": lambda: fan_out(note([256.0], "bfloat16"), note([256.0], "bfloat16"), note([1.0], "bfloat16")),
    "float16 overflow": lambda: fan_out(note([math.inf], "float16"), note([60000.0], "float16"), note([60000.0], "float16")),
    "inf and -inf": lambda: fan_out(note([math.nan]), note([math.inf]), note([-math.inf])),
    "nan and nan": lambda: fan_out(note([math.nan]), note([math.nan]), note([1.0])),
    "statistics agree": lambda: fan_out(note([3.0, -1.0] * 50), note([1.0, -2.0] * 50), note([2.0, 1.0] * 50)),
    "statistics with nan": lambda: fan_out(note([math.nan] * 100), note([math.nan] + [1.0] * 99)),
    "statistics that cancel": lambda: fan_out(note([0.0] * 100), note([1e8] * 100), note([-1e8] * 100)),
    "complex": lambda: fan_out(
        Note((), "complex64", values="(2+4j)"), Note((), "complex64", values="(1+2j)"), Note((), "complex64", values="(1+2j)")
    ),
}


@pytest.mark.parametrize("build", FINE.values(), ids=FINE.keys())
def test_check_accepts(build: Callable[[], Trace]) -> None:
    """What is unusual but true passes."""
    build().check()


@pytest.mark.slow
def test_check_is_linear() -> None:
    """A trace of 100,000 nodes is checked in seconds, also one so deep."""
    trace = chain_trace(100_000)
    begin = time.perf_counter()
    trace.check()
    assert time.perf_counter() - begin < 10


def test_repr_says_what_it_is_in_a_few_lines() -> None:
    """First what it is; then leaves with their gradients, verdicts, findings, and what can be done; also where there is hardly any."""
    lines = repr(WHOLE).splitlines()
    assert lines[0] == WHOLE.outline() == "<Trace 'logistic_neuron': 8 nodes, 7 edges, 3 findings, loss 0.0851879, pass 1 of 1>"
    assert "  cell.scale.w: 1 float32, gradient norm 0.08983" in lines
    assert any(line.startswith("  Warning: ") for line in lines)
    assert "next: " in lines[-1]
    checked = repr(replace(WHOLE, checks=Checks((NodeCheck(7, "equal", 0.0), NodeCheck(5, "skipped", None, "packed")))))
    assert "  verified nodes: 1 equal, 1 not checked" in checked.splitlines()
    bare = replace(chain_trace(1), loss=None, partial=True)
    assert repr(bare).splitlines()[0] == "<Trace 'chain': 2 nodes, 1 edges, 0 findings, pass 1 of 1, partial>"
    assert "structure only" in repr(replace(bare, backward=()))


def test_notebook_shows_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook a trace is the player, or its picture where no HTML is shown."""
    drawing = ModuleType("explorer.export")
    drawing.svg_text = lambda trace, **view: f"<svg>{trace.title}</svg>"  # type: ignore[attr-defined]
    drawing.notebook_text = lambda trace: f"<iframe>{trace.title}</iframe>"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "explorer.export", drawing)
    assert WHOLE._repr_svg_() == "<svg>logistic_neuron</svg>"
    assert WHOLE._repr_html_() == "<iframe>logistic_neuron</iframe>"


def test_notebook_falls_back_to_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can draw, a notebook shows the words of `repr`, harmless as HTML."""
    monkeypatch.setitem(sys.modules, "explorer.export", None)
    trace = replace(WHOLE, title="<script>")
    assert trace._repr_svg_() is None
    assert trace._repr_html_().startswith("<pre>&lt;Trace &#x27;&lt;script&gt;&#x27;")


@pytest.mark.parametrize("part", [WHOLE.nodes[5], WHOLE.edges[1], WHOLE.nodes[5].outputs[0], WHOLE.nodes[5].saved[0], WHOLE.nodes[5].time])
def test_parts_made_quickly_are_frozen_dataclasses(part: Any) -> None:
    """The many small parts are made in a shorter way than dataclasses are, and are the same for all that: frozen, with slots, defaults,
    keywords, equality, copies and a pickle of their own class."""
    named = {one.name: getattr(part, one.name) for one in fields(part)}
    again = [type(part)(**named), type(part)(*named.values()), replace(part), copy.copy(part), copy.deepcopy(part)]
    again.append(pickle.loads(pickle.dumps(part)))
    for other in again:
        assert type(other) is type(part)
        assert other == part and hash(other) == hash(part) and repr(other) == repr(part)
        assert not hasattr(other, "__dict__")
        with pytest.raises(FrozenInstanceError):
            setattr(other, next(iter(named)), None)
    with pytest.raises(TypeError, match="__init__"):
        type(part)(*named.values(), 1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        type(part)(**named, more=1)
    assert Note((1,), "float32").device == "cpu" and Time().forward is None


def test_what_is_mostly_equal_is_kept_once() -> None:
    """Nodes, notes and edges of one kind share what says so; each keeps what is its own, and no field takes another's type."""
    trace = chain_trace(50)
    one = trace.nodes[10]
    other = replace(trace.nodes[20], formula=one.formula)
    assert one._shared is other._shared and one.id != other.id  # type: ignore[attr-defined]
    assert sys.getsizeof(one) < 8 * len(fields(one))
    changed = replace(one, op="add")
    assert changed.op == "add" and one.op == "neg" and changed != one
    many = [Note((number,), "float32", nans=number) for number in range(5000)]
    assert [(note.shape, note.nans) for note in many] == [((number,), number) for number in range(5000)]
    formulas = [Formula("a", "explorer"), Formula("b", "explorer")]
    assert [replace(one, formula=formula).formula for formula in formulas] == formulas


def test_a_loaded_chain_takes_less_than_a_kilobyte_a_node(tmp_path: Path) -> None:
    """What a trace of a long chain of vectors takes once it is read, whatever makes the rest of a recording large."""
    plain = chain_trace(2000)
    nodes = []
    for node in plain.nodes:
        figures = [float(node.id + at) for at in (0.25, 0.75)]
        value, gradient = (Note((4,), "float32", "cpu", one, one, one, 0.0, 2 * one, 0, 0, 0, (one,) * 4) for one in figures)
        saved = (Saved("other", (), "float64", 8, None, "freed", max(0, node.id - 1)),)
        time = Time(node.id % 90 / 8, node.id % 70 / 8)
        nodes.append(replace(node, outputs=(value,), gradients=(gradient,), saved=saved, time=time))
    edges = [replace(edge, gradient=nodes[edge.source].gradients[0], storage=2002 + edge.source) for edge in plain.edges]
    save(replace(plain, nodes=tuple(nodes), edges=tuple(edges), storages=(8,) * 4_100), tmp_path / "a.trace")
    load(tmp_path / "a.trace")  # whatever is imported or remembered for the first time
    gc.collect()
    tracemalloc.start()
    try:
        trace = load(tmp_path / "a.trace")
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] / len(trace.nodes) < 1000
    finally:
        tracemalloc.stop()
