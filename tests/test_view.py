"""Which boxes show, what they stand for, and which arrows run between them."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import pytest

from explorer.errors import RequestError
from explorer.model import Edge, Module, Trace
from explorer.palette import measures
from explorer.places import forget, places_of
from explorer.standing import MOST_REMEMBERED, MOST_STATES
from explorer.view import MOST, View, closed, make_view
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace


def nested_trace(*, blocks: int, ops: int) -> Trace:
    """A chain of ops in `blocks` modules "h.0", "h.1", … of a ModuleList, `ops` in each, one level deeper in its "body"."""
    chain = chain_trace(blocks * ops)
    modules = [Module("", "Net", None, 0), Module("h", "ModuleList", "", 0)]
    for block in range(blocks):
        modules += [Module(f"h.{block}", "Block", "h", 0), Module(f"h.{block}.body", "Body", f"h.{block}", 0)]
    nodes = [replace(node, module=f"h.{(node.id - 1) // ops}.body" if node.id else "") for node in chain.nodes]
    return replace(chain, modules=tuple(modules), nodes=tuple(nodes))


def residual_trace(*, blocks: int, ops: int) -> Trace:
    """The same, with the third op of each block reading the first as well: no module is a mere chain."""
    trace = nested_trace(blocks=blocks, ops=ops)
    skips = [Edge(1 + block * ops, 0, 3 + block * ops, 1, None, True) for block in range(blocks)]
    return replace(trace, edges=tuple(sorted([*trace.edges, *skips], key=lambda edge: edge.target)))


def cover(view: View) -> list[int]:
    """The nodes of all boxes, in order."""
    return sorted(node for box in view.boxes for node in box.nodes)


TRACES = {
    "empty": replace(dummy_trace(), nodes=(), edges=(), forward=(), backward=()),
    "neuron": dummy_trace(),
    "modules": dummy_trace(modules=True, updates=True, findings=True),
    "nonfinite": nonfinite_trace(),
    "chain of 60": chain_trace(59),
    "chain of 61": chain_trace(60),
    "long chain": chain_trace(5000),
    "12 blocks": nested_trace(blocks=12, ops=57),
    "70 blocks": nested_trace(blocks=70, ops=3),
    "1000 blocks": nested_trace(blocks=1000, ops=2),
}


@pytest.mark.parametrize("name", list(TRACES))
def test_at_most_60_boxes_by_default(name: str) -> None:
    """Whatever the shape of the program, at most 60 boxes show, and every node is in exactly one of them."""
    trace = TRACES[name]
    view = make_view(trace)
    assert len(view.boxes) <= MOST
    assert cover(view) == list(range(len(trace.nodes)))
    assert all(node in box.nodes for box in view.boxes for node in box.nodes if view.box_of[node] == box.id)


@pytest.mark.parametrize("name", list(TRACES))
def test_everything_open_shows_every_node(name: str) -> None:
    """`expand="all"` shows each node as a box of its own."""
    view = make_view(TRACES[name], expand="all")
    assert [box.id for box in view.boxes] == [f"n{node.id}" for node in TRACES[name].nodes]


@pytest.mark.parametrize("name", list(TRACES))
@pytest.mark.parametrize("options", [{}, {"depth": 1}, {"expand": "all"}])
def test_arrows_stand_for_every_edge_between_boxes(name: str, options: dict[str, Any]) -> None:
    """Each edge whose ends show in different boxes is in exactly one arrow, and the arrow joins these boxes."""
    trace = TRACES[name]
    view = make_view(trace, **options)
    crossing = [n for n, edge in enumerate(trace.edges) if view.box_of[edge.source] != view.box_of[edge.target]]
    assert sorted(number for arrow in view.arrows for number in arrow.edges) == crossing
    for arrow in view.arrows:
        for edge in (trace.edges[number] for number in arrow.edges):
            assert (view.box_of[edge.source], view.box_of[edge.target]) == (arrow.source, arrow.target)


def test_the_deepest_level_that_fits_is_shown() -> None:
    """12 blocks fit closed (13 boxes); 6 blocks of 8 ops fit fully open (49)."""
    assert {box.kind for box in make_view(TRACES["12 blocks"]).boxes if box.id != "n0"} == {"module"}
    assert len(make_view(nested_trace(blocks=6, ops=8)).boxes) == 49


def test_depth_opens_so_many_levels() -> None:
    """Depth 0 closes the outermost modules, depth 1 opens them, and so on."""
    trace = nested_trace(blocks=3, ops=2)
    assert [box.id for box in make_view(trace, depth=0).boxes] == ["n0", "m2", "m4", "m6"]
    opened = make_view(trace, depth=1)
    assert [box.id for box in opened.boxes] == ["n0", "m3", "m5", "m7"]
    assert [(cluster.id, cluster.parent) for cluster in opened.clusters] == [(f"cluster_m{n}", None) for n in (2, 4, 6)]
    deepest = make_view(trace, depth=2)
    assert {box.cluster for box in deepest.boxes} == {None, "cluster_m3", "cluster_m5", "cluster_m7"}


def test_lists_of_modules_are_looked_through() -> None:
    """A ModuleList is never called, so it is no box; what is in it reads "h.3", and a child of that reads "body"."""
    view = make_view(nested_trace(blocks=4, ops=2), depth=0)
    assert "m1" not in {box.id for box in view.boxes}
    assert view.labels[2:4] == ("h.0", "body")


def test_a_long_level_is_folded_into_neighbours() -> None:
    """Segments hold neighbours only, keep to the period of the level, and leave the loss by itself."""
    trace = chain_trace(5000)
    view = make_view(trace)
    assert (view.boxes[0].nodes, view.boxes[-1].nodes) == ((0,), (5000,))
    for box in view.boxes[1:-1]:
        assert box.kind == "segment"
        assert list(box.nodes) == list(range(box.nodes[0], box.nodes[-1] + 1))
    assert all(int(arrow.source[1:]) < int(arrow.target[1:]) for arrow in view.arrows)


def test_two_uses_of_one_tensor_stay_two_arrows() -> None:
    """In `x*x` both edges show: each has a contribution of its own. Into a closed box they are one arrow of one value."""
    trace = dummy_trace(modules=True)
    twice = replace(trace, edges=(*trace.edges[:1], Edge(1, 0, 2, 0, None, True), *trace.edges[1:]))
    arrows = [arrow for arrow in make_view(twice, expand="all").arrows if (arrow.source, arrow.target) == ("n1", "n2")]
    assert len(arrows) == 2
    doubled = replace(trace, edges=(*trace.edges, replace(trace.edges[-2], input=1)))
    bundle = next(arrow for arrow in make_view(doubled, depth=0).arrows if arrow.source == "m4")
    assert (len(bundle.edges), bundle.values) == (2, 1)


def test_focus_shows_the_neighbourhood() -> None:
    """`focus` keeps what is at most `hops` edges away, and the node in focus is never folded or inside a closed module."""
    assert cover(make_view(dummy_trace(), focus=4)) == [2, 3, 4, 5]
    assert cover(make_view(dummy_trace(), focus=4, hops=0)) == [4]
    assert cover(make_view(dummy_trace(), focus=4, hops=2)) == [0, 1, 2, 3, 4, 5, 7]
    far = make_view(chain_trace(5000), focus=2500, hops=400)
    assert far.box_of[2500] == "n2500"
    assert len(far.boxes) <= MOST
    inside = make_view(TRACES["12 blocks"], focus=100, hops=9999, depth=0)
    assert inside.box_of[100] == "n100"


def test_paths_between_two_nodes() -> None:
    """`between` keeps what depends on one of two nodes and leads to the other, whichever is named first; without a path it is refused."""
    assert cover(make_view(dummy_trace(), between=(3, 7))) == [3, 4, 5, 7]
    assert cover(make_view(dummy_trace(), between=(7, 1))) == [1, 2, 4, 5, 7]
    with pytest.raises(RequestError, match="No path"):
        make_view(dummy_trace(), between=(0, 3))


def test_what_reaches_a_parameter() -> None:
    """`reaching` keeps what a gradient passes through on its way to a node: from w the mul, add, sigmoid and the loss."""
    assert cover(make_view(dummy_trace(), reaching=1)) == [1, 2, 4, 5, 7]
    assert cover(make_view(dummy_trace(), reaching=6)) == [6]  # the label: its edge carries no gradient
    assert cover(make_view(dummy_trace(), reaching=1, between=(4, 5))) == [4, 5]


def test_only_where_a_gradient_flows() -> None:
    """`only="gradient"` leaves out the constants; a trace without gradients has nothing to show and says so."""
    assert cover(make_view(dummy_trace(), only="gradient")) == [1, 2, 3, 4, 5, 7]
    bare = replace(dummy_trace(), nodes=tuple(replace(node, gradients=(None,), seeds=(None,)) for node in dummy_trace().nodes))
    with pytest.raises(RequestError, match="Nothing is left"):
        make_view(bare, only="gradient")


def test_only_one_class_of_modules() -> None:
    """`only` with a class shows its modules, closed, in the modules around them; a class that did not run is refused with a list."""
    trace = dummy_trace(modules=True)
    places = places_of(trace)
    classes = [trace.modules[frame.module].class_name for frame in places.frames]
    for name in sorted(set(classes)):
        shown = make_view(trace, only=name)
        inside = [node for node, chain in enumerate(places.chains) if any(classes[frame] == name for frame in chain)]
        assert cover(shown) == inside
    with pytest.raises(RequestError, match="gradient, "):
        make_view(trace, only="Transformer")


def test_an_open_module_parts_a_row() -> None:
    """Equal modules before and after an open one are two cards, so that nothing stands both before and after what it flows through."""
    shown = make_view(nested_trace(blocks=12, ops=10), depth=0, opened=("h.5",), compact=True)
    cards = [box for box in shown.boxes if box.card]
    assert [box.card for box in cards] == [5, 6]
    inside = next(cluster.id for cluster in shown.clusters)
    first, last = (min(box.nodes) for box in cards)
    assert all(first < node < last for box in shown.boxes if box.cluster == inside for node in box.nodes)


def test_the_collector_is_left_as_it_was() -> None:
    """On stays on and off stays off, also where a view is refused."""
    try:
        for wanted in (True, False):
            (gc.enable if wanted else gc.disable)()
            make_view(dummy_trace())
            with pytest.raises(RequestError):
                make_view(dummy_trace(), focus=99)
            assert gc.isenabled() == wanted
    finally:
        gc.enable()


def test_modules_are_opened_by_their_path() -> None:
    """`opened` takes paths as well as ids, and opens what is around; a path that does not exist is refused."""
    trace = TRACES["12 blocks"]
    inside = next(module.path for module in trace.modules if module.path.count(".") >= 1)
    shown = make_view(trace, depth=0, opened=(inside,))
    opened = {trace.modules[cluster.module].path for cluster in shown.clusters if cluster.module is not None}
    assert inside in opened
    with pytest.raises(RequestError, match="no module"):
        make_view(trace, opened=("h.99",))


@pytest.mark.parametrize(
    "options",
    [
        {"between": (1,)}, {"between": (1, 99)}, {"between": 3}, {"reaching": 99}, {"reaching": -1}, {"only": "Nothing"},
        {"opened": ("nowhere",)},
        {"depth": -1}, {"depth": True}, {"depth": "2"}, {"hops": -1}, {"step": -1}, {"expand": "some"}, {"direction": "up"},
        {"flow": "left"},
        {"overlay": "beauty"}, {"language": "xx"}, {"theme": "sepia"}, {"focus": 8}, {"focus": -1}, {"focus": "loss"},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    """An option that does not exist gets one sentence in both languages that names what there is."""
    with pytest.raises(RequestError) as caught:
        make_view(dummy_trace(), **options)
    assert caught.value.message("ko") != caught.value.message("en")


def test_focus_on_nothing_is_refused() -> None:
    """A trace without nodes says so when a focus is asked for."""
    with pytest.raises(RequestError, match="no nodes"):
        make_view(TRACES["empty"], focus=0)


def test_the_collapsed_view_keeps_the_options() -> None:
    """What is drawn instead of a picture that took too long differs in depth only, and says that it does."""
    view = make_view(TRACES["12 blocks"], expand="all", direction="backward", theme="dark", language="ko", overlay="value")
    simpler = closed(view)
    assert simpler.simplified
    assert len(simpler.boxes) <= MOST
    assert (simpler.direction, simpler.theme, simpler.language, simpler.overlay) == ("backward", "dark", "ko", "value")


def test_overlays_measure() -> None:
    """RMS of values and gradients, µs, bytes kept; None where nothing is known, nan where a NaN was met."""
    trace = dummy_trace()
    assert measures(make_view(trace, overlay="value"))["n2"] == pytest.approx(2.42)
    assert measures(make_view(trace, overlay="gradient"))["n1"] == pytest.approx(0.0898263)
    assert measures(make_view(trace, overlay="gradient"))["n0"] is None
    assert measures(make_view(trace, overlay="time"))["n5"] == 20.75
    assert measures(make_view(trace, overlay="memory")) == {f"n{n}": (4.0 if n in (0, 5) else None) for n in range(8)}
    assert measures(make_view(trace, overlay="value", values=()))["n2"] is None
    odd = measures(make_view(nonfinite_trace(), overlay="value"))
    assert odd["n1"] != odd["n1"]


def test_modules_that_contradict_the_tree_still_show() -> None:
    """A node in a module that is not listed, or whose parents go round in a ring, is still shown: never lost."""
    ring = (Module("a", "A", "b", 0), Module("b", "B", "a", 0))
    trace = dummy_trace()
    nodes = [replace(node, module=("a", "nowhere", "b")[node.id % 3]) for node in trace.nodes]
    assert cover(make_view(replace(trace, modules=ring, nodes=tuple(nodes)))) == list(range(8))


@pytest.mark.parametrize("name", ["long chain", "12 blocks", "1000 blocks", "modules"])
@pytest.mark.parametrize("compact", [True, False])
def test_what_was_remembered_changes_nothing(name: str, compact: bool) -> None:
    """However many views of a trace were made before, the next is what it is for a trace that nobody has looked at."""
    trace = TRACES[name]
    opened: tuple[str, ...] = ()
    forget()
    for turn in range(6):
        view = make_view(trace, opened=opened, compact=compact)
        make_view(trace, focus=len(trace.nodes) // 2, hops=3, compact=compact)
        make_view(trace, expand="all", compact=compact)
        forget()
        assert view == make_view(trace, opened=opened, compact=compact)
        closed_ones = [box.id for box in view.boxes if box.kind != "node"]
        if closed_ones:
            opened = (*opened, closed_ones[turn % len(closed_ones)])


def test_little_is_remembered_of_a_large_trace() -> None:
    """The states kept with a trace are few, and the fewer the larger it is."""
    forget()
    trace = nested_trace(blocks=12, ops=5)
    for block in range(12):
        make_view(trace, depth=0, opened=[f"h.{block}"])
    assert len(places_of(trace).known["states"]) == MOST_STATES
    large = chain_trace(60_000)
    for node in range(5):
        make_view(large, focus=node)
        make_view(large, depth=node)
    assert len(places_of(large).known["states"]) * len(large.nodes) <= MOST_REMEMBERED
