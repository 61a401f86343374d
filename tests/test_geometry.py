"""Pictures hold together: nothing overlaps, nothing leaves its frame, no line runs through a foreign box, every line ends at its boxes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.files import assets_folder, load
from explorer.model import Edge, Module, Trace
from explorer.picture import placing
from explorer.picture.chains import chained
from explorer.picture.composing import Rect
from explorer.picture.drawing import Sketch, sketch, svg
from explorer.picture.geometry import Edge as PlacedEdge
from explorer.picture.geometry import Frame, Spec
from explorer.view import make_view
from tests.dummy import chain_trace, dummy_trace
from tests.test_view import nested_trace

CLOSE = 3.0  # points


def skipping_trace(*, depth: int, width: int) -> Trace:
    """A U-Net without modules: down `depth` levels and up again, the way up reading what the way down made; each level `width` ops."""
    trace = chain_trace(2 * depth * width)
    skips = []
    for level in range(depth):
        source, target = (level + 1) * width, (2 * depth - level - 1) * width + 1
        if source < target:
            skips.append(Edge(source, 0, target, 1, None, True))
    return replace(trace, edges=tuple(sorted([*trace.edges, *skips], key=lambda edge: edge.target)))


def fan_trace(*, readers: int) -> Trace:
    """One value read by many ops, all of which the last op reads: a router and its experts."""
    trace = chain_trace(readers + 2)
    edges = [Edge(0, 0, 1, 0, None, True)]
    edges += [Edge(1, 0, 2 + number, 0, None, True) for number in range(readers)]
    edges += [Edge(2 + number, 0, readers + 2, number, None, True) for number in range(readers)]
    return replace(trace, edges=tuple(edges))


def loop_trace(*, turns: int, within: str = "") -> Trace:
    """A value that each turn of a loop reads, in a module of its own if one is named."""
    trace = chain_trace(turns)
    edges = [*trace.edges, *(Edge(0, 0, turn, 1, None, True) for turn in range(2, turns))]
    trace = replace(trace, edges=tuple(sorted(edges, key=lambda edge: edge.target)))
    return in_modules(trace, ["", *[within] * (len(trace.nodes) - 1)]) if within else trace


def in_modules(trace: Trace, paths: list[str]) -> Trace:
    """The trace with its ops in these modules, "" for none."""
    known = {"": Module("", "Net", None, 0)}
    for path in paths:
        parts = path.split(".") if path else []
        for length in range(1, len(parts) + 1):
            here, parent = ".".join(parts[:length]), ".".join(parts[: length - 1])
            known.setdefault(here, Module(here, "Part", parent, 0))
    nodes = [node if node.is_leaf else replace(node, module=path) for node, path in zip(trace.nodes, paths, strict=True)]
    return replace(trace, modules=tuple(known.values()), nodes=tuple(nodes))


def sample(name: str) -> Trace:
    """A recorded example."""
    return load(assets_folder() / "samples" / f"{name}.trace")


def faults(drawn: Sketch) -> Iterator[str]:
    """Everything that is wrong with the geometry of a picture."""
    view, placed = drawn.view, drawn.placed
    cluster_of: dict[str, str | None] = {box.id: box.cluster for box in view.boxes if not box.hosts}
    cluster_of |= {cluster.id: cluster.parent for cluster in view.clusters}
    everything = {**placed.boxes, **placed.clusters}
    around: dict[str | None, list[str]] = {}
    for name, parent in cluster_of.items():
        around.setdefault(parent, []).append(name)
        frame = Rect(0, 0, placed.width, placed.height) if parent is None else placed.clusters[parent]
        if not _inside(everything[name], frame):
            yield f"{name} leaves {parent}"
    for names in around.values():
        for one, other in itertools.combinations(names, 2):
            if _overlap(everything[one], everything[other], -0.5):
                yield f"{one} overlaps {other}"
    near = _Near(everything)
    hosts = {box.id: box.hosts[0] if box.hosts else box.id for box in view.boxes}
    for number, points in placed.arrows.items():
        arrow = view.arrows[number]
        ends = [hosts[arrow.source], hosts[arrow.target]]
        for name, point in zip(ends, (points[0], points[-1]), strict=True):
            if _distance(point, everything[name]) > CLOSE:
                yield f"{arrow.id} ends {_distance(point, everything[name]):.1f} from {name}"
        own = {*ends, *(frame for name in ends for frame in _frames(name, cluster_of))}
        through = {name for a, b in itertools.pairwise(points) for name in near.of(a, b) if _through(a, b, everything[name])}
        for name in sorted(through - own):
            yield f"{arrow.id} runs through {name}"
    for name, (x, y) in placed.titles.items():
        if not _inside(Rect(x, y - 5, drawn.titles[name].width, 10), placed.clusters[name]):
            yield f"the title of {name} leaves it"


class _Near:
    """Rectangles by the squares of a grid, so that a line is held only against those that it may meet."""

    SIDE = 200.0

    def __init__(self, rects: Mapping[str, Rect]) -> None:
        self.squares: dict[tuple[int, int], list[str]] = {}
        for name, rect in rects.items():
            for square in self._squares(rect.x, rect.x + rect.width, rect.y, rect.y + rect.height):
                self.squares.setdefault(square, []).append(name)

    def of(self, one: tuple[float, float], other: tuple[float, float]) -> set[str]:
        """The rectangles near a stretch."""
        (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
        return {name for square in self._squares(left, right, top, bottom) for name in self.squares.get(square, ())}

    def _squares(self, left: float, right: float, top: float, bottom: float) -> Iterator[tuple[int, int]]:
        return itertools.product(
            range(int(left // self.SIDE), int(right // self.SIDE) + 1), range(int(top // self.SIDE), int(bottom // self.SIDE) + 1)
        )


def _frames(name: str, cluster_of: dict[str, str | None]) -> Iterator[str]:
    parent = cluster_of[name]
    while parent is not None:
        yield parent
        parent = cluster_of[parent]


def _inside(one: Rect, other: Rect) -> bool:
    return (
        one.x >= other.x - 0.6
        and one.y >= other.y - 0.6
        and one.x + one.width <= other.x + other.width + 0.6
        and one.y + one.height <= other.y + other.height + 0.6
    )


def _overlap(one: Rect, other: Rect, room: float) -> bool:
    across = one.x < other.x + other.width + room and other.x < one.x + one.width + room
    return across and one.y < other.y + other.height + room and other.y < one.y + one.height + room


def _distance(point: tuple[float, float], rect: Rect) -> float:
    across = max(rect.x - point[0], 0, point[0] - rect.x - rect.width)
    along = max(rect.y - point[1], 0, point[1] - rect.y - rect.height)
    return float(max(across, along))


def _through(one: tuple[float, float], other: tuple[float, float], rect: Rect) -> bool:
    """Whether a stretch runs through a rectangle, a point and a half inside its border."""
    start, end = 0.0, 1.0
    sides = ((one[0], other[0], rect.x, rect.x + rect.width), (one[1], other[1], rect.y, rect.y + rect.height))
    for begin, finish, low, high in sides:
        low, high, way = low + 1.5, high - 1.5, finish - begin
        if abs(way) < 1e-9:
            if not low < begin < high:
                return False
            continue
        near, far = sorted(((low - begin) / way, (high - begin) / way))
        start, end = max(start, near), min(end, far)
    return start < end


PICTURES: dict[str, tuple[Trace, dict[str, Any]]] = {
    "neuron": (dummy_trace(), {}),
    "neuron in modules": (dummy_trace(modules=True), {"expand": "all"}),
    "12 blocks": (nested_trace(blocks=12, ops=10), {"expand": "all"}),
    "chain of 5000": (chain_trace(5000), {}),
    "chain of 3000, all open": (chain_trace(3000), {"expand": "all"}),
    "U-Net": (skipping_trace(depth=5, width=3), {"expand": "all"}),
    "a long U-Net": (skipping_trace(depth=20, width=5), {"expand": "all"}),
    "a loop that reads one value": (loop_trace(turns=40), {"depth": 9}),
    "a loop in a module": (loop_trace(turns=40, within="a"), {"depth": 9}),
    "a long loop": (loop_trace(turns=2000), {"expand": "all"}),
    "experts": (fan_trace(readers=16), {}),
    "a fan of 1000": (fan_trace(readers=1000), {"expand": "all"}),
    "GPT-2": (sample("gpt2"), {}),
    "GPT-2, blocks listed": (sample("gpt2"), {"depth": 2, "opened": ("s3", "m5")}),
    "GPT-2, all open": (sample("gpt2"), {"expand": "all"}),
    "LSTM": (sample("lstm"), {"expand": "all"}),
    "CNN": (sample("cnn"), {}),
}


@pytest.mark.parametrize("flow", ["down", "right"])
@pytest.mark.parametrize("name", list(PICTURES))
def test_pictures_hold_together(name: str, flow: str) -> None:
    """No overlap, nothing outside its frame, no line through a foreign box, no loose end, in either direction."""
    trace, options = PICTURES[name]
    assert list(faults(sketch(make_view(trace, flow=flow, **options), caption=False))) == []


def test_the_check_of_geometry_can_fail() -> None:
    """A box moved onto another is found out."""
    drawn = sketch(make_view(dummy_trace()), caption=False)
    boxes = dict(drawn.placed.boxes)
    boxes["n5"] = boxes["n2"]
    assert list(faults(replace(drawn, placed=replace(drawn.placed, boxes=boxes))))


@pytest.mark.parametrize("within", ["", "a"])
def test_a_value_that_a_loop_reads_runs_down_one_lane(within: str) -> None:
    """All turns but the first take it from one lane beside them, and Graphviz is not asked for these lines."""
    view = make_view(loop_trace(turns=40, within=within), depth=9)
    drawn = sketch(view, caption=False)
    assert list(faults(drawn)) == []
    read = [number for number, arrow in enumerate(view.arrows) if arrow.source == "n0" and arrow.target not in ("n1", "n2")]
    lanes = {max(u for u, _ in drawn.placed.arrows[number]) for number in read}
    assert len(read) > 30 and len(lanes) == 1 and lanes.pop() > max(box.x + box.width for box in drawn.placed.boxes.values())


@pytest.mark.parametrize("flow", ["down", "right"])
@pytest.mark.parametrize("name", ["12 blocks", "chain of 3000, all open"])
def test_a_chain_needs_no_graphviz(name: str, flow: str) -> None:
    """Things one after the other stand in a row, lines straight, and nobody is asked."""
    trace, options = PICTURES[name]
    placing.forget()
    with patch.object(placing, "place", side_effect=AssertionError("asked")):
        drawn = sketch(make_view(trace, flow=flow, **options), caption=False)
    assert list(faults(drawn)) == []


def test_a_chain_of_frames_does_not_drift() -> None:
    """Frames whose lines come in on one side and leave on the other stand under each other all the same."""
    frames = [Frame((20.0,), (180.0 + number,)) for number in range(12)]
    edges = [PlacedEdge(-1, 0, 0, 0, 3), *(PlacedEdge(number, 0, number + 1, 0, 3) for number in range(11)), PlacedEdge(11, 0, -1, 0, 3)]
    found = chained(Spec(((200.0, 50.0),) * 12, tuple(frames), 1, 1, tuple(edges), (13.0, 17.0)))
    assert found is not None and found.width == 200.0
    assert found.into == (20.0,) and found.out == (191.0,)
    for number, line in enumerate(found.lines[1:-1]):
        assert line[0] == (180.0 + number, found.at[number][1] + 50) and line[-1] == (20.0, found.at[number + 1][1])


@pytest.mark.parametrize(
    "edges", [((0, 1), (1, 2), (0, 2)), ((0, 1), (0, 2)), ((0, 1), (1, 0)), ((1, 2), (2, 1)), ((0, 1),), ((-1, 0), (0, 1), (1, 2))]
)
def test_what_is_no_chain_is_left_to_graphviz(edges: tuple[tuple[int, int], ...]) -> None:
    """A fork, a ring, a thing beside the others, a port that is not there."""
    spec = Spec(((50.0, 20.0),) * 3, (None,) * 3, 0, 0, tuple(PlacedEdge(tail, 0, head, 0, 3) for tail, head in edges), (13.0, 17.0))
    assert chained(spec) is None


def test_where_a_lane_cannot_be_drawn_graphviz_draws_every_line() -> None:
    """A bus is left out where something is in its way; the picture is the one without it."""
    view = make_view(loop_trace(turns=40), depth=9)
    for way in ("buses_of", "with_buses"):
        placing.forget()
        with patch.object(placing, way, return_value=None):
            drawn = sketch(view, caption=False)
        assert list(faults(drawn)) == []
        assert len({max(u for u, _ in points) for points in drawn.placed.arrows.values()}) > 10
    placing.forget()


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Ops that read any before them, in modules three deep that come and go as they like."""
    count = draw(st.integers(1, 40))
    trace = chain_trace(count)
    total = len(trace.nodes)
    edges = []
    for target in range(1, total):
        sources = draw(st.lists(st.integers(max(0, target - draw(st.sampled_from([1, 3, 40]))), target - 1), min_size=1, max_size=3))
        edges += [Edge(source, 0, target, number, None, True) for number, source in enumerate(sources)]
    words = st.sampled_from(["", "a", "a.b", "a.b.c", "b", "b.a", "c.list.0", "c.list.1"])
    return in_modules(replace(trace, edges=tuple(edges)), [draw(words) for _ in range(total)])


@given(
    trace=traces(),
    flow=st.sampled_from(["down", "right"]),
    compact=st.booleans(),
    deep=st.sampled_from([0, 1, 9]),
    most=st.sampled_from([4, 60]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_graphs_hold_together(trace: Trace, flow: Any, compact: bool, deep: int, most: int) -> None:
    """Whatever ops read and wherever they stand, folded or not: the picture holds together, and is the same each time."""
    with patch.multiple("explorer.view", MOST=most, LEVEL=most):
        view = make_view(trace, flow=flow, compact=compact, **({"expand": "all"} if deep == 9 else {"depth": deep}))
    assert sorted(view.box_of) == list(range(len(trace.nodes)))
    drawn = sketch(view, caption=True)
    assert list(faults(drawn)) == []
    placing._memory.known.clear()
    assert svg(drawn) == svg(sketch(view, caption=True))
