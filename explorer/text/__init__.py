"""Every sentence a person reads, English and Korean side by side.

`say(key, language, **values)` fills one in. A key is "room.what"; each room has its table, and adding a sentence is adding a line to it.
"""

from __future__ import annotations

from explorer.text.causes import CAUSES
from explorer.text.checks import CHECKS
from explorer.text.code import CODE
from explorer.text.commands import COMMANDS
from explorer.text.contrast import CONTRAST
from explorer.text.curves import CURVES
from explorer.text.cuts import CUTS
from explorer.text.drawing import DRAWING
from explorer.text.files import FILES
from explorer.text.findings import FINDINGS
from explorer.text.formulas import FORMULAS
from explorer.text.graph import GRAPH
from explorer.text.layers import LAYERS
from explorer.text.learn import LEARN
from explorer.text.lessons import LESSONS
from explorer.text.llm import LLM
from explorer.text.memory import MEMORY
from explorer.text.page import PAGE
from explorer.text.programs import PROGRAMS
from explorer.text.recipes import RECIPES
from explorer.text.running import RUNNING
from explorer.text.runs import RUNS
from explorer.text.sizes import SIZES
from explorer.text.stopping import STOPPING
from explorer.text.tensors import TENSORS
from explorer.text.touching import TOUCHING
from explorer.text.train import TRAIN
from explorer.text.training import TRAINING
from explorer.text.trying import TRYING
from explorer.text.working import WORKING

LANGUAGES = ("en", "ko")

TEXTS: dict[str, tuple[str, str]] = {
    **CAUSES,
    **CHECKS,
    **CODE,
    **COMMANDS,
    **CONTRAST,
    **CURVES,
    **CUTS,
    **DRAWING,
    **FILES,
    **FINDINGS,
    **FORMULAS,
    **GRAPH,
    **LAYERS,
    **LEARN,
    **LESSONS,
    **LLM,
    **MEMORY,
    **PAGE,
    **PROGRAMS,
    **RECIPES,
    **RUNNING,
    **RUNS,
    **SIZES,
    **STOPPING,
    **TENSORS,
    **TOUCHING,
    **TRAIN,
    **TRAINING,
    **TRYING,
    **WORKING,
}


def say(key: str, language: str = "en", **values: object) -> str:
    """The sentence `key` in `language` ("en" or "ko"), its {placeholders} filled with `values`."""
    return TEXTS[key][LANGUAGES.index(language)].format(**values)
