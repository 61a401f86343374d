"""The colours of pictures, light and dark; the numbers of an overlay and their scale.

Blue values and orange gradients, apart in brightness as well as in hue; every kind and state also differs in shape, line or word.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

from explorer.model import Note, Trace
from explorer.view import Box, Overlay, View, make_view

__all__ = ["PALETTE", "SCALES", "Scale", "measures", "node_measures"]

PALETTE: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#ffffff", "ink": "#1c2530", "muted": "#5f6b7a", "line": "#8a97a8", "faint": "#c2cad4",
        "value": "#0b5fae", "gradient": "#b34700", "mark": "#9c1f63", "bad": "#f4c9de",
        "error": "#a3213d", "warning": "#7d5200",
        "op": "#ffffff", "module": "#e9eff8", "module_line": "#6f8fbd", "segment": "#f1f3f7",
        "parameter": "#e5f3ec", "parameter_line": "#3f8f70", "input": "#e2eefa", "input_line": "#3b7fc4",
        "constant": "#f2f3f5", "constant_line": "#8a97a8", "buffer": "#f1ebf8", "buffer_line": "#8266ad",
        "loss": "#fff0dd", "loss_line": "#b34700", "muted_fill": "#f6f7f9", "cluster": "#f8fafc", "cluster_inner": "#f1f5f9",
        "cluster_line": "#c6d0dc",
    },
    "dark": {
        "paper": "#0e1117", "ink": "#e8ecf2", "muted": "#9ba7b6", "line": "#75839a", "faint": "#3d4757",
        "value": "#6db6ff", "gradient": "#ff9d4d", "mark": "#ff85c0", "bad": "#6b2149",
        "error": "#ff9aae", "warning": "#ffcf70",
        "op": "#1a202b", "module": "#1c2a40", "module_line": "#6f8fbd", "segment": "#202734",
        "parameter": "#15302a", "parameter_line": "#4fae8a", "input": "#14293f", "input_line": "#5a9be0",
        "constant": "#20252e", "constant_line": "#75839a", "buffer": "#2a2238", "buffer_line": "#a488d0",
        "loss": "#3a2413", "loss_line": "#ff9d4d", "muted_fill": "#151a22", "cluster": "#131822", "cluster_inner": "#181f2b",
        "cluster_line": "#323d4e",
    },
}  # fmt: skip

SCALES: dict[str, dict[str, tuple[str, ...]]] = {
    "light": {
        "value": ("#eaf3fb", "#cfe2f4", "#abcdec", "#84b5e2", "#5d9cd6"),
        "gradient": ("#fdf1e5", "#fbdcba", "#f8c48b", "#f3a95b", "#ea8c33"),
        "time": ("#f4f0fa", "#e1d6f0", "#ccb9e5", "#b59cd9", "#9f80cd"),
        "memory": ("#ebf6f0", "#cde8db", "#aad8c3", "#84c6a9", "#5cb28d"),
    },
    "dark": {
        "value": ("#15202e", "#17324f", "#1a4672", "#1d5a95", "#1c66ae"),
        "gradient": ("#2a1e14", "#4a2e14", "#6b3d12", "#8c4d10", "#8f4a05"),
        "time": ("#211b2b", "#35284b", "#4a366b", "#5f458b", "#7554a8"),
        "memory": ("#14241d", "#163b2d", "#18523e", "#1a694e", "#1a7356"),
    },
}


class Scale:
    """The colours of an overlay: five steps, even in the logarithm, between the smallest and the largest number met."""

    def __init__(self, view: View) -> None:
        self.numbers = measures(view) if view.overlay is not None else {}
        self.colors = SCALES[view.theme][view.overlay] if view.overlay is not None else ()
        self.palette = PALETTE[view.theme]
        finite = [number for number in self.numbers.values() if number is not None and math.isfinite(number) and number > 0]
        self.low, self.high = (min(finite), max(finite)) if finite else (0.0, 0.0)

    def text(self, name: str) -> str:
        """The colour of text in a box: on coloured boxes everything is written in ink, so that it can be read."""
        return self.palette["ink" if self.colors else name]

    def fill(self, box: str) -> str | None:
        """The fill of a box; None without an overlay."""
        if not self.colors:
            return None
        number = self.numbers.get(box)
        if number is None:
            return self.palette["paper"]
        return self.palette["bad"] if not math.isfinite(number) else self.colors[self._step(number)]

    def _step(self, number: float) -> int:
        if number <= self.low or self.high <= self.low:
            return 0
        return min(int(len(self.colors) * math.log(number / self.low) / math.log(self.high / self.low)), len(self.colors) - 1)


def measures(view: View) -> dict[str, float | None]:
    """Box id -> the number that colours it: the largest RMS of its gradients or values, or its sum of µs or of bytes kept for backward.

    None where nothing is known or nothing has been reached yet; nan or inf where such a number was met. Saved tensors that share storage
    count once, where the tensor was made.
    """
    numbers = _memory(view.trace) if view.overlay == "memory" else None
    found: dict[str, float | None] = {}
    for box in view.boxes:
        known = [number for node in box.nodes for number in (_numbers(view, node) if numbers is None else numbers.get(node, ()))]
        if not known:
            found[box.id] = None
        elif any(math.isnan(number) for number in known):
            found[box.id] = math.nan
        else:
            found[box.id] = max(known) if view.overlay in ("gradient", "value") else math.fsum(known)
    return found


def node_measures(trace: Trace) -> dict[str, list[float | None]]:
    """Overlay -> the number of each node, as `measures` has it for a box that stands for one node."""
    boxes = tuple(Box(f"n{node.id}", "node", (node.id,)) for node in trace.nodes)
    view = replace(make_view(trace, depth=0), boxes=boxes)
    return {name: list(measures(replace(view, overlay=name)).values()) for name in get_args(Overlay)}


def _memory(trace: Trace) -> dict[int, list[float]]:
    """Node -> bytes of its tensors that some node keeps for backward."""
    shared: dict[int, float] = {}
    found: dict[int, list[float]] = {}
    for node in trace.nodes:
        for saved in node.saved:
            if saved.shared_with is None:
                found.setdefault(node.id, []).append(float(saved.bytes))
            else:
                shared[saved.shared_with] = max(shared.get(saved.shared_with, 0.0), float(saved.bytes))
    for number, size in shared.items():
        found.setdefault(number, []).append(size)
    return found


def _numbers(view: View, number: int) -> list[float]:
    node = view.trace.nodes[number]
    reached = view.gradients if view.overlay == "gradient" else view.values
    if reached is not None and number not in reached:
        return []
    if view.overlay == "time":
        return [time for time in (node.time.forward, node.time.backward) if time is not None]
    return [size for note in (node.gradients if view.overlay == "gradient" else node.outputs) if (size := _rms(note)) is not None]


def _rms(note: Note | None) -> float | None:
    """Root mean square of all elements."""
    if note is None or note.norm is None or not note.numel:
        return None
    return math.nan if note.nans else math.inf if note.infs else note.norm / math.sqrt(note.numel)
