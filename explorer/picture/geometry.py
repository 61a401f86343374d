"""A scope as geometry: what is asked of a layout, and what it answers.

Everything is in the direction of flow: u runs across it, v along it, in points, from the top left.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Edge", "Frame", "Placement", "Point", "Spec"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where lines cross the border of an open frame: u of each port at its beginning and at its end."""

    into: tuple[float, ...]
    out: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from thing number `tail` to `head` (-1: a port of the scope itself), each with the number of the port that is meant."""

    tail: int
    tail_port: int
    head: int
    head_port: int
    weight: int
    label: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A scope as geometry: sizes of its things, which of them are frames, how many values go in and out, its edges; `apart` are the gaps
    across and along the flow. A `whole` one is not set in columns: a frame in it already is."""

    sizes: tuple[Point, ...]
    frames: tuple[Frame | None, ...]
    into: int
    out: int
    edges: tuple[Edge, ...]
    apart: tuple[float, float]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where things are (their first corner), the corners of each edge, the middle of its label, and u of the scope's own ports."""

    width: float
    height: float
    at: tuple[Point, ...]
    lines: tuple[tuple[Point, ...], ...]
    labels: tuple[Point | None, ...]
    into: tuple[float, ...]
    out: tuple[float, ...]
    columns: bool = False  # whether it, or a frame in it, stands in columns
