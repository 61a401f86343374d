"""A scope laid out without Graphviz: there is always a picture."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.picture.geometry import Edge, Placement, Point, Spec

__all__ = ["column"]


def column(spec: Spec) -> Placement:
    """Things under each other, lines between neighbours straight, all others in lanes of their own to the right."""
    gap = max(spec.apart[1], 18.0)
    widest = max([width for width, _ in spec.sizes], default=0.0)
    most = max(spec.into, spec.out, 1)
    widest = max(widest, 8.0 * most)
    v, at = 0.0 if not spec.into else gap, []
    for width, height in spec.sizes:
        at.append(((widest - width) / 2, v))
        v += height + gap
    bottom = v if spec.out else v - gap if spec.sizes else 0.0
    into = tuple(widest * (number + 1) / (spec.into + 1) for number in range(spec.into))
    out = tuple(widest * (number + 1) / (spec.out + 1) for number in range(spec.out))
    lane = widest + 10.0
    lines: list[tuple[Point, ...]] = []
    labels: list[Point | None] = []
    for number, edge in enumerate(spec.edges):
        start, end = _start(spec, edge, at, into), _finish(spec, edge, at, out, bottom)
        share = 0.25 + 0.5 * ((number * 7) % 11) / 10  # so that lines in one gap lie apart
        if edge.head == edge.tail + 1 and edge.tail >= 0:
            turn = start[1] + (end[1] - start[1]) * share
            lines.append((start, (start[0], turn), (end[0], turn), end))
        else:
            down, up = start[1] + gap * 0.5 * share, end[1] - gap * 0.5 * share
            lines.append((start, (start[0], down), (lane, down), (lane, up), (end[0], up), end))
            lane += 6.0
        labels.append(None if edge.label is None else (lines[-1][-2][0] + edge.label[0] / 2 + 4, end[1] - 8))
    return Placement(max(lane, widest), bottom, tuple(at), tuple(lines), tuple(labels), into, out)


def _start(spec: Spec, edge: Edge, at: Sequence[Point], into: Sequence[float]) -> Point:
    if edge.tail < 0:
        return into[edge.tail_port], 0.0
    (u, v), (width, height), frame = at[edge.tail], spec.sizes[edge.tail], spec.frames[edge.tail]
    return (u + (frame.out[edge.tail_port] if frame is not None else width / 2), v + height)


def _finish(spec: Spec, edge: Edge, at: Sequence[Point], out: Sequence[float], bottom: float) -> Point:
    if edge.head < 0:
        return out[edge.head_port], bottom
    (u, v), (width, _), frame = at[edge.head], spec.sizes[edge.head], spec.frames[edge.head]
    return (u + (frame.into[edge.head_port] if frame is not None else width / 2), v)
