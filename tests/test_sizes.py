"""What a configuration comes to, held against the model that is built, its recording, torch's counter and torch's optimizers."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest

from explorer.errors import RequestError
from explorer.flops import count_flops
from explorer.footprint import memory
from explorer.sizes import (
    FIELDS,
    LIMITS,
    OPTIMIZERS,
    PRESETS,
    Configuration,
    as_python,
    check_count,
    checked,
    kept_for_backward,
    kv_cache,
    operations_of,
    parameters,
    parts,
    training_memory,
)

# E3: preset, untied, tied
PUBLISHED = [
    ("small", 163_009_536, 124_412_160),
    ("medium", 406_212_608, 354_749_440),
    ("large", 838_220_800, 773_891_840),
    ("xl", 1_637_792_000, 1_557_380_800),
]


def any_configuration(seed: int) -> Configuration:
    """Small enough to be recorded, and otherwise as it comes."""
    draw = random.Random(seed)
    heads = draw.randint(1, 5)
    return Configuration(
        vocab_size=draw.randint(2, 60), context_length=draw.randint(1, 20), emb_dim=heads * draw.randint(1, 9), n_heads=heads,
        n_layers=draw.randint(1, 3), drop_rate=draw.choice([0.0, 0.1, 0.5]), qkv_bias=draw.random() < 0.5, tied=draw.random() < 0.5,
        ff_multiple=draw.randint(1, 5),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "untied", "tied"), PUBLISHED)
def test_the_published_counts(name: str, untied: int, tied: int) -> None:
    """E3, for all four sizes, with a head of its own and with the token embedding's."""
    assert parameters(replace(PRESETS[name], tied=False)) == untied
    assert parameters(replace(PRESETS[name], tied=True)) == tied


def test_the_published_parts() -> None:
    """E3: biases of the projections, the two halves of a block, and the megabytes of the weights."""
    small = PRESETS["small"]
    assert parameters(replace(small, qkv_bias=True)) == 124_439_808
    assert parameters(small, within="trf_blocks.*.ff") == 12 * 4_722_432
    assert parameters(small, within="trf_blocks.*.att") == 12 * 2_360_064
    assert round(training_memory(replace(small, tied=False)).weights / 2**20, 2) == 621.83
    assert small.head_dim == 64 and small.hidden_dim == 3072


@pytest.mark.torch
@pytest.mark.parametrize("config", [*PRESETS.values(), *map(any_configuration, range(20))], ids=str)
def test_the_counts_are_those_of_the_built_model(config: Configuration) -> None:
    """Part by part, each with its shapes, in all; what is shared counts once."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs.gpt import GPTModel

    with torch.device("meta"):
        model = GPTModel(config.as_gpt_config(), tie_weights=config.tied)
    assert sum(one.numel() for one in model.parameters()) == parameters(config)
    built: dict[str, list[tuple[int, ...]]] = {}
    for name, one in model.named_parameters(remove_duplicate=False):
        path = re.sub(r"^trf_blocks\.\d+\.", "trf_blocks.*.", name).rpartition(".")[0]
        built.setdefault(path, []).append(tuple(one.shape))
    assert {part.path: part.times * list(part.shapes) for part in parts(config)} == built


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(6))
def test_memory_and_operations_are_those_of_a_recording(seed: int) -> None:
    """The program that is taken home, recorded: bytes kept for backward and operations, forward and backward, to the last one."""
    pytest.importorskip("torch")
    import explorer

    config, draw = any_configuration(seed), random.Random(-seed)
    batch, tokens = draw.randint(1, 3), draw.randint(1, config.context_length)
    program: dict[str, Any] = {}
    exec(as_python(config, batch=batch, tokens=tokens), program)
    with explorer.record() as recording:
        program["main"]().backward()
    kept, counted = memory(recording.trace), count_flops(recording.trace)
    assert kept is not None
    assert max(kept.saved) == kept_for_backward(config, batch=batch, tokens=tokens)
    found = operations_of(config, batch=batch, tokens=tokens)
    assert (counted.forward, counted.backward) == (found.forward, found.backward)


@pytest.mark.torch
def test_half_precision_keeps_half() -> None:
    """Recorded in bfloat16, the graph keeps what is said for numbers of two bytes."""
    torch = pytest.importorskip("torch")
    import explorer

    config = any_configuration(5)
    program: dict[str, Any] = {}
    exec(as_python(config, batch=2), program)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with explorer.record() as recording:
            program["main"]().backward()
    finally:
        torch.set_default_dtype(torch.float32)
    kept = memory(recording.trace)
    assert kept is not None and max(kept.saved) == kept_for_backward(config, batch=2, width=2)
    assert training_memory(config, batch=2, precision="bfloat16").activations == max(kept.saved)


@pytest.mark.torch
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_optimizers_keep_what_is_said(name: str, dtype: str) -> None:
    """After a step of torch's own: numbers of the parameters' size in the optimizer's state, and gradients."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs.gpt import GPTModel

    config = any_configuration(3)
    model = GPTModel(config.as_gpt_config(), tie_weights=config.tied).to(getattr(torch, dtype))
    kinds = {
        "sgd": torch.optim.SGD,
        "sgd_momentum": lambda all: torch.optim.SGD(all, momentum=0.9),
        "adam": torch.optim.Adam,
    }
    optimizer = kinds[name](model.parameters())
    for one in model.parameters():
        one.grad = torch.ones_like(one)
    optimizer.step()
    held = [value for state in optimizer.state.values() for key, value in state.items() if torch.is_tensor(value) and key != "step"]
    found = training_memory(config, optimizer=name, precision=dtype)
    assert sum(one.nbytes for one in held) == found.states
    assert sum(one.nbytes for one in model.parameters()) == found.weights == found.gradients
    assert found.master == 0


def test_mixed_precision_is_sixteen_bytes_a_parameter() -> None:
    """With Adam: 2 for the weight, 2 for its gradient, 4 for the master copy, 8 for both moments; as much as without it."""
    for name, config in PRESETS.items():
        found, plain = training_memory(config, precision="mixed"), training_memory(config)
        count = parameters(config)
        assert found.total - found.activations == 16 * count == plain.total - plain.activations, name
        assert (found.weights, found.gradients, found.master, found.states) == (2 * count, 2 * count, 4 * count, 8 * count)
        assert found.activations < plain.activations


def test_a_cache_of_keys_and_values() -> None:
    """GPT-2 small over its whole context: 2 · 12 · 1024 · 768 numbers."""
    assert kv_cache(PRESETS["small"]) == 2 * 12 * 1024 * 768 * 4
    assert kv_cache(PRESETS["small"], batch=3, tokens=10, width=2) == 3 * 2 * 12 * 10 * 768 * 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n_heads": 7}, "7 heads cannot share an embedding of 768 equally: choose 6 heads, or emb_dim 770."),
        ({"emb_dim": 5}, "12 heads cannot share an embedding of 5 equally: choose 5 heads, or emb_dim 12."),
        ({"n_heads": 0}, "n_heads is 0, and there is no such model: choose 1 or more."),
        ({"emb_dim": -768}, "emb_dim is -768, and there is no such model: choose 1 or more."),
        ({"vocab_size": 10**9}, "vocab_size is 1,000,000,000, larger than anything that could be built: choose at most 10,000,000."),
        ({"n_layers": 10**400}, "n_layers is 10^398, larger than anything that could be built: choose at most 10,000."),
        ({"n_layers": 1.5}, "n_layers is a whole number, not 1.5: write it without fractions or quotes."),
        ({"emb_dim": True}, "emb_dim is a whole number, not True: write it without fractions or quotes."),
        ({"emb_dim": "768"}, "emb_dim is a whole number, not '768': write it without fractions or quotes."),
        ({"drop_rate": 1.0}, "drop_rate is 1, but it is the share of numbers that are set to zero: choose 0 or more, and less than 1."),
        ({"drop_rate": float("nan")}, "drop_rate is nan, but"),
        ({"drop_rate": "much"}, "drop_rate is a number, not 'much': write it without quotes."),
        ({"qkv_bias": 1}, "qkv_bias is either true or false, not 1: choose one of the two."),
        ({"dropout": 0.1}, "The configuration has no dropout; it knows vocab_size, context_length,"),
    ],
)
def test_what_cannot_be_says_what_to_change(values: dict[str, Any], said: str) -> None:
    """One sentence, in both languages, and what it proposes can be."""
    with pytest.raises(RequestError) as raised:
        checked(values)
    assert str(raised.value).startswith(said)
    assert re.search("[가-힣]", raised.value.message("ko"))
    if raised.value.key == "sizes.heads":
        proposed = raised.value.values
        assert checked({**values, "n_heads": proposed["fewer"]}) and checked({**values, "emb_dim": proposed["wider"]})


def test_the_largest_is_counted_without_being_built() -> None:
    """Everything at its limit: numbers as exact as any, at once."""
    config = checked({name: LIMITS[name][1] for name in FIELDS if name in LIMITS and name != "drop_rate"})
    size, layers = config.emb_dim, config.n_layers
    assert parameters(config) == (
        config.vocab_size * size + config.context_length * size + layers * (size * size * (4 + 128) + size * (1 + 64 + 1 + 4)) + 2 * size
    )
    assert training_memory(config, batch=LIMITS["batch"][1]).total > 10**25
    with pytest.raises(RequestError, match="batch is 0"):
        check_count("batch", 0)
