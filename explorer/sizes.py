"""A GPT's configuration -> its parameters, the memory of a training, its operations. Plain arithmetic: nothing is built, however large.

The model is the one of `explorer/capture/programs/gpt.py`; names are those of its configuration. Counts of parameters, operations and bytes
kept for backward are exact for it, and tested against the built model, its recording and torch's own counter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from explorer.errors import RequestError

__all__ = [
    "FIELDS",
    "LIMITS",
    "OPTIMIZERS",
    "PRECISIONS",
    "PRESETS",
    "Configuration",
    "Operations",
    "Part",
    "Precision",
    "TrainingMemory",
    "as_python",
    "check_count",
    "checked",
    "kept_for_backward",
    "kv_cache",
    "operations_of",
    "parameters",
    "parts",
    "training_memory",
]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What makes one GPT another. `tied`: the output head reads the token embedding; `ff_multiple`: how much wider the hidden layer is."""

    vocab_size: int = 50257
    context_length: int = 1024
    emb_dim: int = 768
    n_heads: int = 12
    n_layers: int = 12
    drop_rate: float = 0.1
    qkv_bias: bool = False
    tied: bool = True
    ff_multiple: int = 4

    @property
    def head_dim(self) -> int:
        """Numbers of each token that one head looks at."""
        return self.emb_dim // self.n_heads

    @property
    def hidden_dim(self) -> int:
        """Width of the hidden layer of the feed-forward part."""
        return self.ff_multiple * self.emb_dim

    def as_gpt_config(self) -> dict[str, Any]:
        """The dictionary that the program takes; `ff_multiple` only where it is not the usual 4."""
        found = asdict(self)
        del found["tied"]
        if self.ff_multiple == 4:
            del found["ff_multiple"]
        return found


FIELDS = tuple(field.name for field in fields(Configuration))

PRESETS: dict[str, Configuration] = {
    "small": Configuration(),
    "medium": Configuration(emb_dim=1024, n_heads=16, n_layers=24),
    "large": Configuration(emb_dim=1280, n_heads=20, n_layers=36),
    "xl": Configuration(emb_dim=1600, n_heads=25, n_layers=48),
}

# From and to, each included but the end of `drop_rate`. The largest stand far beyond every model that was built.
LIMITS: dict[str, tuple[int, int]] = {
    "vocab_size": (2, 10_000_000),
    "context_length": (1, 10_000_000),
    "emb_dim": (1, 1_000_000),
    "n_heads": (1, 10_000),
    "n_layers": (1, 10_000),
    "drop_rate": (0, 1),
    "ff_multiple": (1, 64),
    "batch": (1, 1_000_000),
    "tokens": (1, 10_000_000),
}


def checked(values: Mapping[str, Any]) -> Configuration:
    """The configuration with these values, the rest as in GPT-2 small. RequestError says in a sentence what to change if it cannot be."""
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise RequestError("sizes.unknown_name", name=str(unknown[0])[:80], names=", ".join(FIELDS))
    for name, value in values.items():
        if name in ("qkv_bias", "tied"):
            if not isinstance(value, bool):
                raise RequestError("sizes.not_a_switch", name=name, value=_shown(value))
        elif name == "drop_rate":
            _check_rate(value)
        else:
            check_count(name, value)
    found = replace(Configuration(), **values)
    if found.emb_dim % found.n_heads:
        wider = -(-found.emb_dim // found.n_heads) * found.n_heads
        fewer = next(heads for heads in range(min(found.n_heads, found.emb_dim), 0, -1) if found.emb_dim % heads == 0)
        raise RequestError("sizes.heads", heads=found.n_heads, size=found.emb_dim, fewer=fewer, wider=wider)
    return found


def check_count(name: str, value: Any) -> None:
    """RequestError unless `value` is a whole number within the limits of `name`."""
    low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise RequestError("sizes.not_whole", name=name, value=_shown(value))
    if value < low:
        raise RequestError("sizes.too_small", name=name, value=_shown(value), low=low)
    if value > high:
        raise RequestError("sizes.too_large", name=name, value=_shown(value), high=f"{high:,}")


def _check_rate(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError("sizes.not_a_number", name="drop_rate", value=_shown(value))
    if not 0 <= value < 1:
        raise RequestError("sizes.rate", value=_shown(value))


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) < 10**18 else f"{'−' if value < 0 else ''}10^{value.bit_length() * 3 // 10}"
    return f"{value:g}" if isinstance(value, float) else repr(value)[:40]


# -- parameters --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters of one module: its path in the model ("*" where a block's number stands), the shapes, how often it is there.

    `shared` is set for the tied output head: it has a weight, which is the token embedding's and counts there.
    """

    path: str
    shapes: tuple[tuple[int, ...], ...]
    times: int = 1
    shared: bool = False

    @property
    def each(self) -> int:
        """Parameters of one."""
        total = 0
        for shape in self.shapes:
            size = 1
            for extent in shape:
                size *= extent
            total += size
        return 0 if self.shared else total

    @property
    def total(self) -> int:
        """Parameters of all of them."""
        return self.each * self.times


def parts(config: Configuration) -> tuple[Part, ...]:
    """Every module that has parameters, in the order in which a token passes them."""
    size, hidden, layers = config.emb_dim, config.hidden_dim, config.n_layers
    biases: tuple[tuple[int, ...], ...] = ((size,),) if config.qkv_bias else ()
    block = "trf_blocks.*"
    return (
        Part("tok_emb", ((config.vocab_size, size),)),
        Part("pos_emb", ((config.context_length, size),)),
        Part(f"{block}.norm1", ((size,), (size,)), layers),
        Part(f"{block}.att.W_query", ((size, size), *biases), layers),
        Part(f"{block}.att.W_key", ((size, size), *biases), layers),
        Part(f"{block}.att.W_value", ((size, size), *biases), layers),
        Part(f"{block}.att.out_proj", ((size, size), (size,)), layers),
        Part(f"{block}.norm2", ((size,), (size,)), layers),
        Part(f"{block}.ff.layers.0", ((hidden, size), (hidden,)), layers),
        Part(f"{block}.ff.layers.2", ((size, hidden), (size,)), layers),
        Part("final_norm", ((size,), (size,))),
        Part("out_head", ((config.vocab_size, size),), shared=config.tied),
    )


def parameters(config: Configuration, *, within: str = "") -> int:
    """Parameters of the model, or of what lies `within` a path ("trf_blocks.*.att": in all blocks together)."""
    return sum(part.total for part in parts(config) if not within or part.path == within or part.path.startswith(f"{within}."))


# -- operations ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operations:
    """Floating-point operations of a batch: products only, a multiplication and an addition are two. `attention` is within `forward`."""

    forward: int
    attention: int
    tokens: int

    @property
    def backward(self) -> int:
        """As much again for each factor of each product: what it read, and the weight or the other product's result."""
        return 2 * self.forward

    @property
    def step(self) -> int:
        """Forward and backward of the whole batch."""
        return self.forward + self.backward

    @property
    def forward_token(self) -> float:
        return self.forward / self.tokens

    @property
    def step_token(self) -> float:
        return self.step / self.tokens


def operations_of(config: Configuration, *, batch: int = 1, tokens: int | None = None) -> Operations:
    """Operations of `batch` texts of `tokens` tokens each (the whole context, if not said).

    forward = 2·B·T·(L·(4 + 2·ff)·D² + D·V) + 4·L·B·T²·D: every token meets each weight of each linear layer once, and each token's scores
    and mixture meet every token of the text, masked ones too, as the program multiplies them all.
    """
    length = config.context_length if tokens is None else tokens
    size = config.emb_dim
    linear = config.n_layers * (4 + 2 * config.ff_multiple) * size**2 + size * config.vocab_size
    attention = 4 * config.n_layers * batch * length**2 * size
    return Operations(2 * batch * length * linear + attention, attention, batch * length)


# -- memory --------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Precision:
    """Bytes of a number in weights and what flows, in gradients, in each optimiser state, and in the master copy of the weights."""

    value: int
    gradient: int
    state: int
    master: int = 0


PRECISIONS: dict[str, Precision] = {
    "float32": Precision(4, 4, 4),
    "bfloat16": Precision(2, 2, 2),
    "mixed": Precision(2, 2, 4, master=4),  # weights and gradients in bfloat16, a float32 copy of the weights that is updated
}
OPTIMIZERS = {"sgd": 0, "sgd_momentum": 1, "adam": 2}  # numbers that each keeps of every parameter


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Bytes of a training step, use by use; `activations` is what the graph keeps for its backward."""

    weights: int
    gradients: int
    states: int
    master: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.states + self.master + self.activations


def training_memory(
    config: Configuration, *, batch: int = 1, tokens: int | None = None, optimizer: str = "adam", precision: str = "float32"
) -> TrainingMemory:
    """What a training step holds on to, without what is there for a moment only, and without what an allocator leaves unused."""
    kind, count = PRECISIONS[precision], parameters(config)
    return TrainingMemory(
        weights=count * kind.value,
        gradients=count * kind.gradient,
        states=count * kind.state * OPTIMIZERS[optimizer],
        master=count * kind.master,
        activations=kept_for_backward(config, batch=batch, tokens=tokens, width=kind.value),
    )


def kept_for_backward(config: Configuration, *, batch: int = 1, tokens: int | None = None, width: int = 4) -> int:
    """Bytes that the graph keeps from forward to backward, with numbers of `width` bytes, of a step as `as_python` writes it.

    Numbers in a block, with dropout: B·T·(D·(10 + 2·ff) + 4) + 3·B·H·T². Read one after the other: what norm1 reads, mean and deviation;
    what the three projections read; queries, keys, values; the softmax's result, dropout's mask, the result of both; what out_proj reads;
    a mask; the same of norm2; the hidden layer before and after GELU; a mask. Without dropout its masks and results are not there.
    Around the blocks: dropout's mask after the embeddings, final_norm, what the head reads, and B·T·V of the loss.
    """
    length = config.context_length if tokens is None else tokens
    places, size, masks = batch * length, config.emb_dim, int(config.drop_rate > 0)
    block = places * (size * (8 + 2 * config.ff_multiple + 2 * masks) + 4) + batch * config.n_heads * length**2 * (1 + 2 * masks)
    around = places * (size * (2 + masks) + 2 + config.vocab_size) + 1  # 1: the sum of weights of the loss
    # Whole numbers of 8 bytes: positions, the text, and what follows each token, which of one text, or of one token each, is a piece of it.
    whole = length + batch * (length + 1) + (places if batch > 1 and length > 1 else 0)
    return width * (config.n_layers * block + around) + 8 * (whole + config.n_layers)  # each block divides by a number of its own


def kv_cache(config: Configuration, *, batch: int = 1, tokens: int | None = None, width: int = 4) -> int:
    """Bytes of the keys and values of all tokens so far, kept so that each new token is computed alone."""
    length = config.context_length if tokens is None else tokens
    return 2 * config.n_layers * batch * length * config.emb_dim * width


# -- taking it home ------------------------------------------------------------------------------------------------------------------------

_PROGRAM = '''"""A GPT of {count} parameters, one training step's worth: {batch} × {tokens} random tokens, each to be told the next one.

Run it with `autograd-explorer trace {file} --device fake`, which takes no memory; "cpu" or "cuda" instead of "fake" computes.
"""

import torch
import torch.nn.functional as F

from explorer.capture.programs.gpt import GPTModel

GPT_CONFIG = {{
{lines}
}}


def main(*, seed=0):
    torch.manual_seed(seed)
    model = GPTModel(GPT_CONFIG, tie_weights={tied})
    text = torch.randint(GPT_CONFIG["vocab_size"], ({batch}, {tokens} + 1))
    tokens, following = text[:, :-1], text[:, 1:]

    logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1), following.flatten())
    return loss


if __name__ == "__main__":
    main().backward()
'''


def as_python(config: Configuration, *, batch: int = 1, tokens: int | None = None, file: str = "my_gpt.py") -> str:
    """A program that runs one training step of the model: its configuration as a dictionary, and a `main` to record."""
    lines = "\n".join(f"    {name!r}: {value!r},".replace("'", '"') for name, value in config.as_gpt_config().items())
    return _PROGRAM.format(
        count=f"{parameters(config):,}", batch=batch, tokens=config.context_length if tokens is None else tokens, lines=lines,
        tied=config.tied, file=file,
    )  # fmt: skip
