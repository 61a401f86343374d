"""What a lesson lets its reader touch: one module a control, each with `draw(settings, language, *, key)`.

A lesson names a control in its `lesson.toml` and says there how it begins; a control reads its settings as plain values, and keeps what
was chosen under its key. Modules are loaded when a lesson first draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

__all__ = ["CONTROLS", "draw"]

CONTROLS: dict[str, str] = {
    "configuration": "explorer.ui.controls.configuration",
    "descent": "explorer.ui.controls.descent",
    "differences": "explorer.ui.controls.differences",
    "doubled": "explorer.ui.controls.doubled",
    "dropout": "explorer.ui.controls.dropout",
    "faults": "explorer.ui.controls.faults",
    "heads": "explorer.ui.controls.heads",
    "indexing": "explorer.ui.controls.indexing",
    "matrix_product": "explorer.ui.controls.matrix_product",
    "memory": "explorer.ui.controls.memory",
    "modes": "explorer.ui.controls.modes",
    "number_types": "explorer.ui.controls.number_types",
    "tangent": "explorer.ui.controls.tangent",
    "three_ways": "explorer.ui.controls.three_ways",
    "two_trainings": "explorer.ui.controls.two_trainings",
    "view_or_copy": "explorer.ui.controls.view_or_copy",
}


def draw(control: str, settings: Mapping[str, object], language: str, *, key: str) -> None:
    """Draw the control of that name."""
    import_module(CONTROLS[control]).draw(settings, language, key=key)
