"""The tensors in the browser, as a component: what it is given of an answer of the workbench, and in which words."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import streamlit as st

from explorer.capture.recipe_text import read, written
from explorer.capture.recipes import DTYPES, MAKES, OPS, PICTURES, TABLE, Recipe, arguments
from explorer.capture.workbench import Answer, Step
from explorer.files import assets_folder
from explorer.text import LANGUAGES, TEXTS, say
from explorer.ui.state import language

__all__ = ["COMPARED", "GROUPS", "KEY", "SAMPLES", "notes", "recorded", "show"]

KEY = "tensor_bench"

# Recipes to begin with, by the name of their title.
SAMPLES = {
    "view_or_copy": "arange(0,12);reshape(a,[3,4]);T(b);flatten(c)",
    "write_through": "arange(0,6);reshape(a,[2,3]);T(b);clone(b);set(c,'2, 0',99)",
    "broadcast": "literal([[1],[2],[3]]);literal([10,20,30,40]);add(a,b)",
    "matmul": "literal([[1,2,3],[4,5,6]]);literal([[1,0],[0,1],[2,-1]]);matmul(a,b)",
    "image": "image('digit');slice(a,'2:7, 1:5');T(b)",
    "rank_four": "image('digits');slice(a,'3, 0');reshape(a,[4,64])",
    "special": "literal([[1,-1],[0,nan]]);log(a);sum(b)",
    "gradient": "literal([1.0,2.0,3.0],requires_grad=True);pow(a,2);sum(b);backward(c)",
    "misfit": "ones([3,4]);ones([2,4]);add(a,b)",
}

# The operations as they are offered, and what stands on their buttons where that is not the name.
GROUPS = {
    "shape": "reshape view flatten transpose T permute squeeze unsqueeze expand",
    "pick": "slice take flip cat stack",
    "copy": "contiguous clone detach",
    "compute": "add sub mul div pow gt eq neg abs exp log sqrt sin cos tanh sigmoid relu",
    "combine": "matmul sum mean amax argmax",
    "kind": "to_dtype to_device",
    "change": "set add_ mul_ requires_grad_ backward",
}
BUTTONS = {
    "slice": "[1:]", "take": "[[1, 0]]", "add": "+", "sub": "−", "mul": "*", "div": "/", "pow": "**", "gt": ">", "eq": "==", "neg": "−x",
    "matmul": "@", "to_dtype": ".to(dtype)", "to_device": ".to(device)", "set": "[0] = 99",
}  # fmt: skip

# Tensors beside arrays: a line that ends in `# …` gives what stands there. "" where NumPy has nothing like it.
COMPARED = {
    "gradients": (
        "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n(x ** 2).sum().backward()\nx.grad  # tensor([2., 4., 6.])",
        "x = np.array([1.0, 2.0, 3.0])\n2 * x  # [2. 4. 6.]",
    ),
    "devices": ('x = torch.ones(3)\nx.to("cuda")', ""),
    "default": ("torch.tensor([1.0, 2.0]).dtype  # torch.float32", "np.array([1.0, 2.0]).dtype  # float64"),
    "half": ("torch.bfloat16.itemsize  # 2", ""),
    "shared": (
        "n = np.zeros(2)\nt = torch.from_numpy(n)\nt[0] = 5\nn  # [5. 0.]",
        "t = torch.zeros(2)\nn = t.numpy()\nn[0] = 5\nt  # tensor([5., 0.])",
    ),
    "names": (
        "x = torch.ones(2, 3)\nx.sum(dim=0).shape  # torch.Size([3])\nx.permute(1, 0).shape  # torch.Size([3, 2])",
        "x = np.ones((2, 3))\nx.sum(axis=0).shape  # (3,)\nx.transpose(1, 0).shape  # (3, 2)",
    ),
}

WORDS = """
title intro samples make_title op_title how make on apply make_first empty undo redo reset link not_linked copy copied copy_failed
choose operations rank shape strides offset dtype device bytes contiguous yes no view same copied_values new view_help same_help
copy_help new_help storage reaches press_a_cell press_to_write lies_at same_element nothing_shares more new_value write let_go
values_of no_values no_elements dimension by_itself number all refused torch_says code no_numpy beside_numpy
""".split()

FIELDS = (
    "values dtype requires_grad start end step steps shape value n seed low high name dim dim0 dim1 dims index rows other device keepdim"
)

HTML = """
<div class="tensors"></div>
"""

# Streamlit calls this again whenever the data or the theme changes: all is drawn anew, and what is chosen and typed is kept beside it.
MOUNT = """
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".tensors");
  const begun = { number: 0, form: {}, slices: {}, open: {}, past: [], future: [], make: "literal", op: "reshape" };
  const kept = (document.autogradExplorerTensors ??= begun);
  kept.number = Math.max(kept.number, data.answers);
  root.dataset.theme = themeAround(root);
  root.lang = data.language;
  const send = (recipe) => { kept.number += 1; setStateValue("asked", { recipe, number: kept.number }); };
  mountTensors(root, data, { kept, send });
}
"""

MODULES = (
    *("player/dom", "player/copy", "player/format", "player/ground"),
    *(f"tensors/{name}" for name in ("places", "grids", "strip", "misfit", "lines", "forms", "main")),
)


def _script() -> str:
    """The modules as one, without their imports and exports."""
    texts = [(assets_folder() / f"{name}.js").read_text(encoding="utf-8") for name in MODULES]
    return "\n".join(re.sub(r"^export ", "", re.sub(r"^import .*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE) for text in texts)


_style = (assets_folder() / "tensors" / "tensors.css").read_text(encoding="utf-8")
_component = st.components.v2.component("autograd_explorer_tensors", html=HTML, css=_style, js=_script() + MOUNT)


@cache
def _recorded() -> dict[str, Any]:
    """What the workbench answered to the examples when they were recorded: see tests/tensors.py."""
    found: dict[str, Any] = json.loads((assets_folder() / "tensors" / "answers.json").read_text(encoding="utf-8"))
    return found


def recorded(recipe: Recipe) -> Answer | None:
    """The answer to an example, as it ships: the page opens with one before torch is loaded."""
    return _recorded().get(written(recipe))


def show(recipe: Recipe, answer: Answer | None, *, problem: str | None, linked: bool, devices: list[str], number: int) -> None:
    """The page, with what the workbench answered; `number` is that of the request it answers."""
    chosen = language()
    error = answer["error"] if answer else None
    data = {
        "answers": number,
        "recipe": recipe,
        "texts": [written([step]) for step in recipe],
        "answer": answer,
        "notes": [notes(step, chosen) for step in answer["steps"]] if answer else [],
        "why": say(f"tensors.why.{error['why']}", chosen, **error["values"]) if error else None,
        "problem": problem,
        "linked": linked,
        "language": chosen,
        "words": {name: _raw(f"tensors.{name}", chosen) for name in WORDS},
        "labels": {name: say(f"tensors.field.{name}", chosen) for name in FIELDS.split()},
        "table": {name: [list(argument) for argument in arguments(name)] for name in TABLE},
        "makes": [[name, say(f"tensors.make.{name}", chosen)] for name in MAKES],
        "groups": [
            [say(f"tensors.group.{group}", chosen), [[name, BUTTONS.get(name, name)] for name in names.split()]]
            for group, names in GROUPS.items()
        ],
        "about": {name: say(f"tensors.op.{name}", chosen) for name in OPS},
        "samples": [[say(f"tensors.sample.{name}", chosen), [written([step]) for step in read(text)]] for name, text in SAMPLES.items()],
        "pictures": [[name, say(f"tensors.picture.{name}", chosen)] for name in PICTURES],
        "dtypes": list(DTYPES),
        "devices": devices,
        "comparison": [
            [say(f"tensors.compared.{name}", chosen), torch, numpy, say(f"tensors.compares.{name}", chosen)]
            for name, (torch, numpy) in COMPARED.items()
        ],
    }
    _component(key=KEY, data=data, on_asked_change=lambda: None)


def _raw(key: str, chosen: str) -> str:
    """A sentence whose placeholders the browser fills."""
    return TEXTS[key][LANGUAGES.index(chosen)]


def notes(step: Step, chosen: str) -> list[str]:
    """What is to be said of a step: torch's own warning, and in what NumPy differs."""
    beside = step["numpy"]
    found = [step["warning"]] if step.get("warning") else []
    for difference in beside["differs"]:
        match difference:
            case "none":
                reason = {"to_device": "device", "requires_grad_": "gradient", "backward": "gradient", "detach": "gradient"}.get(step["do"])
                found += [say(f"tensors.lacks.{reason}", chosen)] if reason else []
            case "error":
                found.append(say("tensors.differs.error", chosen, error=beside["error"]))
            case "memory":
                shared = step["relation"] in ("view", "same")
                found.append(say("tensors.differs.memory_shared" if shared else "tensors.differs.memory_copied", chosen))
            case "dtype" | "works":
                found.append(say(f"tensors.differs.{difference}", chosen, dtype=beside["dtype"]))
            case _:
                found.append(say(f"tensors.differs.{difference}", chosen))
    if beside["error"] is not None and "error" not in beside["differs"]:
        found.append(say("tensors.differs.error", chosen, error=beside["error"]))
    return [str(one) for one in found]
