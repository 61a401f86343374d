"""The example programs: their published numbers on plain torch, their texts, and that the faulty ones have their fault."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer.capture.programs import EXAMPLES, TOPICS, TRAININGS
from explorer.text import LANGUAGES, TEXTS

ROOT = Path(__file__).resolve().parents[1]
FAKE_ONLY = [name for name, example in EXAMPLES.items() if example.fake_only]
SLOW = ["gpt2"]  # that it gives the same numbers twice, in two processes, is in tests/test_examples_recorded.py


def variables_of(name: str) -> dict[str, Any]:
    """Runs the example; the local variables of its `main` as they were at its end, and its result as "return"."""
    main = importlib.import_module(EXAMPLES[name].module).main
    variables: dict[str, Any] = {}

    def look(frame: Any, event: str, result: Any) -> None:
        if event == "return" and frame.f_code is main.__code__:
            variables.update(frame.f_locals)

    sys.setprofile(look)
    try:
        result = main()
    finally:
        sys.setprofile(None)
    return {**variables, "return": result}


def after_backward(name: str) -> dict[str, Any]:
    """As `variables_of`, with backward called once on the result (so does the recorder) and `.grad` kept on every variable."""
    import torch

    variables = variables_of(name)
    for value in variables.values():
        if isinstance(value, torch.Tensor) and value.grad_fn is not None:
            value.retain_grad()
    variables["return"].backward()
    return variables


def gradients(variables: dict[str, Any], *names: str) -> list[float]:
    return [variables[name].grad.item() for name in names]


# --- the table ---------------------------------------------------------------------------------------------------------------------------


def test_the_table_is_complete_and_torch_free() -> None:
    """Each file in the folder but `gpt` and `llama` (parts of programs) is an example, and naming them all does not load torch."""
    files = {path.stem for path in (ROOT / "explorer/capture/programs").glob("*.py")} - {"__init__", "gpt", "llama"}
    assert files == EXAMPLES.keys()
    assert {"logistic_neuron", "simple_net", "gpt2", "gpt2_xl"} <= EXAMPLES.keys()
    program = "import sys; from explorer.capture.programs import EXAMPLES; assert EXAMPLES; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_its_texts_and_file(name: str) -> None:
    """Title, description and topic in both languages; a source file that is there, named without an absolute path."""
    example = EXAMPLES[name]
    assert example.topic in TOPICS
    assert (ROOT / example.source_file).samefile(example.path)
    assert not Path(example.source_file).is_absolute()
    assert example.target == f"{example.path}:main"
    for language in LANGUAGES:
        assert example.title(language)
        assert example.description(language).endswith(".")
        assert example.topic_title(language)
    for key in (f"programs.{name}", f"programs.{name}.about", f"programs.topic.{example.topic}"):
        english, korean = TEXTS[key]
        assert english != korean
        assert any("가" <= letter <= "힣" for letter in korean)


def test_every_program_text_belongs_to_an_example() -> None:
    """No title is left of a program that is gone, and no topic is empty."""
    names = {*EXAMPLES, *TRAININGS}
    known = {f"programs.{name}{about}" for name in names for about in ("", ".about")} | {f"programs.topic.{topic}" for topic in TOPICS}
    assert {key for key in TEXTS if key.startswith("programs.")} == known
    assert {example.topic for example in EXAMPLES.values()} == set(TOPICS)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in FAKE_ONLY + SLOW])
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    """Two runs return equal tensors, bit for bit, whatever the state of torch's generator was."""
    torch = pytest.importorskip("torch")
    main = importlib.import_module(EXAMPLES[name].module).main
    results = []
    for disturb in (1, 2):
        torch.manual_seed(disturb)
        torch.rand(disturb)
        result = main()
        results.append(result)
    assert torch.equal(*results)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in FAKE_ONLY + SLOW])
def test_another_seed_is_taken_where_the_program_draws_numbers(name: str) -> None:
    """`seed` is a keyword of exactly those programs whose numbers are drawn, and it changes them."""
    import inspect

    torch = pytest.importorskip("torch")
    main = importlib.import_module(EXAMPLES[name].module).main
    source = EXAMPLES[name].path.read_text(encoding="utf-8")
    assert ("seed" in inspect.signature(main).parameters) == ("manual_seed" in source) == ("torch.rand" in source or "nn.Linear" in source)
    if "manual_seed" in source:
        assert not torch.equal(main(seed=0), main(seed=1))


# --- published numbers -------------------------------------------------------------------------------------------------------------------


def test_logistic_neuron() -> None:
    """E1: in float32 the loss and both gradients are the published ones to the last digit."""
    seen = after_backward("logistic_neuron")
    assert seen["z"].item() == pytest.approx(2.42, abs=1e-6)
    assert seen["a"].item() == pytest.approx(0.9183, abs=1e-4)
    assert seen["loss"].item() == pytest.approx(0.0851878821849823, abs=1e-15)
    assert gradients(seen, "w", "b") == [-0.08982629328966141, -0.08166026324033737]


def test_chain_rule() -> None:
    """The numbers that one works out in the head: 2 u = 8, and 8 times 3."""
    seen = after_backward("chain_rule")
    assert (seen["u"].item(), seen["y"].item()) == (4.0, 16.0)
    assert gradients(seen, "u", "x") == [8.0, 24.0]


def test_hidden_layer() -> None:
    """The numbers that one works out in the head, exactly: they are all halves and quarters."""
    seen = after_backward("hidden_layer")
    assert {name: seen[name].tolist() for name in ("z1", "a1", "z2", "loss")} == {
        "z1": [[2, 1, -1]], "a1": [[2, 1, 0]], "z2": [[0.5]], "loss": 2.25,
    }  # fmt: skip
    assert {name: seen[name].grad.tolist() for name in ("z2", "W2", "b2", "a1", "z1", "W1", "b1")} == {
        "z2": [[-3]], "W2": [[-6], [-3], [0]], "b2": [-3], "a1": [[-3, 6, -9]], "z1": [[-3, 6, 0]],
        "W1": [[-3, 6, 0], [-6, 12, 0]], "b1": [-3, 6, 0],
    }  # fmt: skip


def test_simple_net() -> None:
    """E2: shapes, a finite positive loss, and each parameter moved by -0.01 times its gradient."""
    torch = pytest.importorskip("torch")
    seen = variables_of("simple_net")
    assert [tuple(one.shape) for one in seen["model"].parameters()] == [(5, 10), (5,), (1, 5), (1,)]
    assert seen["output"].shape == seen["label"].shape == (1, 1)
    assert 0 < seen["loss"].item() < 5
    torch.manual_seed(0)
    before = type(seen["model"])()
    for old, new in zip(before.parameters(), seen["model"].parameters(), strict=True):
        assert torch.equal(old.add(new.grad, alpha=-0.01), new)


def test_tensor_basics() -> None:
    """E4: ranks, types, shapes, the product, and the gradient of the total."""
    torch = pytest.importorskip("torch")
    seen = after_backward("tensor_basics")
    assert [seen[name].dim() for name in ("scalar", "vector", "matrix", "cube")] == [0, 1, 2, 3]
    assert (seen["matrix"].dtype, seen["floats"].dtype) == (torch.int64, torch.float32)
    assert tuple(seen["column"].shape) == (4, 1)
    assert seen["product"].tolist() == [[5, 11], [11, 25]]
    assert (seen["total"].item(), seen["floats"].grad.tolist()) == (62, [[9, 13], [9, 13]])


def test_karpathy_neuron() -> None:
    """E5: value and gradients to float64 precision."""
    seen = after_backward("karpathy_neuron")
    assert seen["n"].item() == pytest.approx(0.8813735870195432, abs=1e-15)
    assert seen["o"].item() == pytest.approx(0.7071067811865476, abs=1e-15)
    assert gradients(seen, "x1", "w1", "x2", "w2") == pytest.approx([-1.5, 1.0, 0.5, 0.0], abs=1e-14)
    assert gradients(seen, "n", "b", "x1w1", "x2w2", "x1w1x2w2") == pytest.approx([0.5] * 5, abs=1e-14)


def test_karpathy_expression() -> None:
    """E6: L, the gradients of the leaves, and L after the step."""
    seen = variables_of("karpathy_expression")
    assert seen["L"].item() == -8
    assert gradients(seen, "a", "b", "c", "f") == [6, -4, -2, 4]
    assert seen["return"].item() == pytest.approx(-7.286496, abs=1e-12)


def test_accumulation() -> None:
    """E7: both examples, intermediate gradients included."""
    assert gradients(after_backward("a_plus_a"), "a") == [2]
    seen = after_backward("accumulation")
    assert seen["f"].item() == -6
    assert gradients(seen, "a", "b", "d", "e") == [-3, -8, 1, -6]


def test_micrograd_readme() -> None:
    """E8: g and both derivatives as micrograd prints them."""
    seen = after_backward("micrograd_readme")
    assert seen["return"].item() == pytest.approx(24.70408163265306, rel=1e-15)
    assert gradients(seen, "a", "b") == pytest.approx([138.83381924198252, 645.5772594752186], rel=1e-14)


def test_cs231n_circuits() -> None:
    """E9, E10, E11: values and gradients on every input."""
    product = after_backward("cs231n_product")
    assert (product["q"].item(), product["f"].item()) == (3, -12)
    assert gradients(product, "x", "y", "z", "q") == [-4, -4, 3, -4]

    sigmoid = after_backward("cs231n_sigmoid")
    assert sigmoid["f"].item() == pytest.approx(0.73, abs=0.005)
    exact = [-0.19661193324148185, -0.3932238664829637, 0.19661193324148185, 0.3932238664829637, -0.5898357997244456]
    assert gradients(sigmoid, "w0", "w1", "w2", "x0", "x1") == pytest.approx(exact, rel=1e-14)

    largest = after_backward("cs231n_max")
    assert largest["f"].item() == -20
    assert gradients(largest, "x", "y", "z", "w") == [-8, 6, 2, 0]


def test_pytorch_tutorials() -> None:
    """E12: the mean is 27 with gradient 4.5 everywhere; Q's gradients are [36, 81] and [-12, -8]."""
    mean = after_backward("tutorial_mean")
    assert (mean["out"].item(), mean["x"].grad.tolist()) == (27, [[4.5, 4.5], [4.5, 4.5]])
    vector = variables_of("tutorial_vector")
    assert (vector["a"].grad.tolist(), vector["b"].grad.tolist()) == ([36, 81], [-12, -8])


def test_repeated_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    """E13: `.grad` is 4 and 2, then 8 and 4, then 4 and 2 again."""
    torch = pytest.importorskip("torch")
    seen = []
    plain = torch.Tensor.backward

    def backward(tensor: Any, *arguments: Any, **keywords: Any) -> None:
        plain(tensor, *arguments, **keywords)
        leaf = sys._getframe(1).f_locals["inp"].grad
        seen.append((leaf[0, 0].item(), leaf[0, 1].item()))

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    variables_of("repeated_backward")
    assert seen == [(4, 2), (8, 4), (4, 2)]


def test_dive_into_deep_learning() -> None:
    """E14: 28 with gradient 4 x; behind a detach the gradient is u."""
    dot = after_backward("d2l_dot")
    assert (dot["y"].item(), dot["x"].grad.tolist()) == (28, [0, 4, 8, 12])
    assert after_backward("d2l_detach")["x"].grad.tolist() == [0, 1, 4, 9]


# --- the networks ------------------------------------------------------------------------------------------------------------------------


def test_linear_regression() -> None:
    """The loop finds the line: slope near 2, intercept near -1, the loss at the figure in its docstring."""
    seen = variables_of("linear_regression")
    assert (seen["w"].item(), seen["b"].item()) == (pytest.approx(2, abs=0.15), pytest.approx(-1, abs=0.15))
    assert seen["loss"].item() == pytest.approx(0.0088, abs=5e-5)


def test_cnn() -> None:
    """The parameter count of its docstring, scores per picture and class, and a gradient on every parameter."""
    seen = after_backward("cnn")
    assert sum(one.numel() for one in seen["model"].parameters()) == 5258
    assert tuple(seen["scores"].shape) == (2, 10)
    assert all(one.grad.norm() > 0 for one in seen["model"].parameters())


def test_lstm() -> None:
    """Equals torch's own nn.LSTM with the same weights, in value and in gradient."""
    torch = pytest.importorskip("torch")
    seen = after_backward("lstm")
    model, sequence = seen["model"], seen["sequence"]
    other = torch.nn.LSTM(4, 6)
    cell = dict(model.cell.named_parameters())
    other.load_state_dict({f"{name}_l0": value.detach() for name, value in cell.items()})
    scores = model.head(other(sequence)[0][-1])
    torch.testing.assert_close(scores, seen["scores"])
    torch.nn.functional.cross_entropy(scores, seen["labels"]).backward()
    for name, value in cell.items():
        torch.testing.assert_close(getattr(other, f"{name}_l0").grad, value.grad)


def test_shared_weights() -> None:
    """Embedding and head are one parameter, whose gradient is the sum of what each alone would have."""
    torch = pytest.importorskip("torch")
    seen = after_backward("shared_weights")
    model = seen["model"]
    assert model.head.weight is model.embedding.weight
    apart = type(model)(letters=8, size=4)
    apart.load_state_dict(model.state_dict())
    apart.head.weight = torch.nn.Parameter(model.embedding.weight.detach().clone())
    torch.nn.functional.cross_entropy(apart(seen["letters"]), seen["following"]).backward()
    torch.testing.assert_close(model.head.weight.grad, apart.embedding.weight.grad + apart.head.weight.grad)


def test_causal_attention() -> None:
    """Equals torch's fused attention, and changing a later token does not change an earlier result."""
    torch = pytest.importorskip("torch")
    seen = after_backward("causal_attention")
    attention, tokens, context = seen["attention"], seen["tokens"], seen["context"]
    parts = [layer(tokens)[None] for layer in (attention.W_query, attention.W_key, attention.W_value)]
    fused = torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=True)[0]
    torch.testing.assert_close(fused, context)
    changed = tokens.clone()
    changed[4:] += 1
    assert torch.equal(attention(changed)[:4], context[:4])


def test_attention_heads_look_where_they_should() -> None:
    """The first head gives most weight to the letter before, the second the same to equal letters; each row sums to 1."""
    seen = after_backward("attention_heads")
    before, equal = seen["weights"].detach()
    assert seen["weights"].sum(dim=-1).flatten().tolist() == pytest.approx([1.0] * 10)
    assert before.argmax(dim=1).tolist() == [0, 0, 1, 2, 3]
    assert equal[3, 2].item() == equal[3, 3].item() > 0.48


def test_dropout_on_and_off() -> None:
    """On, an activation is 0 or twice what it was, and where it is 0 nothing comes back; off, it is unchanged. Weights are equal."""
    torch = pytest.importorskip("torch")
    on, off = after_backward("dropout"), after_backward("dropout_off")
    assert torch.equal(on["x"], off["x"])
    for one, other in zip(on["model"].parameters(), off["model"].parameters(), strict=True):
        assert torch.equal(one, other)
    hidden = torch.tanh(on["model"].fc1(on["x"])).detach().requires_grad_()
    torch.manual_seed(5)
    kept = on["model"].dropout(hidden)
    assert 4 < (kept == 0).sum() < 20
    assert torch.equal(kept[kept != 0], 2 * hidden[kept != 0])
    kept.sum().backward()
    assert torch.equal(hidden.grad, 2.0 * (kept != 0))
    assert torch.equal(off["model"].dropout(hidden), hidden)


GPT_COUNTS = [  # configuration, untied, tied
    ("GPT_CONFIG_124M", 163_009_536, 124_412_160),
    ("GPT_CONFIG_MEDIUM", 406_212_608, 354_749_440),
    ("GPT_CONFIG_LARGE", 838_220_800, 773_891_840),
    ("GPT_CONFIG_XL", 1_637_792_000, 1_557_380_800),
]


@pytest.mark.parametrize(("configuration", "untied", "tied"), GPT_COUNTS)
def test_gpt_has_the_published_number_of_parameters(configuration: str, untied: int, tied: int) -> None:
    """E3, on the meta device: exact counts, shared ones once, without taking memory."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs import gpt

    cfg = getattr(gpt, configuration)
    with torch.device("meta"):
        assert count(gpt.GPTModel(cfg)) == untied
        assert count(gpt.GPTModel(cfg, tie_weights=True)) == tied


def count(module: Any) -> int:
    return sum(one.numel() for one in module.parameters())


def test_gpt_by_its_parts() -> None:
    """E3: the configuration's keys, biases, the two halves of a block, the size in MiB, and the paths a reader sees."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs.gpt import GPT_CONFIG_124M, GPTModel

    assert GPT_CONFIG_124M == {
        "vocab_size": 50257, "context_length": 1024, "emb_dim": 768, "n_heads": 12, "n_layers": 12, "drop_rate": 0.1, "qkv_bias": False,
    }  # fmt: skip
    with torch.device("meta"):
        model = GPTModel(GPT_CONFIG_124M)
        assert count(GPTModel({**GPT_CONFIG_124M, "qkv_bias": True}, tie_weights=True)) == 124_439_808
    block = model.trf_blocks[0]
    assert (count(block.ff), count(block.att)) == (4_722_432, 2_360_064)
    assert round(count(model) * 4 / 2**20, 2) == 621.83
    paths = {
        "tok_emb", "pos_emb", "drop_emb", "trf_blocks.0.att.W_query", "trf_blocks.11.att.out_proj", "trf_blocks.0.ff.layers.0",
        "trf_blocks.0.norm1", "trf_blocks.0.norm2", "trf_blocks.0.drop_shortcut", "final_norm", "out_head",
    }  # fmt: skip
    assert paths <= {path for path, _ in model.named_modules()}


def test_gpt_is_causal_and_reads_every_parameter() -> None:
    """A small one: a later token changes nothing before it, and after backward every parameter has a gradient."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs.gpt import GPTModel

    torch.manual_seed(0)
    cfg = {"vocab_size": 17, "context_length": 8, "emb_dim": 12, "n_heads": 3, "n_layers": 2, "drop_rate": 0.1, "qkv_bias": True}
    model = GPTModel(cfg)
    tokens = torch.randint(17, (2, 8))
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 17
    model.eval()
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.equal(before[:, 5:], after[:, 5:])
    model.train()
    assert not torch.equal(model(tokens), model(tokens))  # dropout draws anew
    torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()).backward()
    assert all(one.grad is not None and one.grad.norm() > 0 for one in model.parameters())


def test_llama_by_its_parts() -> None:
    """The published number of parameters, in all and of the parts of a block, without taking memory."""
    torch = pytest.importorskip("torch")
    from explorer.capture.programs.llama import LLAMA_CONFIG_70B, LlamaModel

    with torch.device("meta"):
        model = LlamaModel(LLAMA_CONFIG_70B)
    assert count(model) == 70_553_706_496
    block = model.trf_blocks[79]
    assert (count(block.att), count(block.ff), count(block.norm1) + count(block.norm2)) == (150_994_944, 704_643_072, 16_384)
    assert count(model.tok_emb) == count(model.out_head) == 1_050_673_152


@pytest.mark.slow
def test_llama_computes_what_transformers_computes() -> None:
    """A small one with the weights of a `LlamaForCausalLM`: the same logits, and a gradient on every parameter."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from explorer.capture.programs.llama import LLAMA_CONFIG_70B, LlamaModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 31, "emb_dim": 32, "n_heads": 4, "n_kv_groups": 2, "n_layers": 2, "hidden_dim": 48, "context_length": 16}
    model = LlamaModel({**LLAMA_CONFIG_70B, **sizes, "dtype": torch.float32})
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=31, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, intermediate_size=48,
            max_position_embeddings=16, rms_norm_eps=1e-5, rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        )
    )  # fmt: skip
    names = {
        "att.W_query": "self_attn.q_proj", "att.W_key": "self_attn.k_proj", "att.W_value": "self_attn.v_proj",
        "att.out_proj": "self_attn.o_proj", "norm1": "input_layernorm", "norm2": "post_attention_layernorm",
        "ff.gate": "mlp.gate_proj", "ff.up": "mlp.up_proj", "ff.down": "mlp.down_proj", "trf_blocks": "model.layers",
        "tok_emb": "model.embed_tokens", "final_norm": "model.norm", "out_head": "lm_head",
    }  # fmt: skip
    weights = dict(theirs.state_dict())
    for name, value in model.state_dict().items():
        for part, their_part in names.items():
            name = name.replace(part, their_part)
        value.copy_(weights.pop(name))
    assert not weights
    tokens = torch.randint(31, (2, 9))
    logits = model(tokens)
    assert torch.allclose(logits, theirs(tokens).logits, atol=1e-5)
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()
    assert all(one.grad is not None and one.grad.norm() > 0 for one in model.parameters())


@pytest.mark.slow
def test_gpt2() -> None:
    """124,412,160 parameters, 64 tokens, a loss near ln(50257), a gradient on every parameter."""
    seen = after_backward("gpt2")
    assert count(seen["model"]) == 124_412_160
    assert tuple(seen["tokens"].shape) == (1, 64)
    assert seen["loss"].item() == pytest.approx(math.log(50257), abs=0.3)
    assert all(one.grad is not None for one in seen["model"].parameters())


@pytest.mark.slow
def test_gpt2_xl_runs_as_fake() -> None:
    """Under FakeTensorMode forward and backward run with the right shapes and take no memory worth mentioning."""
    pytest.importorskip("torch")
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        seen = variables_of("gpt2_xl")
        assert count(seen["model"]) == 1_557_380_800
        assert tuple(seen["logits"].shape) == (1, 1024, 50257)
        seen["loss"].backward()
        assert tuple(seen["model"].tok_emb.weight.grad.shape) == (50257, 1600)


# --- the faults --------------------------------------------------------------------------------------------------------------------------


def test_vanishing_sigmoids_do_vanish() -> None:
    """The first layer's gradient is less than a millionth of the last one's, and falls layer by layer, though never to zero."""
    seen = after_backward("vanishing_sigmoids")
    norms = [one.grad.norm().item() for one in seen["model"].parameters() if one.dim() == 2]
    assert len(norms) == 12
    assert norms == sorted(norms)
    assert 0 < norms[0] < 1e-6 * norms[-1]


def test_exploding_layers_do_explode() -> None:
    """Everything stays finite, and at the first layer the gradient is over ten thousand times the one at the last."""
    torch = pytest.importorskip("torch")
    seen = variables_of("exploding_layers")
    results: list[Any] = []
    for layer in seen["model"][::2]:
        layer.register_forward_hook(lambda _, __, result: results.append(result) or result.retain_grad())
    torch.nn.functional.mse_loss(seen["model"](seen["x"]), seen["target"]).backward()
    norms = [one.grad.norm().item() for one in results]
    assert all(math.isfinite(norm) for norm in norms)
    assert norms[0] > 1e4 * norms[-1]


def test_dead_relus_are_dead() -> None:
    """The weights before the relu have a gradient, and it is zero; the bias after it still learns."""
    seen = after_backward("dead_relus")
    first, _, last = seen["model"]
    assert first.weight.grad.abs().max() == first.bias.grad.abs().max() == last.weight.grad.abs().max() == 0
    assert last.bias.grad.item() != 0


def test_nan_where_has_a_finite_loss_and_a_nan_gradient() -> None:
    """T38 C: the loss is 3, and only the element at 0 has a NaN gradient."""
    seen = after_backward("nan_where")
    assert seen["loss"].item() == 3
    assert math.isnan(seen["x"].grad[0].item())
    assert seen["x"].grad[1:].tolist() == [0.5, 0.25]


def test_detached_branch_has_no_gradient() -> None:
    """The whole branch has a gradient, the cut one has None, not zero."""
    seen = after_backward("detached_branch")
    assert seen["w_left"].grad.item() != 0
    assert seen["w_right"].grad is None


def test_forgotten_zero_grad_doubles_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass brings -2, and `.grad` before the update is -2, -4, -6."""
    torch = pytest.importorskip("torch")
    seen = []
    plain = torch.Tensor.backward

    def backward(tensor: Any, *arguments: Any, **keywords: Any) -> None:
        plain(tensor, *arguments, **keywords)
        seen.append(sys._getframe(1).f_locals["w"].grad.item())

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    variables = variables_of("forgotten_zero_grad")
    assert seen == [-2, -4, -6]
    assert variables["w"].item() == pytest.approx(1.2, abs=1e-6)
