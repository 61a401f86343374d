"""The example programs: short files written to be read, and the table that names them.

The table loads no torch. A program is loaded only where it runs; `main` takes no argument it does not have a default for, and returns
the loss. Where accumulation, an update or several passes are the point it calls `backward()` itself, as a tutorial would; otherwise the
recorder does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.text import say

__all__ = ["EXAMPLES", "TOPICS", "TRAININGS", "Example"]

TOPICS = ("tensors", "chain rule", "backpropagation", "networks", "language models", "faults")


@dataclass(frozen=True, slots=True)
class Example:
    """An example program. `fake_only` ones are too large to run with real numbers: they run on the device `fake`.

    `file` is its file without the suffix, where that is not its name; `settings` are what a training starts with in place of the program's
    own; `needs` names a setting that has to be given.
    """

    name: str
    topic: str
    fake_only: bool = False
    callable: str = "main"
    file: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: str | None = None

    @property
    def source_file(self) -> str:
        """Its file, from the folder that holds the package."""
        return f"explorer/capture/programs/{self.file or self.name}.py"

    @property
    def path(self) -> Path:
        """Its file, where it is installed."""
        return Path(__file__).parent / f"{self.file or self.name}.py"

    @property
    def target(self) -> str:
        """Its file and callable, as any other target is written."""
        return f"{self.path}:{self.callable}"

    @property
    def module(self) -> str:
        """Its name for `import`."""
        return f"explorer.capture.programs.{(self.file or self.name).replace('/', '.')}"

    def title(self, language: str = "en") -> str:
        """Its title in "en" or "ko"."""
        return say(f"programs.{self.name}", language)

    def description(self, language: str = "en") -> str:
        """One sentence that says what it shows."""
        return say(f"programs.{self.name}.about", language)

    def topic_title(self, language: str = "en") -> str:
        """Its topic as a heading."""
        return say(f"programs.topic.{self.topic}", language)


EXAMPLES: dict[str, Example] = {
    example.name: example
    for example in (
        Example("tensor_basics", "tensors"),
        Example("tutorial_mean", "tensors"),
        Example("d2l_dot", "tensors"),
        Example("chain_rule", "chain rule"),
        Example("karpathy_expression", "chain rule"),
        Example("cs231n_product", "chain rule"),
        Example("cs231n_sigmoid", "chain rule"),
        Example("cs231n_max", "chain rule"),
        Example("tutorial_vector", "chain rule"),
        Example("micrograd_readme", "chain rule"),
        Example("logistic_neuron", "backpropagation"),
        Example("karpathy_neuron", "backpropagation"),
        Example("a_plus_a", "backpropagation"),
        Example("accumulation", "backpropagation"),
        Example("repeated_backward", "backpropagation"),
        Example("d2l_detach", "backpropagation"),
        Example("linear_regression", "networks"),
        Example("hidden_layer", "networks"),
        Example("simple_net", "networks"),
        Example("cnn", "networks"),
        Example("lstm", "networks"),
        Example("shared_weights", "networks"),
        Example("dropout", "networks"),
        Example("dropout_off", "networks"),
        Example("causal_attention", "language models"),
        Example("attention_heads", "language models"),
        Example("gpt2", "language models"),
        Example("gpt2_xl", "language models", fake_only=True),
        Example("llama_70b", "language models", fake_only=True),
        Example("vanishing_sigmoids", "faults"),
        Example("exploding_layers", "faults"),
        Example("dead_relus", "faults"),
        Example("nan_where", "faults"),
        Example("detached_branch", "faults"),
        Example("forgotten_zero_grad", "faults"),
    )
}

_FINE = {"steps": 300, "learning_rate": 0.0005, "schedule": "cosine", "show_every": 50}  # a second text, from weights that know the first

# Programs that train: a generator function `train`, its keywords the settings that can be chosen.
TRAININGS: dict[str, Example] = {
    example.name: example
    for example in (
        Example("simple_net", "networks", callable="train", file="training/simple_net"),
        Example("moons", "networks", callable="train", file="training/points"),
        Example("two_spirals", "networks", callable="train", file="training/points", settings={"shape": "spirals", "width": 64}),
        Example("digits", "networks", callable="train", file="training/digits"),
        Example("char_gpt", "language models", callable="train", file="training/char_gpt"),
        Example(
            "char_gpt_fine_tuned",
            "language models",
            callable="train",
            file="training/char_gpt",
            settings=_FINE | {"text": "alice"},
            needs="start_from",
        ),
        Example("char_gpt_korean", "language models", callable="train", file="training/char_gpt", settings={"text": "korean_stories"}),
        Example(
            "char_gpt_korean_fine_tuned",
            "language models",
            callable="train",
            file="training/char_gpt",
            settings=_FINE | {"text": "korean_goblin"},
            needs="start_from",
        ),
    )
}
